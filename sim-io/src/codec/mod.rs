//! Serialisers of messages: how `[type, id, content]` becomes bytes.
//!
//! | codec | feature | writes |
//! |---|---|---|
//! | `Json` | `json` | compact JSON, by serde_json |
//! | `PythonJson` | `python-json` | the very bytes of Python's `json` module; reads `NaN`, `Infinity`, lone surrogates |
//! | `MessagePack` | `msgpack` | MessagePack, by rmp-serde |
//! | `Cbor` | `cbor` | CBOR, by ciborium |
//!
//! The first two understand each other. Contents are any types of [serde](https://serde.rs). A codec of your own
//! implements [`Codec`], and [`Encode`] and [`Decode`] for the contents that it can carry; those need not be serde's.

#[cfg(any(feature = "cbor", feature = "msgpack"))]
mod binary;
#[cfg(feature = "cbor")]
mod cbor;
#[cfg(feature = "json")]
mod json;
#[cfg(any(feature = "json", feature = "python-json"))]
mod json_text;
#[cfg(feature = "msgpack")]
mod msgpack;
#[cfg(feature = "python-json")]
pub mod python;

use std::fmt;
use std::sync::Arc;

#[cfg(feature = "cbor")]
pub use cbor::Cbor;
#[cfg(feature = "json")]
pub use json::Json;
#[cfg(feature = "msgpack")]
pub use msgpack::MessagePack;
#[cfg(feature = "python-json")]
pub use python::PythonJson;

use crate::message::{FailureForm, Fault};

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Kind {
    /// Type 0: asks for a reply.
    Request = 0,
    /// Type 1: the reply to a request that succeeded.
    Success = 1,
    /// Type 2: the reply to a request that failed.
    Failure = 2,
}

impl Kind {
    /// The type with this number.
    pub fn from_number(number: u64) -> Option<Self> {
        match number {
            0 => Some(Self::Request),
            1 => Some(Self::Success),
            2 => Some(Self::Failure),
            _ => None,
        }
    }
}

/// What ties a reply to its request: a number, counted from 0 for each channel and direction.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Id {
    /// What our side sends, and every peer should.
    Number(u64),
    /// Anything else that a peer thought fit, in its codec's bytes. The reply bears it unchanged.
    Other(Box<[u8]>),
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Other(bytes) => bytes.escape_ascii().fmt(f),
        }
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Id({self})")
    }
}

/// The parts of a message that was received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope<'a> {
    /// Its type.
    pub kind: Kind,
    /// Its id.
    pub id: Id,
    /// The bytes of its content.
    pub content: &'a [u8],
    /// It has a type or an id that no decent peer sends but Python takes, such as `false` for type 0;
    /// [`strict`](crate::message::MessageOptions::strict) channels refuse it.
    pub odd: bool,
}

/// How messages become bytes. The parts are written in their order: [`begin`](Self::begin), the content, and
/// [`end`](Self::end).
pub trait Codec: fmt::Debug + Send + Sync + 'static {
    /// Writes what comes before the content.
    fn begin(&self, kind: Kind, id: &Id, out: &mut Vec<u8>);

    /// Writes what comes after the content.
    fn end(&self, out: &mut Vec<u8>);

    /// Finds the parts of a message, without understanding its content.
    ///
    /// # Errors
    /// If the packet is no message. That ends the channel: nobody knows what the peer meant.
    fn open<'a>(&self, packet: &'a [u8]) -> Result<Envelope<'a>, CodecError>;

    /// Writes the content of a failure.
    ///
    /// # Errors
    /// If it can't be written.
    fn encode_fault(&self, fault: &Fault, form: FailureForm, out: &mut Vec<u8>) -> Result<(), CodecError>;

    /// Reads the content of a failure, in whichever form.
    fn decode_fault(&self, content: &[u8]) -> Fault;
}

/// A codec that can write contents of this type.
pub trait Encode<T: ?Sized>: Codec {
    /// Writes the content of a message.
    ///
    /// # Errors
    /// If the value has no place in this codec. What was written is discarded then.
    fn encode(&self, content: &T, out: &mut Vec<u8>) -> Result<(), CodecError>;
}

/// A codec that can read contents of this type.
pub trait Decode<T>: Codec {
    /// Reads the content of a message.
    ///
    /// # Errors
    /// If it is something else. That is the matter of this message alone.
    fn decode(&self, content: &[u8]) -> Result<T, CodecError>;
}

/// Something could not be written or read by a codec.
#[derive(Clone, PartialEq, Eq)]
pub struct CodecError(Arc<str>);

impl CodecError {
    /// An error that says this.
    pub fn new(text: impl fmt::Display) -> Self {
        Self(text.to_string().into())
    }
}

impl fmt::Display for CodecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for CodecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CodecError({self})")
    }
}

impl std::error::Error for CodecError {}
