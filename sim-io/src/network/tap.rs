//! Watching the packets: what a log prints and what a capture writes.

use std::fmt;
use std::net::SocketAddr;
use std::rc::Rc;

use net_core::Instant;

use super::path::Fate;
use super::world::Fabric;

/// A packet as its sender sees it leave; `{}` prints it as a line of a log. What a stream sends at once is one of them,
/// however many segments it takes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Packet {
    /// When it left.
    pub at: Instant,
    /// The sending host.
    pub from_host: Rc<str>,
    /// The host that it is for.
    pub to_host: Rc<str>,
    /// Its source.
    pub from: SocketAddr,
    /// Its destination.
    pub to: SocketAddr,
    /// What it is.
    pub kind: PacketKind,
    /// TCP's sequence number of its first byte.
    pub sequence: u32,
    /// The sequence number that TCP expects next from the other end.
    pub acknowledgement: u32,
    /// TCP's window, in bytes.
    pub window: usize,
    /// What it carries.
    pub data: Rc<[u8]>,
    /// The largest segment that `data` is cut to.
    pub segment: usize,
    /// What became of it.
    pub outcome: Outcome,
}

/// What a packet is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PacketKind {
    /// Asks for a connection.
    Syn,
    /// Accepts one.
    SynAck,
    /// Acknowledges, without data.
    Ack,
    /// Data of a stream.
    Data,
    /// The end of a stream, with the data before it.
    Fin,
    /// A reset, or a refusal.
    Reset,
    /// A datagram.
    Datagram,
}

/// What became of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// It arrives then.
    Arrives(Instant),
    /// It is lost.
    Lost,
    /// It is damaged on the way.
    Damaged,
    /// It is held back.
    Held,
}

impl From<Fate> for Outcome {
    fn from(fate: Fate) -> Self {
        match fate {
            Fate::Arrives(at, _) => Self::Arrives(at),
            Fate::Lost => Self::Lost,
            Fate::Corrupt => Self::Damaged,
            Fate::Held => Self::Held,
        }
    }
}

impl fmt::Display for Packet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            PacketKind::Syn => "syn",
            PacketKind::SynAck => "syn-ack",
            PacketKind::Ack => "ack",
            PacketKind::Data => "data",
            PacketKind::Fin => "fin",
            PacketKind::Reset => "reset",
            PacketKind::Datagram => "datagram",
        };
        let (from, to) = (self.from.port(), self.to.port());
        write!(
            f,
            "{} {}:{from} > {}:{to} {kind}",
            self.at, self.from_host, self.to_host
        )?;
        if !self.data.is_empty() || self.kind == PacketKind::Datagram {
            write!(f, " {} bytes", self.data.len())?;
        }
        match self.outcome {
            Outcome::Arrives(at) => write!(f, ", arrives at {at}"),
            Outcome::Lost => f.write_str(", lost"),
            Outcome::Damaged => f.write_str(", damaged"),
            Outcome::Held => f.write_str(", held"),
        }
    }
}

impl Fabric {
    /// The names of two hosts.
    pub(super) fn names(&self, from: usize, to: usize) -> [Rc<str>; 2] {
        [from, to].map(|id| match self.hosts.get(id) {
            Some(host) => Rc::clone(&host.name),
            None => "?".into(),
        })
    }
}
