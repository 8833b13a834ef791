//! Components side by side.

use std::fmt;
use std::sync::Arc;

use super::{Children, Happened, OnFailure};
use crate::boxes::AnyNode;
use crate::component::{BoxList, Boxes, ChildList, Component, HasOutbox, Outcome, Prepared};
use crate::{Context, Inbox, Outbox, Signal};

/// Components side by side: what each of them sends by `outbox` and `signal` leaves by the chassis' own; what arrives at
/// its `control` goes to all of them.
///
/// It ends when all have ended, with a `ProducerFinished` of its own, or with the `ShutdownMicroprocess` that it was told.
pub struct Par<T: Send + 'static> {
    children: Vec<Prepared>,
    control: Inbox<Signal>,
    outbox: Outbox<T>,
    signal: Outbox<Signal>,
    policy: OnFailure,
}

impl<T: Send + 'static> Default for Par<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Send + 'static> Par<T> {
    /// No components yet. One without any ends at once.
    pub fn new() -> Self {
        Self {
            children: Vec::new(),
            control: Inbox::new(),
            outbox: Outbox::new(),
            signal: Outbox::new(),
            policy: OnFailure::default(),
        }
    }

    /// Adds a component whose messages leave by the chassis' `outbox`.
    #[must_use]
    pub fn with<C: Component + HasOutbox<Out = T>>(self, component: C) -> Self {
        // An outbox that is linked elsewhere already stays so: its messages are wanted there.
        let _ = component.outbox().node.link(&self.outbox.node, None, false);
        self.with_any(component)
    }

    /// Adds a component that has no `outbox`, or another one.
    #[must_use]
    pub fn with_any(mut self, component: impl Component) -> Self {
        let child = Prepared::new(component);
        let signal: Arc<dyn AnyNode> = Arc::clone(&child.signal) as _;
        // The same for its signal.
        let _ = super::wire(&signal, &(Arc::clone(&self.signal.node) as _));
        self.children.push(child);
        self
    }

    /// Sets what happens when a component fails. Default: [`OnFailure::Never`].
    #[must_use]
    pub fn on_failure(mut self, policy: OnFailure) -> Self {
        self.policy = policy;
        self
    }
}

impl<T: Send + 'static> Component for Par<T> {
    async fn main(mut self, mut context: Context) -> Outcome {
        let mut children = Children::launch(&context, self.children.drain(..), self.policy)?;
        let mut stop = None;
        loop {
            match children.next(Some(&mut self.control)).await {
                Happened::Done => break,
                Happened::Ended(..) => {}
                Happened::Control(signal) => {
                    children.tell(&signal);
                    if signal.is_shutdown() {
                        stop = Some(signal);
                    }
                }
            }
        }
        children.outcome()?;
        if let Some(stop) = stop {
            context.signal(stop);
        }
        Ok(())
    }
}

impl<T: Send + 'static> Boxes for Par<T> {
    fn boxes(&self, list: &mut BoxList) {
        list.inbox("control", "Goes to every component.", &self.control);
        list.outbox("outbox", "Comes from every component.", &self.outbox);
        list.outbox(
            "signal",
            "Comes from every component; at the end its own.",
            &self.signal,
        );
    }

    fn children(&self, list: &mut ChildList) {
        list.0
            .extend(self.children.iter().map(|child| child.shape(&child.name)));
    }
}

impl<T: Send + 'static> HasOutbox for Par<T> {
    type Out = T;

    fn outbox(&self) -> &Outbox<T> {
        &self.outbox
    }
}

impl<T: Send + 'static> fmt::Debug for Par<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let children: Vec<_> = self.children.iter().map(|child| &child.name).collect();
        f.debug_struct("Par")
            .field("children", &children)
            .finish_non_exhaustive()
    }
}
