//! Where messages wait: one lock around a queue, taken out whole by the receiver.
//!
//! The receiver swaps the queue for the empty one that it has emptied before, so that a message costs neither a lock nor an
//! allocation on that side. What it holds in hand counts against the capacity until it is handed out, so a box never holds
//! more than its capacity. Senders that wait are woken when the box is half empty, when the receiver takes a new batch, and
//! when the receiving component begins to wait for something itself: few times for many messages, and never too late.
//!
//! How many the receiver has in hand stands in its box's node and not here, and senders look there only when it may matter:
//! on two processors each look costs more than all the rest.

mod moving;
mod push;

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::Waker;

use super::Counts;
use super::waiters::{Waiters, Woken};
use crate::lock::lock;
use crate::{BoxOptions, WhenFull};

pub(crate) use push::{Patience, Push};

#[derive(Debug)]
pub(crate) struct Store<T> {
    state: Mutex<State<T>>,
    /// The receiver waits, and nothing has come since.
    quiet: AtomicBool,
    /// How many senders wait, for receivers that have no component behind them.
    blocked: AtomicUsize,
}

#[derive(Debug)]
struct State<T> {
    queue: VecDeque<T>,
    /// The receiver has no more in hand than this: what it had when somebody last looked.
    in_hand_at_most: usize,
    options: BoxOptions,
    mode: Mode,
    receiver: Option<Waker>,
    received: u64,
    taken: u64,
    high_water: usize,
    /// Made when it is first needed: most boxes are never full.
    rare: Option<Box<Rare>>,
}

/// What boxes that have been full or closed know besides.
#[derive(Debug, Default)]
struct Rare {
    senders: Waiters,
    blocked: u64,
    refused: u64,
    dropped: u64,
    undeliverable: u64,
}

impl<T> State<T> {
    /// How many messages there are, with those in hand; more than that only if it makes no difference, for there is room,
    /// and there were more before.
    #[inline]
    fn len(&mut self, in_hand: &AtomicUsize) -> usize {
        let at_most = self.queue.len() + self.in_hand_at_most;
        if at_most < self.high_water && at_most < self.options.capacity.unwrap_or(usize::MAX) {
            return at_most;
        }
        self.in_hand_at_most = in_hand.load(Ordering::Acquire);
        self.queue.len() + self.in_hand_at_most
    }

    fn rare(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }

    /// All senders that wait.
    fn all_senders(&mut self) -> Woken {
        self.rare
            .as_mut()
            .map_or(Woken::Nobody, |rare| rare.senders.take(usize::MAX))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Open,
    /// Linked onward: messages belong elsewhere.
    Forwarded,
    /// No source is left, and none will come.
    Finished,
    /// The receiver is gone.
    Closed,
}

/// Why there is nothing to take.
pub(crate) enum Nothing {
    Yet,
    Ever,
}

impl<T> Store<T> {
    /// With a receiver that waits already, if it is known.
    pub(crate) fn new(options: BoxOptions, receiver: Option<Waker>) -> Self {
        let quiet = receiver.is_some();
        Self {
            state: Mutex::new(State {
                queue: VecDeque::new(),
                in_hand_at_most: 0,
                options,
                mode: Mode::Open,
                receiver,
                received: 0,
                taken: 0,
                high_water: 0,
                rare: None,
            }),
            quiet: AtomicBool::new(quiet),
            blocked: AtomicUsize::new(0),
        }
    }

    /// The first message; all others that wait are swapped with the receiver's empty batch. With nothing there the waker is
    /// kept; `ended` is asked with the lock held.
    pub(crate) fn take(
        &self,
        in_hand: &AtomicUsize,
        batch: &mut VecDeque<T>,
        waker: Option<&Waker>,
        ended: impl FnOnce() -> bool,
    ) -> Result<T, Nothing> {
        let mut guard = lock(&self.state);
        let state = &mut *guard;
        let first = state.queue.pop_front();
        if first.is_some() {
            state.taken += 1;
            // A single one needs no second queue.
            if !state.queue.is_empty() && state.options.when_full != WhenFull::DropOldest {
                std::mem::swap(&mut state.queue, batch);
                state.taken += batch.len() as u64;
            }
        }
        in_hand.store(batch.len(), Ordering::Release);
        // One more, for it may be handed back.
        state.in_hand_at_most = batch.len() + 1;
        // The rest of them when the batch is half used up, or when the component begins to wait.
        let half = state.options.capacity.map_or(usize::MAX, |size| size / 2);
        let woken = self.make_room(state, in_hand, half);
        let outcome = match first {
            Some(first) => Ok(first),
            None if state.mode == Mode::Finished || state.mode == Mode::Closed || ended() => Err(Nothing::Ever),
            None => {
                if let Some(new) = waker {
                    match &mut state.receiver {
                        Some(old) => old.clone_from(new),
                        old @ None => *old = Some(new.clone()),
                    }
                    self.quiet.store(true, Ordering::Release);
                }
                Err(Nothing::Yet)
            }
        };
        drop(guard);
        woken.wake();
        outcome
    }

    /// Whether the receiver that waits here with its task's only waker has nothing to look for.
    #[inline]
    pub(crate) fn is_quiet(&self) -> bool {
        self.quiet.load(Ordering::Acquire)
    }

    #[inline]
    fn receiver(&self, state: &mut State<T>) -> Option<Waker> {
        let receiver = state.receiver.take();
        if receiver.is_some() {
            self.quiet.store(false, Ordering::Release);
        }
        receiver
    }

    /// Half of the capacity: where waiting senders are woken.
    pub(crate) fn half(&self) -> usize {
        lock(&self.state).options.capacity.map_or(usize::MAX, |size| size / 2)
    }

    /// Wakes senders that there is room for.
    pub(crate) fn settle(&self, in_hand: &AtomicUsize) {
        let woken = self.make_room(&mut lock(&self.state), in_hand, usize::MAX);
        woken.wake();
    }

    /// Takes the senders out that there is room for, if the box holds at most `limit` messages.
    fn make_room(&self, state: &mut State<T>, in_hand: &AtomicUsize, limit: usize) -> Woken {
        let Some(rare) = state.rare.as_mut().filter(|rare| rare.senders.len() > 0) else {
            return Woken::Nobody;
        };
        let len = state.queue.len() + in_hand.load(Ordering::Acquire);
        let taken = len + rare.senders.promised();
        let room = state
            .options
            .capacity
            .map_or(usize::MAX, |size| size.saturating_sub(taken));
        if room == 0 || len > limit {
            return Woken::Nobody;
        }
        let woken = rare.senders.promise(room);
        self.blocked.store(rare.senders.len(), Ordering::SeqCst);
        woken
    }

    /// A sender gives up waiting. If it had been woken for a place, the next one gets it.
    pub(crate) fn give_up(&self, in_hand: &AtomicUsize, ticket: u64) {
        let woken = {
            let mut state = lock(&self.state);
            let senders = &mut state.rare().senders;
            let promised = senders.remove(ticket);
            self.blocked.store(senders.len(), Ordering::SeqCst);
            if promised {
                self.make_room(&mut state, in_hand, usize::MAX)
            } else {
                Woken::Nobody
            }
        };
        woken.wake();
    }

    /// Messages that wait, in the queue and in the receiver's hand.
    pub(crate) fn len(&self, in_hand: &AtomicUsize) -> usize {
        lock(&self.state).queue.len() + in_hand.load(Ordering::Acquire)
    }

    pub(crate) fn options(&self) -> BoxOptions {
        lock(&self.state).options
    }

    /// Changes size and policy. What waits stays, even if it is more than the new size.
    pub(crate) fn set_options(&self, in_hand: &AtomicUsize, options: BoxOptions) {
        let woken = {
            let mut state = lock(&self.state);
            state.options = options;
            self.make_room(&mut state, in_hand, usize::MAX)
        };
        woken.wake();
    }

    /// What was counted; what is in hand has not been taken by the component yet.
    pub(crate) fn counts(&self, in_hand: &AtomicUsize) -> Counts {
        let state = lock(&self.state);
        let mut counts = Counts {
            received: state.received,
            taken: state.taken.saturating_sub(in_hand.load(Ordering::Acquire) as u64),
            high_water: state.high_water,
            ..Counts::default()
        };
        if let Some(rare) = &state.rare {
            counts.blocked = rare.blocked;
            counts.refused = rare.refused;
            counts.dropped = rare.dropped;
            counts.undeliverable = rare.undeliverable;
        }
        counts
    }

    /// How many senders wait for room.
    #[inline]
    pub(crate) fn blocked(&self) -> usize {
        self.blocked.load(Ordering::SeqCst)
    }
}
