//! What happens next: by time, priority and sequence, in a radix heap.

use std::cmp::{Ordering, Reverse};
use std::collections::{BinaryHeap, VecDeque};
use std::num::{NonZeroU32, NonZeroU64};

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

/// A place in one of the environment's tables; the generation tells whether it is still the same thing. One word: it is
/// copied all the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Slot(NonZeroU64);

impl Slot {
    #[inline]
    pub(crate) const fn new(index: u32, generation: NonZeroU32) -> Self {
        // The generation is not zero, so neither is the word.
        let word = (index as u64) << 32 | generation.get() as u64;
        match NonZeroU64::new(word) {
            Some(word) => Self(word),
            None => Self(NonZeroU64::MIN),
        }
    }

    #[inline]
    pub(crate) const fn index(self) -> u32 {
        (self.0.get() >> 32) as u32
    }

    #[inline]
    pub(crate) const fn has(self, generation: NonZeroU32) -> bool {
        self.0.get() as u32 == generation.get()
    }
}

/// An entry of the queue, 24 bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    /// In nanoseconds.
    pub(super) time: u64,
    /// From the top: 8 bits of priority, 53 of the sequence, 3 of the target.
    pub(super) order: u64,
    /// What it is about.
    pub(super) slot: Slot,
}

impl Entry {
    #[inline]
    pub(crate) fn slot(&self) -> Slot {
        self.slot
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

/// What a bucket has room for from the beginning.
const FEW: usize = 4;

/// Everything that is scheduled: a radix heap.
///
/// Time doesn't run backwards, so what is scheduled is almost always later than what was popped last. It lies in a bucket
/// by the highest bit in which its time differs from that one's; the lower the bucket, the earlier it is due. When the
/// lowest bucket's turn comes, what is in it is dealt out to the buckets below. An entry is moved a few times in all,
/// along with its neighbours, where a binary heap would jump through memory at each push and pop.
///
/// Entries of the same time always share a bucket, and keep their order in it. So those that are due are sorted already,
/// unless their priorities differ.
#[derive(Debug)]
pub(crate) struct Queue {
    /// The time of what was popped last, or will be popped next.
    last: u64,
    /// What is due at that time, in order.
    due: VecDeque<Entry>,
    /// What comes later, by the highest bit in which its time differs.
    later: [Vec<Entry>; 64],
    /// Which buckets have something in them.
    filled: u64,
    /// What was scheduled for an earlier time than what was to be popped next.
    early: BinaryHeap<Reverse<Early>>,
    len: u32,
    /// Sequence 0 is for what comes before everything else of its instant.
    sequence: u64,
}

/// An entry that is ordered by its key.
#[derive(Debug)]
struct Early(Entry);

impl Ord for Early {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.key().cmp(&other.0.key())
    }
}

impl PartialOrd for Early {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Early {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Early {}

impl Default for Queue {
    fn default() -> Self {
        Self {
            last: 0,
            due: VecDeque::new(),
            later: std::array::from_fn(|_| Vec::with_capacity(FEW)),
            filled: 0,
            early: BinaryHeap::new(),
            len: 0,
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
            slot,
        };
        self.len += 1;
        if entry.time > self.last {
            self.put_later(entry);
        } else {
            let Entry { time, order, slot } = entry;
            self.push_now(time, order, slot);
        }
    }

    #[inline]
    fn put_later(&mut self, entry: Entry) {
        let bucket = (63 - (entry.time ^ self.last).leading_zeros()) & 63;
        if self.later[bucket as usize].len() == self.later[bucket as usize].capacity() {
            self.make_room(bucket as usize);
        }
        self.later[bucket as usize].push(entry);
        self.filled |= 1 << bucket;
    }

    /// A bucket is full. If it has never been more than that, it gets the memory of the highest bucket that has some and
    /// doesn't need it now: high buckets are needed seldom, and the time that passes brings ever higher ones into use.
    #[cold]
    #[inline(never)]
    fn make_room(&mut self, bucket: usize) {
        if self.later[bucket].capacity() > FEW {
            return;
        }
        let mut idle = (0..64).rev().filter(|other| self.filled & 1 << other == 0);
        if let Some(roomy) = idle.find(|&other| self.later[other].capacity() > FEW) {
            let mut room = std::mem::take(&mut self.later[roomy]);
            room.append(&mut self.later[bucket]);
            self.later[roomy] = std::mem::replace(&mut self.later[bucket], room);
        }
    }

    /// Takes words, for an entry would be passed in memory, which costs the other path more than its own work.
    #[inline(never)]
    fn push_now(&mut self, time: u64, order: u64, slot: Slot) {
        let entry = Entry { time, order, slot };
        if entry.time < self.last {
            self.early.push(Reverse(Early(entry)));
        } else if self.due.back().is_none_or(|back| back.order < entry.order) {
            self.due.push_back(entry);
        } else {
            // Urgent things are few, and near the front.
            let place = self.due.partition_point(|before| before.order <= entry.order);
            self.due.insert(place, entry);
        }
    }

    #[inline(always)]
    pub(crate) fn pop(&mut self) -> Option<Entry> {
        // The entry goes from place to place word by word: copied as a whole by wide instructions, it would have to wait
        // until its words have arrived in memory.
        let (time, order, slot);
        if self.early.is_empty() {
            if self.due.is_empty() {
                let bucket = self.filled.trailing_zeros() & 63;
                // What is alone in its bucket needs no dealing out.
                if let [entry] = self.later[bucket as usize].as_slice() {
                    Entry { time, order, slot } = *entry;
                    self.later[bucket as usize].clear();
                    self.filled &= !(1 << bucket);
                    self.last = time;
                    self.len -= 1;
                    return Some(Entry { time, order, slot });
                }
                self.deal();
            }
            Entry { time, order, slot } = *self.due.front()?;
            self.due.pop_front();
        } else {
            Reverse(Early(Entry { time, order, slot })) = self.early.pop()?;
        }
        self.len -= 1;
        Some(Entry { time, order, slot })
    }

    /// If nothing is due, moves on to the next time for which something is scheduled.
    fn deal(&mut self) {
        if !self.due.is_empty() {
            return;
        }
        if self.filled == 0 {
            // What comes next may be earlier than something that was popped and dead.
            self.last = 0;
            return;
        }
        let bucket = self.filled.trailing_zeros();
        self.filled &= !(1 << bucket);
        let mut entries = std::mem::take(&mut self.later[bucket as usize]);
        let first = entries.iter().map(|entry| entry.time).min();
        self.last = first.unwrap_or(self.last);
        let (mut sorted, mut before) = (true, 0);
        for &entry in &entries {
            if entry.time == self.last {
                sorted &= before <= entry.order;
                before = entry.order;
                self.due.push_back(entry);
            } else {
                self.put_later(entry);
            }
        }
        if !sorted {
            self.due.make_contiguous().sort_unstable_by_key(|entry| entry.order);
        }
        // Its memory stays, unless there is far less in the queue than there was.
        entries.clear();
        entries.shrink_to(4 * self.len as usize + 64);
        self.later[bucket as usize] = entries;
    }

    /// What will be popped next.
    pub(crate) fn peek(&mut self) -> Option<&Entry> {
        if self.early.is_empty() {
            self.deal();
            return self.due.front();
        }
        self.early.peek().map(|Reverse(Early(entry))| entry)
    }

    pub(crate) fn len(&self) -> usize {
        self.len as usize
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Entry> {
        let early = self.early.iter().map(|Reverse(Early(entry))| entry);
        early.chain(&self.due).chain(self.later.iter().flatten())
    }

    /// Removes what is dead, when that is most of the queue.
    pub(crate) fn retain(&mut self, mut alive: impl FnMut(&Entry) -> bool) {
        self.early.retain(|Reverse(Early(entry))| alive(entry));
        self.due.retain(&mut alive);
        let mut len = self.early.len() + self.due.len();
        for (bucket, entries) in self.later.iter_mut().enumerate() {
            entries.retain(&mut alive);
            len += entries.len();
            if entries.is_empty() {
                self.filled &= !(1 << bucket);
            }
        }
        self.len = len as u32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// Random operations, compared with a sorted set; times are `base(last popped) + up to 2^bits`.
    fn compare(seed: u64, bits: u32, base: fn(u64) -> u64) {
        let slot = Slot::new(7, NonZeroU32::MIN);
        let (mut queue, mut sorted) = (Queue::default(), BTreeSet::new());
        let (mut random, mut last) = (seed, 0);
        for round in 0_u64..20_000 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            match random >> 60 {
                0..=6 => {
                    let at = base(last) + ((random >> 4) & ((1 << bits) - 1));
                    let priority = u8::from((random >> 57) & 7 > 0);
                    queue.push(Instant::from_nanos(at), Priority(priority), Target::Timer, slot);
                    sorted.insert((at, priority, queue.sequence - 1));
                }
                // At most one at a time: two would be equal.
                7 if round % 4 == 0 && !sorted.contains(&(last, 0, 0)) => {
                    queue.push_first(Instant::from_nanos(last), Target::Event, slot);
                    sorted.insert((last, 0, 0));
                }
                7..=13 => {
                    let popped = queue.pop();
                    last = popped.as_ref().map_or(last, |entry| entry.time);
                    let popped = popped.map(|entry| (entry.time, entry.priority().0, entry.sequence()));
                    assert_eq!(popped, sorted.pop_first());
                }
                14 if round % 50 == 0 => {
                    queue.retain(|entry| entry.sequence() % 3 > 0);
                    sorted.retain(|(_, _, sequence)| sequence % 3 > 0);
                }
                _ => assert_eq!(
                    queue.peek().map(Entry::sequence),
                    sorted.first().map(|(_, _, sequence)| *sequence)
                ),
            }
            assert_eq!(queue.len(), sorted.len());
            assert_eq!(queue.iter().count(), sorted.len());
        }
    }

    #[test]
    fn pops_in_order_as_time_goes_on() {
        for bits in [1, 3, 6, 10, 20, 40] {
            compare(u64::from(bits), bits, |last| last);
        }
    }

    #[test]
    fn pops_in_order_whatever_was_pushed() {
        compare(1, 6, |_| 0);
        compare(2, 10, |last| last.saturating_sub(500));
        compare(3, 20, |last| last.saturating_sub(500_000));
    }

    #[test]
    fn the_end_of_time_is_a_time() {
        let slot = Slot::new(0, NonZeroU32::MIN);
        let mut queue = Queue::default();
        for at in [u64::MAX, 0, u64::MAX - 1, 1 << 63] {
            queue.push(Instant::from_nanos(at), Priority::NORMAL, Target::Timer, slot);
        }
        let popped: Vec<u64> = std::iter::from_fn(|| queue.pop().map(|entry| entry.time)).collect();
        assert_eq!(popped, [0, 1 << 63, u64::MAX - 1, u64::MAX]);
    }
}
