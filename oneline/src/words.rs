//! Words with quotes, as in Redis's inline commands.
//!
//! Words are separated by white space. In double quotes `\n`, `\r`, `\t`, `\b`, `\a`, `\\`, `\"` and `\xHH` stand for one
//! byte each; in single quotes only `\'` does. A closing quote ends its word.
//!
//! ```
//! use oneline::words;
//!
//! assert_eq!(words::split(r#"set name "a b\n" 'it\'s'"#)?, ["set", "name", "a b\n", "it's"]);
//! assert_eq!(words::quote("a b"), r#""a b""#);
//! assert!(words::split(r#"set "a"#).is_err());
//! # Ok::<(), words::WordsError>(())
//! ```

use std::borrow::Cow;
use std::fmt;
use std::iter::Peekable;
use std::str::Chars;

/// Why a line can't be split into words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WordsError {
    /// A quote is not closed.
    OpenQuote(char),
    /// Something follows a closing quote without white space between.
    AfterQuote(char),
    /// The bytes that `\xHH` gives are not UTF-8.
    NotUtf8,
}

impl fmt::Display for WordsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OpenQuote(quote) => write!(f, "a {quote} is not closed"),
            Self::AfterQuote(c) => write!(f, "{c:?} follows a closing quote: put a space between"),
            Self::NotUtf8 => f.write_str("a word is not valid UTF-8"),
        }
    }
}

impl std::error::Error for WordsError {}

/// Splits a line into words.
///
/// # Errors
/// Quotes that do not fit, and escapes that give no text.
pub fn split(line: &str) -> Result<Vec<String>, WordsError> {
    let mut words = Vec::new();
    let mut rest = line.chars().peekable();
    while rest.peek().is_some() {
        if rest.next_if(|c| is_space(*c)).is_some() {
            continue;
        }
        let mut word = Vec::new();
        let mut bytes = [0; 4];
        while let Some(c) = rest.next_if(|c| !is_space(*c)) {
            match c {
                '"' => {
                    double_quoted(&mut rest, &mut word)?;
                    closed(&mut rest)?;
                }
                '\'' => {
                    single_quoted(&mut rest, &mut word)?;
                    closed(&mut rest)?;
                }
                c => word.extend_from_slice(c.encode_utf8(&mut bytes).as_bytes()),
            }
        }
        words.push(String::from_utf8(word).map_err(|_| WordsError::NotUtf8)?);
    }
    Ok(words)
}

/// Writes a word so that [`split`] reads it as one: as it is where that is possible, otherwise in double quotes. The
/// result never contains CR, LF or NUL.
pub fn quote(word: &str) -> Cow<'_, str> {
    let plain = |c: char| !is_space(c) && !c.is_control() && !matches!(c, '"' | '\'');
    if !word.is_empty() && word.chars().all(plain) {
        return Cow::Borrowed(word);
    }
    let mut quoted = String::with_capacity(word.len() + 2);
    quoted.push('"');
    for c in word.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            c if c.is_ascii_control() => quoted.push_str(&format!("\\x{:02x}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    Cow::Owned(quoted)
}

/// The white space of C: an unusual space of Unicode belongs to its word.
fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\x0b' | '\x0c')
}

fn double_quoted(rest: &mut Peekable<Chars<'_>>, word: &mut Vec<u8>) -> Result<(), WordsError> {
    let mut bytes = [0; 4];
    loop {
        match rest.next().ok_or(WordsError::OpenQuote('"'))? {
            '"' => return Ok(()),
            '\\' => match rest.next().ok_or(WordsError::OpenQuote('"'))? {
                'n' => word.push(b'\n'),
                'r' => word.push(b'\r'),
                't' => word.push(b'\t'),
                'b' => word.push(8),
                'a' => word.push(7),
                'x' => match hex(rest) {
                    Some(byte) => word.push(byte),
                    None => word.push(b'x'),
                },
                c => word.extend_from_slice(c.encode_utf8(&mut bytes).as_bytes()),
            },
            c => word.extend_from_slice(c.encode_utf8(&mut bytes).as_bytes()),
        }
    }
}

fn single_quoted(rest: &mut Peekable<Chars<'_>>, word: &mut Vec<u8>) -> Result<(), WordsError> {
    let mut bytes = [0; 4];
    loop {
        match rest.next().ok_or(WordsError::OpenQuote('\''))? {
            '\'' => return Ok(()),
            '\\' if rest.next_if_eq(&'\'').is_some() => word.push(b'\''),
            c => word.extend_from_slice(c.encode_utf8(&mut bytes).as_bytes()),
        }
    }
}

/// Two hexadecimal digits; takes nothing if they are not there.
fn hex(rest: &mut Peekable<Chars<'_>>) -> Option<u8> {
    let mut ahead = rest.clone();
    let high = ahead.next()?.to_digit(16)?;
    let low = ahead.next()?.to_digit(16)?;
    *rest = ahead;
    u8::try_from(high * 16 + low).ok()
}

/// A closing quote ends its word.
fn closed(rest: &mut Peekable<Chars<'_>>) -> Result<(), WordsError> {
    match rest.peek() {
        Some(c) if !is_space(*c) => Err(WordsError::AfterQuote(*c)),
        _ => Ok(()),
    }
}
