//! Running: one step after the other.

use std::num::NonZeroU32;
use std::rc::Rc;

use net_core::Instant;

use super::Core;
use super::events::Fired;
use super::timers::{FOREIGN, NOBODY};
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

impl Core {
    /// The next thing that will happen, past what is dead.
    pub(crate) fn peek(&self) -> Option<Instant> {
        self.drain_inbox();
        let state = &mut *self.state.borrow_mut();
        loop {
            let entry = *state.queue.peek()?;
            let alive = match entry.target() {
                Target::Timer => state.timers.get(entry.slot).is_some(),
                Target::Stop => state.stop == Some(entry.slot),
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
        loop {
            let mut state = self.state.borrow_mut();
            // Its words stay in registers, as far as nobody takes them together.
            let Some(Entry { time, order, slot }) = state.queue.pop() else {
                return Ok(Stepped::Empty);
            };
            let entry = Entry { time, order, slot };
            let process = match entry.target() {
                Target::Timer => match state.timers.remove(slot) {
                    Some(waiter) => waiter,
                    None => {
                        state.dead = state.dead.saturating_sub(1);
                        continue;
                    }
                },
                Target::Resume => slot,
                _ => NOBODY,
            };
            let Some((body, own_waker)) = state.body(process) else {
                drop(state);
                match self.step_other(Entry { time, order, slot }, process)? {
                    Some(stepped) => return Ok(stepped),
                    None => continue,
                }
            };
            drop(state);
            if entry.target() == Target::Timer {
                self.fired.set(slot);
            }
            self.now.set(Instant::from_nanos(time));
            self.trace.step(time, order);
            if self.trace.is_watched() {
                self.tell(Entry { time, order, slot }, process);
            }
            self.go_on(process, body, own_waker);
            return Ok(Stepped::On);
        }
    }

    /// A step at which no process of the environment goes on, or not at once; none if it has been called off.
    #[inline(never)]
    fn step_other(self: &Rc<Self>, entry: Entry, process: Slot) -> Result<Option<Stepped>, RunError> {
        if entry.target() == Target::Stop && self.state.borrow().stop != Some(entry.slot) {
            return Ok(None);
        }
        self.now.set(entry.time());
        self.trace.step(entry.time, entry.order);
        if self.trace.is_watched() {
            self.tell(entry, process);
        }
        match entry.target() {
            Target::Timer if process == FOREIGN => {
                let waker = self.state.borrow_mut().foreign.remove(&entry.slot);
                if let Some(waker) = waker {
                    waker.wake();
                }
            }
            Target::Interrupt => self.deliver(entry.slot),
            Target::Event => {
                let event = self.state.borrow_mut().events.remove(entry.slot);
                match event.map(|event| event.fire(self)) {
                    Some(Fired::On) | None => {}
                    Some(Fired::Stopped) => return Ok(Some(Stepped::Stopped)),
                    Some(Fired::Unhandled(who, failure)) => {
                        let at = self.now();
                        return Err(RunError::Unhandled { who, at, failure });
                    }
                }
            }
            Target::Stop => {
                self.state.borrow_mut().stop = None;
                return Ok(Some(Stepped::Stopped));
            }
            Target::Timer | Target::Resume => {}
        }
        Ok(Some(Stepped::On))
    }

    /// Tells the trace's watcher of a step.
    #[cold]
    fn tell(&self, entry: Entry, process: Slot) {
        let (what, who) = match entry.target() {
            Target::Timer => (Traced::Timeout, self.name_of(process)),
            Target::Resume => (Traced::Resume, self.name_of(process)),
            Target::Interrupt => (Traced::Interrupt, self.name_of(entry.slot)),
            Target::Event => {
                let event = self.state.borrow().events.get(entry.slot).cloned();
                (Traced::Event, event.and_then(|event| event.name()))
            }
            Target::Stop => (Traced::Stop, None),
        };
        self.trace.tell(&entry, what, who);
    }

    /// Asks the run to stop at a time, before the normal things of that instant.
    pub(crate) fn stop_at(&self, at: Instant) {
        let state = &mut *self.state.borrow_mut();
        let slot = Slot::new(state.stops, NonZeroU32::MIN);
        state.stops = state.stops.wrapping_add(1);
        state.stop = Some(slot);
        state.queue.push(at, Priority::URGENT, Target::Stop, slot);
    }
}
