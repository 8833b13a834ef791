//! One to many, by name: publishers and subscribers that don't know each other.

use std::borrow::Cow;
use std::fmt;

use super::splitter::{Change, Splitter};
use crate::component::{BoxList, Boxes, Component, HasInbox, HasOutbox, Outcome};
use crate::{BoxOptions, Context, Inbox, Notify, Outbox, Signal};

/// A place with a name where messages are published and subscribed to, in one [`System`](crate::System).
///
/// Each subscriber gets a copy of what is published while it is there. One that does not keep up holds all others back,
/// unless its [`SubscribeTo`] has a box that drops; nothing grows without bound. It is registered as the services
/// `Backplane_I_name` (messages) and `Backplane_O_name` (subscriptions); a second one of the name fails. When it is told to
/// end its subscribers are told too.
pub struct Backplane<T: Clone + Send + 'static> {
    name: String,
    splitter: Splitter<T>,
}

fn data_service(name: &str) -> String {
    format!("Backplane_I_{name}")
}

fn subscription_service(name: &str) -> String {
    format!("Backplane_O_{name}")
}

impl<T: Clone + Send + 'static> Backplane<T> {
    /// A backplane of that name.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            splitter: Splitter::new(),
        }
    }
}

impl<T: Clone + Send + 'static> Component for Backplane<T> {
    async fn main(self, context: Context) -> Outcome {
        let (data, subscriptions) = (data_service(&self.name), subscription_service(&self.name));
        context.services().register(&data, HasInbox::inbox(&self.splitter))?;
        if let Err(error) = context
            .services()
            .register(&subscriptions, self.splitter.configuration())
        {
            // All or nothing.
            let _ = context.services().deregister(&data);
            return Err(error.into());
        }
        self.splitter.main(context).await
    }
}

impl<T: Clone + Send + 'static> Boxes for Backplane<T> {
    fn boxes(&self, list: &mut BoxList) {
        self.splitter.boxes(list);
    }

    fn name(&self) -> Cow<'static, str> {
        "Backplane".into()
    }
}

impl<T: Clone + Send + 'static> fmt::Debug for Backplane<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Backplane")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// Publishes what comes to its `inbox` on a [`Backplane`]; a forwarder sends it by its `outbox` too. It fails if there is
/// no backplane of that name.
pub struct PublishTo<T: Clone + Send + 'static> {
    name: String,
    forward: bool,
    inbox: Inbox<T>,
    outbox: Outbox<T>,
    published: Outbox<T>,
}

impl<T: Clone + Send + 'static> PublishTo<T> {
    /// Publishes on the backplane of that name.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            forward: false,
            inbox: Inbox::new(),
            outbox: Outbox::new(),
            published: Outbox::new(),
        }
    }

    /// Sends everything by `outbox` too.
    #[must_use]
    pub fn forwarder(mut self) -> Self {
        self.forward = true;
        self
    }
}

impl<T: Clone + Send + 'static> Component for PublishTo<T> {
    async fn main(mut self, context: Context) -> Outcome {
        let service = context.services().retrieve::<T>(&data_service(&self.name))?;
        service.link(&self.published)?;
        while let Some(message) = self.inbox.recv().await {
            if self.forward {
                self.outbox.send(message.clone()).await?;
            }
            self.published.send(message).await?;
        }
        Ok(())
    }
}

impl<T: Clone + Send + 'static> Boxes for PublishTo<T> {
    fn boxes(&self, list: &mut BoxList) {
        list.inbox("inbox", "What is published.", &self.inbox);
        list.outbox("outbox", "The same, from a forwarder.", &self.outbox);
        list.outbox("published", "To the backplane.", &self.published);
    }

    fn name(&self) -> Cow<'static, str> {
        "PublishTo".into()
    }
}

impl<T: Clone + Send + 'static> HasInbox for PublishTo<T> {
    type In = T;

    fn inbox(&self) -> &Inbox<T> {
        &self.inbox
    }
}

impl<T: Clone + Send + 'static> HasOutbox for PublishTo<T> {
    type Out = T;

    fn outbox(&self) -> &Outbox<T> {
        &self.outbox
    }
}

impl<T: Clone + Send + 'static> fmt::Debug for PublishTo<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublishTo")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// How many messages a subscriber has missed, in a [`Signal::Notify`] of its `signal` box.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Missed(pub u64);

/// Sends by its `outbox` what is published on a [`Backplane`]. It fails if there is no backplane of that name, and ends
/// with it.
///
/// If its box drops, `signal` tells with a [`Missed`] how many messages it has lost, before the next one that it got.
pub struct SubscribeTo<T: Clone + Send + 'static> {
    name: String,
    inbox: Inbox<T>,
    outbox: Outbox<T>,
}

impl<T: Clone + Send + 'static> SubscribeTo<T> {
    /// Subscribes to the backplane of that name.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            inbox: Inbox::new(),
            outbox: Outbox::new(),
        }
    }

    /// Sets size and policy of the box between the backplane and this. Default: 64 messages; then the backplane waits.
    #[must_use]
    pub fn with_box(self, options: BoxOptions) -> Self {
        self.inbox.set_options(options);
        self
    }
}

impl<T: Clone + Send + 'static> Component for SubscribeTo<T> {
    async fn main(mut self, mut context: Context) -> Outcome {
        let service = subscription_service(&self.name);
        let mut configuration = context.services().retrieve::<Change<T>>(&service)?.outbox();
        let data = Outbox::new();
        crate::link(&data, &self.inbox)?;
        let (subscription, _) = Change::sink(data, Some(context.own_control()));
        configuration.send(subscription).await?;
        let mut missed = 0;
        while let Some(message) = self.inbox.recv().await {
            let dropped = self.inbox.counts().dropped;
            if dropped > missed {
                context.signal(Signal::Notify(Notify::new(
                    context.name().clone(),
                    Missed(dropped - missed),
                )));
                missed = dropped;
            }
            self.outbox.send(message).await?;
        }
        // The backplane sees that the inbox is gone.
        Ok(())
    }
}

impl<T: Clone + Send + 'static> Boxes for SubscribeTo<T> {
    fn boxes(&self, list: &mut BoxList) {
        list.inbox("inbox", "From the backplane.", &self.inbox);
        list.outbox("outbox", "What was published.", &self.outbox);
    }

    fn name(&self) -> Cow<'static, str> {
        "SubscribeTo".into()
    }
}

impl<T: Clone + Send + 'static> HasOutbox for SubscribeTo<T> {
    type Out = T;

    fn outbox(&self) -> &Outbox<T> {
        &self.outbox
    }
}

impl<T: Clone + Send + 'static> fmt::Debug for SubscribeTo<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SubscribeTo")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
