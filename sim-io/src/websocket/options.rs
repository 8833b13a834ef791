//! The limits of a WebSocket.

use std::time::Duration;

use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

/// The limits of a WebSocket.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// The largest message, in bytes, in either direction, of however many fragments. Default: 16 MiB.
    pub max_message: usize,
    /// How long the handshake may take, connecting included. Default: 10 s.
    pub handshake_timeout: Duration,
    /// How long a message may wait for a peer that does not read. Default: 30 s.
    pub write_timeout: Duration,
    /// How long the peer may take to answer when this side closes, and this side when the peer does. Default: 5 s.
    pub close_timeout: Duration,
    /// After how long a silence of the peer it is asked whether it is still there; if it is silent as long again, the
    /// connection is given up. It counts while somebody receives. Default: 60 s.
    pub ping_after: Option<Duration>,
    /// The subprotocols that this side speaks, best first. Default: none.
    pub protocols: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            max_message: 16 * 1024 * 1024,
            handshake_timeout: Duration::from_secs(10),
            write_timeout: Duration::from_secs(30),
            close_timeout: Duration::from_secs(5),
            ping_after: Some(Duration::from_secs(60)),
            protocols: Vec::new(),
        }
    }
}

impl Options {
    /// Sets the largest message, in bytes.
    #[must_use]
    pub fn max_message(mut self, bytes: usize) -> Self {
        self.max_message = bytes;
        self
    }

    /// Sets how long the handshake may take.
    #[must_use]
    pub fn handshake_timeout(mut self, limit: Duration) -> Self {
        self.handshake_timeout = limit;
        self
    }

    /// Sets how long a message may wait for a peer that does not read.
    #[must_use]
    pub fn write_timeout(mut self, limit: Duration) -> Self {
        self.write_timeout = limit;
        self
    }

    /// Sets how long closing may take.
    #[must_use]
    pub fn close_timeout(mut self, limit: Duration) -> Self {
        self.close_timeout = limit;
        self
    }

    /// Sets after how long a silence the peer is asked.
    #[must_use]
    pub fn ping_after(mut self, silence: impl Into<Option<Duration>>) -> Self {
        self.ping_after = silence.into();
        self
    }

    /// Adds a subprotocol.
    #[must_use]
    pub fn protocol(mut self, name: impl Into<String>) -> Self {
        self.protocols.push(name.into());
        self
    }

    pub(super) fn config(&self) -> WebSocketConfig {
        // Not the 128 KiB that would be set aside for each connection otherwise.
        WebSocketConfig::default()
            .read_buffer_size(8 * 1024)
            .write_buffer_size(8 * 1024)
            .max_message_size(Some(self.max_message))
            .max_frame_size(Some(self.max_message))
    }
}
