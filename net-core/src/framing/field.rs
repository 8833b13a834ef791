//! A length before each frame, of any width and order.

use super::{Decoded, Framing, LengthPrefix, Located};
use crate::{Error, ErrorKind, Operation};

/// Frames after a length of any width and byte order, which may count itself; content of at most 16 MiB by default.
///
/// The rules are those of [`LengthPrefix`](super::LengthPrefix), which is the quicker one for its one form: limits count
/// the content alone and are checked as soon as the length is there, before anything is allocated for the frame.
///
/// ```
/// use net_core::framing::{Framing, LengthField, Width};
///
/// let framing = LengthField::new(Width::U16).little_endian().counts_itself().max(1000);
/// let mut out = Vec::new();
/// framing.encode(b"ping", &mut out)?;
/// assert_eq!(out, b"\x06\x00ping");
/// # Ok::<(), net_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LengthField {
    /// How wide the length is.
    pub width: Width,
    /// Whether its lowest byte comes first. Default: false, the highest does.
    pub little_endian: bool,
    /// Whether it counts its own bytes too. Default: false.
    pub counts_itself: bool,
    /// The longest content, in bytes. Default: 16 777 216. Content that the width can't tell is too long in any case.
    pub max: usize,
    /// The shortest content, in bytes. Default: 0.
    pub min: usize,
}

/// How wide a length is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Width {
    /// One byte: up to 255.
    U8,
    /// Two bytes: up to 65 535.
    U16,
    /// Three bytes: up to 16 777 215.
    U24,
    /// Four bytes: up to 4 294 967 295.
    U32,
    /// Eight bytes.
    U64,
}

impl Width {
    const fn bytes(self) -> usize {
        match self {
            Self::U8 => 1,
            Self::U16 => 2,
            Self::U24 => 3,
            Self::U32 => 4,
            Self::U64 => 8,
        }
    }
}

impl LengthField {
    /// A length of this width, big-endian, that counts the content only.
    pub fn new(width: Width) -> Self {
        Self {
            width,
            little_endian: false,
            counts_itself: false,
            max: 16 * 1024 * 1024,
            min: 0,
        }
    }

    /// Puts the length's lowest byte first.
    #[must_use]
    pub fn little_endian(mut self) -> Self {
        self.little_endian = true;
        self
    }

    /// Lets the length count its own bytes too.
    #[must_use]
    pub fn counts_itself(mut self) -> Self {
        self.counts_itself = true;
        self
    }

    /// Limits the content of a frame, in bytes.
    #[must_use]
    pub fn max(mut self, bytes: usize) -> Self {
        self.max = bytes;
        self
    }

    /// Demands at least this much content, in bytes.
    #[must_use]
    pub fn min(mut self, bytes: usize) -> Self {
        self.min = bytes;
        self
    }

    /// What the length counts beside the content.
    fn own(&self) -> u64 {
        if self.counts_itself {
            self.width.bytes() as u64
        } else {
            0
        }
    }

    /// The longest content, by limit and by width.
    fn most(&self) -> usize {
        let told = (u64::MAX >> (64 - 8 * self.width.bytes())) - self.own();
        // With its prefix it has to fit into memory.
        let limit = self.max.min(usize::MAX - self.width.bytes());
        usize::try_from(told).map_or(limit, |told| told.min(limit))
    }

    /// Tells what is wrong with a length.
    fn limits(&self) -> LengthPrefix {
        LengthPrefix::default().min(self.min).max(self.most())
    }

    /// The number that the unread bytes begin with, if all of it is there.
    fn told(&self, unread: &[u8]) -> Option<u64> {
        let field = unread.get(..self.width.bytes())?;
        let mut all = [0; 8];
        Some(if self.little_endian {
            all[..field.len()].copy_from_slice(field);
            u64::from_le_bytes(all)
        } else {
            all[8 - field.len()..].copy_from_slice(field);
            u64::from_be_bytes(all)
        })
    }

    #[cold]
    fn too_little(told: u64, own: u64) -> Error {
        Error::new(ErrorKind::BadFrame, Operation::Read).detail(format!(
            "the peer announces {told} bytes in all, and the length alone has {own}"
        ))
    }
}

impl Framing for LengthField {
    type State = ();
    const TELLS_LENGTH: bool = true;

    #[inline]
    fn decode(&self, _: &mut (), unread: &[u8]) -> Result<Decoded, Error> {
        let Some(told) = self.told(unread) else {
            return Ok(Decoded::More(0));
        };
        let Some(length) = told.checked_sub(self.own()) else {
            return Err(Self::too_little(told, self.own()));
        };
        let content = match usize::try_from(length) {
            Ok(content) if (self.min..=self.most()).contains(&content) => content,
            Ok(length) => return Err(self.limits().refused(length)),
            Err(_) => return Err(self.limits().refused(usize::MAX)),
        };
        let end = self.width.bytes() + content;
        if unread.len() < end {
            return Ok(Decoded::More(end));
        }
        Ok(Decoded::Frame(Located {
            content: self.width.bytes()..end,
            consumed: end,
        }))
    }

    fn at_boundary(&self, _: &(), unread: &[u8]) -> bool {
        unread.is_empty()
    }

    fn encode(&self, content: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
        self.encode_parts(&[content], out)
    }

    fn encode_parts(&self, content: &[&[u8]], out: &mut Vec<u8>) -> Result<(), Error> {
        let length = content.iter().map(|part| part.len()).sum();
        if !(self.min..=self.most()).contains(&length) {
            return Err(self.limits().unfit(length));
        }
        let (bytes, told) = (self.width.bytes(), length as u64 + self.own());
        out.reserve(bytes + length);
        if self.little_endian {
            out.extend_from_slice(&told.to_le_bytes()[..bytes]);
        } else {
            out.extend_from_slice(&told.to_be_bytes()[8 - bytes..]);
        }
        for part in content {
            out.extend_from_slice(part);
        }
        Ok(())
    }
}
