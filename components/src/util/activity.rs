//! Silence and activity: a chassis that ends a component that has nothing more to say, and the parts for other ways.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use crate::component::{Component, HasInbox, HasOutbox, Outcome};
use crate::{Boxes, Context, Inbox, Outbox, Signal, link};

/// Tells its component that the producer has finished when it has sent nothing by `outbox` for a while: a connection from
/// which nothing was received. What is sent to it does not count.
///
/// It ends when the component has ended, and everything that it sent is passed on.
#[derive(Boxes, Debug)]
pub struct InactivityChassis<C: HasInbox + HasOutbox> {
    /// Goes to the component.
    inbox: Inbox<<C as HasInbox>::In>,
    /// Comes from the component.
    outbox: Outbox<<C as HasOutbox>::Out>,
    component: C,
    timeout: Duration,
}

impl<C: Component + HasInbox + HasOutbox> InactivityChassis<C> {
    /// Ends the component after so long a silence. Kamaelia's default is 2 seconds.
    pub fn new(component: C, timeout: Duration) -> Self {
        Self {
            inbox: Inbox::new(),
            outbox: Outbox::new(),
            component,
            timeout,
        }
    }
}

/// What happens to the chassis.
enum Turn<T> {
    Message(Option<T>),
    Silence,
    Told,
}

impl<C: Component + HasInbox + HasOutbox> Component for InactivityChassis<C> {
    async fn main(mut self, context: Context) -> Outcome {
        let mut heard = Inbox::new();
        link(&self.inbox, self.component.inbox())?;
        link(self.component.outbox(), &heard)?;
        let child = context.spawn(self.component)?;
        let mut until = context.net().now() + self.timeout;
        let mut told = false;
        loop {
            let message = async { Turn::Message(heard.recv().await) };
            let silence = async {
                if told {
                    std::future::pending::<()>().await;
                }
                context.net().sleep_until(until).await;
                Turn::Silence
            };
            let stop = async {
                match told {
                    true => context.stopped().await,
                    false => context.finishing().await,
                }
                Turn::Told
            };
            match crate::first(crate::first(message, stop), silence).await {
                Turn::Message(Some(message)) => {
                    self.outbox.send(message).await?;
                    until = context.net().now() + self.timeout;
                }
                Turn::Message(None) => break,
                // Its children are told when it ends.
                Turn::Told if context.is_stopped() => break,
                Turn::Silence | Turn::Told => {
                    told = true;
                    child.tell(Signal::finished_by(context.name().clone()));
                }
            }
        }
        Ok(())
    }
}

/// Passes on what comes at three inboxes and at `control`, and tells by `observed` whenever it did: for a
/// [`ResettableSender`], or whoever wants to know that something goes on.
///
/// | comes at | leaves by |
/// |---|---|
/// | `inbox`, `inbox2`, `inbox3` | `outbox`, `outbox2`, `outbox3` |
/// | `control` | `signal` |
///
/// Where `observed` is full, somebody has enough of them to read; another is not waited for. It ends when it is told to, as
/// all do: after a [`ProducerFinished`](Signal::ProducerFinished) what waits is passed on first.
#[derive(Boxes, Debug)]
pub struct ActivityMonitor<A: Send + 'static, B: Send + 'static = A, C: Send + 'static = A> {
    /// Passed on by `outbox`.
    inbox: Inbox<A>,
    /// Passed on by `outbox2`.
    inbox2: Inbox<B>,
    /// Passed on by `outbox3`.
    inbox3: Inbox<C>,
    /// What came at `inbox`.
    outbox: Outbox<A>,
    /// What came at `inbox2`.
    outbox2: Outbox<B>,
    /// What came at `inbox3`.
    outbox3: Outbox<C>,
    /// Something was passed on.
    observed: Outbox<Reset>,
}

/// Something goes on: what an [`ActivityMonitor`] says, and a [`ResettableSender`] hears. Kamaelia's `"RESET"`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Reset;

impl<A: Send + 'static, B: Send + 'static, C: Send + 'static> Default for ActivityMonitor<A, B, C> {
    fn default() -> Self {
        Self::new()
    }
}

impl<A: Send + 'static, B: Send + 'static, C: Send + 'static> ActivityMonitor<A, B, C> {
    /// One for messages of these types.
    pub fn new() -> Self {
        Self {
            inbox: Inbox::new(),
            inbox2: Inbox::new(),
            inbox3: Inbox::new(),
            outbox: Outbox::new(),
            outbox2: Outbox::new(),
            outbox3: Outbox::new(),
            observed: Outbox::new(),
        }
    }

    /// The second way.
    pub fn second(&self) -> (&Inbox<B>, &Outbox<B>) {
        (&self.inbox2, &self.outbox2)
    }

    /// The third way.
    pub fn third(&self) -> (&Inbox<C>, &Outbox<C>) {
        (&self.inbox3, &self.outbox3)
    }

    /// Where it tells that something was passed on.
    pub fn observed(&self) -> &Outbox<Reset> {
        &self.observed
    }
}

/// Passes on all of one way.
async fn pass<T: Send + 'static>(mut from: Inbox<T>, mut to: Outbox<T>, mut observed: Outbox<Reset>) -> Outcome {
    while let Some(message) = from.recv().await {
        to.send(message).await?;
        // Full of resets: nobody misses one.
        let _ = observed.try_send(Reset);
    }
    Ok(())
}

impl<A: Send + 'static, B: Send + 'static, C: Send + 'static> Component for ActivityMonitor<A, B, C> {
    async fn main(self, mut context: Context) -> Outcome {
        let [one, two, three] = std::array::from_fn(|_| self.observed.branch());
        let mut noticed = self.observed.branch();
        let mut ways = (
            pin!(pass(self.inbox, self.outbox, one)),
            pin!(pass(self.inbox2, self.outbox2, two)),
            pin!(pass(self.inbox3, self.outbox3, three)),
        );
        // Of each way, whether it has ended.
        let mut done = [false; 3];
        loop {
            let passed = async {
                let ended = poll_fn(|cx| {
                    let polls = [
                        !done[0] && ways.0.as_mut().poll(cx)?.is_ready(),
                        !done[1] && ways.1.as_mut().poll(cx)?.is_ready(),
                        !done[2] && ways.2.as_mut().poll(cx)?.is_ready(),
                    ];
                    done.iter_mut().zip(polls).for_each(|(done, now)| *done |= now);
                    match done.iter().all(|done| *done) {
                        true => Poll::Ready(Outcome::Ok(())),
                        false => Poll::Pending,
                    }
                });
                Err(ended.await)
            };
            let notice = async { Ok(context.notice().await) };
            match crate::first(notice, passed).await {
                Ok(signal) => {
                    context.signal(signal);
                    let _ = noticed.try_send(Reset);
                }
                Err(outcome) => return outcome,
            }
        }
    }
}

/// Sends its message once, when nothing has come for a while, and ends. Whatever comes at `inbox` begins the time anew.
/// Kamaelia's default is `"NEXT"` after 5 seconds.
///
/// Told to end, it ends without having sent it.
#[derive(Boxes, Debug)]
pub struct ResettableSender<T: Send + 'static, R: Send + 'static = Reset> {
    /// Begins the time anew.
    inbox: Inbox<R>,
    /// The message.
    outbox: Outbox<T>,
    message: T,
    timeout: Duration,
}

impl<T: Send + 'static, R: Send + 'static> ResettableSender<T, R> {
    /// Sends this after so long a silence.
    pub fn new(message: T, timeout: Duration) -> Self {
        Self {
            inbox: Inbox::new(),
            outbox: Outbox::new(),
            message,
            timeout,
        }
    }
}

impl<T: Send + 'static, R: Send + 'static> Component for ResettableSender<T, R> {
    async fn main(mut self, context: Context) -> Outcome {
        let mut heard = true;
        while heard {
            let reset = async { self.inbox.recv().await.map(|_| true) };
            let silence = async {
                context.net().sleep(self.timeout).await;
                Some(false)
            };
            match crate::first(reset, silence).await {
                Some(again) => heard = again,
                None => return Ok(()),
            }
        }
        self.outbox.send(self.message).await?;
        Ok(())
    }
}
