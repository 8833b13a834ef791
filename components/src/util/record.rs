//! What passes a place in a graph, kept with its times, and sent again.

use std::io::{self, BufRead, Read, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;

use crate::component::{Component, Outcome};
use crate::lock::lock;
use crate::{Boxes, Context, Inbox, Outbox};

/// Messages that a recorder keeps, if nobody says otherwise.
const LIMIT: usize = 100_000;

/// The longest message in a file.
const LONGEST: usize = 64 << 20;

/// Messages, and how long after the beginning each of them came.
///
/// One of [`Bytes`] can be [written](Self::write) to a file and [read](Self::read) from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recording<T> {
    messages: Vec<(Duration, T)>,
    missed: u64,
}

impl<T> Default for Recording<T> {
    fn default() -> Self {
        Self {
            messages: Vec::new(),
            missed: 0,
        }
    }
}

impl<T> Recording<T> {
    /// One made by hand: messages, in order, with the time of each since the beginning.
    pub fn new(messages: impl IntoIterator<Item = (Duration, T)>) -> Self {
        Self {
            messages: messages.into_iter().collect(),
            missed: 0,
        }
    }

    /// The messages, with the time of each since the beginning.
    pub fn messages(&self) -> &[(Duration, T)] {
        &self.messages
    }

    /// Messages that came when the recording was full.
    pub fn missed(&self) -> u64 {
        self.missed
    }
}

impl Recording<Bytes> {
    /// Writes it: for each message a line with its time in nanoseconds and its length, the bytes, and a line feed.
    ///
    /// # Errors
    /// Those of the target; [`InvalidInput`](io::ErrorKind::InvalidInput), before anything is written, if a message has more
    /// than 64 MiB.
    pub fn write(&self, to: &mut impl Write) -> io::Result<()> {
        for (number, (_, message)) in (1..).zip(&self.messages) {
            if message.len() > LONGEST {
                let text = format!(
                    "message {number} of the recording has {} bytes, in a file it may have {LONGEST}",
                    message.len()
                );
                return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
            }
        }
        for (at, message) in &self.messages {
            writeln!(to, "{} {}", at.as_nanos(), message.len())?;
            to.write_all(message)?;
            to.write_all(b"\n")?;
        }
        to.flush()
    }

    /// Reads what [`write`](Self::write) has written.
    ///
    /// # Errors
    /// Those of the source; [`InvalidData`](io::ErrorKind::InvalidData) if it holds anything else, or a message of more than
    /// 64 MiB; [`UnexpectedEof`](io::ErrorKind::UnexpectedEof) if it ends within a message.
    pub fn read(from: &mut impl BufRead) -> io::Result<Self> {
        let mut messages = Vec::new();
        loop {
            let mut line = String::new();
            // Two numbers are no longer than this.
            if from.by_ref().take(64).read_line(&mut line)? == 0 {
                return Ok(Self::new(messages));
            }
            let (at, length) = head(&line).ok_or_else(|| {
                let number = messages.len() + 1;
                let text =
                    format!("message {number} of the recording begins with {line:?}, not with its time and length");
                io::Error::new(io::ErrorKind::InvalidData, text)
            })?;
            // Room is taken for what is there, not for what the file says.
            let mut message = Vec::new();
            if from.by_ref().take(length as u64 + 1).read_to_end(&mut message)? <= length {
                let text = format!("the recording ends within message {}", messages.len() + 1);
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, text));
            }
            if message.pop() != Some(b'\n') {
                let text = format!("message {} of the recording is longer than it says", messages.len() + 1);
                return Err(io::Error::new(io::ErrorKind::InvalidData, text));
            }
            messages.push((at, message.into()));
        }
    }
}

/// A time in nanoseconds and a length.
fn head(line: &str) -> Option<(Duration, usize)> {
    let (at, length) = line.strip_suffix('\n')?.split_once(' ')?;
    let length = length.parse().ok().filter(|length| *length <= LONGEST)?;
    Some((Duration::from_nanos(at.parse().ok()?), length))
}

/// Passes on what comes, and keeps a copy of it with the time.
///
/// ```
/// use std::time::Duration;
/// use components::util::{Recorder, Replayer};
/// use components::{Net, Pipeline, System, for_each, from_iter};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> net_core::Result<()> {
/// let system = System::new(&Net::os());
/// let recorder = Recorder::new();
/// let tape = recorder.tape();
/// system.activate(Pipeline::new(from_iter(1..=3)).then(recorder).then(for_each(drop)))?.await;
///
/// let recording = tape.take();
/// assert_eq!(recording.messages().len(), 3);
/// let again = Pipeline::new(Replayer::new(recording)).then(for_each(|n| println!("{n}")));
/// assert!(system.activate(again)?.await.reason.is_clean());
/// # Ok(()) }
/// ```
#[derive(Boxes, Debug)]
pub struct Recorder<T: Clone + Send + 'static> {
    /// What comes in.
    inbox: Inbox<T>,
    /// The same.
    outbox: Outbox<T>,
    tape: Tape<T>,
    limit: usize,
}

/// What a [`Recorder`] has recorded. Clones are handles on the same.
#[derive(Clone, Debug)]
pub struct Tape<T>(Arc<Mutex<Recording<T>>>);

impl<T> Tape<T> {
    /// Takes what was recorded; the recorder goes on with an empty recording, whose times count from the same beginning.
    pub fn take(&self) -> Recording<T> {
        std::mem::take(&mut lock(&self.0))
    }
}

impl<T: Clone + Send + 'static> Default for Recorder<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Clone + Send + 'static> Recorder<T> {
    /// One that keeps 100,000 messages.
    pub fn new() -> Self {
        Self {
            inbox: Inbox::new(),
            outbox: Outbox::new(),
            tape: Tape(Arc::default()),
            limit: LIMIT,
        }
    }

    /// Sets how many messages it keeps; those that come later are passed on and [counted](Recording::missed).
    #[must_use]
    pub fn limit(mut self, messages: usize) -> Self {
        self.limit = messages;
        self
    }

    /// What it will have recorded.
    pub fn tape(&self) -> Tape<T> {
        self.tape.clone()
    }
}

impl<T: Clone + Send + 'static> Component for Recorder<T> {
    async fn main(mut self, context: Context) -> Outcome {
        let began = context.net().now();
        while let Some(message) = self.inbox.recv().await {
            {
                let recording = &mut *lock(&self.tape.0);
                if recording.messages.len() < self.limit {
                    recording.messages.push((context.net().now() - began, message.clone()));
                } else {
                    recording.missed += 1;
                }
            }
            self.outbox.send(message).await?;
        }
        Ok(())
    }
}

/// Sends the messages of a recording, each at its time since this component began, and ends.
///
/// Told to end before that, it sends no more.
#[derive(Boxes, Debug)]
pub struct Replayer<T: Send + 'static> {
    /// The messages.
    outbox: Outbox<T>,
    recording: Recording<T>,
    at_once: bool,
}

impl<T: Send + 'static> Replayer<T> {
    /// Replays this recording.
    pub fn new(recording: Recording<T>) -> Self {
        Self {
            outbox: Outbox::new(),
            recording,
            at_once: false,
        }
    }

    /// Sends the messages one after another, without a pause.
    #[must_use]
    pub fn at_once(mut self) -> Self {
        self.at_once = true;
        self
    }
}

impl<T: Send + 'static> Component for Replayer<T> {
    async fn main(mut self, context: Context) -> Outcome {
        let net = context.net().clone();
        let began = net.now();
        for (at, message) in self.recording.messages {
            if !self.at_once {
                let wait = crate::first(net.sleep_until(began + at), context.finishing());
                context.run(wait).await?;
            }
            if context.is_finishing() {
                break;
            }
            self.outbox.send(message).await?;
        }
        Ok(())
    }
}
