//! Pipes in memory: `mem:name`, and [`Stream::pair`](crate::Stream::pair).
//!
//! They behave as a TCP connection does to a program: bounded with back-pressure, half close after the buffered data,
//! reset, and a broken pipe for who writes to an end that is gone.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, Weak};
use std::task::{Context, Poll, Waker};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::mpsc;

use crate::Endpoint;
use crate::backend::{Plain, RawListener, Transport};
use crate::lock::lock;

/// Bytes that one direction of a pipe holds before the writer waits: the order of a socket's buffer.
pub(crate) const CAPACITY: usize = 64 * 1024;

/// One end of a pipe.
#[derive(Debug)]
pub(crate) struct Pipe {
    incoming: Arc<Mutex<Direction>>,
    outgoing: Arc<Mutex<Direction>>,
    name: Endpoint,
    reset: bool,
}

#[derive(Debug)]
struct Direction {
    buffer: BytesMut,
    capacity: usize,
    /// The writer has closed: the reader gets the rest and then the end.
    ended: bool,
    /// The reader is gone: writing makes no sense any more.
    deserted: bool,
    /// An end was dropped hard: both sides see it at once.
    reset: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

impl Direction {
    fn new(capacity: usize) -> Arc<Mutex<Self>> {
        Arc::new(Mutex::new(Self {
            buffer: BytesMut::new(),
            capacity,
            ended: false,
            deserted: false,
            reset: false,
            reader: None,
            writer: None,
        }))
    }
}

/// Changes a direction and then wakes both its sides, outside the lock.
fn change(direction: &Mutex<Direction>, how: impl FnOnce(&mut Direction)) {
    let (reader, writer) = {
        let mut direction = lock(direction);
        how(&mut direction);
        (direction.reader.take(), direction.writer.take())
    };
    reader.into_iter().chain(writer).for_each(Waker::wake);
}

/// Two ends that are connected.
pub(crate) fn pipe(name: &Endpoint, capacity: usize) -> (Pipe, Pipe) {
    let (there, back) = (Direction::new(capacity), Direction::new(capacity));
    let end = |incoming: &Arc<_>, outgoing: &Arc<_>| Pipe {
        incoming: Arc::clone(incoming),
        outgoing: Arc::clone(outgoing),
        name: name.clone(),
        reset: false,
    };
    (end(&back, &there), end(&there, &back))
}

impl Transport for Pipe {
    fn local(&self) -> Endpoint {
        self.name.clone()
    }

    fn peer(&self) -> Endpoint {
        self.name.clone()
    }

    fn reset_on_drop(&mut self) {
        self.reset = true;
    }
}

impl AsyncRead for Pipe {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let mut direction = lock(&self.incoming);
        if direction.reset {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        if direction.buffer.is_empty() {
            if direction.ended || into.remaining() == 0 {
                return Poll::Ready(Ok(()));
            }
            direction.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let n = into.remaining().min(direction.buffer.len());
        into.put_slice(&direction.buffer[..n]);
        direction.buffer.advance(n);
        if direction.buffer.is_empty() {
            // A quiet pipe holds no memory.
            direction.buffer = BytesMut::new();
        }
        let writer = direction.writer.take();
        drop(direction);
        writer.into_iter().for_each(Waker::wake);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Pipe {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        let mut direction = lock(&self.outgoing);
        if direction.reset {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        if direction.ended || direction.deserted {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let n = data.len().min(direction.capacity - direction.buffer.len());
        if n == 0 && !data.is_empty() {
            direction.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        direction.buffer.extend_from_slice(&data[..n]);
        let reader = direction.reader.take();
        drop(direction);
        reader.into_iter().for_each(Waker::wake);
        Poll::Ready(Ok(n))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        change(&self.outgoing, |direction| direction.ended = true);
        Poll::Ready(Ok(()))
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        let reset = self.reset;
        change(&self.outgoing, |direction| {
            direction.ended = true;
            direction.reset |= reset;
        });
        change(&self.incoming, |direction| {
            direction.deserted = true;
            direction.reset |= reset;
            direction.buffer = BytesMut::new();
        });
    }
}

/// The `mem:` names of one `Net` and its clones.
#[derive(Debug, Default)]
pub(crate) struct Names(Mutex<BTreeMap<Arc<str>, Option<mpsc::Sender<Pipe>>>>);

impl Names {
    /// Reserves a name; it accepts once it listens.
    pub(crate) fn bind(self: &Arc<Self>, name: &Arc<str>) -> io::Result<MemoryListener> {
        match lock(&self.0).entry(Arc::clone(name)) {
            Entry::Occupied(_) => Err(io::ErrorKind::AddrInUse.into()),
            Entry::Vacant(entry) => {
                entry.insert(None);
                Ok(MemoryListener {
                    names: Arc::downgrade(self),
                    name: Arc::clone(name),
                    accepted: None,
                })
            }
        }
    }

    /// Connects to a name; waits while its backlog is full, as TCP does.
    pub(crate) async fn connect(&self, name: &Arc<str>) -> io::Result<Plain> {
        let backlog = match lock(&self.0).get(name) {
            Some(Some(backlog)) => backlog.clone(),
            _ => return Err(io::ErrorKind::ConnectionRefused.into()),
        };
        let (ours, theirs) = pipe(&Endpoint::Mem(Arc::clone(name)), CAPACITY);
        backlog
            .send(theirs)
            .await
            .map_err(|_| io::ErrorKind::ConnectionRefused)?;
        Ok(Plain::memory(ours))
    }
}

#[derive(Debug)]
pub(crate) struct MemoryListener {
    names: Weak<Names>,
    name: Arc<str>,
    accepted: Option<mpsc::Receiver<Pipe>>,
}

impl RawListener for MemoryListener {
    fn listen(&mut self, backlog: u32) -> io::Result<()> {
        if self.accepted.is_none()
            && let Some(names) = self.names.upgrade()
        {
            let (sender, receiver) = mpsc::channel(backlog.clamp(1, 1 << 16) as usize);
            lock(&names.0).insert(Arc::clone(&self.name), Some(sender));
            self.accepted = Some(receiver);
        }
        Ok(())
    }

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Plain>> {
        let Some(accepted) = &mut self.accepted else {
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidInput, "accept before listen")));
        };
        match accepted.poll_recv(cx) {
            Poll::Ready(Some(pipe)) => Poll::Ready(Ok(Plain::memory(pipe))),
            // Every `Net` that could connect is gone; as with a socket, nobody may ever come.
            Poll::Ready(None) | Poll::Pending => Poll::Pending,
        }
    }

    fn local(&self) -> Endpoint {
        Endpoint::Mem(Arc::clone(&self.name))
    }
}

impl Drop for MemoryListener {
    fn drop(&mut self) {
        if let Some(names) = self.names.upgrade() {
            lock(&names.0).remove(&self.name);
        }
    }
}
