//! The process tool: a cluster with two load ports, a robot and three chambers, simulated by sim-io's processes and
//! resources, which speaks HSMS as equipment.
//!
//! `machine` is what happens inside, `memory` what survives a loss of power, `equipment` what the host sees.

mod equipment;
mod machine;
mod memory;

use std::fmt;
use std::time::Duration;

pub(crate) use equipment::{Tool, run};
pub(crate) use memory::Memory;

/// How many lots can be in the tool.
pub(crate) const PORTS: usize = 2;
/// The chambers.
pub(crate) const CHAMBERS: [&str; 3] = ["A", "B", "C"];

/// Status variables (SVID).
pub(crate) const SV_PROCESSED: u32 = 1;
pub(crate) const SV_SPOOLED: u32 = 2;

/// What the tool reports, by its number (CEID).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum EventKind {
    PowerOn = 1,
    Paused = 2,
    Resumed = 3,
    LotStarted = 10,
    LotDone = 11,
    WaferStarted = 20,
    WaferDone = 21,
    WaferScrapped = 22,
}

impl EventKind {
    const ALL: [Self; 8] = [
        Self::PowerOn,
        Self::Paused,
        Self::Resumed,
        Self::LotStarted,
        Self::LotDone,
        Self::WaferStarted,
        Self::WaferDone,
        Self::WaferScrapped,
    ];

    pub(crate) fn of(ceid: u64) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as u64 == ceid)
    }

    /// The word for it in messages to programs.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::PowerOn => "power_on",
            Self::Paused => "paused",
            Self::Resumed => "resumed",
            Self::LotStarted => "lot_started",
            Self::LotDone => "lot_done",
            Self::WaferStarted => "wafer_started",
            Self::WaferDone => "wafer_done",
            Self::WaferScrapped => "wafer_scrapped",
        }
    }
}

/// Something that happened in the tool. The serial number goes on after a loss of power, so that nobody takes one for
/// another, or twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ToolEvent {
    pub(crate) serial: u32,
    pub(crate) at: Duration,
    pub(crate) kind: EventKind,
    pub(crate) lot: String,
    /// The wafer's number; of a lot that is done, how many wafers of it are good.
    pub(crate) wafer: u32,
    /// The chamber or the port.
    pub(crate) place: String,
}

impl fmt::Display for ToolEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { lot, wafer, place, .. } = self;
        match self.kind {
            EventKind::PowerOn => f.write_str("power on"),
            EventKind::Paused => f.write_str("paused: no wafer leaves its port"),
            EventKind::Resumed => f.write_str("resumed"),
            EventKind::LotStarted => write!(f, "{lot} started at port {place}"),
            EventKind::LotDone => write!(f, "{lot} done at port {place}: {wafer} good wafers"),
            EventKind::WaferStarted => write!(f, "{lot} wafer {wafer} in chamber {place}"),
            EventKind::WaferDone => write!(f, "{lot} wafer {wafer} done in chamber {place}"),
            EventKind::WaferScrapped => write!(f, "{lot} wafer {wafer} was in the tool at the loss of power: scrapped"),
        }
    }
}
