//! Components that compare and test.

use crate::component::{Component, Outcome};
use crate::{Boxes, Context, Failure, Inbox, Outbox};

/// Compares two streams, message by message: sends whether they are equal.
///
/// Told to end, it compares what has come in pairs. What has no partner is counted as left behind: see
/// [`End`](crate::End).
#[derive(Boxes, Debug)]
pub struct Comparator<T: PartialEq + Send + 'static> {
    /// One stream.
    #[boxes(name = "inA")]
    one: Inbox<T>,
    /// The other.
    #[boxes(name = "inB")]
    other: Inbox<T>,
    /// Whether they are equal.
    outbox: Outbox<bool>,
}

impl<T: PartialEq + Send + 'static> Default for Comparator<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: PartialEq + Send + 'static> Comparator<T> {
    /// One for messages of this type.
    pub fn new() -> Self {
        Self {
            one: Inbox::new(),
            other: Inbox::new(),
            outbox: Outbox::new(),
        }
    }

    /// Where the one stream comes in.
    pub fn in_a(&self) -> &Inbox<T> {
        &self.one
    }

    /// Where the other stream comes in.
    pub fn in_b(&self) -> &Inbox<T> {
        &self.other
    }
}

impl<T: PartialEq + Send + 'static> Component for Comparator<T> {
    async fn main(mut self, _: Context) -> Outcome {
        while let Some(one) = self.one.recv().await {
            let Some(other) = self.other.recv().await else {
                return Err(Failure::new("inA has more messages than inB"));
            };
            self.outbox.send(one == other).await?;
        }
        Ok(())
    }
}

/// Fails at the first `false`, with the number of the message.
#[derive(Boxes, Debug, Default)]
pub struct TestResult {
    /// Whether all is well.
    inbox: Inbox<bool>,
}

impl TestResult {
    /// One of them.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Component for TestResult {
    async fn main(mut self, _: Context) -> Outcome {
        let mut number = 0_u64;
        while let Some(good) = self.inbox.recv().await {
            if !good {
                return Err(Failure::new(format!("result {number} is false")));
            }
            number += 1;
        }
        Ok(())
    }
}
