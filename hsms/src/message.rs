//! A header with its text.

use std::fmt;

use bytes::Bytes;

use crate::item::{DecodeError, Item, Limits};
use crate::{Header, StreamFunction};

/// A message: the header, and the text, which in a SECS-II message is empty or one item.
///
/// Cloning shares the text. The text form begins with `header: `, as the logs of such systems do; an item follows on
/// lines of its own, as [SML](crate::sml):
///
/// ```
/// use hsms::{Header, Message};
///
/// let message = Message::header_only(Header::linktest_req(2));
/// assert_eq!(
///     message.to_string(),
///     "header: {session_id:0xffff, stream:00, function:00, p_type:0x00, s_type:0x05, system:0x00000002, \
///      require_response:0}"
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Message {
    /// The ten bytes at its head.
    pub header: Header,
    /// What follows them, as it came.
    pub text: Bytes,
}

impl Message {
    /// Of a header and a text.
    #[must_use]
    pub fn new(header: Header, text: impl Into<Bytes>) -> Self {
        Self {
            header,
            text: text.into(),
        }
    }

    /// Without text: every control message, and data messages that say all in their header.
    #[must_use]
    pub const fn header_only(header: Header) -> Self {
        Self {
            header,
            text: Bytes::new(),
        }
    }

    /// A SECS-II message with an item.
    #[must_use]
    pub fn data(session_id: u16, about: StreamFunction, w: bool, system: u32, item: Item) -> Self {
        Self::new(Header::data(session_id, about, w, system), item)
    }

    /// The item of a SECS-II message; `None` if it has no text. The bytes are shared with the message, not copied.
    ///
    /// # Errors
    /// If the text is no item, or beyond the default [`Limits`].
    pub fn item(&self) -> Result<Option<Item>, DecodeError> {
        self.item_with(Limits::default())
    }

    /// The same, with limits of one's own.
    ///
    /// # Errors
    /// If the text is no item, or beyond the limits.
    pub fn item_with(&self, limits: Limits) -> Result<Option<Item>, DecodeError> {
        if self.text.is_empty() {
            return Ok(None);
        }
        Item::parse_with(self.text.clone(), limits).map(Some)
    }

    /// What a data message is about.
    #[must_use]
    pub const fn stream_function(&self) -> StreamFunction {
        self.header.stream_function()
    }
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "header: {}", self.header)?;
        if self.text.is_empty() {
            return Ok(());
        }
        let item = match self.header.p_type() {
            0 if self.header.is_data() => self.item().ok().flatten(),
            _ => None,
        };
        match item {
            Some(item) => {
                f.write_str("\n")?;
                crate::sml::write_lines(item.view(), f)
            }
            None => write!(f, ", text: {} bytes", self.text.len()),
        }
    }
}
