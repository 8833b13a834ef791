//! Timers: when they happen, and who goes on then.

use std::num::NonZeroU32;
use std::task::{Context, Waker};

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
        let (_asked, _replaced);
        let state = &mut *self.state.borrow_mut();
        // It may be this very one, which has another waiter now.
        _asked = self.note_asked(state);
        if state.timers.get(slot).is_none() {
            return true;
        }
        _replaced = match self.asking(cx) {
            Some(process) => state.resumes(slot, process),
            None => {
                state.resumes(slot, FOREIGN);
                state.foreign.insert(slot, cx.waker().clone())
            }
        };
        if self.looking.get() > 0 {
            state.looked.push(WaitsFor::Timeout(at));
        }
        false
    }

    /// Notes who waits for the timer that was asked for. A waker that waited for it until now is somebody else's, to be
    /// dropped outside of the borrow.
    #[inline]
    pub(super) fn note_asked(&self, state: &mut State) -> Option<Waker> {
        let (timer, process) = self.asked.take()?;
        state.resumes(timer, process)
    }

    /// Wakes who asks at that time, whatever else it waits for.
    #[cfg(feature = "reactor")]
    pub(crate) fn wake_at(&self, at: Instant, cx: &Context<'_>) {
        let timer = self.timer(at, Priority::NORMAL);
        self.look_at_timer(timer, at, cx);
    }

    /// Whether it has happened, without waiting for it.
    pub(crate) fn has_fired(&self, slot: Slot) -> bool {
        self.state.borrow().timers.get(slot).is_none()
    }

    /// Nobody is to be resumed by this timer any more.
    pub(crate) fn unwait_timer(&self, slot: Slot) {
        let (_asked, _before);
        let state = &mut *self.state.borrow_mut();
        _asked = self.note_asked(state);
        _before = state.resumes(slot, NOBODY);
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

impl State {
    /// Sets who is resumed by a timer; gives the waker that waited for it until now.
    #[inline]
    fn resumes(&mut self, timer: Slot, waiter: Slot) -> Option<Waker> {
        let before = std::mem::replace(self.timers.get_mut(timer)?, waiter);
        if before == FOREIGN {
            return self.foreign.remove(&timer);
        }
        None
    }
}
