//! Senders that wait for room, woken in the order in which they came.

use std::collections::VecDeque;
use std::task::Waker;

/// Who waits, oldest first. The places are kept when it runs empty, so waiting costs no allocation in a steady state.
#[derive(Debug, Default)]
pub(crate) struct Waiters {
    next: u64,
    waiting: VecDeque<(u64, Waker)>,
    /// Those who were woken for a place and have not come yet.
    promised: VecDeque<u64>,
}

impl Waiters {
    /// Begins or goes on waiting; who waits again keeps the place in the order that it had.
    pub(crate) fn register(&mut self, ticket: Option<u64>, waker: &Waker) -> u64 {
        let id = ticket.unwrap_or_else(|| {
            self.next += 1;
            self.next
        });
        match self.waiting.binary_search_by_key(&id, |(id, _)| *id) {
            Ok(at) => {
                if let Some((_, old)) = self.waiting.get_mut(at) {
                    old.clone_from(waker);
                }
            }
            Err(at) => self.waiting.insert(at, (id, waker.clone())),
        }
        id
    }

    /// Ends a wait; true if it had been woken for a place.
    pub(crate) fn remove(&mut self, ticket: u64) -> bool {
        if let Ok(at) = self.waiting.binary_search_by_key(&ticket, |(id, _)| *id) {
            self.waiting.remove(at);
        } else if let Some(at) = self.promised.iter().position(|id| *id == ticket) {
            self.promised.remove(at);
            return true;
        }
        false
    }

    /// How many places are kept for those who were woken.
    pub(crate) fn promised(&self) -> usize {
        self.promised.len()
    }

    /// The oldest ones, at most `count`, each for a place that is kept for it.
    #[must_use = "they are woken by `wake`"]
    pub(crate) fn promise(&mut self, count: usize) -> Woken {
        let some = self.waiting.len().min(count);
        self.promised.extend(self.waiting.iter().take(some).map(|(id, _)| *id));
        self.take(some)
    }

    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// The oldest ones, at most `count`, for no place in particular, to be woken once no lock is held.
    #[must_use = "they are woken by `wake`"]
    pub(crate) fn take(&mut self, count: usize) -> Woken {
        match (self.waiting.len().min(count), count) {
            (0, _) => Woken::Nobody,
            (1, _) => self
                .waiting
                .pop_front()
                .map_or(Woken::Nobody, |(_, one)| Woken::One(one)),
            (some, _) => Woken::Many(self.waiting.drain(..some).map(|(_, waker)| waker).collect()),
        }
    }
}

/// Wakers taken from a list.
#[derive(Debug, Default)]
pub(crate) enum Woken {
    #[default]
    Nobody,
    One(Waker),
    Many(Vec<Waker>),
}

impl Woken {
    #[inline]
    pub(crate) fn wake(self) {
        // Mostly there is nobody, and a message should not pay for that.
        if !matches!(self, Self::Nobody) {
            self.wake_some();
        }
    }

    #[cold]
    fn wake_some(self) {
        match self {
            Self::Nobody => {}
            Self::One(waker) => waker.wake(),
            Self::Many(wakers) => wakers.into_iter().for_each(Waker::wake),
        }
    }
}
