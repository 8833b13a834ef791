//! Stream 9: what an equipment could not do with a message. Never answered.

use super::Id;
use crate::{FromItem, Header, SecsMessage, ToItem};

/// Unrecognized device id.
#[derive(Clone, Debug, PartialEq, Eq, ToItem, FromItem, SecsMessage)]
#[secs(message = "S9F1")]
pub struct S9F1(
    /// The header of the message (MHEAD).
    pub Header,
);

/// Unrecognized stream.
#[derive(Clone, Debug, PartialEq, Eq, ToItem, FromItem, SecsMessage)]
#[secs(message = "S9F3")]
pub struct S9F3(
    /// The header of the message (MHEAD).
    pub Header,
);

/// Unrecognized function.
#[derive(Clone, Debug, PartialEq, Eq, ToItem, FromItem, SecsMessage)]
#[secs(message = "S9F5")]
pub struct S9F5(
    /// The header of the message (MHEAD).
    pub Header,
);

/// Illegal data.
#[derive(Clone, Debug, PartialEq, Eq, ToItem, FromItem, SecsMessage)]
#[secs(message = "S9F7")]
pub struct S9F7(
    /// The header of the message (MHEAD).
    pub Header,
);

/// Transaction timer timeout: no reply came within T3.
#[derive(Clone, Debug, PartialEq, Eq, ToItem, FromItem, SecsMessage)]
#[secs(message = "S9F9")]
pub struct S9F9(
    /// The header of the message that was not answered (SHEAD).
    pub Header,
);

/// Data too long.
#[derive(Clone, Debug, PartialEq, Eq, ToItem, FromItem, SecsMessage)]
#[secs(message = "S9F11")]
pub struct S9F11(
    /// The header of the message (MHEAD).
    pub Header,
);

/// Conversation timeout: an expected message did not come.
#[derive(Clone, Debug, PartialEq, Eq, ToItem, FromItem, SecsMessage)]
#[secs(message = "S9F13")]
pub struct S9F13 {
    /// The message, like `S02F17` (MEXP).
    pub expected: String,
    /// What it was about (EDID).
    pub id: Id,
}
