//! Waiting: a sleep as a future, and an alarm that is cheap to move.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::backend::Timer;
use crate::{Error, Instant, Net, Result};

/// Waits until a moment; made by [`Net::sleep`](crate::Net::sleep) and
/// [`Net::sleep_until`](crate::Net::sleep_until). Dropping it gives the waiting up.
#[derive(Debug)]
pub struct Sleep(pub(crate) Box<dyn Timer>);

impl Sleep {
    /// Sets it to another moment.
    pub fn reset(&mut self, at: Instant) {
        self.0.reset(at);
    }
}

impl Future for Sleep {
    type Output = ();
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.0.poll_elapsed(cx)
    }
}

pin_project_lite::pin_project! {
    /// Work with a time limit: `None` if that ran out. Not an `async fn`, which would hold the work twice.
    pub(crate) struct Within<F> {
        #[pin]
        work: F,
        net: Net,
        limit: Duration,
        sleep: Option<Sleep>,
    }
}

impl<F: Future> Within<F> {
    pub(crate) fn new(net: Net, limit: Duration, work: F) -> Self {
        Self {
            work,
            net,
            limit,
            sleep: None,
        }
    }

    /// The same with an error where the time ran out.
    pub(crate) fn or_else<E: FnOnce() -> Error>(self, error: E) -> OrElse<F, E> {
        OrElse {
            within: self,
            error: Some(error),
        }
    }
}

impl<F: Future> Future for Within<F> {
    type Output = Option<F::Output>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<F::Output>> {
        let this = self.project();
        if let Poll::Ready(value) = this.work.poll(cx) {
            return Poll::Ready(Some(value));
        }
        // Only what really waits needs a timer.
        let sleep = this.sleep.get_or_insert_with(|| this.net.sleep(*this.limit));
        Pin::new(sleep).poll(cx).map(|()| None)
    }
}

pin_project_lite::pin_project! {
    pub(crate) struct OrElse<F, E> {
        #[pin]
        within: Within<F>,
        error: Option<E>,
    }
}

impl<F: Future, E: FnOnce() -> Error> Future for OrElse<F, E> {
    type Output = Result<F::Output>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<F::Output>> {
        let this = self.project();
        match std::task::ready!(this.within.poll(cx)) {
            Some(value) => Poll::Ready(Ok(value)),
            None => match this.error.take() {
                Some(error) => Poll::Ready(Err(error())),
                // Polled again after its end, which no `await` does.
                None => Poll::Pending,
            },
        }
    }
}

/// A deadline that moves at nearly every wait, for hand-written futures.
///
/// Moving it later touches no timer: the old one rings, sees that it is early, and is set again. So a busy
/// connection pays nothing for its time limits.
///
/// ```
/// use std::future::poll_fn;
/// use std::time::Duration;
/// use net_core::{Alarm, Net};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> net_core::Result<()> {
/// let net = Net::os();
/// let mut alarm = Alarm::default();
/// let at = net.now() + Duration::from_millis(1);
/// poll_fn(|cx| alarm.poll(&net, at, cx)).await;
/// assert!(net.now() >= at);
/// # Ok(()) }
/// ```
#[derive(Debug, Default)]
pub struct Alarm(Option<(Sleep, Instant)>);

impl Alarm {
    /// Moves the timer later at once, if it is set: for a deadline that was met, when the next is far off and a ring in
    /// between would be for nothing. [`poll`](Self::poll) must follow, so that the task is woken by it.
    pub fn defer(&mut self, at: Instant) {
        if let Some((sleep, set)) = &mut self.0
            && *set < at
        {
            sleep.reset(at);
            *set = at;
        }
    }

    /// Ready when `at` has come; until then the task is woken by then at the latest, perhaps sooner.
    pub fn poll(&mut self, net: &Net, at: Instant, cx: &mut Context<'_>) -> Poll<()> {
        let (sleep, set) = match &mut self.0 {
            Some((sleep, set)) if *set <= at => (sleep, set),
            slot => {
                let (sleep, set) = slot.get_or_insert_with(|| (net.sleep_until(at), at));
                if *set != at {
                    sleep.reset(at);
                    *set = at;
                }
                (sleep, set)
            }
        };
        loop {
            if Pin::new(&mut *sleep).poll(cx).is_pending() {
                return Poll::Pending;
            }
            if *set >= at {
                return Poll::Ready(());
            }
            sleep.reset(at);
            *set = at;
        }
    }
}

#[cfg(all(test, feature = "os"))]
mod tests {
    use super::*;
    use std::future::poll_fn;

    #[tokio::test(start_paused = true)]
    async fn an_alarm_that_is_deferred_does_not_ring_before() {
        let net = Net::os();
        for (deferred, rings) in [(false, 3), (true, 2)] {
            let (mut alarm, mut polls) = (Alarm::default(), 0);
            let (soon, late) = (net.now() + Duration::from_secs(5), net.now() + Duration::from_secs(20));
            poll_fn(|cx| {
                polls += 1;
                if polls == 1 {
                    assert!(alarm.poll(&net, soon, cx).is_pending());
                    if deferred {
                        alarm.defer(late);
                    }
                }
                alarm.poll(&net, late, cx)
            })
            .await;
            assert!(net.now() >= late);
            assert_eq!(polls, rings, "deferred: {deferred}");
        }
    }
}
