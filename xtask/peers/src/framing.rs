//! The two framings of the benchmarks, cut as cheaply as can be: in place, without a buffer of their own.

use crate::Outcome;
use memchr::memchr;

/// How a stream is cut into frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// Lines that end with LF.
    Line,
    /// A big-endian `u32` that counts the bytes after it.
    Length,
}

/// 15 × `a` and LF.
pub const LINE: &[u8] = b"aaaaaaaaaaaaaaa\n";

/// The HSMS message linktest.req: a length of 10, then the header.
pub const LINKTEST: &[u8] = &[0, 0, 0, 0x0A, 0xFF, 0xFF, 0, 0, 0, 5, 0, 0, 0, 1];

impl Framing {
    /// The frame that the echo benchmarks send.
    #[must_use]
    pub fn example(self) -> &'static [u8] {
        match self {
            Self::Line => LINE,
            Self::Length => LINKTEST,
        }
    }

    /// Its name in tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Line => "line",
            Self::Length => "hsms",
        }
    }

    /// Shows every whole frame in `bytes`, terminator or length included, and tells how many bytes they were.
    #[inline]
    pub fn walk(self, bytes: &[u8], mut each: impl FnMut(&[u8])) -> usize {
        let mut rest = bytes;
        match self {
            Self::Line => {
                while let Some(end) = memchr(b'\n', rest) {
                    let (frame, after) = rest.split_at(end + 1);
                    each(frame);
                    rest = after;
                }
            }
            Self::Length => {
                while let Some((header, body)) = rest.split_first_chunk::<4>() {
                    let length = u32::from_be_bytes(*header) as usize;
                    if body.len() < length {
                        break;
                    }
                    let (frame, after) = rest.split_at(4 + length);
                    each(frame);
                    rest = after;
                }
            }
        }
        bytes.len() - rest.len()
    }

    /// About `total` bytes of frames of `size` bytes each (terminator or length included), each with another content.
    ///
    /// # Errors
    /// If `size` has no room for the terminator or the length.
    pub fn samples(self, size: usize, total: usize) -> Outcome<Vec<u8>> {
        let count = total / size;
        let mut bytes = Vec::with_capacity(count * size);
        for (index, letter) in (0..count).zip((b'a'..=b'z').cycle()) {
            match self {
                Self::Line => {
                    bytes.resize((index + 1) * size - 1, letter);
                    bytes.push(b'\n');
                }
                Self::Length => {
                    let body = size.checked_sub(4).ok_or("no room for the length")?;
                    bytes.extend_from_slice(&u32::try_from(body)?.to_be_bytes());
                    bytes.resize((index + 1) * size, letter);
                }
            }
        }
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(framing: Framing, bytes: &[u8]) -> (Vec<Vec<u8>>, usize) {
        let mut frames = Vec::new();
        let used = framing.walk(bytes, |frame| frames.push(frame.to_vec()));
        (frames, used)
    }

    #[test]
    fn whole_frames_are_cut_and_the_tail_is_left() {
        for framing in [Framing::Line, Framing::Length] {
            let size = framing.example().len();
            let bytes = framing.samples(size, 10 * size).unwrap();
            for cut in 0..=bytes.len() {
                let (frames, used) = frames(framing, &bytes[..cut]);
                assert_eq!(frames.len(), cut / size);
                assert_eq!(used, cut / size * size);
                assert_eq!(frames.concat(), bytes[..used]);
            }
        }
    }

    #[test]
    fn the_example_is_one_frame() {
        for framing in [Framing::Line, Framing::Length] {
            assert_eq!(frames(framing, framing.example()).1, framing.example().len());
        }
    }
}
