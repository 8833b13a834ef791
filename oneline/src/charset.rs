//! Which bytes make text, and what happens to those that do not.

use std::borrow::Cow;

/// How the bytes of a command become text.
///
/// Whatever the choice, the bytes as they came are at hand ([`Command::raw`](crate::Command::raw)), and a command that
/// is not valid in its character set never counts as a built-in one.
///
/// ```
/// use oneline::Charset;
///
/// assert_eq!(Charset::Utf8.decode("héllo".as_bytes()), ("héllo".into(), false));
/// assert_eq!(Charset::AsciiStrip.decode("héllo".as_bytes()), ("hllo".into(), true));
/// assert_eq!(Charset::Utf8.decode(b"h\xffllo"), ("h\u{fffd}llo".into(), true));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Charset {
    /// Each byte from 0x80 on is dropped and makes the command invalid, parts of valid UTF-8 too: the original's rule.
    AsciiStrip,
    /// Text is UTF-8. Anything else makes the command invalid, and becomes U+FFFD in its text.
    #[default]
    Utf8,
    /// Every byte is as good as any other: no command is invalid. As text it is shown like [`Utf8`](Self::Utf8).
    Bytes,
}

impl Charset {
    /// The text of a line, and whether the line is invalid.
    #[inline]
    pub fn decode(self, line: &[u8]) -> (Cow<'_, str>, bool) {
        match (self, std::str::from_utf8(line)) {
            (Self::Utf8 | Self::Bytes, Ok(text)) => (Cow::Borrowed(text), false),
            (Self::AsciiStrip, Ok(text)) if text.is_ascii() => (Cow::Borrowed(text), false),
            _ => self.decode_odd(line),
        }
    }

    #[cold]
    fn decode_odd(self, line: &[u8]) -> (Cow<'_, str>, bool) {
        match self {
            Self::AsciiStrip => {
                let ascii = line.iter().copied().filter(u8::is_ascii);
                (Cow::Owned(ascii.map(char::from).collect()), true)
            }
            Self::Utf8 => (String::from_utf8_lossy(line), true),
            Self::Bytes => (String::from_utf8_lossy(line), false),
        }
    }
}
