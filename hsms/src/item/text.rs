//! What the bytes of a text mean.

use std::borrow::Cow;
use std::fmt;

use super::{Format, ItemRef};

/// The encoding of a localized text, by its number in E5.
///
/// [`ItemRef::text`] reads the first four; for the others take the bytes and a library for encodings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Encoding(
    /// The number.
    pub u16,
);

impl Encoding {
    /// UCS-2, big-endian. Read as UTF-16.
    pub const UCS_2: Self = Self(1);
    /// UTF-8.
    pub const UTF_8: Self = Self(2);
    /// ISO 646: ASCII.
    pub const ISO_646: Self = Self(3);
    /// ISO 8859-1: Latin 1.
    pub const ISO_8859_1: Self = Self(4);
    /// ISO 8859-11: Thai.
    pub const ISO_8859_11: Self = Self(5);
    /// TIS 620: Thai.
    pub const TIS_620: Self = Self(6);
    /// IS 13194: ISCII.
    pub const ISCII: Self = Self(7);
    /// Shift JIS: Japanese.
    pub const SHIFT_JIS: Self = Self(8);
    /// EUC-JP: Japanese.
    pub const EUC_JP: Self = Self(9);
    /// EUC-KR: Korean.
    pub const EUC_KR: Self = Self(10);
    /// GB: simplified Chinese.
    pub const GB: Self = Self(11);
    /// EUC-CN: simplified Chinese.
    pub const EUC_CN: Self = Self(12);
    /// Big5: traditional Chinese.
    pub const BIG5: Self = Self(13);
    /// EUC-TW: traditional Chinese.
    pub const EUC_TW: Self = Self(14);
}

/// A text whose bytes can't be read in its encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TextError {
    /// The bytes are not what the item (its format given) should hold.
    Invalid(Format),
    /// The encoding of the localized text is not one of those that are read here.
    Unknown(Encoding),
}

impl fmt::Display for TextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(format) => write!(
                f,
                "the bytes of the {format} text are not in its encoding: read them as bytes"
            ),
            Self::Unknown(encoding) => write!(
                f,
                "the text has the encoding {}, which is not read here: read it as bytes",
                encoding.0
            ),
        }
    }
}

impl std::error::Error for TextError {}

impl<'a> ItemRef<'a> {
    /// The text of an A, J or W item; `None` if it is another.
    ///
    /// A is read as UTF-8, of which ASCII is a part; J as JIS X 0201; W in the encoding that it tells. Borrowed when it can be.
    ///
    /// # Errors
    /// If the bytes are not of that encoding, or it is not one of UCS-2, UTF-8, ISO 646 and ISO 8859-1.
    #[must_use]
    pub fn text(self) -> Option<Result<Cow<'a, str>, TextError>> {
        let invalid = || TextError::Invalid(self.format());
        let utf_8 = |bytes| std::str::from_utf8(bytes).map(Cow::Borrowed).map_err(|_| invalid());
        Some(match self.format() {
            Format::Ascii => utf_8(self.data()),
            Format::Jis8 => jis_x_0201(self.data()).map(Cow::Owned).ok_or_else(invalid),
            Format::Localized => match self.localized()? {
                (Encoding::UTF_8, bytes) => utf_8(bytes),
                (Encoding::ISO_646, bytes) if bytes.is_ascii() => utf_8(bytes),
                (Encoding::ISO_646, _) => Err(invalid()),
                (Encoding::ISO_8859_1, bytes) => Ok(bytes.iter().map(|byte| char::from(*byte)).collect()),
                (Encoding::UCS_2, bytes) => utf_16(bytes).map(Cow::Owned).ok_or_else(invalid),
                (other, _) => Err(TextError::Unknown(other)),
            },
            _ => return None,
        })
    }

    /// The encoding and the bytes of a localized text; `None` if it is another item.
    #[must_use]
    pub fn localized(self) -> Option<(Encoding, &'a [u8])> {
        if self.format() != Format::Localized {
            return None;
        }
        let (code, bytes) = self.data().split_first_chunk()?;
        Some((Encoding(u16::from_be_bytes(*code)), bytes))
    }
}

fn utf_16(bytes: &[u8]) -> Option<String> {
    let (units, []) = bytes.as_chunks() else {
        return None;
    };
    let units = units.iter().map(|unit| u16::from_be_bytes(*unit));
    char::decode_utf16(units).collect::<Result<_, _>>().ok()
}

/// ASCII but for two characters, and katakana of half width.
fn jis_x_0201(bytes: &[u8]) -> Option<String> {
    bytes
        .iter()
        .map(|byte| match byte {
            b'\\' => Some('¥'),
            b'~' => Some('‾'),
            0..0x80 => Some(char::from(*byte)),
            0xA1..=0xDF => char::from_u32(0xFF61 + u32::from(byte - 0xA1)),
            _ => None,
        })
        .collect()
}
