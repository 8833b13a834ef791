//! Components in a row.

use std::any::Any;
use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use super::{Children, Happened, OnFailure, main_inbox, main_outbox};
use crate::boxes::AnyNode;
use crate::component::{BoxList, Boxes, ChildList, Component, Entry, HasInbox, HasOutbox, Outcome, Prepared};
use crate::{BoxOptions, Context, Inbox, LinkError, Outbox, Signal};

/// Components in a row: each one's `outbox` is linked to the next one's `inbox`, and its `signal` to the next one's
/// `control`. The types of neighbours are checked when it is compiled.
///
/// The pipeline's own `inbox` and `control` lead to the first component, the `outbox` and `signal` of the last one to
/// its own. It ends when all have ended, and says nothing itself. When the first one has ended, what still comes for it
/// is counted as undeliverable, and signals go to the first one that runs.
///
/// ```
/// use components::{Net, Pipeline, System, for_each, from_iter, map};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> net_core::Result<()> {
/// let words = from_iter(["one", "two", "three"]);
/// let pipeline = Pipeline::new(words).then(map(str::len)).then(for_each(|length: usize| println!("{length}")));
/// System::new(&Net::os()).activate(pipeline)?.await;
/// # Ok(()) }
/// ```
pub struct Pipeline<First, Last> {
    name: Cow<'static, str>,
    children: Vec<Prepared>,
    /// Its own boxes; the first two types are those of the first and last child's boxes.
    inbox: Option<Own>,
    outbox: Option<Own>,
    control: Inbox<Signal>,
    signal: Outbox<Signal>,
    policy: OnFailure,
    /// What went wrong while it was wired; told when it is started.
    broken: Option<LinkError>,
    types: PhantomData<fn() -> (First, Last)>,
}

/// A box of a type that is known elsewhere.
struct Own {
    node: Arc<dyn AnyNode>,
    handle: Box<dyn Any + Send + Sync>,
}

impl Own {
    fn like(node: &Arc<dyn AnyNode>) -> Self {
        let (node, handle) = node.sibling(BoxOptions::default());
        Self { node, handle }
    }
}

impl<C: Component> Pipeline<C, C> {
    /// Begins with a component.
    pub fn new(first: C) -> Self {
        let first = Prepared::new(first);
        let mut pipeline = Self {
            name: "Pipeline".into(),
            inbox: None,
            outbox: None,
            control: Inbox::new(),
            signal: Outbox::new(),
            policy: OnFailure::default(),
            broken: None,
            types: PhantomData,
            children: Vec::new(),
        };
        if let Some(inbox) = main_inbox(&first) {
            let own = Own::like(&inbox);
            pipeline.link(&own.node, &inbox);
            pipeline.inbox = Some(own);
        }
        let control: Arc<dyn AnyNode> = Arc::clone(&pipeline.control.node) as _;
        pipeline.link(&control, &(Arc::clone(&first.control) as _));
        pipeline.add(first);
        pipeline
    }
}

impl<First, Last> Pipeline<First, Last> {
    /// Adds a component that takes what the last one sends.
    #[must_use]
    pub fn then<C>(mut self, next: C) -> Pipeline<First, C>
    where
        Last: HasOutbox,
        C: Component + HasInbox<In = Last::Out>,
    {
        self.join(Prepared::new(next));
        Pipeline {
            name: self.name,
            children: self.children,
            inbox: self.inbox,
            outbox: self.outbox,
            control: self.control,
            signal: self.signal,
            policy: self.policy,
            broken: self.broken,
            types: PhantomData,
        }
    }

    fn join(&mut self, next: Prepared) {
        if let Some(last) = self.children.last() {
            let (signal, out) = (Arc::clone(&last.signal) as Arc<dyn AnyNode>, main_outbox(last));
            Arc::clone(&signal).cut_off();
            self.link(&signal, &(Arc::clone(&next.control) as _));
            if let (Some(out), Some(inbox)) = (out, main_inbox(&next)) {
                Arc::clone(&out).cut_off();
                self.link(&out, &inbox);
            }
        }
        self.add(next);
    }

    /// A new last child: its end is ours.
    fn add(&mut self, last: Prepared) {
        self.outbox = main_outbox(&last).map(|outbox| {
            let own = Own::like(&outbox);
            self.link(&outbox, &own.node);
            own
        });
        let signal: Arc<dyn AnyNode> = Arc::clone(&self.signal.node) as _;
        self.link(&(Arc::clone(&last.signal) as _), &signal);
        self.children.push(last);
    }

    fn link(&mut self, from: &Arc<dyn AnyNode>, to: &Arc<dyn AnyNode>) {
        if let Err(error) = super::wire(from, to) {
            self.broken.get_or_insert(error);
        }
    }

    /// Links the last component to the first one; the pipeline's own boxes are unused then.
    #[must_use]
    pub fn circular(mut self) -> Self
    where
        Last: HasOutbox,
        First: HasInbox<In = Last::Out>,
    {
        let ends = self.children.first().zip(self.children.last());
        let links: Vec<(Arc<dyn AnyNode>, Arc<dyn AnyNode>)> = ends
            .map(|(first, last)| {
                let data = main_outbox(last).zip(main_inbox(first));
                let signals = (Arc::clone(&last.signal) as _, Arc::clone(&first.control) as _);
                data.into_iter().chain([signals]).collect()
            })
            .unwrap_or_default();
        for (from, to) in links {
            Arc::clone(&from).cut_off();
            self.link(&from, &to);
        }
        self
    }

    /// Sets size and policy of the `inbox` of the component added last.
    #[must_use]
    pub fn with_box(self, options: BoxOptions) -> Self {
        if let Some(inbox) = self.children.last().and_then(|last| main_inbox(last)) {
            inbox.set_options(options);
        }
        self
    }

    /// Sets what happens when a component fails. Default: [`OnFailure::Never`].
    #[must_use]
    pub fn on_failure(mut self, policy: OnFailure) -> Self {
        self.policy = policy;
        self
    }

    /// Names it. Default: `Pipeline`.
    #[must_use]
    pub fn named(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.name = name.into();
        self
    }
}

impl<First: 'static, Last: 'static> Component for Pipeline<First, Last> {
    async fn main(mut self, context: Context) -> Outcome {
        if let Some(error) = self.broken.take() {
            let children = self.children.iter().map(|child| (child.name.as_ref(), child));
            return Err(super::in_names_of(error, children).into());
        }
        context.say_nothing_at_the_end();
        let mut children = Children::launch(&context, self.children.drain(..), self.policy)?;
        loop {
            match children.next(None).await {
                Happened::Done => break,
                Happened::Control(_) => {}
                Happened::Ended(number, _) => {
                    if number == 0 {
                        // Nobody reads it any more.
                        self.inbox = None;
                    }
                    if let Some((_, next)) = children.first_running()
                        && let Some(next) = next.owner.control()
                        && !self.control.node.is_linked()
                    {
                        let control: Arc<dyn AnyNode> = Arc::clone(&self.control.node) as _;
                        super::wire(&control, &(next as _))?;
                    }
                }
            }
        }
        children.outcome()
    }
}

impl<First, Last> Boxes for Pipeline<First, Last> {
    fn boxes(&self, list: &mut BoxList) {
        for (name, text, own) in [
            ("inbox", "Goes to the first component.", &self.inbox),
            ("outbox", "Comes from the last component.", &self.outbox),
        ] {
            if let Some(own) = own {
                list.0.push(Entry {
                    name: name.into(),
                    documentation: text.into(),
                    node: Arc::clone(&own.node),
                });
            }
        }
        list.inbox("control", "Goes to the first component.", &self.control);
        list.outbox("signal", "Comes from the last component.", &self.signal);
    }

    fn name(&self) -> Cow<'static, str> {
        self.name.clone()
    }

    fn children(&self, list: &mut ChildList) {
        list.0
            .extend(self.children.iter().map(|child| child.shape(&child.name)));
    }
}

impl<First: HasInbox, Last> HasInbox for Pipeline<First, Last> {
    type In = First::In;

    fn inbox(&self) -> &Inbox<First::In> {
        let inbox = self.inbox.as_ref().and_then(|own| own.handle.downcast_ref());
        inbox.expect("made like the first component's, before it is started")
    }
}

impl<First, Last: HasOutbox> HasOutbox for Pipeline<First, Last> {
    type Out = Last::Out;

    fn outbox(&self) -> &Outbox<Last::Out> {
        let outbox = self.outbox.as_ref().and_then(|own| own.handle.downcast_ref());
        outbox.expect("made like the last component's")
    }
}

impl<First, Last> fmt::Debug for Pipeline<First, Last> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let children: Vec<_> = self.children.iter().map(|child| &child.name).collect();
        f.debug_struct("Pipeline")
            .field("children", &children)
            .finish_non_exhaustive()
    }
}
