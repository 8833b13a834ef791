//! Who waits for something, woken in the order in which they came: the same in each run.

use std::sync::Mutex;
use std::task::Waker;

use crate::boxes::Waiters;
use crate::lock::lock;

/// Tasks that wait for the same thing.
#[derive(Debug, Default)]
pub(crate) struct Waiting(Mutex<Waiters>);

impl Waiting {
    /// A place among those who wait; given up when it is dropped.
    pub(crate) fn wait(&self) -> Wait<'_> {
        Wait {
            waiting: self,
            ticket: None,
        }
    }

    pub(crate) fn wake(&self) {
        let woken = lock(&self.0).take(usize::MAX);
        woken.wake();
    }
}

#[derive(Debug)]
pub(crate) struct Wait<'a> {
    waiting: &'a Waiting,
    ticket: Option<u64>,
}

impl Wait<'_> {
    pub(crate) fn register(&mut self, waker: &Waker) {
        self.ticket = Some(lock(&self.waiting.0).register(self.ticket, waker));
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            lock(&self.waiting.0).remove(ticket);
        }
    }
}
