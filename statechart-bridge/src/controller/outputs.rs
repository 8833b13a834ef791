//! Outputs in a queue, to be fetched.

use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_core::Stream;

use crate::{Output, OutputListener};

/// What was raised on outports, in order, until it is fetched: without waiting, blocking the thread, or as a future or
/// a stream. Clones share the queue; each output goes to one of them.
///
/// It holds 65,536 outputs by default. What comes when it is full is dropped, and counted by [`lost`](Self::lost).
#[derive(Clone)]
pub struct OutputQueue(Arc<Shared>);

struct Shared {
    inner: Mutex<Inner>,
    arrived: Condvar,
    limit: usize,
}

#[derive(Default)]
struct Inner {
    outputs: VecDeque<Output>,
    wakers: Vec<Waker>,
    /// Threads that sleep in `fetch`.
    sleepers: usize,
    lost: u64,
    ended: bool,
}

impl Default for OutputQueue {
    fn default() -> Self {
        Self::with_limit(1 << 16)
    }
}

impl OutputQueue {
    /// A queue for so many outputs.
    pub fn with_limit(limit: usize) -> Self {
        Self(Arc::new(Shared {
            inner: Mutex::default(),
            arrived: Condvar::new(),
            limit,
        }))
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next output, if there is one.
    pub fn try_fetch(&self) -> Option<Output> {
        self.lock().outputs.pop_front()
    }

    /// The next output; waits for it at most so long (for ever without a limit), blocking the thread. `None` when the time
    /// has run out, or when the controller has ended and all is fetched.
    ///
    /// The time is the operating system's, so it is not for a simulated network: there, use [`next`](Self::next).
    pub fn fetch(&self, timeout: Option<Duration>) -> Option<Output> {
        let waits = |inner: &mut Inner| inner.outputs.is_empty() && !inner.ended;
        let mut inner = self.lock();
        inner.sleepers += 1;
        let mut inner = match timeout {
            None => {
                let waited = self.0.arrived.wait_while(inner, waits);
                waited.unwrap_or_else(PoisonError::into_inner)
            }
            Some(timeout) => {
                let waited = self.0.arrived.wait_timeout_while(inner, timeout, waits);
                waited.unwrap_or_else(PoisonError::into_inner).0
            }
        };
        inner.sleepers -= 1;
        inner.outputs.pop_front()
    }

    /// The next output; `None` when the controller has ended and all is fetched. Cancel safe.
    pub async fn next(&self) -> Option<Output> {
        poll_fn(|cx| self.poll(cx)).await
    }

    fn poll(&self, cx: &mut Context<'_>) -> Poll<Option<Output>> {
        let mut inner = self.lock();
        if let Some(output) = inner.outputs.pop_front() {
            return Poll::Ready(Some(output));
        }
        if inner.ended {
            return Poll::Ready(None);
        }
        if !inner.wakers.iter().any(|waker| waker.will_wake(cx.waker())) {
            inner.wakers.push(cx.waker().clone());
        }
        Poll::Pending
    }

    /// How many wait to be fetched.
    pub fn len(&self) -> usize {
        self.lock().outputs.len()
    }

    /// Whether nothing waits to be fetched.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many were dropped because the queue was full.
    pub fn lost(&self) -> u64 {
        self.lock().lost
    }

    fn change(&self, change: impl FnOnce(&mut Inner)) {
        let mut inner = self.lock();
        change(&mut inner);
        let wakers = std::mem::take(&mut inner.wakers);
        let sleepers = inner.sleepers;
        drop(inner);
        // To wake nobody costs a system call too.
        if sleepers > 0 {
            self.0.arrived.notify_all();
        }
        wakers.into_iter().for_each(Waker::wake);
    }
}

impl OutputListener for OutputQueue {
    fn output(&self, output: &Output) {
        let limit = self.0.limit;
        self.change(|inner| {
            if inner.outputs.len() < limit {
                inner.outputs.push_back(output.clone());
            } else {
                inner.lost += 1;
            }
        });
    }

    fn ended(&self) {
        self.change(|inner| inner.ended = true);
    }
}

impl Stream for OutputQueue {
    type Item = Output;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Output>> {
        self.poll(cx)
    }
}

impl fmt::Debug for OutputQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = self.lock();
        f.debug_struct("OutputQueue")
            .field("waiting", &inner.outputs.len())
            .field("lost", &inner.lost)
            .field("ended", &inner.ended)
            .finish()
    }
}
