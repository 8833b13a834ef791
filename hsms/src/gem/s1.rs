//! Stream 1: who is there, status, online and offline.

use super::Id;
use super::ack::{Commack, Oflack, Onlack};
use crate::item::Item;
use crate::{FromItem, SecsMessage, ToItem};

/// What an equipment says of itself.
#[derive(Clone, Debug, PartialEq, Eq, ToItem, FromItem)]
pub struct Model {
    /// Model type (MDLN).
    pub mdln: String,
    /// Software revision (SOFTREV).
    pub softrev: String,
}

/// Are you there?
#[derive(Clone, Debug, PartialEq, Eq, ToItem, FromItem, SecsMessage)]
#[secs(message = "S1F1", reply = S1F2)]
pub struct S1F1;

/// Online data: an equipment tells its model, a host nothing.
#[derive(Clone, Debug, PartialEq, Eq, ToItem, FromItem, SecsMessage)]
#[secs(message = "S1F2")]
pub struct S1F2(
    /// The model, from an equipment.
    pub Option<Model>,
);

/// Selected equipment status request.
#[derive(Clone, Debug, PartialEq, Eq, ToItem, FromItem, SecsMessage)]
#[secs(message = "S1F3", reply = S1F4)]
pub struct S1F3(
    /// Status variables (SVID); none asks for all.
    pub Vec<Id>,
);

/// Selected equipment status data.
#[derive(Clone, Debug, PartialEq, Eq, ToItem, FromItem, SecsMessage)]
#[secs(message = "S1F4")]
pub struct S1F4(
    /// Values (SV) in the order asked for; an empty list stands for an unknown variable.
    pub Vec<Item>,
);

/// Status variable namelist request.
#[derive(Clone, Debug, PartialEq, Eq, ToItem, FromItem, SecsMessage)]
#[secs(message = "S1F11", reply = S1F12)]
pub struct S1F11(
    /// Status variables (SVID); none asks for all.
    pub Vec<Id>,
);

/// Status variable namelist.
#[derive(Clone, Debug, PartialEq, Eq, ToItem, FromItem, SecsMessage)]
#[secs(message = "S1F12")]
pub struct S1F12(
    /// The variables.
    pub Vec<StatusVariable>,
);

/// A status variable's name.
#[derive(Clone, Debug, PartialEq, Eq, ToItem, FromItem)]
pub struct StatusVariable {
    /// Status variable (SVID).
    pub svid: Id,
    /// Name (SVNAME).
    pub name: String,
    /// Units of its value (UNITS).
    pub units: String,
}

/// Establish communications request.
#[derive(Clone, Debug, PartialEq, Eq, ToItem, FromItem, SecsMessage)]
#[secs(message = "S1F13", reply = S1F14)]
pub struct S1F13(
    /// The model, from an equipment; a host sends none.
    pub Option<Model>,
);

/// Establish communications acknowledge.
#[derive(Clone, Debug, PartialEq, Eq, ToItem, FromItem, SecsMessage)]
#[secs(message = "S1F14")]
pub struct S1F14 {
    /// Whether communication is established (COMMACK).
    pub commack: Commack,
    /// The model, from an equipment.
    pub model: Option<Model>,
}

/// Request offline.
#[derive(Clone, Debug, PartialEq, Eq, ToItem, FromItem, SecsMessage)]
#[secs(message = "S1F15", reply = S1F16)]
pub struct S1F15;

/// Offline acknowledge.
#[derive(Clone, Debug, PartialEq, Eq, ToItem, FromItem, SecsMessage)]
#[secs(message = "S1F16")]
pub struct S1F16(
    /// The answer (OFLACK).
    pub Oflack,
);

/// Request online.
#[derive(Clone, Debug, PartialEq, Eq, ToItem, FromItem, SecsMessage)]
#[secs(message = "S1F17", reply = S1F18)]
pub struct S1F17;

/// Online acknowledge.
#[derive(Clone, Debug, PartialEq, Eq, ToItem, FromItem, SecsMessage)]
#[secs(message = "S1F18")]
pub struct S1F18(
    /// The answer (ONLACK).
    pub Onlack,
);
