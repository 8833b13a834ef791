//! Who waits for something, first come, first woken.

use std::collections::VecDeque;
use std::task::{Context, Waker};

/// Wakers in the order in which their waits began.
#[derive(Debug, Default)]
pub(super) struct Waiters {
    next: u64,
    waiting: VecDeque<(u64, Waker)>,
}

impl Waiters {
    /// Waits, or goes on waiting at the same place.
    pub(super) fn register(&mut self, ticket: &mut Option<u64>, cx: &Context<'_>) {
        if let Some((_, waker)) = ticket.and_then(|mine| self.waiting.iter_mut().find(|(id, _)| *id == mine)) {
            waker.clone_from(cx.waker());
            return;
        }
        self.next += 1;
        *ticket = Some(self.next);
        self.waiting.push_back((self.next, cx.waker().clone()));
    }

    /// The first, to be woken once no lock is held.
    pub(super) fn first(&mut self) -> Option<Waker> {
        self.waiting.pop_front().map(|(_, waker)| waker)
    }

    /// All of them, likewise.
    pub(super) fn all(&mut self) -> impl Iterator<Item = Waker> {
        std::mem::take(&mut self.waiting).into_iter().map(|(_, waker)| waker)
    }

    /// Gives the wait up; none if it was woken already. The waker is dropped once no lock is held.
    pub(super) fn leave(&mut self, ticket: u64) -> Option<Waker> {
        let at = self.waiting.iter().position(|(id, _)| *id == ticket)?;
        self.waiting.remove(at).map(|(_, waker)| waker)
    }
}
