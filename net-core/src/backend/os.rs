//! The operating system's sockets, under the caller's tokio runtime.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "this file is the seam's other side: the one place where tokio's sockets, timers and tasks are used"
)]

use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpSocket, TcpStream, UdpSocket, UnixListener, UnixStream};

use super::{Address, Backend, BoxFuture, Kind, MulticastInterface, Plain, RawDatagram, RawListener, Timer, Transport};
use crate::sockets::{self, Socket, SocketFile};
use crate::{Endpoint, Instant, SocketOptions, UnixName};

/// The operating system's backend.
#[derive(Debug)]
pub(crate) struct Os {
    start: tokio::time::Instant,
    random: AtomicU64,
}

impl Os {
    pub(crate) fn new() -> Self {
        // std seeds its hashers from the system's randomness; nothing here is a secret.
        let seed = RandomState::new().build_hasher().finish();
        Self {
            start: tokio::time::Instant::now(),
            random: AtomicU64::new(seed),
        }
    }
}

/// tokio panics outside its runtime; a library's caller gets an error that says what to do.
pub(crate) fn runtime() -> io::Result<tokio::runtime::Handle> {
    tokio::runtime::Handle::try_current()
        .map_err(|_| io::Error::other("no tokio runtime here: call this inside #[tokio::main] or Runtime::block_on"))
}

impl Backend for Os {
    fn resolve<'a>(&'a self, host: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        Box::pin(async move {
            runtime()?;
            Ok(tokio::net::lookup_host((host, 0))
                .await?
                .map(|address| address.ip())
                .collect())
        })
    }

    fn connect<'a>(
        &'a self,
        to: &'a Address,
        from: Option<SocketAddr>,
        options: &'a SocketOptions,
    ) -> BoxFuture<'a, io::Result<Plain>> {
        Box::pin(async move {
            runtime()?;
            match to {
                Address::Ip(address) => {
                    let socket = sockets::connecting(*address, from, options)?;
                    let stream = TcpSocket::from_std_stream(socket.into()).connect(*address).await?;
                    let local = Endpoint::tcp(stream.local_addr()?);
                    Ok(plain(Socketed::Tcp(stream), local, Endpoint::tcp(*address)))
                }
                Address::Unix(name) => {
                    let (socket, address) = sockets::unix(name, options)?;
                    // Decided at once: there is no handshake to wait for.
                    socket.connect(&address)?;
                    let stream = UnixStream::from_std(socket.into())?;
                    // A connecting Unix socket has no name of its own: both ends bear the listener's.
                    let name = Endpoint::Unix(name.clone());
                    Ok(plain(Socketed::Unix(stream), name.clone(), name))
                }
            }
        })
    }

    fn bind<'a>(
        &'a self,
        at: &'a Address,
        options: &'a SocketOptions,
    ) -> BoxFuture<'a, io::Result<Box<dyn RawListener>>> {
        Box::pin(async move {
            runtime()?;
            match at {
                Address::Ip(address) => {
                    let (socket, local) = sockets::bound(*address, options)?;
                    let listener: Box<dyn RawListener> = Box::new(TcpAcceptor {
                        state: Acceptor::Idle(socket),
                        local,
                    });
                    Ok(listener)
                }
                Address::Unix(name) => {
                    let listener: Box<dyn RawListener> = Box::new(UnixAcceptor::bind(name, options)?);
                    Ok(listener)
                }
            }
        })
    }

    fn datagram<'a>(
        &'a self,
        at: SocketAddr,
        options: &'a SocketOptions,
    ) -> BoxFuture<'a, io::Result<Box<dyn RawDatagram>>> {
        Box::pin(async move {
            runtime()?;
            let socket = sockets::datagram(at, options)?;
            let datagram: Box<dyn RawDatagram> = Box::new(OsDatagram(UdpSocket::from_std(socket.into())?));
            Ok(datagram)
        })
    }

    fn now(&self) -> Instant {
        Instant::ZERO + self.start.elapsed()
    }

    fn sleep_until(&self, at: Instant) -> Box<dyn Timer> {
        Box::new(OsTimer {
            start: self.start,
            sleep: Box::pin(tokio::time::sleep_until(moment(self.start, at))),
        })
    }

    fn spawn(&self, task: BoxFuture<'static, ()>) -> io::Result<()> {
        runtime()?.spawn(task);
        Ok(())
    }

    fn random(&self) -> u64 {
        // splitmix64
        let mut z = self
            .random
            .fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed)
            .wrapping_add(0x9E37_79B9_7F4A_7C15);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}

fn moment(start: tokio::time::Instant, at: Instant) -> tokio::time::Instant {
    // A year is as good as never, and tokio's own timers can't take much more.
    start + (at - Instant::ZERO).min(start.elapsed() + Duration::from_secs(365 * 86_400))
}

#[derive(Debug)]
struct OsTimer {
    start: tokio::time::Instant,
    sleep: Pin<Box<tokio::time::Sleep>>,
}

impl Timer for OsTimer {
    fn poll_elapsed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.sleep.as_mut().poll(cx)
    }

    fn reset(&mut self, at: Instant) {
        let at = moment(self.start, at);
        self.sleep.as_mut().reset(at);
    }
}

/// A connection of the operating system.
#[derive(Debug)]
pub(crate) struct OsStream {
    socket: Socketed,
    local: Endpoint,
    peer: Endpoint,
}

#[derive(Debug)]
enum Socketed {
    Tcp(TcpStream),
    Unix(UnixStream),
}

fn plain(socket: Socketed, local: Endpoint, peer: Endpoint) -> Plain {
    Plain(Kind::Os(OsStream { socket, local, peer }))
}

impl Transport for OsStream {
    fn local(&self) -> Endpoint {
        self.local.clone()
    }

    fn peer(&self) -> Endpoint {
        self.peer.clone()
    }

    fn reset_on_drop(&mut self) {
        if let Socketed::Tcp(stream) = &self.socket {
            // Linger of zero: close sends RST. It can fail only on a dead socket, which is what is wanted.
            let _ = SockRef::from(stream).set_linger(Some(Duration::ZERO));
        }
    }
}

impl AsyncRead for OsStream {
    #[inline]
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().socket {
            Socketed::Tcp(stream) => Pin::new(stream).poll_read(cx, buffer),
            Socketed::Unix(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for OsStream {
    #[inline]
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().socket {
            Socketed::Tcp(stream) => Pin::new(stream).poll_write(cx, data),
            Socketed::Unix(stream) => Pin::new(stream).poll_write(cx, data),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().socket {
            Socketed::Tcp(stream) => Pin::new(stream).poll_shutdown(cx),
            Socketed::Unix(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().socket {
            Socketed::Tcp(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
            Socketed::Unix(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }
}

#[derive(Debug)]
enum Acceptor<L> {
    /// Bound, not listening yet.
    Idle(Socket),
    Listening(L),
    /// Only while the one becomes the other; stays if that fails.
    Failed,
}

impl<L> Acceptor<L> {
    fn listen(&mut self, backlog: u32, register: impl FnOnce(Socket) -> io::Result<L>) -> io::Result<()> {
        match std::mem::replace(self, Self::Failed) {
            Self::Idle(socket) => {
                socket.listen(i32::try_from(backlog).unwrap_or(i32::MAX))?;
                *self = Self::Listening(register(socket)?);
            }
            other => *self = other,
        }
        Ok(())
    }

    fn get(&self) -> io::Result<&L> {
        match self {
            Self::Listening(listener) => Ok(listener),
            _ => Err(io::Error::new(io::ErrorKind::InvalidInput, "accept before listen")),
        }
    }
}

#[derive(Debug)]
struct TcpAcceptor {
    state: Acceptor<TcpListener>,
    local: SocketAddr,
}

impl RawListener for TcpAcceptor {
    fn listen(&mut self, backlog: u32) -> io::Result<()> {
        self.state
            .listen(backlog, |socket| TcpListener::from_std(socket.into()))
    }

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Plain>> {
        let (stream, peer) = ready!(self.state.get()?.poll_accept(cx))?;
        // A listener on one address knows its connections' local end; only one on all addresses has to ask.
        let local = if self.local.ip().is_unspecified() {
            stream.local_addr()?
        } else {
            self.local
        };
        Poll::Ready(Ok(plain(
            Socketed::Tcp(stream),
            Endpoint::tcp(local),
            Endpoint::tcp(peer),
        )))
    }

    fn local(&self) -> Endpoint {
        Endpoint::tcp(self.local)
    }
}

/// A listening Unix socket.
#[derive(Debug)]
struct UnixAcceptor {
    /// Held for its drop only, and first, so that the path goes before the socket does.
    _file: Option<SocketFile>,
    state: Acceptor<UnixListener>,
    name: UnixName,
    options: Arc<SocketOptions>,
}

impl UnixAcceptor {
    fn bind(name: &UnixName, options: &SocketOptions) -> io::Result<Self> {
        let (socket, file) = sockets::bound_unix(name, options)?;
        Ok(Self {
            _file: file,
            state: Acceptor::Idle(socket),
            name: name.clone(),
            options: Arc::new(options.clone()),
        })
    }
}

impl RawListener for UnixAcceptor {
    fn listen(&mut self, backlog: u32) -> io::Result<()> {
        self.state
            .listen(backlog, |socket| UnixListener::from_std(socket.into()))
    }

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Plain>> {
        let (stream, _) = ready!(self.state.get()?.poll_accept(cx))?;
        sockets::configure_buffers(&SockRef::from(&stream), &self.options)?;
        let name = Endpoint::Unix(self.name.clone());
        Poll::Ready(Ok(plain(Socketed::Unix(stream), name.clone(), name)))
    }

    fn local(&self) -> Endpoint {
        Endpoint::Unix(self.name.clone())
    }
}

#[derive(Debug)]
struct OsDatagram(UdpSocket);

impl RawDatagram for OsDatagram {
    fn poll_receive(&self, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<SocketAddr>> {
        self.0.poll_recv_from(cx, buffer)
    }

    fn poll_send(&self, cx: &mut Context<'_>, data: &[u8], to: SocketAddr) -> Poll<io::Result<usize>> {
        self.0.poll_send_to(cx, data, to)
    }

    fn local(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }

    fn multicast(&self, group: IpAddr, interface: MulticastInterface, join: bool) -> io::Result<()> {
        sockets::multicast(SockRef::from(&self.0), group, interface, join)
    }

    fn set_broadcast(&self, on: bool) -> io::Result<()> {
        self.0.set_broadcast(on)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Keepalive;

    /// The socket below a connection, which nothing outside may reach.
    fn socket(plain: &Plain) -> SockRef<'_> {
        match &plain.0 {
            Kind::Os(OsStream {
                socket: Socketed::Tcp(stream),
                ..
            }) => SockRef::from(stream),
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn the_options_of_a_socket_are_set_on_both_ends() {
        let os = Os::new();
        let at = Address::Ip("127.0.0.1:0".parse().unwrap());
        let keepalive = Keepalive::after(Duration::from_secs(77));
        for options in [
            SocketOptions::default()
                .keepalive(keepalive)
                .receive_buffer(65_536)
                .send_buffer(65_536),
            SocketOptions::default().nodelay(false),
        ] {
            let mut listener = os.bind(&at, &options).await.unwrap();
            listener.listen(1).unwrap();
            let to = Address::Ip(listener.local().socket_addr().unwrap());
            let client = os.connect(&to, None, &options).await.unwrap();
            let server = std::future::poll_fn(|cx| listener.poll_accept(cx)).await.unwrap();
            for end in [socket(&client), socket(&server)] {
                assert_eq!(end.tcp_nodelay().unwrap(), options.nodelay);
                assert_eq!(end.keepalive().unwrap(), options.keepalive.is_some());
                if let Some(keepalive) = options.keepalive {
                    assert_eq!(end.tcp_keepalive_time().unwrap(), keepalive.idle);
                    assert_eq!(end.tcp_keepalive_interval().unwrap(), keepalive.interval);
                    assert_eq!(end.tcp_keepalive_retries().unwrap(), keepalive.count);
                    // Linux doubles what is asked for.
                    assert_eq!(end.recv_buffer_size().unwrap(), 131_072);
                    assert_eq!(end.send_buffer_size().unwrap(), 131_072);
                }
            }
        }
    }
}
