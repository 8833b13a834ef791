//! Timeouts: the passing of time as an event.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use net_core::Instant;

use crate::condition::Member;
use crate::environment::core::Core;
use crate::environment::queue::Slot;
use crate::{Environment, Failure, Priority};

/// Happens after a delay; made by [`Environment::timeout`]. Dropping it cancels it.
#[must_use = "a timeout that is dropped at once is cancelled; await it"]
pub struct Timeout<T = ()> {
    core: Rc<Core>,
    slot: Slot,
    at: Instant,
    value: Option<T>,
}

impl<T> Timeout<T> {
    // Always inline: handed over in memory, it would cost more than it does.
    #[inline(always)]
    pub(crate) fn new(env: &Environment, delay: Duration, priority: Priority, value: T) -> Self {
        let delay = delay
            .as_secs()
            .saturating_mul(1_000_000_000)
            .saturating_add(u64::from(delay.subsec_nanos()));
        let at = Instant::from_nanos(env.now().as_nanos().saturating_add(delay));
        Self {
            slot: env.core.timer(at, priority),
            core: Rc::clone(&env.core),
            at,
            value: Some(value),
        }
    }

    /// When it happens.
    pub fn at(&self) -> Instant {
        self.at
    }

    /// Whether it has happened.
    pub fn is_processed(&self) -> bool {
        self.core.has_fired(self.slot)
    }
}

impl<T> Unpin for Timeout<T> {}

impl<T> Future for Timeout<T> {
    type Output = T;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        if !self.core.poll_timer(self.slot, self.at, cx) {
            return Poll::Pending;
        }
        match self.value.take() {
            Some(value) => Poll::Ready(value),
            // Polled again after its end, which no `await` does.
            None => Poll::Pending,
        }
    }
}

impl<T> Member for Timeout<T> {
    type Value = T;

    fn poll_member(&mut self, cx: &mut Context<'_>) -> Poll<Result<T, Failure>> {
        Pin::new(self).poll(cx).map(Ok)
    }

    fn detach(&mut self) {
        self.core.unwait_timer(self.slot);
    }
}

impl<T> Drop for Timeout<T> {
    #[inline]
    fn drop(&mut self) {
        // Without its value it has happened.
        if self.value.is_some() {
            self.core.drop_timer(self.slot);
        }
    }
}

impl<T> fmt::Debug for Timeout<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timeout")
            .field("at", &self.at)
            .field("processed", &self.is_processed())
            .finish()
    }
}
