//! The limits of a server.

use std::time::Duration;

use net_core::BindOptions;

/// The limits of a [`Server`](super::Server).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ServerOptions {
    /// The largest header of a request, in bytes, its request line included; larger ones get 431. Default: 16 KiB.
    pub max_header: usize,
    /// The largest body that is read whole, in bytes; larger ones get 413. Default: 16 MiB. A handler that reads chunk by
    /// chunk sets its own.
    pub max_body: usize,
    /// The most bytes of a body that nobody reads which are skipped; if there are more, the connection is closed.
    /// Default: 256 KiB.
    pub max_skipped: usize,
    /// How long a client may take for the header of a request, the waiting for it on an open connection included; then
    /// the connection is closed. Default: 30 s.
    pub header_timeout: Duration,
    /// How long a client may be silent in the middle of a body. Default: 30 s.
    pub body_timeout: Duration,
    /// How long a response may wait for a client that does not read. Default: 30 s.
    pub write_timeout: Duration,
    /// How long the handler may take until it gives a response; then the client gets 503. Default: no limit.
    pub handler_timeout: Option<Duration>,
    /// How long a connection that is closed waits for the client to close too. Default: 2 s.
    pub linger: Duration,
    /// Whether connections stay open for further requests. Default: true.
    pub keep_alive: bool,
    /// Whether responses have a `Date`. It is the wall's, even in virtual time. Default: false.
    pub date_header: bool,
    /// How it listens, with limits for the number of connections.
    pub bind: BindOptions,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            max_header: 16 * 1024,
            max_body: 16 * 1024 * 1024,
            max_skipped: 256 * 1024,
            header_timeout: Duration::from_secs(30),
            body_timeout: Duration::from_secs(30),
            write_timeout: Duration::from_secs(30),
            handler_timeout: None,
            linger: Duration::from_secs(2),
            keep_alive: true,
            date_header: false,
            bind: BindOptions::default(),
        }
    }
}

impl ServerOptions {
    /// Sets the largest header of a request, in bytes.
    #[must_use]
    pub fn max_header(mut self, bytes: usize) -> Self {
        self.max_header = bytes;
        self
    }

    /// Sets the largest body that is read whole, in bytes.
    #[must_use]
    pub fn max_body(mut self, bytes: usize) -> Self {
        self.max_body = bytes;
        self
    }

    /// Sets the most bytes of an unread body which are skipped.
    #[must_use]
    pub fn max_skipped(mut self, bytes: usize) -> Self {
        self.max_skipped = bytes;
        self
    }

    /// Sets how long a client may take for a header.
    #[must_use]
    pub fn header_timeout(mut self, limit: Duration) -> Self {
        self.header_timeout = limit;
        self
    }

    /// Sets how long a client may be silent in the middle of a body.
    #[must_use]
    pub fn body_timeout(mut self, limit: Duration) -> Self {
        self.body_timeout = limit;
        self
    }

    /// Sets how long a response may wait for a client that does not read.
    #[must_use]
    pub fn write_timeout(mut self, limit: Duration) -> Self {
        self.write_timeout = limit;
        self
    }

    /// Sets how long the handler may take.
    #[must_use]
    pub fn handler_timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.handler_timeout = limit.into();
        self
    }

    /// Sets how long a connection that is closed waits for the client to close too.
    #[must_use]
    pub fn linger(mut self, limit: Duration) -> Self {
        self.linger = limit;
        self
    }

    /// Sets whether connections stay open for further requests.
    #[must_use]
    pub fn keep_alive(mut self, on: bool) -> Self {
        self.keep_alive = on;
        self
    }

    /// Sets whether responses have a `Date`.
    #[must_use]
    pub fn date_header(mut self, on: bool) -> Self {
        self.date_header = on;
        self
    }

    /// Sets how it listens.
    #[must_use]
    pub fn bind(mut self, options: BindOptions) -> Self {
        self.bind = options;
        self
    }
}
