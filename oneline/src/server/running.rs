//! A server that runs: where it listens, how to stop it, why it stopped.

use std::fmt;
use std::time::Duration;

use net_core::{Endpoint, Error, Shutdown, ShutdownReport};
use tokio::sync::watch;

/// A running [`Server`](crate::Server). Dropping it lets the server run on.
#[derive(Clone, Debug)]
pub struct Running {
    pub(super) endpoint: Endpoint,
    pub(super) stop: watch::Sender<Option<Request>>,
    pub(super) stopped: watch::Receiver<Option<Stopped>>,
    pub(super) shutdown: Shutdown,
}

/// Who asked for the end, and how long it may take.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) reason: StopReason,
    pub(super) deadline: Duration,
}

/// How a server ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stopped {
    /// Why.
    pub reason: StopReason,
    /// What became of the clients that were connected, and of the bytes that were meant for them.
    pub report: ShutdownReport,
}

/// Why a server ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StopReason {
    /// A client sent `shutdown`.
    Command,
    /// [`Running::stop`] was called.
    Stopped,
    /// The listening socket broke.
    Failed(Error),
    /// Its task ended by force: the runtime around it went down.
    Aborted,
}

impl Running {
    /// Where it listens, with the real port where 0 was asked for.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Whether it has not stopped yet.
    pub fn is_running(&self) -> bool {
        self.stopped.borrow().is_none() && self.stopped.has_changed().is_ok()
    }

    /// How many clients are connected now, those included that are being closed.
    pub fn clients(&self) -> usize {
        self.shutdown.guards()
    }

    /// Stops: closes the listener at once, lets each client's command under way finish and its replies be sent, and
    /// drops what is not done after `deadline`. On a server that is stopping already it waits for that end; the first
    /// deadline counts.
    pub async fn stop(&self, deadline: Duration) -> Stopped {
        request(&self.stop, StopReason::Stopped, deadline);
        self.wait().await
    }

    /// Waits until it has stopped, and says why. Cancel safe.
    pub async fn wait(&self) -> Stopped {
        let mut stopped = self.stopped.clone();
        let end = match stopped.wait_for(Option::is_some).await {
            Ok(end) => end.clone(),
            Err(_) => None,
        };
        end.unwrap_or(Stopped {
            reason: StopReason::Aborted,
            report: ShutdownReport::default(),
        })
    }
}

/// Asks for the end; the first who asks decides.
pub(super) fn request(stop: &watch::Sender<Option<Request>>, reason: StopReason, deadline: Duration) {
    stop.send_if_modified(|request| {
        let first = request.is_none();
        if first {
            *request = Some(Request { reason, deadline });
        }
        first
    });
}

impl fmt::Display for StopReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Command => f.write_str("a client sent `shutdown`"),
            Self::Stopped => f.write_str("the program stopped it"),
            Self::Failed(error) => write!(f, "the listener failed: {error}"),
            Self::Aborted => f.write_str("its runtime went down"),
        }
    }
}
