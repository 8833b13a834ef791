//! A server that runs in the background.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use net_core::{Endpoint, Error, Shutdown, ShutdownReport};

/// A running [`Server`](super::Server). Dropping it lets the server run on.
#[derive(Clone, Debug)]
pub struct Running {
    endpoint: Endpoint,
    shutdown: Shutdown,
    failure: Arc<OnceLock<Error>>,
}

impl Running {
    pub(super) fn new(endpoint: Endpoint, shutdown: Shutdown, failure: Arc<OnceLock<Error>>) -> Self {
        Self {
            endpoint,
            shutdown,
            failure,
        }
    }

    /// Where it listens, with the real port where 0 was asked for.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// How many connections are open, upgraded ones not counted.
    pub fn connections(&self) -> usize {
        // The task itself holds one.
        self.shutdown.guards().saturating_sub(1)
    }

    /// What broke the listener, if anything did. Those who were connected are still answered, but nobody else comes.
    pub fn failure(&self) -> Option<&Error> {
        self.failure.get()
    }

    /// Stops: closes the listener and idle connections at once, lets the requests under way be answered, and drops what is
    /// not done after `deadline`. Connections that were [upgraded](super::upgrade) are left to who took them over.
    pub async fn stop(&self, deadline: Duration) -> ShutdownReport {
        self.shutdown.stop(deadline).await
    }
}
