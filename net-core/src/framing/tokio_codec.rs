//! Our framings for users of `tokio_util::codec`.

use std::io;

use bytes::{Buf, Bytes, BytesMut};
use tokio_util::codec::{Decoder, Encoder};

use super::{Decoded, FrameFault, Framing};
use crate::{Error, ErrorKind, Operation};

/// A framing of this crate as a codec of tokio-util, for code that is built on its `Framed`, `FramedRead` and
/// `FramedWrite`. The other way round needs no adapter: tokio-util's `Framed` takes any of its codecs over a
/// [`Stream`](crate::Stream).
///
/// An over-long line comes as an item with a fault, not as an error, so that tokio-util's stall after decode errors
/// does not arise.
///
/// ```
/// use net_core::framing::{Codec, Line};
/// use tokio_util::codec::Decoder;
///
/// let mut codec = Codec::new(Line::default().max(4));
/// let mut buffer = bytes::BytesMut::from("toolong\nping\n");
/// assert!(codec.decode(&mut buffer)?.unwrap().fault.is_some());
/// assert_eq!(codec.decode(&mut buffer)?.unwrap().bytes, "ping");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Codec<F: Framing> {
    framing: F,
    state: F::State,
}

/// A frame that owns its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnedFrame {
    /// The content; empty if there is a fault.
    pub bytes: Bytes,
    /// What is wrong with the frame.
    pub fault: Option<FrameFault>,
}

impl<F: Framing> Codec<F> {
    /// A codec with this framing.
    pub fn new(framing: F) -> Self {
        Self {
            framing,
            state: F::State::default(),
        }
    }
}

impl<F: Framing> Decoder for Codec<F> {
    type Item = OwnedFrame;
    type Error = io::Error;

    fn decode(&mut self, buffer: &mut BytesMut) -> io::Result<Option<OwnedFrame>> {
        loop {
            match self.framing.decode(&mut self.state, buffer)? {
                Decoded::Frame(found) => {
                    let mut frame = buffer.split_to(found.consumed);
                    frame.truncate(found.content.end);
                    frame.advance(found.content.start);
                    return Ok(Some(OwnedFrame {
                        bytes: frame.freeze(),
                        fault: None,
                    }));
                }
                Decoded::Fault { fault, consumed } => {
                    buffer.advance(consumed);
                    return Ok(Some(OwnedFrame {
                        bytes: Bytes::new(),
                        fault: Some(fault),
                    }));
                }
                Decoded::Discard(n) if n > 0 => buffer.advance(n),
                Decoded::Discard(_) | Decoded::More(_) => return Ok(None),
            }
        }
    }

    fn decode_eof(&mut self, buffer: &mut BytesMut) -> io::Result<Option<OwnedFrame>> {
        match self.decode(buffer)? {
            Some(frame) => Ok(Some(frame)),
            None if self.framing.at_boundary(&self.state, buffer) => Ok(None),
            None => Err(Error::new(ErrorKind::Truncated, Operation::Read).into()),
        }
    }
}

impl<F: Framing> Encoder<&[u8]> for Codec<F> {
    type Error = io::Error;

    fn encode(&mut self, content: &[u8], buffer: &mut BytesMut) -> io::Result<()> {
        let mut encoded = Vec::new();
        self.framing.encode(content, &mut encoded)?;
        buffer.extend_from_slice(&encoded);
        Ok(())
    }
}

impl<F: Framing> Encoder<Bytes> for Codec<F> {
    type Error = io::Error;

    fn encode(&mut self, content: Bytes, buffer: &mut BytesMut) -> io::Result<()> {
        Encoder::<&[u8]>::encode(self, &content, buffer)
    }
}
