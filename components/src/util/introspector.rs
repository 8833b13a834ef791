//! A component that tells how the graph changes.

use std::time::Duration;

use crate::component::{Component, Outcome};
use crate::{Boxes, Context, Outbox, Snapshot};

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
