//! How a connection is made and kept.

use std::time::Duration;

use net_core::{BindOptions, ConnectOptions};

use crate::SessionOptions;
use crate::frame::MAX_TEXT;
use crate::session::Entities;

/// Settings of a connection.
///
/// ```
/// use std::time::Duration;
/// use hsms::{ConnectionOptions, SessionOptions};
///
/// let options = ConnectionOptions::new(7).max_text(1 << 20);
/// assert_eq!(options.session.session_id, 7);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ConnectionOptions {
    /// The session's settings: ids, timers, Linktest.
    pub session: SessionOptions,
    /// What can be selected here. Default: `None`, which is HSMS-SS. Connections that share one set of [`Entities`] never
    /// select the same.
    pub entities: Option<Entities>,
    /// Whether every frame goes to the delegate and the session stays out of it: nothing is selected, tested, answered or
    /// rejected but by the delegate. T5 and T8 run all the same. Default: false.
    pub raw: bool,
    /// The longest text of a message, in bytes. A longer one ends the connection. Default: 16 MiB.
    pub max_text: usize,
    /// Bytes that may wait to be sent before senders have to wait; one message may go over it. Default: 1 MiB.
    pub max_output: usize,
    /// Messages that may wait for the delegate or [`Primaries`](crate::Primaries) before reading pauses; four times as
    /// many while a request of ours is open, so that its reply gets through. Default: 1024.
    pub max_inbound: usize,
    /// Bytes of such messages, likewise. Default: 16 MiB.
    pub max_inbound_bytes: usize,
    /// How long the peer may take nothing of what is sent. Default: 30 s.
    pub write_timeout: Duration,
    /// How long the delegate may take over its last messages and `before_closed`, and then over `closed`. Default: 5 s.
    pub close_timeout: Duration,
    /// How long the peer may take to close its side after ours. Default: 1 s.
    pub linger: Duration,
    /// What a passive connection does with a further peer while it has one. Default: [`ExtraPeer::Close`].
    pub extra_peer: ExtraPeer,
    /// How the side that connects does so; TLS for `tls://` is here.
    pub connect: ConnectOptions,
    /// How the other side listens; likewise.
    pub bind: BindOptions,
}

/// What is done with a peer that connects while another is connected. The first one keeps its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExtraPeer {
    /// Its connection is closed at once.
    Close,
    /// Its Select is answered with the status 3, connections exhausted; T7 closes its connection.
    Exhausted,
}

impl Default for ConnectionOptions {
    fn default() -> Self {
        Self::new(0)
    }
}

impl From<SessionOptions> for ConnectionOptions {
    fn from(session: SessionOptions) -> Self {
        Self {
            session,
            ..Self::default()
        }
    }
}

impl ConnectionOptions {
    /// The defaults for a device of this id.
    #[must_use]
    pub fn new(session_id: u16) -> Self {
        Self {
            session: SessionOptions::new(session_id),
            entities: None,
            raw: false,
            max_text: MAX_TEXT,
            max_output: 1024 * 1024,
            max_inbound: 1024,
            max_inbound_bytes: 16 * 1024 * 1024,
            write_timeout: Duration::from_secs(30),
            close_timeout: Duration::from_secs(5),
            linger: Duration::from_secs(1),
            extra_peer: ExtraPeer::Close,
            connect: ConnectOptions::default(),
            bind: BindOptions::default(),
        }
    }

    /// Sets the session's settings.
    #[must_use]
    pub fn session(mut self, session: SessionOptions) -> Self {
        self.session = session;
        self
    }

    /// Sets what can be selected here.
    #[must_use]
    pub fn entities(mut self, entities: Entities) -> Self {
        self.entities = Some(entities);
        self
    }

    /// Lets every frame go to the delegate, and keeps the session out of it.
    #[must_use]
    pub fn raw(mut self) -> Self {
        self.raw = true;
        self
    }

    /// Sets the longest text, in bytes.
    #[must_use]
    pub fn max_text(mut self, bytes: usize) -> Self {
        self.max_text = bytes;
        self
    }

    /// Sets how many bytes may wait to be sent.
    #[must_use]
    pub fn max_output(mut self, bytes: usize) -> Self {
        self.max_output = bytes;
        self
    }

    /// Sets how many messages, and how many bytes of them, may wait for the user.
    #[must_use]
    pub fn max_inbound(mut self, messages: usize, bytes: usize) -> Self {
        self.max_inbound = messages;
        self.max_inbound_bytes = bytes;
        self
    }

    /// Sets how long the peer may take nothing of what is sent.
    #[must_use]
    pub fn write_timeout(mut self, limit: Duration) -> Self {
        self.write_timeout = limit;
        self
    }

    /// Sets how long the delegate may take over the end.
    #[must_use]
    pub fn close_timeout(mut self, limit: Duration) -> Self {
        self.close_timeout = limit;
        self
    }

    /// Sets how long the peer may take to close its side.
    #[must_use]
    pub fn linger(mut self, limit: Duration) -> Self {
        self.linger = limit;
        self
    }

    /// Sets what is done with a further peer.
    #[must_use]
    pub fn extra_peer(mut self, what: ExtraPeer) -> Self {
        self.extra_peer = what;
        self
    }

    /// Sets how to connect.
    #[must_use]
    pub fn connect(mut self, options: ConnectOptions) -> Self {
        self.connect = options;
        self
    }

    /// Sets how to listen.
    #[must_use]
    pub fn bind(mut self, options: BindOptions) -> Self {
        self.bind = options;
        self
    }
}
