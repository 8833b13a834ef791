//! What happens next: one integer key of time, priority and sequence, in std's binary heap.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use net_core::Instant;

/// Which of the things due at the same instant comes first; smaller is earlier. Equal ones keep the order in which they
/// were scheduled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Priority(pub u8);

impl Priority {
    /// Starts of processes, interrupts, and the end of a run until a time (SimPy's URGENT).
    pub const URGENT: Self = Self(0);
    /// Everything else (SimPy's NORMAL).
    pub const NORMAL: Self = Self(1);
}

/// What an entry of the queue is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// A timer of the environment.
    Timer,
    /// A process starts, or goes on because something woke it.
    Resume,
    /// A process is interrupted; which interrupt is first in its queue.
    Interrupt,
    /// An event that was triggered.
    Event,
    /// The run ends here.
    Stop,
}

/// A place in one of the environment's tables; the generation tells whether it is still the same thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Slot {
    pub(crate) index: u32,
    pub(crate) generation: u32,
}

/// An entry of the queue, 32 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    key: u128,
    pub(crate) slot: Slot,
    pub(crate) target: Target,
}

impl Entry {
    pub(crate) fn time(&self) -> Instant {
        Instant::from_nanos((self.key >> 64) as u64)
    }

    pub(crate) fn priority(&self) -> Priority {
        Priority((self.key >> 56) as u8)
    }

    pub(crate) fn sequence(&self) -> u64 {
        self.key as u64 & SEQUENCE
    }
}

/// The sequence's 56 bits: at 100 million entries a second they last for 22 years.
const SEQUENCE: u64 = (1 << 56) - 1;

impl PartialOrd for Entry {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entry {
    #[inline]
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key.cmp(&other.key)
    }
}

/// Everything that is scheduled.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    heap: BinaryHeap<Reverse<Entry>>,
    sequence: u64,
}

impl Queue {
    #[inline]
    pub(crate) fn push(&mut self, at: Instant, priority: Priority, target: Target, slot: Slot) {
        let key = u128::from(at.as_nanos()) << 64 | u128::from(priority.0) << 56 | u128::from(self.sequence & SEQUENCE);
        self.sequence += 1;
        self.heap.push(Reverse(Entry { key, slot, target }));
    }

    #[inline]
    pub(crate) fn pop(&mut self) -> Option<Entry> {
        self.heap.pop().map(|Reverse(entry)| entry)
    }

    pub(crate) fn peek(&self) -> Option<&Entry> {
        self.heap.peek().map(|Reverse(entry)| entry)
    }

    pub(crate) fn len(&self) -> usize {
        self.heap.len()
    }

    /// Removes what is dead, when that is most of the heap.
    pub(crate) fn retain(&mut self, mut alive: impl FnMut(&Entry) -> bool) {
        self.heap.retain(|Reverse(entry)| alive(entry));
    }
}
