//! A component that asks for bytes at a rate.

use std::time::Duration;

use crate::component::{Component, Outcome};
use crate::{Boxes, Context, Delivery, Inbox, Outbox};

/// Asks for bytes at a rate: sends numbers of bytes, one request after another in even steps. In front of a
/// [`PromptedFileReader`](super::PromptedFileReader) it sets the reader's speed.
///
/// No rounding adds up: after any time the sum of what it has asked for is that of the rate, but for one chunk. A new rate
/// at `inbox` counts at once. It ends when who heard it has ended.
#[derive(Boxes, Debug)]
pub struct ByteRateRequestControl {
    /// Another rate, in bytes each second; 0 counts as 1.
    inbox: Inbox<u64>,
    /// How many bytes are asked for.
    outbox: Outbox<usize>,
    rate: u64,
    chunk: Option<usize>,
    aggregate: bool,
}

impl Default for ByteRateRequestControl {
    /// 100 000 bytes each second, as in Kamaelia.
    fn default() -> Self {
        Self::new(100_000)
    }
}

impl ByteRateRequestControl {
    /// So many bytes each second; 0 counts as 1. A request asks for a thousandth of it, or 1.
    pub fn new(bytes_each_second: u64) -> Self {
        Self {
            inbox: Inbox::new(),
            outbox: Outbox::new(),
            rate: bytes_each_second.max(1),
            chunk: None,
            aggregate: false,
        }
    }

    /// Sets how many bytes one request asks for; 0 counts as 1.
    #[must_use]
    pub fn chunk_size(mut self, bytes: usize) -> Self {
        self.chunk = Some(bytes.max(1));
        self
    }

    /// Sets how many requests are made each second: Kamaelia's `chunkrate`.
    #[must_use]
    pub fn chunk_rate(self, each_second: u64) -> Self {
        let bytes = self.rate / each_second.max(1);
        self.chunk_size(usize::try_from(bytes).unwrap_or(usize::MAX))
    }

    /// Asks for several chunks in one request if it is late. Default: a request for each, one after another.
    #[must_use]
    pub fn aggregate(mut self) -> Self {
        self.aggregate = true;
        self
    }
}

impl Component for ByteRateRequestControl {
    async fn main(mut self, context: Context) -> Outcome {
        let mut since = context.net().now();
        // Bytes asked for since then, and what an earlier rate had earned.
        let (mut asked, mut credit) = (0_u128, 0_u128);
        let mut heard = false;
        loop {
            let rate = u128::from(self.rate);
            let chunk = self.chunk.map_or(rate / 1000, |chunk| chunk as u128).max(1);
            let due = since + duration((asked + chunk).saturating_sub(credit) * NANOS / rate);
            let other = async { self.inbox.recv().await.map(Some) };
            let wait = async {
                context.net().sleep_until(due).await;
                Some(None)
            };
            let come = crate::first(other, wait).await;
            let now = context.net().now();
            let earned = (credit + (now - since).as_nanos() * rate / NANOS).saturating_sub(asked);
            match come {
                None => return Ok(()),
                Some(Some(rate)) => {
                    (since, asked, credit) = (now, 0, earned);
                    self.rate = rate.max(1);
                }
                Some(None) => {
                    let chunks = if self.aggregate { (earned / chunk).max(1) } else { 1 };
                    asked += chunks * chunk;
                    let bytes = usize::try_from(chunks * chunk).unwrap_or(usize::MAX);
                    let delivery = self.outbox.send(bytes).await?;
                    if delivery == Delivery::Delivered {
                        heard = true;
                    } else if heard {
                        return Ok(());
                    }
                }
            }
        }
    }
}

const NANOS: u128 = 1_000_000_000;

fn duration(nanos: u128) -> Duration {
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}
