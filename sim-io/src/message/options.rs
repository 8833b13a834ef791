//! The settings of a channel.

use std::time::Duration;

use super::FailureForm;
use crate::packet::PacketOptions;

/// The settings of a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MessageOptions {
    /// The packets below: how large a message may be, and the limits of the connection.
    pub packets: PacketOptions,
    /// The most requests that may be open in either direction. Default: 1,024. One more of ours is an error here; one
    /// more of the peer's is answered with a failure.
    pub limit: usize,
    /// How long a request waits for its reply. Default: `None`, for ever: in a co-simulation a step may take hours. Each
    /// request can be given [its own](super::Reply::timeout).
    pub timeout: Option<Duration>,
    /// How failures are sent. Default: as text. Both forms are always understood.
    pub failures: FailureForm,
    /// Whether odd messages end the channel: types such as `0.0` or `false`, and ids that are no numbers. Default:
    /// false; Python takes them, and a reply bears its request's id unchanged.
    pub strict: bool,
    /// Whether the peer may send requests. Default: true. If not, each is answered with a failure at once, where it
    /// would wait for ever if nobody calls [`recv`](super::Message::recv).
    pub take_requests: bool,
    /// How long closing may take: writing what has gathered, and waiting for the peer to close too. Default: 5 s.
    pub linger: Duration,
}

impl Default for MessageOptions {
    fn default() -> Self {
        Self {
            packets: PacketOptions::default(),
            limit: 1024,
            timeout: None,
            failures: FailureForm::Text,
            strict: false,
            take_requests: true,
            linger: Duration::from_secs(5),
        }
    }
}

impl MessageOptions {
    /// Sets the packets' options.
    #[must_use]
    pub fn packets(mut self, packets: PacketOptions) -> Self {
        self.packets = packets;
        self
    }

    /// Sets the largest message, in bytes.
    #[must_use]
    pub fn max_packet_size(mut self, bytes: usize) -> Self {
        self.packets.max_packet_size = bytes;
        self
    }

    /// Sets how many requests may be open in either direction.
    #[must_use]
    pub fn limit(mut self, requests: usize) -> Self {
        self.limit = requests;
        self
    }

    /// Sets how long a request waits for its reply.
    #[must_use]
    pub fn timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.timeout = limit.into();
        self
    }

    /// Sets how failures are sent.
    #[must_use]
    pub fn failures(mut self, form: FailureForm) -> Self {
        self.failures = form;
        self
    }

    /// Sets whether odd messages end the channel.
    #[must_use]
    pub fn strict(mut self, strict: bool) -> Self {
        self.strict = strict;
        self
    }

    /// Sets whether the peer may send requests.
    #[must_use]
    pub fn take_requests(mut self, take: bool) -> Self {
        self.take_requests = take;
        self
    }

    /// Sets how long closing may take.
    #[must_use]
    pub fn linger(mut self, limit: Duration) -> Self {
        self.linger = limit;
        self
    }
}
