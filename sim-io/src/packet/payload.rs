//! What packets hold: bytes or text.

use bytes::Bytes;
use net_core::{Error, ErrorKind, Frame, Operation, Result};

/// Up to this size a packet is copied out of the read buffer, which then stays in use; a larger one is split off.
const COPIED: usize = 4096;

/// What packets hold: [`Bytes`] or [`String`]. Nothing else can.
pub trait Payload: sealed::Sealed + Sized + Send + 'static {
    /// The same, lent: `[u8]` or `str`.
    type Lent: ?Sized;

    #[doc(hidden)]
    fn take(frame: Frame<'_>) -> Result<Self>;
    #[doc(hidden)]
    fn lend(frame: &[u8]) -> Result<&Self::Lent>;
    #[doc(hidden)]
    fn bytes(lent: &Self::Lent) -> &[u8];
}

mod sealed {
    #[expect(
        unnameable_types,
        reason = "sealed: nobody outside may implement it, so nobody needs its name"
    )]
    pub trait Sealed {}
    impl Sealed for bytes::Bytes {}
    impl Sealed for String {}
}

impl Payload for Bytes {
    type Lent = [u8];

    #[inline]
    fn take(frame: Frame<'_>) -> Result<Self> {
        Ok(owned(frame))
    }

    #[inline]
    fn lend(frame: &[u8]) -> Result<&[u8]> {
        Ok(frame)
    }

    #[inline]
    fn bytes(lent: &[u8]) -> &[u8] {
        lent
    }
}

impl Payload for String {
    type Lent = str;

    #[inline]
    fn take(frame: Frame<'_>) -> Result<Self> {
        Self::lend(&frame).map(str::to_owned)
    }

    #[inline]
    fn lend(frame: &[u8]) -> Result<&str> {
        std::str::from_utf8(frame).map_err(not_utf8)
    }

    #[inline]
    fn bytes(lent: &str) -> &[u8] {
        lent.as_bytes()
    }
}

/// Owns a frame. Splitting a small one off would cost the connection its buffer, which is dearer than the copy.
#[inline]
pub(crate) fn owned(frame: Frame<'_>) -> Bytes {
    if frame.len() <= COPIED {
        Bytes::copy_from_slice(&frame)
    } else {
        frame.into_bytes()
    }
}

#[cold]
fn not_utf8(error: std::str::Utf8Error) -> Error {
    Error::new(ErrorKind::BadFrame, Operation::Read).detail(format!(
        "the packet is no UTF-8 text: a bad byte at {}",
        error.valid_up_to()
    ))
}
