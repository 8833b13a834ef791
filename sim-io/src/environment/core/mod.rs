//! The heart: what is scheduled, who runs, and one step after the other.

mod events;
mod inbox;
mod interrupts;
mod outside;
mod processes;
mod steps;
mod timers;
mod waiting;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Waker;

use net_core::Instant;

pub(crate) use self::events::{Fire, Fired};
#[cfg(feature = "reactor")]
pub(crate) use self::inbox::Alarm;
use self::inbox::{Before, Inbox, Nearby};
pub(crate) use self::processes::{Body, End};
use self::processes::{Details, Entrant};
pub(crate) use self::steps::Stepped;
use self::timers::FOREIGN;
pub(crate) use self::waiting::WaitsFor;
use super::pace::Pace;
use super::queue::{Queue, Slot};
use super::table::Table;
use super::trace::Trace;
use crate::failure::RunError;
use crate::process::Interrupted;

/// What an environment and all that belongs to it share.
pub(crate) struct Core {
    now: Cell<Instant>,
    /// The process that runs, and where its own waker points.
    current: Cell<Option<Slot>>,
    own_waker: Cell<usize>,
    /// The timer that happened last and that a process waited for.
    fired: Cell<Slot>,
    /// The first timer that the running process has asked for in this step, and that process: noted when it waits.
    asked: Cell<Option<(Slot, Slot)>>,
    /// Conditions that are looking at their members.
    looking: Cell<usize>,
    state: RefCell<State>,
    /// The interrupt that is being delivered to the running process.
    delivered: RefCell<Option<Interrupted>>,
    inbox: Arc<Inbox>,
    nearby: Rc<Nearby>,
    running: Cell<bool>,
    /// The environment is gone: nothing happens any more.
    closed: Cell<bool>,
    random: Cell<u64>,
    /// Something may come from outside: real time is kept, or there are sockets.
    outside: Cell<bool>,
    pub(super) pace: Pace,
    #[cfg(feature = "reactor")]
    reactor: std::cell::OnceCell<std::rc::Weak<crate::reactor::Reactor>>,
    pub(crate) trace: Trace,
    endings: RefCell<Vec<Box<dyn FnOnce()>>>,
}

struct State {
    queue: Queue,
    /// Who is resumed by each timer; a timer leaves the table when it happens.
    timers: Table<Slot>,
    /// Entries of the queue whose timers are gone.
    dead: usize,
    /// Timers that a waker of somebody else's waits for.
    foreign: BTreeMap<Slot, Waker>,
    events: Table<Rc<dyn Fire>>,
    processes: Table<Entrant>,
    /// What is seldom needed of a process, by the same index.
    details: Vec<Details>,
    stop: Option<Slot>,
    stops: u32,
    spawned: u64,
    /// What the members that conditions are looking at wait for.
    looked: Vec<WaitsFor>,
}

impl Core {
    pub(crate) fn new(start: Instant, seed: u64) -> Rc<Self> {
        Rc::new(Self {
            now: Cell::new(start),
            current: Cell::new(None),
            own_waker: Cell::new(0),
            fired: Cell::new(FOREIGN),
            asked: Cell::new(None),
            looking: Cell::new(0),
            state: RefCell::new(State {
                queue: Queue::default(),
                timers: Table::default(),
                dead: 0,
                foreign: BTreeMap::new(),
                events: Table::default(),
                processes: Table::default(),
                details: Vec::new(),
                stop: None,
                stops: 0,
                spawned: 0,
                looked: Vec::new(),
            }),
            delivered: RefCell::new(None),
            inbox: Arc::default(),
            nearby: Rc::default(),
            running: Cell::new(false),
            closed: Cell::new(false),
            random: Cell::new(seed),
            outside: Cell::new(false),
            pace: Pace::default(),
            #[cfg(feature = "reactor")]
            reactor: std::cell::OnceCell::new(),
            trace: Trace::default(),
            endings: RefCell::default(),
        })
    }

    #[inline]
    pub(crate) fn now(&self) -> Instant {
        self.now.get()
    }

    /// splitmix64: small, and good enough for models and jitter.
    pub(crate) fn random(&self) -> u64 {
        let state = self.random.get().wrapping_add(0x9E37_79B9_7F4A_7C15);
        self.random.set(state);
        let z = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Marks the environment as running, until the guard is dropped.
    pub(crate) fn enter(&self) -> Result<Running<'_>, RunError> {
        if self.running.replace(true) {
            return Err(RunError::Nested);
        }
        Ok(Running(self, self.runs_here()))
    }

    /// Drops every process and everything that is scheduled. Processes hold handles on their environment, so without
    /// this nothing would ever be freed.
    pub(crate) fn clear(&self) {
        self.closed.set(true);
        let (processes, details, events, foreign) = {
            let state = &mut *self.state.borrow_mut();
            state.queue = Queue::default();
            (
                state.processes.drain(),
                std::mem::take(&mut state.details),
                state.events.drain(),
                std::mem::take(&mut state.foreign),
            )
        };
        drop(processes);
        drop((details, events, foreign));
        self.trace.unwatch();
        let endings = std::mem::take(&mut *self.endings.borrow_mut());
        endings.into_iter().for_each(|ending| ending());
    }

    /// Has something done when the environment ends, after its processes were dropped.
    pub(crate) fn at_end(&self, ending: impl FnOnce() + 'static) {
        self.endings.borrow_mut().push(Box::new(ending));
    }
}

/// The environment runs.
pub(crate) struct Running<'a>(
    &'a Core,
    #[expect(dead_code, reason = "its drop says who runs on this thread again")] Before,
);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.running.set(false);
        // A time to stop at is this run's alone.
        if let Ok(mut state) = self.0.state.try_borrow_mut() {
            state.stop = None;
        }
    }
}
