//! A bare readiness loop on mio, edge-triggered: the limit that the others are compared with.
//!
//! It does what an echo server has to (read, cut frames, write) and nothing else: one scratch buffer for all
//! connections, out of which it also writes; no timers, no wake-ups from elsewhere.

use super::{Door, Job, Progress};
use crate::Outcome;
use crate::framing::Framing;
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use slab::Slab;
use std::io::{self, ErrorKind, Read, Write};
use std::sync::Arc;
use std::sync::atomic::Ordering;

const LISTENER: Token = Token(usize::MAX);
const SCRATCH: usize = 64 * 1024;

/// A connection.
struct Connection {
    stream: TcpStream,
    /// The unfinished frame that the last read left, if it did.
    tail: Vec<u8>,
    /// What the socket had no room for. Until it has, nothing is read.
    unsent: Vec<u8>,
    /// Whether it is registered for that.
    waits_to_write: bool,
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
                        unsent: Vec::new(),
                        waits_to_write: false,
                    });
                    accepted += 1;
                    progress.accepted.fetch_add(1, Ordering::Relaxed);
                }
                continue;
            }
            let Some(connection) = connections.get_mut(event.token().0) else {
                continue;
            };
            let open = match connection.turn(job.framing, &mut scratch, &mut frames) {
                Err(error) if strict => return Err(error.into()),
                Err(_) => false,
                Ok(open) => open,
            };
            if open && connection.waits_to_write == connection.unsent.is_empty() {
                connection.waits_to_write = !connection.waits_to_write;
                let writable = connection.waits_to_write.then_some(Interest::WRITABLE);
                let interest = writable.unwrap_or(Interest::READABLE) | Interest::READABLE;
                poll.registry()
                    .reregister(&mut connection.stream, event.token(), interest)?;
            }
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
    fn turn(&mut self, framing: Framing, scratch: &mut [u8], frames: &mut u64) -> io::Result<bool> {
        if !self.unsent.is_empty() {
            let written = write(&mut self.stream, &self.unsent)?;
            self.unsent.drain(..written);
            if !self.unsent.is_empty() {
                return Ok(true);
            }
        }
        loop {
            let kept = self.tail.len();
            scratch[..kept].copy_from_slice(&self.tail);
            let count = match self.stream.read(&mut scratch[kept..]) {
                Ok(0) => return Ok(false),
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(true),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let filled = kept + count;
            let used = framing.walk(&scratch[..filled], |_| *frames += 1);
            let written = write(&mut self.stream, &scratch[..used])?;
            if written < used {
                self.unsent.extend_from_slice(&scratch[written..used]);
            }
            if used < filled || kept > 0 {
                self.tail.clear();
                self.tail.extend_from_slice(&scratch[used..filled]);
            }
            if filled < scratch.len() || !self.unsent.is_empty() {
                return Ok(true);
            }
        }
    }
}

/// Writes what the socket takes.
fn write(stream: &mut TcpStream, mut bytes: &[u8]) -> io::Result<usize> {
    let all = bytes.len();
    while !bytes.is_empty() {
        match stream.write(bytes) {
            Ok(count) => bytes = &bytes[count..],
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(all - bytes.len())
}
