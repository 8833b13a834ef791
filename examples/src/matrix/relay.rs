//! A relay between client and server that can spoil what it carries.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use net_core::{Endpoint, Net, Shutdown, Stream};
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};

use super::{LIMIT, Result};

/// What becomes of one connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing: all bytes pass, both ways, and both ends.
    None,
    /// After so many bytes of the answers both sides are reset.
    Reset {
        /// How many pass.
        after: usize,
    },
    /// After so many bytes of what the client sends both sides see an orderly end.
    Cut {
        /// How many pass.
        after: usize,
    },
    /// All passes, in both directions in pieces of so many bytes, with pauses between: a slow reader to both.
    Slow {
        /// The bytes of a piece.
        piece: usize,
        /// The pause behind each.
        pause: Duration,
    },
}

/// A relay that runs. [`stop`](Self::stop) ends it.
#[derive(Debug)]
pub struct Relay {
    local: Endpoint,
    shutdown: Shutdown,
    carried: Arc<AtomicU64>,
}

impl Relay {
    /// Listens at `at` and carries each connection to `to`; `fault` says what becomes of the next one.
    ///
    /// # Errors
    /// If it can't listen there.
    pub async fn start(
        net: &Net,
        at: &Endpoint,
        to: Endpoint,
        mut fault: impl FnMut() -> Fault + Send + 'static,
    ) -> Result<Self> {
        let mut listener = net.bind(at).await?;
        let relay = Self {
            local: listener.local().clone(),
            shutdown: Shutdown::new(net),
            carried: Arc::default(),
        };
        let (shutdown, carried) = (relay.shutdown.clone(), Arc::clone(&relay.carried));
        let net_of_task = net.clone();
        let guard = shutdown.guard()?;
        net.spawn(async move {
            loop {
                let accepted = tokio::select! {
                    biased;
                    () = guard.draining() => break,
                    accepted = listener.accept() => accepted,
                };
                let (Ok(near), Ok(guard)) = (accepted, shutdown.guard()) else {
                    break;
                };
                let (net, to, fault) = (net_of_task.clone(), to.clone(), fault());
                carried.fetch_add(1, Ordering::Relaxed);
                let carrying = net_of_task.spawn(async move {
                    // What breaks here is what the relay is for; the two ends see it.
                    let _ = guard.run(carry(&net, near, &to, fault)).await;
                });
                if carrying.is_err() {
                    break;
                }
            }
        })?;
        Ok(relay)
    }

    /// Where it listens.
    pub fn local(&self) -> &Endpoint {
        &self.local
    }

    /// How many connections it has carried.
    pub fn carried(&self) -> u64 {
        self.carried.load(Ordering::Relaxed)
    }

    /// Ends it: no more connections; those under way have their time.
    pub async fn stop(self) {
        self.shutdown.stop(LIMIT).await;
    }
}

/// Why one direction has ended.
enum Over {
    /// By the end of what came.
    End,
    /// By the fault.
    Spoiled,
}

async fn carry(net: &Net, near: Stream, to: &Endpoint, fault: Fault) -> Result<()> {
    let far = match net.connect(to).await {
        Ok(far) => far,
        Err(error) => {
            near.reset();
            return Err(error.into());
        }
    };
    let ((near_in, near_out), (far_in, far_out)) = (tokio::io::split(near), tokio::io::split(far));
    let (up_limit, down_limit) = match fault {
        Fault::Reset { after } => (usize::MAX, after),
        Fault::Cut { after } => (after, usize::MAX),
        Fault::None | Fault::Slow { .. } => (usize::MAX, usize::MAX),
    };
    let (mut near_in, mut near_out, mut far_in, mut far_out) = (near_in, near_out, far_in, far_out);
    let spoiled = {
        let up = one_way(net, &mut near_in, &mut far_out, fault, up_limit);
        let down = one_way(net, &mut far_in, &mut near_out, fault, down_limit);
        let (mut up, mut down) = (std::pin::pin!(up), std::pin::pin!(down));
        // A fault ends both at once; an end in order only its own direction.
        let (first, other) = tokio::select! {
            biased;
            over = &mut up => (over, None),
            over = &mut down => (over, Some(())),
        };
        match first {
            Ok(Over::End) => match other {
                None => down.await,
                Some(()) => up.await,
            },
            spoiled => spoiled,
        }
    };
    let (near, far) = (near_in.unsplit(near_out), far_in.unsplit(far_out));
    match (spoiled, fault) {
        (Ok(Over::End), _) => {}
        (Ok(Over::Spoiled), Fault::Cut { .. }) => {
            // In order, at both ends; how they take it is theirs.
            let (near, far) = (net.spawn(near.close(LIMIT))?, net.spawn(far.close(LIMIT))?);
            let _ = (near.await, far.await);
        }
        // Spoiled by a reset, or broken by one of the ends: the other hears of it.
        _ => {
            near.reset();
            far.reset();
        }
    }
    Ok(())
}

/// Carries one direction until its end, which is passed on, or until the limit.
async fn one_way(
    net: &Net,
    from: &mut ReadHalf<Stream>,
    to: &mut WriteHalf<Stream>,
    fault: Fault,
    limit: usize,
) -> io::Result<Over> {
    let (piece, pause) = match fault {
        Fault::Slow { piece, pause } => (piece.max(1), Some(pause)),
        _ => (8192, None),
    };
    let mut buffer = vec![0; piece];
    let mut left = limit;
    while left > 0 {
        let room = buffer.len().min(left);
        let read = from.read(&mut buffer[..room]).await?;
        if read == 0 {
            to.shutdown().await?;
            return Ok(Over::End);
        }
        left -= read;
        to.write_all(&buffer[..read]).await?;
        if let Some(pause) = pause {
            net.sleep(pause).await;
        }
    }
    Ok(Over::Spoiled)
}
