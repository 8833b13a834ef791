//! Stream 2: constants, clock, loopback, reports, remote commands.

use super::Id;
use super::ack::{Cpack, Drack, Eac, Erack, Hcack, Lrack, Tiack};
use crate::item::Item;
use crate::{Bytes, FromItem, SecsMessage, ToItem};

/// Equipment constant request.
#[derive(Clone, Debug, PartialEq, Eq, ToItem, FromItem, SecsMessage)]
#[secs(message = "S2F13", reply = S2F14)]
pub struct S2F13(
    /// Constants (ECID); none asks for all.
    pub Vec<Id>,
);

/// Equipment constant data.
#[derive(Clone, Debug, PartialEq, Eq, ToItem, FromItem, SecsMessage)]
#[secs(message = "S2F14")]
pub struct S2F14(
    /// Values (ECV) in the order asked for.
    pub Vec<Item>,
);

/// New equipment constants.
#[derive(Clone, Debug, PartialEq, Eq, ToItem, FromItem, SecsMessage)]
#[secs(message = "S2F15", reply = S2F16)]
pub struct S2F15(
    /// The constants to set.
    pub Vec<Constant>,
);

/// An equipment constant and its value.
#[derive(Clone, Debug, PartialEq, Eq, ToItem, FromItem)]
pub struct Constant {
    /// Constant (ECID).
    pub ecid: Id,
    /// Value (ECV).
    pub ecv: Item,
}

/// New equipment constants acknowledge.
#[derive(Clone, Debug, PartialEq, Eq, ToItem, FromItem, SecsMessage)]
#[secs(message = "S2F16")]
pub struct S2F16(
    /// The answer (EAC).
    pub Eac,
);

/// Date and time request.
#[derive(Clone, Debug, PartialEq, Eq, ToItem, FromItem, SecsMessage)]
#[secs(message = "S2F17", reply = S2F18)]
pub struct S2F17;

/// Date and time data.
#[derive(Clone, Debug, PartialEq, Eq, ToItem, FromItem, SecsMessage)]
#[secs(message = "S2F18")]
pub struct S2F18(
    /// The time (TIME), most often 16 digits: year to hundredths of a second.
    pub String,
);

/// Loopback diagnostic request.
#[derive(Clone, Debug, PartialEq, Eq, ToItem, FromItem, SecsMessage)]
#[secs(message = "S2F25", reply = S2F26)]
pub struct S2F25(
    /// Any bytes (ABS).
    pub Bytes,
);

/// Loopback diagnostic data.
#[derive(Clone, Debug, PartialEq, Eq, ToItem, FromItem, SecsMessage)]
#[secs(message = "S2F26")]
pub struct S2F26(
    /// The same bytes (ABS).
    pub Bytes,
);

/// Equipment constant namelist request.
#[derive(Clone, Debug, PartialEq, Eq, ToItem, FromItem, SecsMessage)]
#[secs(message = "S2F29", reply = S2F30)]
pub struct S2F29(
    /// Constants (ECID); none asks for all.
    pub Vec<Id>,
);

/// Equipment constant namelist.
#[derive(Clone, Debug, PartialEq, Eq, ToItem, FromItem, SecsMessage)]
#[secs(message = "S2F30")]
pub struct S2F30(
    /// The constants.
    pub Vec<ConstantName>,
);

/// What an equipment constant is.
#[derive(Clone, Debug, PartialEq, Eq, ToItem, FromItem)]
pub struct ConstantName {
    /// Constant (ECID).
    pub ecid: Id,
    /// Name (ECNAME).
    pub name: String,
    /// Least value (ECMIN).
    pub min: Item,
    /// Greatest value (ECMAX).
    pub max: Item,
    /// Value it begins with (ECDEF).
    pub default: Item,
    /// Units of its value (UNITS).
    pub units: String,
}

/// Date and time set request.
#[derive(Clone, Debug, PartialEq, Eq, ToItem, FromItem, SecsMessage)]
#[secs(message = "S2F31", reply = S2F32)]
pub struct S2F31(
    /// The time (TIME), as in [`S2F18`].
    pub String,
);

/// Date and time set acknowledge.
#[derive(Clone, Debug, PartialEq, Eq, ToItem, FromItem, SecsMessage)]
#[secs(message = "S2F32")]
pub struct S2F32(
    /// The answer (TIACK).
    pub Tiack,
);

/// Define report.
#[derive(Clone, Debug, PartialEq, Eq, ToItem, FromItem, SecsMessage)]
#[secs(message = "S2F33", reply = S2F34)]
pub struct S2F33 {
    /// Ties it to an inquiry (DATAID).
    pub dataid: Id,
    /// The reports; none deletes all.
    pub reports: Vec<ReportDefinition>,
}

/// Which variables a report has.
#[derive(Clone, Debug, PartialEq, Eq, ToItem, FromItem)]
pub struct ReportDefinition {
    /// Report (RPTID).
    pub rptid: Id,
    /// Variables (VID); none deletes the report.
    pub vids: Vec<Id>,
}

/// Define report acknowledge.
#[derive(Clone, Debug, PartialEq, Eq, ToItem, FromItem, SecsMessage)]
#[secs(message = "S2F34")]
pub struct S2F34(
    /// The answer (DRACK).
    pub Drack,
);

/// Link event report.
#[derive(Clone, Debug, PartialEq, Eq, ToItem, FromItem, SecsMessage)]
#[secs(message = "S2F35", reply = S2F36)]
pub struct S2F35 {
    /// Ties it to an inquiry (DATAID).
    pub dataid: Id,
    /// The links.
    pub links: Vec<EventLink>,
}

/// Which reports an event has.
#[derive(Clone, Debug, PartialEq, Eq, ToItem, FromItem)]
pub struct EventLink {
    /// Collection event (CEID).
    pub ceid: Id,
    /// Reports (RPTID); none unlinks all.
    pub rptids: Vec<Id>,
}

/// Link event report acknowledge.
#[derive(Clone, Debug, PartialEq, Eq, ToItem, FromItem, SecsMessage)]
#[secs(message = "S2F36")]
pub struct S2F36(
    /// The answer (LRACK).
    pub Lrack,
);

/// Enable or disable event reports.
#[derive(Clone, Debug, PartialEq, Eq, ToItem, FromItem, SecsMessage)]
#[secs(message = "S2F37", reply = S2F38)]
pub struct S2F37 {
    /// Whether to enable (CEED).
    pub enable: bool,
    /// Collection events (CEID); none means all.
    pub ceids: Vec<Id>,
}

/// Enable or disable event reports acknowledge.
#[derive(Clone, Debug, PartialEq, Eq, ToItem, FromItem, SecsMessage)]
#[secs(message = "S2F38")]
pub struct S2F38(
    /// The answer (ERACK).
    pub Erack,
);

/// Host command send.
#[derive(Clone, Debug, PartialEq, Eq, ToItem, FromItem, SecsMessage)]
#[secs(message = "S2F41", reply = S2F42)]
pub struct S2F41 {
    /// Command (RCMD).
    pub rcmd: String,
    /// Its parameters.
    pub parameters: Vec<Parameter>,
}

/// A parameter of a host command.
#[derive(Clone, Debug, PartialEq, Eq, ToItem, FromItem)]
pub struct Parameter {
    /// Name (CPNAME).
    pub name: Id,
    /// Value (CPVAL).
    pub value: Item,
}

/// Host command acknowledge.
#[derive(Clone, Debug, PartialEq, Eq, ToItem, FromItem, SecsMessage)]
#[secs(message = "S2F42")]
pub struct S2F42 {
    /// The answer (HCACK).
    pub hcack: Hcack,
    /// The parameters that are wrong.
    pub parameters: Vec<ParameterAck>,
}

/// What is wrong with a parameter.
#[derive(Clone, Debug, PartialEq, Eq, ToItem, FromItem)]
pub struct ParameterAck {
    /// Name (CPNAME).
    pub name: Id,
    /// What is wrong (CPACK).
    pub cpack: Cpack,
}
