//! What can go wrong on a WebSocket.

use std::fmt;
use std::time::Duration;

use net_core::Operation;
use tokio_tungstenite::tungstenite::error::{Error as Inner, ProtocolError};

use crate::http;

/// Why a WebSocket came to nothing, or to an end.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Error {
    /// There is no connection, or it broke.
    Net(net_core::Error),
    /// The HTTP before the upgrade went wrong.
    Http(http::Error),
    /// The server did not answer with 101.
    Refused {
        /// What it answered with.
        status: http::StatusCode,
    },
    /// The peer's side of the handshake is not what RFC 6455 wants.
    Handshake(String),
    /// The peer broke the protocol. It was told so.
    Protocol(String),
    /// A message is larger than the limit. A peer that sent one was told so.
    TooLarge(String),
    /// A text is no UTF-8. The peer was told so.
    NotText,
    /// The connection ended without a closing handshake.
    Cut,
    /// The WebSocket is closed already.
    Closed,
    /// Something took too long.
    Timeout {
        /// What was waited for.
        what: &'static str,
        /// How long.
        limit: Duration,
    },
}

impl Error {
    pub(super) fn of(error: Inner) -> Self {
        match error {
            Inner::ConnectionClosed | Inner::AlreadyClosed => Self::Closed,
            Inner::Io(error) => Self::Net(net_core::Error::from_io(Operation::Read, error)),
            Inner::Capacity(error) => Self::TooLarge(error.to_string()),
            Inner::Utf8(_) => Self::NotText,
            Inner::Protocol(ProtocolError::ResetWithoutClosingHandshake) => Self::Cut,
            Inner::Protocol(ProtocolError::SendAfterClosing) => Self::Closed,
            other => Self::Protocol(other.to_string()),
        }
    }

    /// The code that tells the peer of it, if it is to be told.
    pub(super) fn code(&self) -> Option<u16> {
        match self {
            Self::Protocol(_) => Some(1002),
            Self::NotText => Some(1007),
            Self::TooLarge(_) => Some(1009),
            _ => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Net(error) => error.fmt(f),
            Self::Http(error) => error.fmt(f),
            Self::Refused { status } => write!(f, "the server does not open a WebSocket: {status}"),
            Self::Handshake(why) => write!(f, "no WebSocket: {why}"),
            Self::Protocol(why) => write!(f, "the peer broke the WebSocket protocol: {why}"),
            Self::TooLarge(why) => write!(f, "the message is too large: {why}"),
            Self::NotText => f.write_str("the peer sent a text that is no UTF-8"),
            Self::Cut => f.write_str("the connection ended without a closing handshake"),
            Self::Closed => f.write_str("the WebSocket is closed"),
            Self::Timeout { what, limit } => write!(f, "no {what} within {limit:?}"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Net(error) => error.source(),
            Self::Http(error) => error.source(),
            _ => None,
        }
    }
}

impl From<net_core::Error> for Error {
    fn from(error: net_core::Error) -> Self {
        Self::Net(error)
    }
}

impl From<http::Error> for Error {
    fn from(error: http::Error) -> Self {
        match error {
            http::Error::Net(error) => Self::Net(error),
            error => Self::Http(error),
        }
    }
}
