//! The operating system's sockets, under the caller's tokio runtime.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "this file is the seam's other side: the one place where tokio's sockets, timers and tasks are used"
)]

use std::collections::BTreeSet;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpSocket, TcpStream, UdpSocket, UnixListener, UnixStream};

use super::{Address, Backend, BoxFuture, Kind, MulticastInterface, Plain, RawDatagram, RawListener, Timer, Transport};
use crate::lock::lock;
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
fn runtime() -> io::Result<tokio::runtime::Handle> {
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
                    let socket = Socket::new(Domain::for_address(*address), Type::STREAM, Some(Protocol::TCP))?;
                    socket.set_nonblocking(true)?;
                    configure(&socket, options)?;
                    if let Some(from) = from {
                        socket.set_reuse_address(options.reuse_address)?;
                        socket.bind(&from.into())?;
                    }
                    let stream = TcpSocket::from_std_stream(socket.into()).connect(*address).await?;
                    let local = Endpoint::tcp(stream.local_addr()?);
                    Ok(plain(Socketed::Tcp(stream), local, Endpoint::tcp(*address)))
                }
                Address::Unix(name) => {
                    let stream = UnixStream::connect(unix_path(name)).await?;
                    configure_buffers(&SockRef::from(&stream), options)?;
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
                    let socket = Socket::new(Domain::for_address(*address), Type::STREAM, Some(Protocol::TCP))?;
                    socket.set_nonblocking(true)?;
                    // Linux hands these on to the accepted sockets, so that accepting costs no further calls.
                    configure(&socket, options)?;
                    socket.set_reuse_address(options.reuse_address)?;
                    socket.bind(&(*address).into())?;
                    let local = socket
                        .local_addr()?
                        .as_socket()
                        .ok_or(io::ErrorKind::AddrNotAvailable)?;
                    let listener: Box<dyn RawListener> = Box::new(TcpAcceptor {
                        state: Acceptor::Idle(socket),
                        local,
                    });
                    Ok(listener)
                }
                Address::Unix(name) => {
                    let listener: Box<dyn RawListener> = Box::new(UnixAcceptor::bind(name, options).await?);
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
            let socket = Socket::new(Domain::for_address(at), Type::DGRAM, Some(Protocol::UDP))?;
            socket.set_nonblocking(true)?;
            configure_buffers(&SockRef::from(&socket), options)?;
            // Unlike TCP's, UDP's SO_REUSEADDR lets strangers share the port: only the explicit option turns it on.
            if options.reuse_port {
                socket.set_reuse_address(true)?;
                socket.set_reuse_port(true)?;
            }
            if let (true, Some(only)) = (at.is_ipv6(), options.v6_only) {
                socket.set_only_v6(only)?;
            }
            socket.bind(&at.into())?;
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

fn configure(socket: &Socket, options: &SocketOptions) -> io::Result<()> {
    socket.set_tcp_nodelay(options.nodelay)?;
    if let Some(keepalive) = options.keepalive {
        let probes = TcpKeepalive::new()
            .with_time(keepalive.idle)
            .with_interval(keepalive.interval)
            .with_retries(keepalive.count);
        socket.set_tcp_keepalive(&probes)?;
    }
    if let (Some(only), Ok(Domain::IPV6)) = (options.v6_only, socket.domain()) {
        socket.set_only_v6(only)?;
    }
    if options.reuse_port {
        socket.set_reuse_port(true)?;
    }
    configure_buffers(&SockRef::from(socket), options)
}

fn configure_buffers(socket: &SockRef<'_>, options: &SocketOptions) -> io::Result<()> {
    if let Some(bytes) = options.send_buffer {
        socket.set_send_buffer_size(bytes)?;
    }
    if let Some(bytes) = options.receive_buffer {
        socket.set_recv_buffer_size(bytes)?;
    }
    Ok(())
}

/// The path that stands for a name: Linux's abstract names begin with a NUL.
fn unix_path(name: &UnixName) -> PathBuf {
    match name {
        UnixName::Path(path) => PathBuf::from(&**path),
        UnixName::Abstract(name) => PathBuf::from(format!("\0{name}")),
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

/// The path of a bound Unix socket; removed when it is dropped, if the path is still its own.
#[derive(Debug)]
struct SocketFile {
    path: PathBuf,
    id: FileId,
}

/// Device and inode.
type FileId = (u64, u64);

/// The socket files of this process whose sockets live. One that is bound and does not listen yet looks from outside
/// just as one that a crashed server left behind.
static LIVE_FILES: Mutex<BTreeSet<FileId>> = Mutex::new(BTreeSet::new());

fn file_id(path: &Path) -> io::Result<FileId> {
    std::fs::symlink_metadata(path).map(|meta| (meta.dev(), meta.ino()))
}

impl SocketFile {
    /// Binds a socket to a path; where `replace` is set, in place of a stale file.
    fn bind(socket: &Socket, path: PathBuf, replace: bool) -> io::Result<Self> {
        let address = socket2::SockAddr::unix(&path)?;
        let mut live = lock(&LIVE_FILES);
        // What was stale a moment ago may be another task's by now.
        if replace && file_id(&path).is_ok_and(|id| !live.contains(&id)) {
            std::fs::remove_file(&path)?;
        }
        socket.bind(&address)?;
        let id = file_id(&path)?;
        live.insert(id);
        Ok(Self { path, id })
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let mut live = lock(&LIVE_FILES);
        if file_id(&self.path).is_ok_and(|id| id == self.id) {
            let _ = std::fs::remove_file(&self.path);
        }
        live.remove(&self.id);
    }
}

impl UnixAcceptor {
    async fn bind(name: &UnixName, options: &SocketOptions) -> io::Result<Self> {
        let path = unix_path(name);
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
        socket.set_nonblocking(true)?;
        let file = match name {
            UnixName::Abstract(_) => {
                socket.bind(&socket2::SockAddr::unix(&path)?)?;
                None
            }
            UnixName::Path(_) => Some(match SocketFile::bind(&socket, path.clone(), false) {
                Err(error) if error.kind() == io::ErrorKind::AddrInUse && is_stale(&path).await => {
                    SocketFile::bind(&socket, path.clone(), true)?
                }
                outcome => outcome?,
            }),
        };
        if let (Some(mode), true) = (options.unix_mode, file.is_some()) {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode))?;
        }
        Ok(Self {
            _file: file,
            state: Acceptor::Idle(socket),
            name: name.clone(),
            options: Arc::new(options.clone()),
        })
    }
}

/// Whether a path is a socket that nobody listens on: what a crashed server leaves behind.
async fn is_stale(path: &Path) -> bool {
    let is_socket = std::fs::symlink_metadata(path).is_ok_and(|meta| meta.file_type().is_socket());
    is_socket
        && UnixStream::connect(path)
            .await
            .is_err_and(|e| e.kind() == io::ErrorKind::ConnectionRefused)
}

impl RawListener for UnixAcceptor {
    fn listen(&mut self, backlog: u32) -> io::Result<()> {
        self.state
            .listen(backlog, |socket| UnixListener::from_std(socket.into()))
    }

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Plain>> {
        let (stream, _) = ready!(self.state.get()?.poll_accept(cx))?;
        configure_buffers(&SockRef::from(&stream), &self.options)?;
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
        match (group, interface) {
            (IpAddr::V4(group), MulticastInterface::Any | MulticastInterface::Address(_)) => {
                let address = match interface {
                    MulticastInterface::Address(address) => address,
                    _ => std::net::Ipv4Addr::UNSPECIFIED,
                };
                if join {
                    self.0.join_multicast_v4(group, address)
                } else {
                    self.0.leave_multicast_v4(group, address)
                }
            }
            (IpAddr::V6(group), MulticastInterface::Any | MulticastInterface::Index(_)) => {
                let index = if let MulticastInterface::Index(index) = interface {
                    index
                } else {
                    0
                };
                if join {
                    self.0.join_multicast_v6(&group, index)
                } else {
                    self.0.leave_multicast_v6(&group, index)
                }
            }
            _ => Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "an IPv4 group goes with an interface address, an IPv6 group with an index",
            )),
        }
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
