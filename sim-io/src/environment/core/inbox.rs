//! Wakes by [`Waker`](std::task::Waker)s: of other threads, and of futures that are not of this crate.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
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

/// Who was woken by what the running environment itself does: most wakes, which so need no lock.
#[derive(Default)]
pub(super) struct Nearby {
    any: Cell<bool>,
    woken: RefCell<Vec<Slot>>,
}

thread_local! {
    /// The environment that runs on this thread: where its inbox is, and who was woken nearby.
    static RUNS: RefCell<Option<(usize, Rc<Nearby>)>> = const { RefCell::new(None) };
}

/// Whoever ran on this thread before; runs again when this is dropped.
pub(super) struct Before(Option<(usize, Rc<Nearby>)>);

impl Drop for Before {
    fn drop(&mut self) {
        let before = self.0.take();
        // At the thread's end nobody runs.
        let _ = RUNS.try_with(|runs| runs.replace(before));
    }
}

impl Nearby {
    fn add(&self, slot: Slot) {
        let mut woken = self.woken.borrow_mut();
        // Whoever is woken again and again takes up no more room while nobody looks.
        if woken.last() != Some(&slot) {
            woken.push(slot);
        }
        self.any.set(true);
    }
}

pub(super) struct ProcessWaker {
    pub(super) slot: Slot,
    pub(super) inbox: Arc<Inbox>,
}

impl ProcessWaker {
    /// Whether its environment is the one that runs here, which then knows.
    fn is_nearby(&self) -> bool {
        let found = RUNS.try_with(|runs| match &*runs.borrow() {
            Some((inbox, nearby)) if *inbox == Arc::as_ptr(&self.inbox).addr() => {
                nearby.add(self.slot);
                true
            }
            _ => false,
        });
        found.unwrap_or(false)
    }
}

impl Wake for ProcessWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.is_nearby() {
            return;
        }
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

    /// From now on this environment is the one that runs on this thread.
    pub(super) fn runs_here(&self) -> Before {
        let own = (Arc::as_ptr(&self.inbox).addr(), Rc::clone(&self.nearby));
        Before(RUNS.try_with(|runs| runs.replace(Some(own))).ok().flatten())
    }

    /// Moves who was woken by wakers into the queue.
    #[inline]
    pub(super) fn drain_inbox(&self) {
        if self.nearby.any.get() {
            self.drain_nearby();
        }
        if self.inbox.any.load(Ordering::Acquire) {
            self.drain_inbox_now();
        }
    }

    #[inline(never)]
    fn drain_nearby(&self) {
        self.nearby.any.set(false);
        let state = &mut *self.state.borrow_mut();
        for slot in self.nearby.woken.borrow_mut().drain(..) {
            if state.processes.get(slot).is_some() {
                state.queue.push(self.now.get(), Priority::NORMAL, Target::Resume, slot);
            }
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
