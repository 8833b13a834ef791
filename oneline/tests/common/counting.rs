//! The test's network, which counts the reads and writes of accepted connections.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use oneline::net_core::{
    Address, Backend, BoxFuture, Endpoint, Instant, Net, Plain, RawDatagram, RawListener, SocketOptions, Timer,
    Transport,
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

#[derive(Debug, Default)]
pub(crate) struct Counts {
    /// Reads that gave something.
    pub(crate) reads: AtomicUsize,
    pub(crate) writes: AtomicUsize,
}

pub(crate) fn net() -> (Net, Arc<Counts>) {
    let counts = Arc::new(Counts::default());
    let backend = Counting {
        inner: Arc::clone(super::backend::net().backend()),
        counts: Arc::clone(&counts),
    };
    (Net::new(Arc::new(backend)), counts)
}

#[derive(Debug)]
struct Counting {
    inner: Arc<dyn Backend>,
    counts: Arc<Counts>,
}

impl Backend for Counting {
    fn resolve<'a>(&'a self, host: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        self.inner.resolve(host)
    }

    fn connect<'a>(
        &'a self,
        to: &'a Address,
        from: Option<SocketAddr>,
        options: &'a SocketOptions,
    ) -> BoxFuture<'a, io::Result<Plain>> {
        self.inner.connect(to, from, options)
    }

    fn bind<'a>(
        &'a self,
        at: &'a Address,
        options: &'a SocketOptions,
    ) -> BoxFuture<'a, io::Result<Box<dyn RawListener>>> {
        Box::pin(async move {
            let inner = self.inner.bind(at, options).await?;
            let counts = Arc::clone(&self.counts);
            Ok(Box::new(Listener { inner, counts }) as Box<dyn RawListener>)
        })
    }

    fn datagram<'a>(
        &'a self,
        at: SocketAddr,
        options: &'a SocketOptions,
    ) -> BoxFuture<'a, io::Result<Box<dyn RawDatagram>>> {
        self.inner.datagram(at, options)
    }

    fn now(&self) -> Instant {
        self.inner.now()
    }

    fn sleep_until(&self, at: Instant) -> Box<dyn Timer> {
        self.inner.sleep_until(at)
    }

    fn spawn(&self, task: BoxFuture<'static, ()>) -> io::Result<()> {
        self.inner.spawn(task)
    }

    fn random(&self) -> u64 {
        self.inner.random()
    }
}

#[derive(Debug)]
struct Listener {
    inner: Box<dyn RawListener>,
    counts: Arc<Counts>,
}

impl RawListener for Listener {
    fn listen(&mut self, backlog: u32) -> io::Result<()> {
        self.inner.listen(backlog)
    }

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Plain>> {
        self.inner.poll_accept(cx).map_ok(|inner| {
            let counts = Arc::clone(&self.counts);
            Plain::new(Counted { inner, counts })
        })
    }

    fn local(&self) -> Endpoint {
        self.inner.local()
    }
}

#[derive(Debug)]
struct Counted {
    inner: Plain,
    counts: Arc<Counts>,
}

impl Transport for Counted {
    fn local(&self) -> Endpoint {
        self.inner.local()
    }

    fn peer(&self) -> Endpoint {
        self.inner.peer()
    }

    fn reset_on_drop(&mut self) {}
}

impl AsyncRead for Counted {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        let outcome = Pin::new(&mut self.inner).poll_read(cx, into);
        if into.filled().len() > before {
            self.counts.reads.fetch_add(1, Ordering::SeqCst);
        }
        outcome
    }
}

impl AsyncWrite for Counted {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.inner).poll_write(cx, data);
        if outcome.is_ready() {
            self.counts.writes.fetch_add(1, Ordering::SeqCst);
        }
        outcome
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
