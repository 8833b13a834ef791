//! Why a request has no reply.

use std::fmt;

use net_core::Error;

use crate::item::EncodeError;
use crate::session::{CloseReason, Outcome, Refused, Timer};
use crate::{ContentError, DeselectStatus, Header, RejectReason, SelectStatus};

/// Why a request has no reply, or a message could not be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RequestError {
    /// There is no connection. Nothing was sent.
    NotConnected,
    /// The session is not selected: data pass only after Select. Nothing was sent, or the selection ended before the reply.
    NotSelected,
    /// The standard does not allow it in this state or role. Nothing was sent.
    NotAllowed(Refused),
    /// No reply came in time. The connection goes on after T3.
    TimedOut {
        /// [`Timer::T3`], or [`Timer::T6`] for control transactions.
        timer: Timer,
        /// A message with the system bytes of the request that is no reply to it: another session id, stream or function.
        near_miss: Option<Header>,
    },
    /// The peer rejected the message.
    Rejected(RejectReason),
    /// The peer aborted the transaction with function 0.
    Aborted,
    /// The equipment could not do with the message, and reported so in stream 9: 1 unknown device id, 3 unknown stream, 5
    /// unknown function, 7 illegal data, 11 data too long.
    StreamNine(u8),
    /// The peer refused our Select.
    SelectRefused(SelectStatus),
    /// The peer refused our Deselect.
    DeselectRefused(DeselectStatus),
    /// The connection ended before the reply.
    Disconnected(CloseReason),
    /// The message can't be sent: it is too long.
    Unsendable(Error),
    /// The Rust value has no form as an item: something in it is too long. Nothing was sent.
    Unwritable(EncodeError),
    /// The reply is not what its Rust type says.
    Unexpected(ContentError),
}

impl From<Refused> for RequestError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::NotConnected => Self::NotConnected,
            Refused::NotSelected => Self::NotSelected,
            refused => Self::NotAllowed(refused),
        }
    }
}

impl From<Outcome> for RequestError {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::SelectRefused(status) => Self::SelectRefused(status),
            Outcome::DeselectRefused(status) => Self::DeselectRefused(status),
            Outcome::Aborted => Self::Aborted,
            Outcome::StreamNine(function) => Self::StreamNine(function),
            Outcome::Rejected(reason) => Self::Rejected(reason),
            Outcome::TimedOut { timer, near_miss } => Self::TimedOut { timer, near_miss },
            Outcome::Closed(reason) => Self::Disconnected(reason),
            Outcome::NotSelected | Outcome::Done => Self::NotSelected,
        }
    }
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotConnected => f.write_str("not connected"),
            Self::NotSelected => f.write_str("not selected: data pass only after Select"),
            Self::NotAllowed(refused) => write!(f, "{refused}"),
            Self::TimedOut { timer, near_miss: None } => write!(f, "no reply: {timer} ran out"),
            Self::TimedOut {
                timer,
                near_miss: Some(header),
            } => write!(
                f,
                "no reply: {timer} ran out; what came with the same system bytes does not fit, look at its session id, \
                 stream and function: {header}"
            ),
            Self::Rejected(reason) => write!(f, "rejected: {reason}"),
            Self::Aborted => f.write_str("the peer aborted the transaction (function 0)"),
            Self::StreamNine(function) => {
                let what = match function {
                    1 => "unknown device id",
                    3 => "unknown stream",
                    5 => "unknown function",
                    7 => "illegal data",
                    11 => "data too long",
                    _ => "error",
                };
                write!(f, "the equipment reports S9F{function}, {what}")
            }
            Self::SelectRefused(status) => write!(f, "Select refused: {status}"),
            Self::DeselectRefused(status) => write!(f, "Deselect refused: {status}"),
            Self::Disconnected(reason) => write!(f, "disconnected before the reply: {reason}"),
            Self::Unsendable(error) => write!(f, "it can't be sent: {error}"),
            Self::Unwritable(error) => write!(f, "it can't be sent: {error}"),
            Self::Unexpected(error) => write!(f, "the reply is not what was expected: {error}"),
        }
    }
}

impl std::error::Error for RequestError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unsendable(error) | Self::Disconnected(CloseReason::Failed(error)) => Some(error),
            Self::Unwritable(error) => Some(error),
            Self::Unexpected(error) => Some(error),
            _ => None,
        }
    }
}
