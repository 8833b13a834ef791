//! Where messages wait: one lock around a queue, taken out whole by the receiver.
//!
//! The receiver swaps the queue for the empty one that it has emptied before, so that a message costs neither a lock nor an
//! allocation on that side. What it holds in hand counts against the capacity until it is handed out, so a box never holds
//! more than its capacity. Senders that wait are woken when the box is half empty, when the receiver takes a new batch, and
//! when the receiving component begins to wait for something itself: few times for many messages, and never too late.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::Waker;

use super::waiters::{Waiters, Woken};
use crate::lock::lock;
use crate::{BoxOptions, WhenFull};

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
    senders: Waiters,
    counts: Counts,
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

/// What a box has counted since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Messages that were put in.
    pub received: u64,
    /// Messages that were taken out by the component.
    pub taken: u64,
    /// The most messages that it held at once.
    pub high_water: usize,
    /// Times that a sender had to wait for room.
    pub blocked: u64,
    /// Messages given back to their senders: [`WhenFull::Refuse`], and `try_send`.
    pub refused: u64,
    /// Messages dropped because the box was full.
    pub dropped: u64,
    /// Messages that came when the component had ended, or that it left behind.
    pub undeliverable: u64,
}

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

/// Why there is nothing to take.
pub(crate) enum Nothing {
    Yet,
    Ever,
}

impl<T> Store<T> {
    pub(crate) fn new(options: BoxOptions) -> Self {
        Self {
            state: Mutex::new(State {
                queue: VecDeque::new(),
                options,
                mode: Mode::Open,
                receiver: None,
                senders: Waiters::default(),
                counts: Counts::default(),
            }),
            in_hand: AtomicUsize::new(0),
            quiet: AtomicBool::new(false),
            blocked: AtomicUsize::new(0),
        }
    }

    /// Puts a message in if that is as simple as it mostly is; gives it back if not.
    #[inline]
    pub(crate) fn push_simply(&self, message: T) -> Result<(), T> {
        let mut guard = lock(&self.state);
        let state = &mut *guard;
        let len = state.queue.len() + self.in_hand.load(Ordering::Acquire);
        if len >= state.options.capacity.unwrap_or(usize::MAX) || state.mode != Mode::Open {
            return Err(message);
        }
        state.queue.push_back(message);
        state.counts.received += 1;
        state.counts.high_water = state.counts.high_water.max(len + 1);
        let receiver = self.receiver(state);
        drop(guard);
        if let Some(receiver) = receiver {
            receiver.wake();
        }
        Ok(())
    }

    /// Puts a message in. `patience` is for senders that can wait.
    pub(crate) fn push(&self, message: T, policy: Option<WhenFull>, patience: Option<Patience<'_>>) -> Push<T> {
        let mut guard = lock(&self.state);
        let state = &mut *guard;
        match state.mode {
            Mode::Forwarded => return Push::Moved(message),
            Mode::Closed => {
                state.counts.undeliverable += 1;
                drop(guard);
                drop(message);
                return Push::Closed;
            }
            Mode::Open | Mode::Finished => {}
        }
        if let Some(ticket) = patience.as_ref().and_then(|patience| patience.ticket) {
            state.senders.remove(ticket);
            self.blocked.store(state.senders.len(), Ordering::SeqCst);
        }
        let len = state.queue.len() + self.in_hand.load(Ordering::Acquire);
        let mut evicted = None;
        if let Some(size) = state.options.capacity
            && len >= size
        {
            match (policy.unwrap_or(state.options.when_full), patience) {
                (WhenFull::Wait, Some(patience)) => {
                    state.counts.blocked += u64::from(patience.ticket.is_none());
                    let ticket = state.senders.register(patience.ticket, patience.waker);
                    self.blocked.store(state.senders.len(), Ordering::SeqCst);
                    // A receiver without a component looks at `blocked` after it has taken something: look again too.
                    if state.queue.len() + self.in_hand.load(Ordering::SeqCst) >= size {
                        return Push::Full {
                            message,
                            len,
                            size,
                            ticket: Some(ticket),
                        };
                    }
                    state.senders.remove(ticket);
                    self.blocked.store(state.senders.len(), Ordering::SeqCst);
                }
                (WhenFull::Wait | WhenFull::Refuse, _) => {
                    state.counts.refused += 1;
                    return Push::Full {
                        message,
                        len,
                        size,
                        ticket: None,
                    };
                }
                (WhenFull::DropOldest, _) if !state.queue.is_empty() => {
                    state.counts.dropped += 1;
                    evicted = state.queue.pop_front();
                }
                (WhenFull::DropNewest | WhenFull::DropOldest, _) => {
                    state.counts.dropped += 1;
                    drop(guard);
                    drop(message);
                    return Push::Dropped;
                }
            }
        }
        state.queue.push_back(message);
        state.counts.received += 1;
        // Exactly known: nothing but this lock lets the box grow.
        state.counts.high_water = state.counts.high_water.max((len + 1) - usize::from(evicted.is_some()));
        let receiver = self.receiver(state);
        drop(guard);
        drop(evicted);
        if let Some(receiver) = receiver {
            receiver.wake();
        }
        Push::Stored
    }

    /// Puts in as many as there is room for, from the front; true if the box has been linked onward meanwhile.
    pub(crate) fn push_many(&self, messages: &mut VecDeque<T>) -> bool {
        let mut guard = lock(&self.state);
        let state = &mut *guard;
        match state.mode {
            Mode::Forwarded => return true,
            Mode::Open => {}
            // The single way knows what to do.
            Mode::Closed | Mode::Finished => return false,
        }
        let len = state.queue.len() + self.in_hand.load(Ordering::Acquire);
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
        state.counts.received += count as u64;
        state.counts.high_water = state.counts.high_water.max(len + count);
        let receiver = self.receiver(state);
        drop(guard);
        if let Some(receiver) = receiver {
            receiver.wake();
        }
        false
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
            state.counts.taken += 1;
            0
        } else {
            std::mem::swap(&mut state.queue, batch);
            state.counts.taken += batch.len() as u64;
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
        if state.senders.len() == 0 {
            return Woken::Nobody;
        }
        let len = state.queue.len() + self.in_hand.load(Ordering::Acquire);
        let taken = len + state.senders.promised();
        let room = state
            .options
            .capacity
            .map_or(usize::MAX, |size| size.saturating_sub(taken));
        if room == 0 || len > limit {
            return Woken::Nobody;
        }
        let woken = state.senders.promise(room);
        self.blocked.store(state.senders.len(), Ordering::SeqCst);
        woken
    }

    /// A sender gives up waiting. If it had been woken for a place, the next one gets it.
    pub(crate) fn give_up(&self, ticket: u64) {
        let woken = {
            let mut state = lock(&self.state);
            let promised = state.senders.remove(ticket);
            self.blocked.store(state.senders.len(), Ordering::SeqCst);
            if promised {
                self.make_room(&mut state, usize::MAX)
            } else {
                Woken::Nobody
            }
        };
        woken.wake();
    }

    /// Puts back what the receiver took out and did not hand to its component.
    pub(crate) fn put_back(&self, batch: &mut VecDeque<T>) {
        let mut state = lock(&self.state);
        self.in_hand.store(0, Ordering::Release);
        state.counts.taken = state.counts.taken.saturating_sub(batch.len() as u64);
        while let Some(message) = batch.pop_back() {
            state.queue.push_front(message);
        }
    }

    /// Links onward: what waits goes to the end of `to`'s queue, all of it or nothing.
    ///
    /// # Errors
    /// How many there are, and the size of the box that has no room for them.
    pub(crate) fn forward(&self, to: Option<&Self>) -> Result<(), (usize, usize)> {
        // Only linking holds two of these locks, and it is alone in that.
        let mut own = lock(&self.state);
        let mut receiver = None;
        if let Some(to) = to
            && !own.queue.is_empty()
        {
            let mut theirs = lock(&to.state);
            let moving = own.queue.len();
            let len = theirs.queue.len() + to.in_hand.load(Ordering::Acquire);
            if let Some(size) = theirs.options.capacity
                && len + moving > size
            {
                return Err((len + moving, size));
            }
            theirs.queue.append(&mut own.queue);
            theirs.counts.received += moving as u64;
            theirs.counts.high_water = theirs.counts.high_water.max(len + moving);
            receiver = to.receiver(&mut theirs);
        }
        own.mode = Mode::Forwarded;
        let senders = own.senders.take(usize::MAX);
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

    /// The receiver is gone: what waits is given back, to be dropped without the lock.
    pub(crate) fn close(&self, in_hand: usize) -> VecDeque<T> {
        let mut state = lock(&self.state);
        if state.mode == Mode::Forwarded {
            return VecDeque::new();
        }
        state.mode = Mode::Closed;
        let left = std::mem::take(&mut state.queue);
        state.counts.taken = state.counts.taken.saturating_sub(in_hand as u64);
        state.counts.undeliverable += (left.len() + in_hand) as u64;
        self.in_hand.store(0, Ordering::Release);
        let senders = state.senders.take(usize::MAX);
        drop(state);
        senders.wake();
        left
    }

    /// The receiver is gone, and what it left goes elsewhere, as does what still comes.
    pub(crate) fn abandon(&self, in_hand: usize) -> VecDeque<T> {
        let mut state = lock(&self.state);
        state.mode = Mode::Forwarded;
        let left = std::mem::take(&mut state.queue);
        state.counts.taken = state.counts.taken.saturating_sub(in_hand as u64);
        self.in_hand.store(0, Ordering::Release);
        let senders = state.senders.take(usize::MAX);
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
            state.counts.received += count as u64;
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
            let senders = state.senders.take(usize::MAX);
            self.blocked.store(0, Ordering::SeqCst);
            (self.receiver(&mut state), senders)
        };
        if let Some(receiver) = receiver {
            receiver.wake();
        }
        senders.wake();
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
        let mut counts = state.counts;
        counts.taken = counts.taken.saturating_sub(self.in_hand.load(Ordering::Acquire) as u64);
        counts
    }

    /// How many senders wait for room.
    pub(crate) fn blocked(&self) -> usize {
        self.blocked.load(Ordering::SeqCst)
    }
}
