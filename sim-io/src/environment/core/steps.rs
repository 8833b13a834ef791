//! Running: one step after the other.

use std::num::NonZeroU32;
use std::pin::Pin;
use std::rc::Rc;
use std::task::Waker;

use net_core::Instant;

use super::Core;
use super::events::Fired;
use super::processes::Body;
use super::timers::FOREIGN;
use crate::environment::queue::{Entry, Priority, Slot, Target};
use crate::environment::trace::Traced;
use crate::failure::RunError;

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
pub(super) enum Next {
    Process(Slot, Option<(Pin<Box<dyn Body>>, usize)>),
    Foreign(Waker),
    Nobody,
    Other,
}

impl Core {
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

    /// Does the next thing.
    #[inline]
    pub(crate) fn step(self: &Rc<Self>) -> Result<Stepped, RunError> {
        if self.outside.get() {
            self.look_outside()?;
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
}
