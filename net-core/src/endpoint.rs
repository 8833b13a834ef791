//! Addresses as text: `tcp://host:port`, `tls://…`, `unix:/path`, `unix:@abstract`, `mem:name`, `udp://…`.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;
use std::sync::Arc;

use crate::{Error, ErrorKind, Operation};

/// The longest Unix socket name that the operating system takes, in bytes (`sun_path` less its NUL).
const UNIX_NAME_MAX: usize = 107;
/// The longest host name that DNS allows, in bytes.
const HOST_MAX: usize = 253;

/// Where to connect to or listen: one line of text that is read and shown in the same form.
///
/// | text | means |
/// |---|---|
/// | `tcp://127.0.0.1:5000`, `tcp://[::1]:5000`, `tcp://tool-1:5000` | TCP |
/// | `tls://tool-1:5001` | TLS over TCP |
/// | `udp://0.0.0.0:0` | UDP |
/// | `unix:/run/tool.sock`, `unix:tool.sock` | a Unix stream socket with a path |
/// | `unix:@tool` | a Unix stream socket with an abstract name (Linux) |
/// | `mem:tool` | a pipe in memory, between clones of one [`Net`](crate::Net) |
///
/// Port 0 lets the system choose; [`Listener::local`](crate::Listener::local) tells what it chose.
///
/// ```
/// use net_core::Endpoint;
///
/// let endpoint: Endpoint = "tcp://[::1]:5000".parse()?;
/// assert_eq!(endpoint.port(), Some(5000));
/// assert_eq!(endpoint.to_string(), "tcp://[::1]:5000");
/// assert!("http://example".parse::<Endpoint>().is_err());
/// # Ok::<(), net_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Endpoint {
    /// TCP.
    Tcp(Host, u16),
    /// TLS over TCP.
    Tls(Host, u16),
    /// UDP.
    Udp(Host, u16),
    /// A Unix stream socket.
    Unix(UnixName),
    /// A pipe in memory.
    Mem(Arc<str>),
}

/// A host: an address, or a name that the backend looks up.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Host {
    /// An IPv4 or IPv6 address.
    Ip(IpAddr),
    /// A name.
    Name(Arc<str>),
}

/// The name of a Unix socket.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum UnixName {
    /// A path in the file system.
    Path(Arc<str>),
    /// A name in Linux's abstract name space, without the leading NUL.
    Abstract(Arc<str>),
}

impl Endpoint {
    /// A TCP endpoint. The scope of an IPv6 address is no part of an endpoint.
    pub fn tcp(address: impl Into<SocketAddr>) -> Self {
        let address = address.into();
        Self::Tcp(Host::Ip(address.ip()), address.port())
    }

    /// A UDP endpoint. The scope of an IPv6 address is no part of an endpoint;
    /// [`Datagram::receive_from`](crate::Datagram::receive_from) and
    /// [`send_to_addr`](crate::Datagram::send_to_addr) keep it.
    pub fn udp(address: impl Into<SocketAddr>) -> Self {
        let address = address.into();
        Self::Udp(Host::Ip(address.ip()), address.port())
    }

    /// The port, where the endpoint has one.
    pub fn port(&self) -> Option<u16> {
        match self {
            Self::Tcp(_, port) | Self::Tls(_, port) | Self::Udp(_, port) => Some(*port),
            Self::Unix(_) | Self::Mem(_) => None,
        }
    }

    /// The host, where the endpoint has one.
    pub fn host(&self) -> Option<&Host> {
        match self {
            Self::Tcp(host, _) | Self::Tls(host, _) | Self::Udp(host, _) => Some(host),
            Self::Unix(_) | Self::Mem(_) => None,
        }
    }

    /// The same endpoint with another port; unchanged where there is none.
    #[must_use]
    pub fn with_port(mut self, new: u16) -> Self {
        if let Self::Tcp(_, port) | Self::Tls(_, port) | Self::Udp(_, port) = &mut self {
            *port = new;
        }
        self
    }

    /// The socket address, if the host is an address and not a name.
    pub fn socket_addr(&self) -> Option<SocketAddr> {
        match (self.host()?, self.port()?) {
            (Host::Ip(ip), port) => Some(SocketAddr::new(*ip, port)),
            (Host::Name(_), _) => None,
        }
    }

    /// Whether data travels encrypted.
    pub fn is_tls(&self) -> bool {
        matches!(self, Self::Tls(..))
    }

    /// The same place under the scheme that `like` has, for telling `tls://` what a TCP socket reports.
    pub(crate) fn with_scheme_of(self, like: &Self) -> Self {
        match (self, like) {
            (Self::Tcp(host, port), Self::Tls(..)) => Self::Tls(host, port),
            (other, _) => other,
        }
    }
}

fn bad(text: &str, what: &str) -> Error {
    let shown: String = text.chars().take(120).collect();
    Error::new(ErrorKind::InvalidInput, Operation::Parse).detail(format!("endpoint {shown:?} {what}"))
}

impl FromStr for Endpoint {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        if let Some(rest) = text.strip_prefix("tcp://") {
            let (host, port) = host_and_port(text, rest)?;
            return Ok(Self::Tcp(host, port));
        }
        if let Some(rest) = text.strip_prefix("tls://") {
            let (host, port) = host_and_port(text, rest)?;
            return Ok(Self::Tls(host, port));
        }
        if let Some(rest) = text.strip_prefix("udp://") {
            let (host, port) = host_and_port(text, rest)?;
            return Ok(Self::Udp(host, port));
        }
        if let Some(rest) = text.strip_prefix("unix:") {
            let (name, is_abstract) = match rest.strip_prefix('@') {
                Some(name) => (name, true),
                None => (rest, false),
            };
            if name.is_empty() {
                return Err(bad(text, "has no name after `unix:`"));
            }
            if name.contains('\0') {
                return Err(bad(text, "has a NUL in its name"));
            }
            if name.len() > UNIX_NAME_MAX {
                return Err(bad(text, "has a name of more than 107 bytes, the system's limit"));
            }
            let name = Arc::from(name);
            return Ok(Self::Unix(if is_abstract {
                UnixName::Abstract(name)
            } else {
                UnixName::Path(name)
            }));
        }
        if let Some(name) = text.strip_prefix("mem:") {
            if name.is_empty() {
                return Err(bad(text, "has no name after `mem:`"));
            }
            return Ok(Self::Mem(Arc::from(name)));
        }
        Err(bad(text, "does not begin with tcp://, tls://, udp://, unix: or mem:"))
    }
}

fn host_and_port(text: &str, rest: &str) -> Result<(Host, u16), Error> {
    let Some((host, port)) = rest.rsplit_once(':').filter(|(_, port)| !port.ends_with(']')) else {
        return Err(bad(text, "has no `:port` (0 lets the system choose)"));
    };
    // Digits only: `u16::from_str` would also take a plus sign.
    let port = match port.parse() {
        Ok(number) if port.bytes().all(|b| b.is_ascii_digit()) => number,
        _ => return Err(bad(text, "has a port that is not a number from 0 to 65535")),
    };
    if let Some(inner) = host.strip_prefix('[') {
        let address = inner.strip_suffix(']').and_then(|inner| inner.parse::<Ipv6Addr>().ok());
        return match address {
            Some(address) => Ok((Host::Ip(address.into()), port)),
            None => Err(bad(text, "has no IPv6 address between its brackets")),
        };
    }
    if let Ok(address) = host.parse::<Ipv4Addr>() {
        return Ok((Host::Ip(address.into()), port));
    }
    if host.contains(':') {
        return Err(bad(text, "needs brackets around its IPv6 address: [::1]"));
    }
    if host.is_empty() || host.len() > HOST_MAX {
        return Err(bad(text, "has no host name of 1 to 253 bytes"));
    }
    let allowed = |c: char| c.is_alphanumeric() || matches!(c, '-' | '.' | '_');
    if !host.chars().all(allowed) {
        return Err(bad(
            text,
            "has a host name with other characters than letters, digits, `-`, `.` and `_`",
        ));
    }
    Ok((Host::Name(Arc::from(host)), port))
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(host, port) => write!(f, "tcp://{host}:{port}"),
            Self::Tls(host, port) => write!(f, "tls://{host}:{port}"),
            Self::Udp(host, port) => write!(f, "udp://{host}:{port}"),
            Self::Unix(name) => write!(f, "unix:{name}"),
            Self::Mem(name) => write!(f, "mem:{name}"),
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(IpAddr::V4(address)) => write!(f, "{address}"),
            Self::Ip(IpAddr::V6(address)) => write!(f, "[{address}]"),
            Self::Name(name) => f.write_str(name),
        }
    }
}

impl fmt::Display for UnixName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => f.write_str(path),
            Self::Abstract(name) => write!(f, "@{name}"),
        }
    }
}
