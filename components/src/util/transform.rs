//! Components around an object of the user's: filters, and ways to write messages as bytes.

use std::marker::PhantomData;

use bytes::Bytes;

use crate::component::{Component, Outcome};
use crate::{Boxes, Context, Failure, Inbox, Outbox};

/// What a [`Filter`] does with messages: it may keep, change, drop, and give at the end what it still has.
pub trait Filtering: Send + 'static {
    /// What comes.
    type In: Send + 'static;
    /// What goes out.
    type Out: Send + 'static;

    /// What becomes of a message; `None` drops it, or keeps it for later.
    fn filter(&mut self, message: Self::In) -> Option<Self::Out>;

    /// What is still to be sent when the producer has finished; asked until there is nothing. Default: nothing.
    fn flush(&mut self) -> Option<Self::Out> {
        None
    }
}

/// Sends what an object makes of messages, and at the end what it still has. [`filter`](crate::filter) and
/// [`filter_map`](crate::filter_map) do with closures.
#[derive(Boxes, Debug)]
pub struct Filter<F: Filtering> {
    /// What comes.
    inbox: Inbox<F::In>,
    /// What the object makes of it.
    outbox: Outbox<F::Out>,
    object: F,
}

impl<F: Filtering> Filter<F> {
    /// A filter with this object.
    pub fn new(object: F) -> Self {
        Self {
            inbox: Inbox::new(),
            outbox: Outbox::new(),
            object,
        }
    }
}

impl<F: Filtering> Component for Filter<F> {
    async fn main(mut self, context: Context) -> Outcome {
        while let Some(message) = self.inbox.recv().await {
            if let Some(message) = self.object.filter(message) {
                self.outbox.send(message).await?;
            }
        }
        while !context.is_stopped()
            && let Some(message) = self.object.flush()
        {
            self.outbox.send(message).await?;
        }
        Ok(())
    }
}

/// A way to write messages as bytes, and to read them.
pub trait Marshalling: Send + 'static {
    /// What is written.
    type Message: Send + 'static;

    /// A message as bytes.
    ///
    /// # Errors
    /// Why it can't be written; it fails the component.
    fn marshall(message: &Self::Message) -> Result<Bytes, Failure>;

    /// Bytes as a message.
    ///
    /// # Errors
    /// Why they are none; it fails the component.
    fn demarshall(bytes: &[u8]) -> Result<Self::Message, Failure>;
}

/// Writes messages as bytes.
#[derive(Boxes, Debug)]
pub struct Marshaller<M: Marshalling> {
    /// Messages.
    inbox: Inbox<M::Message>,
    /// Each as bytes.
    outbox: Outbox<Bytes>,
    way: PhantomData<fn() -> M>,
}

/// Reads messages from bytes, one from each.
#[derive(Boxes, Debug)]
pub struct DeMarshaller<M: Marshalling> {
    /// A message each, as bytes.
    inbox: Inbox<Bytes>,
    /// Messages.
    outbox: Outbox<M::Message>,
    way: PhantomData<fn() -> M>,
}

macro_rules! marshalling {
    ($name:ident, $message:ident => $result:expr) => {
        impl<M: Marshalling> Default for $name<M> {
            fn default() -> Self {
                Self::new()
            }
        }

        impl<M: Marshalling> $name<M> {
            /// One for this way of writing.
            pub fn new() -> Self {
                Self {
                    inbox: Inbox::new(),
                    outbox: Outbox::new(),
                    way: PhantomData,
                }
            }
        }

        impl<M: Marshalling> Component for $name<M> {
            async fn main(mut self, _: Context) -> Outcome {
                while let Some($message) = self.inbox.recv().await {
                    self.outbox.send($result?).await?;
                }
                Ok(())
            }
        }
    };
}

marshalling!(Marshaller, message => M::marshall(&message));
marshalling!(DeMarshaller, bytes => M::demarshall(&bytes));
