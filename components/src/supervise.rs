//! Components that are started anew when they fail.

use std::any::Any;
use std::borrow::Cow;
use std::fmt;
use std::future::{Future, poll_fn};
use std::marker::PhantomData;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use net_core::Backoff;

use crate::boxes::{AnyNode, Direction};
use crate::chassis::{self, Children, Happened, OnFailure};
use crate::component::{BoxList, Boxes, Component, Entry, HasInbox, HasOutbox, Outcome, Prepared};
use crate::{Context, Event, Failure, Inbox, Outbox, Signal};

/// A component that is made anew, after a pause, when it fails or panics.
///
/// To others it has the boxes of the component that it makes. What a failed one has not read yet is there for the next
/// one; the message that it was at when it failed is lost. When the tries are used up it fails itself, with the last
/// failure. One that finishes, or is told to end, is not made anew.
///
/// ```
/// use components::{Failure, Inbox, Outbox, Context, from_fn, supervise};
/// use net_core::Backoff;
///
/// let shaky = supervise(Backoff::default().attempts(5), || {
///     from_fn("Shaky", |mut inbox: Inbox<u32>, _: Outbox<u32>, _: Context| async move {
///         match inbox.recv().await {
///             Some(13) => Err(Failure::new("thirteen")),
///             _ => Ok(()),
///         }
///     })
/// });
/// # drop(shaky);
/// ```
pub fn supervise<C, F>(backoff: Backoff, mut make: F) -> Supervised<C, F>
where
    C: Component,
    F: FnMut() -> C + Send + 'static,
{
    let prepared = Prepared::new(make());
    let own = prepared
        .boxes
        .iter()
        .filter(|entry| !is_signal_box(entry))
        .map(|entry| {
            let (node, handle) = entry.node.sibling(entry.node.options());
            Own {
                entry: Entry {
                    name: entry.name.clone(),
                    documentation: entry.documentation.clone(),
                    node,
                },
                handle,
            }
        })
        .collect();
    Supervised {
        backoff,
        make,
        first: Some(prepared),
        own,
        control: Inbox::new(),
        signal: Outbox::new(),
        types: PhantomData,
    }
}

/// A component that is started anew when it fails; made by [`supervise`].
pub struct Supervised<C, F> {
    backoff: Backoff,
    make: F,
    /// Made at once, to know its boxes.
    first: Option<Prepared>,
    own: Vec<Own>,
    control: Inbox<Signal>,
    signal: Outbox<Signal>,
    types: PhantomData<fn() -> C>,
}

struct Own {
    entry: Entry,
    handle: Box<dyn Any + Send + Sync>,
}

fn is_signal_box(entry: &Entry) -> bool {
    matches!(
        (entry.node.direction(), entry.name.as_ref()),
        (Direction::In, "control") | (Direction::Out, "signal")
    )
}

impl<C: Component, F: FnMut() -> C + Send + 'static> Supervised<C, F> {
    /// Passes its boxes through to a new child.
    fn wire(&self, child: &Prepared) -> Result<(), crate::LinkError> {
        for own in &self.own {
            let inner = child.find(&child.name, own.entry.node.direction(), &own.entry.name)?;
            match own.entry.node.direction() {
                Direction::In => {
                    let options = inner.options();
                    // Room for what waits.
                    inner.set_options(options.unbounded());
                    chassis::wire_child(child, &own.entry.node, &inner)?;
                    inner.set_options(options);
                    inner.leave_to(&own.entry.node);
                }
                Direction::Out => chassis::wire_child(child, &inner, &own.entry.node)?,
            }
        }
        let signal: Arc<dyn AnyNode> = Arc::clone(&child.signal) as _;
        chassis::wire_child(child, &signal, &(Arc::clone(&self.signal.node) as _))
    }
}

impl<C: Component, F: FnMut() -> C + Send + 'static> Component for Supervised<C, F> {
    async fn main(mut self, context: Context) -> Outcome {
        let mut failures = 0_u32;
        let mut stop: Option<Signal> = None;
        loop {
            let child = match self.first.take() {
                Some(first) => first,
                None => Prepared::new((self.make)()),
            };
            self.wire(&child)?;
            let mut children = Children::new(OnFailure::Never);
            children.add(context.launch(child, true)?);
            if let Some(stop) = &stop {
                children.tell(stop);
            }
            let mut failure: Option<Failure> = None;
            loop {
                match children.next(Some(&mut self.control)).await {
                    Happened::Done => break,
                    Happened::Ended(_, end) => failure = end.reason.failure().cloned(),
                    Happened::Control(signal) => {
                        children.tell(&signal);
                        if signal.is_end() {
                            stop = Some(signal);
                        }
                    }
                }
            }
            let Some(failure) = failure else {
                // Its signal has said how it ended.
                context.say_nothing_at_the_end();
                return Ok(());
            };
            failures += 1;
            let at_once = stop.as_ref().is_some_and(Signal::is_shutdown);
            if at_once || self.backoff.attempts.is_some_and(|most| failures >= most) {
                return Err(failure);
            }
            context.system().0.tell(&Event::Restarting {
                component: Arc::clone(context.name()),
                failure,
                failures,
            });
            let pause = self.backoff.pause(failures, context.net().random());
            let until = context.net().now() + pause;
            // Told to end while it waits: what is queued is still done, unless it is to end at once.
            while let Some(signal) = self.signal_before(&context, until).await {
                if signal.is_shutdown() {
                    context.say_nothing_at_the_end();
                    let _ = self.signal.try_send(signal);
                    return Ok(());
                }
                if signal.is_finished() {
                    stop = Some(signal);
                }
            }
        }
    }
}

impl<C, F> Supervised<C, F> {
    async fn signal_before(&mut self, context: &Context, until: net_core::Instant) -> Option<Signal> {
        let mut sleep = pin!(context.net().sleep_until(until));
        poll_fn(|cx| {
            if let Poll::Ready(signal) = self.control.poll_alone(cx) {
                return Poll::Ready(signal);
            }
            sleep.as_mut().poll(cx).map(|()| None)
        })
        .await
    }

    fn handle(&self, direction: Direction, name: &str) -> Option<&(dyn Any + Send + Sync)> {
        let fits = |own: &&Own| own.entry.node.direction() == direction && own.entry.name == name;
        self.own.iter().find(fits).map(|own| own.handle.as_ref())
    }
}

impl<C: Component, F> Boxes for Supervised<C, F> {
    fn boxes(&self, list: &mut BoxList) {
        for own in &self.own {
            list.0.push(Entry {
                name: own.entry.name.clone(),
                documentation: own.entry.documentation.clone(),
                node: Arc::clone(&own.entry.node),
            });
        }
        list.inbox("control", "Goes to the component.", &self.control);
        list.outbox("signal", "Comes from the component.", &self.signal);
    }

    fn name(&self) -> Cow<'static, str> {
        "Supervised".into()
    }

    fn children(&self, list: &mut crate::component::ChildList) {
        list.0.extend(self.first.iter().map(|child| child.shape(&child.name)));
    }
}

impl<C: HasInbox, F> HasInbox for Supervised<C, F> {
    type In = C::In;

    fn inbox(&self) -> &Inbox<C::In> {
        let inbox = self
            .handle(Direction::In, "inbox")
            .and_then(<dyn Any + Send + Sync>::downcast_ref);
        inbox.expect("made like the component's")
    }
}

impl<C: HasOutbox, F> HasOutbox for Supervised<C, F> {
    type Out = C::Out;

    fn outbox(&self) -> &Outbox<C::Out> {
        let outbox = self
            .handle(Direction::Out, "outbox")
            .and_then(<dyn Any + Send + Sync>::downcast_ref);
        outbox.expect("made like the component's")
    }
}

impl<C, F> fmt::Debug for Supervised<C, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Supervised")
            .field("backoff", &self.backoff)
            .finish_non_exhaustive()
    }
}
