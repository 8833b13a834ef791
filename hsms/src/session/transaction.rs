//! Transactions that we have opened and that are not closed yet, by their system bytes.

use std::collections::VecDeque;

use net_core::Instant;

use super::timers::Deadlines;
use crate::{Header, SType};

/// One of them.
#[derive(Debug)]
pub(super) struct Open<T> {
    /// What was sent.
    pub(super) header: Header,
    pub(super) deadline: Instant,
    /// What the caller tied to it; nothing for what the session began by itself.
    pub(super) tied: Option<T>,
    /// Something came with these system bytes that is no reply all the same.
    pub(super) near_miss: Option<Header>,
}

#[derive(Debug)]
pub(super) struct Transactions<T> {
    slots: Slots<T>,
    /// How many of them are data transactions.
    data: usize,
    deadlines: Deadlines,
    /// The system bytes that were given out last.
    last: u32,
}

impl<T> Default for Transactions<T> {
    fn default() -> Self {
        Self {
            slots: Slots::default(),
            data: 0,
            deadlines: Deadlines::default(),
            last: 0,
        }
    }
}

impl<T> Transactions<T> {
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.slots.live
    }

    /// How many data transactions are open.
    #[inline]
    pub(super) fn data(&self) -> usize {
        self.data
    }

    /// System bytes that no open transaction has.
    #[inline]
    pub(super) fn next_system(&mut self) -> u32 {
        loop {
            self.last = self.last.wrapping_add(1);
            if self.slots.get(self.last).is_none() {
                return self.last;
            }
        }
    }

    #[inline]
    pub(super) fn open(&mut self, header: Header, deadline: Instant, tied: Option<T>) {
        self.data += usize::from(header.is_data());
        self.deadlines.insert(deadline, header.system());
        self.slots.push(Open {
            header,
            deadline,
            tied,
            near_miss: None,
        });
    }

    #[inline]
    pub(super) fn get(&mut self, system: u32) -> Option<&mut Open<T>> {
        self.slots.get_mut(system)
    }

    #[inline]
    pub(super) fn close(&mut self, system: u32) -> Option<Open<T>> {
        let closed = self.slots.take(system)?;
        self.data -= usize::from(closed.header.is_data());
        let slots = &self.slots;
        self.deadlines.tidy(slots.live, |at, system| {
            slots.get(system).is_some_and(|open| open.deadline == at)
        });
        Some(closed)
    }

    /// The open transaction of this kind with these system bytes.
    pub(super) fn close_kind(&mut self, system: u32, kind: SType) -> Option<Open<T>> {
        if self.get(system)?.header.s_type() == kind {
            self.close(system)
        } else {
            None
        }
    }

    pub(super) fn is_open(&self, kind: SType) -> bool {
        self.slots.iter().any(|open| open.header.s_type() == kind)
    }

    #[inline]
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.deadlines.first().map(|(at, _)| at)
    }

    /// Closes one whose time is over.
    pub(super) fn close_due(&mut self, now: Instant) -> Option<Open<T>> {
        let (at, system) = self.deadlines.first()?;
        if at > now { None } else { self.close(system) }
    }

    /// Closes those that a condition names, in the order in which they were opened.
    pub(super) fn close_where(&mut self, mut which: impl FnMut(&Header) -> bool) -> Vec<Open<T>> {
        let named = self.slots.iter().map(|open| open.header);
        let named: Vec<u32> = named
            .filter(|header| which(header))
            .map(|header| header.system())
            .collect();
        named.into_iter().filter_map(|system| self.close(system)).collect()
    }
}

/// So many slots are kept when all are free.
const KEPT: usize = 16;

/// They are opened in the order of their system bytes, and mostly closed in it: a queue with gaps finds most at the first
/// look, and an idle session keeps little room for it.
#[derive(Debug)]
struct Slots<T> {
    queue: VecDeque<(u32, Option<Open<T>>)>,
    /// How many are not closed.
    live: usize,
    /// The system bytes have wrapped around past one that is still open: they are in no order.
    mixed: bool,
}

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Self {
            queue: VecDeque::new(),
            live: 0,
            mixed: false,
        }
    }
}

impl<T> Slots<T> {
    #[inline]
    fn push(&mut self, open: Open<T>) {
        let system = open.header.system();
        match (self.queue.front(), self.queue.back()) {
            (Some((first, _)), Some((last, _))) => {
                self.mixed |= system.wrapping_sub(*first) <= last.wrapping_sub(*first);
            }
            _ => self.mixed = false,
        }
        self.live += 1;
        self.queue.push_back((system, Some(open)));
    }

    #[inline]
    fn find(&self, system: u32) -> Option<usize> {
        let (first, _) = self.queue.front()?;
        if self.mixed {
            // It has happened again since then: the later one is open.
            return self.queue.iter().rposition(|(other, _)| *other == system);
        }
        let after = |other: u32| other.wrapping_sub(*first);
        let guess = after(system) as usize;
        if self.queue.get(guess).is_some_and(|(other, _)| *other == system) {
            return Some(guess);
        }
        self.queue
            .binary_search_by_key(&after(system), |(other, _)| after(*other))
            .ok()
    }

    #[inline]
    fn get(&self, system: u32) -> Option<&Open<T>> {
        self.queue.get(self.find(system)?)?.1.as_ref()
    }

    #[inline]
    fn get_mut(&mut self, system: u32) -> Option<&mut Open<T>> {
        let index = self.find(system)?;
        self.queue.get_mut(index)?.1.as_mut()
    }

    #[inline]
    fn take(&mut self, system: u32) -> Option<Open<T>> {
        let index = self.find(system)?;
        let taken = self.queue.get_mut(index)?.1.take()?;
        self.live -= 1;
        while let Some((_, None)) = self.queue.front() {
            super::pop(&mut self.queue);
        }
        if self.queue.len() > 2 * self.live + 32 {
            self.queue.retain(|(_, open)| open.is_some());
        }
        if self.live == 0 && self.queue.capacity() > KEPT {
            self.queue.shrink_to(KEPT);
        }
        Some(taken)
    }

    fn iter(&self) -> impl Iterator<Item = &Open<T>> {
        self.queue.iter().filter_map(|(_, open)| open.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::StreamFunction;

    fn request(transactions: &mut Transactions<u32>) -> u32 {
        let system = transactions.next_system();
        let header = Header::data(0, StreamFunction::new(1, 1), true, system);
        let deadline = Instant::ZERO + Duration::from_secs(45);
        transactions.open(header, deadline, Some(system));
        system
    }

    proptest! {
        /// As a map is, in whatever order they are closed, and where the system bytes wrap around.
        #[test]
        fn slots_are_as_a_map(before_wrap in 0..40_u32, skip in any::<bool>(), steps in prop::collection::vec((any::<bool>(), any::<prop::sample::Index>()), 0..200)) {
            let mut transactions = Transactions::<u32>::default();
            let mut map = BTreeMap::new();
            if skip {
                // One that stays open while all others are given out once.
                let old = request(&mut transactions);
                map.insert(old, old);
            }
            transactions.last = u32::MAX - before_wrap;
            for (open, which) in steps {
                if open || map.is_empty() {
                    let system = request(&mut transactions);
                    prop_assert_eq!(map.insert(system, system), None);
                } else {
                    let system = *map.keys().nth(which.index(map.len())).unwrap();
                    map.remove(&system);
                    prop_assert_eq!(transactions.close(system).and_then(|open| open.tied), Some(system));
                    prop_assert!(transactions.close(system).is_none());
                }
                prop_assert_eq!(transactions.len(), map.len());
                prop_assert_eq!(transactions.data(), map.len());
                prop_assert!(transactions.slots.queue.len() <= 2 * map.len() + 33);
            }
            for system in map.keys() {
                prop_assert!(transactions.get(*system).is_some());
            }
            let mut left: Vec<u32> = transactions.close_where(|_| true).into_iter().filter_map(|open| open.tied).collect();
            left.sort_unstable();
            prop_assert_eq!(left, map.into_keys().collect::<Vec<_>>());
            prop_assert_eq!(transactions.deadline(), None);
        }
    }

    #[test]
    fn a_burst_leaves_little_behind() {
        let mut transactions = Transactions::<u32>::default();
        let systems: Vec<u32> = (0..1000).map(|_| request(&mut transactions)).collect();
        for system in systems {
            transactions.close(system).unwrap();
        }
        assert!(transactions.slots.queue.capacity() <= 2 * KEPT);
    }
}
