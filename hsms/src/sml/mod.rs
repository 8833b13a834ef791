//! SML: items and messages as people write and read them.
//!
//! SML has no standard, but dialects. All common ones are read (see [`Parser`]); one form is written, which all of them
//! read:
//!
//! ```
//! use hsms::sml;
//!
//! let messages = sml::parse("S1F13 W <L <A 'MDLN'> <U4 7>>.  AreYouThere: 'S1F1' [W] .")?;
//! assert_eq!(
//!     messages[0].to_string(),
//!     r#"S1F13 W
//! <L [2]
//!   <A "MDLN">
//!   <U4 7>
//! >."#
//! );
//! assert_eq!((messages[1].about.to_string(), messages[1].w), ("S1F1".into(), true));
//!
//! let error = sml::parse("S1F13 W\n<L <U1 300>>.").unwrap_err();
//! assert_eq!(error.to_string(), "line 2, column 8: `300` is out of the range of U1");
//! # Ok::<(), sml::ParseError>(())
//! ```
//!
//! # What is read
//! ```text
//! message := [name ':'] S1F1 [W | [W]] [H->E | H<-E | H<->E] [name] [item] '.'      S1F1 also in quotes
//! item    := '<' type ['[' size ']'] value* '>'                                     the size is a hint
//! type    := L B BOOLEAN A J W I1 I2 I4 I8 U1 U2 U4 U8 F4 F8                        and their longer names
//! value   := item | number | T F TRUE FALSE | string
//! number  := decimal, 0x…, 0o…, 0b…; F also 1.5 2e-3 inf NaN
//! string  := "…" or '…', and bytes as numbers: <A "line" 0x0A 'next'>
//! ```
//! Capitals do not matter in types, `//` and `/* */` are comments. A localized text, `W`, begins with the number of its
//! encoding: `<W 2 "…">`; without one it is UTF-8. What can't stand in quotes in every dialect (quotes, backslashes,
//! control characters, all but ASCII) is written as bytes.

mod parse;
mod print;
mod scan;
mod value;

use std::fmt;
use std::str::FromStr;

pub use parse::Parser;
pub(crate) use print::{write_line, write_lines};

use crate::item::Item;
use crate::{Header, Message, StreamFunction};

/// Reads all messages of a text.
///
/// # Errors
/// The first thing that is wrong, with its place.
pub fn parse(text: &str) -> Result<Vec<SmlMessage>, ParseError> {
    Parser::default().messages(text)
}

/// A data message as SML has it: without session id and system bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SmlMessage {
    /// What it is called. A name for people: it is not sent.
    pub name: Option<String>,
    /// Stream and function.
    pub about: StreamFunction,
    /// Whether it asks for a reply.
    pub w: bool,
    /// Who sends it, if the text says so. It is not sent.
    pub direction: Option<Direction>,
    /// Its item; `None` for a message that is a header only.
    pub item: Option<Item>,
}

impl SmlMessage {
    /// A message without a name.
    #[must_use]
    pub fn new(about: StreamFunction, w: bool, item: Option<Item>) -> Self {
        Self {
            name: None,
            about,
            w,
            direction: None,
            item,
        }
    }

    /// As a message that can be sent.
    #[must_use]
    pub fn to_message(&self, session_id: u16, system: u32) -> Message {
        let header = Header::data(session_id, self.about, self.w, system);
        let text = self.item.clone().map(Item::into_bytes).unwrap_or_default();
        Message::new(header, text)
    }
}

impl fmt::Display for SmlMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(name) = &self.name {
            write!(f, "{name}: ")?;
        }
        write!(f, "{}{}", self.about, if self.w { " W" } else { "" })?;
        if let Some(direction) = self.direction {
            write!(f, " {direction}")?;
        }
        if let Some(item) = &self.item {
            f.write_str("\n")?;
            write_lines(item.view(), f)?;
        }
        f.write_str(".")
    }
}

impl FromStr for SmlMessage {
    type Err = ParseError;

    /// Reads a text that is one message.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let mut messages = parse(text)?.into_iter();
        match (messages.next(), messages.len()) {
            (Some(message), 0) => Ok(message),
            (None, _) => Err(ParseError::new(text, text.len(), "no message in the text".into())),
            (Some(_), more) => Err(ParseError::new(text, text.len(), format!("{more} messages too many"))),
        }
    }
}

impl FromStr for Item {
    type Err = ParseError;

    /// Reads SML.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        Parser::default().item(text)
    }
}

/// Who sends a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// `H->E`
    HostToEquipment,
    /// `H<-E`
    EquipmentToHost,
    /// `H<->E`
    Both,
}

/// A text that is no SML.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    line: usize,
    column: usize,
    offset: usize,
    what: String,
}

impl ParseError {
    #[cold]
    fn new(text: &str, offset: usize, what: String) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line = before.rsplit('\n').next().unwrap_or_default();
        Self {
            line: before.matches('\n').count() + 1,
            column: line.chars().count() + 1,
            offset,
            what,
        }
    }

    /// The line, from 1.
    #[must_use]
    pub fn line(&self) -> usize {
        self.line
    }

    /// The character in the line, from 1.
    #[must_use]
    pub fn column(&self) -> usize {
        self.column
    }

    /// The byte in the text, from 0.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// What is wrong there, without the place.
    #[must_use]
    pub fn what(&self) -> &str {
        &self.what
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column, self.what)
    }
}

impl std::error::Error for ParseError {}

/// As much of a word as an error should show.
fn short(word: &str) -> &str {
    match word.char_indices().nth(40) {
        Some((end, _)) => word.get(..end).unwrap_or(word),
        None => word,
    }
}
