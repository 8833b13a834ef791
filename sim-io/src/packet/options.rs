//! The limits of packets.

use net_core::framing::LengthPrefix;
use net_core::{Framed, FramedLimits, Stream};

/// How large packets may be, and how long they may take.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PacketOptions {
    /// The largest packet, in bytes without its length, in either direction. Default: 16,384, as in simpy.io; mosaik
    /// uses 10,485,760.
    pub max_packet_size: usize,
    /// The limits of the connection below: output that may gather, time that a packet may take. Defaults: see
    /// [`FramedLimits`].
    pub limits: FramedLimits,
}

impl Default for PacketOptions {
    fn default() -> Self {
        Self {
            max_packet_size: 16_384,
            limits: FramedLimits::default(),
        }
    }
}

impl PacketOptions {
    /// Sets the largest packet, in bytes. No packet can have more than 4 GiB.
    #[must_use]
    pub fn max_packet_size(mut self, bytes: usize) -> Self {
        self.max_packet_size = bytes;
        self
    }

    /// Sets the limits of the connection below.
    #[must_use]
    pub fn limits(mut self, limits: FramedLimits) -> Self {
        self.limits = limits;
        self
    }

    pub(crate) fn framed(self, stream: Stream) -> Framed<LengthPrefix> {
        let framing = LengthPrefix::default().max(self.max_packet_size);
        Framed::with_limits(stream, framing, self.limits)
    }
}
