//! What happens to messages that wait when links change, and when a receiver goes.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{Mode, Store};
use crate::lock::lock;

impl<T> Store<T> {
    /// Puts back what the receiver took out and did not hand to its component.
    pub(crate) fn put_back(&self, in_hand: &AtomicUsize, batch: &mut VecDeque<T>) {
        let mut state = lock(&self.state);
        in_hand.store(0, Ordering::Release);
        state.taken = state.taken.saturating_sub(batch.len() as u64);
        while let Some(message) = batch.pop_back() {
            state.queue.push_front(message);
        }
    }

    /// Links onward: what waits goes to the end of `to`'s queue, all of it or nothing.
    ///
    /// # Errors
    /// How many there are, and the size of the box that has no room for them.
    pub(crate) fn forward(&self, to: Option<(&Self, &AtomicUsize)>) -> Result<(), (usize, usize)> {
        // Only linking holds two of these locks, and it is alone in that.
        let mut own = lock(&self.state);
        let mut receiver = None;
        if let Some((to, in_hand)) = to
            && !own.queue.is_empty()
        {
            let mut theirs = lock(&to.state);
            let moving = own.queue.len();
            let len = theirs.queue.len() + in_hand.load(Ordering::Acquire);
            if let Some(size) = theirs.options.capacity
                && len + moving > size
            {
                return Err((len + moving, size));
            }
            theirs.queue.append(&mut own.queue);
            theirs.received += moving as u64;
            theirs.high_water = theirs.high_water.max(len + moving);
            receiver = to.receiver(&mut theirs);
        }
        own.mode = Mode::Forwarded;
        let senders = own.all_senders();
        self.blocked.store(0, Ordering::SeqCst);
        drop(own);
        if let Some(receiver) = receiver {
            receiver.wake();
        }
        senders.wake();
        Ok(())
    }

    /// Is the end of its chain again.
    pub(crate) fn reopen(&self) {
        let mut state = lock(&self.state);
        if matches!(state.mode, Mode::Forwarded | Mode::Finished) {
            state.mode = Mode::Open;
        }
    }

    /// No message will come any more.
    pub(crate) fn finish(&self) {
        let receiver = {
            let mut state = lock(&self.state);
            if state.mode != Mode::Open {
                return;
            }
            state.mode = Mode::Finished;
            self.receiver(&mut state)
        };
        if let Some(receiver) = receiver {
            receiver.wake();
        }
    }

    /// The receiver is gone, with a batch of so many: what waits is given back, to be dropped without the lock.
    pub(crate) fn close(&self, in_hand: &AtomicUsize, batch: usize) -> VecDeque<T> {
        let mut state = lock(&self.state);
        if state.mode == Mode::Forwarded {
            return VecDeque::new();
        }
        state.mode = Mode::Closed;
        let left = std::mem::take(&mut state.queue);
        state.taken = state.taken.saturating_sub(batch as u64);
        let lost = (left.len() + batch) as u64;
        if lost > 0 {
            state.rare().undeliverable += lost;
        }
        in_hand.store(0, Ordering::Release);
        let senders = state.all_senders();
        drop(state);
        senders.wake();
        left
    }

    /// The receiver is gone, with a batch of so many, and what it left goes elsewhere, as does what still comes.
    pub(crate) fn abandon(&self, in_hand: &AtomicUsize, batch: usize) -> VecDeque<T> {
        let mut state = lock(&self.state);
        state.mode = Mode::Forwarded;
        let left = std::mem::take(&mut state.queue);
        state.taken = state.taken.saturating_sub(batch as u64);
        in_hand.store(0, Ordering::Release);
        let senders = state.all_senders();
        drop(state);
        senders.wake();
        left
    }

    /// Puts messages before those that wait, however many there are.
    pub(crate) fn put_first(&self, mut messages: VecDeque<T>) {
        let receiver = {
            let mut state = lock(&self.state);
            let count = messages.len();
            messages.append(&mut state.queue);
            state.queue = messages;
            state.received += count as u64;
            self.receiver(&mut state)
        };
        if let Some(receiver) = receiver {
            receiver.wake();
        }
    }

    /// Wakes everybody, to look at the world anew.
    pub(crate) fn wake_all(&self) {
        let (receiver, senders) = {
            let mut state = lock(&self.state);
            let senders = state.all_senders();
            self.blocked.store(0, Ordering::SeqCst);
            (self.receiver(&mut state), senders)
        };
        if let Some(receiver) = receiver {
            receiver.wake();
        }
        senders.wake();
    }
}
