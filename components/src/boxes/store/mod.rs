//! Where messages wait: one lock around a queue, taken out whole by the receiver.
//!
//! The receiver swaps the queue for the empty one that it has emptied before, so that a message costs neither a lock nor an
//! allocation on that side. What it holds in hand counts against the capacity until it is handed out, so a box never holds
//! more than its capacity. Senders that wait are woken when the box is half empty, when the receiver takes a new batch, and
//! when the receiving component begins to wait for something itself: few times for many messages, and never too late.

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
    /// Messages taken out by the receiver and not handed to its component yet. Written by the receiver only.
    in_hand: AtomicUsize,
    /// The receiver waits, and nothing has come since.
    quiet: AtomicBool,
    /// How many senders wait, for receivers that have no component behind them.
    blocked: AtomicUsize,
}

#[derive(Debug)]
struct State<T> {
    queue: VecDeque<T>,
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
                options,
                mode: Mode::Open,
                receiver,
                received: 0,
                taken: 0,
                high_water: 0,
                rare: None,
            }),
            in_hand: AtomicUsize::new(0),
            quiet: AtomicBool::new(quiet),
            blocked: AtomicUsize::new(0),
        }
    }

    /// Swaps what waits with the receiver's empty batch. With nothing there the waker is kept; `ended` is asked with the
    /// lock held.
    pub(crate) fn take(
        &self,
        batch: &mut VecDeque<T>,
        waker: Option<&Waker>,
        ended: impl FnOnce() -> bool,
    ) -> Result<(), Nothing> {
        let mut guard = lock(&self.state);
        let state = &mut *guard;
        let left = if state.queue.is_empty() {
            0
        } else if state.options.when_full == WhenFull::DropOldest {
            batch.extend(state.queue.pop_front());
            state.taken += 1;
            0
        } else {
            std::mem::swap(&mut state.queue, batch);
            state.taken += batch.len() as u64;
            // The caller hands the first one out at once.
            batch.len() - 1
        };
        self.in_hand.store(left, Ordering::Release);
        // The rest of them when the batch is half used up, or when the component begins to wait.
        let half = state.options.capacity.map_or(usize::MAX, |size| size / 2);
        let woken = self.make_room(state, half);
        let outcome = if !batch.is_empty() {
            Ok(())
        } else if state.mode == Mode::Finished || state.mode == Mode::Closed || ended() {
            Err(Nothing::Ever)
        } else {
            if let Some(new) = waker {
                match &mut state.receiver {
                    Some(old) => old.clone_from(new),
                    old @ None => *old = Some(new.clone()),
                }
                self.quiet.store(true, Ordering::Release);
            }
            Err(Nothing::Yet)
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

    /// Says how many messages the receiver still has in hand.
    #[inline]
    pub(crate) fn hold(&self, in_hand: usize) {
        self.in_hand.store(in_hand, Ordering::Release);
    }

    /// The same for a receiver without a component, whose waiting senders nobody else would wake.
    pub(crate) fn hold_alone(&self, in_hand: usize) {
        self.in_hand.store(in_hand, Ordering::SeqCst);
        if self.blocked.load(Ordering::SeqCst) > 0 {
            self.settle();
        }
    }

    /// Wakes senders that there is room for.
    pub(crate) fn settle(&self) {
        let woken = self.make_room(&mut lock(&self.state), usize::MAX);
        woken.wake();
    }

    /// Takes the senders out that there is room for, if the box holds at most `limit` messages.
    fn make_room(&self, state: &mut State<T>, limit: usize) -> Woken {
        let Some(rare) = state.rare.as_mut().filter(|rare| rare.senders.len() > 0) else {
            return Woken::Nobody;
        };
        let len = state.queue.len() + self.in_hand.load(Ordering::Acquire);
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
    pub(crate) fn give_up(&self, ticket: u64) {
        let woken = {
            let mut state = lock(&self.state);
            let senders = &mut state.rare().senders;
            let promised = senders.remove(ticket);
            self.blocked.store(senders.len(), Ordering::SeqCst);
            if promised {
                self.make_room(&mut state, usize::MAX)
            } else {
                Woken::Nobody
            }
        };
        woken.wake();
    }

    /// Messages that wait, in the queue and in the receiver's hand.
    pub(crate) fn len(&self) -> usize {
        lock(&self.state).queue.len() + self.in_hand.load(Ordering::Acquire)
    }

    pub(crate) fn options(&self) -> BoxOptions {
        lock(&self.state).options
    }

    /// Changes size and policy. What waits stays, even if it is more than the new size.
    pub(crate) fn set_options(&self, options: BoxOptions) {
        let woken = {
            let mut state = lock(&self.state);
            state.options = options;
            self.make_room(&mut state, usize::MAX)
        };
        woken.wake();
    }

    /// What was counted; what is in hand has not been taken by the component yet.
    pub(crate) fn counts(&self) -> Counts {
        let state = lock(&self.state);
        let mut counts = Counts {
            received: state.received,
            taken: state.taken.saturating_sub(self.in_hand.load(Ordering::Acquire) as u64),
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
    pub(crate) fn blocked(&self) -> usize {
        self.blocked.load(Ordering::SeqCst)
    }
}
