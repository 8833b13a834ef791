//! Booting the service, and what can be set.

use std::fmt;
use std::time::Duration;

use net_core::Net;

use super::machine::Limits;
use super::option::Options;
use super::service::{self, SocketService};
use crate::SharedController;

/// Boots the socket service on a controller that has not been started, with the defaults of [`SocketServiceBuilder`].
///
/// Commands are heard from this call on: those that the model raises while it enters its initial state too. The service
/// holds the controller only weakly, and ends with it.
///
/// # Errors
/// [`BootError`]: the controller has started already, or the network can't run tasks here (that of the operating system
/// needs a tokio runtime around the call).
pub fn boot_translation_service(controller: &impl SharedController, net: &Net) -> Result<SocketService, BootError> {
    SocketServiceBuilder::default().boot(controller, net)
}

/// Sets the limits of a socket service, and boots it.
#[derive(Clone, Debug, Default)]
pub struct SocketServiceBuilder {
    settings: Settings,
}

/// Who gets an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Routing {
    /// All instances, as in the original; models guard with `self.socket == socket`. The runtime of this crate knows from
    /// such guards whom an event concerns, and asks nobody else.
    #[default]
    All,
    /// The instances that have raised commands for the socket: for controllers that ask each instance about each event.
    /// Models with that guard see the same, but for instances that only look on.
    Users,
}

#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) routing: Routing,
    pub(super) sockets: usize,
    pub(super) limits: Limits,
    pub(super) options: Options,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            routing: Routing::default(),
            sockets: 65_536,
            limits: Limits {
                commands: 65_536,
                bytes: 16 << 20,
                send_timeout: Some(Duration::from_secs(60)),
                close_timeout: Duration::from_secs(30),
            },
            options: Options::default(),
        }
    }
}

impl SocketServiceBuilder {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Who gets an answer. Default: [`Routing::All`].
    #[must_use]
    pub fn routing(mut self, routing: Routing) -> Self {
        self.settings.routing = routing;
        self
    }

    /// How many connections wait to be accepted. Default: 1024.
    #[must_use]
    pub fn backlog(mut self, connections: u32) -> Self {
        self.settings.options.bind.socket.backlog = connections;
        self
    }

    /// How many sockets may exist at a time; beyond that creating and accepting are answered with an error of kind
    /// `limit`. Default: 65,536.
    #[must_use]
    pub fn max_sockets(mut self, limit: usize) -> Self {
        self.settings.sockets = limit;
        self
    }

    /// How many commands may wait for one socket; one more is answered at once with an error of kind `limit`. Default:
    /// 65,536.
    #[must_use]
    pub fn max_commands(mut self, limit: usize) -> Self {
        self.settings.limits.commands = limit;
        self
    }

    /// How many bytes may wait to be sent on one socket; a send beyond that is answered at once with an error of kind
    /// `limit`, and nothing of it is sent. Alone in the queue a send may be of any length. Default: 16 MiB.
    #[must_use]
    pub fn send_queue(mut self, bytes: usize) -> Self {
        self.settings.limits.bytes = bytes;
        self
    }

    /// How long a peer may take nothing of what is sent to it; then the sends are answered with an error of kind
    /// `timeout`. Default: 60 s; `None` waits for ever.
    #[must_use]
    pub fn send_timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.settings.limits.send_timeout = limit.into();
        self
    }

    /// The same for data that a close or a stop waits for. Default: 30 s.
    #[must_use]
    pub fn close_timeout(mut self, limit: Duration) -> Self {
        self.settings.limits.close_timeout = limit;
        self
    }

    /// How long connecting may take. Default: 10 s.
    #[must_use]
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.settings.options.connect.timeout = limit;
        self
    }

    /// Boots the service; see [`boot_translation_service`].
    ///
    /// # Errors
    /// [`BootError`].
    pub fn boot(self, controller: &impl SharedController, net: &Net) -> Result<SocketService, BootError> {
        service::boot(controller, net, self.settings)
    }
}

/// Why the service could not be booted.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum BootError {
    /// The controller has started: what it raised before would be lost.
    Started,
    /// The network can't run tasks here.
    Net(net_core::Error),
}

impl fmt::Display for BootError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Started => f.write_str(
                "the controller has started already, and its first commands are lost: boot the socket service before start",
            ),
            Self::Net(error) => write!(f, "the socket service can't run here: {error}"),
        }
    }
}

impl std::error::Error for BootError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Started => None,
            Self::Net(error) => Some(error),
        }
    }
}
