//! Packets: those that carry no data, and how all of them are shown to who watches.

use std::net::SocketAddr;

use super::{CLIENT, Conn, SERVER, Which};
use crate::environment::core::Core;
use crate::environment::queue::Slot;
use crate::network::path::Fate;
use crate::network::tap::{Outcome, Packet, PacketKind};
use crate::network::udp;
use crate::network::world::Fabric;

/// What waits on a path that is held.
#[derive(Debug)]
pub(in crate::network) enum Parked {
    Control(Slot, Control),
    Datagram(Box<udp::Packet>),
}

/// A packet of a connection that carries no data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::network) enum Control {
    Syn,
    SynAck,
    /// The third one of the handshake.
    Ack,
    /// To this end. Refused: the answer to a SYN.
    Reset {
        to: Which,
        refused: bool,
    },
}

impl Control {
    pub(super) fn from(self) -> Which {
        match self {
            Self::Syn | Self::Ack => CLIENT,
            Self::SynAck => SERVER,
            Self::Reset { to, .. } => 1 - to,
        }
    }
}

pub(super) fn header(address: SocketAddr) -> usize {
    if address.is_ipv4() { 40 } else { 60 }
}

impl Conn {
    /// Sends a packet without data.
    pub(super) fn control(&mut self, fabric: &mut Fabric, core: &Core, slot: Slot, what: Control) -> bool {
        let from = what.from();
        let (here, there) = (self.ends[from].host, self.ends[1 - from].host);
        let bytes = header(self.ends[from].address);
        fabric.stats.packets += 1;
        let fate = fabric.send([here, there], bytes, 1, core);
        if fabric.watched {
            let kind = match what {
                Control::Syn => PacketKind::Syn,
                Control::SynAck => PacketKind::SynAck,
                Control::Ack => PacketKind::Ack,
                Control::Reset { .. } => PacketKind::Reset,
            };
            let sent = self.ways[from].sent;
            self.show(fabric, core, from, kind, (sent, sent), fate.into());
        }
        let at = match fate {
            Fate::Arrives(at, _) => at,
            Fate::Lost | Fate::Corrupt => {
                fabric.stats.lost += 1;
                fabric.stats.corrupt += u64::from(fate == Fate::Corrupt);
                return false;
            }
            Fate::Held => {
                if let Some(path) = fabric.path(here, there) {
                    path.parked.push(Parked::Control(slot, what));
                }
                return true;
            }
        };
        // Not ahead of the data before it, nor behind what follows it.
        let way = &mut self.ways[from];
        let at = at.max(way.last_arrival);
        way.last_arrival = at;
        self.control.push_back((at, what));
        self.at(core, at);
        true
    }

    /// Lets a packet be seen. The range is of the bytes that `from` has written.
    #[cold]
    pub(super) fn show(
        &self,
        fabric: &mut Fabric,
        core: &Core,
        from: Which,
        kind: PacketKind,
        (first, upto): (u64, u64),
        outcome: Outcome,
    ) {
        let (here, there) = (&self.ends[from], &self.ends[1 - from]);
        if here.address.port() == 0 {
            // A Unix socket: there are no packets.
            return;
        }
        let [from_host, to_host] = fabric.names(here.host, there.host);
        let mtu = fabric
            .path(here.host, there.host)
            .map_or(1500, |path| path.link.largest_packet());
        let (out, back) = (&self.ways[from], &self.ways[1 - from]);
        let [skipped, length] = [first.saturating_sub(out.read), upto.saturating_sub(first)]
            .map(|count| usize::try_from(count).unwrap_or(usize::MAX));
        let data: Vec<u8> = out.ring.iter().skip(skipped).take(length).copied().collect();
        // The SYN and the end count as a byte each.
        let after_syn = u64::from(!matches!(kind, PacketKind::Syn | PacketKind::SynAck));
        let after_end = u64::from(out.closed && kind != PacketKind::Fin);
        let number = |which: Which, count: u64| ((which as u64 + 1) * 1_000_000 + count) as u32;
        fabric.seen.push(Packet {
            at: core.now(),
            from_host,
            to_host,
            from: here.address,
            to: there.address,
            kind,
            sequence: number(from, first + after_syn + after_end),
            acknowledgement: number(1 - from, back.arrived + 1 + u64::from(back.ended)),
            window: usize::try_from(back.receive_room.saturating_sub(back.arrived - back.read)).unwrap_or(usize::MAX),
            data: data.into(),
            segment: mtu - header(here.address),
            outcome,
        });
    }
}
