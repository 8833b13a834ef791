//! Stream 5: alarms.

use super::Id;
use super::ack::Accepted;
use crate::item::{Array, Item, ItemRef, Writer};
use crate::{FromItem, SecsMessage, ToItem};

/// Alarm report.
#[derive(Clone, Debug, PartialEq, Eq, ToItem, FromItem, SecsMessage)]
#[secs(message = "S5F1", reply = S5F2)]
pub struct S5F1(
    /// The alarm.
    pub Alarm,
);

/// An alarm and its state.
#[derive(Clone, Debug, PartialEq, Eq, ToItem, FromItem)]
pub struct Alarm {
    /// Whether it is set, and its category (ALCD).
    pub alcd: AlarmCode,
    /// Alarm (ALID).
    pub alid: Id,
    /// What it says (ALTX).
    pub text: String,
}

/// Whether an alarm is set, and its category: one byte of B (ALCD).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AlarmCode(
    /// The byte.
    pub u8,
);

impl AlarmCode {
    /// Of a state and a category, 0 to 127.
    #[must_use]
    pub const fn new(set: bool, category: u8) -> Self {
        Self((category & 0x7F) | if set { 0x80 } else { 0 })
    }

    /// Whether the alarm is set; if not, it has been cleared.
    #[must_use]
    pub const fn is_set(self) -> bool {
        self.0 & 0x80 != 0
    }

    /// The category, 0 to 127.
    #[must_use]
    pub const fn category(self) -> u8 {
        self.0 & 0x7F
    }
}

impl ToItem for AlarmCode {
    fn write(&self, writer: &mut Writer) {
        writer.binary(&[self.0]);
    }
}

impl<'a> FromItem<'a> for AlarmCode {
    fn from_item(item: ItemRef<'a>) -> Result<Self, crate::item::ReadError> {
        u8::from_item(item).map(Self)
    }
}

/// Alarm report acknowledge.
#[derive(Clone, Debug, PartialEq, Eq, ToItem, FromItem, SecsMessage)]
#[secs(message = "S5F2")]
pub struct S5F2(
    /// The answer (ACKC5).
    pub Accepted,
);

/// Enable or disable alarm send.
#[derive(Clone, Debug, PartialEq, Eq, ToItem, FromItem, SecsMessage)]
#[secs(message = "S5F3", reply = S5F4)]
pub struct S5F3 {
    /// Whether to enable (ALED).
    pub aled: AlarmEnable,
    /// Alarm (ALID); an item without values means all.
    pub alid: Id,
}

/// Whether an alarm is to be sent: one byte of B (ALED).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AlarmEnable(
    /// Whether.
    pub bool,
);

impl ToItem for AlarmEnable {
    fn write(&self, writer: &mut Writer) {
        writer.binary(&[if self.0 { 0x80 } else { 0 }]);
    }
}

impl<'a> FromItem<'a> for AlarmEnable {
    fn from_item(item: ItemRef<'a>) -> Result<Self, crate::item::ReadError> {
        u8::from_item(item).map(|byte| Self(byte & 0x80 != 0))
    }
}

/// Enable or disable alarm acknowledge.
#[derive(Clone, Debug, PartialEq, Eq, ToItem, FromItem, SecsMessage)]
#[secs(message = "S5F4")]
pub struct S5F4(
    /// The answer (ACKC5).
    pub Accepted,
);

/// List alarms request.
#[derive(Clone, Debug, PartialEq, Eq, ToItem, FromItem, SecsMessage)]
#[secs(message = "S5F5", reply = S5F6)]
pub struct S5F5(
    /// Alarms (ALID): an array; without values it asks for all. Some equipment takes a list.
    pub Item,
);

impl S5F5 {
    /// Asks for these alarms; for all, if there are none.
    #[must_use]
    pub fn of(alarms: &[u32]) -> Self {
        Self(Item::numbers(alarms))
    }

    /// The alarms, if they are numbers of four bytes.
    ///
    /// # Errors
    /// If they are something else.
    pub fn numbers(&self) -> Result<Vec<u32>, crate::item::ReadError> {
        self.0.read::<Array<u32>>().map(|array| array.0)
    }
}

/// List alarm data.
#[derive(Clone, Debug, PartialEq, Eq, ToItem, FromItem, SecsMessage)]
#[secs(message = "S5F6")]
pub struct S5F6(
    /// The alarms.
    pub Vec<Alarm>,
);

/// List enabled alarm request.
#[derive(Clone, Debug, PartialEq, Eq, ToItem, FromItem, SecsMessage)]
#[secs(message = "S5F7", reply = S5F8)]
pub struct S5F7;

/// List enabled alarm data.
#[derive(Clone, Debug, PartialEq, Eq, ToItem, FromItem, SecsMessage)]
#[secs(message = "S5F8")]
pub struct S5F8(
    /// The alarms.
    pub Vec<Alarm>,
);
