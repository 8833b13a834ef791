//! Components that pass on what comes, or nothing.

use std::future::Future;

use crate::component::{Component, Outcome};
use crate::{Boxes, Context, Inbox, Outbox};

/// Sends back what it gets. Everything that was sent before its end is sent back.
#[derive(Boxes, Debug)]
pub struct EchoProtocol<T: Send + 'static> {
    /// What is said.
    inbox: Inbox<T>,
    /// The same.
    outbox: Outbox<T>,
}

/// Passes on what it gets.
#[derive(Boxes, Debug)]
pub struct PassThrough<T: Send + 'static> {
    /// What comes in.
    inbox: Inbox<T>,
    /// The same.
    outbox: Outbox<T>,
}

macro_rules! passing {
    ($($name:ident)*) => {$(
        impl<T: Send + 'static> Default for $name<T> {
            fn default() -> Self {
                Self::new()
            }
        }

        impl<T: Send + 'static> $name<T> {
            /// One for messages of this type.
            pub fn new() -> Self {
                Self {
                    inbox: Inbox::new(),
                    outbox: Outbox::new(),
                }
            }
        }

        impl<T: Send + 'static> Component for $name<T> {
            // Not an async function, which would hold all of it twice.
            fn main(self, _: Context) -> impl Future<Output = Outcome> + Send {
                let Self { mut inbox, mut outbox } = self;
                async move {
                    while let Some(message) = inbox.recv().await {
                        outbox.send(message).await?;
                    }
                    Ok(())
                }
            }
        }
    )*};
}

passing!(EchoProtocol PassThrough);

/// Swallows what it gets. Kamaelia's `nullSinkComponent`.
#[derive(Boxes, Debug)]
pub struct NullSink<T: Send + 'static> {
    /// What is thrown away.
    inbox: Inbox<T>,
}

impl<T: Send + 'static> Default for NullSink<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Send + 'static> NullSink<T> {
    /// One for messages of this type.
    pub fn new() -> Self {
        Self { inbox: Inbox::new() }
    }
}

impl<T: Send + 'static> Component for NullSink<T> {
    async fn main(mut self, _: Context) -> Outcome {
        while self.inbox.recv().await.is_some() {}
        Ok(())
    }
}
