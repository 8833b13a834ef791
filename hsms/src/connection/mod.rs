//! Connections: the side that connects, the side that waits, and the server for many peers on one port.

mod active;
mod delegate;
mod driver;
mod multi;
mod options;
mod passive;
mod selected;
pub(crate) mod shared;

use std::fmt;
use std::sync::Arc;

use net_core::{Endpoint, Net, Operation};

pub use active::ActiveConnection;
pub use delegate::Delegate;
pub use multi::MultiPassiveServer;
pub use options::{ConnectionOptions, ExtraPeer};
pub use passive::PassiveConnection;

use crate::session::{SessionStats, State};
use crate::{Error, ErrorKind, Message, Result};
use shared::{Life, Shared};

/// What all connections have in common: a handle, cheap to clone, that delegates get and requests are made with.
///
/// It outlives the connection to the peer: an active connection connects again, a passive one takes the next peer, and
/// the handle stays the same.
#[derive(Clone)]
pub struct Connection {
    pub(crate) shared: Arc<Shared>,
}

impl Connection {
    /// Starts the connection process; does nothing if it runs. After [`disable`](Self::disable) it starts again as soon as
    /// that is through. For a passive connection use [`PassiveConnection::enable`], which tells whether it can listen.
    ///
    /// # Errors
    /// If the backend can't run tasks here.
    pub fn enable(&self) -> Result<()> {
        self.shared.enable()
    }

    /// Ends the connection process: no more connecting or listening, and the connection is closed in order. Does nothing
    /// if it is not enabled. Returns at once, wherever it is called, callbacks of the delegate included;
    /// [`disabled`](Self::disabled) waits for the end.
    pub fn disable(&self) {
        self.shared.disable();
    }

    /// Waits until the connection process has ended, after [`disable`](Self::disable). Cancel safe.
    ///
    /// It comes at the latest after twice [`ConnectionOptions::close_timeout`] and the time to close. Inside a callback of
    /// the delegate this would wait for itself, until the callback is given up.
    pub async fn disabled(&self) {
        let ended = |life| matches!(life, Life::Fresh | Life::Disabled);
        self.shared.until(|state| ended(state.life).then_some(())).await;
    }

    /// [`disable`](Self::disable) and [`disabled`](Self::disabled).
    pub async fn stop(&self) {
        self.disable();
        self.disabled().await;
    }

    /// Whether the connection process runs.
    pub fn is_enabled(&self) -> bool {
        self.shared.with(|state| state.life == Life::Enabled)
    }

    /// Whether this is the side that connects.
    pub fn is_active(&self) -> bool {
        self.shared.active
    }

    /// Whether there is a connection to the peer, selected or not.
    pub fn is_connected(&self) -> bool {
        self.shared.with(|state| state.sender.is_some())
    }

    /// The state of the session. That of a raw connection is always [`State::NotConnected`].
    pub fn state(&self) -> State {
        self.shared.with(|state| state.session.state())
    }

    /// Whether data may pass.
    pub fn is_selected(&self) -> bool {
        self.state() == State::Selected
    }

    /// The session id: the device id in HSMS-SS.
    pub fn session_id(&self) -> u16 {
        self.shared.options.session.session_id
    }

    /// The settings.
    pub fn options(&self) -> &ConnectionOptions {
        &self.shared.options
    }

    /// Where it connects to or listens, as it was told.
    pub fn endpoint(&self) -> &Endpoint {
        &self.shared.endpoint
    }

    /// Our end: of the connection if there is one, else where a passive connection listens.
    pub fn local(&self) -> Option<Endpoint> {
        self.shared.with(|state| state.local.clone())
    }

    /// The peer, while it is connected.
    pub fn peer(&self) -> Option<Endpoint> {
        self.shared.with(|state| state.peer.clone())
    }

    /// What the session has counted.
    pub fn stats(&self) -> SessionStats {
        self.shared.with(|state| state.session.stats())
    }

    /// How many transactions of ours are open.
    pub fn open_transactions(&self) -> usize {
        self.shared.with(|state| state.session.open())
    }

    /// The network that it lives on.
    pub fn net(&self) -> &Net {
        &self.shared.net
    }

    /// Sends any message as it is, past the session: what a raw connection is for. Waits for room. Cancel safe: the
    /// message is sent whole or not at all.
    ///
    /// # Errors
    /// [`ErrorKind::Closed`] if there is no connection, [`ErrorKind::FrameTooLong`].
    pub async fn send(&self, message: &Message) -> Result<()> {
        let sender = self.shared.with(|state| state.sender.clone());
        let Some(sender) = sender else {
            return Err(Error::new(ErrorKind::Closed, Operation::Write).detail("there is no connection"));
        };
        sender.send_parts(&[&message.header.to_bytes(), &message.text]).await
    }

    pub(crate) fn of(shared: &Arc<Shared>) -> Self {
        Self {
            shared: Arc::clone(shared),
        }
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.shared.fmt(f)
    }
}

impl fmt::Display for Connection {
    /// `Active connection to tcp://10.0.0.1:5000 session_id=0`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (role, endpoint) = if self.is_active() {
            ("Active connection to", self.endpoint())
        } else {
            ("Passive connection at", self.endpoint())
        };
        write!(f, "{role} {endpoint} session_id={}", self.session_id())
    }
}
