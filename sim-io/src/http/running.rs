//! A server that runs in the background.

use std::time::Duration;

use net_core::{Endpoint, Shutdown, ShutdownReport};

/// A running [`Server`](super::Server). Dropping it lets the server run on.
#[derive(Clone, Debug)]
pub struct Running {
    endpoint: Endpoint,
    shutdown: Shutdown,
}

impl Running {
    pub(super) fn new(endpoint: Endpoint, shutdown: Shutdown) -> Self {
        Self { endpoint, shutdown }
    }

    /// Where it listens, with the real port where 0 was asked for.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// How many connections are open, upgraded ones not counted.
    pub fn connections(&self) -> usize {
        // The listener's own task holds one.
        self.shutdown.guards().saturating_sub(1)
    }

    /// Stops: closes the listener and idle connections at once, lets the requests under way be answered, and drops what is
    /// not done after `deadline`.
    pub async fn stop(&self, deadline: Duration) -> ShutdownReport {
        self.shutdown.stop(deadline).await
    }
}
