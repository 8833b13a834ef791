//! What can go wrong between a client and a server.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use net_core::Operation;

/// Why a request, a response or a body came to nothing.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Error {
    /// There is no connection, or it broke.
    Net(net_core::Error),
    /// The peer sent what is no HTTP, or ended in the middle of a message.
    Protocol(Arc<hyper::Error>),
    /// The peer's message does not tell plainly where it ends. The connection is closed.
    Framing(&'static str),
    /// A body is larger than the limit for whole bodies.
    BodyTooLarge {
        /// The limit, in bytes.
        limit: usize,
    },
    /// Nothing came in time.
    Timeout {
        /// What was waited for.
        what: &'static str,
        /// How long.
        limit: Duration,
    },
    /// A text was expected, and the body is no UTF-8.
    NotText,
    /// A URL is not one that a client can use.
    Url(String),
    /// The body's [`BodySender`](super::BodySender) was dropped before its end.
    BrokenOff,
    /// Nobody reads the body any more.
    NotRead,
    /// The peer did not agree to leave HTTP.
    NotUpgraded(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Net(error) => error.fmt(f),
            Self::Protocol(error) => {
                write!(f, "HTTP: {error}")?;
                match error.source() {
                    Some(source) => write!(f, ": {source}"),
                    None => Ok(()),
                }
            }
            Self::Framing(why) => write!(f, "HTTP: {why}"),
            Self::BodyTooLarge { limit } => write!(f, "the body is larger than {limit} bytes, which is the limit"),
            Self::Timeout { what, limit } => write!(f, "no {what} within {limit:?}"),
            Self::NotText => f.write_str("the body is no UTF-8 text"),
            Self::Url(why) => f.write_str(why),
            Self::BrokenOff => f.write_str("the body was broken off before its end"),
            Self::NotRead => f.write_str("the body is not read any more"),
            Self::NotUpgraded(why) => write!(f, "the connection stays HTTP: {why}"),
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Net(error) => error.source(),
            Self::Protocol(error) => Some(&**error),
            _ => None,
        }
    }
}

impl From<net_core::Error> for Error {
    fn from(error: net_core::Error) -> Self {
        Self::Net(error)
    }
}

impl From<hyper::Error> for Error {
    /// What broke the connection is found again among hyper's causes.
    fn from(error: hyper::Error) -> Self {
        let mut cause = error.source();
        while let Some(inner) = cause {
            if let Some(own) = inner.downcast_ref::<Self>() {
                return own.clone();
            }
            if let Some(io) = inner.downcast_ref::<std::io::Error>() {
                let known = io.get_ref().and_then(|inner| inner.downcast_ref::<net_core::Error>());
                let again = || net_core::Error::from_io(Operation::Read, io.kind().into());
                return Self::Net(known.cloned().unwrap_or_else(again));
            }
            cause = inner.source();
        }
        Self::Protocol(Arc::new(error))
    }
}
