//! A bare readiness loop on mio, edge-triggered: the limit that the others are compared with.
//!
//! It does what any server has to (cut frames, gather the replies) and nothing else: one scratch buffer for all
//! connections, no timers, no wake-ups from elsewhere, and a peer that doesn't read is an error.

use super::{Door, Job, Progress};
use crate::Outcome;
use crate::framing::Framing;
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use slab::Slab;
use std::io::{ErrorKind, Read, Write};
use std::sync::Arc;
use std::sync::atomic::Ordering;

const LISTENER: Token = Token(usize::MAX);
const SCRATCH: usize = 64 * 1024;

/// A connection: its socket, and the unfinished frame that the last read left, if it did.
struct Connection {
    stream: TcpStream,
    tail: Vec<u8>,
}

/// Echoes frames, each read answered with one write.
///
/// # Errors
/// Those of the sockets.
pub fn echo(door: Door, job: Job) -> Outcome<u64> {
    serve(door, job, &Progress::default(), true)
}

/// The same for many connections, which may end in whatever way.
///
/// # Errors
/// Those of the listener.
pub fn crowd(door: Door, job: Job, progress: Arc<Progress>) -> Outcome<u64> {
    serve(door, job, &progress, false)
}

fn serve(door: Door, job: Job, progress: &Progress, strict: bool) -> Outcome<u64> {
    let mut poll = Poll::new()?;
    let mut events = Events::with_capacity(1024);
    let mut listener = TcpListener::from_std(door.listen_nonblocking()?);
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    let mut connections: Slab<Connection> = Slab::new();
    let mut scratch = vec![0; SCRATCH];
    let mut out = Vec::with_capacity(SCRATCH);
    let (mut frames, mut accepted, mut ended) = (0, 0, 0);
    while ended < job.connections {
        if let Err(error) = poll.poll(&mut events, None) {
            if error.kind() == ErrorKind::Interrupted {
                continue;
            }
            return Err(error.into());
        }
        for event in &events {
            if event.token() == LISTENER {
                while accepted < job.connections {
                    let (mut stream, _) = match listener.accept() {
                        Ok(accepted) => accepted,
                        Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                        Err(error) => return Err(error.into()),
                    };
                    stream.set_nodelay(true)?;
                    let entry = connections.vacant_entry();
                    poll.registry()
                        .register(&mut stream, Token(entry.key()), Interest::READABLE)?;
                    entry.insert(Connection {
                        stream,
                        tail: Vec::new(),
                    });
                    accepted += 1;
                    progress.accepted.fetch_add(1, Ordering::Relaxed);
                }
                continue;
            }
            let Some(connection) = connections.get_mut(event.token().0) else {
                continue;
            };
            let open = match connection.turn(job.framing, &mut scratch, &mut out, &mut frames) {
                Err(error) if strict => return Err(error),
                Err(_) => false,
                Ok(open) => open,
            };
            if !open {
                connections.remove(event.token().0);
                ended += 1;
                progress.ended.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
    Ok(frames)
}

impl Connection {
    /// Reads what is there, answers it, and tells whether the connection is still open.
    fn turn(&mut self, framing: Framing, scratch: &mut [u8], out: &mut Vec<u8>, frames: &mut u64) -> Outcome<bool> {
        loop {
            let kept = self.tail.len();
            scratch[..kept].copy_from_slice(&self.tail);
            let count = match self.stream.read(&mut scratch[kept..]) {
                Ok(0) => return Ok(false),
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(true),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error.into()),
            };
            let filled = kept + count;
            let used = framing.walk(&scratch[..filled], |frame| {
                out.extend_from_slice(frame);
                *frames += 1;
            });
            self.tail.clear();
            self.tail.extend_from_slice(&scratch[used..filled]);
            if !out.is_empty() {
                let written = self.stream.write(out)?;
                if written < out.len() {
                    return Err("the peer doesn't read".into());
                }
                out.clear();
            }
            if filled < scratch.len() {
                return Ok(true);
            }
        }
    }
}
