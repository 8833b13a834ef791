//! Components that say when something goes on.

use std::collections::VecDeque;
use std::time::Duration;

use crate::component::{Component, Outcome};
use crate::{Boxes, Context, Inbox, Outbox};

/// Sends its beat at once, and then again and again, until it is told to end. Kamaelia's `CheapAndCheerfulClock`.
///
/// Beats keep to the clock: one that was late makes the next one no later.
#[derive(Boxes, Debug)]
pub struct Clock {
    /// The number of the beat, from 0.
    outbox: Outbox<u64>,
    interval: Duration,
}

impl Clock {
    /// A beat in each interval.
    pub fn new(interval: Duration) -> Self {
        Self {
            outbox: Outbox::new(),
            interval,
        }
    }
}

impl Component for Clock {
    async fn main(mut self, context: Context) -> Outcome {
        let mut at = context.net().now();
        for beat in 0.. {
            self.outbox.send(beat).await?;
            at += self.interval;
            let wait = async {
                crate::first(context.net().sleep_until(at), context.finishing()).await;
            };
            context.run(wait).await?;
            if context.is_finishing() {
                break;
            }
        }
        Ok(())
    }
}

/// Lets messages through one by one: each message at `next` lets one go, at once or when one comes.
///
/// Told to end, it lets go those that are asked for already, and drops the rest: see [`End`](crate::End).
#[derive(Boxes, Debug)]
pub struct PromptedTurnstile<T: Send + 'static, A: Send + 'static> {
    /// What waits.
    inbox: Inbox<T>,
    /// Lets one go.
    next: Inbox<A>,
    /// What went through.
    outbox: Outbox<T>,
}

/// Lets messages through one by one: each message at `slidecontrol` lets one go, at once or when one comes.
#[derive(Boxes, Debug)]
pub struct OnDemandLimit<T: Send + 'static, A: Send + 'static> {
    /// What waits.
    inbox: Inbox<T>,
    /// Lets one go.
    #[boxes(name = "slidecontrol")]
    next: Inbox<A>,
    /// What went through.
    outbox: Outbox<T>,
}

macro_rules! one_by_one {
    ($($name:ident)*) => {$(
        impl<T: Send + 'static, A: Send + 'static> Default for $name<T, A> {
            fn default() -> Self {
                Self::new()
            }
        }

        impl<T: Send + 'static, A: Send + 'static> $name<T, A> {
            /// One for messages of these types.
            pub fn new() -> Self {
                Self {
                    inbox: Inbox::new(),
                    next: Inbox::new(),
                    outbox: Outbox::new(),
                }
            }

            /// Where each message lets one go.
            pub fn next(&self) -> &Inbox<A> {
                &self.next
            }
        }

        impl<T: Send + 'static, A: Send + 'static> Component for $name<T, A> {
            async fn main(mut self, _: Context) -> Outcome {
                while self.next.recv().await.is_some() {
                    let Some(message) = self.inbox.recv().await else { break };
                    self.outbox.send(message).await?;
                }
                Ok(())
            }
        }
    )*};
}

one_by_one!(PromptedTurnstile OnDemandLimit);

/// Lets at most so many messages through each second, evenly, once a number of them has gathered. What waits when it is
/// told to end is let through at the same rate.
#[derive(Boxes, Debug)]
pub struct MessageRateLimit<T: Send + 'static> {
    /// What waits.
    inbox: Inbox<T>,
    /// What went through.
    outbox: Outbox<T>,
    interval: Duration,
    gather: usize,
}

impl<T: Send + 'static> MessageRateLimit<T> {
    /// So many messages each second; 0 counts as 1. None is gathered before.
    pub fn new(each_second: u32) -> Self {
        Self {
            inbox: Inbox::new(),
            outbox: Outbox::new(),
            interval: Duration::from_secs(1) / each_second.max(1),
            gather: 0,
        }
    }

    /// Waits for so many messages before it begins. Default: 0; Kamaelia's is 60.
    #[must_use]
    pub fn gather(mut self, messages: usize) -> Self {
        self.gather = messages;
        self
    }
}

impl<T: Send + 'static> Component for MessageRateLimit<T> {
    async fn main(mut self, context: Context) -> Outcome {
        let mut gathered = VecDeque::new();
        while gathered.len() < self.gather {
            match self.inbox.recv().await {
                Some(message) => gathered.push_back(message),
                None => break,
            }
        }
        while !context.is_stopped() {
            let message = match gathered.pop_front() {
                Some(message) => message,
                None => match self.inbox.recv().await {
                    Some(message) => message,
                    None => break,
                },
            };
            self.outbox.send(message).await?;
            context.sleep(self.interval).await?;
        }
        Ok(())
    }
}

/// Sends the first of each so many messages, when the last of them has come.
#[derive(Boxes, Debug)]
pub struct Sync<T: Send + 'static> {
    /// What is counted.
    inbox: Inbox<T>,
    /// The first of each group.
    outbox: Outbox<T>,
    group: usize,
}

impl<T: Send + 'static> Sync<T> {
    /// Groups of so many; 0 counts as 1. Kamaelia's default is 2.
    pub fn new(group: usize) -> Self {
        Self {
            inbox: Inbox::new(),
            outbox: Outbox::new(),
            group: group.max(1),
        }
    }
}

impl<T: Send + 'static> Component for Sync<T> {
    async fn main(mut self, _: Context) -> Outcome {
        while let Some(first) = self.inbox.recv().await {
            for _ in 1..self.group {
                if self.inbox.recv().await.is_none() {
                    return Ok(());
                }
            }
            self.outbox.send(first).await?;
        }
        Ok(())
    }
}
