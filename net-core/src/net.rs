//! The one seam: where a program gets everything that touches the world.

use std::fmt;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::backend::{Address, Backend};
use crate::memory::Names;
use crate::stats::Counters;
use crate::timer::Within;
use crate::{
    BindOptions, ConnectOptions, ConnectionId, Datagram, Endpoint, Error, ErrorKind, EventKind, Host, Instant,
    Listener, NetEvent, Operation, Result, Sleep, SocketOptions, Stats, Stream, Task, TimeoutKind, connect, task,
};

/// Connections, listeners, datagrams, the clock, timers, tasks and randomness: a cheap handle on a backend.
///
/// The same program runs on the operating system's sockets ([`Net::os`]) and on a simulated network, because this is
/// all that it uses of either. Clones share `mem:` names, counters and connection ids.
///
/// ```
/// use std::time::Duration;
/// use net_core::Net;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> net_core::Result<()> {
/// let net = Net::os();
/// let answer = net.spawn(async { 6 * 7 })?;
/// assert_eq!(net.timeout(Duration::from_secs(5), answer).await??, 42);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Net(pub(crate) Arc<Core>);

type Observer = Arc<dyn Fn(&NetEvent) + Send + Sync>;

/// What the clones of a `Net` share, and the settings of this one.
pub(crate) struct Core {
    backend: Arc<dyn Backend>,
    common: Arc<Common>,
    observer: Option<Observer>,
    #[cfg(feature = "tls")]
    client_tls: Option<crate::TlsClient>,
    #[cfg(feature = "tls")]
    server_tls: Option<crate::TlsServer>,
}

#[derive(Default)]
struct Common {
    names: Arc<Names>,
    counters: Counters,
    ids: AtomicU64,
}

impl Net {
    /// The operating system's sockets, under the caller's tokio runtime.
    ///
    /// May be made anywhere. What it does then needs a tokio runtime with I/O and time enabled around it; without one
    /// the call fails with an error that says so.
    ///
    /// # Panics
    /// Waiting for a timer outside a runtime, which has no error to return, and using a runtime that was built without
    /// `enable_all`: tokio tells neither beforehand.
    #[cfg(feature = "os")]
    pub fn os() -> Self {
        Self::new(Arc::new(crate::backend::os::Os::new()))
    }

    /// A network on any backend.
    pub fn new(backend: Arc<dyn Backend>) -> Self {
        Self(Arc::new(Core {
            backend,
            common: Arc::default(),
            observer: None,
            #[cfg(feature = "tls")]
            client_tls: None,
            #[cfg(feature = "tls")]
            server_tls: None,
        }))
    }

    fn variant(&self, change: impl FnOnce(&mut Core)) -> Self {
        let mut core = Core {
            backend: Arc::clone(&self.0.backend),
            common: Arc::clone(&self.0.common),
            observer: self.0.observer.clone(),
            #[cfg(feature = "tls")]
            client_tls: self.0.client_tls.clone(),
            #[cfg(feature = "tls")]
            server_tls: self.0.server_tls.clone(),
        };
        change(&mut core);
        Self(Arc::new(core))
    }

    /// The same network, whose connections and listeners tell their events to `observer` too.
    ///
    /// It is called where the event happens, so it must be quick and must not block. A panic in it is caught, and counted
    /// as a fault.
    #[must_use]
    pub fn observed(&self, observer: impl Fn(&NetEvent) + Send + Sync + 'static) -> Self {
        let before = self.0.observer.clone();
        self.variant(|core| {
            core.observer = Some(match before {
                None => Arc::new(observer),
                Some(before) => Arc::new(move |event: &NetEvent| {
                    before(event);
                    observer(event);
                }),
            });
        })
    }

    /// The same network with this TLS for connecting to `tls://` endpoints. Without it the system's trusted issuers
    /// count.
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn with_client_tls(&self, tls: crate::TlsClient) -> Self {
        self.variant(|core| core.client_tls = Some(tls))
    }

    /// The same network with this TLS, certificate and all, for listening on `tls://` endpoints.
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn with_server_tls(&self, tls: crate::TlsServer) -> Self {
        self.variant(|core| core.server_tls = Some(tls))
    }

    /// Connects, within 10 s; see [`ConnectOptions`] for the defaults. Dropping the future gives up.
    ///
    /// A name with several addresses is tried as RFC 8305 says: each address has a head start of 250 ms, IPv6 and IPv4
    /// in turn, and the first connection wins. A `tls://` connection is returned after its handshake.
    ///
    /// # Errors
    /// [`ErrorKind::Resolve`], [`Refused`](ErrorKind::Refused), [`Unreachable`](ErrorKind::Unreachable),
    /// [`Timeout`](ErrorKind::Timeout), [`Tls`](ErrorKind::Tls) and the like, always naming the endpoint.
    pub async fn connect(&self, to: &Endpoint) -> Result<Stream> {
        self.connect_with(to, &ConnectOptions::default()).await
    }

    /// Connects with options.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub async fn connect_with(&self, to: &Endpoint, options: &ConnectOptions) -> Result<Stream> {
        connect::connect(self, to, options).await
    }

    /// Listens; see [`BindOptions`] for the defaults.
    ///
    /// # Errors
    /// [`ErrorKind::AddrInUse`], [`Permission`](ErrorKind::Permission), [`Resolve`](ErrorKind::Resolve) and the like,
    /// always naming the endpoint.
    pub async fn bind(&self, at: &Endpoint) -> Result<Listener> {
        self.bind_with(at, &BindOptions::default()).await
    }

    /// Listens with options.
    ///
    /// # Errors
    /// As [`bind`](Self::bind).
    pub async fn bind_with(&self, at: &Endpoint, options: &BindOptions) -> Result<Listener> {
        let mut listener = self.bind_quietly(at, options).await?;
        listener.listen()?;
        Ok(listener)
    }

    /// Binds without listening: what the BSD calls keep apart.
    pub(crate) async fn bind_quietly(&self, at: &Endpoint, options: &BindOptions) -> Result<Listener> {
        let failed = |error| Error::from_io(Operation::Bind, error).at(at);
        let raw: Box<dyn crate::RawListener> = match at {
            Endpoint::Mem(name) => Box::new(self.0.common.names.bind(name).map_err(failed)?),
            Endpoint::Udp(..) => return Err(no_stream(Operation::Bind, at)),
            Endpoint::Unix(name) => self
                .0
                .backend
                .bind(&Address::Unix(name.clone()), &options.socket)
                .await
                .map_err(failed)?,
            Endpoint::Tcp(..) | Endpoint::Tls(..) => {
                let address = self.first_address(at, Operation::Bind).await?;
                self.0
                    .backend
                    .bind(&Address::Ip(address), &options.socket)
                    .await
                    .map_err(failed)?
            }
        };
        Listener::new(raw, self, at, options)
    }

    /// Binds a UDP socket to a `udp://` endpoint.
    ///
    /// # Errors
    /// As [`bind`](Self::bind); [`ErrorKind::InvalidInput`] for any other scheme.
    pub async fn datagram(&self, at: &Endpoint) -> Result<Datagram> {
        self.datagram_with(at, &SocketOptions::default()).await
    }

    /// Binds a UDP socket with options.
    ///
    /// # Errors
    /// As [`datagram`](Self::datagram).
    pub async fn datagram_with(&self, at: &Endpoint, options: &SocketOptions) -> Result<Datagram> {
        if !matches!(at, Endpoint::Udp(..)) {
            return Err(Error::new(ErrorKind::InvalidInput, Operation::Bind)
                .at(at)
                .detail("datagrams need a udp:// endpoint"));
        }
        let address = self.first_address(at, Operation::Bind).await?;
        let raw = self.0.backend.datagram(address, options).await;
        Datagram::new(
            raw.map_err(|error| Error::from_io(Operation::Bind, error).at(at))?,
            self,
        )
    }

    /// The addresses of an endpoint with a host and a port, best first.
    ///
    /// # Errors
    /// [`ErrorKind::Resolve`] if the name has none.
    pub async fn resolve(&self, endpoint: &Endpoint) -> Result<Vec<SocketAddr>> {
        let (Some(host), Some(port)) = (endpoint.host(), endpoint.port()) else {
            return Err(Error::new(ErrorKind::InvalidInput, Operation::Resolve)
                .at(endpoint)
                .detail("it has no host to look up"));
        };
        let addresses = match host {
            Host::Ip(address) => vec![*address],
            Host::Name(name) => self.0.backend.resolve(name).await.map_err(|error| {
                Error::new(ErrorKind::Resolve, Operation::Resolve)
                    .at(endpoint)
                    .because(error)
            })?,
        };
        if addresses.is_empty() {
            return Err(Error::new(ErrorKind::Resolve, Operation::Resolve).at(endpoint));
        }
        Ok(addresses
            .into_iter()
            .map(|address| SocketAddr::new(address, port))
            .collect())
    }

    async fn first_address(&self, at: &Endpoint, operation: Operation) -> Result<SocketAddr> {
        let none = || Error::new(ErrorKind::Resolve, operation).at(at);
        self.resolve(at).await?.first().copied().ok_or_else(none)
    }

    /// The time on the backend's clock.
    pub fn now(&self) -> Instant {
        self.0.now()
    }

    /// Waits for a duration. Cancel safe: dropping it is all.
    pub fn sleep(&self, duration: Duration) -> Sleep {
        self.sleep_until(self.now() + duration)
    }

    /// Waits until a moment.
    pub fn sleep_until(&self, at: Instant) -> Sleep {
        Sleep(self.0.backend.sleep_until(at))
    }

    /// Runs a future for at most `limit`; it is dropped if it takes longer.
    ///
    /// # Errors
    /// [`TimeoutKind::Request`] when the time ran out.
    pub fn timeout<F: Future>(&self, limit: Duration, work: F) -> impl Future<Output = Result<F::Output>> {
        self.within(limit, work).or_else(move || {
            Error::new(ErrorKind::Timeout(TimeoutKind::Request), Operation::Request)
                .detail(format!("nothing after {limit:?}"))
        })
    }

    /// [`timeout`](Self::timeout) for callers with an error of their own.
    pub(crate) fn within<F: Future>(&self, limit: Duration, work: F) -> Within<F> {
        Within::new(self.clone(), limit, work)
    }

    /// Runs a task in the background; a panic in it ends it alone and is told to whoever waits for it.
    ///
    /// What the task gives, an error too, goes to whoever awaits the [`Task`] and to nobody else: a task whose handle is
    /// dropped has to tell of its errors itself.
    ///
    /// # Errors
    /// If the backend can't run tasks here: the operating system's needs a tokio runtime around the call.
    pub fn spawn<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> Result<Task<T>> {
        task::spawn(self.0.backend.as_ref(), work)
    }

    /// A number from the backend's randomness: seeded in a simulated network, not for secrets.
    pub fn random(&self) -> u64 {
        self.0.backend.random()
    }

    /// What this network and its clones have counted.
    pub fn stats(&self) -> Stats {
        self.0.counters().snapshot()
    }

    /// The backend itself.
    pub fn backend(&self) -> &Arc<dyn Backend> {
        &self.0.backend
    }

    pub(crate) fn names(&self) -> &Names {
        &self.0.common.names
    }
}

impl fmt::Debug for Net {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A `udp://` endpoint where a stream is wanted.
pub(crate) fn no_stream(operation: Operation, endpoint: &Endpoint) -> Error {
    Error::new(ErrorKind::InvalidInput, operation)
        .at(endpoint)
        .detail("udp:// carries datagrams, not streams: use Net::datagram")
}

impl Core {
    pub(crate) fn counters(&self) -> &Counters {
        &self.common.counters
    }

    pub(crate) fn next_id(&self) -> ConnectionId {
        ConnectionId(self.common.ids.fetch_add(1, Ordering::Relaxed) + 1)
    }

    pub(crate) fn now(&self) -> Instant {
        self.backend.now()
    }

    #[cfg(feature = "tls")]
    pub(crate) fn client_tls(&self) -> Option<&crate::TlsClient> {
        self.client_tls.as_ref()
    }

    #[cfg(feature = "tls")]
    pub(crate) fn server_tls(&self) -> Option<&crate::TlsServer> {
        self.server_tls.as_ref()
    }

    /// Tells an event; made only if somebody listens.
    pub(crate) fn emit(&self, connection: Option<ConnectionId>, kind: impl FnOnce() -> EventKind) {
        #[cfg(feature = "tracing")]
        let logged = tracing::enabled!(target: "net_core", tracing::Level::DEBUG);
        #[cfg(not(feature = "tracing"))]
        let logged = false;
        if !logged && self.observer.is_none() {
            return;
        }
        let event = NetEvent {
            at: self.now(),
            connection,
            kind: kind(),
        };
        #[cfg(feature = "tracing")]
        if logged {
            match &event.kind {
                kind @ (EventKind::AcceptPaused { .. } | EventKind::Rejected { .. }) => {
                    tracing::warn!(target: "net_core", event = ?kind);
                }
                kind => tracing::debug!(target: "net_core", event = ?kind),
            }
        }
        if let Some(observer) = &self.observer
            && crate::catch_panic_in(|| observer(&event)).is_err()
        {
            // It hurts itself only: events are told from destructors too, where a panic would end the program.
            self.counters().faults.add(1);
            #[cfg(feature = "tracing")]
            tracing::error!(target: "net_core", event = ?event.kind, "an observer panicked");
        }
    }
}

impl fmt::Debug for Core {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Net")
            .field("backend", &self.backend)
            .field("observed", &self.observer.is_some())
            .finish_non_exhaustive()
    }
}
