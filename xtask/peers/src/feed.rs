//! A backend of net-core whose one connection reads from memory, so that `Framed` can be measured without I/O.

use crate::Outcome;
use net_core::{
    Address, Backend, BoxFuture, Endpoint, Instant, Net, Plain, RawDatagram, RawListener, SocketOptions, Stream, Timer,
    Transport,
};
use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What the connection reads; filled from outside.
#[derive(Clone, Debug)]
pub struct Feed(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    bytes: Arc<[u8]>,
    at: usize,
    piece: usize,
}

impl Feed {
    /// An empty feed; a read will yield `piece` bytes at most.
    #[must_use]
    pub fn new(piece: usize) -> Self {
        Self(Arc::new(Mutex::new(State {
            bytes: Arc::default(),
            at: 0,
            piece,
        })))
    }

    /// The connection that reads it.
    ///
    /// # Errors
    /// None that could come of memory.
    pub async fn stream(&self) -> Outcome<Stream> {
        let net = Net::new(Arc::new(Memory(self.clone())));
        Ok(net.connect(&"tcp://127.0.0.1:1".parse()?).await?)
    }

    /// Has the connection read these bytes next; what it has not read of those before is dropped.
    pub fn fill(&self, bytes: &Arc<[u8]>) {
        self.with(|state| {
            state.bytes = Arc::clone(bytes);
            state.at = 0;
        });
    }

    fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl AsyncRead for Feed {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.with(|state| {
            let left = &state.bytes[state.at..];
            if left.is_empty() {
                return Poll::Pending;
            }
            let count = left.len().min(state.piece).min(buffer.remaining());
            buffer.put_slice(&left[..count]);
            state.at += count;
            Poll::Ready(Ok(()))
        })
    }
}

impl AsyncWrite for Feed {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(data.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl Transport for Feed {
    fn local(&self) -> Endpoint {
        Endpoint::Mem("feed".into())
    }

    fn peer(&self) -> Endpoint {
        Endpoint::Mem("feed".into())
    }

    fn reset_on_drop(&mut self) {}
}

/// A backend that can do nothing but connect to a feed. Its time stands still.
#[derive(Debug)]
struct Memory(Feed);

#[derive(Debug)]
struct Never;

impl Timer for Never {
    fn poll_elapsed(&mut self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }

    fn reset(&mut self, _: Instant) {}
}

fn unsupported<'a, T: 'a + Send>() -> BoxFuture<'a, io::Result<T>> {
    Box::pin(async { Err(ErrorKind::Unsupported.into()) })
}

impl Backend for Memory {
    fn resolve<'a>(&'a self, _: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        unsupported()
    }

    fn connect<'a>(
        &'a self,
        _: &'a Address,
        _: Option<SocketAddr>,
        _: &'a SocketOptions,
    ) -> BoxFuture<'a, io::Result<Plain>> {
        Box::pin(async { Ok(Plain::new(self.0.clone())) })
    }

    fn bind<'a>(&'a self, _: &'a Address, _: &'a SocketOptions) -> BoxFuture<'a, io::Result<Box<dyn RawListener>>> {
        unsupported()
    }

    fn datagram<'a>(&'a self, _: SocketAddr, _: &'a SocketOptions) -> BoxFuture<'a, io::Result<Box<dyn RawDatagram>>> {
        unsupported()
    }

    fn now(&self) -> Instant {
        Instant::ZERO
    }

    fn sleep_until(&self, _: Instant) -> Box<dyn Timer> {
        Box::new(Never)
    }

    fn spawn(&self, _: BoxFuture<'static, ()>) -> io::Result<()> {
        Err(ErrorKind::Unsupported.into())
    }

    fn random(&self) -> u64 {
        0
    }
}
