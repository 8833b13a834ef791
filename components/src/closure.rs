//! Small components of closures.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::fmt;
use std::future::Future;

use crate::component::{BoxList, Boxes, Component, HasInbox, HasOutbox, Outcome};
use crate::{Context, Inbox, Outbox};

/// A component of an async closure that gets its inbox, its outbox and the context.
///
/// ```
/// use components::{Context, Inbox, Outbox, from_fn};
///
/// let pairs = from_fn("Pairs", |mut inbox: Inbox<u32>, mut outbox: Outbox<(u32, u32)>, _: Context| async move {
///     while let (Some(one), Some(two)) = (inbox.recv().await, inbox.recv().await) {
///         outbox.send((one, two)).await?;
///     }
///     Ok(())
/// });
/// # drop(pairs);
/// ```
pub fn from_fn<I, O, F, W>(name: &'static str, body: F) -> Function<I, O, F>
where
    I: Send + 'static,
    O: Send + 'static,
    F: FnOnce(Inbox<I>, Outbox<O>, Context) -> W + Send + 'static,
    W: Future<Output = Outcome> + Send,
{
    Function {
        name,
        inbox: Inbox::new(),
        outbox: Outbox::new(),
        body,
    }
}

/// A component of a closure; made by [`from_fn`].
pub struct Function<I: Send + 'static, O: Send + 'static, F> {
    name: &'static str,
    inbox: Inbox<I>,
    outbox: Outbox<O>,
    body: F,
}

impl<I: Send + 'static, O: Send + 'static, F, W> Component for Function<I, O, F>
where
    F: FnOnce(Inbox<I>, Outbox<O>, Context) -> W + Send + 'static,
    W: Future<Output = Outcome> + Send,
{
    fn main(self, context: Context) -> impl Future<Output = Outcome> + Send {
        (self.body)(self.inbox, self.outbox, context)
    }
}

/// A component that sends what a closure makes of each message. Kamaelia's `PureTransformer`, which ends as all do.
pub fn map<I, O, F>(change: F) -> Map<I, O, F>
where
    I: Send + 'static,
    O: Send + 'static,
    F: FnMut(I) -> O + Send + 'static,
{
    Map {
        name: "Map",
        inbox: Inbox::new(),
        outbox: Outbox::new(),
        body: change,
    }
}

/// A component of a closure; made by [`map`].
pub struct Map<I: Send + 'static, O: Send + 'static, F> {
    name: &'static str,
    inbox: Inbox<I>,
    outbox: Outbox<O>,
    body: F,
}

impl<I: Send + 'static, O: Send + 'static, F: FnMut(I) -> O + Send + 'static> Component for Map<I, O, F> {
    async fn main(mut self, _: Context) -> Outcome {
        while let Some(message) = self.inbox.recv().await {
            self.outbox.send((self.body)(message)).await?;
        }
        Ok(())
    }
}

/// A component that sends what a closure makes of a message, if it makes something of it.
pub fn filter_map<I, O, F>(change: F) -> FilterMap<I, O, F>
where
    I: Send + 'static,
    O: Send + 'static,
    F: FnMut(I) -> Option<O> + Send + 'static,
{
    FilterMap {
        name: "FilterMap",
        inbox: Inbox::new(),
        outbox: Outbox::new(),
        body: change,
    }
}

/// A component that sends on the messages that a closure likes.
pub fn filter<T, F>(mut likes: F) -> FilterMap<T, T, impl FnMut(T) -> Option<T> + Send + 'static>
where
    T: Send + 'static,
    F: FnMut(&T) -> bool + Send + 'static,
{
    FilterMap {
        name: "Filter",
        inbox: Inbox::new(),
        outbox: Outbox::new(),
        body: move |message| likes(&message).then_some(message),
    }
}

/// A component of a closure; made by [`filter_map`] and [`filter`].
pub struct FilterMap<I: Send + 'static, O: Send + 'static, F> {
    name: &'static str,
    inbox: Inbox<I>,
    outbox: Outbox<O>,
    body: F,
}

impl<I: Send + 'static, O: Send + 'static, F: FnMut(I) -> Option<O> + Send + 'static> Component for FilterMap<I, O, F> {
    async fn main(mut self, _: Context) -> Outcome {
        while let Some(message) = self.inbox.recv().await {
            if let Some(change) = (self.body)(message) {
                self.outbox.send(change).await?;
            }
        }
        Ok(())
    }
}

/// What all these have in common: an `inbox` and an `outbox`.
macro_rules! transforming {
    ($($name:ident)*) => {$(
        impl<I: Send + 'static, O: Send + 'static, F> Boxes for $name<I, O, F> {
            fn boxes(&self, list: &mut BoxList) {
                list.inbox("inbox", "What comes in.", &self.inbox);
                list.outbox("outbox", "What goes out.", &self.outbox);
            }

            fn name(&self) -> Cow<'static, str> {
                self.name.into()
            }
        }

        impl<I: Send + 'static, O: Send + 'static, F> HasInbox for $name<I, O, F> {
            type In = I;

            fn inbox(&self) -> &Inbox<I> {
                &self.inbox
            }
        }

        impl<I: Send + 'static, O: Send + 'static, F> HasOutbox for $name<I, O, F> {
            type Out = O;

            fn outbox(&self) -> &Outbox<O> {
                &self.outbox
            }
        }

        impl<I: Send + 'static, O: Send + 'static, F> fmt::Debug for $name<I, O, F> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(self.name)
                    .field("inbox", &self.inbox)
                    .field("outbox", &self.outbox)
                    .finish_non_exhaustive()
            }
        }
    )*};
}

transforming!(Function Map FilterMap);

/// A component that gives each message to a closure.
pub fn for_each<T: Send + 'static, F: FnMut(T) + Send + 'static>(work: F) -> ForEach<T, F> {
    ForEach {
        inbox: Inbox::new(),
        work,
    }
}

/// A component of a closure; made by [`for_each`].
pub struct ForEach<T: Send + 'static, F> {
    inbox: Inbox<T>,
    work: F,
}

impl<T: Send + 'static, F: FnMut(T) + Send + 'static> Component for ForEach<T, F> {
    async fn main(mut self, _: Context) -> Outcome {
        while let Some(message) = self.inbox.recv().await {
            (self.work)(message);
        }
        Ok(())
    }
}

impl<T: Send + 'static, F> Boxes for ForEach<T, F> {
    fn boxes(&self, list: &mut BoxList) {
        list.inbox("inbox", "What the closure is given.", &self.inbox);
    }
}

impl<T: Send + 'static, F> HasInbox for ForEach<T, F> {
    type In = T;

    fn inbox(&self) -> &Inbox<T> {
        &self.inbox
    }
}

impl<T: Send + 'static, F> fmt::Debug for ForEach<T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ForEach")
            .field("inbox", &self.inbox)
            .finish_non_exhaustive()
    }
}

/// A component that sends what an iterator gives, and then ends. Kamaelia's `DataSource`.
pub fn from_iter<S>(items: S) -> FromIter<S>
where
    S: IntoIterator<Item: Send + 'static> + Send + 'static,
    S::IntoIter: Send,
{
    FromIter {
        outbox: Outbox::new(),
        items,
    }
}

/// A component of an iterator; made by [`from_iter`].
pub struct FromIter<S: IntoIterator<Item: Send + 'static>> {
    outbox: Outbox<S::Item>,
    items: S,
}

/// Messages sent at a time: most of what batches can win.
const BATCH: usize = 64;

impl<S> Component for FromIter<S>
where
    S: IntoIterator<Item: Send + 'static> + Send + 'static,
    S::IntoIter: Send,
{
    async fn main(mut self, context: Context) -> Outcome {
        let mut items = self.items.into_iter();
        let mut batch = VecDeque::new();
        while !context.is_stopped() {
            batch.extend(items.by_ref().take(BATCH));
            if batch.is_empty() {
                break;
            }
            self.outbox.send_all(&mut batch).await?;
        }
        Ok(())
    }
}

impl<S: IntoIterator<Item: Send + 'static>> Boxes for FromIter<S> {
    fn boxes(&self, list: &mut BoxList) {
        list.outbox("outbox", "What the iterator gives.", &self.outbox);
    }
}

impl<S: IntoIterator<Item: Send + 'static>> HasOutbox for FromIter<S> {
    type Out = S::Item;

    fn outbox(&self) -> &Outbox<S::Item> {
        &self.outbox
    }
}

impl<S: IntoIterator<Item: Send + 'static>> fmt::Debug for FromIter<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FromIter")
            .field("outbox", &self.outbox)
            .finish_non_exhaustive()
    }
}
