//! The server for many peers on one port.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use net_core::{BindOptions, Endpoint, Host, Listener, Net, Operation, Stream};
use tokio::sync::Notify;

use super::driver::drive;
use super::passive::{addresses, is_from, refuse};
use super::shared::{Life, Shared};
use super::{Connection, ConnectionOptions, Delegate};
use crate::lock::lock;
use crate::{Error, ErrorKind, Result};

/// Listens on one port for many peers, each with a connection of its own.
///
/// Peers that are known beforehand have their [`Connection`] from [`create_connection`](Self::create_connection), found by
/// the address that they come from; it takes its peer while it is enabled. [`accept_any`](Self::accept_any) makes a
/// connection for each of the others. Who is neither is closed at once. Clones are handles on the same server; it runs
/// until it is stopped.
///
/// ```
/// use hsms::{ActiveConnection, ConnectionOptions, MultiPassiveServer, Net};
/// use std::time::Duration;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let net = Net::os();
/// let server = MultiPassiveServer::new(&net, "tcp://127.0.0.1:0".parse()?);
/// server.accept_any(|_peer| Some((ConnectionOptions::new(0), ())));
/// let at = server.start().await?;
///
/// for _ in 0..3 {
///     let host = ActiveConnection::new(&net, at.clone(), ConnectionOptions::new(0), ());
///     host.enable()?;
///     host.selected(Duration::from_secs(10)).await?;
/// }
/// server.stop().await;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct MultiPassiveServer(Arc<Server>);

struct Server {
    net: Net,
    endpoint: Endpoint,
    bind: BindOptions,
    state: Mutex<State>,
    changed: Notify,
    /// Only one call binds at a time.
    starting: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    running: bool,
    stopping: bool,
    local: Option<Endpoint>,
    peers: Vec<Peer>,
    any: Option<Serve>,
    /// The connections that were made for whoever came.
    guests: BTreeMap<u64, Weak<Shared>>,
    last_guest: u64,
}

/// Takes a stream on; it knows the delegate's type.
type Serve = Arc<dyn Fn(&Arc<Server>, Stream) + Send + Sync>;

#[derive(Clone)]
struct Peer {
    addresses: Vec<IpAddr>,
    shared: Arc<Shared>,
    serve: Serve,
}

impl MultiPassiveServer {
    /// A server that will listen at `endpoint`; not started yet.
    pub fn new(net: &Net, endpoint: Endpoint) -> Self {
        Self::with_options(net, endpoint, BindOptions::default())
    }

    /// The same with options of the listener: limits, TLS. Those in [`ConnectionOptions`] don't count here.
    pub fn with_options(net: &Net, endpoint: Endpoint, bind: BindOptions) -> Self {
        Self(Arc::new(Server {
            net: net.clone(),
            endpoint,
            bind,
            state: Mutex::default(),
            changed: Notify::new(),
            starting: tokio::sync::Mutex::default(),
        }))
    }

    /// The connection for the peer at this address, or at one that the name has now. It is not enabled yet: until it is,
    /// its peer is closed at once.
    ///
    /// # Errors
    /// [`ErrorKind::AddrInUse`] if there is a connection for that address, [`ErrorKind::Resolve`] if the name has none.
    pub async fn create_connection(
        &self,
        peer: Host,
        options: ConnectionOptions,
        delegate: impl Delegate,
    ) -> Result<Connection> {
        let addresses = addresses(&self.0.net, &peer).await?;
        let shared = Shared::served(&self.0.net, self.0.endpoint.clone(), options);
        let delegate = Arc::new(delegate);
        let of = Arc::downgrade(&shared);
        let serve: Serve = Arc::new(move |_, stream| {
            if let Some(shared) = of.upgrade() {
                serve(shared, stream, Arc::clone(&delegate), None);
            }
        });
        let state = &mut *lock(&self.0.state);
        let taken = |known: &Peer| known.addresses.iter().any(|address| addresses.contains(address));
        if state.peers.iter().any(taken) {
            let endpoint = Endpoint::Tcp(peer, 0);
            return Err(Error::new(ErrorKind::AddrInUse, Operation::Create)
                .at(&endpoint)
                .detail("there is a connection for that peer; remove it first"));
        }
        let connection = Connection::of(&shared);
        let peer = Peer {
            addresses,
            shared,
            serve,
        };
        state.peers.push(peer);
        Ok(connection)
    }

    /// Disables a connection that was created here, and forgets its peer.
    pub fn remove_connection(&self, connection: &Connection) {
        let is_it = |peer: &Peer| Arc::ptr_eq(&peer.shared, &connection.shared);
        lock(&self.0.state).peers.retain(|peer| !is_it(peer));
        connection.disable();
    }

    /// Takes on every peer that has no connection of its own: the closure gets its address, and gives the options and the
    /// delegate for it, or `None` to close it.
    pub fn accept_any<D: Delegate>(
        &self,
        make: impl Fn(&Endpoint) -> Option<(ConnectionOptions, D)> + Send + Sync + 'static,
    ) {
        let any: Serve = Arc::new(move |server, stream| {
            // A panic in it hurts this peer only.
            let Ok(Some((options, delegate))) = net_core::catch_panic_in(|| make(stream.peer())) else {
                return;
            };
            let shared = Shared::served(&server.net, server.endpoint.clone(), options);
            if shared.enable().is_err() {
                return;
            }
            let id = {
                let state = &mut *lock(&server.state);
                state.last_guest += 1;
                state.guests.insert(state.last_guest, Arc::downgrade(&shared));
                state.last_guest
            };
            serve(shared, stream, Arc::new(delegate), Some((Arc::clone(server), id)));
        });
        lock(&self.0.state).any = Some(any);
    }

    /// Listens; does nothing if it does. Gives where, with the real port where 0 was asked for.
    ///
    /// # Errors
    /// If it can't listen there.
    pub async fn start(&self) -> Result<Endpoint> {
        let server = &self.0;
        let _one = server.starting.lock().await;
        if let Some(at) = Some(&*lock(&server.state))
            .filter(|state| state.running)
            .and_then(|state| state.local.clone())
        {
            return Ok(at);
        }
        let listener = server.net.bind_with(&server.endpoint, &server.bind).await?;
        let at = listener.local().clone();
        {
            let state = &mut *lock(&server.state);
            (state.running, state.stopping) = (true, false);
            state.local = Some(at.clone());
        }
        let accepting = Arc::clone(server);
        let started = server.net.spawn(async move { accept(&accepting, listener).await });
        if let Err(error) = started {
            lock(&server.state).running = false;
            return Err(error);
        }
        Ok(at)
    }

    /// Stops listening; connections go on.
    pub async fn stop_listening(&self) {
        let server = &self.0;
        lock(&server.state).stopping = true;
        server.changed.notify_waiters();
        loop {
            let changed = server.changed.notified();
            let mut changed = std::pin::pin!(changed);
            changed.as_mut().enable();
            if !lock(&server.state).running {
                return;
            }
            changed.await;
        }
    }

    /// Stops listening, disables all connections, and waits for their end.
    pub async fn stop(&self) {
        self.stop_listening().await;
        let connections = self.connections();
        for connection in &connections {
            connection.disable();
        }
        for connection in &connections {
            connection.disabled().await;
        }
    }

    /// All connections: those that were created, and those that were made for whoever came.
    pub fn connections(&self) -> Vec<Connection> {
        let state = lock(&self.0.state);
        let known = state.peers.iter().map(|peer| Connection::of(&peer.shared));
        let guests = state.guests.values().filter_map(Weak::upgrade);
        known.chain(guests.map(|shared| Connection { shared })).collect()
    }

    /// Where it listens, while it does.
    pub fn local(&self) -> Option<Endpoint> {
        let state = lock(&self.0.state);
        if state.running { state.local.clone() } else { None }
    }
}

impl fmt::Debug for MultiPassiveServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MultiPassiveServer")
            .field("endpoint", &self.0.endpoint)
            .field("local", &self.local())
            .finish_non_exhaustive()
    }
}

impl Server {
    async fn stopping(&self) {
        loop {
            let changed = self.changed.notified();
            let mut changed = std::pin::pin!(changed);
            changed.as_mut().enable();
            if lock(&self.state).stopping {
                return;
            }
            changed.await;
        }
    }
}

async fn accept(server: &Arc<Server>, mut listener: Listener) {
    loop {
        let accepted = tokio::select! {
            biased;
            () = server.stopping() => break,
            accepted = listener.accept() => accepted,
        };
        let Ok(stream) = accepted else { break };
        let (known, any) = {
            let state = lock(&server.state);
            let known = state.peers.iter().find(|peer| is_from(&stream, &peer.addresses));
            (known.cloned(), state.any.clone())
        };
        match (known, any) {
            (Some(peer), _) => match peer.shared.with(|state| (state.life, state.serving)) {
                (Life::Enabled, serving) => {
                    let next = !serving
                        || peer
                            .shared
                            .with(|state| state.is_ending() && !std::mem::replace(&mut state.next, true));
                    if next {
                        (peer.serve)(server, stream);
                    } else {
                        refuse(&peer.shared, stream);
                    }
                }
                _ => refuse(&peer.shared, stream),
            },
            (None, Some(any)) => any(server, stream),
            (None, None) => drop(stream),
        }
    }
    drop(listener);
    lock(&server.state).running = false;
    server.changed.notify_waiters();
}

/// Carries a connection to its end, in a task of its own.
fn serve<D: Delegate>(shared: Arc<Shared>, stream: Stream, delegate: Arc<D>, guest: Option<(Arc<Server>, u64)>) {
    let (net, timer) = (shared.net.clone(), shared.net.clone());
    let task = async move {
        // The last connection of this peer may be just ending.
        let patience = shared.options.close_timeout * 2 + shared.options.linger + Duration::from_secs(1);
        let free = shared.until(|state| (!std::mem::replace(&mut state.serving, true)).then_some(()));
        let free = Box::pin(timer.timeout(patience, free)).await;
        shared.with(|state| state.next = false);
        if free.is_err() {
            return refuse(&shared, stream);
        }
        let served = Served { shared, guest };
        let connection = Connection::of(&served.shared);
        if !served.shared.is_stopping() {
            drive(&connection, stream, &*delegate).await;
        }
    };
    // Without a runtime there is nobody to serve.
    let _ = net.spawn(task);
}

/// Tells that the connection is free again, however it ended.
struct Served {
    shared: Arc<Shared>,
    guest: Option<(Arc<Server>, u64)>,
}

impl Drop for Served {
    fn drop(&mut self) {
        self.shared.free(self.guest.is_some());
        if let Some((server, id)) = &self.guest {
            lock(&server.state).guests.remove(id);
        }
    }
}
