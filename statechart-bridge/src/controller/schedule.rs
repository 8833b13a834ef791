//! What is to happen later: in order of time, and of insertion at the same time.

use std::cmp::{Ordering, Reverse};
use std::collections::{BinaryHeap, VecDeque};
use std::sync::Arc;

use crate::{Event, InstanceId, Scope};

/// Inputs and timers, by time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Schedule {
    /// What is due soon and came in the order of its time, as nearly all inputs do: no searching in it.
    line: VecDeque<Entry>,
    /// All else.
    heap: BinaryHeap<Reverse<Entry>>,
    /// The time that was last asked for.
    now: u64,
    /// How many were ever inserted.
    count: u64,
    /// How many are timers that were cancelled, at most.
    stale: usize,
}

/// What may stand in the line: milliseconds from now.
const SOON: u64 = 50;

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
    /// An instance raises an event.
    Raise(Box<Raise>),
}

/// An event that an instance raises later.
#[derive(Clone, Debug)]
pub(crate) struct Raise {
    pub(crate) from: InstanceId,
    pub(crate) scope: Scope,
    pub(crate) event: Event,
    /// To cancel it.
    pub(crate) id: Option<Arc<str>>,
}

impl Schedule {
    pub(crate) fn input(&mut self, at: u64, event: Event, to: Option<InstanceId>) {
        self.insert(at, |_| What::Input(event, to));
    }

    /// Sets a timer, and gives its token, which is never 0.
    pub(crate) fn timer(&mut self, at: u64, instance: InstanceId, timer: u32) -> u64 {
        self.insert(at, |token| What::Timer { instance, timer, token })
    }

    pub(crate) fn raise(&mut self, at: u64, raise: Raise) {
        self.insert(at, |_| What::Raise(Box::new(raise)));
    }

    /// Takes away what an instance would raise later, by its id.
    pub(crate) fn cancel(&mut self, from: InstanceId, id: &str) {
        let keep = |entry: &Entry| match &entry.what {
            What::Raise(raise) => raise.from != from || raise.id.as_deref() != Some(id),
            What::Input(..) | What::Timer { .. } => true,
        };
        self.line.retain(keep);
        self.heap.retain(|Reverse(entry)| keep(entry));
    }

    fn insert(&mut self, at: u64, what: impl FnOnce(u64) -> What) -> u64 {
        self.count += 1;
        let number = self.count;
        let what = what(number);
        let entry = Entry { at, number, what };
        // Something far away at its end would keep all others out of the line.
        let soon = at <= self.now.saturating_add(SOON);
        if soon && self.line.back().is_none_or(|last| last.at <= at) {
            self.line.push_back(entry);
        } else {
            self.heap.push(Reverse(entry));
        }
        number
    }

    /// A timer's token is not valid any more.
    pub(crate) fn cancelled(&mut self) {
        self.stale += 1;
    }

    /// Throws cancelled timers away when they are the most; `valid` tells which still count.
    pub(crate) fn tidy(&mut self, valid: impl Fn(InstanceId, u32, u64) -> bool) {
        const FEW: usize = 64;
        if self.stale < FEW || self.stale < self.len() / 2 {
            return;
        }
        let keep = |entry: &Entry| match &entry.what {
            What::Input(..) | What::Raise(_) => true,
            What::Timer { instance, timer, token } => valid(*instance, *timer, *token),
        };
        self.line.retain(keep);
        self.heap.retain(|Reverse(entry)| keep(entry));
        self.stale = 0;
    }

    /// Throws away what is next as long as it is a timer that was cancelled, so that [`next`](Self::next) tells what will
    /// happen.
    #[inline]
    pub(crate) fn skip_cancelled(&mut self, valid: impl Fn(InstanceId, u32, u64) -> bool) {
        let cancelled = |entry: &Entry| match &entry.what {
            What::Input(..) | What::Raise(_) => false,
            What::Timer { instance, timer, token } => !valid(*instance, *timer, *token),
        };
        while self.stale > 0 && self.line.front().is_some_and(cancelled) {
            self.line.pop_front();
            self.stale -= 1;
        }
        while self.stale > 0 && self.heap.peek().is_some_and(|Reverse(entry)| cancelled(entry)) {
            self.heap.pop();
            self.stale -= 1;
        }
    }

    /// When the next one is due.
    #[inline]
    pub(crate) fn next(&self) -> Option<u64> {
        let heap = self.heap.peek().map(|Reverse(entry)| entry.at);
        let line = self.line.front().map(|entry| entry.at);
        match (line, heap) {
            (Some(line), Some(heap)) => Some(line.min(heap)),
            (line, heap) => line.or(heap),
        }
    }

    /// The next one, if it is due.
    #[inline]
    pub(crate) fn pop_due(&mut self, now: u64) -> Option<What> {
        self.now = now;
        let line_first = match (self.line.front(), self.heap.peek()) {
            (Some(line), Some(Reverse(heap))) => line < heap,
            (line, _) => line.is_some(),
        };
        let due = |entry: &Entry| entry.at <= now;
        let entry = if line_first {
            self.line.front().filter(|entry| due(entry))?;
            self.line.pop_front()
        } else {
            self.heap.peek().filter(|Reverse(entry)| due(entry))?;
            self.heap.pop().map(|Reverse(entry)| entry)
        };
        entry.map(|entry| entry.what)
    }

    /// How many are waiting.
    pub(crate) fn len(&self) -> usize {
        self.line.len() + self.heap.len()
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
