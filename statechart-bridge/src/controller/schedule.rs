//! What is to happen later: in order of time, and of insertion at the same time.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use crate::{Event, InstanceId};

/// Inputs and timers, by time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Schedule {
    heap: BinaryHeap<Reverse<Entry>>,
    /// How many were ever inserted.
    count: u64,
    /// How many in the heap are timers that were cancelled, at most.
    stale: usize,
}

#[derive(Clone, Debug)]
struct Entry {
    at: u64,
    number: u64,
    what: What,
}

/// What is to happen.
#[derive(Clone, Debug)]
pub(crate) enum What {
    /// An event comes from outside, for one instance or for all.
    Input(Event, Option<InstanceId>),
    /// A timer rings, if it still has this token.
    Timer {
        instance: InstanceId,
        timer: u32,
        token: u64,
    },
}

impl Schedule {
    pub(crate) fn input(&mut self, at: u64, event: Event, to: Option<InstanceId>) {
        self.insert(at, |_| What::Input(event, to));
    }

    /// Sets a timer, and gives its token, which is never 0.
    pub(crate) fn timer(&mut self, at: u64, instance: InstanceId, timer: u32) -> u64 {
        self.insert(at, |token| What::Timer { instance, timer, token })
    }

    fn insert(&mut self, at: u64, what: impl FnOnce(u64) -> What) -> u64 {
        self.count += 1;
        let number = self.count;
        let what = what(number);
        self.heap.push(Reverse(Entry { at, number, what }));
        number
    }

    /// A timer's token is not valid any more.
    pub(crate) fn cancelled(&mut self) {
        self.stale += 1;
    }

    /// Throws cancelled timers away when they are the most; `valid` tells which still count.
    pub(crate) fn tidy(&mut self, valid: impl Fn(InstanceId, u32, u64) -> bool) {
        const FEW: usize = 64;
        if self.stale < FEW || self.stale < self.heap.len() / 2 {
            return;
        }
        self.heap.retain(|Reverse(entry)| match &entry.what {
            What::Input(..) => true,
            What::Timer { instance, timer, token } => valid(*instance, *timer, *token),
        });
        self.stale = 0;
    }

    /// When the next one is due.
    #[inline]
    pub(crate) fn next(&self) -> Option<u64> {
        self.heap.peek().map(|Reverse(entry)| entry.at)
    }

    /// The next one, if it is due.
    #[inline]
    pub(crate) fn pop_due(&mut self, now: u64) -> Option<What> {
        if self.next()? > now {
            return None;
        }
        self.heap.pop().map(|Reverse(entry)| entry.what)
    }

    /// How many are waiting.
    pub(crate) fn len(&self) -> usize {
        self.heap.len()
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.at, self.number).cmp(&(other.at, other.number))
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

impl Eq for Entry {}
