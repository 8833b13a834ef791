//! One frame, lent or owned.

use std::fmt;
use std::ops::Deref;

use bytes::Bytes;

use super::input::Buffer;
use crate::framing::FrameFault;

/// One frame, lent by the read buffer.
pub struct Frame<'a> {
    pub(super) buffer: &'a mut Buffer,
}

impl Frame<'_> {
    /// The content; empty if there is a fault.
    #[inline]
    pub fn bytes(&self) -> &[u8] {
        self.buffer.frame()
    }

    /// What is wrong with it, if it is a frame with a fault.
    #[inline]
    pub fn fault(&self) -> Option<FrameFault> {
        self.buffer.fault()
    }

    /// Owns the content: splits it off the read buffer without a copy.
    #[inline]
    pub fn into_bytes(self) -> Bytes {
        self.buffer.split()
    }
}

impl Deref for Frame<'_> {
    type Target = [u8];
    #[inline]
    fn deref(&self) -> &[u8] {
        self.bytes()
    }
}

impl fmt::Debug for Frame<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Frame")
            .field("bytes", &self.bytes())
            .field("fault", &self.fault())
            .finish()
    }
}
