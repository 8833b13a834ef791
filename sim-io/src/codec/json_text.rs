//! JSON as text: finding the parts of a message without understanding its content.
//!
//! What Python's `json` takes is taken here: `NaN`, `Infinity`, lone surrogates. Whether a content that has them can be
//! understood is for whoever decodes it.

use std::ops::Range;

use super::{CodecError, Envelope, Id, Kind};

/// How deep arrays and objects may be nested: the bits of the stack in [`Cursor::value`]. serde_json has the same limit.
pub(super) const DEPTH: u32 = 128;

/// A place in a JSON text.
#[derive(Clone, Debug)]
pub(super) struct Cursor<'a> {
    pub(super) text: &'a [u8],
    pub(super) at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a [u8]) -> Self {
        Self { text, at: 0 }
    }

    #[inline]
    fn byte(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    #[cold]
    pub(super) fn expected(&self, what: &str) -> CodecError {
        match self.byte() {
            Some(byte) => CodecError::new(format_args!(
                "expected {what} at byte {}, found `{}`",
                self.at,
                byte.escape_ascii()
            )),
            None => CodecError::new(format_args!("expected {what} at byte {}, where the text ends", self.at)),
        }
    }

    /// The next byte that is not white space.
    #[inline]
    pub(super) fn peek(&mut self) -> Option<u8> {
        while let Some(byte) = self.byte() {
            if !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                return Some(byte);
            }
            self.at += 1;
        }
        None
    }

    /// Steps over this byte, if it is next.
    #[inline]
    pub(super) fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    #[inline]
    pub(super) fn expect(&mut self, byte: u8, what: &str) -> Result<(), CodecError> {
        if self.take(byte) {
            Ok(())
        } else {
            Err(self.expected(what))
        }
    }

    /// Nothing but white space may be left.
    pub(super) fn finish(&mut self) -> Result<(), CodecError> {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.expected("the end")),
        }
    }

    /// Steps over a value of whatever kind.
    pub(super) fn value(&mut self) -> Result<Range<usize>, CodecError> {
        // One bit for each open bracket, the innermost lowest: 1 is an object.
        let mut stack = 0_u128;
        let mut depth = 0;
        self.peek();
        let start = self.at;
        loop {
            // A value begins here.
            match self.peek() {
                Some(open @ (b'[' | b'{')) => {
                    if depth == DEPTH {
                        return Err(CodecError::new(format_args!(
                            "nested deeper than {DEPTH} at byte {}",
                            self.at
                        )));
                    }
                    self.at += 1;
                    let object = open == b'{';
                    if self.take(open + 2) {
                        // Empty: a whole value.
                    } else {
                        depth += 1;
                        stack = stack << 1 | u128::from(object);
                        if object {
                            self.key()?;
                        }
                        continue;
                    }
                }
                _ => {
                    self.scalar()?;
                }
            }
            // A value has ended; so may what it is in.
            loop {
                if depth == 0 {
                    return Ok(start..self.at);
                }
                let object = stack & 1 == 1;
                match self.peek() {
                    Some(b',') => {
                        self.at += 1;
                        if object {
                            self.key()?;
                        }
                        break;
                    }
                    Some(b']') if !object => self.at += 1,
                    Some(b'}') if object => self.at += 1,
                    _ => return Err(self.expected(if object { "`,` or `}`" } else { "`,` or `]`" })),
                }
                depth -= 1;
                stack >>= 1;
            }
        }
    }

    fn key(&mut self) -> Result<(), CodecError> {
        if self.peek() != Some(b'"') {
            return Err(self.expected("a key in quotes"));
        }
        self.string()?;
        self.expect(b':', "`:`")
    }

    /// Steps over a value that has no parts; what it is.
    pub(super) fn scalar(&mut self) -> Result<Scalar, CodecError> {
        let words = [
            (&b"null"[..], Scalar::Null),
            (b"true", Scalar::Bool(true)),
            (b"false", Scalar::Bool(false)),
            (b"NaN", Scalar::Special(f64::NAN)),
            (b"Infinity", Scalar::Special(f64::INFINITY)),
            (b"-Infinity", Scalar::Special(f64::NEG_INFINITY)),
        ];
        match self.peek() {
            Some(b'"') => self.string(),
            Some(b'0'..=b'9') => self.number(),
            Some(b'-') if self.text.get(self.at + 1) != Some(&b'I') => self.number(),
            _ => {
                let rest = &self.text[self.at..];
                for (word, scalar) in words {
                    if rest.starts_with(word) {
                        self.at += word.len();
                        return Ok(scalar);
                    }
                }
                Err(self.expected("a value"))
            }
        }
    }

    fn digits(&mut self) -> bool {
        let start = self.at;
        while matches!(self.byte(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        self.at > start
    }

    fn number(&mut self) -> Result<Scalar, CodecError> {
        let start = self.at;
        let mut float = false;
        if self.byte() == Some(b'-') {
            self.at += 1;
        }
        if self.byte() == Some(b'0') {
            self.at += 1;
        } else if !self.digits() {
            return Err(self.expected("a digit"));
        }
        if self.byte() == Some(b'.') {
            self.at += 1;
            float = true;
            if !self.digits() {
                return Err(self.expected("a digit"));
            }
        }
        if matches!(self.byte(), Some(b'e' | b'E')) {
            self.at += 1;
            float = true;
            if matches!(self.byte(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            if !self.digits() {
                return Err(self.expected("a digit"));
            }
        }
        let text = start..self.at;
        Ok(if float {
            Scalar::Float(text)
        } else {
            Scalar::Integer(text)
        })
    }

    /// Steps over a string; the first byte is its quote.
    fn string(&mut self) -> Result<Scalar, CodecError> {
        self.at += 1;
        let start = self.at;
        let mut escaped = false;
        loop {
            match self.byte() {
                Some(b'"') => {
                    let text = start..self.at;
                    self.at += 1;
                    return Ok(Scalar::String { text, escaped });
                }
                Some(b'\\') => {
                    escaped = true;
                    self.at += 1;
                    match self.byte() {
                        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 1,
                        Some(b'u') => {
                            let hex = self.text.get(self.at + 1..self.at + 5);
                            if !hex.is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit)) {
                                return Err(self.expected("`u` and four hexadecimal digits"));
                            }
                            self.at += 5;
                        }
                        _ => return Err(self.expected("an escape")),
                    }
                }
                Some(0..=0x1f) | None => return Err(self.expected("the end of the string")),
                Some(_) => self.at += 1,
            }
        }
    }
}

/// A value that has no parts.
#[derive(Clone, Debug)]
#[cfg_attr(
    not(feature = "python-json"),
    expect(dead_code, reason = "serde_json looks into contents itself")
)]
pub(super) enum Scalar {
    Null,
    Bool(bool),
    /// Not a number, or infinite.
    Special(f64),
    /// Where its digits lie.
    Integer(Range<usize>),
    /// Where its digits lie.
    Float(Range<usize>),
    String {
        /// What is between the quotes.
        text: Range<usize>,
        /// Whether that has escapes.
        escaped: bool,
    },
}

/// Finds the parts of `[type, id, content]`.
pub(super) fn open(packet: &[u8]) -> Result<Envelope<'_>, CodecError> {
    if let Err(error) = std::str::from_utf8(packet) {
        return Err(CodecError::new(format_args!(
            "it is no UTF-8 text: a bad byte at {}",
            error.valid_up_to()
        )));
    }
    let mut cursor = Cursor::new(packet);
    let three = "`[type, id, content]`";
    cursor.expect(b'[', three)?;
    let kind = cursor.value()?;
    cursor.expect(b',', three)?;
    let id = cursor.value()?;
    cursor.expect(b',', three)?;
    let content = cursor.value()?;
    cursor.expect(b']', "`]` after three items")?;
    cursor.finish()?;
    let (kind, id, content) = (&packet[kind], &packet[id], &packet[content]);
    let (number, mut odd) = match kind {
        [digit @ b'0'..=b'9'] => (Some(u64::from(digit - b'0')), false),
        other => (loosely(other), true),
    };
    let Some(kind) = number.and_then(Kind::from_number) else {
        return Err(CodecError::new(format_args!(
            "there is no message type {}",
            kind.escape_ascii()
        )));
    };
    let id = match (integer(id), kind) {
        (Some(number), _) => Id::Number(number),
        (None, kind) => {
            odd = true;
            let number = loosely(id).filter(|_| kind != Kind::Request);
            number.map_or_else(|| Id::Other(id.into()), Id::Number)
        }
    };
    Ok(Envelope { kind, id, content, odd })
}

/// A number written as every decent peer writes it.
fn integer(text: &[u8]) -> Option<u64> {
    if !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// A number that equals this in Python: `0.0` and `false` are 0.
fn loosely(text: &[u8]) -> Option<u64> {
    match text {
        b"false" => Some(0),
        b"true" => Some(1),
        _ => {
            let number: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
            // Above 2^53 a float no longer names one id.
            ((0.0..9e15).contains(&number) && number.fract() == 0.0).then_some(number as u64)
        }
    }
}

/// A number in decimal.
pub(super) fn push_number(number: u64, out: &mut Vec<u8>) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    let mut rest = number;
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

/// What comes before the content of a message.
pub(super) fn begin(kind: Kind, id: &Id, separator: &str, out: &mut Vec<u8>) {
    out.push(b'[');
    out.push(b'0' + kind as u8);
    out.extend_from_slice(separator.as_bytes());
    match id {
        Id::Number(number) => push_number(*number, out),
        Id::Other(text) => out.extend_from_slice(text),
    }
    out.extend_from_slice(separator.as_bytes());
}
