//! A chassis that ends a component that has nothing more to say.

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
