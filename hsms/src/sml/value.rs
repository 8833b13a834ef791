//! The values inside an item, to bytes.

use crate::item::{Encoding, Format};

/// The data of an item, as its values come.
pub(super) struct Data {
    format: Format,
    bytes: Vec<u8>,
    /// Of a localized text, once it is known.
    encoding: Option<Encoding>,
}

impl Data {
    pub(super) fn new(format: Format) -> Self {
        Self {
            format,
            bytes: Vec::new(),
            encoding: None,
        }
    }

    pub(super) fn finish(mut self) -> Vec<u8> {
        self.begin_localized(Encoding::UTF_8);
        self.bytes
    }

    /// A localized text begins with its encoding; UTF-8 if none is given.
    fn begin_localized(&mut self, encoding: Encoding) -> Encoding {
        if self.format == Format::Localized && self.encoding.is_none() {
            self.bytes.extend_from_slice(&encoding.0.to_be_bytes());
            self.encoding = Some(encoding);
        }
        self.encoding.unwrap_or(encoding)
    }

    /// A number, a truth value, a byte of a text.
    pub(super) fn word(&mut self, word: &str) -> Result<(), String> {
        let bytes = &mut self.bytes;
        match self.format {
            Format::List => return Err(format!("`{}` in a list", super::short(word))),
            Format::Localized if self.encoding.is_none() => {
                let code = fit(word, integer(word)?, "an encoding")?;
                self.begin_localized(Encoding(code));
            }
            Format::Binary | Format::Ascii | Format::Jis8 | Format::Localized => {
                bytes.push(fit(word, integer(word)?, "a byte")?);
            }
            Format::Boolean => bytes.push(match word.to_ascii_uppercase().as_str() {
                "T" | "TRUE" => 1,
                "F" | "FALSE" => 0,
                _ => fit(word, integer(word)?, "a BOOLEAN")?,
            }),
            Format::U1 => bytes.push(fit(word, integer(word)?, "U1")?),
            Format::U2 => bytes.extend_from_slice(&fit::<u16>(word, integer(word)?, "U2")?.to_be_bytes()),
            Format::U4 => bytes.extend_from_slice(&fit::<u32>(word, integer(word)?, "U4")?.to_be_bytes()),
            Format::U8 => bytes.extend_from_slice(&fit::<u64>(word, integer(word)?, "U8")?.to_be_bytes()),
            Format::I1 => bytes.extend_from_slice(&fit::<i8>(word, integer(word)?, "I1")?.to_be_bytes()),
            Format::I2 => bytes.extend_from_slice(&fit::<i16>(word, integer(word)?, "I2")?.to_be_bytes()),
            Format::I4 => bytes.extend_from_slice(&fit::<i32>(word, integer(word)?, "I4")?.to_be_bytes()),
            Format::I8 => bytes.extend_from_slice(&fit::<i64>(word, integer(word)?, "I8")?.to_be_bytes()),
            Format::F4 => {
                let value: f32 = word.parse().map_err(|_| no_number(word))?;
                if value.is_infinite() && !names_infinity(word) {
                    return Err(format!("`{}` is out of the range of F4", super::short(word)));
                }
                bytes.extend_from_slice(&value.to_be_bytes());
            }
            Format::F8 => {
                let value: f64 = word.parse().map_err(|_| no_number(word))?;
                if value.is_infinite() && !names_infinity(word) {
                    return Err(format!("`{}` is out of the range of F8", super::short(word)));
                }
                bytes.extend_from_slice(&value.to_be_bytes());
            }
        }
        Ok(())
    }

    /// A string.
    pub(super) fn text(&mut self, text: &str) -> Result<(), String> {
        let encoding = match self.format {
            // What peers send who have more than ASCII.
            Format::Ascii => Encoding::UTF_8,
            Format::Jis8 => return self.jis8(text),
            Format::Localized => self.begin_localized(Encoding::UTF_8),
            other => return Err(format!("a string in a {other} item: it takes numbers")),
        };
        match encoding {
            Encoding::UTF_8 => self.bytes.extend_from_slice(text.as_bytes()),
            Encoding::UCS_2 => self.bytes.extend(text.encode_utf16().flat_map(u16::to_be_bytes)),
            Encoding::ISO_8859_1 => {
                for c in text.chars() {
                    let byte = u8::try_from(c).map_err(|_| format!("`{c}` is not in ISO 8859-1"))?;
                    self.bytes.push(byte);
                }
            }
            _ if text.is_ascii() => self.bytes.extend_from_slice(text.as_bytes()),
            Encoding(code) => {
                return Err(format!(
                    "a string with more than ASCII in the encoding {code}, which is not known here: write its bytes"
                ));
            }
        }
        Ok(())
    }

    fn jis8(&mut self, text: &str) -> Result<(), String> {
        for c in text.chars() {
            self.bytes.push(match c {
                '¥' => b'\\',
                '‾' => b'~',
                '\u{FF61}'..='\u{FF9F}' => 0xA1 + (u32::from(c) - 0xFF61).to_le_bytes()[0],
                _ if c.is_ascii() => c.to_string().as_bytes()[0],
                _ => return Err(format!("`{c}` is not in JIS X 0201")),
            });
        }
        Ok(())
    }
}

fn names_infinity(word: &str) -> bool {
    word.to_ascii_lowercase().contains("inf")
}

fn no_number(word: &str) -> String {
    format!(
        "`{}` is no number (a name for a value to fill in can't be sent: write the value)",
        super::short(word)
    )
}

/// Decimal, or with 0x, 0o, 0b; with or without a sign.
fn integer(word: &str) -> Result<i128, String> {
    let (sign, digits) = match word.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, word.strip_prefix('+').unwrap_or(word)),
    };
    let (radix, digits) = match digits.get(..2).map(str::to_ascii_lowercase).as_deref() {
        Some("0x") => (16, &digits[2..]),
        Some("0o") => (8, &digits[2..]),
        Some("0b") => (2, &digits[2..]),
        _ => (10, digits),
    };
    if digits.starts_with(['+', '-']) {
        return Err(no_number(word));
    }
    i128::from_str_radix(digits, radix)
        .map(|value| sign * value)
        .map_err(|_| no_number(word))
}

fn fit<T: TryFrom<i128>>(word: &str, value: i128, what: &str) -> Result<T, String> {
    T::try_from(value).map_err(|_| format!("`{}` is out of the range of {what}", super::short(word)))
}
