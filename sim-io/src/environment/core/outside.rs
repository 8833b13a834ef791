//! What comes from outside between two steps: real time that passes, wakes of other threads, sockets.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use net_core::Instant;

use super::Core;
use crate::failure::RunError;

impl Core {
    /// Waits until the next thing may happen. Called before each step, but only once [`Core::outside`] is set.
    #[cold]
    pub(super) fn look_outside(&self) -> Result<(), RunError> {
        #[cfg(feature = "reactor")]
        if let Some(reactor) = self.reactor()
            && reactor.is_waited_for()
        {
            return self.look_at_sockets(&reactor);
        }
        if self.pace.is_kept() {
            self.wait_for_real_time()?;
        }
        Ok(())
    }

    /// From now on [`look_outside`](Self::look_outside) is called before each step.
    pub(crate) fn open(&self) {
        self.outside.set(true);
    }

    /// Waits until the next thing is due by the clock on the wall, or something arrives from another thread.
    fn wait_for_real_time(&self) -> Result<(), RunError> {
        while let Some(at) = self.peek() {
            let wait = match self.pace.until(at, self.now.get()) {
                Ok(wait) => wait,
                Err(late) => return Err(RunError::Late { at, late }),
            };
            if wait.is_zero() {
                break;
            }
            let woken = self.inbox.woken.lock().unwrap_or_else(PoisonError::into_inner);
            if woken.is_empty() {
                // Early returns do no harm: it looks again.
                self.inbox.waits.store(true, Ordering::Relaxed);
                let woken = self.inbox.arrived.wait_timeout(woken, wait);
                self.inbox.waits.store(false, Ordering::Relaxed);
                drop(woken);
            } else {
                drop(woken);
            }
            if self.inbox.any.load(Ordering::Acquire) {
                self.catch_up(Some(at));
            }
        }
        Ok(())
    }

    /// What arrives now happens now, by the clock on the wall if that is kept, but not later than what is next.
    fn catch_up(&self, next: Option<Instant>) {
        if self.pace.is_kept() {
            let last = next.unwrap_or(Instant::from_nanos(u64::MAX));
            self.now.set(self.pace.now().clamp(self.now.get(), last));
        }
    }
}

#[cfg(feature = "reactor")]
mod sockets {
    use std::rc::{Rc, Weak};
    use std::sync::atomic::Ordering;
    use std::time::Duration;

    use super::Core;
    use crate::failure::{Failure, RunError};
    use crate::reactor::Reactor;

    /// After so much silence those who count as waiting are asked whether they still do.
    const SILENCE: Duration = Duration::from_millis(500);

    impl Core {
        /// The reactor, if the environment has one.
        pub(crate) fn reactor(&self) -> Option<Rc<Reactor>> {
            self.reactor.get().and_then(Weak::upgrade)
        }

        /// Whether it keeps pace with the clock on the wall.
        pub(crate) fn keeps_real_time(&self) -> bool {
            self.pace.is_kept()
        }

        /// The clock is virtual, though there are sockets.
        pub(crate) fn keep_virtual_time(&self) {
            self.pace.end();
        }

        /// The time outside, if that is kept and later than the time here.
        pub(crate) fn now_outside(&self) -> net_core::Instant {
            match self.pace.is_kept() {
                true => self.pace.now().max(self.now()),
                false => self.now(),
            }
        }

        /// Gives the environment its reactor.
        pub(crate) fn set_reactor(&self, reactor: &Rc<Reactor>) {
            let _ = self.reactor.set(Rc::downgrade(reactor));
            self.open();
        }

        /// Looks at the sockets, and waits for them as long as nothing else is due.
        pub(super) fn look_at_sockets(&self, reactor: &Reactor) -> Result<(), RunError> {
            loop {
                let next = self.peek();
                let limit = match next {
                    Some(at) if self.pace.is_kept() => match self.pace.until(at, self.now()) {
                        Ok(wait) => Some(wait),
                        Err(late) => return Err(RunError::Late { at, late }),
                    },
                    Some(at) if at <= self.now() => Some(Duration::ZERO),
                    _ if !reactor.is_waited_for() => return Ok(()),
                    // The virtual clock is about to jump.
                    Some(at) => {
                        let left = reactor.patience().saturating_sub(reactor.held(at));
                        if left.is_zero() {
                            // One look at least.
                            self.wait_for_sockets(reactor, Some(Duration::ZERO), next)?;
                            return Ok(());
                        }
                        Some(left)
                    }
                    None => None,
                };
                if limit == Some(Duration::ZERO) {
                    if reactor.is_time_to_look() {
                        self.wait_for_sockets(reactor, limit, next)?;
                    }
                    return Ok(());
                }
                let patient = next.is_none() || !self.pace.is_kept();
                if patient && limit.is_none_or(|limit| limit > SILENCE) && !reactor.is_certain(self.trace.steps()) {
                    // Whoever gives up waiting for a socket does so without a word, and nobody else is waited for here.
                    if !self.wait_for_sockets(reactor, Some(SILENCE), next)? {
                        self.catch_up(next);
                        reactor.wake(reactor.ask());
                    }
                } else {
                    self.wait_for_sockets(reactor, limit, next)?;
                }
            }
        }

        /// Waits for sockets once, and wakes those that wait for what is ready; whether anything came at all.
        fn wait_for_sockets(
            &self,
            reactor: &Reactor,
            limit: Option<Duration>,
            next: Option<net_core::Instant>,
        ) -> Result<bool, RunError> {
            let inbox = &self.inbox;
            let sleeps = limit != Some(Duration::ZERO);
            let mut limit = limit;
            if sleeps {
                // First the flag, then the look; who wakes does it the other way round.
                inbox.asleep.store(true, Ordering::SeqCst);
                if inbox.any.load(Ordering::SeqCst) {
                    limit = Some(Duration::ZERO);
                }
            }
            let outcome = reactor.wait(limit);
            if sleeps {
                inbox.asleep.store(false, Ordering::SeqCst);
            }
            let woken = outcome.map_err(|error| RunError::Sockets {
                at: self.now(),
                failure: Failure::new(error),
            })?;
            let came = !woken.is_empty() || inbox.any.load(Ordering::Acquire);
            if came {
                self.catch_up(next);
            }
            reactor.wake(woken);
            Ok(came)
        }
    }
}
