//! Replies: where a handler puts them, and what a closure may return as such.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use net_core::{Output, Result, Sender};

use crate::HandlerError;
use crate::line::{self, Wire};

/// Where the replies to one command go: none, one or many, each a line.
///
/// They leave in one write with the replies to the commands before and behind, or as soon as the handler waits. It ends
/// with its command: a server can't push unasked.
pub struct Replies<'a> {
    way: Way<'a>,
    allow_controls: bool,
    count: usize,
}

/// How replies get into the connection's out-buffer.
enum Way<'a> {
    /// Past the connection's task, which writes them while the handler waits.
    Shared(&'a Sender<Wire>),
    /// Straight, for a handler that does not wait.
    Direct(Output<'a, Wire>),
}

impl<'a> Replies<'a> {
    #[inline]
    pub(crate) fn new(sender: &'a Sender<Wire>, allow_controls: bool) -> Self {
        Self::by(Way::Shared(sender), allow_controls)
    }

    #[inline]
    pub(crate) fn direct(output: Output<'a, Wire>, allow_controls: bool) -> Self {
        Self::by(Way::Direct(output), allow_controls)
    }

    #[inline]
    fn by(way: Way<'a>, allow_controls: bool) -> Self {
        Self {
            way,
            allow_controls,
            count: 0,
        }
    }

    /// Adds a reply, without waiting.
    ///
    /// # Errors
    /// [`BadFrame`](net_core::ErrorKind::BadFrame) if it contains CR, LF or NUL, which would make other replies of it;
    /// [`FrameTooLong`](net_core::ErrorKind::FrameTooLong) beyond
    /// [`max_reply`](crate::Server::max_reply); [`Limit`](net_core::ErrorKind::Limit) when so much waits for a slow
    /// client that [`send`](Self::send) has to be used; and the reason, when the client is gone.
    #[inline]
    pub fn push(&mut self, reply: impl AsRef<[u8]>) -> Result<()> {
        let reply = reply.as_ref();
        if !self.allow_controls {
            line::check(reply)?;
        }
        self.push_raw(reply)
    }

    /// Adds a reply as it is: an LF inside makes two replies of it.
    ///
    /// # Errors
    /// As [`push`](Self::push), but for the control characters.
    #[inline]
    pub fn push_raw(&mut self, reply: impl AsRef<[u8]>) -> Result<()> {
        match &mut self.way {
            Way::Shared(sender) => sender.push(reply.as_ref())?,
            Way::Direct(output) => output.push(reply.as_ref())?,
        }
        self.count += 1;
        Ok(())
    }

    /// Adds a reply, and waits while too much waits for a slow client: for answers of any size.
    ///
    /// # Errors
    /// As [`push`](Self::push), but never for lack of room.
    pub async fn send(&mut self, reply: impl AsRef<[u8]> + Send) -> Result<()> {
        let reply = reply.as_ref();
        if !self.allow_controls {
            line::check(reply)?;
        }
        match &mut self.way {
            Way::Shared(sender) => sender.send(reply).await?,
            Way::Direct(output) => output.push(reply)?,
        }
        self.count += 1;
        Ok(())
    }

    /// How many replies the command has got so far.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Whether the client is known to be gone, so that nobody will read the replies.
    pub fn is_closed(&self) -> bool {
        match &self.way {
            Way::Shared(sender) => sender.is_closed(),
            Way::Direct(_) => false,
        }
    }
}

impl fmt::Debug for Replies<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replies")
            .field("count", &self.count)
            .finish_non_exhaustive()
    }
}

/// What a closure returns for a command: text, bytes, `()` for no reply, an [`Option`], several of them, or a
/// [`Result`] whose error becomes an error reply.
pub trait IntoReplies {
    /// Puts the replies where they belong.
    ///
    /// # Errors
    /// Those of [`Replies::push`], or its own; the client gets an error reply.
    fn into_replies(self, replies: &mut Replies<'_>) -> Result<(), HandlerError>;
}

macro_rules! one_reply {
    ($($kind:ty),*) => {$(
        impl IntoReplies for $kind {
            fn into_replies(self, replies: &mut Replies<'_>) -> Result<(), HandlerError> {
                Ok(replies.push(AsRef::<[u8]>::as_ref(&self))?)
            }
        }
    )*};
}

one_reply!(&str, String, &String, &[u8], Bytes);

impl IntoReplies for Cow<'_, str> {
    fn into_replies(self, replies: &mut Replies<'_>) -> Result<(), HandlerError> {
        Ok(replies.push(self.as_bytes())?)
    }
}

impl IntoReplies for () {
    fn into_replies(self, _: &mut Replies<'_>) -> Result<(), HandlerError> {
        Ok(())
    }
}

impl<T: IntoReplies> IntoReplies for Option<T> {
    fn into_replies(self, replies: &mut Replies<'_>) -> Result<(), HandlerError> {
        self.map_or(Ok(()), |reply| reply.into_replies(replies))
    }
}

impl<T: IntoReplies> IntoReplies for Vec<T> {
    fn into_replies(self, replies: &mut Replies<'_>) -> Result<(), HandlerError> {
        self.into_iter().try_for_each(|reply| reply.into_replies(replies))
    }
}

impl<T: IntoReplies, const N: usize> IntoReplies for [T; N] {
    fn into_replies(self, replies: &mut Replies<'_>) -> Result<(), HandlerError> {
        self.into_iter().try_for_each(|reply| reply.into_replies(replies))
    }
}

impl<T: IntoReplies, E: Into<HandlerError>> IntoReplies for Result<T, E> {
    fn into_replies(self, replies: &mut Replies<'_>) -> Result<(), HandlerError> {
        match self {
            Ok(reply) => reply.into_replies(replies),
            Err(error) => Err(error.into()),
        }
    }
}
