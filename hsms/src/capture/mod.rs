//! HSMS from recordings: hex dumps, raw bytes, and captures of tcpdump, Wireshark and the simulated network, to
//! messages, and to SML.
//!
//! ```
//! use hsms::capture::Decoder;
//!
//! let mut found = Vec::new();
//! Decoder::default().decode(b"0000000e 0000 8101 0000 00000007 4102 4f4b", &mut |record| found.push(record.to_string()))?;
//! assert_eq!(
//!     found,
//!     ["// header: {session_id:0x0000, stream:01, function:01, p_type:0x00, s_type:0x00, system:0x00000007, \
//!       require_response:1}\nS1F1 W\n<A \"OK\">."]
//! );
//! # Ok::<(), hsms::capture::CaptureError>(())
//! ```

mod file;
mod hex;
mod packet;
mod stream;

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use crate::item::{Item, Limits};
use crate::sml::SmlMessage;
use crate::{Message, SType, frame};

/// What a recording is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Form {
    /// Looks for itself: the magic number of captures; text of hex digits; else bytes.
    #[default]
    Auto,
    /// Hex digits, with or without blanks, `0x`, offsets before and characters behind them, `//` and `#` comments.
    Hex,
    /// The bytes of one direction of a connection, or of one item.
    Binary,
    /// A pcap or pcapng file.
    Capture,
}

/// Finds the messages of a recording. Set what differs from the defaults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Decoder {
    /// What the recording is. Default: looks for itself.
    pub form: Form,
    /// Of a capture, only connections from or to this port. Default: all that begin like HSMS.
    pub port: Option<u16>,
    /// The longest text of a message, in bytes. Default: [`frame::MAX_TEXT`].
    pub max_text: usize,
    /// What items may be.
    pub limits: Limits,
}

impl Default for Decoder {
    fn default() -> Self {
        Self {
            form: Form::Auto,
            port: None,
            max_text: frame::MAX_TEXT,
            limits: Limits::default(),
        }
    }
}

impl Decoder {
    /// Sets what the recording is.
    #[must_use]
    pub fn form(mut self, form: Form) -> Self {
        self.form = form;
        self
    }

    /// Takes only connections from or to this port.
    #[must_use]
    pub fn port(mut self, port: u16) -> Self {
        self.port = Some(port);
        self
    }

    /// Sets the longest text of a message, in bytes.
    #[must_use]
    pub fn max_text(mut self, bytes: usize) -> Self {
        self.max_text = bytes;
        self
    }

    /// Calls `found` with each message, and with each thing that is wrong, in the order of the recording.
    ///
    /// What is wrong inside a recording does not end it; what can be read, is.
    ///
    /// # Errors
    /// If it is no recording of this form at all.
    pub fn decode(&self, recording: &[u8], found: &mut dyn FnMut(Record)) -> Result<Summary, CaptureError> {
        let mut summary = Summary::default();
        let mut count = |record: Record| {
            match &record.content {
                Content::Message(_) | Content::Item(_) => summary.messages += 1,
                Content::Fault(_) => summary.faults += 1,
            }
            found(record);
        };
        match self.form {
            Form::Capture => file::decode(self, recording, &mut count)?,
            Form::Auto if file::is_capture(recording) => file::decode(self, recording, &mut count)?,
            Form::Hex => self.bytes(&hex::decode(recording)?, &mut count),
            Form::Auto if hex::is_hex(recording) => self.bytes(&hex::decode(recording)?, &mut count),
            Form::Binary | Form::Auto => self.bytes(recording, &mut count),
        }
        Ok(summary)
    }

    /// One direction of a connection; or one item, which can't be mistaken for a frame below 16 MiB: that begins with 0.
    fn bytes(&self, bytes: &[u8], found: &mut dyn FnMut(Record)) {
        if let Ok(item) = Item::parse_with(bytes.to_vec(), self.limits) {
            return found(Record::of(Content::Item(item)));
        }
        let mut stream = stream::Stream::new(self.max_text);
        stream.push(bytes, &mut |content| found(Record::of(content)));
        stream.end(&mut |content| found(Record::of(content)));
    }
}

/// What was found at one place of a recording. Its text is SML, with comments for all that SML can't say.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Record {
    /// When the last byte came, since 1970, if the recording says so.
    pub time: Option<Duration>,
    /// From whom to whom, if the recording says so.
    pub ends: Option<(SocketAddr, SocketAddr)>,
    /// What.
    pub content: Content,
}

impl Record {
    fn of(content: Content) -> Self {
        Self {
            time: None,
            ends: None,
            content,
        }
    }
}

/// What a [`Record`] holds.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Content {
    /// A message.
    Message(Message),
    /// An item alone.
    Item(Item),
    /// Something is wrong, or missing.
    Fault(String),
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !matches!(self.content, Content::Item(_)) {
            f.write_str("// ")?;
        }
        if let Some(time) = self.time {
            write!(f, "{}.{:06} ", time.as_secs(), time.subsec_micros())?;
        }
        if let Some((from, to)) = self.ends {
            write!(f, "{from} > {to} ")?;
        }
        match &self.content {
            Content::Item(item) => crate::sml::write_lines(item.view(), f),
            Content::Fault(what) => write!(f, "fault: {what}"),
            Content::Message(message) => write_message(message, f),
        }
    }
}

fn write_message(message: &Message, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let header = &message.header;
    let text = message.text.len();
    match header.s_type() {
        SType::Data if header.p_type() == 0 => {
            write!(f, "header: {header}")?;
            match message.item() {
                Ok(item) => write!(f, "\n{}", SmlMessage::new(header.stream_function(), header.w(), item)),
                Err(error) => write!(f, "\n// fault: the text of {text} bytes is no item: {error}"),
            }
        }
        SType::Data => write!(f, "header: {header}, text: {text} bytes of PType {}", header.p_type()),
        control if text == 0 => write!(f, "{control} header: {header}"),
        control => write!(f, "{control} header: {header}, text: {text} bytes"),
    }
}

/// What a whole recording came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Summary {
    /// Messages and items.
    pub messages: u64,
    /// Things that are wrong, or missing.
    pub faults: u64,
}

/// A recording that can't be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaptureError(String);

impl fmt::Display for CaptureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for CaptureError {}
