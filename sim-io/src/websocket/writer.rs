//! The half that sends.

use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;

use net_core::Endpoint;
use tokio_tungstenite::tungstenite::Message as Inner;

use super::shared::{Shared, close_frame};
use super::{Error, Message};

/// The half of a [`WebSocket`](super::WebSocket) that sends.
pub struct Writer {
    shared: Arc<Shared>,
}

impl Writer {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// Sends a message, and waits until the connection has taken it. Cancel safe: a message is sent whole or not at all; one
    /// that was begun goes out with what is sent next.
    ///
    /// # Errors
    /// [`Error::Closed`] after either side has closed, [`Error::TooLarge`], [`Error::Timeout`] if the peer does not read, and
    /// what broke the connection.
    pub async fn send(&mut self, message: impl Into<Message>) -> Result<(), Error> {
        let message = message.into();
        let (size, most) = (message.as_bytes().len(), self.shared.options.max_message);
        if size > most {
            return Err(Error::TooLarge(format!("{size} bytes, and the limit is {most}")));
        }
        self.write(message.into_inner()).await
    }

    /// Says that nothing more will come, with a code such as [`CloseReason::NORMAL`](super::CloseReason::NORMAL) and a reason
    /// of no more than 123 bytes. Whoever receives on the other half hears the end when the peer has answered.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub async fn close(&mut self, code: u16, reason: &str) -> Result<(), Error> {
        self.shared.lock().closing(self.shared.net.now());
        self.write(close_frame(code, reason)).await
    }

    /// The other end.
    pub fn peer_address(&self) -> &Endpoint {
        &self.shared.peer
    }

    async fn write(&mut self, message: Inner) -> Result<(), Error> {
        let limit = self.shared.options.write_timeout;
        let mut message = Some(message);
        let written = poll_fn(|cx| self.shared.lock().poll_send(&mut message, cx));
        match self.shared.net.timeout(limit, written).await {
            Ok(outcome) => outcome.map_err(Error::of),
            Err(_) => {
                let what = "room for the message";
                Err(Error::Timeout { what, limit })
            }
        }
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer")
            .field("peer", &self.shared.peer)
            .finish_non_exhaustive()
    }
}
