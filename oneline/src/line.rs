//! The protocol without I/O: bytes become lines, and a line has a meaning.

use net_core::framing::{Decoded, FrameFault, Framing, Line, LineState, Terminator};
use net_core::{Error, ErrorKind, Operation};

use crate::{Charset, Command};

/// The answer to `ping`.
pub(crate) const PONG: &[u8] = b"pong";
/// The most bytes of a reply, unless set otherwise.
pub(crate) const MAX_REPLY: usize = 1 << 20;

/// What a line from a client means.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Meaning<'a> {
    /// `ping`: answered with `pong`.
    Ping,
    /// `disconnect`: the client leaves.
    Disconnect,
    /// `shutdown`: the server ends.
    Shutdown,
    /// Anything else, an invalid line too: the handler answers.
    Command(Command<'a>),
    /// A line over the limit; its content is lost.
    TooLong {
        /// The limit, in bytes.
        limit: usize,
        /// How long it was, in bytes.
        length: usize,
    },
}

/// The rules by which a line gets its [`Meaning`].
///
/// Built-in commands are matched exactly: case counts, and so does each space. A line that is invalid in its character
/// set never is one.
///
/// ```
/// use oneline::{Meaning, Protocol};
///
/// let protocol = Protocol::default();
/// assert_eq!(protocol.meaning(b"ping"), Meaning::Ping);
/// let Meaning::Command(command) = protocol.meaning(b"ping ") else { panic!() };
/// assert_eq!(command.text(), "ping ");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Protocol {
    /// How bytes become text. Default: [`Charset::Utf8`].
    pub charset: Charset,
    /// Whether `shutdown` is a built-in command; otherwise it goes to the handler. Default: true.
    pub shutdown: bool,
}

impl Default for Protocol {
    fn default() -> Self {
        Self {
            charset: Charset::default(),
            shutdown: true,
        }
    }
}

impl Protocol {
    /// Sets how bytes become text.
    #[must_use]
    pub fn charset(mut self, charset: Charset) -> Self {
        self.charset = charset;
        self
    }

    /// Sets whether `shutdown` is a built-in command.
    #[must_use]
    pub fn shutdown(mut self, built_in: bool) -> Self {
        self.shutdown = built_in;
        self
    }

    /// What a line means; it comes without its terminator.
    #[inline]
    pub fn meaning<'a>(&self, line: &'a [u8]) -> Meaning<'a> {
        // All built-ins are ASCII, so bytes that equal one are valid in each character set.
        match line {
            b"ping" => Meaning::Ping,
            b"disconnect" => Meaning::Disconnect,
            b"shutdown" if self.shutdown => Meaning::Shutdown,
            _ => Meaning::Command(self.command(line)),
        }
    }

    /// The same for a driver that makes the [`Command`] only where it is used: moving it there costs more than making it.
    #[inline]
    pub(crate) fn is_command(&self, line: &[u8]) -> bool {
        match line {
            b"ping" | b"disconnect" => false,
            b"shutdown" => !self.shutdown,
            _ => true,
        }
    }

    #[inline]
    pub(crate) fn command<'a>(&self, line: &'a [u8]) -> Command<'a> {
        let (text, invalid) = self.charset.decode(line);
        Command::new(line, text, invalid)
    }

    pub(crate) fn meaning_of<'a>(&self, line: &'a [u8], fault: Option<FrameFault>) -> Meaning<'a> {
        match fault {
            None => self.meaning(line),
            Some(FrameFault::TooLong { limit, length }) => Meaning::TooLong { limit, length },
            // The framing has no other fault today; a line whose content is gone is never run.
            Some(_) => Meaning::TooLong { limit: 0, length: 0 },
        }
    }
}

/// Cuts bytes into lines and tells what they mean; for loops of one's own, and for tests.
///
/// ```
/// use oneline::{Decoder, Meaning};
///
/// let mut decoder = Decoder::default();
/// decoder.feed(b"ping\r\nshut");
/// assert_eq!(decoder.next_meaning(), Some(Meaning::Ping));
/// assert_eq!(decoder.next_meaning(), None); // an unfinished line means nothing yet
/// assert!(!decoder.is_at_boundary());
/// ```
#[derive(Clone, Debug)]
pub struct Decoder {
    protocol: Protocol,
    framing: Wire,
    state: LineState,
    buffer: Vec<u8>,
    head: usize,
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new(Protocol::default(), Line::default())
    }
}

impl Decoder {
    /// A decoder with these rules, for lines of this kind.
    pub fn new(protocol: Protocol, line: Line) -> Self {
        Self {
            protocol,
            framing: Wire::new(line),
            state: LineState::default(),
            buffer: Vec::new(),
            head: 0,
        }
    }

    /// Takes bytes as they come.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.buffer.drain(..self.head);
        self.head = 0;
        self.buffer.extend_from_slice(bytes);
    }

    /// The meaning of the next whole line; `None` if more bytes are needed.
    pub fn next_meaning(&mut self) -> Option<Meaning<'_>> {
        loop {
            let unread = self.buffer.get(self.head..).unwrap_or_default();
            match self.framing.decode(&mut self.state, unread) {
                Ok(Decoded::Frame(located)) => {
                    let content = self.head + located.content.start..self.head + located.content.end;
                    self.head += located.consumed;
                    let line = self.buffer.get(content).unwrap_or_default();
                    return Some(self.protocol.meaning_of(line, None));
                }
                Ok(Decoded::Fault { fault, consumed }) => {
                    self.head += consumed;
                    return Some(self.protocol.meaning_of(&[], Some(fault)));
                }
                Ok(Decoded::Discard(n)) if n > 0 => self.head += n,
                _ => return None,
            }
        }
    }

    /// Whether the bytes end with a whole line. If the stream ends elsewhere, the rest is dropped, never run.
    pub fn is_at_boundary(&self) -> bool {
        let unread = self.buffer.get(self.head..).unwrap_or_default();
        self.framing.at_boundary(&self.state, unread)
    }
}

/// Lines both ways: limits of their own for what comes and for what goes.
///
/// What goes is not searched for control characters here: [`check`] does that, unless the caller wants them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wire {
    pub(crate) input: Line,
    pub(crate) max_reply: usize,
}

impl Wire {
    pub(crate) fn new(input: Line) -> Self {
        Self {
            input,
            max_reply: MAX_REPLY,
        }
    }
}

impl Framing for Wire {
    type State = LineState;
    const TELLS_LENGTH: bool = false;

    #[inline]
    fn decode(&self, state: &mut LineState, unread: &[u8]) -> Result<Decoded, Error> {
        self.input.decode(state, unread)
    }

    #[inline]
    fn at_boundary(&self, state: &LineState, unread: &[u8]) -> bool {
        self.input.at_boundary(state, unread)
    }

    #[inline]
    fn encode(&self, content: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
        if content.len() > self.max_reply {
            return Err(Error::new(ErrorKind::FrameTooLong, Operation::Write).detail(format!(
                "a line of {} bytes to send, the limit is {}",
                content.len(),
                self.max_reply
            )));
        }
        out.extend_from_slice(content);
        match self.input.terminator {
            Terminator::CrLf => out.extend_from_slice(b"\r\n"),
            _ => out.push(b'\n'),
        }
        Ok(())
    }
}

/// Refuses what would make other lines out of one.
///
/// Most lines are short and have no byte below 16 at all, which is quicker to see than what exactly is there.
#[inline]
pub(crate) fn check(line: &[u8]) -> Result<(), Error> {
    if line.len() <= 64 && line.iter().fold(u8::MAX, |least, byte| least.min(*byte)) >= 16 {
        return Ok(());
    }
    search(line)
}

fn search(line: &[u8]) -> Result<(), Error> {
    match memchr::memchr3(b'\n', b'\r', 0, line) {
        None => Ok(()),
        Some(at) => Err(control(line, at)),
    }
}

#[cold]
fn control(line: &[u8], at: usize) -> Error {
    let name = match line.get(at) {
        Some(b'\n') => "LF",
        Some(b'\r') => "CR",
        _ => "NUL",
    };
    Error::new(ErrorKind::BadFrame, Operation::Write).detail(format!(
        "a line must not contain {name} (at byte {at}): it would make another line; only a raw call sends it"
    ))
}
