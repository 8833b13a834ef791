//! Who waits for something, woken in the order in which they came: the same in each run.
//!
//! tokio's `watch` wakes its waiters in a random order, which a simulation whose runs must be equal can't have.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::sync::Mutex;
use std::task::{Context, Poll, Waker};

use crate::lock::lock;

/// Wakers in the order in which their waits began. A wait that is given up is taken off.
#[derive(Debug, Default)]
pub(crate) struct Wakers {
    next: u64,
    waiting: BTreeMap<u64, Waker>,
}

impl Wakers {
    fn register(&mut self, id: &mut Option<u64>, cx: &Context<'_>) {
        let id = *id.get_or_insert_with(|| {
            self.next += 1;
            self.next
        });
        self.waiting.insert(id, cx.waker().clone());
    }

    /// Whether nobody waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// All of them, to be woken once no lock is held.
    #[must_use = "they are woken by `wake`"]
    pub(crate) fn take(&mut self) -> BTreeMap<u64, Waker> {
        std::mem::take(&mut self.waiting)
    }
}

/// Wakes what [`Wakers::take`] gave.
pub(crate) fn wake(waiting: BTreeMap<u64, Waker>) {
    waiting.into_values().for_each(Waker::wake);
}

/// Waits until `ready` finds what it looks for in a locked state; looks again whenever the wakers are woken. Cancel safe.
pub(crate) async fn wait<S, T>(
    state: &Mutex<S>,
    wakers: impl Fn(&mut S) -> &mut Wakers,
    mut ready: impl FnMut(&mut S) -> Option<T>,
) -> T {
    let mut wait = Wait {
        state,
        wakers,
        id: None,
    };
    poll_fn(|cx| {
        let state = &mut *lock(wait.state);
        match ready(state) {
            Some(value) => Poll::Ready(value),
            None => {
                (wait.wakers)(state).register(&mut wait.id, cx);
                Poll::Pending
            }
        }
    })
    .await
}

/// Takes its waker off when it is dropped.
struct Wait<'a, S, W: Fn(&mut S) -> &mut Wakers> {
    state: &'a Mutex<S>,
    wakers: W,
    id: Option<u64>,
}

impl<S, W: Fn(&mut S) -> &mut Wakers> Drop for Wait<'_, S, W> {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            // Dropped only after the lock is free: a waker may own anything.
            let waker = (self.wakers)(&mut lock(self.state)).waiting.remove(&id);
            drop(waker);
        }
    }
}
