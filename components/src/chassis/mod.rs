//! Components made of components: how they are wired, and how their end is passed on.

mod backplane;
mod carousel;
mod graphline;
mod parallel;
mod pipeline;
mod sequence;
mod splitter;

pub use backplane::{Backplane, Missed, PublishTo, SubscribeTo};
pub use carousel::{Carousel, NextRequest};
pub use graphline::Graphline;
pub use parallel::Par;
pub use pipeline::Pipeline;
pub use sequence::Seq;
pub use splitter::{Change, Fanout, Plug, Splitter};

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use crate::boxes::{AnyNode, Direction};
use crate::component::{Outcome, Prepared};
use crate::{Active, Context, End, Failure, Inbox, LinkError, Signal};

/// What a chassis does when one of its children fails or panics. A child that is to be started anew is made by
/// [`supervise`](crate::supervise).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OnFailure {
    /// Nothing: it has ended alone, and its neighbours know by its signal. The default.
    #[default]
    Never,
    /// The other children are told to end at once, and the chassis fails with the same failure.
    Escalate,
}

/// The running children of a chassis.
#[derive(Debug, Default)]
pub(crate) struct Children {
    active: Vec<Active>,
    /// Of each, whether its end was told by `next`.
    told: Vec<bool>,
    failure: Option<Failure>,
    policy: OnFailure,
}

/// What happens to a chassis.
pub(crate) enum Happened {
    /// The child of this number has ended.
    Ended(usize, End),
    /// A signal came at its own control box.
    Control(Signal),
    /// No child is left.
    Done,
}

impl Children {
    pub(crate) fn new(policy: OnFailure) -> Self {
        Self {
            policy,
            ..Self::default()
        }
    }

    /// Starts them all; if one can't be started those before it are told to end, with their parent.
    pub(crate) fn launch(
        context: &Context,
        children: impl IntoIterator<Item = Prepared>,
        policy: OnFailure,
    ) -> net_core::Result<Self> {
        let mut all = Self::new(policy);
        for child in children {
            all.add(context.launch(child, false)?);
        }
        Ok(all)
    }

    pub(crate) fn add(&mut self, child: Active) {
        self.active.push(child);
        self.told.push(false);
    }

    /// The first one that runs, and its number.
    pub(crate) fn first_running(&self) -> Option<(usize, &Active)> {
        self.active.iter().enumerate().find(|(_, child)| child.end().is_none())
    }

    /// Tells all that run.
    pub(crate) fn tell(&self, signal: &Signal) {
        for child in self.active.iter().filter(|child| child.end().is_none()) {
            child.tell(signal.clone());
        }
    }

    /// Tells those that run and have nothing linked to their control boxes.
    pub(crate) fn tell_unlinked(&self, signal: &Signal) {
        let unlinked = |child: &&Active| child.owner.control().is_some_and(|control| !control.has_sources());
        for child in self.active.iter().filter(unlinked) {
            child.tell(signal.clone());
        }
    }

    /// Waits until a signal comes or a child ends; in an order that is the same in each run. Cancel safe.
    pub(crate) async fn next(&mut self, mut control: Option<&mut Inbox<Signal>>) -> Happened {
        let Self { active, told, .. } = &mut *self;
        let mut waits: Vec<_> = active.iter().map(|child| child.owner.wait_for_end()).collect();
        let happened = poll_fn(|cx| {
            if let Some(control) = &mut control
                && let Poll::Ready(Some(signal)) = control.poll_alone(cx)
            {
                return Poll::Ready(Happened::Control(signal));
            }
            for (number, ((child, told), wait)) in active.iter().zip(told.iter_mut()).zip(&mut waits).enumerate() {
                if *told {
                    continue;
                }
                wait.register(cx.waker());
                if let Some(end) = child.end() {
                    *told = true;
                    return Poll::Ready(Happened::Ended(number, end.clone()));
                }
            }
            if told.iter().all(|told| *told) {
                Poll::Ready(Happened::Done)
            } else {
                Poll::Pending
            }
        })
        .await;
        drop(waits);
        if let Happened::Ended(_, end) = &happened
            && let Some(failure) = end.reason.failure()
            && self.policy == OnFailure::Escalate
            && self.failure.is_none()
        {
            self.failure = Some(failure.clone());
            self.tell(&Signal::shutdown_microprocess());
        }
        happened
    }

    /// How the chassis ends with its children.
    pub(crate) fn outcome(&mut self) -> Outcome {
        self.failure.take().map_or(Ok(()), Err)
    }
}

/// Links two boxes.
pub(crate) fn wire(from: &Arc<dyn AnyNode>, to: &Arc<dyn AnyNode>) -> Result<(), LinkError> {
    Arc::clone(from).link_to(Arc::clone(to), None)
}

/// An error of linking boxes of children that don't run yet, with their names in it.
pub(crate) fn in_names_of<'a>(
    error: LinkError,
    children: impl Iterator<Item = (&'a str, &'a Prepared)> + Clone,
) -> LinkError {
    error.renamed(|text| {
        children.clone().find_map(|(called, child)| {
            let entry = child.boxes.iter().find(|entry| entry.node.box_path() == text)?;
            Some(format!("{called}.{}", entry.name))
        })
    })
}

/// [`wire`] for a box of a child that doesn't run yet.
pub(crate) fn wire_child(child: &Prepared, from: &Arc<dyn AnyNode>, to: &Arc<dyn AnyNode>) -> Result<(), LinkError> {
    wire(from, to).map_err(|error| in_names_of(error, [(child.name.as_ref(), child)].into_iter()))
}

/// The box called `inbox`.
pub(crate) fn main_inbox(child: &Prepared) -> Option<Arc<dyn AnyNode>> {
    child.find("", Direction::In, "inbox").ok()
}

/// The box called `outbox`.
pub(crate) fn main_outbox(child: &Prepared) -> Option<Arc<dyn AnyNode>> {
    child.find("", Direction::Out, "outbox").ok()
}
