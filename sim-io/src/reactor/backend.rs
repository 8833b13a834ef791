//! What an environment gives to `net_core::Net`: the operating system's sockets, by handles that are numbers.

use std::future::{Future, poll_fn};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use net_core::sockets::{self, Socket, SocketFile};
use net_core::{
    Address, Backend, BoxFuture, Endpoint, Instant, MulticastInterface, Plain, RawDatagram, RawListener, SocketOptions,
    Timer, Transport,
};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendAncillaryBuffer, SendFlags};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::look_up::LookUp;
use super::source::Source;
use super::{Handle, Tried, Which, find};
use crate::Environment;
use crate::environment::alarm::Alarm;

/// A broken connection is an error, never a signal.
#[cfg(not(target_vendor = "apple"))]
const SEND: SendFlags = SendFlags::NOSIGNAL;
#[cfg(target_vendor = "apple")]
const SEND: SendFlags = SendFlags::empty();

/// The most slices that the system takes at once.
const SLICES: usize = 1024;

/// What is read at once for those whose memory is not initialized.
const ROOM: usize = 64 << 10;

/// The backend of the environment with this number.
#[derive(Debug)]
pub(super) struct Sockets(pub(super) u64);

impl Backend for Sockets {
    fn resolve<'a>(&'a self, host: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        Box::pin(async move {
            find(self.0)?.prepare()?;
            LookUp::new(self.0, host)?.await
        })
    }

    fn connect<'a>(
        &'a self,
        to: &'a Address,
        from: Option<SocketAddr>,
        options: &'a SocketOptions,
    ) -> BoxFuture<'a, io::Result<Plain>> {
        Box::pin(async move {
            let connecting = match to {
                Address::Ip(to) => self.connect_ip(*to, from, options)?,
                Address::Unix(name) => {
                    find(self.0)?.prepare()?;
                    let (socket, address) = sockets::unix(name, options)?;
                    // Decided at once: there is no handshake to wait for. Nobody tells when a full listener has room
                    // again, so it is tried again and again.
                    let mut pause = Duration::from_millis(1);
                    while let Err(error) = socket.connect(&address) {
                        if error.kind() != io::ErrorKind::WouldBlock {
                            return Err(error);
                        }
                        let mut timer = self.sleep_until(self.now() + pause);
                        poll_fn(|cx| timer.poll_elapsed(cx)).await;
                        pause = (pause * 2).min(Duration::from_millis(100));
                    }
                    let reactor = find(self.0)?;
                    // A connecting Unix socket has no name of its own: both ends bear the listener's.
                    let name = Endpoint::Unix(name.clone());
                    let handle = reactor.insert(Source::new(socket, name.clone()))?;
                    reactor.register(handle.slot)?;
                    return Ok(plain(handle, name.clone(), name));
                }
                _ => return Err(io::ErrorKind::Unsupported.into()),
            };
            connecting.await
        })
    }

    fn bind<'a>(
        &'a self,
        at: &'a Address,
        options: &'a SocketOptions,
    ) -> BoxFuture<'a, io::Result<Box<dyn RawListener>>> {
        Box::pin(async move {
            let reactor = find(self.0)?;
            reactor.prepare()?;
            let (socket, file, local) = match at {
                Address::Ip(at) => {
                    let (socket, local) = sockets::bound(*at, options)?;
                    (socket, None, Endpoint::tcp(local))
                }
                Address::Unix(name) => {
                    let (socket, file) = sockets::bound_unix(name, options)?;
                    (socket, file, Endpoint::Unix(name.clone()))
                }
                _ => return Err(io::ErrorKind::Unsupported.into()),
            };
            let listener: Box<dyn RawListener> = Box::new(Listener {
                _file: file,
                handle: reactor.insert(Source::new(socket, local.clone()))?,
                listens: false,
                local,
                options: Arc::new(options.clone()),
            });
            Ok(listener)
        })
    }

    fn datagram<'a>(
        &'a self,
        at: SocketAddr,
        options: &'a SocketOptions,
    ) -> BoxFuture<'a, io::Result<Box<dyn RawDatagram>>> {
        Box::pin(async move {
            let reactor = find(self.0)?;
            reactor.prepare()?;
            let socket = sockets::datagram(at, options)?;
            let local = socket_addr(&socket)?;
            let handle = reactor.insert(Source::new(socket, Endpoint::udp(local)))?;
            reactor.register(handle.slot)?;
            let datagram: Box<dyn RawDatagram> = Box::new(Datagram { handle, local });
            Ok(datagram)
        })
    }

    fn now(&self) -> Instant {
        find(self.0).map_or(Instant::ZERO, |reactor| reactor.core.now())
    }

    fn sleep_until(&self, at: Instant) -> Box<dyn Timer> {
        Box::new(Alarm::new(self.0, |id| Ok(find(id)?.core.clone()), at))
    }

    fn spawn(&self, task: BoxFuture<'static, ()>) -> io::Result<()> {
        let reactor = find(self.0)?;
        reactor.tasks.set(reactor.tasks.get() + 1);
        let name = format!("task {}", reactor.tasks.get());
        Environment::handle(&reactor.core).named_process(&name, task);
        Ok(())
    }

    fn random(&self) -> u64 {
        find(self.0).map_or(0, |reactor| reactor.core.random())
    }
}

fn socket_addr(socket: &Socket) -> io::Result<SocketAddr> {
    let address = socket.local_addr()?.as_socket();
    address.ok_or_else(|| io::ErrorKind::AddrNotAvailable.into())
}

fn plain(handle: Handle, local: Endpoint, peer: Endpoint) -> Plain {
    Plain::new(Connection { handle, local, peer })
}

impl Sockets {
    fn connect_ip(&self, to: SocketAddr, from: Option<SocketAddr>, options: &SocketOptions) -> io::Result<Connecting> {
        let reactor = find(self.0)?;
        reactor.prepare()?;
        let socket = sockets::connecting(to, from, options)?;
        match socket.connect(&to.into()) {
            Err(error) if Errno::from_io_error(&error) != Some(Errno::INPROGRESS) => return Err(error),
            _ => {}
        }
        let peer = Endpoint::tcp(to);
        let handle = reactor.insert(Source::connecting(socket, peer.clone()))?;
        // After connecting has begun: before that the system calls a socket writable, and hung up.
        reactor.register(handle.slot)?;
        Ok(Connecting(Some((handle, peer))))
    }
}

/// A connection that is being made; dropping it gives up.
struct Connecting(Option<(Handle, Endpoint)>);

impl Future for Connecting {
    type Output = io::Result<Plain>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some((handle, _)) = &self.0 else {
            return Poll::Pending;
        };
        let outcome = handle.operate(cx, Which::Write, "a connection to", |source, _| {
            match source.connected() {
                None => Err(io::ErrorKind::WouldBlock.into()),
                Some(connected) => connected.and_then(|()| socket_addr(&source.socket)),
            }
            .map(Tried::whole)
        });
        outcome
            .map_ok(|local| (self.0.take(), local))
            .map(|outcome| match outcome? {
                (Some((handle, peer)), local) => Ok(plain(handle, Endpoint::tcp(local), peer)),
                (None, _) => Err(io::ErrorKind::NotConnected.into()),
            })
    }
}

impl<T> Tried<T> {
    fn whole(value: T) -> Self {
        Self { value, short: false }
    }
}

/// A connection, as a transport.
#[derive(Debug)]
struct Connection {
    handle: Handle,
    local: Endpoint,
    peer: Endpoint,
}

impl Transport for Connection {
    fn local(&self) -> Endpoint {
        self.local.clone()
    }

    fn peer(&self) -> Endpoint {
        self.peer.clone()
    }

    fn reset_on_drop(&mut self) {
        if let (Ok(reactor), Endpoint::Tcp(..)) = (find(self.handle.reactor), &self.local) {
            let state = reactor.state.borrow();
            if let Some(source) = state.sources.get(self.handle.slot) {
                // Linger of zero: close sends RST. It can fail only on a dead socket, which is what is wanted.
                let _ = source.socket.set_linger(Some(Duration::ZERO));
            }
        }
    }
}

/// Receives into what the caller brought, or into `room` first if that is not initialized.
fn receive<T>(
    into: &mut ReadBuf<'_>,
    room: &mut Vec<u8>,
    receive: impl FnOnce(&mut [u8]) -> io::Result<(usize, T)>,
) -> io::Result<(usize, bool, T)> {
    let asked = into.remaining();
    if into.initialized().len() == into.capacity() {
        let (n, more) = receive(into.initialize_unfilled())?;
        into.advance(n.min(asked));
        return Ok((n, n < asked, more));
    }
    if room.is_empty() {
        room.resize(ROOM, 0);
    }
    let asked = asked.min(room.len());
    let room = room.get_mut(..asked).unwrap_or_default();
    let (n, more) = receive(room)?;
    into.put_slice(room.get(..n).unwrap_or_default());
    Ok((n, n < asked, more))
}

impl AsyncRead for Connection {
    #[inline]
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if into.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        self.handle.operate(cx, Which::Read, "data on", |source, room| {
            let (n, short, ()) = receive(into, room, |bytes| {
                let (n, _) = rustix::net::recv(&source.socket, bytes, RecvFlags::empty())?;
                Ok((n, ()))
            })?;
            // The end stays readable.
            let short = short && n > 0;
            Ok(Tried { value: (), short })
        })
    }
}

impl AsyncWrite for Connection {
    #[inline]
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        self.handle.operate(cx, Which::Write, "room to write on", |source, _| {
            let value = rustix::net::send(&source.socket, data, SEND)?;
            let short = value < data.len();
            Ok(Tried { value, short })
        })
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let slices = slices.get(..SLICES).unwrap_or(slices);
        self.handle.operate(cx, Which::Write, "room to write on", |source, _| {
            let none = &mut SendAncillaryBuffer::default();
            let value = rustix::net::sendmsg(&source.socket, slices, none, SEND)?;
            let short = value < slices.iter().map(|slice| slice.len()).sum();
            Ok(Tried { value, short })
        })
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let reactor = find(self.handle.reactor)?;
        let state = reactor.state.borrow();
        let source = state.sources.get(self.handle.slot).ok_or_else(super::gone)?;
        Poll::Ready(match source.socket.shutdown(std::net::Shutdown::Write) {
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(()),
            outcome => outcome,
        })
    }
}

#[derive(Debug)]
struct Listener {
    /// Held for its drop only, and first, so that the path goes before the socket does.
    _file: Option<SocketFile>,
    handle: Handle,
    listens: bool,
    local: Endpoint,
    options: Arc<SocketOptions>,
}

impl RawListener for Listener {
    fn listen(&mut self, backlog: u32) -> io::Result<()> {
        if self.listens {
            return Ok(());
        }
        let reactor = find(self.handle.reactor)?;
        {
            let state = reactor.state.borrow();
            let source = state.sources.get(self.handle.slot).ok_or_else(super::gone)?;
            source.socket.listen(i32::try_from(backlog).unwrap_or(i32::MAX))?;
        }
        reactor.register(self.handle.slot)?;
        self.listens = true;
        Ok(())
    }

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Plain>> {
        if !self.listens {
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidInput, "accept before listen")));
        }
        let accepted = self.handle.operate(cx, Which::Read, "a connection to", |source, _| {
            source.socket.accept().map(Tried::whole)
        });
        accepted.map(|accepted| {
            let (socket, peer) = accepted?;
            socket.set_nonblocking(true)?;
            let (local, peer) = match (&self.local, peer.as_socket()) {
                (Endpoint::Tcp(..), Some(peer)) => {
                    // A listener on one address knows its connections' local end; only one on all addresses has to ask.
                    let local = match self.local.socket_addr() {
                        Some(local) if !local.ip().is_unspecified() => local,
                        _ => socket_addr(&socket)?,
                    };
                    (Endpoint::tcp(local), Endpoint::tcp(peer))
                }
                _ => {
                    sockets::configure_buffers(&socket, &self.options)?;
                    (self.local.clone(), self.local.clone())
                }
            };
            let reactor = find(self.handle.reactor)?;
            let handle = reactor.insert(Source::new(socket, peer.clone()))?;
            reactor.register(handle.slot)?;
            Ok(plain(handle, local, peer))
        })
    }

    fn local(&self) -> Endpoint {
        self.local.clone()
    }
}

#[derive(Debug)]
struct Datagram {
    handle: Handle,
    local: SocketAddr,
}

impl Datagram {
    fn with<T>(&self, operation: impl FnOnce(&Socket) -> io::Result<T>) -> io::Result<T> {
        let reactor = find(self.handle.reactor)?;
        let state = reactor.state.borrow();
        let source = state.sources.get(self.handle.slot).ok_or_else(super::gone)?;
        operation(&source.socket)
    }
}

impl RawDatagram for Datagram {
    fn poll_receive(&self, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<SocketAddr>> {
        self.handle.operate(cx, Which::Read, "a datagram to", |source, room| {
            let (_, _, from) = receive(buffer, room, |bytes| {
                let (n, _, from) = rustix::net::recvfrom(&source.socket, bytes, RecvFlags::empty())?;
                Ok((n, from))
            })?;
            let from = from.and_then(|from| SocketAddr::try_from(from).ok());
            let from = from.ok_or(io::ErrorKind::AddrNotAvailable)?;
            Ok(Tried::whole(from))
        })
    }

    fn poll_send(&self, cx: &mut Context<'_>, data: &[u8], to: SocketAddr) -> Poll<io::Result<usize>> {
        self.handle.operate(cx, Which::Write, "room to send from", |source, _| {
            let n = rustix::net::sendto(&source.socket, data, SEND, &to)?;
            Ok(Tried::whole(n))
        })
    }

    fn local(&self) -> io::Result<SocketAddr> {
        Ok(self.local)
    }

    fn multicast(&self, group: IpAddr, interface: MulticastInterface, join: bool) -> io::Result<()> {
        self.with(|socket| sockets::multicast(socket.into(), group, interface, join))
    }

    fn set_broadcast(&self, on: bool) -> io::Result<()> {
        self.with(|socket| socket.set_broadcast(on))
    }
}
