//! The control box of a component that has none of its own.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::Context;

use crate::boxes::{Direction, Node};
use crate::owner::Owner;
use crate::{BoxOptions, Signal};

/// Hears what is sent to a control box, and needs no memory for it until something is.
pub(crate) struct Ear(Arc<Node<Signal>>);

impl Ear {
    pub(crate) fn new() -> Self {
        Self(Node::new(Direction::In, BoxOptions::default(), false))
    }

    pub(crate) fn control(&self) -> &Arc<Node<Signal>> {
        &self.0
    }

    /// Tells the owner what has come; polled by its task only.
    pub(crate) fn listen(&self, owner: &Owner, cx: &Context<'_>) {
        if owner.task().is_none() {
            // Who makes the box from now on knows the task; who made it before has put everything there.
            self.0.unplaced(|| owner.run_by(cx));
        }
        let Some(store) = self.0.store() else { return };
        let mut signals = VecDeque::new();
        // The task has one waker, and where it is quiet it is there.
        while !store.is_quiet() {
            let Ok(first) = store.take(&self.0.in_hand, &mut signals, Some(cx.waker()), || false) else {
                return;
            };
            self.0.hold(0);
            owner.hear(first);
            signals.drain(..).for_each(|signal| owner.hear(signal));
        }
    }
}

/// What was not heard is counted as left behind.
impl Drop for Ear {
    fn drop(&mut self) {
        let lost = self.0.close(VecDeque::new());
        if let Some(owner) = self.0.owner() {
            owner.left_behind(lost);
        }
    }
}
