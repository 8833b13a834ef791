//! What happens next: one integer key of time, priority and sequence, in std's binary heap.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::num::NonZeroU32;

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
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Slot {
    pub(crate) index: u32,
    pub(crate) generation: NonZeroU32,
}

/// An entry of the queue, 24 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    time: u64,
    /// From the top: 8 bits of priority, 53 of the sequence, 3 of the target.
    order: u64,
    pub(crate) slot: Slot,
}

impl Entry {
    #[inline]
    fn key(&self) -> u128 {
        u128::from(self.time) << 64 | u128::from(self.order)
    }

    #[inline]
    pub(crate) fn time(&self) -> Instant {
        Instant::from_nanos(self.time)
    }

    pub(crate) fn priority(&self) -> Priority {
        Priority((self.order >> 56) as u8)
    }

    pub(crate) fn sequence(&self) -> u64 {
        (self.order >> 3) & SEQUENCE
    }

    /// The order among the things of its instant, and the target, in one word.
    #[inline]
    pub(crate) fn order(&self) -> u64 {
        self.order
    }

    #[inline]
    pub(crate) fn target(&self) -> Target {
        match self.order & 7 {
            0 => Target::Timer,
            1 => Target::Resume,
            2 => Target::Interrupt,
            3 => Target::Event,
            _ => Target::Stop,
        }
    }
}

/// The sequence's 53 bits: at 100 million entries a second they last for almost three years.
const SEQUENCE: u64 = (1 << 53) - 1;

impl PartialOrd for Entry {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }

    #[inline]
    fn lt(&self, other: &Self) -> bool {
        self.key() < other.key()
    }

    #[inline]
    fn le(&self, other: &Self) -> bool {
        self.key() <= other.key()
    }
}

impl Ord for Entry {
    #[inline]
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}

/// Everything that is scheduled.
#[derive(Debug)]
pub(crate) struct Queue {
    heap: BinaryHeap<Reverse<Entry>>,
    /// Sequence 0 is for what comes before everything else of its instant.
    sequence: u64,
}

impl Default for Queue {
    fn default() -> Self {
        Self {
            heap: BinaryHeap::new(),
            sequence: 1,
        }
    }
}

impl Queue {
    #[inline]
    pub(crate) fn push(&mut self, at: Instant, priority: Priority, target: Target, slot: Slot) {
        let sequence = self.sequence;
        self.sequence += 1;
        self.push_as(at, priority, sequence, target, slot);
    }

    /// Before everything else of the instant.
    pub(crate) fn push_first(&mut self, at: Instant, target: Target, slot: Slot) {
        self.push_as(at, Priority(0), 0, target, slot);
    }

    #[inline]
    fn push_as(&mut self, at: Instant, priority: Priority, sequence: u64, target: Target, slot: Slot) {
        let order = u64::from(priority.0) << 56 | (sequence & SEQUENCE) << 3 | target as u64;
        self.heap.push(Reverse(Entry {
            time: at.as_nanos(),
            order,
            slot,
        }));
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

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.heap.iter().map(|Reverse(entry)| entry)
    }

    /// Removes what is dead, when that is most of the heap.
    pub(crate) fn retain(&mut self, mut alive: impl FnMut(&Entry) -> bool) {
        self.heap.retain(|Reverse(entry)| alive(entry));
    }
}
