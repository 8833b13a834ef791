//! Stream 6: collected data.

use super::Id;
use super::ack::{Accepted, Grant6, Rsda};
use crate::item::Item;
use crate::{FromItem, SecsMessage, ToItem};

/// Trace data send.
#[derive(Clone, Debug, PartialEq, Eq, ToItem, FromItem, SecsMessage)]
#[secs(message = "S6F1", reply = S6F2)]
pub struct S6F1 {
    /// Trace (TRID).
    pub trid: Id,
    /// Number of the sample (SMPLN).
    pub smpln: Item,
    /// When it was taken (STIME).
    pub stime: String,
    /// Values (SV).
    pub values: Vec<Item>,
}

/// Trace data acknowledge.
#[derive(Clone, Debug, PartialEq, Eq, ToItem, FromItem, SecsMessage)]
#[secs(message = "S6F2")]
pub struct S6F2(
    /// The answer (ACKC6).
    pub Accepted,
);

/// Multi-block data send inquire.
#[derive(Clone, Debug, PartialEq, Eq, ToItem, FromItem, SecsMessage)]
#[secs(message = "S6F5", reply = S6F6)]
pub struct S6F5 {
    /// What is to be sent (DATAID).
    pub dataid: Id,
    /// How many bytes (DATALENGTH).
    pub length: u32,
}

/// Multi-block grant.
#[derive(Clone, Debug, PartialEq, Eq, ToItem, FromItem, SecsMessage)]
#[secs(message = "S6F6")]
pub struct S6F6(
    /// The answer (GRANT6).
    pub Grant6,
);

/// Event report send.
#[derive(Clone, Debug, PartialEq, Eq, ToItem, FromItem, SecsMessage)]
#[secs(message = "S6F11", reply = S6F12)]
pub struct S6F11(
    /// The event and its reports.
    pub EventReport,
);

/// A collection event with its reports.
#[derive(Clone, Debug, PartialEq, Eq, ToItem, FromItem)]
pub struct EventReport {
    /// Ties it to an inquiry (DATAID).
    pub dataid: Id,
    /// Collection event (CEID).
    pub ceid: Id,
    /// The reports linked to it.
    pub reports: Vec<Report>,
}

/// A report.
#[derive(Clone, Debug, PartialEq, Eq, ToItem, FromItem)]
pub struct Report {
    /// Report (RPTID).
    pub rptid: Id,
    /// Values (V), in the order of its definition.
    pub values: Vec<Item>,
}

/// Event report acknowledge.
#[derive(Clone, Debug, PartialEq, Eq, ToItem, FromItem, SecsMessage)]
#[secs(message = "S6F12")]
pub struct S6F12(
    /// The answer (ACKC6).
    pub Accepted,
);

/// Event report request.
#[derive(Clone, Debug, PartialEq, Eq, ToItem, FromItem, SecsMessage)]
#[secs(message = "S6F15", reply = S6F16)]
pub struct S6F15(
    /// Collection event (CEID).
    pub Id,
);

/// Event report data.
#[derive(Clone, Debug, PartialEq, Eq, ToItem, FromItem, SecsMessage)]
#[secs(message = "S6F16")]
pub struct S6F16(
    /// The event and its reports.
    pub EventReport,
);

/// Individual report request.
#[derive(Clone, Debug, PartialEq, Eq, ToItem, FromItem, SecsMessage)]
#[secs(message = "S6F19", reply = S6F20)]
pub struct S6F19(
    /// Report (RPTID).
    pub Id,
);

/// Individual report data.
#[derive(Clone, Debug, PartialEq, Eq, ToItem, FromItem, SecsMessage)]
#[secs(message = "S6F20")]
pub struct S6F20(
    /// Values (V), in the order of the report's definition.
    pub Vec<Item>,
);

/// Request spooled data.
#[derive(Clone, Debug, PartialEq, Eq, ToItem, FromItem, SecsMessage)]
#[secs(message = "S6F23", reply = S6F24)]
pub struct S6F23(
    /// 0 asks to send it, 1 to discard it (RSDC).
    pub u8,
);

/// Request spooled data acknowledge.
#[derive(Clone, Debug, PartialEq, Eq, ToItem, FromItem, SecsMessage)]
#[secs(message = "S6F24")]
pub struct S6F24(
    /// The answer (RSDA).
    pub Rsda,
);
