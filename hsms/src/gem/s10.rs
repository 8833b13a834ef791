//! Stream 10: texts on a terminal.

use super::ack::Ackc10;
use crate::item::{ItemRef, Writer};
use crate::{FromItem, SecsMessage, ToItem};

/// The number of a terminal: one byte of B (TID); 0 is the main one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Terminal(
    /// The number.
    pub u8,
);

impl ToItem for Terminal {
    fn write(&self, writer: &mut Writer) {
        writer.binary(&[self.0]);
    }
}

impl<'a> FromItem<'a> for Terminal {
    fn from_item(item: ItemRef<'a>) -> Result<Self, crate::item::ReadError> {
        u8::from_item(item).map(Self)
    }
}

/// Terminal request: an operator's text to the host.
#[derive(Clone, Debug, PartialEq, Eq, ToItem, FromItem, SecsMessage)]
#[secs(message = "S10F1", reply = S10F2)]
pub struct S10F1 {
    /// Terminal (TID).
    pub terminal: Terminal,
    /// The text (TEXT).
    pub text: String,
}

/// Terminal request acknowledge.
#[derive(Clone, Debug, PartialEq, Eq, ToItem, FromItem, SecsMessage)]
#[secs(message = "S10F2")]
pub struct S10F2(
    /// The answer (ACKC10).
    pub Ackc10,
);

/// Terminal display, single line.
#[derive(Clone, Debug, PartialEq, Eq, ToItem, FromItem, SecsMessage)]
#[secs(message = "S10F3", reply = S10F4)]
pub struct S10F3 {
    /// Terminal (TID).
    pub terminal: Terminal,
    /// The text (TEXT).
    pub text: String,
}

/// Terminal display, single line, acknowledge.
#[derive(Clone, Debug, PartialEq, Eq, ToItem, FromItem, SecsMessage)]
#[secs(message = "S10F4")]
pub struct S10F4(
    /// The answer (ACKC10).
    pub Ackc10,
);

/// Terminal display, several lines.
#[derive(Clone, Debug, PartialEq, Eq, ToItem, FromItem, SecsMessage)]
#[secs(message = "S10F5", reply = S10F6)]
pub struct S10F5 {
    /// Terminal (TID).
    pub terminal: Terminal,
    /// The lines (TEXT).
    pub lines: Vec<String>,
}

/// Terminal display, several lines, acknowledge.
#[derive(Clone, Debug, PartialEq, Eq, ToItem, FromItem, SecsMessage)]
#[secs(message = "S10F6")]
pub struct S10F6(
    /// The answer (ACKC10).
    pub Ackc10,
);

/// Broadcast: a text for all terminals.
#[derive(Clone, Debug, PartialEq, Eq, ToItem, FromItem, SecsMessage)]
#[secs(message = "S10F9", reply = S10F10)]
pub struct S10F9(
    /// The text (TEXT).
    pub String,
);

/// Broadcast acknowledge.
#[derive(Clone, Debug, PartialEq, Eq, ToItem, FromItem, SecsMessage)]
#[secs(message = "S10F10")]
pub struct S10F10(
    /// The answer (ACKC10).
    pub Ackc10,
);
