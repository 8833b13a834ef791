//! The heart: what is scheduled, who runs, and one step after the other.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::num::NonZeroU32;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use net_core::Instant;

use super::pace::Pace;
use super::queue::{Entry, Priority, Queue, Slot, Target};
use super::table::Table;
use super::trace::{Trace, Traced};
use crate::failure::{Blocked, Failure, RunError};
use crate::process::Interrupted;

/// What an environment and all that belongs to it share.
pub(crate) struct Core {
    now: Cell<Instant>,
    /// The process that runs, and where its own waker points.
    current: Cell<Option<Slot>>,
    own_waker: Cell<usize>,
    state: RefCell<State>,
    /// The interrupt that is being delivered to the running process.
    delivered: RefCell<Option<Interrupted>>,
    inbox: Arc<Inbox>,
    running: Cell<bool>,
    /// The environment is gone: nothing happens any more.
    closed: Cell<bool>,
    random: Cell<u64>,
    pub(super) pace: Pace,
    pub(crate) trace: Trace,
    endings: RefCell<Vec<Box<dyn FnOnce()>>>,
}

struct State {
    queue: Queue,
    /// Who is resumed by each timer; a timer leaves the table when it happens.
    timers: Table<Option<Slot>>,
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
    /// Conditions that are looking at their members, and what those wait for.
    looking: usize,
    looked: Vec<WaitsFor>,
}

/// Stands for somebody in `foreign`.
const FOREIGN: Slot = Slot {
    index: u32::MAX,
    generation: NonZeroU32::MAX,
};

/// What the environment runs for a process.
pub(crate) trait Body {
    /// Goes on until it waits or ends.
    fn go_on(self: Pin<&mut Self>) -> Poll<()>;
}

/// The event of a process's end, whatever its value.
pub(crate) trait End {
    /// The process failed.
    fn fail(self: Rc<Self>, failure: Failure);
}

/// A process, as the scheduler needs it at each step.
struct Entrant {
    /// Taken out while it runs.
    body: Option<Pin<Box<dyn Body>>>,
    own_waker: usize,
    killed: bool,
    /// `Details::waits_for` tells of now, not of before.
    waits: bool,
}

#[derive(Default)]
struct Details {
    name: Option<Rc<str>>,
    waits_for: WaitsFor,
    /// The interrupts that are scheduled, in order.
    interrupts: VecDeque<Interrupted>,
    end: Option<Rc<dyn End>>,
}

/// What a process waits for, for people to read.
#[derive(Clone, Debug, Default)]
pub(crate) enum WaitsFor {
    /// A timeout, or something that is not of this crate.
    #[default]
    Unknown,
    Timeout(Instant),
    Thing(&'static str, Option<Rc<str>>),
    Group(&'static str, Vec<WaitsFor>),
}

impl WaitsFor {
    fn describe(&self) -> String {
        match self {
            Self::Unknown => "something outside the environment".to_owned(),
            Self::Timeout(at) => format!("a timeout at {at}"),
            Self::Thing(kind, None) => format!("{kind} without a name"),
            Self::Thing(kind, Some(name)) => format!("{kind} {name:?}"),
            Self::Group(which, members) => {
                let members: Vec<_> = members.iter().map(Self::describe).collect();
                format!("{which} of ({})", members.join(", "))
            }
        }
    }
}

/// An event that is in the queue, whatever its value.
pub(crate) trait Fire {
    /// Processes the event: runs its callbacks in order.
    fn fire(self: Rc<Self>, core: &Rc<Core>) -> Fired;
    /// For traces.
    fn name(&self) -> Option<Rc<str>>;
}

/// How the processing of an event ended.
pub(crate) enum Fired {
    /// Well.
    On,
    /// The run was to last until here; what else waited goes on when the run does.
    Stopped,
    /// With a failure that nobody took, and whom it belongs to.
    Unhandled(String, Failure),
}

/// Wakes from outside: other threads, and futures that are not of this crate.
#[derive(Default)]
struct Inbox {
    any: AtomicBool,
    woken: Mutex<Vec<Slot>>,
    /// For a run that waits for real time to pass.
    arrived: Condvar,
}

struct ProcessWaker {
    slot: Slot,
    inbox: Arc<Inbox>,
}

impl Wake for ProcessWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.inbox
            .woken
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(self.slot);
        self.inbox.any.store(true, Ordering::Release);
        self.inbox.arrived.notify_one();
    }
}

/// What one step did.
pub(crate) enum Stepped {
    /// Something happened.
    On,
    /// The end that was asked for.
    Stopped,
    /// Nothing is scheduled.
    Empty,
}

/// Who goes on at a step.
enum Next {
    Process(Slot, Option<(Pin<Box<dyn Body>>, usize)>),
    Foreign(Waker),
    Nobody,
    Other,
}

impl Core {
    pub(crate) fn new(start: Instant, seed: u64) -> Rc<Self> {
        Rc::new(Self {
            now: Cell::new(start),
            current: Cell::new(None),
            own_waker: Cell::new(0),
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
                looking: 0,
                looked: Vec::new(),
            }),
            delivered: RefCell::new(None),
            inbox: Arc::default(),
            running: Cell::new(false),
            closed: Cell::new(false),
            random: Cell::new(seed),
            pace: Pace::default(),
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

    // Timers.

    /// Schedules a timer; it counts in the order of things from now on.
    #[inline]
    pub(crate) fn timer(&self, at: Instant, priority: Priority) -> Slot {
        let state = &mut *self.state.borrow_mut();
        let slot = state.timers.insert(None);
        state.queue.push(at, priority, Target::Timer, slot);
        slot
    }

    /// Whether a timer has happened; if not, who asks will be resumed when it does.
    #[inline]
    pub(crate) fn poll_timer(&self, slot: Slot, at: Instant, cx: &Context<'_>) -> bool {
        // Wakers are somebody else's: they are dropped outside of the borrow.
        let _replaced;
        let state = &mut *self.state.borrow_mut();
        let Some(waiter) = state.timers.get_mut(slot) else {
            return true;
        };
        match self.asking(cx) {
            Some(process) => *waiter = Some(process),
            None => {
                *waiter = Some(FOREIGN);
                _replaced = state.foreign.insert(slot, cx.waker().clone());
            }
        }
        if state.looking > 0 {
            state.looked.push(WaitsFor::Timeout(at));
        }
        false
    }

    /// Whether it has happened, without waiting for it.
    pub(crate) fn has_fired(&self, slot: Slot) -> bool {
        self.state.borrow().timers.get(slot).is_none()
    }

    /// Nobody is to be resumed by this timer any more.
    pub(crate) fn unwait_timer(&self, slot: Slot) {
        if let Some(waiter) = self.state.borrow_mut().timers.get_mut(slot) {
            *waiter = None;
        }
    }

    /// Cancels a timer. Its entry stays in the queue until its time, unless most of the queue is such entries.
    #[inline]
    pub(crate) fn drop_timer(&self, slot: Slot) {
        let _removed;
        let state = &mut *self.state.borrow_mut();
        let Some(waiter) = state.timers.remove(slot) else {
            return;
        };
        if waiter == Some(FOREIGN) {
            _removed = state.foreign.remove(&slot);
        }
        state.dead += 1;
        if state.dead > 64 && state.dead * 2 > state.queue.len() {
            let timers = &state.timers;
            state
                .queue
                .retain(|entry| entry.target() != Target::Timer || timers.get(entry.slot()).is_some());
            state.dead = 0;
        }
    }

    // Events.

    /// Puts a triggered event into the queue.
    pub(crate) fn schedule(&self, event: Rc<dyn Fire>, at: Instant, priority: Priority) {
        if self.closed.get() {
            return;
        }
        let state = &mut *self.state.borrow_mut();
        let slot = state.events.insert(event);
        state.queue.push(at, priority, Target::Event, slot);
    }

    /// Puts an event back into the queue, before everything else.
    pub(crate) fn schedule_first(&self, event: Rc<dyn Fire>) {
        let state = &mut *self.state.borrow_mut();
        let slot = state.events.insert(event);
        state.queue.push_first(self.now.get(), Target::Event, slot);
    }

    // Processes.

    /// A place for a process, its name and its waker.
    pub(crate) fn reserve(&self, name: Option<Rc<str>>) -> (Slot, Rc<str>, Waker) {
        let state = &mut *self.state.borrow_mut();
        state.spawned += 1;
        let name = name.unwrap_or_else(|| format!("process {}", state.spawned).into());
        let slot = state.processes.insert(Entrant {
            body: None,
            own_waker: 0,
            killed: false,
            waits: false,
        });
        let waker = Waker::from(Arc::new(ProcessWaker {
            slot,
            inbox: Arc::clone(&self.inbox),
        }));
        if let Some(entrant) = state.processes.get_mut(slot) {
            entrant.own_waker = waker.data().addr();
        }
        let index = slot.index as usize;
        if index >= state.details.len() {
            state.details.resize_with(index + 1, Details::default);
        }
        if let Some(details) = state.details.get_mut(index) {
            details.name = Some(Rc::clone(&name));
        }
        (slot, name, waker)
    }

    /// Starts a process: by an urgent entry at this instant, not inside the call.
    pub(crate) fn start(&self, slot: Slot, body: Pin<Box<dyn Body>>, end: Rc<dyn End>) {
        if self.closed.get() {
            self.remove(slot);
            return;
        }
        let state = &mut *self.state.borrow_mut();
        if let Some(entrant) = state.processes.get_mut(slot) {
            entrant.body = Some(body);
        }
        if let Some(details) = state.details.get_mut(slot.index as usize) {
            details.end = Some(end);
        }
        state.queue.push(self.now.get(), Priority::URGENT, Target::Resume, slot);
    }

    /// Takes a process out of the tables. What comes back is to be dropped outside of any borrow.
    fn remove(&self, process: Slot) -> Option<(Entrant, Details)> {
        let state = &mut *self.state.borrow_mut();
        let entrant = state.processes.remove(process)?;
        let details = state.details.get_mut(process.index as usize);
        Some((entrant, details.map(std::mem::take).unwrap_or_default()))
    }

    #[inline]
    pub(crate) fn current(&self) -> Option<Slot> {
        self.current.get()
    }

    /// The running process, if it is what asks: not something inside it that has a waker of its own.
    #[inline]
    pub(crate) fn asking(&self, cx: &Context<'_>) -> Option<Slot> {
        if cx.waker().data().addr() == self.own_waker.get() {
            self.current.get()
        } else {
            None
        }
    }

    /// Lets a process go on at this instant, after what is due already.
    #[inline]
    pub(crate) fn wake(&self, process: Slot) {
        let state = &mut *self.state.borrow_mut();
        if state.processes.get(process).is_some() {
            state
                .queue
                .push(self.now.get(), Priority::NORMAL, Target::Resume, process);
        }
    }

    pub(crate) fn is_alive(&self, process: Slot) -> bool {
        let state = self.state.borrow();
        state.processes.get(process).is_some_and(|entrant| !entrant.killed)
    }

    pub(crate) fn name_of(&self, process: Slot) -> Option<Rc<str>> {
        let state = self.state.borrow();
        state.processes.get(process)?;
        state.details.get(process.index as usize)?.name.clone()
    }

    pub(crate) fn target_of(&self, process: Slot) -> Option<String> {
        let state = self.state.borrow();
        state.processes.get(process)?;
        Some(state.target(process))
    }

    /// What the running process waits for, for people to read.
    pub(crate) fn waits_for(&self, what: WaitsFor) {
        let state = &mut *self.state.borrow_mut();
        if state.looking > 0 {
            state.looked.push(what);
            return;
        }
        let Some(current) = self.current.get() else { return };
        if let Some(entrant) = state.processes.get_mut(current)
            && let Some(details) = state.details.get_mut(current.index as usize)
        {
            entrant.waits = true;
            details.waits_for = what;
        }
    }

    /// A condition begins to look at its members; it gets what [`looked`](Self::looked) wants.
    pub(crate) fn look(&self) -> usize {
        let state = &mut *self.state.borrow_mut();
        state.looking += 1;
        state.looked.len()
    }

    /// A condition has looked at its members, and waits for them.
    pub(crate) fn looked(&self, mark: usize, which: &'static str) {
        let members = {
            let state = &mut *self.state.borrow_mut();
            state.looking = state.looking.saturating_sub(1);
            state.looked.split_off(mark.min(state.looked.len()))
        };
        self.waits_for(WaitsFor::Group(which, members));
    }

    /// Schedules an interrupt, urgently; false if the process is over, or is the one that runs.
    pub(crate) fn interrupt(&self, process: Slot, interrupt: Interrupted) -> bool {
        if self.current.get() == Some(process) || !self.is_alive(process) {
            return false;
        }
        let state = &mut *self.state.borrow_mut();
        if let Some(details) = state.details.get_mut(process.index as usize) {
            details.interrupts.push_back(interrupt);
        }
        state
            .queue
            .push(self.now.get(), Priority::URGENT, Target::Interrupt, process);
        true
    }

    /// Takes the interrupt that is being delivered to the running process.
    #[inline]
    pub(crate) fn take_interrupt(&self) -> Option<Interrupted> {
        self.delivered.borrow_mut().take()
    }

    /// Ends a process where it waits; its destructors run now, or when its running step is over.
    pub(crate) fn kill(&self, process: Slot) -> bool {
        if let Some(entrant) = self.state.borrow_mut().processes.get_mut(process) {
            if entrant.killed {
                return false;
            }
            entrant.killed = true;
        } else {
            return false;
        }
        if self.current.get() != Some(process) {
            drop(self.remove(process));
        }
        true
    }

    /// Runs a process until it waits or ends, unless it is over.
    pub(crate) fn resume(&self, process: Slot) {
        let body = self.state.borrow_mut().body(process);
        if let Some((body, own_waker)) = body {
            self.go_on(process, body, own_waker);
        }
    }

    #[inline]
    fn go_on(&self, process: Slot, mut body: Pin<Box<dyn Body>>, own_waker: usize) {
        let before = self.current.replace(Some(process));
        let waker_before = self.own_waker.replace(own_waker);
        let went = catch_unwind(AssertUnwindSafe(|| body.as_mut().go_on()));
        self.current.set(before);
        self.own_waker.set(waker_before);
        if let Ok(Poll::Pending) = went
            && let Some(entrant) = self.state.borrow_mut().processes.get_mut(process)
            && !entrant.killed
        {
            entrant.body = Some(body);
            return;
        }
        self.over(process, body, went.err());
    }

    /// A process is over. Its destructors run outside of any borrow: they may release resources and wake others.
    #[inline(never)]
    fn over(&self, process: Slot, body: Pin<Box<dyn Body>>, panic: Option<Box<dyn Any + Send>>) {
        let removed = self.remove(process);
        let dropped = catch_unwind(AssertUnwindSafe(|| drop(body)));
        if let Some(panic) = panic.or(dropped.err())
            && let Some((_, Details { end: Some(end), .. })) = removed
        {
            self.state.borrow_mut().looking = 0;
            end.fail(Failure::panic(panic.as_ref()));
        }
    }

    /// Delivers the first interrupt that waits for a process.
    #[inline(never)]
    fn deliver(&self, process: Slot) {
        if !self.is_alive(process) {
            return;
        }
        let interrupt = {
            let state = &mut *self.state.borrow_mut();
            let details = state.details.get_mut(process.index as usize);
            details.and_then(|details| details.interrupts.pop_front())
        };
        *self.delivered.borrow_mut() = interrupt;
        self.resume(process);
        let Some(interrupt) = self.take_interrupt() else { return };
        // It waits where nothing takes interrupts: it fails.
        let Some((entrant, details)) = self.remove(process) else {
            return;
        };
        drop(entrant);
        if let Some(end) = details.end {
            end.fail(Failure::new(interrupt));
        }
    }

    // Running.

    /// The next thing that will happen, past what is dead.
    pub(crate) fn peek(&self) -> Option<Instant> {
        self.drain_inbox();
        let state = &mut *self.state.borrow_mut();
        loop {
            let entry = *state.queue.peek()?;
            let alive = match entry.target() {
                Target::Timer => state.timers.get(entry.slot()).is_some(),
                Target::Stop => state.stop == Some(entry.slot()),
                _ => true,
            };
            if alive {
                return Some(entry.time());
            }
            state.queue.pop();
            if entry.target() == Target::Timer {
                state.dead = state.dead.saturating_sub(1);
            }
        }
    }

    /// Moves what was woken from outside into the queue.
    #[inline]
    fn drain_inbox(&self) {
        if self.inbox.any.load(Ordering::Acquire) {
            self.drain_inbox_now();
        }
    }

    #[cold]
    fn drain_inbox_now(&self) {
        self.inbox.any.store(false, Ordering::Release);
        let mut woken = std::mem::take(&mut *self.inbox.woken.lock().unwrap_or_else(PoisonError::into_inner));
        woken.dedup();
        let state = &mut *self.state.borrow_mut();
        for slot in woken {
            if state.processes.get(slot).is_some() {
                state.queue.push(self.now.get(), Priority::NORMAL, Target::Resume, slot);
            }
        }
    }

    /// Waits until the next thing is due by the clock on the wall, or something arrives from outside.
    #[cold]
    fn wait_for_real_time(&self) -> Result<(), RunError> {
        while let Some(at) = self.peek() {
            let wait = match self.pace.until(at) {
                Ok(wait) => wait,
                Err(late) => return Err(RunError::Late { at, late }),
            };
            if wait.is_zero() {
                break;
            }
            let woken = self.inbox.woken.lock().unwrap_or_else(PoisonError::into_inner);
            if woken.is_empty() {
                // Early returns do no harm: it looks again.
                drop(self.inbox.arrived.wait_timeout(woken, wait));
            } else {
                drop(woken);
            }
            if self.inbox.any.load(Ordering::Acquire) {
                // What arrives now happens now.
                self.now.set(self.pace.now().clamp(self.now.get(), at));
            }
        }
        Ok(())
    }

    /// Does the next thing.
    #[inline]
    pub(crate) fn step(self: &Rc<Self>) -> Result<Stepped, RunError> {
        if self.pace.on.get() {
            self.wait_for_real_time()?;
        }
        self.drain_inbox();
        let (entry, next) = {
            let state = &mut *self.state.borrow_mut();
            loop {
                let Some(entry) = state.queue.pop() else {
                    return Ok(Stepped::Empty);
                };
                let next = match entry.target() {
                    Target::Timer => match state.timers.remove(entry.slot()) {
                        Some(Some(process)) if process != FOREIGN => Next::Process(process, state.body(process)),
                        Some(waiter) => state.nobody(entry.slot(), waiter),
                        None => {
                            state.dead = state.dead.saturating_sub(1);
                            continue;
                        }
                    },
                    Target::Resume => Next::Process(entry.slot(), state.body(entry.slot())),
                    Target::Stop if state.stop != Some(entry.slot()) => continue,
                    _ => Next::Other,
                };
                break (entry, next);
            }
        };
        self.now.set(entry.time());
        self.trace.step(&entry);
        if self.trace.is_watched() {
            self.tell(&entry, &next);
        }
        match next {
            Next::Process(process, Some((body, own_waker))) => self.go_on(process, body, own_waker),
            Next::Process(_, None) | Next::Nobody => {}
            Next::Foreign(waker) => waker.wake(),
            Next::Other => return self.step_other(&entry),
        }
        Ok(Stepped::On)
    }

    #[inline(never)]
    fn step_other(self: &Rc<Self>, entry: &Entry) -> Result<Stepped, RunError> {
        match entry.target() {
            Target::Interrupt => self.deliver(entry.slot()),
            Target::Event => {
                let event = self.state.borrow_mut().events.remove(entry.slot());
                match event.map(|event| event.fire(self)) {
                    Some(Fired::On) | None => {}
                    Some(Fired::Stopped) => return Ok(Stepped::Stopped),
                    Some(Fired::Unhandled(who, failure)) => {
                        let at = self.now();
                        return Err(RunError::Unhandled { who, at, failure });
                    }
                }
            }
            Target::Stop => {
                self.state.borrow_mut().stop = None;
                return Ok(Stepped::Stopped);
            }
            Target::Timer | Target::Resume => {}
        }
        Ok(Stepped::On)
    }

    /// Tells the trace's watcher of a step.
    #[cold]
    fn tell(&self, entry: &Entry, next: &Next) {
        let (what, who) = match (entry.target(), next) {
            (Target::Timer, Next::Process(process, _)) => (Traced::Timeout, self.name_of(*process)),
            (Target::Timer, _) => (Traced::Timeout, None),
            (Target::Resume, _) => (Traced::Resume, self.name_of(entry.slot())),
            (Target::Interrupt, _) => (Traced::Interrupt, self.name_of(entry.slot())),
            (Target::Event, _) => {
                let event = self.state.borrow().events.get(entry.slot()).cloned();
                (Traced::Event, event.and_then(|event| event.name()))
            }
            (Target::Stop, _) => (Traced::Stop, None),
        };
        self.trace.tell(entry, what, who);
    }

    /// Asks the run to stop at a time, before the normal things of that instant.
    pub(crate) fn stop_at(&self, at: Instant) {
        let state = &mut *self.state.borrow_mut();
        let slot = Slot {
            index: state.stops,
            generation: NonZeroU32::MIN,
        };
        state.stops = state.stops.wrapping_add(1);
        state.stop = Some(slot);
        state.queue.push(at, Priority::URGENT, Target::Stop, slot);
    }

    /// Marks the environment as running, until the guard is dropped.
    pub(crate) fn enter(&self) -> Result<Running<'_>, RunError> {
        if self.running.replace(true) {
            return Err(RunError::Nested);
        }
        Ok(Running(self))
    }

    /// The processes that wait, and for what.
    pub(crate) fn blocked(&self) -> Vec<Blocked> {
        let state = self.state.borrow();
        let blocked = |(slot, _): (Slot, &Entrant)| Blocked {
            process: state
                .details
                .get(slot.index as usize)
                .and_then(|details| details.name.as_deref())
                .unwrap_or_default()
                .to_owned(),
            waits_for: state.target(slot),
        };
        state.processes.iter().map(blocked).collect()
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

impl State {
    /// Takes out what to run for a process.
    #[inline]
    fn body(&mut self, process: Slot) -> Option<(Pin<Box<dyn Body>>, usize)> {
        let entrant = self.processes.get_mut(process)?;
        let body = entrant.body.take()?;
        entrant.waits = false;
        Some((body, entrant.own_waker))
    }

    /// A timer that no process of its own waits for.
    #[cold]
    fn nobody(&mut self, timer: Slot, waiter: Option<Slot>) -> Next {
        match waiter.and_then(|_| self.foreign.remove(&timer)) {
            Some(waker) => Next::Foreign(waker),
            None => Next::Nobody,
        }
    }

    /// What a process waits for.
    fn target(&self, process: Slot) -> String {
        let entrant = self.processes.get(process);
        if entrant.is_some_and(|entrant| entrant.waits)
            && let Some(details) = self.details.get(process.index as usize)
        {
            return details.waits_for.describe();
        }
        let timer = self.timers.iter().find(|(_, waiter)| **waiter == Some(process));
        let entry = timer.and_then(|(timer, _)| {
            self.queue
                .iter()
                .find(|entry| entry.target() == Target::Timer && entry.slot() == timer)
        });
        match entry {
            Some(entry) => WaitsFor::Timeout(entry.time()).describe(),
            None => WaitsFor::Unknown.describe(),
        }
    }
}

/// The environment runs.
pub(crate) struct Running<'a>(&'a Core);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.running.set(false);
        // A time to stop at is this run's alone.
        if let Ok(mut state) = self.0.state.try_borrow_mut() {
            state.stop = None;
        }
    }
}
