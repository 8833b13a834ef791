//! Timers of the environment for `net_core::Net`, as numbers.

use std::fmt;
use std::io;
use std::rc::Rc;
use std::task::{Context, Poll};

use net_core::{Instant, Timer};

use super::core::Core;
use super::queue::{Priority, Slot};

/// How a number leads to its environment: only on the right thread, and while it lives.
type Find = fn(u64) -> io::Result<Rc<Core>>;

/// A timer by the number of what it belongs to. Where that is not found it is over at once.
pub(crate) struct Alarm {
    owner: u64,
    find: Find,
    at: Instant,
    /// None: it is over.
    timer: Option<Slot>,
}

impl Alarm {
    pub(crate) fn new(owner: u64, find: Find, at: Instant) -> Self {
        let timer = None;
        let mut alarm = Self { owner, find, at, timer };
        alarm.set();
        alarm
    }

    fn set(&mut self) {
        if let Ok(core) = (self.find)(self.owner) {
            self.timer = Some(core.timer(self.at.max(core.now()), Priority::NORMAL));
        }
    }

    fn unset(&mut self) {
        if let Some(timer) = self.timer.take()
            && let Ok(core) = (self.find)(self.owner)
        {
            core.drop_timer(timer);
        }
    }
}

impl Timer for Alarm {
    fn poll_elapsed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(timer) = self.timer else {
            return Poll::Ready(());
        };
        match (self.find)(self.owner) {
            Ok(core) if !core.poll_timer(timer, self.at, cx) => Poll::Pending,
            _ => {
                self.timer = None;
                Poll::Ready(())
            }
        }
    }

    fn reset(&mut self, at: Instant) {
        self.at = at;
        let Ok(core) = (self.find)(self.owner) else { return };
        if let Some(timer) = self.timer.take() {
            core.drop_timer(timer);
        }
        self.timer = Some(core.timer(at.max(core.now()), Priority::NORMAL));
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        self.unset();
    }
}

impl fmt::Debug for Alarm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Alarm").field("at", &self.at).finish_non_exhaustive()
    }
}
