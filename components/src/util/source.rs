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

/// Where a [`Chooser`] goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Jump {
    /// Nowhere: the same item again.
    Same,
    /// To the next item.
    Next,
    /// To the one before.
    Prev,
    /// To the first item.
    First,
    /// To the last item.
    Last,
}

/// Walks through a list as it is told, and sends the item where it is: the first one when it starts.
///
/// At either end [`Jump::Next`] and [`Jump::Prev`] send nothing and stay, unless it loops. An empty list sends nothing.
#[derive(Boxes, Debug)]
pub struct Chooser<T: Clone + Send + 'static> {
    /// Where to go.
    inbox: Inbox<Jump>,
    /// The items.
    outbox: Outbox<T>,
    items: Vec<T>,
    looped: bool,
}

impl<T: Clone + Send + 'static> Chooser<T> {
    /// Walks through these items.
    pub fn new(items: impl IntoIterator<Item = T>) -> Self {
        Self {
            inbox: Inbox::new(),
            outbox: Outbox::new(),
            items: items.into_iter().collect(),
            looped: false,
        }
    }

    /// Goes on at the other end. Default: no.
    #[must_use]
    pub fn looped(mut self) -> Self {
        self.looped = true;
        self
    }

    /// Where it is after a jump; none if it can't go there.
    fn jump(&self, at: usize, jump: Jump) -> Option<usize> {
        let last = self.items.len().checked_sub(1)?;
        match jump {
            Jump::Same => Some(at),
            Jump::First => Some(0),
            Jump::Last => Some(last),
            Jump::Next if at < last => Some(at + 1),
            Jump::Next => self.looped.then_some(0),
            Jump::Prev if at > 0 => Some(at - 1),
            Jump::Prev => self.looped.then_some(last),
        }
    }
}

impl<T: Clone + Send + Sync + 'static> Component for Chooser<T> {
    async fn main(mut self, _: Context) -> Outcome {
        let mut at = 0;
        if let Some(first) = self.items.first().cloned() {
            self.outbox.send(first).await?;
        }
        while let Some(jump) = self.inbox.recv().await {
            let Some(to) = self.jump(at, jump) else { continue };
            at = to;
            if let Some(item) = self.items.get(at).cloned() {
                self.outbox.send(item).await?;
            }
        }
        Ok(())
    }
}
