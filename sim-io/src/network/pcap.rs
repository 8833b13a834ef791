//! Captures in the classic pcap format, with nanoseconds, of raw IP packets: Wireshark and tcpdump read them.

use std::io::{self, Write};
use std::net::{IpAddr, SocketAddr};

use super::tap::{Packet, PacketKind};

const MAGIC_NANOSECONDS: u32 = 0xA1B2_3C4D;
const LINKTYPE_RAW: u32 = 101;
const LONGEST: u32 = 1 << 18;

const TCP: u8 = 6;
const UDP: u8 = 17;

/// TCP's flags.
const FIN: u8 = 1;
const SYN: u8 = 2;
const RST: u8 = 4;
const PSH: u8 = 8;
const ACK: u8 = 16;

/// The window is told in units of this many bits, as agreed in the SYNs.
const WINDOW_SCALE: u8 = 7;

pub(super) fn header(to: &mut dyn Write) -> io::Result<()> {
    let mut header = Vec::with_capacity(24);
    header.extend(MAGIC_NANOSECONDS.to_le_bytes());
    header.extend(2_u16.to_le_bytes());
    header.extend(4_u16.to_le_bytes());
    header.extend([0; 8]);
    header.extend(LONGEST.to_le_bytes());
    header.extend(LINKTYPE_RAW.to_le_bytes());
    to.write_all(&header)
}

/// Writes a packet, cut into its segments.
pub(super) fn record(to: &mut dyn Write, packet: &Packet) -> io::Result<()> {
    if packet.kind == PacketKind::Datagram {
        return write(to, packet, UDP, &datagram(packet));
    }
    let mut sequence = packet.sequence;
    let mut left: &[u8] = &packet.data;
    loop {
        let (segment, rest) = left.split_at(left.len().min(packet.segment.max(1)));
        left = rest;
        write(to, packet, TCP, &tcp(packet, sequence, segment, rest.is_empty()))?;
        sequence = sequence.wrapping_add(u32::try_from(segment.len()).unwrap_or(0));
        if left.is_empty() {
            return Ok(());
        }
    }
}

/// Adds the IP header, and pcap's own.
fn write(to: &mut dyn Write, packet: &Packet, protocol: u8, payload: &[u8]) -> io::Result<()> {
    let Some(ip) = ip(packet.from, packet.to, protocol, payload) else {
        return Ok(());
    };
    let nanos = packet.at.as_nanos();
    let length = u32::try_from(ip.len()).unwrap_or(LONGEST);
    let mut record = Vec::with_capacity(16 + ip.len());
    record.extend(u32::try_from(nanos / 1_000_000_000).unwrap_or(u32::MAX).to_le_bytes());
    record.extend(u32::try_from(nanos % 1_000_000_000).unwrap_or(0).to_le_bytes());
    record.extend(length.to_le_bytes());
    record.extend(length.to_le_bytes());
    record.extend(ip);
    to.write_all(&record)
}

/// An IP packet around a TCP or UDP one, whose checksum is filled in; none if it can't be.
fn ip(from: SocketAddr, to: SocketAddr, protocol: u8, payload: &[u8]) -> Option<Vec<u8>> {
    let length = u16::try_from(payload.len()).ok()?;
    let mut packet = Vec::with_capacity(40 + payload.len());
    let mut pseudo = Vec::with_capacity(40);
    match (from.ip(), to.ip()) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            packet.extend([0x45, 0]);
            packet.extend(length.checked_add(20)?.to_be_bytes());
            // No identification; "don't fragment"; 64 hops; the checksum comes below.
            packet.extend([0, 0, 0x40, 0, 64, protocol, 0, 0]);
            packet.extend(from.octets());
            packet.extend(to.octets());
            let sum = checksum(&[&packet]);
            packet[10..12].copy_from_slice(&sum.to_be_bytes());
            pseudo.extend(from.octets());
            pseudo.extend(to.octets());
            pseudo.extend([0, protocol]);
            pseudo.extend(length.to_be_bytes());
        }
        (IpAddr::V6(from), IpAddr::V6(to)) => {
            packet.extend([0x60, 0, 0, 0]);
            packet.extend(length.to_be_bytes());
            packet.extend([protocol, 64]);
            packet.extend(from.octets());
            packet.extend(to.octets());
            pseudo.extend(from.octets());
            pseudo.extend(to.octets());
            pseudo.extend(u32::from(length).to_be_bytes());
            pseudo.extend([0, 0, 0, protocol]);
        }
        _ => return None,
    }
    let mut sum = checksum(&[&pseudo, payload]);
    let field = if protocol == TCP { 16 } else { 6 };
    if protocol == UDP && sum == 0 {
        // Zero says that there is none.
        sum = 0xFFFF;
    }
    let start = packet.len();
    packet.extend(payload);
    packet
        .get_mut(start + field..start + field + 2)?
        .copy_from_slice(&sum.to_be_bytes());
    Some(packet)
}

/// A TCP segment, its checksum left 0.
fn tcp(packet: &Packet, sequence: u32, data: &[u8], last: bool) -> Vec<u8> {
    let flags = match packet.kind {
        PacketKind::Syn => SYN,
        PacketKind::SynAck => SYN | ACK,
        PacketKind::Reset => RST | ACK,
        PacketKind::Fin if last && data.is_empty() => FIN | ACK,
        PacketKind::Fin if last => FIN | PSH | ACK,
        PacketKind::Data if last => PSH | ACK,
        _ => ACK,
    };
    let syn = flags & SYN != 0;
    // MSS, a no-op, window scale.
    let segment = u16::try_from(packet.segment).unwrap_or(u16::MAX).to_be_bytes();
    let options = [2, 4, segment[0], segment[1], 1, 3, 3, WINDOW_SCALE];
    let options: &[u8] = if syn { &options } else { &[] };
    let scale = if syn { 0 } else { WINDOW_SCALE };
    let window = u16::try_from(packet.window >> scale).unwrap_or(u16::MAX);
    let words = u8::try_from((20 + options.len()) / 4).unwrap_or(5);
    let mut segment = Vec::with_capacity(28 + data.len());
    segment.extend(packet.from.port().to_be_bytes());
    segment.extend(packet.to.port().to_be_bytes());
    segment.extend(sequence.to_be_bytes());
    let acknowledgement = if flags & ACK == 0 { 0 } else { packet.acknowledgement };
    segment.extend(acknowledgement.to_be_bytes());
    segment.extend([words << 4, flags]);
    segment.extend(window.to_be_bytes());
    segment.extend([0; 4]);
    segment.extend(options);
    segment.extend(data);
    segment
}

/// A UDP datagram, its checksum left 0.
fn datagram(packet: &Packet) -> Vec<u8> {
    let length = u16::try_from(packet.data.len() + 8).unwrap_or(u16::MAX);
    let mut datagram = Vec::with_capacity(usize::from(length));
    datagram.extend(packet.from.port().to_be_bytes());
    datagram.extend(packet.to.port().to_be_bytes());
    datagram.extend(length.to_be_bytes());
    datagram.extend([0; 2]);
    datagram.extend(&*packet.data);
    datagram
}

/// The Internet checksum (RFC 1071) over parts, all but the last of which are even.
fn checksum(parts: &[&[u8]]) -> u16 {
    let mut sum = 0_u64;
    for part in parts {
        for pair in part.chunks(2) {
            let low = pair.get(1).copied().unwrap_or(0);
            sum += u64::from(u16::from_be_bytes([pair[0], low]));
        }
    }
    while sum >> 16 != 0 {
        sum = (sum & 0xFFFF) + (sum >> 16);
    }
    !(sum as u16)
}
