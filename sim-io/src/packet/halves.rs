//! A reader and a writer on one connection, for two processes.
//!
//! Both work on the same [`Framed`] under a lock that is held only while one of them is polled. Each may write what has
//! gathered: the reader does whenever it waits, the writer when it flushes. The connection wakes only the last of them
//! that found it full, so whoever gets on wakes the other.

use std::fmt;
use std::future::poll_fn;
use std::marker::PhantomData;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use net_core::{Endpoint, Result};

use super::{Link, Packets, Payload};

/// The reading half; made by [`Packets::split`].
pub struct PacketReader<P: Payload> {
    shared: Arc<Shared>,
    payload: PhantomData<fn() -> P>,
}

/// The writing half; made by [`Packets::split`].
pub struct PacketWriter<P: Payload> {
    shared: Arc<Shared>,
    payload: PhantomData<fn() -> P>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    local: Endpoint,
    peer: Endpoint,
}

#[derive(Debug)]
struct State {
    link: Link,
    /// A read that waits.
    reader: Option<Waker>,
    /// A flush that waits.
    writer: Option<Waker>,
}

impl Shared {
    /// Locks even after a panic elsewhere: all that runs under the lock is [`Framed`](net_core::Framed)'s own code.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) fn split<P: Payload>(packets: Packets<P>) -> (PacketReader<P>, PacketWriter<P>) {
    let shared = Arc::new(Shared {
        state: Mutex::new(State {
            link: packets.link,
            reader: None,
            writer: None,
        }),
        local: packets.local,
        peer: packets.peer,
    });
    let reader = PacketReader {
        shared: Arc::clone(&shared),
        payload: PhantomData,
    };
    let writer = PacketWriter {
        shared,
        payload: PhantomData,
    };
    (reader, writer)
}

impl<P: Payload> PacketReader<P> {
    /// The next packet; `None` at the peer's end. Cancel safe. While it waits it writes what the other half gathers.
    ///
    /// # Errors
    /// As [`Packets::read`].
    pub async fn read(&mut self) -> Result<Option<P>> {
        let _read = Read(&self.shared);
        poll_fn(|cx| self.poll_read(cx)).await
    }

    fn poll_read(&self, cx: &mut Context<'_>) -> Poll<Result<Option<P>>> {
        let mut state = self.shared.lock();
        let framed = state.link.framed()?;
        let taken = match pin!(framed.next()).poll(cx) {
            Poll::Ready(Ok(Some((frame, _)))) => Poll::Ready(P::take(frame).map(Some)),
            Poll::Ready(Ok(None)) => Poll::Ready(Ok(None)),
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => Poll::Pending,
        };
        // It may have written what a flush waits for, or broken.
        let done = framed.unsent() == 0 || matches!(taken, Poll::Ready(Err(_)));
        let taken = taken.map(|taken| taken.map_err(|error| state.link.break_off(error.at(&self.shared.peer))));
        state.reader = taken.is_pending().then(|| cx.waker().clone());
        let woken = if done { state.writer.take() } else { None };
        drop(state);
        woken.into_iter().for_each(Waker::wake);
        taken
    }

    /// Our end.
    pub fn local_address(&self) -> &Endpoint {
        &self.shared.local
    }

    /// The other end.
    pub fn peer_address(&self) -> &Endpoint {
        &self.shared.peer
    }
}

impl<P: Payload> PacketWriter<P> {
    /// Writes a packet, with all that has gathered before it. Cancel safe: what is left goes out with the next call of
    /// either half.
    ///
    /// # Errors
    /// As [`Packets::write`].
    pub async fn write(&mut self, packet: impl AsRef<P::Lent>) -> Result<()> {
        drop(self.gather(packet.as_ref())?);
        self.flush().await
    }

    /// Gathers a packet. If the other half waits in a read, that writes it once this process waits: all that was pushed
    /// until then, in one write. Otherwise it leaves with the next read that waits, or [`flush`](Self::flush).
    ///
    /// # Errors
    /// As [`Packets::push`].
    pub fn push(&mut self, packet: impl AsRef<P::Lent>) -> Result<()> {
        let mut state = self.gather(packet.as_ref())?;
        let reader = state.reader.take();
        drop(state);
        reader.into_iter().for_each(Waker::wake);
        Ok(())
    }

    /// Gathers a packet.
    fn gather(&self, packet: &P::Lent) -> Result<MutexGuard<'_, State>> {
        let mut state = self.shared.lock();
        state.link.framed()?.push(P::bytes(packet))?;
        Ok(state)
    }

    /// Writes what has gathered. Cancel safe.
    ///
    /// # Errors
    /// Whatever breaks the connection.
    pub async fn flush(&mut self) -> Result<()> {
        Flush(&self.shared).await
    }

    /// Our end.
    pub fn local_address(&self) -> &Endpoint {
        &self.shared.local
    }

    /// The other end.
    pub fn peer_address(&self) -> &Endpoint {
        &self.shared.peer
    }
}

/// A read of the reading half.
struct Read<'a>(&'a Shared);

impl Drop for Read<'_> {
    /// One that is given up leaves the writing to a flush that waits, which the connection no longer knows of.
    fn drop(&mut self) {
        let mut state = self.0.lock();
        let given_up = state.reader.take();
        let writer = given_up.is_some().then(|| state.writer.take()).flatten();
        drop(state);
        writer.into_iter().for_each(Waker::wake);
        drop(given_up);
    }
}

/// A flush of the writing half.
struct Flush<'a>(&'a Shared);

impl Future for Flush<'_> {
    type Output = Result<()>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        let mut state = self.0.lock();
        let framed = state.link.framed()?;
        let flushed = pin!(framed.flush()).poll(cx);
        state.writer = flushed.is_pending().then(|| cx.waker().clone());
        // What broke is told to a read that waits, too.
        let reader = match flushed {
            Poll::Ready(Err(_)) => state.reader.take(),
            _ => None,
        };
        drop(state);
        reader.into_iter().for_each(Waker::wake);
        flushed
    }
}

impl Drop for Flush<'_> {
    /// One that is given up leaves the rest to a read that waits, which the connection no longer knows of.
    fn drop(&mut self) {
        let mut state = self.0.lock();
        let given_up = state.writer.take();
        let reader = given_up.is_some().then(|| state.reader.take()).flatten();
        drop(state);
        reader.into_iter().for_each(Waker::wake);
        drop(given_up);
    }
}

impl<P: Payload> fmt::Debug for PacketReader<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PacketReader")
            .field("peer", &self.shared.peer)
            .finish_non_exhaustive()
    }
}

impl<P: Payload> fmt::Debug for PacketWriter<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PacketWriter")
            .field("peer", &self.shared.peer)
            .finish_non_exhaustive()
    }
}
