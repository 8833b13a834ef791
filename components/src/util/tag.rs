//! Components that number messages, and bring them in order again.

use std::collections::BTreeMap;

use crate::component::{Component, Outcome};
use crate::{Boxes, Context, Inbox, Outbox};

/// Numbers what comes: `(n, message)`.
#[derive(Boxes, Debug)]
pub struct TagWithSequenceNumber<T: Send + 'static> {
    /// Messages.
    inbox: Inbox<T>,
    /// Messages with their numbers.
    outbox: Outbox<(u64, T)>,
    next: u64,
}

impl<T: Send + 'static> Default for TagWithSequenceNumber<T> {
    fn default() -> Self {
        Self::from(0)
    }
}

impl<T: Send + 'static> From<u64> for TagWithSequenceNumber<T> {
    /// Begins with this number.
    fn from(first: u64) -> Self {
        Self {
            inbox: Inbox::new(),
            outbox: Outbox::new(),
            next: first,
        }
    }
}

impl<T: Send + 'static> Component for TagWithSequenceNumber<T> {
    async fn main(mut self, _: Context) -> Outcome {
        while let Some(message) = self.inbox.recv().await {
            self.outbox.send((self.next, message)).await?;
            self.next = self.next.wrapping_add(1);
        }
        Ok(())
    }
}

/// Brings numbered messages in order: it keeps some, and sends the lowest of them when it has more. Those that come twice
/// are dropped while the first one is still there; at the end the rest is sent.
#[derive(Boxes, Debug)]
pub struct RecoverOrder<T: Send + 'static> {
    /// Messages in any order.
    inbox: Inbox<(u64, T)>,
    /// Messages in order, as far as `keep` of them can bring it.
    outbox: Outbox<(u64, T)>,
    keep: usize,
}

impl<T: Send + 'static> RecoverOrder<T> {
    /// Keeps so many messages. Kamaelia's default is 30.
    pub fn new(keep: usize) -> Self {
        Self {
            inbox: Inbox::new(),
            outbox: Outbox::new(),
            keep,
        }
    }
}

impl<T: Send + 'static> Component for RecoverOrder<T> {
    async fn main(mut self, context: Context) -> Outcome {
        let mut kept = BTreeMap::new();
        while let Some((number, message)) = self.inbox.recv().await {
            kept.entry(number).or_insert(message);
            while kept.len() > self.keep
                && let Some(lowest) = kept.pop_first()
            {
                self.outbox.send(lowest).await?;
            }
        }
        while !context.is_stopped()
            && let Some(lowest) = kept.pop_first()
        {
            self.outbox.send(lowest).await?;
        }
        Ok(())
    }
}
