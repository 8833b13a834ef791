//! Stream 7: process programs.

use super::ack::{Ackc7, Ppgnt};
use crate::item::Item;
use crate::{FromItem, SecsMessage, ToItem};

/// Process program load inquire.
#[derive(Clone, Debug, PartialEq, Eq, ToItem, FromItem, SecsMessage)]
#[secs(message = "S7F1", reply = S7F2)]
pub struct S7F1 {
    /// Process program (PPID).
    pub ppid: String,
    /// How many bytes (LENGTH).
    pub length: u32,
}

/// Process program load grant.
#[derive(Clone, Debug, PartialEq, Eq, ToItem, FromItem, SecsMessage)]
#[secs(message = "S7F2")]
pub struct S7F2(
    /// The answer (PPGNT).
    pub Ppgnt,
);

/// Process program send.
#[derive(Clone, Debug, PartialEq, Eq, ToItem, FromItem, SecsMessage)]
#[secs(message = "S7F3", reply = S7F4)]
pub struct S7F3(
    /// The program.
    pub ProcessProgram,
);

/// A process program.
#[derive(Clone, Debug, PartialEq, Eq, ToItem, FromItem)]
pub struct ProcessProgram {
    /// Its name (PPID).
    pub ppid: String,
    /// What it is (PPBODY): bytes, text or numbers.
    pub body: Item,
}

/// Process program acknowledge.
#[derive(Clone, Debug, PartialEq, Eq, ToItem, FromItem, SecsMessage)]
#[secs(message = "S7F4")]
pub struct S7F4(
    /// The answer (ACKC7).
    pub Ackc7,
);

/// Process program request.
#[derive(Clone, Debug, PartialEq, Eq, ToItem, FromItem, SecsMessage)]
#[secs(message = "S7F5", reply = S7F6)]
pub struct S7F5(
    /// Process program (PPID).
    pub String,
);

/// Process program data.
#[derive(Clone, Debug, PartialEq, Eq, ToItem, FromItem, SecsMessage)]
#[secs(message = "S7F6")]
pub struct S7F6(
    /// The program; none if it is denied.
    pub Option<ProcessProgram>,
);

/// Delete process program send.
#[derive(Clone, Debug, PartialEq, Eq, ToItem, FromItem, SecsMessage)]
#[secs(message = "S7F17", reply = S7F18)]
pub struct S7F17(
    /// Process programs (PPID); none means all.
    pub Vec<String>,
);

/// Delete process program acknowledge.
#[derive(Clone, Debug, PartialEq, Eq, ToItem, FromItem, SecsMessage)]
#[secs(message = "S7F18")]
pub struct S7F18(
    /// The answer (ACKC7).
    pub Ackc7,
);

/// Current process program directory request.
#[derive(Clone, Debug, PartialEq, Eq, ToItem, FromItem, SecsMessage)]
#[secs(message = "S7F19", reply = S7F20)]
pub struct S7F19;

/// Current process program directory.
#[derive(Clone, Debug, PartialEq, Eq, ToItem, FromItem, SecsMessage)]
#[secs(message = "S7F20")]
pub struct S7F20(
    /// Process programs (PPID).
    pub Vec<String>,
);
