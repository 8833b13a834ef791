//! The life of connections as events: for each `Opened` exactly one `Closed`.

use std::fmt;

use crate::{Endpoint, Error, Instant};

/// Names a connection within one [`Net`](crate::Net) and its clones; never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId(pub(crate) u64);

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// Something that happened to a connection or a listener; see [`Net::observed`](crate::Net::observed).
///
/// The events of one connection come in order, [`Opened`](EventKind::Opened) first and
/// [`Closed`](EventKind::Closed) last, exactly once each.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NetEvent {
    /// When, on the backend's clock.
    pub at: Instant,
    /// Which connection; `None` where the event is a listener's.
    pub connection: Option<ConnectionId>,
    /// What happened.
    pub kind: EventKind,
}

/// What a [`NetEvent`] tells.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventKind {
    /// A connection was made or accepted.
    Opened {
        /// Our end.
        local: Endpoint,
        /// The other end.
        peer: Endpoint,
        /// Whether it was accepted by a listener; otherwise it was connected from here.
        accepted: bool,
    },
    /// The connection is encrypted from here on.
    Upgraded,
    /// Something was wrong that did not end the connection by itself.
    Fault(Error),
    /// Reading paused (`true`) because the peer does not take what is written, or goes on (`false`).
    Backpressure(bool),
    /// The connection is over; the last event about it.
    Closed {
        /// Who ended it.
        by: ClosedBy,
        /// Why: the first error on the connection, if there was one.
        cause: Option<Error>,
    },
    /// A listener turned a connection away; it never opened.
    Rejected {
        /// Who wanted to connect.
        peer: Endpoint,
        /// By which limit.
        cause: Error,
    },
    /// A listener pauses because the system is out of resources.
    AcceptPaused {
        /// When it tries again.
        until: Instant,
        /// What the system said.
        cause: Error,
    },
    /// A [`Shutdown`](crate::Shutdown) has begun: no new work, and what was begun finishes.
    Draining,
}

/// Who ended a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ClosedBy {
    /// This program closed or dropped it.
    Local,
    /// The peer closed its side first.
    Peer,
    /// An error ended it: a reset, a time limit, a broken frame.
    Error,
}

impl fmt::Display for ClosedBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Local => "this side",
            Self::Peer => "the peer",
            Self::Error => "an error",
        })
    }
}
