//! The peer's primary messages as a stream, each with a handle for its reply.

use std::fmt;
use std::ops::Deref;

use bytes::Bytes;

use super::RequestError;
use crate::connection::shared::Life;
use crate::{Connection, Message};

/// The peer's primary messages, in order, over all connections of this handle; made by [`Connection::primaries`]. While
/// there is one, the delegate gets no messages.
pub struct Primaries {
    connection: Connection,
}

/// A primary message. If it has the W-bit it wants to be answered: one that is dropped without an answer is aborted with
/// function 0, so that the peer need not wait for T3.
pub struct Primary {
    connection: Connection,
    message: Message,
    epoch: u64,
    answered: bool,
}

impl Connection {
    /// The peer's primary messages as a stream, instead of the delegate's calls. Take it before the connection is enabled
    /// to miss none. Several may be taken: each message goes to one of them.
    pub fn primaries(&self) -> Primaries {
        self.shared.with(|state| state.listeners += 1);
        Primaries {
            connection: self.clone(),
        }
    }
}

impl Primaries {
    /// The next message; `None` once the connection is disabled and has ended. Cancel safe.
    pub async fn next(&mut self) -> Option<Primary> {
        let shared = &self.connection.shared;
        loop {
            let arrived = shared.arrived.notified();
            let mut arrived = std::pin::pin!(arrived);
            arrived.as_mut().enable();
            let (message, epoch, over) = shared.with(|state| {
                let message = state.take(&shared.options);
                (message, state.epoch, state.life == Life::Disabled)
            });
            if let Some(message) = message {
                let answered = !message.header.w();
                return Some(Primary {
                    connection: self.connection.clone(),
                    message,
                    epoch,
                    answered,
                });
            }
            if over {
                return None;
            }
            arrived.await;
        }
    }
}

impl Drop for Primaries {
    fn drop(&mut self) {
        let shared = &self.connection.shared;
        let now = shared.net.now();
        shared.with_session(|state| {
            state.listeners -= 1;
            if state.listeners == 0 {
                for primary in state.drop_inbound() {
                    state.session.abort(&primary, now);
                }
            }
        });
        // What was meant for this one is for another.
        shared.arrived.notify_one();
    }
}

impl Primary {
    /// Whether the peer waits for a reply.
    pub fn wants_reply(&self) -> bool {
        !self.answered
    }

    /// The connection that it came on.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Answers it. Waits for room. Not cancel safe: if it is dropped before it is sent, the message is not answered.
    ///
    /// # Errors
    /// [`RequestError`] if it can't be sent, or the connection that it came on is gone.
    pub async fn reply(mut self, text: impl Into<Bytes>) -> Result<(), RequestError> {
        let header = self.message.header;
        self.answered = true;
        let answer = header.secondary();
        self.connection
            .answer(&header, &answer, text.into(), Some(self.epoch))
            .await
    }

    /// Reports it in stream 9 instead of answering it, with function 3 (unknown stream), 5 (unknown function), 7 (illegal
    /// data) or 11 (data too long). A host, which has no stream 9, aborts the transaction.
    pub fn report(mut self, function: u8) {
        if self.connection.report(function, &self.message.header) {
            self.answered = true;
        }
    }

    /// The message itself, for who answers it by [`Connection::reply`], or not at all.
    pub fn into_message(mut self) -> Message {
        self.answered = true;
        self.message.clone()
    }
}

impl Deref for Primary {
    type Target = Message;
    fn deref(&self) -> &Message {
        &self.message
    }
}

impl Drop for Primary {
    fn drop(&mut self) {
        if self.answered {
            return;
        }
        let shared = &self.connection.shared;
        let now = shared.net.now();
        shared.with_session(|state| {
            if state.epoch == self.epoch {
                state.session.abort(&self.message.header, now);
            }
        });
    }
}

impl fmt::Debug for Primaries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Primaries")
            .field("connection", &self.connection)
            .finish()
    }
}

impl fmt::Debug for Primary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Primary")
            .field("message", &self.message)
            .field("answered", &self.answered)
            .finish_non_exhaustive()
    }
}
