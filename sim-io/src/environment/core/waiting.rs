//! What processes wait for, for people to read.

use std::rc::Rc;

use net_core::Instant;

use super::processes::Entrant;
use super::{Core, State};
use crate::environment::queue::{Slot, Target};
use crate::failure::Blocked;

/// What a process waits for, for people to read.
#[derive(Clone, Debug, Default)]
pub(crate) enum WaitsFor {
    /// A timeout, or something that is not of this crate.
    #[default]
    Unknown,
    Timeout(Instant),
    Thing(&'static str, Option<Rc<str>>),
    Group(&'static str, Vec<WaitsFor>),
}

impl WaitsFor {
    fn describe(&self) -> String {
        match self {
            Self::Unknown => "something outside the environment".to_owned(),
            Self::Timeout(at) => format!("a timeout at {at}"),
            Self::Thing(kind, None) => format!("{kind} without a name"),
            Self::Thing(kind, Some(name)) => format!("{kind} {name:?}"),
            Self::Group(which, members) => {
                let members: Vec<_> = members.iter().map(Self::describe).collect();
                format!("{which} of ({})", members.join(", "))
            }
        }
    }
}

impl Core {
    /// What the running process waits for, for people to read.
    pub(crate) fn waits_for(&self, what: WaitsFor) {
        let state = &mut *self.state.borrow_mut();
        if self.looking.get() > 0 {
            state.looked.push(what);
            return;
        }
        let Some(current) = self.current.get() else { return };
        if let Some(entrant) = state.processes.get_mut(current)
            && let Some(details) = state.details.get_mut(current.index() as usize)
        {
            entrant.waits = true;
            details.waits_for = what;
        }
    }

    /// The same for a thing that has a name. Mostly the process waited for it before too: then not even the name's count
    /// is touched.
    #[inline]
    pub(crate) fn waits_for_named(&self, kind: &'static str, name: &Rc<str>) {
        if self.looking.get() == 0 {
            let state = &mut *self.state.borrow_mut();
            let Some(current) = self.current.get() else { return };
            if let Some(entrant) = state.processes.get_mut(current)
                && let Some(details) = state.details.get(current.index() as usize)
                && let WaitsFor::Thing(before, Some(thing)) = &details.waits_for
                && std::ptr::eq(*before, kind)
                && Rc::ptr_eq(thing, name)
            {
                entrant.waits = true;
                return;
            }
        }
        self.waits_for(WaitsFor::Thing(kind, Some(Rc::clone(name))));
    }

    /// A condition begins to look at its members; it gets what [`looked`](Self::looked) wants.
    pub(crate) fn look(&self) -> usize {
        self.looking.set(self.looking.get() + 1);
        self.state.borrow().looked.len()
    }

    /// A condition has looked at its members, and waits for them.
    pub(crate) fn looked(&self, mark: usize, which: &'static str) {
        let members = {
            let state = &mut *self.state.borrow_mut();
            self.looking.set(self.looking.get().saturating_sub(1));
            state.looked.split_off(mark.min(state.looked.len()))
        };
        self.waits_for(WaitsFor::Group(which, members));
    }

    pub(crate) fn target_of(&self, process: Slot) -> Option<String> {
        let state = self.state.borrow();
        state.processes.get(process)?;
        Some(state.target(process))
    }

    /// The processes that wait, and for what.
    pub(crate) fn blocked(&self) -> Vec<Blocked> {
        let state = self.state.borrow();
        let blocked = |(slot, _): (Slot, &Entrant)| Blocked {
            process: state
                .details
                .get(slot.index() as usize)
                .and_then(|details| details.name.as_deref())
                .unwrap_or_default()
                .to_owned(),
            waits_for: state.target(slot),
        };
        state.processes.iter().map(blocked).collect()
    }
}

impl State {
    /// What a process waits for.
    fn target(&self, process: Slot) -> String {
        let entrant = self.processes.get(process);
        if entrant.is_some_and(|entrant| entrant.waits)
            && let Some(details) = self.details.get(process.index() as usize)
        {
            return details.waits_for.describe();
        }
        let timer = self.timers.iter().find(|(_, waiter)| **waiter == process);
        let entry = timer.and_then(|(timer, _)| {
            self.queue
                .iter()
                .find(|entry| entry.target() == Target::Timer && entry.slot() == timer)
        });
        match entry {
            Some(entry) => WaitsFor::Timeout(entry.time()).describe(),
            None => WaitsFor::Unknown.describe(),
        }
    }
}
