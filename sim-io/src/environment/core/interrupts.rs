//! Interrupts: scheduled, delivered, taken.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::Core;
use crate::environment::queue::{Priority, Slot, Target};
use crate::failure::Failure;
use crate::process::Interrupted;

impl Core {
    /// Schedules an interrupt, urgently; false if the process is over, or is the one that runs.
    pub(crate) fn interrupt(&self, process: Slot, interrupt: Interrupted) -> bool {
        if self.current.get() == Some(process) || !self.is_alive(process) {
            return false;
        }
        let state = &mut *self.state.borrow_mut();
        if let Some(details) = state.details.get_mut(process.index() as usize) {
            details.interrupts.push_back(interrupt);
        }
        state
            .queue
            .push(self.now.get(), Priority::URGENT, Target::Interrupt, process);
        true
    }

    /// Takes the interrupt that is being delivered to the running process.
    #[inline]
    pub(crate) fn take_interrupt(&self) -> Option<Interrupted> {
        self.delivered.borrow_mut().take()
    }

    /// Delivers the first interrupt that waits for a process.
    #[inline(never)]
    pub(super) fn deliver(&self, process: Slot) {
        if !self.is_alive(process) {
            return;
        }
        let interrupt = {
            let state = &mut *self.state.borrow_mut();
            let details = state.details.get_mut(process.index() as usize);
            details.and_then(|details| details.interrupts.pop_front())
        };
        *self.delivered.borrow_mut() = interrupt;
        self.resume(process);
        let Some(interrupt) = self.take_interrupt() else { return };
        // It waits where nothing takes interrupts: it fails.
        let Some((entrant, details)) = self.remove(process) else {
            return;
        };
        let failure = match catch_unwind(AssertUnwindSafe(|| drop(entrant))) {
            Ok(()) => Failure::new(interrupt),
            Err(panic) => Failure::panic(panic.as_ref()),
        };
        if let Some(end) = details.end {
            end.fail(failure);
        }
    }
}
