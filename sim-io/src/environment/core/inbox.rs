//! Wakes from outside: other threads, and futures that are not of this crate.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};
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
    /// There is one. Set and read under the lock of `woken` only; to notify nobody would be a system call each time.
    pub(super) waits: AtomicBool,
    /// The run waits for sockets: what ends that is in `alarm`.
    pub(super) asleep: AtomicBool,
    pub(super) alarm: OnceLock<Alarm>,
}

/// Ends the wait for sockets, from any thread.
pub(crate) type Alarm = Box<dyn Fn() + Send + Sync>;

pub(super) struct ProcessWaker {
    pub(super) slot: Slot,
    pub(super) inbox: Arc<Inbox>,
}

impl Wake for ProcessWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let waits = {
            let mut woken = self.inbox.woken.lock().unwrap_or_else(PoisonError::into_inner);
            // Whoever is woken again and again takes up no more room while nobody looks.
            if woken.last() != Some(&self.slot) {
                woken.push(self.slot);
            }
            self.inbox.waits.load(Ordering::Relaxed)
        };
        self.inbox.any.store(true, Ordering::SeqCst);
        if waits {
            self.inbox.arrived.notify_one();
        }
        if self.inbox.asleep.load(Ordering::SeqCst)
            && let Some(alarm) = self.inbox.alarm.get()
        {
            alarm();
        }
    }
}

impl Core {
    /// How other threads end the wait for sockets.
    #[cfg(feature = "reactor")]
    pub(crate) fn set_alarm(&self, alarm: Alarm) {
        let _ = self.inbox.alarm.set(alarm);
    }

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
        let state = &mut *self.state.borrow_mut();
        for slot in woken.drain(..) {
            if state.processes.get(slot).is_some() {
                state.queue.push(self.now.get(), Priority::NORMAL, Target::Resume, slot);
            }
        }
        // The next wakes find the room.
        let mut inbox = self.inbox.woken.lock().unwrap_or_else(PoisonError::into_inner);
        if inbox.capacity() == 0 {
            *inbox = woken;
        }
    }
}
