//! Who waits for something, woken in the order in which they came: the same in each run.

use std::future::poll_fn;
use std::sync::Mutex;
use std::task::{Poll, Waker};

use crate::boxes::Waiters;
use crate::lock::lock;

/// Tasks that wait for the same thing.
#[derive(Debug, Default)]
pub(crate) struct Waiting(Mutex<Option<Box<Waiters>>>);

impl Waiting {
    /// A place among those who wait; given up when it is dropped.
    pub(crate) fn wait(&self) -> Wait<'_> {
        Wait {
            waiting: self,
            ticket: None,
        }
    }

    /// Waits until `look` finds something; it is asked again after each `wake`.
    pub(crate) async fn until<T>(&self, mut look: impl FnMut() -> Option<T>) -> T {
        let mut wait = self.wait();
        poll_fn(|cx| {
            wait.register(cx.waker());
            look().map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }

    pub(crate) fn wake(&self) {
        let waiters = lock(&self.0).as_mut().map(|waiters| waiters.take(usize::MAX));
        if let Some(woken) = waiters {
            woken.wake();
        }
    }
}

#[derive(Debug)]
pub(crate) struct Wait<'a> {
    waiting: &'a Waiting,
    ticket: Option<u64>,
}

impl Wait<'_> {
    pub(crate) fn register(&mut self, waker: &Waker) {
        self.ticket = Some(
            lock(&self.waiting.0)
                .get_or_insert_default()
                .register(self.ticket, waker),
        );
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket
            && let Some(waiters) = lock(&self.waiting.0).as_mut()
        {
            waiters.remove(ticket);
        }
    }
}
