//! Components that copy, gather and cut.

use bytes::{Bytes, BytesMut};

use crate::component::{Component, Outcome};
use crate::{Boxes, Context, Inbox, Outbox};

/// Copies what comes to `outbox` and `outbox2`, and its end to `signal` and `signal2`.
#[derive(Boxes, Debug)]
pub struct TwoWaySplitter<T: Clone + Send + 'static> {
    /// What is copied.
    inbox: Inbox<T>,
    /// A copy.
    outbox: Outbox<T>,
    /// Another copy.
    outbox2: Outbox<T>,
    /// How it ended, again.
    signal2: Outbox<crate::Signal>,
}

impl<T: Clone + Send + 'static> Default for TwoWaySplitter<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Clone + Send + 'static> TwoWaySplitter<T> {
    /// One for messages of this type.
    pub fn new() -> Self {
        Self {
            inbox: Inbox::new(),
            outbox: Outbox::new(),
            outbox2: Outbox::new(),
            signal2: Outbox::new(),
        }
    }
}

impl<T: Clone + Send + 'static> Component for TwoWaySplitter<T> {
    async fn main(mut self, context: Context) -> Outcome {
        while let Some(message) = self.inbox.recv().await {
            self.outbox.send(message.clone()).await?;
            self.outbox2.send(message).await?;
        }
        let signal = match context.heard() {
            Some(signal) if signal.is_shutdown() => signal,
            _ => crate::Signal::finished_by(context.name().clone()),
        };
        self.signal2.send(signal).await?;
        Ok(())
    }
}

/// Sends one list of everything that came, when it is told that the producer has finished.
///
/// It keeps what it gets: what comes should end, and fit into memory.
#[derive(Boxes, Debug)]
pub struct Collate<T: Send + 'static> {
    /// What is gathered.
    inbox: Inbox<T>,
    /// One list.
    outbox: Outbox<Vec<T>>,
}

impl<T: Send + 'static> Default for Collate<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Send + 'static> Collate<T> {
    /// One for messages of this type.
    pub fn new() -> Self {
        Self {
            inbox: Inbox::new(),
            outbox: Outbox::new(),
        }
    }
}

impl<T: Send + 'static> Component for Collate<T> {
    async fn main(mut self, _: Context) -> Outcome {
        let mut all = Vec::new();
        while let Some(message) = self.inbox.recv().await {
            all.push(message);
        }
        self.outbox.send(all).await?;
        Ok(())
    }
}

/// Cuts text into lines at LF, without it, whatever pieces it comes in. What follows the last LF is sent at the end; a line
/// longer than 1 MiB comes in parts.
#[derive(Boxes, Debug, Default)]
pub struct LineSplit {
    /// Text.
    inbox: Inbox<String>,
    /// Lines.
    outbox: Outbox<String>,
}

/// The longest line that is kept.
const LONGEST: usize = 1024 * 1024;

impl LineSplit {
    /// One of them.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Component for LineSplit {
    async fn main(mut self, _: Context) -> Outcome {
        let mut rest = String::new();
        while let Some(text) = self.inbox.recv().await {
            let mut pieces = text.split('\n');
            rest.push_str(pieces.next().unwrap_or_default());
            for piece in pieces {
                self.outbox.send(std::mem::replace(&mut rest, piece.to_owned())).await?;
            }
            if rest.len() > LONGEST {
                self.outbox.send(std::mem::take(&mut rest)).await?;
            }
        }
        if !rest.is_empty() {
            self.outbox.send(rest).await?;
        }
        Ok(())
    }
}

/// Cuts bytes into chunks of one size, whatever pieces they come in. The rest is sent at the end.
#[derive(Boxes, Debug)]
pub struct Chunkifier {
    /// Bytes.
    inbox: Inbox<Bytes>,
    /// Chunks.
    outbox: Outbox<Bytes>,
    size: usize,
    at_once: bool,
}

impl Default for Chunkifier {
    fn default() -> Self {
        Self::new(1024 * 1024)
    }
}

impl Chunkifier {
    /// Chunks of so many bytes; 0 counts as 1. Default: 1 MiB.
    pub fn new(size: usize) -> Self {
        Self {
            inbox: Inbox::new(),
            outbox: Outbox::new(),
            size: size.max(1),
            at_once: false,
        }
    }

    /// Sends what there is when nothing more waits, however little: Kamaelia's `nodelay`.
    #[must_use]
    pub fn without_delay(mut self) -> Self {
        self.at_once = true;
        self
    }
}

impl Component for Chunkifier {
    async fn main(mut self, _: Context) -> Outcome {
        let mut rest = BytesMut::new();
        while let Some(bytes) = self.inbox.recv().await {
            rest.extend_from_slice(&bytes);
            while rest.len() >= self.size {
                self.outbox.send(rest.split_to(self.size).freeze()).await?;
            }
            if self.at_once && self.inbox.is_empty() && !rest.is_empty() {
                self.outbox.send(rest.split().freeze()).await?;
            }
        }
        if !rest.is_empty() {
            self.outbox.send(rest.freeze()).await?;
        }
        Ok(())
    }
}
