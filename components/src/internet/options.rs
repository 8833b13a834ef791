//! How a connection is run.

use std::time::Duration;

/// The most bytes of one message of received data, if nobody says otherwise.
pub const DEFAULT_CHUNK: usize = 32 * 1024;

/// How long a connection that is to end waits in silence, if nobody says otherwise.
pub const DEFAULT_LINGER: Duration = Duration::from_secs(5);

/// What the end of the peer's data means for ours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HalfClose {
    /// Nothing, as long as somebody can still send by this connection: we go on until we are told to finish. The default.
    ///
    /// Nobody can when no outbox leads to its `inbox`, its `control` or its `makessl` any more, through however many boxes of
    /// chassis, and none of these is offered as a [service](crate::Services). Then we finish as with `Close`. So a client that
    /// only reads, at the head of a pipeline, ends when the server does. To keep one open for what is linked later, keep an
    /// outbox linked to it.
    #[default]
    Allow,
    /// We finish too: what waits in the inbox is sent, then the connection is closed. As in Kamaelia, but that nothing is
    /// lost.
    Close,
}

/// How a connection is run: by a [`ConnectedSocketAdapter`](crate::ConnectedSocketAdapter), a
/// [`TcpClient`](crate::TcpClient) or a server.
///
/// ```
/// use std::time::Duration;
/// use components::{AdapterOptions, HalfClose};
///
/// let options = AdapterOptions::new().linger(Duration::from_secs(30)).half_close(HalfClose::Close);
/// assert_eq!(options.chunk, components::DEFAULT_CHUNK);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AdapterOptions {
    /// How long a connection that is to end goes on when no byte moves in either direction. Each byte that moves starts it
    /// anew, so a slow peer gets everything; a silent one holds nothing for longer. Default: [`DEFAULT_LINGER`].
    pub linger: Duration,
    /// What the end of the peer's data means. Default: [`HalfClose::Allow`].
    pub half_close: HalfClose,
    /// After how long without a byte in either direction the connection is finished. Default: never.
    pub idle_timeout: Option<Duration>,
    /// The most bytes of one message of received data; 1 to 1 MiB. Default: [`DEFAULT_CHUNK`].
    pub chunk: usize,
}

impl Default for AdapterOptions {
    fn default() -> Self {
        Self {
            linger: DEFAULT_LINGER,
            half_close: HalfClose::Allow,
            idle_timeout: None,
            chunk: DEFAULT_CHUNK,
        }
    }
}

impl AdapterOptions {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets how long a connection that is to end waits in silence.
    #[must_use]
    pub fn linger(mut self, limit: Duration) -> Self {
        self.linger = limit;
        self
    }

    /// Sets what the end of the peer's data means.
    #[must_use]
    pub fn half_close(mut self, policy: HalfClose) -> Self {
        self.half_close = policy;
        self
    }

    /// Has the connection finished after this silence.
    #[must_use]
    pub fn idle_timeout(mut self, limit: Duration) -> Self {
        self.idle_timeout = Some(limit);
        self
    }

    /// Sets the most bytes of one message of received data.
    #[must_use]
    pub fn chunk(mut self, bytes: usize) -> Self {
        self.chunk = bytes.clamp(1, 1 << 20);
        self
    }
}
