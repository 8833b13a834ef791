//! Timers: when they happen, and who goes on then.

use std::num::NonZeroU32;
use std::task::Context;

use net_core::Instant;

use super::steps::Next;
use super::waiting::WaitsFor;
use super::{Core, State};
use crate::environment::queue::{Priority, Slot, Target};

/// Stands for somebody in [`State::foreign`].
pub(super) const FOREIGN: Slot = Slot {
    index: u32::MAX,
    generation: NonZeroU32::MAX,
};

impl Core {
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
}

impl State {
    /// A timer that no process of its own waits for.
    #[cold]
    pub(super) fn nobody(&mut self, timer: Slot, waiter: Option<Slot>) -> Next {
        match waiter.and_then(|_| self.foreign.remove(&timer)) {
            Some(waker) => Next::Foreign(waker),
            None => Next::Nobody,
        }
    }
}
