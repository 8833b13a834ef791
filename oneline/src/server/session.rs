//! One client, from its first line to its end.

use std::pin::pin;
use std::sync::Arc;

use net_core::{
    Error, ErrorKind, Frame, Framed, Guard, Net, Output, Sender, Stream, TimeoutKind, catch_panic, catch_panic_in, race,
};
use tokio::sync::OwnedSemaphorePermit;

use super::accept::{Eviction, Shared};
use super::{LongLine, Settings};
use crate::handler::{End, Fault, Handler, Peer};
use crate::line::{PONG, Wire};
use crate::{HandlerError, Meaning, Replies};

/// A client that was admitted.
pub(crate) struct Session {
    /// In a box, as what is made of it: each layer of futures would otherwise have room for it.
    pub(super) stream: Box<Stream>,
    pub(super) place: OwnedSemaphorePermit,
    pub(super) guard: Guard,
    pub(super) eviction: Arc<Eviction>,
    pub(super) settings: Arc<Settings>,
    pub(super) shared: Arc<Shared>,
}

impl Session {
    /// Serves the client to its end, with the handler made for it.
    pub(super) async fn run<H: Handler>(self, factory: impl FnOnce() -> H) {
        #[cfg(feature = "tracing")]
        {
            use tracing::Instrument;
            let span = tracing::info_span!(target: "oneline", parent: self.stream.span(), "client", peer = %self.stream.peer());
            self.serve(factory).instrument(span).await;
        }
        #[cfg(not(feature = "tracing"))]
        self.serve(factory).await;
    }

    async fn serve<H: Handler>(self, factory: impl FnOnce() -> H) {
        let Self {
            mut stream,
            place,
            guard,
            eviction,
            settings,
            shared,
        } = self;
        if let Some(end) = handshake(&mut stream, &guard, &eviction).await {
            log_info!(%end, "the client left before its first command");
            return;
        }
        let made = catch_panic_in(|| {
            let mut handler = factory();
            handler.connected(&Peer {
                endpoint: stream.peer().clone(),
                id: stream.id(),
                #[cfg(feature = "tls")]
                tls: stream.tls(),
            });
            handler
        });
        let net = stream.net();
        let mut framed = Box::new(Framed::with_limits(*stream, settings.wire, settings.limits.clone()));
        let mut handler = match made {
            Ok(handler) => handler,
            Err(error) => {
                log_warn!(%error, "no handler for the client");
                return;
            }
        };
        log_info!("connected");

        let mut talk = Talk {
            net: &net,
            sender: framed.sender(),
            guard: &guard,
            eviction: &eviction,
            settings: &settings,
            shared: &shared,
        };
        let aborted = async {
            guard.aborting().await;
            End::Stopped
        };
        let taken_over = async {
            eviction.asked().await;
            net.sleep(settings.takeover_grace).await;
            End::TakenOver
        };
        let end = race(talk.run(&mut framed, &mut handler), race(aborted, taken_over)).await;
        drop(talk);
        if end == End::Shutdown {
            shared.shut_down().await;
        }
        log_info!(%end, "disconnected");
        if let Err(error) = catch_panic_in(|| handler.disconnected(&end)) {
            log_warn!(%error, "the handler's last call failed");
        }
        drop(handler);
        // In a box: a connection that serves must not carry the room that its end takes.
        Box::pin(finish(framed, &end, place, &guard, &settings, &shared)).await;
    }
}

/// Sends what was answered, frees the place, and closes in order.
async fn finish(
    mut framed: Box<Framed<Wire>>,
    end: &End,
    place: OwnedSemaphorePermit,
    guard: &Guard,
    settings: &Settings,
    shared: &Shared,
) {
    if matches!(end, End::Failed(_) | End::Truncated(_)) {
        return guard.lost(framed.unsent());
    }
    // What was answered goes out before the next client's turn. A client that doesn't take it can delay that by the write
    // timeout, or by its grace time if it was taken over.
    let flushed = match end {
        End::TakenOver => {
            let net = framed.stream().net();
            let limited = net.timeout(settings.takeover_grace, framed.flush());
            guard.run(limited).await.and_then(Result::ok)
        }
        _ => guard.run(framed.flush()).await,
    };
    if !matches!(flushed, Some(Ok(()))) {
        return guard.lost(framed.unsent());
    }
    drop(place);
    if let Some(_closing) = shared.closing() {
        guard.run(framed.close(settings.linger)).await;
    }
}

/// The TLS handshake, if there is one.
async fn handshake(stream: &mut Stream, guard: &Guard, eviction: &Eviction) -> Option<End> {
    let shaken = async { stream.handshake().await.err().map(End::Failed) };
    race(shaken, async { Some(asked(guard, eviction).await) }).await
}

/// Waits until the session is asked to end, by the server or for a newer client.
async fn asked(guard: &Guard, eviction: &Eviction) -> End {
    let stopped = async {
        guard.draining().await;
        End::Stopped
    };
    let taken_over = async {
        eviction.asked().await;
        End::TakenOver
    };
    race(stopped, taken_over).await
}

/// The conversation with one client.
struct Talk<'a> {
    net: &'a Net,
    sender: Sender<Wire>,
    guard: &'a Guard,
    eviction: &'a Eviction,
    settings: &'a Settings,
    shared: &'a Shared,
}

impl Talk<'_> {
    async fn run<H: Handler>(&mut self, framed: &mut Framed<Wire>, handler: &mut H) -> End {
        let mut asked = pin!(asked(self.guard, self.eviction));
        loop {
            // Everything that is here already, without a look at anything that costs.
            loop {
                if let Some(end) = self.interrupted() {
                    return end;
                }
                let Some((frame, mut output)) = framed.next_buffered() else {
                    break;
                };
                if let Some(end) = self.line(handler, &frame, &mut output).await {
                    return end;
                }
            }
            let next = race(async { Ok(framed.next().await) }, async { Err(asked.as_mut().await) });
            let end = match next.await {
                Ok(Ok(Some((frame, mut output)))) => match self.interrupted() {
                    None => self.line(handler, &frame, &mut output).await,
                    end => end,
                },
                Ok(Ok(None)) => Some(End::Closed),
                Ok(Err(error)) if error.kind() == ErrorKind::Truncated => Some(End::Truncated(error)),
                Ok(Err(error)) => Some(End::Failed(error)),
                Err(end) => Some(end),
            };
            if let Some(end) = end {
                return end;
            }
        }
    }

    /// Whether the session has to end between two commands.
    #[inline]
    fn interrupted(&self) -> Option<End> {
        if self.shared.is_stopping() {
            Some(End::Stopped)
        } else if self.eviction.is_asked() {
            Some(End::TakenOver)
        } else {
            None
        }
    }

    #[inline(always)]
    async fn line<H: Handler>(
        &mut self,
        handler: &mut H,
        frame: &Frame<'_>,
        output: &mut Output<'_, Wire>,
    ) -> Option<End> {
        let (line, fault) = (frame.bytes(), frame.fault());
        let protocol = &self.settings.protocol;
        if fault.is_some() || !protocol.is_command(line) {
            return self.built_in(&protocol.meaning_of(line, fault), output);
        }
        let controls = self.settings.allow_controls;
        let mut replies = Replies::direct(output.reborrow(), controls);
        match catch_panic_in(|| handler.at_once(&protocol.command(line), &mut replies)) {
            Ok(None) => {}
            Ok(Some(Ok(()))) => return None,
            Ok(Some(Err(error))) => return self.failed(Ok(Err(error))),
            Err(panic) => return self.failed(Err(panic)),
        }
        let mut replies = Replies::new(&self.sender, controls);
        // Made in place and pinned there: what is moved about for each command would cost more than all the rest.
        let work = pin!(async { handler.command(protocol.command(line), &mut replies).await });
        let work = catch_panic(work);
        let done = match self.settings.handler_timeout {
            None => output.run(work).await,
            Some(limit) => {
                let limited = self.net.timeout(limit, work);
                output.run(async { limited.await.unwrap_or_else(Err) }).await
            }
        };
        match done {
            Ok(Ok(Ok(()))) => None,
            Ok(outcome) => self.failed(outcome),
            // The client is gone, or does not take its replies.
            Err(error) => Some(End::Failed(error)),
        }
    }

    /// Does what is built in.
    fn built_in(&self, meaning: &Meaning<'_>, output: &mut Output<'_, Wire>) -> Option<End> {
        match *meaning {
            Meaning::Command(_) => None,
            Meaning::Ping => output.push(PONG).err().map(End::Failed),
            Meaning::Disconnect => Some(End::Disconnected),
            Meaning::Shutdown => Some(End::Shutdown),
            Meaning::TooLong { limit, length } => {
                let ended = self.fault(&Fault::TooLong { limit, length });
                match self.settings.long_line {
                    LongLine::Reply => ended,
                    LongLine::Close => Some(ended.unwrap_or(End::TooLong)),
                }
            }
        }
    }

    #[cold]
    fn failed(&self, outcome: Result<Result<(), HandlerError>, Error>) -> Option<End> {
        let fault = match outcome {
            Ok(Ok(())) => return None,
            Ok(Err(error)) => Fault::Failed(error),
            Err(error) => match error.kind() {
                ErrorKind::Timeout(TimeoutKind::Request) => {
                    Fault::TimedOut(self.settings.handler_timeout.unwrap_or_default())
                }
                _ => Fault::Panicked(error.detail_text().unwrap_or_default().to_owned()),
            },
        };
        self.fault(&fault)
    }

    /// Tells the client what went wrong; the session goes on unless that fails.
    #[cold]
    fn fault(&self, fault: &Fault) -> Option<End> {
        log_warn!(?fault, "a command failed");
        let text = (self.settings.fault_reply)(fault)?;
        let line = text.replace(['\n', '\r', '\0'], " ");
        self.sender.push(line.as_bytes()).err().map(End::Failed)
    }
}
