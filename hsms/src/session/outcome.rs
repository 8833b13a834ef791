//! What comes out of a session: frames to send, ends of transactions, news.

use std::fmt;

use net_core::Error;

use super::Timer;
use crate::{DeselectStatus, Header, RejectReason, SelectStatus};

/// The states of a session (E37).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// There is no connection.
    NotConnected,
    /// There is one, and nothing but control messages may pass.
    NotSelected,
    /// Data may pass.
    Selected,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotConnected => "NOT CONNECTED",
            Self::NotSelected => "NOT SELECTED",
            Self::Selected => "SELECTED",
        })
    }
}

/// Why a connection ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CloseReason {
    /// It was ended here.
    Local,
    /// The peer sent Separate.req.
    Separated,
    /// The peer closed the connection, in order but without Separate.req.
    PeerClosed,
    /// A time limit ran out: T6, T7 or T8.
    TimedOut(Timer),
    /// So many Linktests in a row were not answered within T6.
    LinktestFailed(u32),
    /// The peer answered our Select with another status than 0.
    SelectRefused(SelectStatus),
    /// The peer rejected our Select.
    SelectRejected(RejectReason),
    /// The transport failed, or the peer's bytes are no HSMS: the length of a message below ten or above the limit.
    Failed(Error),
}

impl fmt::Display for CloseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local => f.write_str("ended here"),
            Self::Separated => f.write_str("the peer sent Separate.req"),
            Self::PeerClosed => f.write_str("the peer closed the connection"),
            Self::TimedOut(timer) => write!(f, "{timer} ran out"),
            Self::LinktestFailed(1) => f.write_str("a Linktest was not answered within T6"),
            Self::LinktestFailed(count) => write!(f, "{count} Linktests in a row were not answered within T6"),
            Self::SelectRefused(status) => write!(f, "the peer refused our Select: {status}"),
            Self::SelectRejected(reason) => write!(f, "the peer rejected our Select: {reason}"),
            Self::Failed(error) => write!(f, "{error:#}"),
        }
    }
}

/// How a transaction ended, if not with a reply.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The control transaction did what was asked.
    Done,
    /// The peer refused our Select.
    SelectRefused(SelectStatus),
    /// The peer refused our Deselect.
    DeselectRefused(DeselectStatus),
    /// The peer aborted the transaction with function 0.
    Aborted,
    /// The equipment reported an error in stream 9 about our message: this function.
    StreamNine(u8),
    /// The peer rejected the message.
    Rejected(RejectReason),
    /// No reply came in time.
    TimedOut {
        /// [`Timer::T3`] or [`Timer::T6`].
        timer: Timer,
        /// What came with the same system bytes meanwhile and was no reply: its session id, stream or function is wrong.
        near_miss: Option<Header>,
    },
    /// The session is not selected any more.
    NotSelected,
    /// The connection ended.
    Closed(CloseReason),
}

/// What a frame that was received is to its user.
#[derive(Debug, PartialEq, Eq)]
pub enum Received<T> {
    /// Nothing: the session has dealt with it.
    Handled,
    /// A message that begins a transaction, or asks for nothing.
    Primary,
    /// The reply to the transaction with this tied to it.
    Reply(T),
}

/// What the session wants done, or tells.
#[derive(Debug, PartialEq, Eq)]
pub enum Action<T> {
    /// A transaction is over without a reply.
    Completed(T, Outcome),
    /// The connection is to be closed, once everything to send is sent.
    Close(CloseReason),
    /// The side that connects may try to.
    Dial,
    /// News for whoever wants to know.
    Event(SessionEvent),
}

/// What happens to a session.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SessionEvent {
    /// A connection is there; it is not selected.
    Connected,
    /// A session entity is selected; [`Header::CONTROL`] in HSMS-SS.
    Selected(u16),
    /// A session entity is not selected any more.
    Deselected(u16),
    /// The connection is over.
    Disconnected(CloseReason),
    /// A try to connect or to listen failed, or a peer was turned away.
    ConnectFailed(Error),
    /// A Linktest was not answered within T6; so many in a row.
    LinktestFailed(u32),
    /// The peer rejected a message that waits for no reply (any more).
    PeerRejected(Header),
    /// We rejected this message.
    Rejected(Header, RejectReason),
    /// A reply that nobody waits for (any more), or one that fits its transaction badly.
    UnmatchedReply(Header),
    /// Data with a session id that is not ours.
    ForeignSession(Header),
    /// Data that can't be: an even function with the W-bit.
    InvalidData(Header),
}

impl fmt::Display for SessionEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connected => f.write_str("connected"),
            Self::Selected(Header::CONTROL) => f.write_str("selected"),
            Self::Selected(id) => write!(f, "session entity {id} selected"),
            Self::Deselected(Header::CONTROL) => f.write_str("not selected any more"),
            Self::Deselected(id) => write!(f, "session entity {id} not selected any more"),
            Self::Disconnected(reason) => write!(f, "disconnected: {reason}"),
            Self::ConnectFailed(error) => write!(f, "no connection: {error:#}"),
            // In the words that the end of the connection has for it.
            Self::LinktestFailed(count) => CloseReason::LinktestFailed(*count).fmt(f),
            Self::PeerRejected(header) => write!(f, "the peer rejected {header}"),
            Self::Rejected(header, reason) => write!(f, "rejected, {reason}: {header}"),
            Self::UnmatchedReply(header) => write!(f, "a reply that fits no open request: {header}"),
            Self::ForeignSession(header) => write!(f, "data with a session id that is not ours: {header}"),
            Self::InvalidData(header) => write!(f, "an even function that is no reply: {header}"),
        }
    }
}

/// A frame that the session sends by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// Its header.
    pub header: Header,
    /// The header that it is about, which is the text of stream 9.
    pub about: Option<Header>,
}

impl Outgoing {
    /// The text in this place: empty, or the item `<B[10] header>`.
    pub fn text<'a>(&self, place: &'a mut [u8; 12]) -> &'a [u8] {
        match self.about {
            None => &[],
            Some(about) => {
                // Binary, one length byte, ten bytes.
                place[..2].copy_from_slice(&[0x21, 10]);
                place[2..].copy_from_slice(&about.to_bytes());
                place
            }
        }
    }

    /// The header in the text of a stream 9 message.
    pub(super) fn quoted(text: &[u8]) -> Option<Header> {
        let bytes = text.strip_prefix(&[0x21, 10])?;
        Some(Header::from_bytes(bytes.try_into().ok()?))
    }
}

/// Why a command can't be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refused {
    /// There is no connection.
    NotConnected,
    /// The session is not selected.
    NotSelected,
    /// It is already.
    AlreadySelected,
    /// The standard does not allow it: HSMS-SS is selected by the side that connects, and ends with Separate.
    NotAllowed,
    /// Too many transactions are open: [`SessionOptions::max_open`](super::SessionOptions::max_open).
    TooMany,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotConnected => "not connected",
            Self::NotSelected => "not selected: data pass only after Select",
            Self::AlreadySelected => "selected already",
            Self::NotAllowed => "not in HSMS-SS: the side that connects selects, and Separate ends it",
            Self::TooMany => "too many transactions are open; raise `max_open`, or wait for replies",
        })
    }
}

impl std::error::Error for Refused {}
