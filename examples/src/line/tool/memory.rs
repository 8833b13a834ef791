//! What the tool keeps through a loss of power: the jobs at its ports, and what the host has not yet heard.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Notify;

use super::{EventKind, PORTS, ToolEvent};
use crate::line::news::Alarm;
use crate::line::plan::WAFERS;
use crate::line::story::lock;
use crate::line::tally::Tally;

/// Most reports that wait for the host; with more the oldest go. A shift has fewer.
const SPOOL: usize = 10_000;
/// Lots that were started and are remembered, so that none is started twice.
const REMEMBERED: usize = 100;

/// A job: a lot at a port.
#[derive(Clone, Debug)]
pub(super) struct Job {
    pub(super) lot: String,
    /// Seconds in the chamber.
    pub(super) seconds: u64,
    pub(super) wafers: Vec<Wafer>,
}

/// Where a wafer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wafer {
    AtPort,
    InTool,
    Done,
    Scrapped,
}

/// What is to be told to the host.
#[derive(Clone, Debug)]
pub(super) enum Report {
    Event(ToolEvent),
    Alarm(Alarm),
}

#[derive(Debug, Default)]
struct State {
    jobs: [Option<Job>; PORTS],
    spool: VecDeque<Report>,
    /// Reports that found the spool full: lost, and counted.
    lost: u64,
    processed: u32,
    /// Alarms that are set, with their texts.
    alarms: BTreeMap<u32, (bool, String)>,
    /// The serial number of the last event.
    serial: u32,
    /// All that was ever reported: what the checks compare with.
    events: Tally,
    history: Tally,
    /// The last lots that were started.
    started: VecDeque<String>,
    scrapped: u32,
}

/// The memory. Clones are handles on the same one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Memory {
    state: Arc<Mutex<State>>,
    reported: Arc<Notify>,
}

impl Memory {
    /// The events that the tool has reported.
    pub(crate) fn events(&self) -> Tally {
        lock(&self.state).events
    }

    /// The alarms that were set and cleared.
    pub(crate) fn alarms(&self) -> Tally {
        lock(&self.state).history
    }

    /// Wafers that are done, and wafers that were scrapped.
    pub(crate) fn wafers(&self) -> (u32, u32) {
        let state = lock(&self.state);
        (state.processed, state.scrapped)
    }

    /// How many reports wait for the host.
    pub(crate) fn spooled(&self) -> usize {
        lock(&self.state).spool.len()
    }

    /// How many reports were lost for lack of room.
    pub(crate) fn lost(&self) -> u64 {
        lock(&self.state).lost
    }

    pub(super) fn report(&self, at: Duration, kind: EventKind, lot: &str, wafer: u32, place: &str) {
        let state = &mut *lock(&self.state);
        state.serial += 1;
        if kind == EventKind::LotStarted {
            state.started.push_back(lot.to_owned());
            if state.started.len() > REMEMBERED {
                state.started.pop_front();
            }
        }
        let event = ToolEvent {
            serial: state.serial,
            at,
            kind,
            lot: lot.to_owned(),
            wafer,
            place: place.to_owned(),
        };
        state.events.note(event.serial);
        state.spool(Report::Event(event));
        self.reported.notify_one();
    }

    /// Sets or clears an alarm.
    pub(super) fn alarm(&self, at: Duration, id: u32, set: bool, stops: bool, text: &str) {
        let state = &mut *lock(&self.state);
        if set {
            state.alarms.insert(id, (stops, text.to_owned()));
        } else {
            state.alarms.remove(&id);
        }
        let alarm = Alarm {
            at,
            id,
            set,
            stops,
            text: text.to_owned(),
        };
        state.history.note(alarm.key());
        state.spool(Report::Alarm(alarm));
        self.reported.notify_one();
    }

    /// The alarms that are set.
    pub(super) fn open_alarms(&self) -> Vec<(u32, bool, String)> {
        let state = lock(&self.state);
        let open = state.alarms.iter();
        open.map(|(id, (stops, text))| (*id, *stops, text.clone())).collect()
    }

    /// The oldest report that the host has not confirmed; waits for one. Cancel safe.
    pub(super) async fn oldest(&self) -> Report {
        loop {
            if let Some(report) = lock(&self.state).spool.front() {
                return report.clone();
            }
            self.reported.notified().await;
        }
    }

    /// The host has confirmed the oldest.
    pub(super) fn confirmed(&self) {
        lock(&self.state).spool.pop_front();
    }

    /// Puts a job at a free port; the port, or `None` if there is none.
    pub(super) fn load(&self, lot: &str, seconds: u64) -> Option<usize> {
        let state = &mut *lock(&self.state);
        let port = state.jobs.iter().position(Option::is_none)?;
        let job = Job {
            lot: lot.to_owned(),
            seconds,
            wafers: vec![Wafer::AtPort; WAFERS as usize],
        };
        *state.jobs.get_mut(port)? = Some(job);
        Some(port)
    }

    /// Whether a lot was started.
    pub(super) fn knows(&self, lot: &str) -> bool {
        lock(&self.state).started.iter().any(|known| known == lot)
    }

    pub(super) fn job(&self, port: usize) -> Option<Job> {
        lock(&self.state).jobs.get(port)?.clone()
    }

    /// The job at the port is over.
    pub(super) fn unload(&self, port: usize) {
        if let Some(place) = lock(&self.state).jobs.get_mut(port) {
            *place = None;
        }
    }

    /// Notes where a wafer is; they count from 1.
    pub(super) fn note(&self, port: usize, wafer: u32, place: Wafer) {
        let state = &mut *lock(&self.state);
        let Some(Some(job)) = state.jobs.get_mut(port) else {
            return;
        };
        let Some(noted) = job.wafers.get_mut(wafer as usize - 1) else {
            return;
        };
        *noted = place;
        state.processed += u32::from(place == Wafer::Done);
        state.scrapped += u32::from(place == Wafer::Scrapped);
    }
}

impl State {
    fn spool(&mut self, report: Report) {
        if self.spool.len() >= SPOOL {
            self.spool.pop_front();
            self.lost += 1;
        }
        self.spool.push_back(report);
    }
}
