//! No framing: whatever has come is a chunk.

use super::{Decoded, Framing, Located};
use crate::Error;

/// Chunks as they come: everything that was read at once is one frame, and what is sent is sent as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Raw;

impl Framing for Raw {
    type State = ();
    const TELLS_LENGTH: bool = false;

    #[inline(always)]
    fn decode(&self, _: &mut (), unread: &[u8]) -> Result<Decoded, Error> {
        if unread.is_empty() {
            return Ok(Decoded::More(0));
        }
        Ok(Decoded::Frame(Located {
            content: 0..unread.len(),
            consumed: unread.len(),
        }))
    }

    fn at_boundary(&self, _: &(), unread: &[u8]) -> bool {
        unread.is_empty()
    }

    #[inline]
    fn encode(&self, content: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
        out.extend_from_slice(content);
        Ok(())
    }
}
