//! Components that tell of the graph that they are in: how it changes, or what runs when they are asked.

use std::sync::Arc;
use std::time::Duration;

use crate::component::{Component, Outcome};
use crate::{Boxes, Context, Inbox, Outbox, Snapshot};

/// The shortest interval.
const LEAST: Duration = Duration::from_millis(1);

/// Looks at the running graph in each interval and tells what has changed since the last time, as the lines of Axon's
/// introspector: first all of it, as [`Snapshot::to_lines`] does, then what [`Snapshot::changes_since`] finds. It is in the
/// graph itself.
///
/// It ends when it is told to. For rates, depths and blocked links look at a [`Snapshot`] itself.
#[derive(Boxes, Debug)]
pub struct Introspector {
    /// Lines, those of one look in one message.
    outbox: Outbox<String>,
    interval: Duration,
}

impl Introspector {
    /// A look in each interval, of 1 ms at least: a shorter one is made that long.
    pub fn new(interval: Duration) -> Self {
        Self {
            outbox: Outbox::new(),
            interval: interval.max(LEAST),
        }
    }
}

impl Component for Introspector {
    async fn main(mut self, context: Context) -> Outcome {
        let mut before: Option<Snapshot> = None;
        while !context.is_finishing() {
            let now = context.system().snapshot();
            let lines = match &before {
                None => now.to_lines(),
                Some(before) => now.changes_since(before),
            };
            before = Some(now);
            if !lines.is_empty() {
                self.outbox.send(lines).await?;
            }
            let wait = crate::first(context.net().sleep(self.interval), context.finishing());
            context.run(wait).await?;
        }
        Ok(())
    }
}

/// Tells what runs whenever it is asked: for each message at `inbox`, whatever it is, the names of all components of the
/// system, itself among them, in the order in which they began. A [`Clock`](super::Clock) may ask it.
///
/// For more than names look at a [`Snapshot`] itself.
#[derive(Boxes, Debug)]
pub struct WakeableIntrospector<T: Send + 'static> {
    /// Asks.
    inbox: Inbox<T>,
    /// The names.
    outbox: Outbox<Vec<Arc<str>>>,
}

impl<T: Send + 'static> Default for WakeableIntrospector<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Send + 'static> WakeableIntrospector<T> {
    /// One that is asked by messages of this type.
    pub fn new() -> Self {
        Self {
            inbox: Inbox::new(),
            outbox: Outbox::new(),
        }
    }
}

impl<T: Send + 'static> Component for WakeableIntrospector<T> {
    async fn main(mut self, context: Context) -> Outcome {
        while self.inbox.recv().await.is_some() {
            self.outbox.send(context.system().running()).await?;
        }
        Ok(())
    }
}
