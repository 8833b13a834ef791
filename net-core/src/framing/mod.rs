//! How bytes fall into frames: plain rules without I/O, which [`Framed`](crate::Framed) drives.
//!
//! A framing never owns bytes. It looks at what has been read and not yet used, and says where a frame lies in it; so
//! the same rules serve lent and owned frames.
//!
//! [`Line`] ends with a line feed; [`LengthPrefix`] and [`LengthField`] tell their length first; [`Raw`] is whatever one
//! read brings. A protocol with other rules implements [`Framing`].

mod field;
mod length;
mod line;
mod raw;
#[cfg(feature = "tokio-codec")]
mod tokio_codec;

use std::fmt;
use std::ops::Range;

pub use field::{LengthField, Width};
pub use length::LengthPrefix;
pub use line::{Line, LineState, Terminator};
pub use raw::Raw;
#[cfg(feature = "tokio-codec")]
pub use tokio_codec::{Codec, OwnedFrame};

use crate::Error;

/// Rules that cut a byte stream into frames and put frames into one.
///
/// An implementation holds only settings; what it must remember between two looks at the same bytes lives in its
/// [`State`](Self::State), one for each connection.
///
/// ```
/// use net_core::framing::{Decoded, Framing, Line};
///
/// let (line, mut state) = (Line::default(), Default::default());
/// let Ok(Decoded::Frame(frame)) = line.decode(&mut state, b"ping\r\nrest") else { panic!() };
/// assert_eq!((frame.content, frame.consumed), (0..4, 6));
/// ```
pub trait Framing: fmt::Debug + Clone + Send + Sync + 'static {
    /// What is remembered while a frame is incomplete, for example how far it has been searched.
    type State: fmt::Debug + Default + Send + 'static;

    /// Whether a frame tells its own length. If so, an end of the stream on a frame boundary is known to be complete,
    /// even when TLS ended without close_notify.
    const TELLS_LENGTH: bool;

    /// Looks for the first frame in the bytes that were read and not yet used.
    ///
    /// After [`Decoded::More`] it is called again with the same bytes and more behind them; after the others with what follows the bytes that those used up.
    ///
    /// # Errors
    /// What ends the connection: the stream can't be cut into frames any more.
    fn decode(&self, state: &mut Self::State, unread: &[u8]) -> Result<Decoded, Error>;

    /// Whether the stream may end here: nothing of a frame has come yet.
    fn at_boundary(&self, state: &Self::State, unread: &[u8]) -> bool;

    /// Puts one frame into the out-buffer.
    ///
    /// # Errors
    /// If the content can't be a frame: it is too long, or contains what ends one. Nothing is written then.
    fn encode(&self, content: &[u8], out: &mut Vec<u8>) -> Result<(), Error>;

    /// Puts one frame, whose content lies in several parts, into the out-buffer. Unless a framing knows better, the parts
    /// are joined first.
    ///
    /// # Errors
    /// As [`encode`](Self::encode).
    fn encode_parts(&self, content: &[&[u8]], out: &mut Vec<u8>) -> Result<(), Error> {
        self.encode(&content.concat(), out)
    }
}

/// What [`Framing::decode`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decoded {
    /// A whole frame.
    Frame(Located),
    /// A frame that can't be had, which the stream survives.
    Fault {
        /// What is wrong with it.
        fault: FrameFault,
        /// How many bytes it takes of those shown, terminator included.
        consumed: usize,
    },
    /// No whole frame yet; the frame that has begun needs about this many bytes in all (0 if that is not known).
    More(usize),
    /// No frame, and this many of the bytes are of no use: they need not be kept.
    Discard(usize),
}

/// Where a frame lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    /// The frame's content.
    pub content: Range<usize>,
    /// How many bytes the frame takes in all, with prefix and terminator.
    pub consumed: usize,
}

/// What is wrong with a frame that the stream survives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FrameFault {
    /// It was longer than the limit; its content has been dropped.
    TooLong {
        /// The limit, in bytes.
        limit: usize,
        /// How long it was, in bytes.
        length: usize,
    },
}

impl fmt::Display for FrameFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { limit, length } => write!(f, "{length} bytes, more than the limit of {limit}"),
        }
    }
}
