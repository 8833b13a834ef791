//! What a program needs from the world, in one small trait. The operating system is one backend, a simulated network
//! another; everything else is built above.

#[cfg(feature = "os")]
pub(crate) mod os;
pub(crate) mod waiting;

use std::fmt;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::memory::Pipe;
use crate::{Endpoint, Instant, SocketOptions, UnixName};

/// A boxed future that a backend returns.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Where programs get connections, time, tasks and randomness from. Implemented by backends, used through
/// [`Net`](crate::Net).
///
/// A clock without a default cannot be forgotten, so nothing here has one.
pub trait Backend: fmt::Debug + Send + Sync + 'static {
    /// The addresses of a host name, best first.
    fn resolve<'a>(&'a self, host: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>>;

    /// Connects to one address. Dropping the future gives the attempt up.
    fn connect<'a>(
        &'a self,
        to: &'a Address,
        from: Option<SocketAddr>,
        options: &'a SocketOptions,
    ) -> BoxFuture<'a, io::Result<Plain>>;

    /// Binds an address for listening, without listening yet. A Unix path that no process listens on any more is
    /// replaced; one that this process has bound, without listening yet, is in use.
    fn bind<'a>(
        &'a self,
        at: &'a Address,
        options: &'a SocketOptions,
    ) -> BoxFuture<'a, io::Result<Box<dyn RawListener>>>;

    /// Binds a datagram socket.
    fn datagram<'a>(
        &'a self,
        at: SocketAddr,
        options: &'a SocketOptions,
    ) -> BoxFuture<'a, io::Result<Box<dyn RawDatagram>>>;

    /// The time. Never goes back.
    fn now(&self) -> Instant;

    /// A timer that is done at that moment, or soon after it.
    fn sleep_until(&self, at: Instant) -> Box<dyn Timer>;

    /// Runs a task to its end in the background.
    fn spawn(&self, task: BoxFuture<'static, ()>) -> io::Result<()>;

    /// A number from the backend's source of randomness: seeded in a simulated network.
    fn random(&self) -> u64;
}

/// An address that needs no look-up: what [`Backend::connect`] and [`Backend::bind`] take.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Address {
    /// TCP.
    Ip(SocketAddr),
    /// A Unix stream socket.
    Unix(UnixName),
}

/// A timer of a backend.
pub trait Timer: fmt::Debug + Send + Sync {
    /// Ready once the moment has come, and from then on until the timer is set anew.
    fn poll_elapsed(&mut self, cx: &mut Context<'_>) -> Poll<()>;
    /// Sets the timer to another moment.
    fn reset(&mut self, at: Instant);
}

/// A byte stream of a backend.
///
/// Reading yields 0 bytes at the peer's end; shutting down closes our writing side only; dropping closes both.
pub trait Transport: AsyncRead + AsyncWrite + fmt::Debug + Send + Unpin + 'static {
    /// Our end.
    fn local(&self) -> Endpoint;
    /// The other end.
    fn peer(&self) -> Endpoint;
    /// Makes the coming drop a hard one: unsent data is discarded and the peer sees a reset.
    fn reset_on_drop(&mut self);
    /// Pending if it is certain that a read would wait now; then the task is woken as by that read. For who would have to
    /// get a buffer for it. Ready, which is the default, says nothing: a read tells.
    fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let _ = cx;
        Poll::Ready(())
    }
}

/// A listening socket of a backend.
pub trait RawListener: fmt::Debug + Send {
    /// Begins to listen.
    fn listen(&mut self, backlog: u32) -> io::Result<()>;
    /// The next connection. Errors are those of the system; [`Listener`](crate::Listener) decides which are final.
    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Plain>>;
    /// The address that is bound, with its real port.
    fn local(&self) -> Endpoint;
}

/// A datagram socket of a backend.
///
/// For receiving and for sending one waker each is enough, that of the last poll: [`Datagram`](crate::Datagram) polls with
/// one waker that wakes all its waiting tasks.
pub trait RawDatagram: fmt::Debug + Send + Sync {
    /// Receives one datagram and says from whom; what does not fit the buffer is cut off.
    fn poll_receive(&self, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<SocketAddr>>;
    /// Sends one datagram.
    fn poll_send(&self, cx: &mut Context<'_>, data: &[u8], to: SocketAddr) -> Poll<io::Result<usize>>;
    /// The address that is bound, with its real port.
    fn local(&self) -> io::Result<SocketAddr>;
    /// Joins or leaves a multicast group on an interface (0 or the unspecified address: the system's choice).
    fn multicast(&self, group: IpAddr, interface: MulticastInterface, join: bool) -> io::Result<()>;
    /// Allows sending to broadcast addresses.
    fn set_broadcast(&self, on: bool) -> io::Result<()>;
}

/// Which interface a multicast group is joined on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum MulticastInterface {
    /// The system's choice.
    #[default]
    Any,
    /// The interface with this IPv4 address.
    Address(std::net::Ipv4Addr),
    /// The interface with this number, for IPv6.
    Index(u32),
}

/// A plain (not encrypted) byte stream: what a backend's [`connect`](Backend::connect) returns, and what TLS is
/// layered on.
///
/// Inside is an enum of the common cases, so that the operating system's sockets cost no box; a backend of another
/// crate brings its own [`Transport`].
#[derive(Debug)]
pub struct Plain(Kind);

#[derive(Debug)]
enum Kind {
    #[cfg(feature = "os")]
    Os(os::OsStream),
    Memory(Pipe),
    Other(Box<dyn Transport>),
}

impl Plain {
    /// Wraps what a backend brings.
    pub fn new(transport: impl Transport) -> Self {
        Self(Kind::Other(Box::new(transport)))
    }

    pub(crate) fn memory(pipe: Pipe) -> Self {
        Self(Kind::Memory(pipe))
    }

    fn transport(&self) -> &dyn Transport {
        match &self.0 {
            #[cfg(feature = "os")]
            Kind::Os(stream) => stream,
            Kind::Memory(pipe) => pipe,
            Kind::Other(other) => other.as_ref(),
        }
    }

    /// Our end.
    pub fn local(&self) -> Endpoint {
        self.transport().local()
    }

    /// The other end.
    pub fn peer(&self) -> Endpoint {
        self.transport().peer()
    }

    /// Writes slice by slice on a transport that can't do it at once. The usual way out, writing the first slice only,
    /// would lose TLS's alerts: rustls puts several records into its last write, the alert behind the others.
    fn poll_write_each(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut written = 0;
        for slice in slices.iter().filter(|slice| !slice.is_empty()) {
            match self.as_mut().poll_write(cx, slice) {
                Poll::Ready(Ok(n)) => {
                    written += n;
                    if n < slice.len() {
                        break;
                    }
                }
                outcome if written == 0 => return outcome,
                // What stopped this one is told by the next write.
                _ => break,
            }
        }
        Poll::Ready(Ok(written))
    }
}

macro_rules! delegate {
    ($self:ident, $stream:ident => $call:expr) => {
        match &mut $self.get_mut().0 {
            #[cfg(feature = "os")]
            Kind::Os($stream) => $call,
            Kind::Memory($stream) => $call,
            Kind::Other($stream) => $call,
        }
    };
}

/// So that a backend may wrap what another one brings, and pass everything on.
impl Transport for Plain {
    fn local(&self) -> Endpoint {
        self.transport().local()
    }

    fn peer(&self) -> Endpoint {
        self.transport().peer()
    }

    fn reset_on_drop(&mut self) {
        match &mut self.0 {
            #[cfg(feature = "os")]
            Kind::Os(stream) => stream.reset_on_drop(),
            Kind::Memory(pipe) => pipe.reset_on_drop(),
            Kind::Other(other) => other.reset_on_drop(),
        }
    }

    #[inline]
    fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match &mut self.0 {
            #[cfg(feature = "os")]
            Kind::Os(_) => Poll::Ready(()),
            Kind::Memory(_) => Poll::Ready(()),
            Kind::Other(other) => other.poll_readable(cx),
        }
    }
}

impl AsyncRead for Plain {
    #[inline]
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        delegate!(self, stream => Pin::new(stream).poll_read(cx, buffer))
    }
}

impl AsyncWrite for Plain {
    #[inline]
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        delegate!(self, stream => Pin::new(stream).poll_write(cx, data))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        delegate!(self, stream => Pin::new(stream).poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        delegate!(self, stream => Pin::new(stream).poll_shutdown(cx))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if !self.is_write_vectored() {
            return self.poll_write_each(cx, slices);
        }
        delegate!(self, stream => Pin::new(stream).poll_write_vectored(cx, slices))
    }

    fn is_write_vectored(&self) -> bool {
        match &self.0 {
            #[cfg(feature = "os")]
            Kind::Os(_) => true,
            Kind::Memory(_) => false,
            Kind::Other(other) => other.is_write_vectored(),
        }
    }
}
