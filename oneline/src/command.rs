//! One command, as the handler sees it.

use std::borrow::Cow;

/// A line that is not a built-in command: the handler's to answer.
///
/// It is lent: text and bytes lie in the connection's read buffer. [`into_owned`](Self::into_owned) makes an
/// [`OwnedCommand`] that may live on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command<'a> {
    raw: Cow<'a, [u8]>,
    text: Cow<'a, str>,
    invalid: bool,
}

/// A command that owns its content: what closures get.
pub type OwnedCommand = Command<'static>;

impl<'a> Command<'a> {
    pub(crate) fn new(raw: &'a [u8], text: Cow<'a, str>, invalid: bool) -> Self {
        Self {
            raw: Cow::Borrowed(raw),
            text,
            invalid,
        }
    }

    /// The text, by the rules of the server's [`Charset`](crate::Charset); without the terminator, otherwise exactly as
    /// it was sent. May be empty.
    #[inline]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The bytes as they came, without the terminator.
    #[inline]
    pub fn raw(&self) -> &[u8] {
        &self.raw
    }

    /// Whether the line is not valid in the server's [`Charset`](crate::Charset): [`text`](Self::text) is then only a
    /// part or a picture of it.
    #[inline]
    pub fn is_invalid(&self) -> bool {
        self.invalid
    }

    /// The same command, owning its content.
    pub fn into_owned(self) -> OwnedCommand {
        Command {
            raw: Cow::Owned(self.raw.into_owned()),
            text: Cow::Owned(self.text.into_owned()),
            invalid: self.invalid,
        }
    }
}
