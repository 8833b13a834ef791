//! Sockets as the benchmarks need them: on the loopback, no Nagle, a backlog that holds every connection at once.

use crate::Outcome;
use socket2::{Domain, SockRef, Socket, Type};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
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
