//! What happens next: one integer key of time, priority and sequence, in a binary heap.

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
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    time: u64,
    /// From the top: 8 bits of priority, 53 of the sequence, 3 of the target.
    order: u64,
    /// The slot in one word.
    place: u64,
}

impl Entry {
    #[inline]
    pub(crate) fn slot(&self) -> Slot {
        Slot {
            index: self.place as u32,
            generation: NonZeroU32::new((self.place >> 32) as u32).unwrap_or(NonZeroU32::MIN),
        }
    }

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

/// Everything that is scheduled: a binary heap.
///
/// What was popped stays at the root until the next push takes its place, which almost always comes next: a process
/// that goes on waits again. That is one way down the heap instead of one down and one up.
#[derive(Debug)]
pub(crate) struct Queue {
    heap: Vec<Entry>,
    /// The root has been popped.
    hole: bool,
    /// Sequence 0 is for what comes before everything else of its instant.
    sequence: u64,
}

impl Default for Queue {
    fn default() -> Self {
        Self {
            heap: Vec::new(),
            hole: false,
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
        let entry = Entry {
            time: at.as_nanos(),
            order: u64::from(priority.0) << 56 | (sequence & SEQUENCE) << 3 | target as u64,
            place: u64::from(slot.generation.get()) << 32 | u64::from(slot.index),
        };
        if self.hole {
            self.hole = false;
            self.replace_root(entry);
        } else {
            self.heap.push(entry);
            let last = self.heap.len() - 1;
            self.up(last, entry);
        }
    }

    #[inline]
    pub(crate) fn pop(&mut self) -> Option<Entry> {
        self.settle();
        let entry = *self.heap.first()?;
        self.hole = true;
        Some(entry)
    }

    /// Fills the place of what was popped.
    #[inline]
    fn settle(&mut self) {
        if self.hole {
            self.hole = false;
            if let Some(last) = self.heap.pop()
                && !self.heap.is_empty()
            {
                self.replace_root(last);
            }
        }
    }

    /// Puts an entry in the root's place: the smaller children go up all the way, then it goes up from the bottom, where
    /// late things belong.
    #[inline]
    fn replace_root(&mut self, entry: Entry) {
        let heap = self.heap.as_mut_slice();
        let mut hole = 0;
        let mut child = 1;
        while child + 1 < heap.len() {
            child += usize::from(heap[child + 1].key() < heap[child].key());
            heap[hole] = heap[child];
            hole = child;
            child = 2 * hole + 1;
        }
        if child < heap.len() {
            heap[hole] = heap[child];
            hole = child;
        }
        self.up(hole, entry);
    }

    /// Puts an entry where there is a hole, or above.
    #[inline]
    fn up(&mut self, mut hole: usize, entry: Entry) {
        let heap = self.heap.as_mut_slice();
        while hole > 0 {
            let parent = (hole - 1) / 2;
            if heap[parent].key() <= entry.key() {
                break;
            }
            heap[hole] = heap[parent];
            hole = parent;
        }
        heap[hole] = entry;
    }

    pub(crate) fn peek(&mut self) -> Option<&Entry> {
        self.settle();
        self.heap.first()
    }

    pub(crate) fn len(&self) -> usize {
        self.heap.len() - usize::from(self.hole)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.heap.iter().skip(usize::from(self.hole))
    }

    /// Removes what is dead, when that is most of the heap.
    pub(crate) fn retain(&mut self, alive: impl FnMut(&Entry) -> bool) {
        self.settle();
        self.heap.retain(alive);
        // Sorted is a heap, too, and this is seldom.
        self.heap.sort_unstable_by_key(Entry::key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pops_in_order_whatever_was_pushed_and_removed_between() {
        let slot = Slot {
            index: 7,
            generation: NonZeroU32::MIN,
        };
        let (mut queue, mut sorted) = (Queue::default(), std::collections::BTreeSet::new());
        let mut random = 1_u64;
        for round in 0_u64..20_000 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            match random >> 61 {
                0..=3 => {
                    let at = (random >> 20) & 63;
                    queue.push(Instant::from_nanos(at), Priority::NORMAL, Target::Timer, slot);
                    sorted.insert((at, queue.sequence - 1));
                }
                4..=6 => {
                    let popped = queue.pop().map(|entry| (entry.time, entry.sequence()));
                    assert_eq!(popped, sorted.pop_first());
                }
                _ if round % 50 == 0 => {
                    queue.retain(|entry| entry.sequence() % 3 > 0);
                    sorted.retain(|(_, sequence)| sequence % 3 > 0);
                }
                _ => assert_eq!(
                    queue.peek().map(Entry::sequence),
                    sorted.first().map(|(_, sequence)| *sequence)
                ),
            }
            assert_eq!(queue.len(), sorted.len());
            assert_eq!(queue.iter().count(), sorted.len());
        }
    }
}
