//! One component after another, on request.

use std::borrow::Cow;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use super::{Children, Happened, OnFailure, wire};
use crate::boxes::AnyNode;
use crate::component::{BoxList, Boxes, Component, HasInbox, HasOutbox, Outcome, Prepared};
use crate::{Context, Inbox, Outbox, Received, Signal};

/// What a [`Carousel`] sends by `requestNext`: it wants to be told what to make.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct NextRequest;

/// One component after another, each made by a factory of what comes at `next`. The carousel's `inbox` and `outbox` are
/// those of the child that runs; what it has not read waits for the next one.
///
/// | event | without a child | with a child |
/// |---|---|---|
/// | `next` arrives | a child is made | the child is told to end at once; then the new one is made |
/// | the child ends by itself | – | a [`NextRequest`] by `requestNext`, unless something is queued or a stop is pending |
/// | a `ProducerFinished`, `next` items queued | children are made until the queue is drained, each told to finish | the child is told to end at once, then the queued ones are made in turn |
/// | a `ProducerFinished`, nothing queued | it ends with a `ProducerFinished` | the child is told; after its end the same |
/// | a `ShutdownMicroprocess` | it ends with that | the child is told; after its end the same; what is queued is dropped |
pub struct Carousel<R: Send + 'static, C: HasInbox + HasOutbox, F> {
    factory: F,
    ask_first: bool,
    inbox: Inbox<C::In>,
    next: Inbox<R>,
    control: Inbox<Signal>,
    outbox: Outbox<C::Out>,
    request_next: Outbox<NextRequest>,
}

impl<R, C, F> Carousel<R, C, F>
where
    R: Send + 'static,
    C: Component + HasInbox + HasOutbox,
    F: FnMut(R) -> C + Send + 'static,
{
    /// A carousel with a factory.
    pub fn new(factory: F) -> Self {
        Self {
            factory,
            ask_first: false,
            inbox: Inbox::new(),
            next: Inbox::new(),
            control: Inbox::new(),
            outbox: Outbox::new(),
            request_next: Outbox::new(),
        }
    }

    /// Asks for the first child too. Default: no.
    #[must_use]
    pub fn ask_first(mut self) -> Self {
        self.ask_first = true;
        self
    }
}

impl<R: Send + 'static, C: HasInbox + HasOutbox, F> Carousel<R, C, F> {
    /// Where the orders come: what to make next.
    pub fn next(&self) -> &Inbox<R> {
        &self.next
    }

    /// Where it asks for orders.
    pub fn request_next(&self) -> &Outbox<NextRequest> {
        &self.request_next
    }
}

/// What happens while a child runs.
enum Turn<R> {
    Order(R),
    Child(Happened),
}

impl<R, C, F> Component for Carousel<R, C, F>
where
    R: Send + 'static,
    C: Component + HasInbox + HasOutbox,
    F: FnMut(R) -> C + Send + 'static,
{
    async fn main(mut self, mut context: Context) -> Outcome {
        let mut order: Option<R> = None;
        let mut finish = false;
        if self.ask_first {
            self.ask();
        }
        loop {
            // Without a child: an order, or the end.
            let what = match order.take() {
                Some(what) => what,
                None if finish => match self.next.try_recv() {
                    Some(what) => what,
                    None => return Ok(()),
                },
                None => match self.next.recv_or(&mut self.control).await {
                    Received::Message(what) => what,
                    Received::Control(signal) if signal.is_shutdown() => {
                        context.signal(signal);
                        return Ok(());
                    }
                    Received::Control(signal) => {
                        finish |= signal.is_finished();
                        continue;
                    }
                    Received::Ended => return Ok(()),
                },
            };
            let mut children = self.launch(&context, what)?;
            let mut told = false;
            // What waited at `next` when the end of producers was told is still made, and each does what it has to do.
            if finish {
                children.tell(&Signal::producer_finished());
                told = true;
            }
            loop {
                let turn = if told || finish {
                    Turn::Child(children.next(Some(&mut self.control)).await)
                } else {
                    self.turn(&mut children).await
                };
                match turn {
                    Turn::Order(what) => {
                        order = Some(what);
                        told = true;
                        children.tell(&stop(&context));
                    }
                    Turn::Child(Happened::Done) => break,
                    Turn::Child(Happened::Ended(..)) => {}
                    Turn::Child(Happened::Control(signal)) if signal.is_shutdown() => {
                        children.tell(&signal);
                        while !matches!(children.next(None).await, Happened::Done) {}
                        context.signal(signal);
                        return Ok(());
                    }
                    Turn::Child(Happened::Control(signal)) => {
                        if signal.is_finished() && !finish {
                            finish = true;
                            if !told {
                                told = true;
                                children.tell(&if self.next.is_empty() { signal } else { stop(&context) });
                            }
                        }
                    }
                }
            }
            if order.is_none() && !finish && self.next.is_empty() {
                self.ask();
            }
        }
    }
}

fn stop(context: &Context) -> Signal {
    Signal::shutdown_by(Arc::clone(context.name()))
}

impl<R, C, F> Carousel<R, C, F>
where
    R: Send + 'static,
    C: Component + HasInbox + HasOutbox,
    F: FnMut(R) -> C + Send + 'static,
{
    fn launch(&mut self, context: &Context, what: R) -> Result<Children, crate::Failure> {
        let child = (self.factory)(what);
        let inner: Arc<dyn AnyNode> = Arc::clone(&child.inbox().node) as _;
        let own: Arc<dyn AnyNode> = Arc::clone(&self.inbox.node) as _;
        let options = inner.options();
        // Room for what waits.
        inner.set_options(options.unbounded());
        wire(&own, &inner)?;
        inner.set_options(options);
        inner.leave_to(&own);
        crate::link(child.outbox(), &self.outbox)?;
        Ok(Children::launch(context, [Prepared::new(child)], OnFailure::Never)?)
    }

    fn ask(&mut self) {
        // Where many requests wait already, one more changes nothing, and waiting for room would make it deaf.
        let _ = self.request_next.try_send(NextRequest);
    }

    async fn turn(&mut self, children: &mut Children) -> Turn<R> {
        let mut child = pin!(children.next(Some(&mut self.control)));
        let next = &mut self.next;
        poll_fn(|cx| {
            if let Poll::Ready(happened) = child.as_mut().poll(cx) {
                return Poll::Ready(Turn::Child(happened));
            }
            match next.poll_recv(cx) {
                Poll::Ready(Some(what)) => Poll::Ready(Turn::Order(what)),
                _ => Poll::Pending,
            }
        })
        .await
    }
}

impl<R: Send + 'static, C: HasInbox + HasOutbox, F> Boxes for Carousel<R, C, F> {
    fn boxes(&self, list: &mut BoxList) {
        list.inbox("inbox", "Goes to the child that runs.", &self.inbox);
        list.inbox("next", "What the next child is made of.", &self.next);
        list.inbox("control", "Ends it.", &self.control);
        list.outbox("outbox", "Comes from the child that runs.", &self.outbox);
        list.outbox("requestNext", "Asks for the next order.", &self.request_next);
    }

    fn name(&self) -> Cow<'static, str> {
        "Carousel".into()
    }
}

impl<R: Send + 'static, C: HasInbox + HasOutbox, F> HasInbox for Carousel<R, C, F> {
    type In = C::In;

    fn inbox(&self) -> &Inbox<C::In> {
        &self.inbox
    }
}

impl<R: Send + 'static, C: HasInbox + HasOutbox, F> HasOutbox for Carousel<R, C, F> {
    type Out = C::Out;

    fn outbox(&self) -> &Outbox<C::Out> {
        &self.outbox
    }
}

impl<R: Send + 'static, C: HasInbox + HasOutbox, F> fmt::Debug for Carousel<R, C, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Carousel")
            .field("next", &self.next)
            .finish_non_exhaustive()
    }
}
