//! From a packet of the wire to its TCP segment.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::stream::Segment;

/// A TCP segment, and between whom.
pub(super) struct Found<'a> {
    pub(super) from: SocketAddr,
    pub(super) to: SocketAddr,
    pub(super) segment: Segment<'a>,
}

/// What is no TCP, or cut off, is `None`.
pub(super) fn tcp(link: u32, packet: &[u8]) -> Option<Found<'_>> {
    let ip = network_layer(link, packet)?;
    let (from, to, segment) = match ip.first()? >> 4 {
        4 => ipv4(ip)?,
        6 => ipv6(ip)?,
        _ => return None,
    };
    let port = |at| Some(u16::from_be_bytes(*segment.get(at..)?.first_chunk()?));
    let header = usize::from(segment.get(12)? >> 4) * 4;
    let flags = *segment.get(13)?;
    Some(Found {
        from: SocketAddr::new(from, port(0)?),
        to: SocketAddr::new(to, port(2)?),
        segment: Segment {
            sequence: u32::from_be_bytes(*segment.get(4..)?.first_chunk()?),
            begins: flags & 2 != 0,
            ends: flags & 5 != 0,
            data: segment.get(header.max(20)..)?,
        },
    })
}

/// Takes off what goes before IP. The numbers are those of <https://www.tcpdump.org/linktypes.html>.
fn network_layer(link: u32, packet: &[u8]) -> Option<&[u8]> {
    match link {
        // BSD loopback, in the byte order of whoever recorded: whatever family it names, IP tells its version.
        0 | 108 => packet.get(4..),
        // Ethernet, with VLANs.
        1 => {
            let mut at = 12;
            loop {
                let kind = u16::from_be_bytes(*packet.get(at..)?.first_chunk()?);
                at += 2;
                match kind {
                    0x0800 | 0x86DD => return packet.get(at..),
                    0x8100 | 0x88A8 | 0x9100 => at += 2,
                    _ => return None,
                }
            }
        }
        // Raw IP.
        12 | 14 | 101 | 228 | 229 => Some(packet),
        // Linux, any device: the old form and the new.
        113 => packet.get(16..),
        276 => packet.get(20..),
        _ => None,
    }
}

const TCP: u8 = 6;

/// The addresses, and the segment. Fragments are left out.
fn ipv4(ip: &[u8]) -> Option<(IpAddr, IpAddr, &[u8])> {
    let header = usize::from(ip.first()? & 0x0F) * 4;
    let total = usize::from(u16::from_be_bytes(*ip.get(2..)?.first_chunk()?));
    let fragment = u16::from_be_bytes(*ip.get(6..)?.first_chunk()?) & 0x3FFF;
    if *ip.get(9)? != TCP || fragment != 0 {
        return None;
    }
    let address = |at| Some(IpAddr::V4(Ipv4Addr::from(*ip.get(at..)?.first_chunk::<4>()?)));
    // The hardware may have cut segments only after the recorder saw them: then the total is 0.
    let end = if total == 0 { ip.len() } else { total.min(ip.len()) };
    Some((address(12)?, address(16)?, ip.get(header.max(20)..end)?))
}

fn ipv6(ip: &[u8]) -> Option<(IpAddr, IpAddr, &[u8])> {
    let payload = usize::from(u16::from_be_bytes(*ip.get(4..)?.first_chunk()?));
    let address = |at| Some(IpAddr::V6(Ipv6Addr::from(*ip.get(at..)?.first_chunk::<16>()?)));
    let end = if payload == 0 {
        ip.len()
    } else {
        ip.len().min(40 + payload)
    };
    let (mut next, mut at) = (*ip.get(6)?, 40);
    // Hop-by-hop options, routing, destination options.
    while matches!(next, 0 | 43 | 60) {
        next = *ip.get(at)?;
        at += (usize::from(*ip.get(at + 1)?) + 1) * 8;
    }
    if next != TCP {
        return None;
    }
    Some((address(8)?, address(24)?, ip.get(at..end)?))
}
