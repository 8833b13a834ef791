//! Timers: when they happen, and who goes on then.

use std::num::NonZeroU32;
use std::task::Context;

use net_core::Instant;

use super::waiting::WaitsFor;
use super::{Core, State};
use crate::environment::queue::{Priority, Slot, Target};

/// Stands for somebody in [`State::foreign`].
pub(super) const FOREIGN: Slot = Slot::new(u32::MAX, NonZeroU32::MAX);

/// Stands for nobody: no process has this place.
pub(super) const NOBODY: Slot = Slot::new(u32::MAX - 1, NonZeroU32::MAX);

impl Core {
    /// Schedules a timer; it counts in the order of things from now on.
    #[inline]
    pub(crate) fn timer(&self, at: Instant, priority: Priority) -> Slot {
        let state = &mut *self.state.borrow_mut();
        let slot = state.timers.insert(NOBODY);
        state.queue.push(at, priority, Target::Timer, slot);
        slot
    }

    /// Whether a timer has happened; if not, who asks will be resumed when it does.
    #[inline]
    pub(crate) fn poll_timer(&self, slot: Slot, at: Instant, cx: &Context<'_>) -> bool {
        if self.fired.get() == slot {
            return true;
        }
        // Mostly it is the one timer that a process waits for, and has not happened yet.
        if at > self.now()
            && self.asked.get().is_none()
            && self.looking.get() == 0
            && let Some(process) = self.asking(cx)
        {
            self.asked.set(Some((slot, process)));
            return false;
        }
        self.look_at_timer(slot, at, cx)
    }

    #[inline(never)]
    fn look_at_timer(&self, slot: Slot, at: Instant, cx: &Context<'_>) -> bool {
        // Wakers are somebody else's: they are dropped outside of the borrow.
        let _replaced;
        let state = &mut *self.state.borrow_mut();
        let Some(waiter) = state.timers.get_mut(slot) else {
            return true;
        };
        match self.asking(cx) {
            Some(process) => *waiter = process,
            None => {
                *waiter = FOREIGN;
                _replaced = state.foreign.insert(slot, cx.waker().clone());
            }
        }
        if self.looking.get() > 0 {
            state.looked.push(WaitsFor::Timeout(at));
        }
        false
    }

    /// Notes who waits for the timer that was asked for.
    #[inline]
    pub(super) fn note_asked(&self, state: &mut State) {
        if let Some((timer, process)) = self.asked.take()
            && let Some(waiter) = state.timers.get_mut(timer)
        {
            *waiter = process;
        }
    }

    /// Whether it has happened, without waiting for it.
    pub(crate) fn has_fired(&self, slot: Slot) -> bool {
        self.state.borrow().timers.get(slot).is_none()
    }

    /// Nobody is to be resumed by this timer any more.
    pub(crate) fn unwait_timer(&self, slot: Slot) {
        let state = &mut *self.state.borrow_mut();
        self.note_asked(state);
        if let Some(waiter) = state.timers.get_mut(slot) {
            *waiter = NOBODY;
        }
    }

    /// Cancels a timer. Its entry stays in the queue until its time, unless most of the queue is such entries.
    #[inline(never)]
    pub(crate) fn drop_timer(&self, slot: Slot) {
        let _removed;
        let state = &mut *self.state.borrow_mut();
        let Some(waiter) = state.timers.remove(slot) else {
            return;
        };
        if waiter == FOREIGN {
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
}
