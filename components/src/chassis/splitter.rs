//! One to many: to boxes that are named beforehand, or that come and go.

use std::borrow::Cow;
use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;

use super::{Children, Happened, OnFailure};
use crate::component::{BoxList, Boxes, Component, HasInbox, HasOutbox, Outcome, Prepared};
use crate::{BoxOptions, Context, Delivery, Inbox, LinkError, Outbox, Signal, Unsent};

/// Copies what comes to a set of outboxes that are named when it is made, in their order. The slowest one is waited for.
pub struct Fanout<T: Clone + Send + 'static> {
    inbox: Inbox<T>,
    outboxes: Vec<(String, Outbox<T>)>,
}

impl<T: Clone + Send + 'static> Fanout<T> {
    /// A fanout with outboxes of these names.
    pub fn new<N: Into<String>>(names: impl IntoIterator<Item = N>) -> Self {
        Self {
            inbox: Inbox::new(),
            outboxes: names.into_iter().map(|name| (name.into(), Outbox::new())).collect(),
        }
    }

    /// One of the outboxes.
    pub fn out(&self, name: &str) -> Option<&Outbox<T>> {
        self.outboxes
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, outbox)| outbox)
    }
}

impl<T: Clone + Send + 'static> Component for Fanout<T> {
    async fn main(mut self, _: Context) -> Outcome {
        while let Some(message) = self.inbox.recv().await {
            let Some(((_, last), others)) = self.outboxes.split_last_mut() else {
                continue;
            };
            for (_, outbox) in others {
                outbox.send(message.clone()).await?;
            }
            last.send(message).await?;
        }
        Ok(())
    }
}

impl<T: Clone + Send + 'static> Boxes for Fanout<T> {
    fn boxes(&self, list: &mut BoxList) {
        list.inbox("inbox", "What is copied.", &self.inbox);
        for (name, outbox) in &self.outboxes {
            list.outbox(name.clone(), "A copy of what comes in.", outbox);
        }
    }

    fn name(&self) -> Cow<'static, str> {
        "Fanout".into()
    }
}

impl<T: Clone + Send + 'static> HasInbox for Fanout<T> {
    type In = T;

    fn inbox(&self) -> &Inbox<T> {
        &self.inbox
    }
}

impl<T: Clone + Send + 'static> fmt::Debug for Fanout<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.outboxes.iter().map(|(name, _)| name).collect();
        f.debug_struct("Fanout")
            .field("outboxes", &names)
            .finish_non_exhaustive()
    }
}

/// Copies what comes to its own `outbox`, and to sinks that come and go: each [`Change`] at its `configuration` box adds or
/// removes one.
///
/// A sink that is full is waited for, unless its box drops. One whose component has ended is removed. When the splitter
/// ends, its sinks are told by their control boxes: after the data if it was a clean end, at once if not. Changes are made
/// before the messages that come after them.
pub struct Splitter<T: Clone + Send + 'static> {
    inbox: Inbox<T>,
    configuration: Inbox<Change<T>>,
    outbox: Outbox<T>,
}

static SINKS: AtomicU64 = AtomicU64::new(1);

/// Adds a sink to a [`Splitter`], or removes one.
#[derive(Debug)]
pub struct Change<T: Send + 'static>(Kind<T>);

#[derive(Debug)]
enum Kind<T: Send + 'static> {
    Add(Sink<T>),
    Remove(u64),
}

#[derive(Debug)]
struct Sink<T: Send + 'static> {
    id: u64,
    data: Outbox<T>,
    control: Option<Outbox<Signal>>,
}

impl<T: Send + 'static> Change<T> {
    /// Adds an inbox as a sink, and a control box that is told of the end.
    ///
    /// # Errors
    /// As [`link`](crate::link).
    pub fn add(inbox: &Inbox<T>, control: Option<&Inbox<Signal>>) -> Result<(Self, u64), LinkError> {
        let data = Outbox::new();
        crate::link(&data, inbox)?;
        let told = Outbox::new();
        if let Some(control) = control {
            crate::link(&told, control)?;
        }
        Ok(Self::sink(data, control.map(|_| told)))
    }

    /// Removes a sink, by the number that adding it gave.
    pub fn remove(sink: u64) -> Self {
        Self(Kind::Remove(sink))
    }

    pub(super) fn sink(data: Outbox<T>, control: Option<Outbox<Signal>>) -> (Self, u64) {
        let id = SINKS.fetch_add(1, Ordering::Relaxed);
        (Self(Kind::Add(Sink { id, data, control })), id)
    }
}

impl<T: Clone + Send + 'static> Default for Splitter<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Clone + Send + 'static> Splitter<T> {
    /// A splitter without sinks.
    pub fn new() -> Self {
        Self {
            inbox: Inbox::new(),
            configuration: Inbox::with(BoxOptions::new()),
            outbox: Outbox::new(),
        }
    }

    /// Where sinks are added and removed.
    pub fn configuration(&self) -> &Inbox<Change<T>> {
        &self.configuration
    }
}

enum Turn<T: Send + 'static> {
    Change(Change<T>),
    Message(T),
    End,
}

impl<T: Clone + Send + 'static> Component for Splitter<T> {
    async fn main(mut self, context: Context) -> Outcome {
        let mut sinks: Vec<Sink<T>> = Vec::new();
        loop {
            let turn = poll_fn(|cx| {
                if let Poll::Ready(Some(change)) = self.configuration.poll_recv(cx) {
                    return Poll::Ready(Turn::Change(change));
                }
                self.inbox
                    .poll_recv(cx)
                    .map(|message| message.map_or(Turn::End, Turn::Message))
            });
            match turn.await {
                Turn::Change(Change(Kind::Add(sink))) => sinks.push(sink),
                Turn::Change(Change(Kind::Remove(id))) => sinks.retain(|sink| sink.id != id),
                Turn::Message(message) => {
                    let mut gone = Vec::new();
                    for sink in &mut sinks {
                        match sink.data.send(message.clone()).await {
                            Ok(Delivery::Undeliverable | Delivery::Discarded) => gone.push(sink.id),
                            Ok(_) => {}
                            Err(error) if error.reason() == Unsent::Stopped => return tell(sinks, &context),
                            // Its policy is to refuse: it is counted there.
                            Err(_) => {}
                        }
                    }
                    sinks.retain(|sink| !gone.contains(&sink.id));
                    if self.outbox.is_linked() {
                        self.outbox.send(message).await?;
                    }
                }
                Turn::End => return tell(sinks, &context),
            }
        }
    }
}

fn tell<T: Send + 'static>(sinks: Vec<Sink<T>>, context: &Context) -> Outcome {
    let signal = match context.heard() {
        Some(signal) if signal.is_shutdown() => signal,
        _ => Signal::finished_by(Arc::clone(context.name())),
    };
    for mut control in sinks.into_iter().filter_map(|sink| sink.control) {
        // A box of signals takes everything.
        let _ = control.try_send(signal.clone());
    }
    Ok(())
}

impl<T: Clone + Send + 'static> Boxes for Splitter<T> {
    fn boxes(&self, list: &mut BoxList) {
        list.inbox("inbox", "What is copied.", &self.inbox);
        list.inbox("configuration", "Adds sinks and removes them.", &self.configuration);
        list.outbox("outbox", "A copy of what comes in.", &self.outbox);
    }

    fn name(&self) -> Cow<'static, str> {
        "Splitter".into()
    }
}

impl<T: Clone + Send + 'static> HasInbox for Splitter<T> {
    type In = T;

    fn inbox(&self) -> &Inbox<T> {
        &self.inbox
    }
}

impl<T: Clone + Send + 'static> HasOutbox for Splitter<T> {
    type Out = T;

    fn outbox(&self) -> &Outbox<T> {
        &self.outbox
    }
}

impl<T: Clone + Send + 'static> fmt::Debug for Splitter<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Splitter")
            .field("inbox", &self.inbox)
            .finish_non_exhaustive()
    }
}

/// Plugs a component into a [`Splitter`]: it is added as a sink when the plug starts, and removed when it ends. Its
/// `outbox` and `signal` leave by the plug's.
pub struct Plug<C: HasInbox + HasOutbox> {
    child: Prepared,
    sink: Change<C::In>,
    id: u64,
    splitter: Outbox<Change<C::In>>,
    control: Inbox<Signal>,
    outbox: Outbox<C::Out>,
    signal: Outbox<Signal>,
}

impl<C: Component + HasInbox + HasOutbox> Plug<C> {
    /// Plugs a component into a splitter.
    ///
    /// # Errors
    /// As [`link`](crate::link): the component's boxes must be free.
    pub fn new(splitter: &Splitter<C::In>, component: C) -> Result<Self, LinkError>
    where
        C::In: Clone,
    {
        let (data, told) = (Outbox::new(), Outbox::<Signal>::new());
        let (outbox, to_splitter, signal) = (Outbox::new(), Outbox::new(), Outbox::new());
        crate::link(&data, component.inbox())?;
        crate::link(component.outbox(), &outbox)?;
        crate::link(&to_splitter, &splitter.configuration)?;
        let child = Prepared::new(component);
        told.node.link(&child.control, None, false)?;
        child.signal.link(&signal.node, None, false)?;
        let (sink, id) = Change::sink(data, Some(told));
        Ok(Self {
            child,
            sink,
            id,
            splitter: to_splitter,
            control: Inbox::new(),
            outbox,
            signal,
        })
    }
}

impl<C: Component + HasInbox + HasOutbox> Component for Plug<C> {
    async fn main(self, context: Context) -> Outcome {
        let Self {
            child,
            sink,
            id,
            mut splitter,
            mut control,
            outbox,
            signal,
        } = self;
        context.say_nothing_at_the_end();
        let mut children = Children::launch(&context, [child], OnFailure::Never)?;
        splitter.send(sink).await?;
        loop {
            match children.next(Some(&mut control)).await {
                Happened::Done => break,
                Happened::Ended(..) => {}
                Happened::Control(signal) => children.tell(&signal),
            }
        }
        splitter.send(Change::remove(id)).await?;
        drop((outbox, signal));
        Ok(())
    }
}

impl<C: HasInbox + HasOutbox> Boxes for Plug<C> {
    fn boxes(&self, list: &mut BoxList) {
        list.inbox("control", "Goes to the component.", &self.control);
        list.outbox("outbox", "Comes from the component.", &self.outbox);
        list.outbox("signal", "Comes from the component.", &self.signal);
        list.outbox("splitter_config", "To the splitter.", &self.splitter);
    }

    fn name(&self) -> Cow<'static, str> {
        "Plug".into()
    }
}

impl<C: HasInbox + HasOutbox> HasOutbox for Plug<C> {
    type Out = C::Out;

    fn outbox(&self) -> &Outbox<C::Out> {
        &self.outbox
    }
}

impl<C: HasInbox + HasOutbox> fmt::Debug for Plug<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plug")
            .field("child", &self.child)
            .finish_non_exhaustive()
    }
}
