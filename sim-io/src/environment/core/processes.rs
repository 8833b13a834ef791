//! Processes: their places, starting them, letting them go on, and their ends.

use std::any::Any;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use super::inbox::ProcessWaker;
use super::waiting::WaitsFor;
use super::{Core, State};
use crate::environment::queue::{Priority, Slot, Target};
use crate::failure::Failure;
use crate::process::Interrupted;

/// What the environment runs for a process.
pub(crate) trait Body {
    /// Goes on until it waits or ends.
    fn go_on(self: Pin<&mut Self>) -> Poll<()>;
}

/// The event of a process's end, whatever its value.
pub(crate) trait End {
    /// The process failed.
    fn fail(self: Rc<Self>, failure: Failure);
}

/// A process, as the scheduler needs it at each step.
pub(super) struct Entrant {
    /// Taken out while it runs.
    pub(super) body: Option<Pin<Box<dyn Body>>>,
    pub(super) own_waker: usize,
    pub(super) killed: bool,
    /// `Details::waits_for` tells of now, not of before.
    pub(super) waits: bool,
}

#[derive(Default)]
pub(super) struct Details {
    pub(super) name: Option<Rc<str>>,
    pub(super) waits_for: WaitsFor,
    /// The interrupts that are scheduled, in order.
    pub(super) interrupts: VecDeque<Interrupted>,
    pub(super) end: Option<Rc<dyn End>>,
}

impl Core {
    /// A place for a process, its name and its waker.
    pub(crate) fn reserve(&self, name: Option<Rc<str>>) -> (Slot, Rc<str>, Waker) {
        let state = &mut *self.state.borrow_mut();
        state.spawned += 1;
        let name = name.unwrap_or_else(|| format!("process {}", state.spawned).into());
        let slot = state.processes.insert(Entrant {
            body: None,
            own_waker: 0,
            killed: false,
            waits: false,
        });
        let waker = Waker::from(Arc::new(ProcessWaker {
            slot,
            inbox: Arc::clone(&self.inbox),
        }));
        if let Some(entrant) = state.processes.get_mut(slot) {
            entrant.own_waker = waker.data().addr();
        }
        let index = slot.index() as usize;
        if index >= state.details.len() {
            state.details.resize_with(index + 1, Details::default);
        }
        if let Some(details) = state.details.get_mut(index) {
            details.name = Some(Rc::clone(&name));
        }
        (slot, name, waker)
    }

    /// Starts a process: by an urgent entry at this instant, not inside the call.
    pub(crate) fn start(&self, slot: Slot, body: Pin<Box<dyn Body>>, end: Rc<dyn End>) {
        if self.closed.get() {
            self.remove(slot);
            return;
        }
        let state = &mut *self.state.borrow_mut();
        if let Some(entrant) = state.processes.get_mut(slot) {
            entrant.body = Some(body);
        }
        if let Some(details) = state.details.get_mut(slot.index() as usize) {
            details.end = Some(end);
        }
        state.queue.push(self.now.get(), Priority::URGENT, Target::Resume, slot);
    }

    /// Takes a process out of the tables. What comes back is to be dropped outside of any borrow.
    pub(super) fn remove(&self, process: Slot) -> Option<(Entrant, Details)> {
        let state = &mut *self.state.borrow_mut();
        let entrant = state.processes.remove(process)?;
        let details = state.details.get_mut(process.index() as usize);
        Some((entrant, details.map(std::mem::take).unwrap_or_default()))
    }

    #[inline]
    pub(crate) fn current(&self) -> Option<Slot> {
        self.current.get()
    }

    /// The running process, if it is what asks: not something inside it that has a waker of its own.
    #[inline]
    pub(crate) fn asking(&self, cx: &Context<'_>) -> Option<Slot> {
        if cx.waker().data().addr() == self.own_waker.get() {
            self.current.get()
        } else {
            None
        }
    }

    /// Lets a process go on at this instant, after what is due already.
    #[inline]
    pub(crate) fn wake(&self, process: Slot) {
        let state = &mut *self.state.borrow_mut();
        if state.processes.get(process).is_some() {
            state
                .queue
                .push(self.now.get(), Priority::NORMAL, Target::Resume, process);
        }
    }

    pub(crate) fn is_alive(&self, process: Slot) -> bool {
        let state = self.state.borrow();
        state.processes.get(process).is_some_and(|entrant| !entrant.killed)
    }

    pub(crate) fn name_of(&self, process: Slot) -> Option<Rc<str>> {
        let state = self.state.borrow();
        state.processes.get(process)?;
        state.details.get(process.index() as usize)?.name.clone()
    }

    /// Ends a process where it waits; its destructors run now, or when its running step is over. False if its end is told
    /// already: it was over, or a destructor panicked.
    pub(crate) fn kill(&self, process: Slot) -> bool {
        if let Some(entrant) = self.state.borrow_mut().processes.get_mut(process) {
            if entrant.killed {
                return false;
            }
            entrant.killed = true;
        } else {
            return false;
        }
        if self.current.get() == Some(process) {
            return true;
        }
        let Some((entrant, details)) = self.remove(process) else {
            return true;
        };
        match catch_unwind(AssertUnwindSafe(|| drop(entrant))) {
            Ok(()) => true,
            Err(panic) => {
                if let Some(end) = details.end {
                    end.fail(Failure::panic(panic.as_ref()));
                }
                false
            }
        }
    }

    /// Runs a process until it waits or ends, unless it is over.
    #[inline(never)]
    pub(crate) fn resume(&self, process: Slot) {
        let body = self.state.borrow_mut().body(process);
        if let Some((body, own_waker)) = body {
            self.go_on(process, body, own_waker);
        }
    }

    #[inline(always)]
    pub(super) fn go_on(&self, process: Slot, mut body: Pin<Box<dyn Body>>, own_waker: usize) {
        if self.asked.get().is_some() {
            // Somebody runs already, and has this one go on at once.
            let before = self.note_asked(&mut self.state.borrow_mut());
            drop(before);
        }
        let before = self.current.replace(Some(process));
        let waker_before = self.own_waker.replace(own_waker);
        let went = catch_unwind(AssertUnwindSafe(|| body.as_mut().go_on()));
        self.current.set(before);
        self.own_waker.set(waker_before);
        if let Ok(Poll::Pending) = went {
            #[expect(clippy::needless_late_init, reason = "it is dropped after the borrow")]
            let _before;
            let state = &mut *self.state.borrow_mut();
            _before = self.note_asked(state);
            if let Some(entrant) = state.processes.get_mut(process)
                && !entrant.killed
            {
                entrant.body = Some(body);
                return;
            }
        }
        self.asked.set(None);
        self.over(process, body, went.err());
    }

    /// A process is over. Its destructors run outside of any borrow: they may release resources and wake others.
    #[inline(never)]
    fn over(&self, process: Slot, body: Pin<Box<dyn Body>>, panic: Option<Box<dyn Any + Send>>) {
        let removed = self.remove(process);
        let dropped = catch_unwind(AssertUnwindSafe(|| drop(body)));
        if let Some(panic) = panic.or(dropped.err())
            && let Some((_, Details { end: Some(end), .. })) = removed
        {
            self.looking.set(0);
            end.fail(Failure::panic(panic.as_ref()));
        }
    }
}

impl State {
    /// Takes out what to run for a process.
    #[inline]
    pub(super) fn body(&mut self, process: Slot) -> Option<(Pin<Box<dyn Body>>, usize)> {
        let entrant = self.processes.get_mut(process)?;
        let body = entrant.body.take()?;
        entrant.waits = false;
        Some((body, entrant.own_waker))
    }
}
