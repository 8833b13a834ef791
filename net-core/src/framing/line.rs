//! Lines: a frame ends with a line feed.

use memchr::{memchr, memchr3};

use super::{Decoded, FrameFault, Framing, Located};
use crate::{Error, ErrorKind, Operation};

/// Lines that end with LF, of at most 64 KiB by default; one CR before the LF is taken off.
///
/// A line that is too long is a frame with a fault: the rest of it is dropped as it comes, and the next line is read
/// as usual. A line without its LF at the end of the stream is never a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Line {
    /// The longest content, in bytes, without its terminator. Default: 65 536.
    pub max: usize,
    /// Whether CR before LF belongs to the terminator. Default: true.
    pub strip_cr: bool,
    /// What ends the lines that we send. Default: LF.
    pub terminator: Terminator,
    /// Whether lines that we send may contain CR, LF and NUL, which make other lines of them. Default: false.
    pub allow_controls: bool,
}

/// What ends a line that is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Terminator {
    /// One line feed.
    #[default]
    Lf,
    /// Carriage return and line feed, for peers that insist on it.
    CrLf,
}

impl Default for Line {
    fn default() -> Self {
        Self {
            max: 64 * 1024,
            strip_cr: true,
            terminator: Terminator::Lf,
            allow_controls: false,
        }
    }
}

impl Line {
    /// Limits the content of a line, in bytes.
    #[must_use]
    pub fn max(mut self, bytes: usize) -> Self {
        self.max = bytes;
        self
    }

    /// Takes LF alone for the terminator: a CR before it belongs to the content.
    #[must_use]
    pub fn strict_lf(mut self) -> Self {
        self.strip_cr = false;
        self
    }

    /// Sets what ends the lines that we send.
    #[must_use]
    pub fn terminator(mut self, terminator: Terminator) -> Self {
        self.terminator = terminator;
        self
    }

    /// Lets lines that we send contain CR, LF and NUL: one call may then send several lines.
    #[must_use]
    pub fn allow_controls(mut self) -> Self {
        self.allow_controls = true;
        self
    }
}

/// How far the unfinished line has been looked at.
#[derive(Clone, Debug, Default)]
pub struct LineState {
    searched: usize,
    /// Bytes of a line that is too long and was dropped so far.
    dropped: usize,
    /// The last dropped byte was a CR: if LF comes next, it was no content.
    dropped_cr: bool,
}

impl Framing for Line {
    type State = LineState;
    const TELLS_LENGTH: bool = false;

    #[inline(always)]
    fn decode(&self, state: &mut LineState, unread: &[u8]) -> Result<Decoded, Error> {
        let Some(at) = find_lf(&unread[state.searched..]) else {
            return Ok(self.without_end(state, unread));
        };
        let end = state.searched + at;
        state.searched = 0;
        let carriage = usize::from(self.strip_cr && end > 0 && unread[end - 1] == b'\r');
        let length = end - carriage;
        if length > self.max || state.dropped > 0 {
            return Ok(self.too_long(state, end, length));
        }
        Ok(Decoded::Frame(Located {
            content: 0..length,
            consumed: end + 1,
        }))
    }

    fn at_boundary(&self, state: &LineState, unread: &[u8]) -> bool {
        unread.is_empty() && state.dropped == 0
    }

    #[inline]
    fn encode(&self, content: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
        if !self.allow_controls
            && may_have_controls(content)
            && let Some(at) = memchr3(b'\n', b'\r', 0, content)
        {
            return Err(control(content, at));
        }
        if content.len() > self.max {
            return Err(Error::new(ErrorKind::FrameTooLong, Operation::Write).detail(format!(
                "a line of {} bytes, the limit is {}",
                content.len(),
                self.max
            )));
        }
        out.reserve(content.len() + 2);
        out.extend_from_slice(content);
        match self.terminator {
            Terminator::Lf => out.push(b'\n'),
            Terminator::CrLf => out.extend_from_slice(b"\r\n"),
        }
        Ok(())
    }
}

impl Line {
    #[cold]
    fn too_long(&self, state: &mut LineState, end: usize, length: usize) -> Decoded {
        let hidden = usize::from(self.strip_cr && end == 0 && state.dropped_cr);
        let fault = FrameFault::TooLong {
            limit: self.max,
            length: state.dropped + length - hidden,
        };
        *state = LineState::default();
        Decoded::Fault {
            fault,
            consumed: end + 1,
        }
    }

    #[cold]
    fn without_end(&self, state: &mut LineState, unread: &[u8]) -> Decoded {
        // One byte over the limit may still be the CR of the terminator.
        let over =
            unread.len() > self.max && !(self.strip_cr && unread.len() == self.max + 1 && unread[self.max] == b'\r');
        if state.dropped > 0 || over {
            if let Some(last) = unread.last() {
                state.dropped += unread.len();
                state.dropped_cr = *last == b'\r';
            }
            state.searched = 0;
            return Decoded::Discard(unread.len());
        }
        state.searched = unread.len();
        Decoded::More(0)
    }
}

/// Where the first LF is. Most commands are short: the first 16 bytes are looked at as one number, which takes less time
/// than calling the search that long lines need.
#[inline(always)]
fn find_lf(bytes: &[u8]) -> Option<usize> {
    const ONES: u128 = u128::from_le_bytes([0x01; 16]);
    const HIGH: u128 = u128::from_le_bytes([0x80; 16]);
    let Some(first) = bytes.first_chunk::<16>() else {
        return memchr(b'\n', bytes);
    };
    // Bytes that are LF become zero. Subtracting one borrows into the high bit of a zero byte; above the first one the
    // borrow may mark others too, so only the first mark counts.
    let zeros = u128::from_le_bytes(*first) ^ u128::from_le_bytes([b'\n'; 16]);
    let marks = zeros.wrapping_sub(ONES) & !zeros & HIGH;
    if marks != 0 {
        return Some(marks.trailing_zeros() as usize / 8);
    }
    memchr(b'\n', &bytes[16..]).map(|at| at + 16)
}

/// Whether an exact search for CR, LF and NUL is worth while. Most lines are short, and then a look for any byte below
/// 16, eight at a time, is several times cheaper; only the few with a TAB or the like need the exact search too.
#[inline(always)]
fn may_have_controls(content: &[u8]) -> bool {
    match (content.first_chunk::<8>(), content.last_chunk::<8>()) {
        // Together the first and the last eight bytes are all of it; where they overlap, looking twice does no harm.
        (Some(first), Some(last)) if content.len() <= 16 => below_16(*first) | below_16(*last) != 0,
        (Some(_), _) => true,
        _ => content.iter().any(|byte| *byte < 16),
    }
}

/// Not zero if any of the bytes is below 16.
#[inline(always)]
fn below_16(bytes: [u8; 8]) -> u64 {
    const ONES: u64 = u64::from_ne_bytes([0x01; 8]);
    // A byte below 16 has no bit in its upper half; subtracting one borrows from such a byte before any other.
    let upper = (u64::from_ne_bytes(bytes) >> 4) & u64::from_ne_bytes([0x0F; 8]);
    upper.wrapping_sub(ONES) & !upper & u64::from_ne_bytes([0x80; 8])
}

#[cold]
fn control(content: &[u8], at: usize) -> Error {
    let name = match content[at] {
        b'\n' => "LF",
        b'\r' => "CR",
        _ => "NUL",
    };
    Error::new(ErrorKind::BadFrame, Operation::Write).detail(format!(
        "a line must not contain {name} (at byte {at}): it would make another line"
    ))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_quick_looks_find_what_the_plain_ones_do(bytes in proptest::collection::vec(prop_oneof![
            Just(b'\n'), Just(b'\r'), Just(0), Just(0x0B), Just(0x0F), Just(0x10), Just(0x8A), any::<u8>()
        ], 0..40)) {
            prop_assert_eq!(find_lf(&bytes), bytes.iter().position(|byte| *byte == b'\n'));
            if bytes.iter().any(|byte| matches!(byte, b'\n' | b'\r' | 0)) {
                prop_assert!(may_have_controls(&bytes));
            }
        }
    }
}
