//! Sending from anywhere: handles on a connection's one out-buffer.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Waker};

use super::buffers;
use crate::framing::Framing;
use crate::lock::lock;
use crate::wakers::{Wakers, wait, wake};
use crate::{Error, ErrorKind, Operation, Result};

/// The out-buffer of a connection, and who waits for what about it.
#[derive(Debug)]
pub(super) struct Shared {
    state: Mutex<State>,
    /// How many bytes have gathered, to be read without the lock.
    level: AtomicUsize,
    /// Whether the connection's task waits, or is about to without another look at the buffer, so that a push has to wake
    /// it. Set only under the lock with an empty buffer; so a push either sees it set, or the task sees what was pushed.
    asleep: AtomicBool,
    max: AtomicUsize,
}

#[derive(Debug)]
struct State {
    buffer: Vec<u8>,
    /// Why nothing can be sent any more.
    ended: Option<Error>,
    /// The connection's task.
    driver: Option<Waker>,
    /// Senders that wait for room.
    room: Wakers,
    /// Tasks that wait for the end.
    end: Wakers,
}

impl Shared {
    pub(super) fn new(max: usize) -> Arc<Self> {
        let state = State {
            buffer: Vec::new(),
            ended: None,
            driver: None,
            room: Wakers::default(),
            end: Wakers::default(),
        };
        Arc::new(Self {
            state: Mutex::new(state),
            level: AtomicUsize::new(0),
            asleep: AtomicBool::new(false),
            max: AtomicUsize::new(max),
        })
    }

    /// How many bytes have gathered.
    #[inline]
    pub(super) fn level(&self) -> usize {
        self.level.load(Ordering::Relaxed)
    }

    /// Sets how much may gather; whoever waits for room looks again.
    pub(super) fn set_max(&self, max: usize) {
        self.max.store(max, Ordering::Relaxed);
        let waiting = lock(&self.state).room.take();
        wake(waiting);
    }

    /// The connection's task runs: it will look at the buffer before it waits again, and needs no waking.
    #[inline]
    pub(super) fn awake(&self) {
        self.asleep.store(false, Ordering::Relaxed);
    }

    /// Gathers one frame behind `before` bytes that are to be written first, and wakes the connection's task if it
    /// waits.
    #[inline]
    pub(super) fn push<F: Framing>(&self, framing: &F, content: &[&[u8]], before: usize) -> Result<()> {
        let mut state = lock(&self.state);
        match self.gather(&mut state, framing, content, before) {
            Some(outcome) => outcome?,
            None => return Err(self.full(before + state.buffer.len())),
        }
        if self.asleep.load(Ordering::Relaxed) {
            self.wake(state);
        }
        Ok(())
    }

    /// Gathers one frame, if there is room.
    #[inline]
    fn gather<F: Framing>(
        &self,
        state: &mut State,
        framing: &F,
        content: &[&[u8]],
        before: usize,
    ) -> Option<Result<()>> {
        if let Some(reason) = &state.ended {
            return Some(Err(reason.clone()));
        }
        if before + state.buffer.len() >= self.max.load(Ordering::Relaxed) {
            return None;
        }
        if state.buffer.capacity() == 0 {
            state.buffer = buffers::take_write();
        }
        let outcome = match *content {
            [content] => framing.encode(content, &mut state.buffer),
            _ => framing.encode_parts(content, &mut state.buffer),
        };
        self.level.store(state.buffer.len(), Ordering::Relaxed);
        Some(outcome)
    }

    #[cold]
    fn wake(&self, state: MutexGuard<'_, State>) {
        self.asleep.store(false, Ordering::Relaxed);
        let driver = state.driver.clone();
        drop(state);
        driver.into_iter().for_each(Waker::wake);
    }

    #[cold]
    fn full(&self, gathered: usize) -> Error {
        Error::new(ErrorKind::Limit, Operation::Write).detail(format!(
            "{gathered} bytes wait for a slow peer, the limit is {}",
            self.max.load(Ordering::Relaxed)
        ))
    }

    /// Exchanges what has gathered for the empty buffer given; false if nothing has gathered. From now on the task is
    /// woken by the next push.
    pub(super) fn fetch(&self, buffer: &mut Vec<u8>, cx: &Context<'_>) -> bool {
        let waiting = {
            let mut state = lock(&self.state);
            match &state.driver {
                Some(driver) if driver.will_wake(cx.waker()) => {}
                _ => state.driver = Some(cx.waker().clone()),
            }
            self.asleep.store(true, Ordering::Relaxed);
            if state.buffer.is_empty() {
                return false;
            }
            std::mem::swap(buffer, &mut state.buffer);
            self.level.store(0, Ordering::Relaxed);
            if state.room.is_empty() {
                return true;
            }
            state.room.take()
        };
        wake(waiting);
        true
    }

    /// Refuses everything from now on; the first reason stays. Gives back what had gathered.
    pub(super) fn end(&self, reason: Error) -> Vec<u8> {
        let (room, end, gathered) = {
            let mut state = lock(&self.state);
            state.ended.get_or_insert(reason);
            self.level.store(0, Ordering::Relaxed);
            (state.room.take(), state.end.take(), std::mem::take(&mut state.buffer))
        };
        wake(room);
        wake(end);
        gathered
    }

    fn ended(&self) -> bool {
        lock(&self.state).ended.is_some()
    }
}

/// Sends frames on a connection from other tasks; made by [`Framed::sender`](super::Framed::sender).
///
/// Frames of one sender keep their order. They go into the connection's own out-buffer and leave with its next write.
#[derive(Clone)]
pub struct Sender<F> {
    shared: Arc<Shared>,
    framing: F,
}

impl<F: Framing> Sender<F> {
    pub(super) fn new(shared: &Arc<Shared>, framing: F) -> Self {
        Self {
            shared: Arc::clone(shared),
            framing,
        }
    }

    /// Gathers one frame without waiting.
    ///
    /// # Errors
    /// [`ErrorKind::Limit`] when [`max_output`](super::FramedLimits::max_output) bytes have gathered, what the
    /// framing refuses, and the reason of the connection's end once it is over.
    #[inline]
    pub fn push(&self, content: &[u8]) -> Result<()> {
        self.shared.push(&self.framing, &[content], 0)
    }

    /// [`push`](Self::push) of a frame whose content lies in several parts, such as a header and a body.
    ///
    /// # Errors
    /// As [`push`](Self::push).
    #[inline]
    pub fn push_parts(&self, content: &[&[u8]]) -> Result<()> {
        self.shared.push(&self.framing, content, 0)
    }

    /// Gathers one frame, waiting for room. Cancel safe: the frame is gathered whole or not at all.
    ///
    /// # Errors
    /// As [`push`](Self::push), but never for lack of room. The waiting ends at the latest with the connection's
    /// write timeout.
    pub async fn send(&self, content: &[u8]) -> Result<()> {
        self.send_parts(&[content]).await
    }

    /// [`send`](Self::send) of a frame whose content lies in several parts. Cancel safe, likewise.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub async fn send_parts(&self, content: &[&[u8]]) -> Result<()> {
        let shared = &*self.shared;
        wait(
            &shared.state,
            |state| &mut state.room,
            |state| shared.gather(state, &self.framing, content, 0),
        )
        .await?;
        if shared.asleep.load(Ordering::Relaxed) {
            shared.wake(lock(&shared.state));
        }
        Ok(())
    }

    /// Whether the connection is over.
    pub fn is_closed(&self) -> bool {
        self.shared.ended()
    }

    /// Waits until the connection is over, and says why. Cancel safe.
    pub async fn closed(&self) -> Error {
        wait(&self.shared.state, |state| &mut state.end, |state| state.ended.clone()).await
    }
}

impl<F: fmt::Debug> fmt::Debug for Sender<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender")
            .field("framing", &self.framing)
            .field("gathered", &self.shared.level())
            .finish()
    }
}
