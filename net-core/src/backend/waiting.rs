//! Several tasks waiting where only one waker is kept: by a backend's socket, by a handshake.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use crate::lock::lock;

/// The tasks that wait for one thing, in the order in which they came. Whatever they poll gets one waker that wakes all
/// of them.
#[derive(Debug)]
pub(crate) struct Waiting {
    tasks: Arc<Tasks>,
    waker: Waker,
    next_key: AtomicU64,
}

#[derive(Debug, Default)]
struct Tasks(Mutex<Vec<(u64, Waker)>>);

impl Waiting {
    pub(crate) fn new() -> Self {
        let tasks = Arc::<Tasks>::default();
        Self {
            waker: Waker::from(Arc::clone(&tasks)),
            tasks,
            next_key: AtomicU64::new(0),
        }
    }

    /// Polls on behalf of one of the tasks, which waits with the others if nothing comes of it. Of each key one waker is
    /// kept, the last.
    pub(crate) fn poll<T>(
        &self,
        key: u64,
        cx: &mut Context<'_>,
        work: impl FnOnce(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        // First the waker, then the look: whatever happens between the two wakes this task too.
        self.tasks.add(key, cx.waker().clone());
        let outcome = work(&mut Context::from_waker(&self.waker));
        if outcome.is_ready() {
            self.tasks.remove(key);
        }
        outcome
    }

    /// Waits under a key of its own; whoever gives up waiting leaves nothing behind.
    pub(crate) async fn wait<T>(&self, mut work: impl FnMut(&mut Context<'_>) -> Poll<T>) -> T {
        let turn = Turn {
            tasks: &self.tasks,
            key: self.next_key.fetch_add(1, Ordering::Relaxed),
        };
        std::future::poll_fn(|cx| self.poll(turn.key, cx, &mut work)).await
    }

    /// Wakes everyone who waits.
    #[cfg(feature = "tls")]
    pub(crate) fn wake(&self) {
        self.waker.wake_by_ref();
    }
}

struct Turn<'a> {
    tasks: &'a Tasks,
    key: u64,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.tasks.remove(self.key);
    }
}

// Wakers run foreign code when they wake and when they are dropped: neither happens under the lock.
impl Tasks {
    fn add(&self, key: u64, waker: Waker) {
        let _before = {
            let mut tasks = lock(&self.0);
            match tasks.iter_mut().find(|(other, _)| *other == key) {
                Some((_, kept)) => Some(std::mem::replace(kept, waker)),
                None => {
                    tasks.push((key, waker));
                    None
                }
            }
        };
    }

    fn remove(&self, key: u64) {
        let _gone = {
            let mut tasks = lock(&self.0);
            let index = tasks.iter().position(|(other, _)| *other == key);
            index.map(|index| tasks.remove(index))
        };
    }

    fn first(&self) -> Option<Waker> {
        let mut tasks = lock(&self.0);
        (!tasks.is_empty()).then(|| tasks.remove(0).1)
    }
}

impl Wake for Tasks {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // Those who come back while this goes on wait for the next time.
        let count = lock(&self.0).len();
        for _ in 0..count {
            match self.first() {
                Some(waker) => waker.wake(),
                None => break,
            }
        }
    }
}
