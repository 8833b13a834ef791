//! What can go wrong with one request, and with the channel.

use std::fmt;
use std::time::Duration;

use super::Fault;
use crate::codec::CodecError;

/// Why a channel has ended; whoever waited for something on it hears the same.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChannelError {
    /// It was closed on this side.
    Closed,
    /// The peer closed it, in order.
    PeerClosed,
    /// The peer sent what is no message, or a reply that nobody asked for. The connection was closed.
    Protocol(CodecError),
    /// The connection broke, or a packet was too long.
    Net(net_core::Error),
}

impl ChannelError {
    /// Whether it ended as it should.
    pub fn is_clean(&self) -> bool {
        matches!(self, Self::Closed | Self::PeerClosed)
    }
}

impl fmt::Display for ChannelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("the channel is closed"),
            Self::PeerClosed => f.write_str("the peer has closed the channel"),
            Self::Protocol(error) => write!(f, "the peer sent a bad message: {error}"),
            Self::Net(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ChannelError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Net(error) => error.source(),
            _ => None,
        }
    }
}

/// Why a request, or the reply to one, came to nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RequestError {
    /// The peer answered with a failure.
    Remote(Fault),
    /// The channel has ended.
    Channel(ChannelError),
    /// So many requests are open already; see [`MessageOptions::limit`](super::MessageOptions::limit).
    TooMany {
        /// The limit.
        limit: usize,
    },
    /// No reply came in time. One that comes later is dropped.
    Timeout(Duration),
    /// The content can't be encoded, or the reply's can't be decoded.
    Codec(CodecError),
    /// The message is larger than a packet may be.
    TooLarge(net_core::Error),
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Remote(fault) => write!(f, "the peer answered with a failure: {fault}"),
            Self::Channel(error) => error.fmt(f),
            Self::TooMany { limit } => write!(
                f,
                "{limit} requests are open, which is the limit: wait for replies before sending more"
            ),
            Self::Timeout(limit) => write!(f, "no reply within {limit:?}"),
            Self::Codec(error) => write!(f, "the content does not fit the codec: {error}"),
            Self::TooLarge(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for RequestError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Channel(error) => Some(error),
            Self::TooLarge(error) => error.source(),
            _ => None,
        }
    }
}

impl From<ChannelError> for RequestError {
    fn from(error: ChannelError) -> Self {
        Self::Channel(error)
    }
}

impl From<CodecError> for RequestError {
    fn from(error: CodecError) -> Self {
        Self::Codec(error)
    }
}
