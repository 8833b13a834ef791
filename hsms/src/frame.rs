//! Messages on the wire: a length of four bytes, big-endian, that does not count itself; the header; the text.
//!
//! [`framing`] cuts a stream into frames, for [`net_core::Framed`] or by hand; [`split`] takes one apart; [`encode`] writes
//! one. HSMS has no blocks: a frame is a whole message.

use net_core::framing::LengthPrefix;
use net_core::{Error, ErrorKind, Operation};

use crate::Header;

/// The longest text by default: 16 MiB, more than the largest item of one level.
pub const MAX_TEXT: usize = 16 * 1024 * 1024;

/// The rules for frames whose text has at most `max_text` bytes (default: [`MAX_TEXT`]).
///
/// A length below ten or above the limit ends the connection, as soon as its four bytes are there: nothing is allocated
/// for it. Limits beyond what a length can say (4 GiB) are the same as none.
///
/// ```
/// use hsms::frame;
/// use net_core::framing::{Decoded, Framing};
///
/// let rules = frame::framing(1000);
/// assert!(rules.decode(&mut (), &[0, 0, 0, 9]).is_err());
/// assert!(rules.decode(&mut (), &[0xFF, 0xFF, 0xFF, 0xF0]).is_err());
/// assert_eq!(rules.decode(&mut (), &[0, 0, 0, 10, 0xFF])?, Decoded::More(14));
/// # Ok::<(), hsms::Error>(())
/// ```
#[must_use]
pub fn framing(max_text: usize) -> LengthPrefix {
    LengthPrefix::default()
        .min(Header::LENGTH)
        .max(max_text.saturating_add(Header::LENGTH))
}

/// Takes a frame apart: the content, without its length, is a header and a text.
///
/// # Errors
/// [`ErrorKind::BadFrame`] if it is shorter than a header. [`framing`] lets no such frame through.
#[inline]
pub fn split(content: &[u8]) -> Result<(Header, &[u8]), Error> {
    match content.split_first_chunk() {
        Some((header, text)) => Ok((Header::from_bytes(*header), text)),
        None => Err(short(content.len())),
    }
}

#[cold]
fn short(length: usize) -> Error {
    Error::new(ErrorKind::BadFrame, Operation::Read).detail(format!(
        "a frame of {length} bytes, a header alone has {}",
        Header::LENGTH
    ))
}

/// Writes a frame behind what `out` holds.
///
/// # Errors
/// [`ErrorKind::FrameTooLong`] if its length can't be said in 32 bits. Nothing is written then.
#[inline]
pub fn encode(header: &Header, text: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
    let length = prefix(text.len())?;
    out.reserve(PREFIX + Header::LENGTH + text.len());
    let mut head = [0; PREFIX + Header::LENGTH];
    head[..PREFIX].copy_from_slice(&length);
    head[PREFIX..].copy_from_slice(&header.to_bytes());
    out.extend_from_slice(&head);
    out.extend_from_slice(text);
    Ok(())
}

/// The bytes of the length.
const PREFIX: usize = 4;

#[inline]
fn prefix(text: usize) -> Result<[u8; PREFIX], Error> {
    match u32::try_from(text.saturating_add(Header::LENGTH)) {
        Ok(length) => Ok(length.to_be_bytes()),
        Err(_) => Err(Error::new(ErrorKind::FrameTooLong, Operation::Write)
            .detail(format!("a text of {text} bytes, HSMS can't send more than 4 GiB"))),
    }
}
