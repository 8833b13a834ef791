//! Rust types as messages.

use std::fmt;

use crate::item::{DecodeError, EncodeError, Format, FromItem, Item, ItemRef, ReadError, ToItem, Writer};
use crate::{Header, Message, StreamFunction};

/// A type that is the content of one kind of message. `#[derive(SecsMessage)]` makes it (feature `derive`).
pub trait SecsMessage {
    /// Stream and function.
    const ABOUT: StreamFunction;
    /// Whether it asks for a reply.
    const W: bool;
    /// Whether the message has no item: all is in its header.
    const HEADER_ONLY: bool;
}

/// A message whose reply has a type too: `#[secs(reply = Type)]`.
pub trait SecsRequest: SecsMessage {
    /// The content of the reply.
    type Reply: SecsMessage;
}

/// The ten bytes as B: how stream 9 quotes a header.
impl ToItem for Header {
    fn write(&self, writer: &mut Writer) {
        writer.binary(&self.to_bytes());
    }
}

impl<'a> FromItem<'a> for Header {
    fn from_item(item: ItemRef<'a>) -> Result<Self, ReadError> {
        match <[u8; Self::LENGTH]>::try_from(item.data()) {
            Ok(bytes) if item.format() == Format::Binary => Ok(Self::from_bytes(bytes)),
            _ => Err(ReadError::expected("a header (B of ten bytes)", item)),
        }
    }
}

impl Message {
    /// Of a Rust value.
    ///
    /// # Errors
    /// If something in it is longer than an item can be.
    pub fn of<M: SecsMessage + ToItem>(session_id: u16, system: u32, content: &M) -> Result<Self, EncodeError> {
        let header = Header::data(session_id, M::ABOUT, M::W, system);
        if M::HEADER_ONLY {
            return Ok(Self::header_only(header));
        }
        Ok(Self::new(header, Item::of(content)?))
    }

    /// The reply to this message, of a Rust value.
    ///
    /// # Errors
    /// If something in it is longer than an item can be.
    pub fn reply_of<M: SecsMessage + ToItem>(&self, content: &M) -> Result<Self, EncodeError> {
        Self::of(self.header.session_id(), self.header.system(), content)
    }

    /// Its content as a Rust value.
    ///
    /// # Errors
    /// If it is another message, its text no item, or the item not what the type expects.
    pub fn read<'a, M: SecsMessage + FromItem<'a>>(&'a self) -> Result<M, ContentError> {
        if self.header.stream_function() != M::ABOUT || !self.header.is_data() {
            return Err(ContentError::Other {
                expected: M::ABOUT,
                found: self.header,
            });
        }
        let item = match &*self.text {
            [] => ItemRef::empty(),
            text => ItemRef::parse(text).map_err(ContentError::Decode)?,
        };
        item.read().map_err(ContentError::Read)
    }
}

/// A message whose content is not what was expected.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ContentError {
    /// It is another message.
    Other {
        /// What the type is about.
        expected: StreamFunction,
        /// What came.
        found: Header,
    },
    /// Its text is no item.
    Decode(DecodeError),
    /// The item is not what the type expects.
    Read(ReadError),
}

impl fmt::Display for ContentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Other { expected, found } if found.is_data() => {
                write!(f, "expected {expected}, found {}", found.stream_function())
            }
            Self::Other { expected, found } => write!(f, "expected {expected}, found {}", found.s_type()),
            Self::Decode(error) => write!(f, "the text is no item: {error}"),
            Self::Read(error) => write!(f, "{error}"),
        }
    }
}

impl std::error::Error for ContentError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Other { .. } => None,
            Self::Decode(error) => Some(error),
            Self::Read(error) => Some(error),
        }
    }
}
