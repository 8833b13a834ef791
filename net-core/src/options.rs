//! What can be set on sockets, on connecting and on listening, with the defaults.

use std::net::SocketAddr;
use std::time::Duration;

/// Options of one socket. The defaults suit small messages on many connections.
///
/// ```
/// use net_core::SocketOptions;
///
/// let options = SocketOptions::default().send_buffer(1 << 20).backlog(4096);
/// assert!(options.nodelay);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SocketOptions {
    /// TCP_NODELAY: small writes leave at once instead of waiting for acknowledgements. Default: true.
    pub nodelay: bool,
    /// TCP keepalive probes. Default: none.
    pub keepalive: Option<Keepalive>,
    /// SO_SNDBUF in bytes. Default: the system's choice, which grows by itself.
    pub send_buffer: Option<usize>,
    /// SO_RCVBUF in bytes. Default: the system's choice, which grows by itself.
    pub receive_buffer: Option<usize>,
    /// SO_REUSEADDR on listeners: a restarted server gets its port back at once. Default: true.
    pub reuse_address: bool,
    /// SO_REUSEPORT: several listeners share one port. Default: false.
    pub reuse_port: bool,
    /// IPV6_V6ONLY on IPv6 sockets. Default: the system's choice.
    pub v6_only: Option<bool>,
    /// IP_MULTICAST_TTL, or IPV6_MULTICAST_HOPS: how many routers what a datagram socket sends to a group may pass, plus one; 0
    /// keeps it on this host. Default: the system's, 1, which keeps it in the local network. The simulated network has no
    /// routers and takes no heed of it.
    pub multicast_ttl: Option<u8>,
    /// How many connections the system holds until they are accepted. Default: 1024.
    pub backlog: u32,
    /// The permission bits of a Unix socket's path, for example `0o600`. Default: what the umask leaves.
    pub unix_mode: Option<u32>,
}

/// When TCP probes a silent peer. Defaults: after 60 s, every 10 s, 6 times; then the connection is reset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Keepalive {
    /// Silence before the first probe. Whole seconds on Linux.
    pub idle: Duration,
    /// Time between probes. Whole seconds on Linux.
    pub interval: Duration,
    /// Unanswered probes that end the connection.
    pub count: u32,
}

impl Default for Keepalive {
    fn default() -> Self {
        Self {
            idle: Duration::from_secs(60),
            interval: Duration::from_secs(10),
            count: 6,
        }
    }
}

impl Keepalive {
    /// Probes after this silence, with the default interval and count.
    pub fn after(idle: Duration) -> Self {
        Self {
            idle,
            ..Self::default()
        }
    }
}

impl Default for SocketOptions {
    fn default() -> Self {
        Self {
            nodelay: true,
            keepalive: None,
            send_buffer: None,
            receive_buffer: None,
            reuse_address: true,
            reuse_port: false,
            v6_only: None,
            multicast_ttl: None,
            backlog: 1024,
            unix_mode: None,
        }
    }
}

impl SocketOptions {
    /// Sets TCP_NODELAY.
    #[must_use]
    pub fn nodelay(mut self, on: bool) -> Self {
        self.nodelay = on;
        self
    }

    /// Sets keepalive probes.
    #[must_use]
    pub fn keepalive(mut self, keepalive: Keepalive) -> Self {
        self.keepalive = Some(keepalive);
        self
    }

    /// Sets SO_SNDBUF, in bytes.
    #[must_use]
    pub fn send_buffer(mut self, bytes: usize) -> Self {
        self.send_buffer = Some(bytes);
        self
    }

    /// Sets SO_RCVBUF, in bytes.
    #[must_use]
    pub fn receive_buffer(mut self, bytes: usize) -> Self {
        self.receive_buffer = Some(bytes);
        self
    }

    /// Sets SO_REUSEADDR on listeners.
    #[must_use]
    pub fn reuse_address(mut self, on: bool) -> Self {
        self.reuse_address = on;
        self
    }

    /// Sets SO_REUSEPORT.
    #[must_use]
    pub fn reuse_port(mut self, on: bool) -> Self {
        self.reuse_port = on;
        self
    }

    /// Sets IPV6_V6ONLY.
    #[must_use]
    pub fn v6_only(mut self, on: bool) -> Self {
        self.v6_only = Some(on);
        self
    }

    /// Sets IP_MULTICAST_TTL, or IPV6_MULTICAST_HOPS.
    #[must_use]
    pub fn multicast_ttl(mut self, hops: u8) -> Self {
        self.multicast_ttl = Some(hops);
        self
    }

    /// Sets the accept backlog.
    #[must_use]
    pub fn backlog(mut self, connections: u32) -> Self {
        self.backlog = connections;
        self
    }

    /// Sets the permission bits of a Unix socket's path.
    #[must_use]
    pub fn unix_mode(mut self, mode: u32) -> Self {
        self.unix_mode = Some(mode);
        self
    }
}

/// How [`Net::connect_with`](crate::Net::connect_with) connects.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ConnectOptions {
    /// Options of the socket.
    pub socket: SocketOptions,
    /// The local address to connect from. Default: the system's choice.
    pub local: Option<SocketAddr>,
    /// Limit for the whole: look-up, every address, the connection. TLS has its own. Default: 10 s.
    pub timeout: Duration,
    /// How long one address of several has the field to itself before the next is tried beside it (RFC 8305).
    /// Default: 250 ms.
    pub attempt_delay: Duration,
    /// Limit for the TLS handshake of a `tls://` endpoint. Default: 10 s.
    pub handshake_timeout: Duration,
    /// TLS for `tls://` endpoints instead of the [`Net`](crate::Net)'s own setting.
    #[cfg(feature = "tls")]
    pub tls: Option<crate::TlsClient>,
}

impl Default for ConnectOptions {
    fn default() -> Self {
        Self {
            socket: SocketOptions::default(),
            local: None,
            timeout: Duration::from_secs(10),
            attempt_delay: Duration::from_millis(250),
            handshake_timeout: Duration::from_secs(10),
            #[cfg(feature = "tls")]
            tls: None,
        }
    }
}

impl ConnectOptions {
    /// Sets the socket's options.
    #[must_use]
    pub fn socket(mut self, socket: SocketOptions) -> Self {
        self.socket = socket;
        self
    }

    /// Sets the local address to connect from.
    #[must_use]
    pub fn local(mut self, address: SocketAddr) -> Self {
        self.local = Some(address);
        self
    }

    /// Sets the limit for the whole of connecting.
    #[must_use]
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = limit;
        self
    }

    /// Sets the head start that each of several addresses has.
    #[must_use]
    pub fn attempt_delay(mut self, delay: Duration) -> Self {
        self.attempt_delay = delay;
        self
    }

    /// Sets the limit for the TLS handshake.
    #[must_use]
    pub fn handshake_timeout(mut self, limit: Duration) -> Self {
        self.handshake_timeout = limit;
        self
    }

    /// Sets TLS for `tls://` endpoints.
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn tls(mut self, tls: crate::TlsClient) -> Self {
        self.tls = Some(tls);
        self
    }
}

/// How [`Net::bind_with`](crate::Net::bind_with) listens, and which limits the listener keeps.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct BindOptions {
    /// Options of the listening socket; accepted connections have them too.
    pub socket: SocketOptions,
    /// Most connections of this listener that are open at once. Default: no limit but the system's.
    pub max_connections: Option<usize>,
    /// Most connections of one peer address that are open at once. Default: no limit.
    pub max_per_peer: Option<usize>,
    /// What happens at [`max_connections`](Self::max_connections). Default: [`WhenFull::Queue`].
    pub when_full: WhenFull,
    /// Most TLS handshakes under way at once; further ones wait their turn, and fail if it has not come within
    /// [`handshake_timeout`](Self::handshake_timeout). Default: 256.
    pub max_handshakes: usize,
    /// Limit for one TLS handshake, from the first read or write on the connection, the wait for its turn
    /// ([`max_handshakes`](Self::max_handshakes)) included. Default: 10 s.
    pub handshake_timeout: Duration,
    /// TLS for `tls://` endpoints instead of the [`Net`](crate::Net)'s own setting.
    #[cfg(feature = "tls")]
    pub tls: Option<crate::TlsServer>,
}

/// What a full listener does with the next connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WhenFull {
    /// Leaves it in the system's backlog until another one ends.
    Queue,
    /// Accepts it and closes it at once, so that the peer knows.
    Reject,
}

impl Default for BindOptions {
    fn default() -> Self {
        Self {
            socket: SocketOptions::default(),
            max_connections: None,
            max_per_peer: None,
            when_full: WhenFull::Queue,
            max_handshakes: 256,
            handshake_timeout: Duration::from_secs(10),
            #[cfg(feature = "tls")]
            tls: None,
        }
    }
}

impl BindOptions {
    /// Sets the socket's options.
    #[must_use]
    pub fn socket(mut self, socket: SocketOptions) -> Self {
        self.socket = socket;
        self
    }

    /// Limits the connections that are open at once.
    #[must_use]
    pub fn max_connections(mut self, limit: usize) -> Self {
        self.max_connections = Some(limit);
        self
    }

    /// Limits the connections of one peer address.
    #[must_use]
    pub fn max_per_peer(mut self, limit: usize) -> Self {
        self.max_per_peer = Some(limit);
        self
    }

    /// Sets what happens at the limit of connections.
    #[must_use]
    pub fn when_full(mut self, policy: WhenFull) -> Self {
        self.when_full = policy;
        self
    }

    /// Limits the TLS handshakes under way.
    #[must_use]
    pub fn max_handshakes(mut self, limit: usize) -> Self {
        self.max_handshakes = limit;
        self
    }

    /// Sets the limit for one TLS handshake.
    #[must_use]
    pub fn handshake_timeout(mut self, limit: Duration) -> Self {
        self.handshake_timeout = limit;
        self
    }

    /// Sets TLS for `tls://` endpoints.
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn tls(mut self, tls: crate::TlsServer) -> Self {
        self.tls = Some(tls);
        self
    }
}
