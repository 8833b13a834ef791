//! A length before each frame: 32 bits, big-endian.

use super::{Decoded, Framing, Located};
use crate::{Error, ErrorKind, Operation};

/// The bytes of the prefix.
const PREFIX: usize = 4;

/// Frames after a length of four bytes, big-endian, that counts the content only; at most 16 MiB by default.
///
/// The limit is checked as soon as the prefix is there, before anything is allocated for the frame. A prefix over the
/// limit, or under the minimum, ends the connection: nothing after it can be understood.
///
/// A [`LengthField`](super::LengthField) is the same for peers that write their lengths otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LengthPrefix {
    /// The longest content, in bytes. Default: 16 777 216.
    pub max: usize,
    /// The shortest content, in bytes. Default: 0.
    pub min: usize,
}

impl Default for LengthPrefix {
    fn default() -> Self {
        Self {
            max: 16 * 1024 * 1024,
            min: 0,
        }
    }
}

impl LengthPrefix {
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
}

impl Framing for LengthPrefix {
    type State = ();
    const TELLS_LENGTH: bool = true;

    #[inline(always)]
    fn decode(&self, _: &mut (), unread: &[u8]) -> Result<Decoded, Error> {
        let Some((prefix, rest)) = unread.split_first_chunk::<PREFIX>() else {
            return Ok(Decoded::More(0));
        };
        let length = u32::from_be_bytes(*prefix) as usize;
        if length > self.max || length < self.min {
            return Err(self.refused(length));
        }
        if rest.len() < length {
            return Ok(Decoded::More(PREFIX + length));
        }
        Ok(Decoded::Frame(Located {
            content: PREFIX..PREFIX + length,
            consumed: PREFIX + length,
        }))
    }

    fn at_boundary(&self, _: &(), unread: &[u8]) -> bool {
        unread.is_empty()
    }

    #[inline]
    fn encode(&self, content: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
        self.encode_parts(&[content], out)
    }

    #[inline]
    fn encode_parts(&self, content: &[&[u8]], out: &mut Vec<u8>) -> Result<(), Error> {
        let length = content.iter().map(|part| part.len()).sum();
        let prefix = match u32::try_from(length) {
            Ok(prefix) if (self.min..=self.max).contains(&length) => prefix,
            _ => return Err(self.unfit(length)),
        };
        out.reserve(PREFIX + length);
        out.extend_from_slice(&prefix.to_be_bytes());
        for part in content {
            out.extend_from_slice(part);
        }
        Ok(())
    }
}

impl LengthPrefix {
    #[cold]
    pub(super) fn unfit(&self, length: usize) -> Error {
        if length < self.min {
            Error::new(ErrorKind::BadFrame, Operation::Write)
                .detail(format!("a frame of {length} bytes, the least is {}", self.min))
        } else {
            Error::new(ErrorKind::FrameTooLong, Operation::Write)
                .detail(format!("a frame of {length} bytes, the limit is {}", self.max))
        }
    }

    #[cold]
    pub(super) fn refused(&self, length: usize) -> Error {
        if length > self.max {
            Error::new(ErrorKind::FrameTooLong, Operation::Read).detail(format!(
                "the peer announces a frame of {length} bytes, the limit is {}",
                self.max
            ))
        } else {
            Error::new(ErrorKind::BadFrame, Operation::Read).detail(format!(
                "the peer announces a frame of {length} bytes, the least is {}",
                self.min
            ))
        }
    }
}
