//! Waiting: a sleep as a future, and an alarm that is cheap to move.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::backend::Timer;
use crate::{Instant, Net};

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

/// A deadline that moves at nearly every wait.
///
/// Moving it later touches no timer: the old one rings, sees that it is early, and is set again. So a busy
/// connection pays nothing for its time limits.
#[derive(Debug, Default)]
pub(crate) struct Alarm(Option<(Sleep, Instant)>);

impl Alarm {
    /// Ready when `at` has come.
    pub(crate) fn poll(&mut self, net: &Net, at: Instant, cx: &mut Context<'_>) -> Poll<()> {
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
