//! Components that block: each in a thread of its own.

use std::borrow::Cow;
use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context as Task, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use net_core::catch_panic_in;
use tokio::sync::oneshot;

use crate::component::{BoxList, Boxes, Component, HasInbox, HasOutbox, Outcome};
use crate::error::SendError;
use crate::{BoxOptions, Context, Delivery, Failure, Inbox, Outbox};

/// How many messages the boxes of a [`threaded`] component hold, as in Axon.
const QUEUE: usize = 1000;

/// A component whose body runs in a thread of its own and may block: files, terminals, libraries that wait.
///
/// Its boxes are those of any component. In the thread they are used by [`Inbox::recv_blocking`] and
/// [`Outbox::send_blocking`], which end as the others do when the component is told to end. What the thread has sent is
/// there when the component ends. A component that is aborted, or whose runtime is gone, leaves its thread to end by
/// itself: the next call to a box tells it.
///
/// A thread runs beside virtual time: programs that use one are not the same in each run of a simulation.
///
/// ```
/// use components::{Context, Inbox, Outbox, threaded};
///
/// let upper = threaded("Upper", |mut inbox: Inbox<String>, mut outbox: Outbox<String>, _: Context| {
///     while let Some(line) = inbox.recv_blocking() {
///         outbox.send_blocking(line.to_uppercase())?;
///     }
///     Ok(())
/// });
/// # drop(upper);
/// ```
pub fn threaded<I, O, F>(name: &'static str, body: F) -> Threaded<I, O, F>
where
    I: Send + 'static,
    O: Send + 'static,
    F: FnOnce(Inbox<I>, Outbox<O>, Context) -> Outcome + Send + 'static,
{
    Threaded {
        name,
        inbox: Inbox::with_capacity(QUEUE),
        outbox: Outbox::new(),
        body,
    }
}

/// A component with a thread; made by [`threaded`].
pub struct Threaded<I: Send + 'static, O: Send + 'static, F> {
    name: &'static str,
    inbox: Inbox<I>,
    outbox: Outbox<O>,
    body: F,
}

impl<I: Send + 'static, O: Send + 'static, F> Threaded<I, O, F> {
    /// Sets size and policy of its inbox. Default: 1000 messages, senders wait.
    #[must_use]
    pub fn with_box(self, options: BoxOptions) -> Self {
        self.inbox.set_options(options);
        self
    }
}

impl<I: Send + 'static, O: Send + 'static, F> Component for Threaded<I, O, F>
where
    F: FnOnce(Inbox<I>, Outbox<O>, Context) -> Outcome + Send + 'static,
{
    async fn main(self, context: Context) -> Outcome {
        let Self {
            name,
            inbox,
            outbox,
            body,
        } = self;
        in_thread(name, context, move |context| body(inbox, outbox, context)).await
    }
}

/// Runs a component's body in a thread of its own.
pub(crate) async fn in_thread(
    name: &str,
    context: Context,
    body: impl FnOnce(Context) -> Outcome + Send + 'static,
) -> Outcome {
    let (sender, result) = oneshot::channel();
    // Aborted: the boxes in the thread tell it to stop.
    let mut stop = StopOnDrop(Some(context.stopper()));
    thread::Builder::new().name(name.to_owned()).spawn(move || {
        let outcome = catch_panic_in(move || body(context));
        // Nobody may be waiting any more, and that is fine.
        let _ = sender.send(outcome);
    })?;
    let result = result.await;
    // It has ended by itself: that is no stop, which would be passed on as one.
    stop.0 = None;
    match result {
        Ok(Ok(outcome)) => outcome,
        // As if it had panicked in a task.
        Ok(Err(panic)) => Err(Failure::from(panic)),
        Err(_) => Err(Failure::new("the thread has ended without a word")),
    }
}

struct StopOnDrop(Option<crate::context::Stopper>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        if let Some(stopper) = &self.0 {
            stopper.stop();
        }
    }
}

impl<I: Send + 'static, O: Send + 'static, F> Boxes for Threaded<I, O, F> {
    fn boxes(&self, list: &mut BoxList) {
        list.inbox("inbox", "What comes in.", &self.inbox);
        list.outbox("outbox", "What goes out.", &self.outbox);
    }

    fn name(&self) -> Cow<'static, str> {
        self.name.into()
    }
}

impl<I: Send + 'static, O: Send + 'static, F> HasInbox for Threaded<I, O, F> {
    type In = I;

    fn inbox(&self) -> &Inbox<I> {
        &self.inbox
    }
}

impl<I: Send + 'static, O: Send + 'static, F> HasOutbox for Threaded<I, O, F> {
    type Out = O;

    fn outbox(&self) -> &Outbox<O> {
        &self.outbox
    }
}

impl<I: Send + 'static, O: Send + 'static, F> fmt::Debug for Threaded<I, O, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Threaded")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl<T: Send + 'static> Inbox<T> {
    /// [`recv`](Self::recv) for threads: blocks until there is a message, or none will come.
    pub fn recv_blocking(&mut self) -> Option<T> {
        block_on(self.recv())
    }
}

impl<T: Send + 'static> Outbox<T> {
    /// [`send`](Self::send) for threads: blocks while it waits for room.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub fn send_blocking(&mut self, message: T) -> Result<Delivery, SendError<T>> {
        block_on(self.send(message))
    }
}

impl Context {
    /// For threads: blocks for a duration, and less if the component is told to end at once.
    ///
    /// # Errors
    /// [`Stopped`](crate::Stopped).
    pub fn sleep_blocking(&self, duration: Duration) -> Result<(), crate::Stopped> {
        let thread = Arc::new(Unpark(thread::current()));
        let waker = Waker::from(thread);
        let mut stopped = pin!(self.stopped());
        let (until, net) = (self.net().now() + duration, self.net());
        loop {
            if stopped.as_mut().poll(&mut Task::from_waker(&waker)).is_ready() {
                return Err(crate::Stopped);
            }
            let left = until.saturating_duration_since(net.now());
            if left.is_zero() {
                return Ok(());
            }
            thread::park_timeout(left);
        }
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Runs a future that waits for boxes only in this thread.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut task = Task::from_waker(&waker);
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut task) {
            return value;
        }
        thread::park();
    }
}
