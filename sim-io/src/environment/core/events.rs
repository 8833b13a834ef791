//! Events that are scheduled, whatever their values.

use std::rc::Rc;

use net_core::Instant;

use super::Core;
use crate::environment::queue::{Priority, Target};
use crate::failure::Failure;

/// An event that is in the queue, whatever its value.
pub(crate) trait Fire {
    /// Processes the event: runs its callbacks in order.
    fn fire(self: Rc<Self>, core: &Rc<Core>) -> Fired;
    /// For traces.
    fn name(&self) -> Option<Rc<str>>;
}

/// How the processing of an event ended.
pub(crate) enum Fired {
    /// Well.
    On,
    /// The run was to last until here; what else waited goes on when the run does.
    Stopped,
    /// With a failure that nobody took, and whom it belongs to.
    Unhandled(String, Failure),
}

impl Core {
    /// Puts a triggered event into the queue.
    pub(crate) fn schedule(&self, event: Rc<dyn Fire>, at: Instant, priority: Priority) {
        if self.closed.get() {
            return;
        }
        let state = &mut *self.state.borrow_mut();
        let slot = state.events.insert(event);
        state.queue.push(at, priority, Target::Event, slot);
    }

    /// Puts an event back into the queue, before everything else.
    pub(crate) fn schedule_first(&self, event: Rc<dyn Fire>) {
        let state = &mut *self.state.borrow_mut();
        let slot = state.events.insert(event);
        state.queue.push_first(self.now.get(), Target::Event, slot);
    }
}
