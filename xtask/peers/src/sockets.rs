//! Sockets as the benchmarks need them: on the loopback, no Nagle, a backlog that holds every connection at once.

use crate::Outcome;
use socket2::{Domain, SockRef, Socket, Type};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr as UnixAddr, UnixListener, UnixStream};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How many connections may wait to be accepted. The standard library listens with 128: a thousand connections at once
/// then stall for seconds on repeated SYNs.
pub const BACKLOG: i32 = 4096;

/// How long the load waits after connecting: the first wave of accepting is not the steady state.
pub const SETTLE: Duration = Duration::from_millis(30);

/// How long anything may make no progress before a sample is given up.
pub const STALL: Duration = Duration::from_secs(10);

/// Listens on a free port of the loopback, blocking.
///
/// # Errors
/// If the system refuses.
pub fn listen() -> Outcome<TcpListener> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// Listens on a free port of the loopback, non-blocking.
///
/// # Errors
/// If the system refuses.
pub fn listen_nonblocking() -> Outcome<TcpListener> {
    let listener = listen()?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Connects, blocking, with TCP_NODELAY.
///
/// # Errors
/// If nobody listens there, or the system refuses.
pub fn connect(address: SocketAddr) -> Outcome<TcpStream> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Makes the connection end with RST when it is dropped, so that it leaves no TIME_WAIT behind to eat up the ports.
///
/// # Errors
/// If the system refuses.
pub fn reset_on_close(stream: &TcpStream) -> Outcome<()> {
    Ok(SockRef::from(stream).set_linger(Some(Duration::ZERO))?)
}

/// A name in the abstract namespace that nobody else has.
#[must_use]
pub fn unix_name() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("peers-{}-{}", process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Listens on a Unix socket, blocking, and tells its name.
///
/// # Errors
/// If the system refuses.
pub fn listen_unix() -> Outcome<(UnixListener, String)> {
    let name = unix_name();
    Ok((UnixListener::bind_addr(&UnixAddr::from_abstract_name(&name)?)?, name))
}

/// Connects to a Unix socket, blocking.
///
/// # Errors
/// If nobody listens there, or the system refuses.
pub fn connect_unix(name: &str) -> Outcome<UnixStream> {
    let stream = UnixStream::connect_addr(&UnixAddr::from_abstract_name(name)?)?;
    stream.set_read_timeout(Some(STALL))?;
    Ok(stream)
}
