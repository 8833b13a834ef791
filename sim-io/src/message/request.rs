//! A request of the peer.

use std::fmt;
use std::sync::OnceLock;

use bytes::Bytes;

use super::shared::Holder;
use super::{Fault, IntoFault, RequestError};
use crate::codec::{Codec, CodecError, Decode, Encode, Id};

/// A request of the peer, which waits for an answer: [`succeed`](Self::succeed) or [`fail`](Self::fail). Answers may be
/// given in any order. One that is dropped unanswered is answered with a failure.
pub struct Request<C: Codec> {
    channel: Holder<C>,
    id: Id,
    content: Bytes,
    answered: bool,
    /// Why the content could not be decoded: what the peer hears if that ends the handling.
    undecoded: OnceLock<CodecError>,
}

impl<C: Codec> Request<C> {
    pub(super) fn new(channel: Holder<C>, id: Id, content: Bytes) -> Self {
        Self {
            channel,
            id,
            content,
            answered: false,
            undecoded: OnceLock::new(),
        }
    }

    /// What ties the answer to it.
    pub fn id(&self) -> &Id {
        &self.id
    }

    /// What it asks.
    ///
    /// # Errors
    /// If it is something else than expected. The peer hears this error if the request is then dropped.
    pub fn content<T>(&self) -> Result<T, CodecError>
    where
        C: Decode<T>,
    {
        let decoded = self.channel.codec.decode(&self.content);
        if let Err(error) = &decoded {
            // The first one tells most.
            let _ = self.undecoded.set(error.clone());
        }
        decoded
    }

    /// What it asks, as the codec's bytes.
    pub fn raw_content(&self) -> &Bytes {
        &self.content
    }

    /// Answers it.
    ///
    /// # Errors
    /// [`RequestError::Codec`] and [`RequestError::TooLarge`], which the peer hears as a failure;
    /// [`RequestError::Channel`] if the channel is over and nobody waits for the answer any more.
    pub fn succeed<T: ?Sized>(mut self, content: &T) -> Result<(), RequestError>
    where
        C: Encode<T>,
    {
        let outcome = self.channel.succeed(&self.id, content);
        // Not before: writing the content may panic, and then the drop answers.
        self.answered = true;
        outcome
    }

    /// Answers it with a failure: a text, any error, or a [`Fault`] that says which exception it is to be in Python.
    ///
    /// # Errors
    /// [`RequestError::Channel`] if the channel is over and nobody waits for the answer any more.
    pub fn fail<M: ?Sized>(mut self, fault: impl IntoFault<M>) -> Result<(), RequestError> {
        let fault = fault.into_fault();
        self.answered = true;
        self.channel.fail(&self.id, fault)
    }
}

impl<C: Codec> Drop for Request<C> {
    fn drop(&mut self) {
        if self.answered {
            return;
        }
        let fault = match self.undecoded.get() {
            Some(error) => Fault::new("TypeError", format!("the request was not understood: {error}")),
            None => Fault::message_only("the request was dropped without an answer"),
        };
        // If the channel is over nobody waits for it.
        let _ = self.channel.fail(&self.id, fault);
    }
}

impl<C: Codec> fmt::Debug for Request<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("id", &self.id)
            .field("content", &self.content)
            .finish_non_exhaustive()
    }
}
