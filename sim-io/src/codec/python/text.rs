//! A string as Python has it.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde::ser::{Serialize, Serializer};

use super::types::SURROGATES;

/// A string as Python has it: any code points, lone surrogates too.
///
/// Most are valid Unicode, and [`as_str`](Self::as_str) gives them.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text(Repr);

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Repr {
    Unicode(String),
    /// Generalized UTF-8, in which a surrogate is three bytes, as any code point of its size. Pairs are joined, so that
    /// equal texts have equal bytes.
    Surrogates(Vec<u8>),
}

impl Text {
    /// The text, unless it has lone surrogates.
    pub fn as_str(&self) -> Option<&str> {
        match &self.0 {
            Repr::Unicode(text) => Some(text),
            Repr::Surrogates(_) => None,
        }
    }

    /// The text, with each lone surrogate replaced by `U+FFFD`.
    pub fn to_string_lossy(&self) -> Cow<'_, str> {
        match &self.0 {
            Repr::Unicode(text) => Cow::Borrowed(text),
            Repr::Surrogates(bytes) => Cow::Owned(
                char::decode_utf16(units(bytes))
                    .map(|c| c.unwrap_or('\u{fffd}'))
                    .collect(),
            ),
        }
    }

    /// The text with these units of UTF-16, paired or not.
    pub fn from_utf16(units: &[u16]) -> Self {
        let mut bytes = Vec::with_capacity(units.len() * 3);
        let mut lone = false;
        for unit in char::decode_utf16(units.iter().copied()) {
            match unit {
                Ok(c) => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
                Err(error) => {
                    lone = true;
                    push_surrogate(error.unpaired_surrogate(), &mut bytes);
                }
            }
        }
        if !lone && let Ok(text) = String::from_utf8(bytes.clone()) {
            return Self(Repr::Unicode(text));
        }
        Self(Repr::Surrogates(bytes))
    }

    /// Generalized UTF-8 that the deserialiser made.
    fn from_generalized(bytes: &[u8]) -> Option<Self> {
        if let Ok(text) = std::str::from_utf8(bytes) {
            return Some(text.into());
        }
        is_generalized(bytes).then(|| Self(Repr::Surrogates(bytes.to_vec())))
    }
}

/// A surrogate in generalized UTF-8.
pub(super) fn push_surrogate(unit: u16, bytes: &mut Vec<u8>) {
    bytes.extend_from_slice(&[
        0xe0 | (unit >> 12) as u8,
        0x80 | (unit >> 6 & 0x3f) as u8,
        0x80 | (unit & 0x3f) as u8,
    ]);
}

/// The code points of generalized UTF-8; stops at what is none.
pub(super) fn code_points(bytes: &[u8]) -> impl Iterator<Item = u32> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let (&first, _) = rest.split_first()?;
        let (length, start) = match first {
            0..=0x7f => (1, u32::from(first)),
            0xc2..=0xdf => (2, u32::from(first & 0x1f)),
            0xe0..=0xef => (3, u32::from(first & 0x0f)),
            0xf0..=0xf4 => (4, u32::from(first & 0x07)),
            _ => return None,
        };
        let (point, after) = rest.split_at_checked(length)?;
        rest = after;
        let tail = point.get(1..)?;
        if !tail.iter().all(|byte| byte & 0xc0 == 0x80) {
            return None;
        }
        Some(
            tail.iter()
                .fold(start, |point, byte| point << 6 | u32::from(byte & 0x3f)),
        )
    })
}

fn is_generalized(bytes: &[u8]) -> bool {
    let length = |point: u32| match point {
        0..=0x7f => 1,
        0x80..=0x7ff => 2,
        0x800..=0xffff => 3,
        _ => 4,
    };
    code_points(bytes).map(length).sum::<usize>() == bytes.len()
}

/// The units of UTF-16.
pub(super) fn units(bytes: &[u8]) -> impl Iterator<Item = u16> {
    code_points(bytes).flat_map(|point| {
        let (high, low) = match point.checked_sub(0x1_0000) {
            None => (point as u16, None),
            Some(rest) => (
                0xd800 | (rest >> 10 & 0x3ff) as u16,
                Some(0xdc00 | (rest & 0x3ff) as u16),
            ),
        };
        std::iter::once(high).chain(low)
    })
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(Repr::Unicode(text.to_owned()))
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(Repr::Unicode(text))
    }
}

impl PartialEq<str> for Text {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == Some(other)
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_string_lossy().fmt(f)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_string_lossy().fmt(f)
    }
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct Raw<'a>(&'a [u8]);
        impl Serialize for Raw<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_bytes(self.0)
            }
        }
        match &self.0 {
            Repr::Unicode(text) => serializer.serialize_str(text),
            Repr::Surrogates(bytes) => serializer.serialize_newtype_struct(SURROGATES, &Raw(bytes)),
        }
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl Visitor<'_> for Any {
            type Value = Text;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_str<E>(self, text: &str) -> Result<Text, E> {
                Ok(text.into())
            }

            fn visit_string<E>(self, text: String) -> Result<Text, E> {
                Ok(text.into())
            }

            fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Text, E> {
                Text::from_generalized(bytes).ok_or_else(|| E::custom("bytes that are no text"))
            }
        }
        deserializer.deserialize_str(Any)
    }
}
