//! The operating system's sockets, before anything waits for them: made, configured and bound as [`SocketOptions`] say.
//!
//! For backends. All sockets are non-blocking, and close on exec. Which reactor they are registered with is the backend's
//! business; [`Socket`] is socket2's.

use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use socket2::{Domain, Protocol, SockAddr, SockRef, TcpKeepalive, Type};

pub use socket2::Socket;

use crate::lock::lock;
use crate::{MulticastInterface, SocketOptions, UnixName};

/// A TCP socket that is ready to connect to that address, from another one if that is given.
///
/// # Errors
/// The system's, if there are no more sockets or `from` can't be bound.
pub fn connecting(to: SocketAddr, from: Option<SocketAddr>, options: &SocketOptions) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(to), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    configure(&socket, options)?;
    if let Some(from) = from {
        socket.set_reuse_address(options.reuse_address)?;
        socket.bind(&from.into())?;
    }
    Ok(socket)
}

/// A TCP socket that is bound and does not listen yet, and the address that it got. What it accepts inherits its options
/// (on Linux), so that accepting costs no further calls.
///
/// # Errors
/// The system's, as "address in use".
pub fn bound(at: SocketAddr, options: &SocketOptions) -> io::Result<(Socket, SocketAddr)> {
    let socket = Socket::new(Domain::for_address(at), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    configure(&socket, options)?;
    socket.set_reuse_address(options.reuse_address)?;
    socket.bind(&at.into())?;
    let local = socket
        .local_addr()?
        .as_socket()
        .ok_or(io::ErrorKind::AddrNotAvailable)?;
    Ok((socket, local))
}

/// A bound UDP socket.
///
/// # Errors
/// The system's, as "address in use".
pub fn datagram(at: SocketAddr, options: &SocketOptions) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(at), Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_nonblocking(true)?;
    configure_buffers(&socket, options)?;
    // Unlike TCP's, UDP's SO_REUSEADDR lets strangers share the port: only the explicit option turns it on.
    if options.reuse_port {
        socket.set_reuse_address(true)?;
        socket.set_reuse_port(true)?;
    }
    if let (true, Some(only)) = (at.is_ipv6(), options.v6_only) {
        socket.set_only_v6(only)?;
    }
    if let Some(hops) = options.multicast_ttl {
        if at.is_ipv6() {
            socket.set_multicast_hops_v6(hops.into())?;
        } else {
            socket.set_multicast_ttl_v4(hops.into())?;
        }
    }
    socket.bind(&at.into())?;
    Ok(socket)
}

/// Joins or leaves a multicast group.
///
/// # Errors
/// "Invalid input" if the interface is of the other family than the group; the system's.
pub fn multicast(socket: SockRef<'_>, group: IpAddr, interface: MulticastInterface, join: bool) -> io::Result<()> {
    match (group, interface) {
        (IpAddr::V4(group), MulticastInterface::Any | MulticastInterface::Address(_)) => {
            let address = match interface {
                MulticastInterface::Address(address) => address,
                _ => Ipv4Addr::UNSPECIFIED,
            };
            if join {
                socket.join_multicast_v4(&group, &address)
            } else {
                socket.leave_multicast_v4(&group, &address)
            }
        }
        (IpAddr::V6(group), MulticastInterface::Any | MulticastInterface::Index(_)) => {
            let index = if let MulticastInterface::Index(index) = interface {
                index
            } else {
                0
            };
            if join {
                socket.join_multicast_v6(&group, index)
            } else {
                socket.leave_multicast_v6(&group, index)
            }
        }
        _ => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "an IPv4 group goes with an interface address, an IPv6 group with an index",
        )),
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
    configure_buffers(socket, options)
}

/// Sets the sizes of a socket's buffers: what accepted Unix sockets don't inherit.
///
/// # Errors
/// The system's.
pub fn configure_buffers(socket: &Socket, options: &SocketOptions) -> io::Result<()> {
    if let Some(bytes) = options.send_buffer {
        socket.set_send_buffer_size(bytes)?;
    }
    if let Some(bytes) = options.receive_buffer {
        socket.set_recv_buffer_size(bytes)?;
    }
    Ok(())
}

/// A Unix stream socket, and the address that stands for a name.
///
/// # Errors
/// "Invalid input" if the name is too long; the system's.
pub fn unix(name: &UnixName, options: &SocketOptions) -> io::Result<(Socket, SockAddr)> {
    let address = SockAddr::unix(unix_path(name))?;
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    configure_buffers(&socket, options)?;
    Ok((socket, address))
}

/// Two Unix sockets that are connected with each other.
///
/// # Errors
/// The system's, if there are no more sockets.
pub fn pair() -> io::Result<(Socket, Socket)> {
    let (one, other) = Socket::pair(Domain::UNIX, Type::STREAM, None)?;
    one.set_nonblocking(true)?;
    other.set_nonblocking(true)?;
    Ok((one, other))
}

/// The path that stands for a name: Linux's abstract names begin with a NUL.
fn unix_path(name: &UnixName) -> PathBuf {
    match name {
        UnixName::Path(path) => PathBuf::from(&**path),
        UnixName::Abstract(name) => PathBuf::from(format!("\0{name}")),
    }
}

/// A Unix socket that is bound and does not listen yet, and its file, if it has one. A file that a server left behind,
/// and that nobody listens on, is replaced.
///
/// # Errors
/// "Address in use" if somebody listens there, or the path is no socket; the system's.
pub fn bound_unix(name: &UnixName, options: &SocketOptions) -> io::Result<(Socket, Option<SocketFile>)> {
    // What is accepted does not inherit the buffers, so they are set there.
    let (socket, address) = unix(name, &SocketOptions::default())?;
    let path = unix_path(name);
    let file = match name {
        UnixName::Abstract(_) => {
            socket.bind(&address)?;
            None
        }
        UnixName::Path(_) => Some(match SocketFile::bind(&socket, path.clone(), false) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && is_stale(&path) => {
                SocketFile::bind(&socket, path.clone(), true)?
            }
            outcome => outcome?,
        }),
    };
    if let (Some(mode), true) = (options.unix_mode, file.is_some()) {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode))?;
    }
    Ok((socket, file))
}

/// Whether a path is a socket that nobody listens on: what a crashed server leaves behind. Connecting to a Unix socket
/// is decided at once, so this does not wait.
fn is_stale(path: &Path) -> bool {
    let is_socket = std::fs::symlink_metadata(path).is_ok_and(|meta| meta.file_type().is_socket());
    let refused = || {
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
        socket.set_nonblocking(true)?;
        socket.connect(&SockAddr::unix(path)?)
    };
    is_socket && refused().is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
}

/// The path of a bound Unix socket; removed when this is dropped, if the path is still its own. Drop it before the
/// socket.
#[derive(Debug)]
pub struct SocketFile {
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
        let address = SockAddr::unix(&path)?;
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
