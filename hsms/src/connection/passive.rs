//! The side that waits: one peer at a time.

use std::future::{Future, poll_fn};
use std::net::IpAddr;
use std::ops::Deref;
use std::sync::{Arc, Mutex};
use std::task::Poll;

use net_core::{Endpoint, Host, Listener, Net, Operation, Stream};

use super::active::Ended;
use super::driver::drive;
use super::shared::{Life, Shared};
use super::{Connection, ConnectionOptions, Delegate, ExtraPeer};
use crate::lock::lock;
use crate::session::Entities;
use crate::{Error, ErrorKind, Result};

/// Most further peers that are answered at the same time; beyond that they are closed at once.
const MAX_EXTRA: usize = 16;

/// The connection that waits for its peer, one at a time. It goes on listening while it has one, so that the next is not
/// refused; what a further peer gets says [`ConnectionOptions::extra_peer`].
///
/// Dropping it disables it.
///
/// ```
/// use hsms::{ActiveConnection, Connection, ConnectionOptions, Delegate, Message, Net, PassiveConnection, StreamFunction};
/// use std::time::Duration;
///
/// struct Equipment;
///
/// impl Delegate for Equipment {
///     async fn on_connection_message_received(&self, connection: &Connection, message: Message) {
///         let _ = connection.reply(&message.header, message.text).await; // an echo
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let net = Net::os();
/// let equipment = PassiveConnection::new(&net, "tcp://127.0.0.1:0".parse()?, ConnectionOptions::new(0), Equipment);
/// let at = equipment.enable().await?;
///
/// let host = ActiveConnection::new(&net, at, ConnectionOptions::new(0), ());
/// host.enable()?;
/// host.selected(Duration::from_secs(10)).await?;
/// let reply = host.request(StreamFunction::new(2, 25), "loop").await?;
/// assert_eq!((reply.stream_function().to_string().as_str(), &*reply.text), ("S2F26", &b"loop"[..]));
/// host.stop().await;
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct PassiveConnection {
    connection: Connection,
    place: Arc<Place>,
}

/// Where it listens and for whom.
#[derive(Debug, Default)]
struct Place {
    expected: Mutex<Option<Host>>,
    /// What was bound by `enable` and waits for the task.
    bound: Mutex<Option<(Listener, Option<Vec<IpAddr>>)>>,
    /// Only one call binds at a time.
    enabling: tokio::sync::Mutex<()>,
}

impl PassiveConnection {
    /// A connection that will listen at `endpoint` for any peer; not enabled yet. With `()` for a delegate the messages of
    /// the peer are for [`primaries`](Connection::primaries).
    pub fn new(net: &Net, endpoint: Endpoint, options: ConnectionOptions, delegate: impl Delegate) -> Self {
        let shared = Shared::new(net, false, endpoint, options);
        let (weak, delegate) = (Arc::downgrade(&shared), Arc::new(delegate));
        let place = Arc::new(Place::default());
        let at = Arc::clone(&place);
        let start = move || -> Result<()> {
            let Some(shared) = weak.upgrade() else { return Ok(()) };
            let (connection, delegate, at) = (Connection::of(&shared), Arc::clone(&delegate), Arc::clone(&at));
            shared
                .net
                .spawn(async move { run(&connection, &at, &*delegate).await })?;
            Ok(())
        };
        // It is new: nobody has set it.
        let _ = shared.start.set(Box::new(start));
        Self {
            connection: Connection { shared },
            place,
        }
    }

    /// Takes only a peer from this address, or one that the name has when the connection is enabled. Others are closed at
    /// once.
    #[must_use]
    pub fn expect(self, peer: Host) -> Self {
        *lock(&self.place.expected) = Some(peer);
        self
    }

    /// Listens, and starts the connection process; does nothing if it runs. Gives where it listens, with the real port
    /// where 0 was asked for.
    ///
    /// # Errors
    /// If it can't listen there, or the expected peer's name has no address.
    pub async fn enable(&self) -> Result<Endpoint> {
        let shared = &self.connection.shared;
        let _one = self.place.enabling.lock().await;
        // The end of the last process has to be through: it has the port.
        shared.until(|state| (!state.is_stopping()).then_some(())).await;
        if let Some(at) = shared.with(|state| (state.life == Life::Enabled).then(|| state.local.clone())) {
            return Ok(at.unwrap_or_else(|| shared.endpoint.clone()));
        }
        let bound = listen(shared, &self.place).await?;
        let at = bound.0.local().clone();
        shared.with(|state| state.local = Some(at.clone()));
        *lock(&self.place.bound) = Some(bound);
        self.connection.enable()?;
        Ok(at)
    }

    /// The handle that delegates get and requests are made with.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }
}

impl Deref for PassiveConnection {
    type Target = Connection;
    fn deref(&self) -> &Connection {
        &self.connection
    }
}

impl Drop for PassiveConnection {
    fn drop(&mut self) {
        self.connection.disable();
    }
}

async fn listen(shared: &Shared, place: &Place) -> Result<(Listener, Option<Vec<IpAddr>>)> {
    let expected = lock(&place.expected).clone();
    let expected = match expected {
        Some(host) => Some(addresses(&shared.net, &host).await?),
        None => None,
    };
    let listener = shared.net.bind_with(&shared.endpoint, &shared.options.bind).await?;
    Ok((listener, expected))
}

/// The addresses of a host.
pub(super) async fn addresses(net: &Net, host: &Host) -> Result<Vec<IpAddr>> {
    let resolved = net.resolve(&Endpoint::Tcp(host.clone(), 1)).await?;
    Ok(resolved.into_iter().map(|address| address.ip()).collect())
}

/// Whether a peer comes from one of these addresses.
pub(super) fn is_from(stream: &Stream, addresses: &[IpAddr]) -> bool {
    let peer = stream.peer().socket_addr();
    peer.is_some_and(|peer| addresses.contains(&peer.ip().to_canonical()))
}

async fn run<D: Delegate>(connection: &Connection, place: &Place, delegate: &D) {
    let shared = &connection.shared;
    let _end = Ended(shared);
    let bound = lock(&place.bound).take();
    let bound = match bound {
        Some(bound) => Ok(bound),
        // Enabled by a handle: whether it can listen, the events tell.
        None => listen(shared, place).await,
    };
    let (mut listener, expected) = match bound {
        Ok(bound) => bound,
        Err(error) => return failed(shared, error),
    };
    let at = listener.local().clone();
    let extra = Extra {
        shared,
        answering: Arc::default(),
    };
    while !shared.is_stopping() {
        shared.with(|state| state.local = Some(at.clone()));
        let accepted = tokio::select! {
            biased;
            () = shared.stopping() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok(stream) if expected.as_deref().is_none_or(|expected| is_from(&stream, expected)) => {
                let mut driving = drive(connection, stream, delegate);
                poll_fn(|cx| {
                    // First: an end that came before the next peer is seen before it.
                    if driving.as_mut().poll(cx).is_ready() {
                        return Poll::Ready(());
                    }
                    // While the connection ends, the next peer waits: its turn is near.
                    while !shared.with(|state| state.is_ending()) {
                        match listener.poll_accept(cx) {
                            Poll::Ready(Ok(stream)) => extra.turn_away(stream, expected.as_deref()),
                            // Told again when it is asked for the next peer.
                            Poll::Ready(Err(_)) | Poll::Pending => break,
                        }
                    }
                    Poll::Pending
                })
                .await;
            }
            Ok(stranger) => refuse(shared, stranger),
            Err(error) => return failed(shared, error),
        }
    }
}

fn failed(shared: &Shared, error: Error) {
    shared.with_session(|state| state.session.connect_failed(error, shared.net.now()));
}

/// Closes a peer that nobody has asked for.
pub(super) fn refuse(shared: &Shared, stream: Stream) {
    let error = Error::new(ErrorKind::Refused, Operation::Accept)
        .at(stream.peer())
        .detail("another peer is expected here, or has the connection");
    failed(shared, error);
}

/// What happens to further peers.
struct Extra<'a> {
    shared: &'a Shared,
    /// One for each that is being answered.
    answering: Arc<()>,
}

impl Extra<'_> {
    fn turn_away(&self, stream: Stream, expected: Option<&[IpAddr]>) {
        let known = expected.is_none_or(|expected| is_from(&stream, expected));
        let room = Arc::strong_count(&self.answering) <= MAX_EXTRA;
        if self.shared.options.extra_peer == ExtraPeer::Close || !known || !room {
            return refuse(self.shared, stream);
        }
        // A session of its own, in which everything is taken.
        let entities = Entities::taken();
        let options = ConnectionOptions {
            entities: Some(entities),
            ..self.shared.options.clone()
        };
        let shared = Shared::new(&self.shared.net, false, self.shared.endpoint.clone(), options);
        let (connection, place) = (Connection { shared }, Arc::clone(&self.answering));
        let task = async move {
            drive(&connection, stream, &()).await;
            drop(place);
        };
        // Without a runtime there is nobody to answer.
        let _ = self.shared.net.spawn(task);
    }
}
