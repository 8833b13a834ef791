//! The terminal.

use std::borrow::Cow;
use std::fmt;
use std::io::{self, BufRead, Read, Write};

use crate::component::{BoxList, Boxes, Component, HasInbox, HasOutbox, Outcome};
use crate::{Context, Inbox, Outbox, threaded};

/// The longest line that is read: what is longer comes in parts.
const LONGEST: u64 = 64 * 1024;

type Source = Box<dyn BufRead + Send>;
type Target = Box<dyn Write + Send>;

/// Sends the lines that are typed, with an ending, after a prompt each. Ends at the end of the input.
///
/// It reads in a thread, which a line that nobody types holds: told to end at once, the component ends after that line.
pub struct ConsoleReader {
    prompt: String,
    ending: String,
    source: Source,
    target: Target,
    outbox: Outbox<String>,
}

impl Default for ConsoleReader {
    fn default() -> Self {
        Self::new()
    }
}

impl ConsoleReader {
    /// Reads the standard input; the prompt is `>>> `, and each line ends with LF.
    pub fn new() -> Self {
        Self {
            prompt: ">>> ".into(),
            ending: "\n".into(),
            source: Box::new(io::BufReader::new(io::stdin())),
            target: Box::new(io::stdout()),
            outbox: Outbox::new(),
        }
    }

    /// Sets the prompt. Default: `>>> `.
    #[must_use]
    pub fn prompt(mut self, text: impl Into<String>) -> Self {
        self.prompt = text.into();
        self
    }

    /// Sets what is added to each line. Default: LF.
    #[must_use]
    pub fn ending(mut self, text: impl Into<String>) -> Self {
        self.ending = text.into();
        self
    }

    /// Reads something else, and prompts elsewhere.
    #[must_use]
    pub fn on(mut self, source: impl BufRead + Send + 'static, target: impl Write + Send + 'static) -> Self {
        self.source = Box::new(source);
        self.target = Box::new(target);
        self
    }
}

impl Component for ConsoleReader {
    async fn main(self, context: Context) -> Outcome {
        let Self {
            prompt,
            ending,
            mut source,
            mut target,
            outbox,
        } = self;
        let lines = threaded(
            "ConsoleLines",
            move |_: Inbox<()>, mut lines: Outbox<String>, context: Context| {
                while !context.is_finishing() {
                    write!(target, "{prompt}")?;
                    target.flush()?;
                    let mut line = Vec::new();
                    if source.by_ref().take(LONGEST).read_until(b'\n', &mut line)? == 0 {
                        break;
                    }
                    let text = String::from_utf8_lossy(&line);
                    let text = text.strip_suffix('\n').unwrap_or(&text);
                    let text = text.strip_suffix('\r').unwrap_or(text);
                    lines.send_blocking(format!("{text}{ending}"))?;
                }
                Ok(())
            },
        );
        crate::link(lines.outbox(), &outbox)?;
        let child = context.spawn(lines)?;
        let told = async {
            context.finishing().await;
            child.stop();
            child.clone().await
        };
        let end = crate::first(child.clone().into_future(), told).await;
        match end.reason.failure() {
            Some(failure) => Err(failure.clone()),
            None => Ok(()),
        }
    }
}

impl Boxes for ConsoleReader {
    fn boxes(&self, list: &mut BoxList) {
        list.outbox("outbox", "Lines that were typed.", &self.outbox);
    }

    fn name(&self) -> Cow<'static, str> {
        "ConsoleReader".into()
    }
}

impl HasOutbox for ConsoleReader {
    type Out = String;

    fn outbox(&self) -> &Outbox<String> {
        &self.outbox
    }
}

impl fmt::Debug for ConsoleReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConsoleReader")
            .field("prompt", &self.prompt)
            .finish_non_exhaustive()
    }
}

/// Writes what it gets to the standard output, after a tag each; a forwarder sends it on.
pub struct ConsoleEchoer<T: Send + 'static> {
    tag: String,
    forward: bool,
    write: fn(&T, &mut dyn Write) -> io::Result<()>,
    target: Target,
    inbox: Inbox<T>,
    outbox: Outbox<T>,
}

impl<T: fmt::Display + Send + 'static> Default for ConsoleEchoer<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Send + 'static> ConsoleEchoer<T> {
    /// Writes messages as they are displayed, without adding an end of line.
    pub fn new() -> Self
    where
        T: fmt::Display,
    {
        Self::with(|message, target| write!(target, "{message}"))
    }

    /// Writes messages as they are debugged: Kamaelia's `use_repr`.
    pub fn debug() -> Self
    where
        T: fmt::Debug,
    {
        Self::with(|message, target| write!(target, "{message:?}"))
    }

    fn with(write: fn(&T, &mut dyn Write) -> io::Result<()>) -> Self {
        Self {
            tag: String::new(),
            forward: false,
            write,
            target: Box::new(io::stdout()),
            inbox: Inbox::new(),
            outbox: Outbox::new(),
        }
    }

    /// Sends everything by `outbox` too.
    #[must_use]
    pub fn forwarder(mut self) -> Self {
        self.forward = true;
        self
    }

    /// Sets what is written before each message. Default: nothing.
    #[must_use]
    pub fn tag(mut self, tag: impl Into<String>) -> Self {
        self.tag = tag.into();
        self
    }

    /// Writes to something else.
    #[must_use]
    pub fn on(mut self, target: impl Write + Send + 'static) -> Self {
        self.target = Box::new(target);
        self
    }
}

impl<T: Send + 'static> Component for ConsoleEchoer<T> {
    async fn main(mut self, _: Context) -> Outcome {
        while let Some(message) = self.inbox.recv().await {
            let target = self.target.as_mut();
            target.write_all(self.tag.as_bytes())?;
            (self.write)(&message, target)?;
            if self.inbox.is_empty() {
                target.flush()?;
            }
            if self.forward {
                self.outbox.send(message).await?;
            }
        }
        self.target.flush()?;
        Ok(())
    }
}

impl<T: Send + 'static> Boxes for ConsoleEchoer<T> {
    fn boxes(&self, list: &mut BoxList) {
        list.inbox("inbox", "What is written.", &self.inbox);
        list.outbox("outbox", "The same, from a forwarder.", &self.outbox);
    }

    fn name(&self) -> Cow<'static, str> {
        "ConsoleEchoer".into()
    }
}

impl<T: Send + 'static> HasInbox for ConsoleEchoer<T> {
    type In = T;

    fn inbox(&self) -> &Inbox<T> {
        &self.inbox
    }
}

impl<T: Send + 'static> HasOutbox for ConsoleEchoer<T> {
    type Out = T;

    fn outbox(&self) -> &Outbox<T> {
        &self.outbox
    }
}

impl<T: Send + 'static> fmt::Debug for ConsoleEchoer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConsoleEchoer")
            .field("tag", &self.tag)
            .finish_non_exhaustive()
    }
}
