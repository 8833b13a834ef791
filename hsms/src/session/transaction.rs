//! Transactions that we have opened and that are not closed yet, by their system bytes.

use std::collections::BTreeMap;

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
    open: BTreeMap<u32, Open<T>>,
    /// How many of them are data transactions.
    data: usize,
    deadlines: Deadlines,
    /// The system bytes that were given out last.
    last: u32,
}

impl<T> Default for Transactions<T> {
    fn default() -> Self {
        Self {
            open: BTreeMap::new(),
            data: 0,
            deadlines: Deadlines::default(),
            last: 0,
        }
    }
}

impl<T> Transactions<T> {
    pub(super) fn len(&self) -> usize {
        self.open.len()
    }

    /// How many data transactions are open.
    pub(super) fn data(&self) -> usize {
        self.data
    }

    /// System bytes that no open transaction has.
    #[inline]
    pub(super) fn next_system(&mut self) -> u32 {
        loop {
            self.last = self.last.wrapping_add(1);
            if !self.open.contains_key(&self.last) {
                return self.last;
            }
        }
    }

    #[inline]
    pub(super) fn open(&mut self, header: Header, deadline: Instant, tied: Option<T>) {
        let system = header.system();
        self.data += usize::from(header.is_data());
        self.deadlines.insert(deadline, system);
        let open = Open {
            header,
            deadline,
            tied,
            near_miss: None,
        };
        self.open.insert(system, open);
    }

    #[inline]
    pub(super) fn get(&mut self, system: u32) -> Option<&mut Open<T>> {
        self.open.get_mut(&system)
    }

    #[inline]
    pub(super) fn close(&mut self, system: u32) -> Option<Open<T>> {
        let closed = self.open.remove(&system)?;
        self.data -= usize::from(closed.header.is_data());
        let open = &self.open;
        self.deadlines.tidy(open.len(), |at, system| {
            open.get(&system).is_some_and(|open| open.deadline == at)
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
        self.open.values().any(|open| open.header.s_type() == kind)
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

    /// Closes those that a condition names, in the order of their system bytes.
    pub(super) fn close_where(&mut self, mut which: impl FnMut(&Header) -> bool) -> Vec<Open<T>> {
        let named: Vec<u32> = self
            .open
            .iter()
            .filter(|(_, open)| which(&open.header))
            .map(|(system, _)| *system)
            .collect();
        named.into_iter().filter_map(|system| self.close(system)).collect()
    }
}
