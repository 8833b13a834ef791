//! Wakes from outside: other threads, and futures that are not of this crate.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::task::Wake;

use super::Core;
use crate::environment::queue::{Priority, Slot, Target};

/// Who was woken since the last look.
#[derive(Default)]
pub(super) struct Inbox {
    pub(super) any: AtomicBool,
    pub(super) woken: Mutex<Vec<Slot>>,
    /// For a run that waits for real time to pass.
    pub(super) arrived: Condvar,
}

pub(super) struct ProcessWaker {
    pub(super) slot: Slot,
    pub(super) inbox: Arc<Inbox>,
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

impl Core {
    /// Moves what was woken from outside into the queue.
    #[inline]
    pub(super) fn drain_inbox(&self) {
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
}
