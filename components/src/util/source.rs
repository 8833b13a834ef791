//! Components that begin something. A list is sent by [`from_iter`](crate::from_iter), Kamaelia's `DataSource`.

use bytes::Bytes;

use crate::component::{Component, Outcome};
use crate::{Boxes, Context, Inbox, Outbox};

/// Sends one message, and ends.
#[derive(Boxes, Debug)]
pub struct OneShot<T: Send + 'static> {
    /// The message.
    outbox: Outbox<T>,
    message: T,
}

impl<T: Send + 'static> OneShot<T> {
    /// Sends this message.
    pub fn new(message: T) -> Self {
        Self {
            outbox: Outbox::new(),
            message,
        }
    }
}

impl<T: Send + 'static> Component for OneShot<T> {
    async fn main(mut self, _: Context) -> Outcome {
        self.outbox.send(self.message).await?;
        Ok(())
    }
}

/// Sends one message when anything comes, and ends. Told to end before, it sends nothing.
#[derive(Boxes, Debug)]
pub struct TriggeredOneShot<A: Send + 'static, T: Send + 'static> {
    /// Anything.
    inbox: Inbox<A>,
    /// The message.
    outbox: Outbox<T>,
    message: T,
}

impl<A: Send + 'static, T: Send + 'static> TriggeredOneShot<A, T> {
    /// Sends this message.
    pub fn new(message: T) -> Self {
        Self {
            inbox: Inbox::new(),
            outbox: Outbox::new(),
            message,
        }
    }
}

impl<A: Send + 'static, T: Send + 'static> Component for TriggeredOneShot<A, T> {
    async fn main(mut self, _: Context) -> Outcome {
        if self.inbox.recv().await.is_some() {
            self.outbox.send(self.message).await?;
        }
        Ok(())
    }
}

/// Sends a message for each that comes.
#[derive(Boxes, Debug)]
pub struct TriggeredSource<A: Send + 'static, T: Clone + Send + 'static> {
    /// Anything.
    inbox: Inbox<A>,
    /// The message, each time.
    outbox: Outbox<T>,
    message: T,
}

impl<A: Send + 'static, T: Clone + Send + 'static> TriggeredSource<A, T> {
    /// Sends this message.
    pub fn new(message: T) -> Self {
        Self {
            inbox: Inbox::new(),
            outbox: Outbox::new(),
            message,
        }
    }
}

impl<A: Send + 'static, T: Clone + Send + Sync + 'static> Component for TriggeredSource<A, T> {
    async fn main(mut self, _: Context) -> Outcome {
        while self.inbox.recv().await.is_some() {
            self.outbox.send(self.message.clone()).await?;
        }
        Ok(())
    }
}

/// Sends `Hello World` for ever, as fast as it is taken, until it is told to end.
#[derive(Boxes, Debug, Default)]
pub struct Chargen {
    /// The words.
    outbox: Outbox<Bytes>,
}

impl Chargen {
    /// One of them.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Component for Chargen {
    async fn main(mut self, context: Context) -> Outcome {
        while !context.is_finishing() {
            self.outbox.send(Bytes::from_static(b"Hello World")).await?;
        }
        Ok(())
    }
}
