//! The heart: what is scheduled, who runs, and one step after the other.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Wake, Waker};

use net_core::Instant;

use super::queue::{Entry, Priority, Queue, Slot, Target};
use super::table::Table;
use super::trace::{Trace, Traced};
use crate::failure::{Blocked, Failure, RunError};
use crate::process::Interrupted;

/// What an environment and all that belongs to it share.
pub(crate) struct Core {
    state: RefCell<State>,
    inbox: Arc<Inbox>,
    running: Cell<bool>,
    random: Cell<u64>,
    pub(crate) trace: Trace,
    endings: RefCell<Vec<Box<dyn FnOnce()>>>,
}

struct State {
    now: Instant,
    queue: Queue,
    timers: Table<Timer>,
    /// Entries of the queue whose timers are gone.
    dead: usize,
    events: Table<Rc<dyn Fire>>,
    processes: Table<Entrant>,
    current: Option<Slot>,
    stop: Option<Slot>,
    spawned: u64,
}

struct Timer {
    waiter: Option<Slot>,
    fired: bool,
}

/// A process, as the scheduler knows it.
struct Entrant {
    /// Taken out while it runs.
    body: Option<Body>,
    name: Rc<str>,
    waits_for: WaitsFor,
    /// The interrupts that are scheduled, in order, and the one that is being delivered.
    interrupts: std::collections::VecDeque<Interrupted>,
    delivered: Option<Interrupted>,
    killed: bool,
    /// Where its waker points: tells it from the wakers of what it runs.
    waker: *const (),
}

struct Body {
    future: Pin<Box<dyn Future<Output = ()>>>,
    waker: Waker,
}

/// Who is to go on when something has happened.
#[derive(Debug)]
pub(crate) enum Waiter {
    /// A process of this environment: resumed without a detour.
    Process(Slot),
    /// Something that a process runs with a waker of its own, as sets of futures do.
    Other(Waker),
}

/// What a process waits for, for people to read.
#[derive(Clone, Debug, Default)]
pub(crate) enum WaitsFor {
    /// Not started, or something that is not of this crate.
    #[default]
    Unknown,
    Timeout(Instant),
    Thing(&'static str, Option<Rc<str>>),
}

impl WaitsFor {
    fn describe(&self) -> String {
        match self {
            Self::Unknown => "something outside the environment".to_owned(),
            Self::Timeout(at) => format!("a timeout at {at}"),
            Self::Thing(kind, None) => format!("{kind} without a name"),
            Self::Thing(kind, Some(name)) => format!("{kind} {name:?}"),
        }
    }
}

/// An event that is in the queue, whatever its value.
pub(crate) trait Fire {
    /// Processes the event: runs its callbacks in order. A failure that nobody took comes back, with the name of whom
    /// it belongs to.
    fn fire(self: Rc<Self>, core: &Rc<Core>) -> Result<(), (String, Failure)>;
    /// For traces.
    fn name(&self) -> Option<Rc<str>>;
}

/// Wakes from outside: other threads, and futures that are not of this crate.
#[derive(Default)]
struct Inbox {
    any: AtomicBool,
    woken: Mutex<Vec<Slot>>,
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

impl State {
    /// Counts an entry of the queue whose thing is gone; when most are, they are removed.
    fn died(&mut self) {
        self.dead += 1;
        if self.dead > 64 && self.dead * 2 > self.queue.len() {
            let (timers, events) = (&self.timers, &self.events);
            self.queue.retain(|entry| match entry.target {
                Target::Timer => timers.get(entry.slot).is_some(),
                Target::Event => events.get(entry.slot).is_some(),
                _ => true,
            });
            self.dead = 0;
        }
    }
}

impl Core {
    pub(crate) fn new(start: Instant, seed: u64) -> Rc<Self> {
        Rc::new(Self {
            state: RefCell::new(State {
                now: start,
                queue: Queue::default(),
                timers: Table::default(),
                dead: 0,
                events: Table::default(),
                processes: Table::default(),
                current: None,
                stop: None,
                spawned: 0,
            }),
            inbox: Arc::default(),
            running: Cell::new(false),
            random: Cell::new(seed),
            trace: Trace::default(),
            endings: RefCell::default(),
        })
    }

    #[inline]
    pub(crate) fn now(&self) -> Instant {
        self.state.borrow().now
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
        let slot = state.timers.insert(Timer {
            waiter: None,
            fired: false,
        });
        state.queue.push(at, priority, Target::Timer, slot);
        slot
    }

    /// Whether a timer has fired; if not, the running process will be resumed when it does.
    #[inline]
    pub(crate) fn poll_timer(&self, slot: Slot, at: Instant) -> bool {
        let state = &mut *self.state.borrow_mut();
        let Some(timer) = state.timers.get_mut(slot) else {
            return true;
        };
        if timer.fired {
            return true;
        }
        timer.waiter = state.current;
        if let Some(entrant) = state.current.and_then(|current| state.processes.get_mut(current)) {
            entrant.waits_for = WaitsFor::Timeout(at);
        }
        false
    }

    /// Whether it has fired, without waiting for it.
    pub(crate) fn has_fired(&self, slot: Slot) -> bool {
        self.state.borrow().timers.get(slot).is_none_or(|timer| timer.fired)
    }

    /// Nobody is to be resumed by this timer any more.
    pub(crate) fn unwait_timer(&self, slot: Slot) {
        if let Some(timer) = self.state.borrow_mut().timers.get_mut(slot) {
            timer.waiter = None;
        }
    }

    /// Cancels a timer. Its entry stays in the queue until its time, unless most of the queue is such entries.
    #[inline]
    pub(crate) fn drop_timer(&self, slot: Slot) {
        let state = &mut *self.state.borrow_mut();
        if let Some(timer) = state.timers.remove(slot)
            && !timer.fired
        {
            state.died();
        }
    }

    // Events.

    /// Puts a triggered event into the queue.
    pub(crate) fn schedule(&self, event: Rc<dyn Fire>, at: Instant, priority: Priority) -> Slot {
        let state = &mut *self.state.borrow_mut();
        let slot = state.events.insert(event);
        state.queue.push(at, priority, Target::Event, slot);
        slot
    }

    /// Takes an event out of the queue; nothing happens if it has been processed.
    pub(crate) fn cancel(&self, slot: Slot) {
        let event = {
            let state = &mut *self.state.borrow_mut();
            let event = state.events.remove(slot);
            if event.is_some() {
                state.died();
            }
            event
        };
        drop(event);
    }

    // Processes.

    /// Starts a process: by an urgent entry at this instant, not inside the call.
    pub(crate) fn spawn(
        self: &Rc<Self>,
        name: Option<Rc<str>>,
        future: impl FnOnce(Slot, &Rc<str>) -> Pin<Box<dyn Future<Output = ()>>>,
    ) {
        let (slot, name) = {
            let state = &mut *self.state.borrow_mut();
            state.spawned += 1;
            let name = name.unwrap_or_else(|| format!("process {}", state.spawned).into());
            let slot = state.processes.insert(Entrant {
                body: None,
                name: Rc::clone(&name),
                waits_for: WaitsFor::Unknown,
                interrupts: std::collections::VecDeque::new(),
                delivered: None,
                killed: false,
                waker: std::ptr::null(),
            });
            let now = state.now;
            state.queue.push(now, Priority::URGENT, Target::Resume, slot);
            (slot, name)
        };
        let future = future(slot, &name);
        let waker = Waker::from(Arc::new(ProcessWaker {
            slot,
            inbox: Arc::clone(&self.inbox),
        }));
        if let Some(entrant) = self.state.borrow_mut().processes.get_mut(slot) {
            entrant.waker = waker.data();
            entrant.body = Some(Body { future, waker });
        }
    }

    /// Who polls with this waker.
    #[inline]
    pub(crate) fn waiter(&self, waker: &Waker) -> Waiter {
        let state = self.state.borrow();
        if let Some(current) = state.current
            && let Some(entrant) = state.processes.get(current)
            && std::ptr::eq(entrant.waker, waker.data())
        {
            return Waiter::Process(current);
        }
        Waiter::Other(waker.clone())
    }

    /// Lets it go on at this instant, after what is due already.
    pub(crate) fn wake(&self, waiter: Waiter) {
        match waiter {
            Waiter::Process(slot) => {
                let state = &mut *self.state.borrow_mut();
                if state.processes.get(slot).is_some() {
                    let now = state.now;
                    state.queue.push(now, Priority::NORMAL, Target::Resume, slot);
                }
            }
            Waiter::Other(waker) => waker.wake(),
        }
    }

    /// Lets it go on at once. For events while they are processed: no process runs then.
    pub(crate) fn go_on(self: &Rc<Self>, waiter: Waiter) {
        match waiter {
            Waiter::Process(slot) => {
                self.resume(slot);
            }
            Waiter::Other(waker) => waker.wake(),
        }
    }

    #[inline]
    pub(crate) fn current(&self) -> Option<Slot> {
        self.state.borrow().current
    }

    pub(crate) fn is_alive(&self, process: Slot) -> bool {
        self.state
            .borrow()
            .processes
            .get(process)
            .is_some_and(|entrant| !entrant.killed)
    }

    pub(crate) fn name_of(&self, process: Slot) -> Option<Rc<str>> {
        self.state
            .borrow()
            .processes
            .get(process)
            .map(|entrant| Rc::clone(&entrant.name))
    }

    pub(crate) fn target_of(&self, process: Slot) -> Option<String> {
        self.state
            .borrow()
            .processes
            .get(process)
            .map(|entrant| entrant.waits_for.describe())
    }

    /// What the running process waits for, for people to read.
    pub(crate) fn waits_for(&self, what: WaitsFor) {
        let state = &mut *self.state.borrow_mut();
        if let Some(entrant) = state.current.and_then(|current| state.processes.get_mut(current)) {
            entrant.waits_for = what;
        }
    }

    /// Schedules an interrupt, urgently; false if the process is over, or is the one that runs.
    pub(crate) fn interrupt(&self, process: Slot, interrupt: Interrupted) -> bool {
        let state = &mut *self.state.borrow_mut();
        if state.current == Some(process) {
            return false;
        }
        let Some(entrant) = state.processes.get_mut(process).filter(|entrant| !entrant.killed) else {
            return false;
        };
        entrant.interrupts.push_back(interrupt);
        let now = state.now;
        state.queue.push(now, Priority::URGENT, Target::Interrupt, process);
        true
    }

    /// Takes the interrupt that is being delivered to the running process.
    pub(crate) fn take_interrupt(&self) -> Option<Interrupted> {
        let state = &mut *self.state.borrow_mut();
        state.processes.get_mut(state.current?)?.delivered.take()
    }

    /// Ends a process where it waits; its destructors run now, or when its running step is over.
    pub(crate) fn kill(self: &Rc<Self>, process: Slot) -> bool {
        let removed = {
            let state = &mut *self.state.borrow_mut();
            let Some(entrant) = state.processes.get_mut(process).filter(|entrant| !entrant.killed) else {
                return false;
            };
            entrant.killed = true;
            if state.current == Some(process) {
                None
            } else {
                state.processes.remove(process)
            }
        };
        drop(removed);
        true
    }

    /// Runs a process until it waits or ends. False if it was over already.
    pub(crate) fn resume(self: &Rc<Self>, process: Slot) -> bool {
        let (body, before) = {
            let state = &mut *self.state.borrow_mut();
            let Some(entrant) = state.processes.get_mut(process) else {
                return false;
            };
            let Some(body) = entrant.body.take() else { return false };
            (body, state.current.replace(process))
        };
        let Body { mut future, waker } = body;
        let poll = future.as_mut().poll(&mut Context::from_waker(&waker));
        let over = {
            let state = &mut *self.state.borrow_mut();
            state.current = before;
            match state.processes.get_mut(process) {
                Some(entrant) if poll.is_pending() && !entrant.killed => {
                    entrant.body = Some(Body { future, waker });
                    None
                }
                _ => Some((future, state.processes.remove(process))),
            }
        };
        // Destructors run outside the borrow: they may release resources and wake others.
        drop(over);
        true
    }

    /// Delivers the first interrupt that waits for a process.
    fn deliver(self: &Rc<Self>, process: Slot) {
        {
            let state = &mut *self.state.borrow_mut();
            let Some(entrant) = state.processes.get_mut(process) else {
                return;
            };
            entrant.delivered = entrant.interrupts.pop_front();
        }
        self.resume(process);
    }

    // Running.

    /// The next thing that will happen, past what is dead.
    pub(crate) fn peek(&self) -> Option<Instant> {
        self.drain_inbox();
        let state = &mut *self.state.borrow_mut();
        loop {
            let entry = *state.queue.peek()?;
            let is_there = match entry.target {
                Target::Timer => state.timers.get(entry.slot).is_some(),
                Target::Event => state.events.get(entry.slot).is_some(),
                _ => true,
            };
            if is_there {
                return Some(entry.time());
            }
            state.queue.pop();
            state.dead = state.dead.saturating_sub(1);
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
        let woken = std::mem::take(&mut *self.inbox.woken.lock().unwrap_or_else(PoisonError::into_inner));
        let state = &mut *self.state.borrow_mut();
        let now = state.now;
        for slot in woken {
            if state.processes.get(slot).is_some() {
                state.queue.push(now, Priority::NORMAL, Target::Resume, slot);
            }
        }
    }

    /// Does the next thing.
    #[inline]
    pub(crate) fn step(self: &Rc<Self>) -> Result<Stepped, RunError> {
        self.drain_inbox();
        let (entry, process) = {
            let state = &mut *self.state.borrow_mut();
            loop {
                let Some(entry) = state.queue.pop() else {
                    return Ok(Stepped::Empty);
                };
                match entry.target {
                    Target::Timer => match state.timers.get_mut(entry.slot) {
                        Some(timer) => {
                            timer.fired = true;
                            state.now = entry.time();
                            break (entry, timer.waiter.take());
                        }
                        None => state.dead = state.dead.saturating_sub(1),
                    },
                    Target::Stop if state.stop != Some(entry.slot) => {}
                    Target::Event if state.events.get(entry.slot).is_none() => {
                        state.dead = state.dead.saturating_sub(1);
                    }
                    _ => {
                        state.now = entry.time();
                        break (entry, Some(entry.slot));
                    }
                }
            }
        };
        self.trace.step(&entry);
        if self.trace.is_watched() {
            self.tell(&entry, process);
        }
        match (entry.target, process) {
            (Target::Timer | Target::Resume, Some(process)) => {
                self.resume(process);
            }
            (Target::Timer | Target::Resume, None) => {}
            (Target::Interrupt, _) => self.deliver(entry.slot),
            (Target::Event, _) => self.fire(entry.slot)?,
            (Target::Stop, _) => {
                self.state.borrow_mut().stop = None;
                return Ok(Stepped::Stopped);
            }
        }
        Ok(Stepped::On)
    }

    fn fire(self: &Rc<Self>, slot: Slot) -> Result<(), RunError> {
        let Some(event) = self.state.borrow_mut().events.remove(slot) else {
            return Ok(());
        };
        event.fire(self).map_err(|(who, failure)| RunError::Unhandled {
            who,
            at: self.now(),
            failure,
        })
    }

    /// Tells the trace's watcher of a step.
    #[cold]
    fn tell(&self, entry: &Entry, process: Option<Slot>) {
        let (what, who) = match entry.target {
            Target::Timer => (Traced::Timeout, process.and_then(|process| self.name_of(process))),
            Target::Resume => (Traced::Resume, self.name_of(entry.slot)),
            Target::Interrupt => (Traced::Interrupt, self.name_of(entry.slot)),
            Target::Event => {
                let event = self.state.borrow().events.get(entry.slot).cloned();
                (Traced::Event, event.and_then(|event| event.name()))
            }
            Target::Stop => (Traced::Stop, None),
        };
        self.trace.tell(entry, what, who);
    }

    /// Asks the run to stop at a time, before the normal things of that instant.
    pub(crate) fn stop_at(&self, at: Instant) {
        let state = &mut *self.state.borrow_mut();
        let slot = Slot {
            index: u32::MAX,
            generation: state.stop.map_or(0, |stop| stop.generation.wrapping_add(1)),
        };
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
        let blocked = |entrant: &Entrant| Blocked {
            process: entrant.name.to_string(),
            waits_for: entrant.waits_for.describe(),
        };
        state.processes.iter().map(blocked).collect()
    }

    /// Drops every process and everything that is scheduled. Processes hold handles on their environment, so without
    /// this nothing would ever be freed.
    pub(crate) fn clear(&self) {
        let (processes, events) = {
            let state = &mut *self.state.borrow_mut();
            state.queue = Queue::default();
            (state.processes.drain(), state.events.drain())
        };
        drop(processes);
        drop(events);
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
pub(crate) struct Running<'a>(&'a Core);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.running.set(false);
    }
}
