//! SML to items and messages.

use std::fmt;

use super::scan::{Scanner, Token};
use super::{Direction, ParseError, SmlMessage, value};
use crate::StreamFunction;
use crate::item::{Format, Item, Limits, put_head};

/// Reads SML.
///
/// The defaults take what most programs write; nothing of it changes what well-formed text means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Parser {
    /// What items may be. Default: those of [`Limits`].
    pub limits: Limits,
    /// Whether `\\`, `\"` and `\'` in strings stand for the second character. Default: no, a backslash is one, as in the
    /// path of a recipe.
    pub escapes: bool,
}

impl Parser {
    /// Sets what items may be.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets whether `\\`, `\"` and `\'` in strings stand for the second character.
    #[must_use]
    pub fn escapes(mut self, escapes: bool) -> Self {
        self.escapes = escapes;
        self
    }

    /// Reads all messages of a text. The full stop of the last may be missing.
    ///
    /// # Errors
    /// The first thing that is wrong, with its place.
    pub fn messages(&self, text: &str) -> Result<Vec<SmlMessage>, ParseError> {
        let mut reading = self.begin(text);
        let mut messages = Vec::new();
        while reading.scanner.peek()? != Token::End {
            messages.push(reading.message()?);
        }
        Ok(messages)
    }

    /// Reads a text that is one item.
    ///
    /// # Errors
    /// The first thing that is wrong, with its place.
    pub fn item(&self, text: &str) -> Result<Item, ParseError> {
        let mut reading = self.begin(text);
        let item = reading.item()?;
        match reading.scanner.next()? {
            Token::End => Ok(item),
            other => Err(reading.scanner.error(format!("{other} after the item"))),
        }
    }

    fn begin<'a>(&self, text: &'a str) -> Reading<'a> {
        Reading {
            scanner: Scanner::new(text, self.escapes),
            limits: self.limits,
        }
    }
}

struct Reading<'a> {
    scanner: Scanner<'a>,
    limits: Limits,
}

/// A list that has begun.
struct Open {
    /// Where its items begin in the out-buffer.
    start: usize,
    items: u32,
    /// Where its `<` is in the text.
    place: usize,
}

impl<'a> Reading<'a> {
    /// `[name ':'] S1F1 [W] [direction] [name] [item] .`
    fn message(&mut self) -> Result<SmlMessage, ParseError> {
        let (mut name, mut about) = (None, self.scanner.next()?);
        if let (Token::Word(word), Token::Colon) = (about, self.scanner.peek()?) {
            name = Some(word.to_owned());
            self.scanner.next()?;
            about = self.scanner.next()?;
        }
        let about: StreamFunction = match about {
            Token::Word(text) | Token::Text(text) => text
                .parse()
                .map_err(|error: crate::InvalidStreamFunction| self.scanner.error(error.to_string()))?,
            other => {
                return Err(self.scanner.error(format!(
                    "a message begins with its stream and function, like S1F1: not with {other}"
                )));
            }
        };
        let mut message = SmlMessage {
            name,
            about,
            w: false,
            direction: None,
            item: None,
        };
        loop {
            match self.scanner.peek()? {
                Token::Open => {
                    message.item = Some(self.item()?);
                    break;
                }
                Token::Stop | Token::End => break,
                Token::Direction(direction) => message.direction = Some(direction),
                Token::Size("W" | "w") => message.w = true,
                Token::Word("W" | "w") if !message.w => message.w = true,
                Token::Word(word) if message.name.is_none() => message.name = Some(word.to_owned()),
                other => {
                    self.scanner.next()?;
                    return Err(self.scanner.error(format!(
                        "{other} in {about}, where an item `<…>` or the full stop should be"
                    )));
                }
            }
            self.scanner.next()?;
        }
        match self.scanner.next()? {
            Token::Stop | Token::End => Ok(message),
            other => Err(self.scanner.error(format!(
                "{other} after the item of {about}: a message has one item, and ends with a full stop"
            ))),
        }
    }

    /// No recursion: the text may nest as it likes.
    fn item(&mut self) -> Result<Item, ParseError> {
        let mut out = Vec::new();
        let mut open: Vec<Open> = Vec::new();
        let mut count = 0_u32;
        loop {
            match self.scanner.next()? {
                Token::Open => {
                    count += 1;
                    if count > self.limits.items {
                        return Err(self.scanner.error(format!("more than {} items", self.limits.items)));
                    }
                    if let Some(list) = open.last_mut() {
                        list.items += 1;
                    }
                    let place = self.scanner.place();
                    let format = self.format()?;
                    if format == Format::List {
                        if open.len() >= usize::from(self.limits.depth) {
                            let what = format!("more than {} lists inside each other", self.limits.depth);
                            return Err(self.scanner.error(what));
                        }
                        open.push(Open {
                            start: out.len(),
                            items: 0,
                            place,
                        });
                        continue;
                    }
                    self.leaf(format, place, &mut out)?;
                }
                Token::Close if !open.is_empty() => {
                    if let Some(list) = open.pop() {
                        let mut head = Vec::with_capacity(4);
                        self.head(Format::List, list.items as usize, &mut head)?;
                        out.splice(list.start..list.start, head);
                    }
                }
                other => {
                    return Err(match open.last() {
                        None => self.scanner.error(format!("an item begins with `<`, not with {other}")),
                        // What is wrong is at the list's beginning, or anywhere since then.
                        Some(list) if self.ends(other) => {
                            let also = match open.len() {
                                1 => String::new(),
                                count => format!(" and of {} more around it", count - 1),
                            };
                            let what = format!("the `>` of this list{also} is missing before {other}");
                            self.scanner.error_at(list.place, what)
                        }
                        Some(_) => self
                            .scanner
                            .error(format!("{other} in a list: it holds items `<…>` only")),
                    });
                }
            }
            if out.len() > self.limits.bytes {
                return Err(self.scanner.error(format!("more than {} bytes", self.limits.bytes)));
            }
            if open.is_empty() {
                return Ok(Item::checked(out.into()));
            }
        }
    }

    /// Whether the message or the text ends with this token.
    fn ends(&mut self, token: Token<'_>) -> bool {
        match token {
            Token::End => true,
            Token::Stop => matches!(self.scanner.peek(), Ok(Token::End | Token::Word(_))),
            _ => false,
        }
    }

    fn format(&mut self) -> Result<Format, ParseError> {
        let format = match self.scanner.next()? {
            Token::Word(word) => {
                format(word).ok_or_else(|| self.scanner.error(format!("`{}` is no item type", super::short(word))))?
            }
            other => {
                return Err(self
                    .scanner
                    .error(format!("an item type should follow `<`, not {other}")));
            }
        };
        if let Token::Size(size) = self.scanner.peek()? {
            self.scanner.next()?;
            // A hint for people: what counts is what follows. But it must be one.
            let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || byte == b' ');
            if !size.split("..").all(number) {
                let size = super::short(size);
                return Err(self.scanner.error(format!("`[{size}]` is no size: write [2], [0..9]")));
            }
        }
        Ok(format)
    }

    fn leaf(&mut self, format: Format, place: usize, out: &mut Vec<u8>) -> Result<(), ParseError> {
        let mut data = value::Data::new(format);
        loop {
            match self.scanner.next()? {
                Token::Close => break,
                Token::Word(word) => data.word(word),
                Token::Text(text) if self.scanner.escapes => data.text(&unescaped(text)),
                Token::Text(text) => data.text(text),
                end if self.ends(end) => {
                    let what = format!("the `>` of this {format} item is missing before {end}");
                    return Err(self.scanner.error_at(place, what));
                }
                other => Err(format!("{other} in a {format} item")),
            }
            .map_err(|what| self.scanner.error(what))?;
        }
        let data = data.finish();
        self.head(format, data.len(), out)?;
        out.extend_from_slice(&data);
        Ok(())
    }

    fn head(&self, format: Format, length: usize, out: &mut Vec<u8>) -> Result<(), ParseError> {
        if length > 0x00FF_FFFF {
            return Err(self.scanner.error(format!(
                "the {format} item ends here and is too long: {length} are more than 16777215"
            )));
        }
        put_head(format, length, out);
        Ok(())
    }
}

fn format(word: &str) -> Option<Format> {
    let names = [
        ("BINARY", Format::Binary),
        ("BIN", Format::Binary),
        ("BOOL", Format::Boolean),
        ("ASCII", Format::Ascii),
        ("JIS8", Format::Jis8),
        ("C", Format::Localized),
        ("LIST", Format::List),
    ];
    let by_name = Format::ALL.iter().map(|format| (format.name(), *format));
    by_name
        .chain(names)
        .find(|(name, _)| name.eq_ignore_ascii_case(word))
        .map(|(_, format)| format)
}

fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        match (c, characters.peek()) {
            ('\\', Some(&escaped @ ('\\' | '"' | '\''))) => {
                plain.push(escaped);
                characters.next();
            }
            _ => plain.push(c),
        }
    }
    plain
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::HostToEquipment => "H->E",
            Self::EquipmentToHost => "H<-E",
            Self::Both => "H<->E",
        })
    }
}
