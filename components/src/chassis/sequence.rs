//! Components one after another.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use super::{Children, Happened, OnFailure};
use crate::boxes::AnyNode;
use crate::component::{BoxList, Boxes, ChildList, Component, HasInbox, HasOutbox, Outcome, Prepared};
use crate::{BoxOptions, Context, Inbox, Outbox, Signal};

/// Components one after another: the next one begins when the one before has ended. The chassis' `inbox` and `outbox` are
/// those of the one that runs; what nobody has read yet waits for the next one.
///
/// A `ProducerFinished` at its `control` is told to the one that runs and to each that follows: each does its work. A
/// `ShutdownMicroprocess` ends the one that runs, and the others don't begin. Signals of the children are not passed on;
/// at the end it says its own.
pub struct Seq<I: Send + 'static, O: Send + 'static> {
    children: VecDeque<Prepared>,
    inbox: Inbox<I>,
    control: Inbox<Signal>,
    outbox: Outbox<O>,
    policy: OnFailure,
}

impl<I: Send + 'static, O: Send + 'static> Default for Seq<I, O> {
    fn default() -> Self {
        Self::new()
    }
}

impl<I: Send + 'static, O: Send + 'static> Seq<I, O> {
    /// No components yet. One without any ends at once.
    pub fn new() -> Self {
        Self {
            children: VecDeque::new(),
            inbox: Inbox::new(),
            control: Inbox::new(),
            outbox: Outbox::new(),
            policy: OnFailure::default(),
        }
    }

    /// Adds a component that uses both boxes.
    #[must_use]
    pub fn then<C: Component + HasInbox<In = I> + HasOutbox<Out = O>>(mut self, next: C) -> Self {
        self.children.push_back(Prepared::new(next));
        self
    }

    /// Adds a component that only sends.
    #[must_use]
    pub fn then_source<C: Component + HasOutbox<Out = O>>(mut self, next: C) -> Self {
        self.children.push_back(Prepared::new(next));
        self
    }

    /// Sets what happens when a component fails: [`OnFailure::Never`], the default, goes on with the next one.
    #[must_use]
    pub fn on_failure(mut self, policy: OnFailure) -> Self {
        self.policy = policy;
        self
    }
}

impl<I: Send + 'static, O: Send + 'static> Component for Seq<I, O> {
    async fn main(mut self, mut context: Context) -> Outcome {
        let mut finish: Option<Signal> = None;
        while let Some(child) = self.children.pop_front() {
            if let Some(inner) = super::main_inbox(&child) {
                // Room for what waits, so that nothing stays behind.
                let room = inner.options();
                inner.set_options(BoxOptions::new().unbounded());
                let own: Arc<dyn AnyNode> = Arc::clone(&self.inbox.node) as _;
                super::wire_child(&child, &own, &inner)?;
                inner.set_options(room);
                inner.leave_to(&own);
            }
            if let Some(outbox) = super::main_outbox(&child) {
                super::wire_child(&child, &outbox, &(Arc::clone(&self.outbox.node) as _))?;
            }
            let mut children = Children::launch(&context, [child], self.policy)?;
            if let Some(finish) = &finish {
                children.tell(finish);
            }
            loop {
                match children.next(Some(&mut self.control)).await {
                    Happened::Done => break,
                    Happened::Ended(..) => {}
                    Happened::Control(signal) => {
                        children.tell(&signal);
                        if signal.is_shutdown() {
                            self.children.clear();
                            context.signal(signal);
                        } else if signal.is_finished() {
                            finish = Some(signal);
                        }
                    }
                }
            }
            children.outcome()?;
        }
        Ok(())
    }
}

impl<I: Send + 'static, O: Send + 'static> Boxes for Seq<I, O> {
    fn boxes(&self, list: &mut BoxList) {
        list.inbox("inbox", "Goes to the component that runs.", &self.inbox);
        list.inbox("control", "Goes to the component that runs.", &self.control);
        list.outbox("outbox", "Comes from the component that runs.", &self.outbox);
    }

    fn children(&self, list: &mut ChildList) {
        list.0
            .extend(self.children.iter().map(|child| child.shape(&child.name)));
    }
}

impl<I: Send + 'static, O: Send + 'static> HasInbox for Seq<I, O> {
    type In = I;

    fn inbox(&self) -> &Inbox<I> {
        &self.inbox
    }
}

impl<I: Send + 'static, O: Send + 'static> HasOutbox for Seq<I, O> {
    type Out = O;

    fn outbox(&self) -> &Outbox<O> {
        &self.outbox
    }
}

impl<I: Send + 'static, O: Send + 'static> fmt::Debug for Seq<I, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let children: Vec<_> = self.children.iter().map(|child| &child.name).collect();
        f.debug_struct("Seq")
            .field("children", &children)
            .finish_non_exhaustive()
    }
}
