//! Putting messages in.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Waker;

use super::{Mode, Store};
use crate::WhenFull;
use crate::lock::lock;

/// What became of a message.
pub(crate) enum Push<T> {
    Stored,
    Dropped,
    /// The receiver is gone.
    Closed,
    /// Not stored: the sender waits under this ticket, or has been refused.
    Full {
        message: T,
        len: usize,
        size: usize,
        ticket: Option<u64>,
    },
    /// Not stored: the box has been linked onward.
    Moved(T),
}

/// How a sender waits, if it does.
pub(crate) struct Patience<'a> {
    pub(crate) waker: &'a Waker,
    pub(crate) ticket: Option<u64>,
}

impl<T> Store<T> {
    /// Puts a message in if that is as simple as it mostly is; gives it back if not.
    #[inline]
    pub(crate) fn push_simply(&self, in_hand: &AtomicUsize, message: T) -> Result<(), T> {
        let mut guard = lock(&self.state);
        let state = &mut *guard;
        let len = state.len(in_hand);
        if len >= state.options.capacity.unwrap_or(usize::MAX) || state.mode != Mode::Open {
            return Err(message);
        }
        state.queue.push_back(message);
        state.received += 1;
        state.high_water = state.high_water.max(len + 1);
        let receiver = self.receiver(state);
        drop(guard);
        if let Some(receiver) = receiver {
            receiver.wake();
        }
        Ok(())
    }

    /// Puts a message in. `patience` is for senders that can wait.
    pub(crate) fn push(
        &self,
        in_hand: &AtomicUsize,
        message: T,
        policy: Option<WhenFull>,
        patience: Option<Patience<'_>>,
    ) -> Push<T> {
        let mut guard = lock(&self.state);
        let state = &mut *guard;
        match state.mode {
            Mode::Forwarded => return Push::Moved(message),
            Mode::Closed => {
                state.rare().undeliverable += 1;
                drop(guard);
                drop(message);
                return Push::Closed;
            }
            Mode::Open | Mode::Finished => {}
        }
        if let Some(ticket) = patience.as_ref().and_then(|patience| patience.ticket) {
            let senders = &mut state.rare().senders;
            senders.remove(ticket);
            self.blocked.store(senders.len(), Ordering::SeqCst);
        }
        let len = state.len(in_hand);
        let mut evicted = None;
        if let Some(size) = state.options.capacity
            && len >= size
        {
            match (policy.unwrap_or(state.options.when_full), patience) {
                (WhenFull::Wait, Some(patience)) => {
                    let rare = state.rare();
                    rare.blocked += u64::from(patience.ticket.is_none());
                    let ticket = rare.senders.register(patience.ticket, patience.waker);
                    self.blocked.store(rare.senders.len(), Ordering::SeqCst);
                    // A receiver without a component looks at `blocked` after it has taken something: look again too.
                    if state.queue.len() + in_hand.load(Ordering::SeqCst) >= size {
                        return Push::Full {
                            message,
                            len,
                            size,
                            ticket: Some(ticket),
                        };
                    }
                    let senders = &mut state.rare().senders;
                    senders.remove(ticket);
                    self.blocked.store(senders.len(), Ordering::SeqCst);
                }
                (WhenFull::Wait | WhenFull::Refuse, _) => {
                    state.rare().refused += 1;
                    return Push::Full {
                        message,
                        len,
                        size,
                        ticket: None,
                    };
                }
                (WhenFull::DropOldest, _) if !state.queue.is_empty() => {
                    state.rare().dropped += 1;
                    evicted = state.queue.pop_front();
                }
                (WhenFull::DropNewest | WhenFull::DropOldest, _) => {
                    state.rare().dropped += 1;
                    drop(guard);
                    drop(message);
                    return Push::Dropped;
                }
            }
        }
        state.queue.push_back(message);
        state.received += 1;
        // Exactly known: nothing but this lock lets the box grow.
        state.high_water = state.high_water.max((len + 1) - usize::from(evicted.is_some()));
        let receiver = self.receiver(state);
        drop(guard);
        drop(evicted);
        if let Some(receiver) = receiver {
            receiver.wake();
        }
        Push::Stored
    }

    /// Puts in as many as there is room for, from the front; true if the box has been linked onward meanwhile.
    pub(crate) fn push_many(&self, in_hand: &AtomicUsize, messages: &mut VecDeque<T>) -> bool {
        let mut guard = lock(&self.state);
        let state = &mut *guard;
        match state.mode {
            Mode::Forwarded => return true,
            Mode::Open => {}
            // The single way knows what to do.
            Mode::Closed | Mode::Finished => return false,
        }
        let len = state.queue.len() + in_hand.load(Ordering::Acquire);
        let room = state
            .options
            .capacity
            .map_or(usize::MAX, |size| size.saturating_sub(len));
        let count = room.min(messages.len());
        if count == 0 {
            return false;
        }
        if count == messages.len() && state.queue.is_empty() {
            std::mem::swap(&mut state.queue, messages);
        } else {
            state.queue.extend(messages.drain(..count));
        }
        state.received += count as u64;
        state.high_water = state.high_water.max(len + count);
        let receiver = self.receiver(state);
        drop(guard);
        if let Some(receiver) = receiver {
            receiver.wake();
        }
        false
    }
}
