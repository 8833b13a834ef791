//! Limits of waiting that are better than epoll's milliseconds: by a timerfd, where there is one.

use std::io;
use std::time::Duration;

#[cfg(target_os = "linux")]
pub(super) use self::linux::Precise;
#[cfg(not(target_os = "linux"))]
pub(super) use self::other::Precise;

/// Longer than anybody waits for. The system's types take no more than some centuries.
const LONG: Duration = Duration::from_secs(365 * 86_400);

#[cfg(target_os = "linux")]
mod linux {
    use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
    use std::time::Instant;

    use rustix::time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
    };

    use super::{Duration, LONG, io};
    use crate::environment::wall;

    /// A timer that the poller waits for together with the sockets.
    pub(in super::super) struct Precise {
        timer: OwnedFd,
        /// When it goes off.
        at: Option<Instant>,
    }

    impl Precise {
        pub(in super::super) fn new(register: impl FnOnce(BorrowedFd<'_>) -> io::Result<()>) -> io::Result<Self> {
            let timer = timerfd_create(
                TimerfdClockId::Monotonic,
                TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC,
            )?;
            register(timer.as_fd())?;
            Ok(Self { timer, at: None })
        }

        /// Sets the timer to the end of a wait, and says which limit the wait itself needs.
        pub(in super::super) fn set(&mut self, limit: Option<Duration>) -> io::Result<Option<Duration>> {
            let Some(wait) = limit.filter(|limit| !limit.is_zero()) else {
                return Ok(limit);
            };
            let wait = wait.min(LONG);
            let now = wall();
            let end = now + wait;
            // One that goes off before the end does no harm: whoever waits looks again. So a busy environment with a
            // far timer sets it once.
            if self.at.is_none_or(|at| at <= now || at > end) {
                let zero = Timespec { tv_sec: 0, tv_nsec: 0 };
                let once = Itimerspec {
                    it_interval: zero,
                    it_value: Timespec::try_from(wait).unwrap_or(zero),
                };
                timerfd_settime(&self.timer, TimerfdTimerFlags::empty(), &once)?;
                self.at = Some(end);
            }
            Ok(None)
        }

        /// It went off.
        pub(in super::super) fn went_off(&mut self) {
            self.at = None;
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod other {
    use std::os::fd::BorrowedFd;

    use super::{Duration, LONG, io};

    /// kqueue's limits are precise by themselves.
    pub(in super::super) struct Precise;

    impl Precise {
        pub(in super::super) fn new(_: impl FnOnce(BorrowedFd<'_>) -> io::Result<()>) -> io::Result<Self> {
            Ok(Self)
        }

        pub(in super::super) fn set(&mut self, limit: Option<Duration>) -> io::Result<Option<Duration>> {
            Ok(limit.map(|limit| limit.min(LONG)))
        }

        pub(in super::super) fn went_off(&mut self) {}
    }
}
