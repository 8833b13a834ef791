//! The files of captures: pcap (libpcap) and pcapng.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use super::stream::Flow;
use super::{CaptureError, Content, Decoder, Record, packet};

const SECTION: u32 = 0x0A0D_0D0A;

/// Whether a recording begins like one.
pub(super) fn is_capture(recording: &[u8]) -> bool {
    recording
        .first_chunk()
        .is_some_and(|first| u32::from_be_bytes(*first) == SECTION || pcap_order(*first).is_some())
}

pub(super) fn decode(decoder: &Decoder, recording: &[u8], found: &mut dyn FnMut(Record)) -> Result<(), CaptureError> {
    let mut flows = Flows {
        decoder,
        flows: BTreeMap::new(),
        last: None,
    };
    let whole = match recording.first_chunk() {
        Some(first) if u32::from_be_bytes(*first) == SECTION => pcapng(recording, &mut flows, found),
        Some(first) if let Some(order) = pcap_order(*first) => pcap(recording, order, &mut flows, found),
        _ => return Err(CaptureError("it is no capture: neither pcap nor pcapng".into())),
    };
    flows.end(found);
    if whole.is_none() {
        found(Record::of(Content::Fault(
            "the file ends inside a packet, or is damaged".into(),
        )));
    }
    Ok(())
}

/// Byte order and resolution of a pcap file.
#[derive(Clone, Copy)]
struct Order {
    big: bool,
    nanoseconds: bool,
}

impl Order {
    fn u32(self, bytes: &[u8], at: usize) -> Option<u32> {
        let bytes = *bytes.get(at..)?.first_chunk()?;
        Some(if self.big {
            u32::from_be_bytes(bytes)
        } else {
            u32::from_le_bytes(bytes)
        })
    }

    fn u16(self, bytes: &[u8], at: usize) -> Option<u16> {
        let bytes = *bytes.get(at..)?.first_chunk()?;
        Some(if self.big {
            u16::from_be_bytes(bytes)
        } else {
            u16::from_le_bytes(bytes)
        })
    }
}

fn pcap_order(first: [u8; 4]) -> Option<Order> {
    let (big, nanoseconds) = match u32::from_be_bytes(first) {
        0xA1B2_C3D4 => (true, false),
        0xA1B2_3C4D => (true, true),
        0xD4C3_B2A1 => (false, false),
        0x4D3C_B2A1 => (false, true),
        _ => return None,
    };
    Some(Order { big, nanoseconds })
}

/// `None` if the file is cut off.
fn pcap(file: &[u8], order: Order, flows: &mut Flows<'_>, found: &mut dyn FnMut(Record)) -> Option<()> {
    // The upper bits say something of checksums.
    let link = order.u32(file, 20)? & 0x0FFF_FFFF;
    let mut rest = file.get(24..)?;
    while !rest.is_empty() {
        let (seconds, fraction) = (order.u32(rest, 0)?, order.u32(rest, 4)?);
        let nanos = if order.nanoseconds {
            fraction
        } else {
            fraction.saturating_mul(1000)
        };
        let time = Duration::from_secs(seconds.into()) + Duration::from_nanos(nanos.into());
        let end = usize::try_from(order.u32(rest, 8)?).ok()?.checked_add(16)?;
        flows.packet(link, Some(time), rest.get(16..end)?, found);
        rest = rest.get(end..)?;
    }
    Some(())
}

/// What a pcapng file says of one of its interfaces.
struct Interface {
    link: u32,
    /// How many nanoseconds a unit of its times is, as a fraction.
    unit: (u64, u64),
}

/// `None` if the file is cut off.
fn pcapng(file: &[u8], flows: &mut Flows<'_>, found: &mut dyn FnMut(Record)) -> Option<()> {
    let mut order = Order {
        big: false,
        nanoseconds: false,
    };
    let mut interfaces: Vec<Interface> = Vec::new();
    let mut rest = file;
    while !rest.is_empty() {
        let kind = order.u32(rest, 0)?;
        if kind == SECTION {
            // A section has its own byte order, and its own interfaces.
            order.big = u32::from_be_bytes(*rest.get(8..)?.first_chunk()?) == 0x1A2B_3C4D;
            interfaces.clear();
        }
        let length = usize::try_from(order.u32(rest, 4)?).ok()?;
        if length < 12 {
            return None;
        }
        let body = rest.get(8..length - 4)?;
        match kind {
            1 => interfaces.push(Interface {
                link: order.u16(body, 0)?.into(),
                unit: unit(order, body.get(8..)?),
            }),
            // With a time.
            6 => {
                let interface = interfaces.get(order.u32(body, 0)? as usize)?;
                let units = u64::from(order.u32(body, 4)?) << 32 | u64::from(order.u32(body, 8)?);
                let (factor, divisor) = interface.unit;
                let nanos = u128::from(units) * u128::from(factor) / u128::from(divisor);
                let time = u64::try_from(nanos).ok().map(Duration::from_nanos);
                let end = usize::try_from(order.u32(body, 12)?).ok()?.checked_add(20)?;
                flows.packet(interface.link, time, body.get(20..end)?, found);
            }
            // Without.
            3 => {
                let interface = interfaces.first()?;
                flows.packet(interface.link, None, body.get(4..)?, found);
            }
            _ => {}
        }
        rest = rest.get(length..)?;
    }
    Some(())
}

/// Looks for the resolution among an interface's options; microseconds without one.
fn unit(order: Order, mut options: &[u8]) -> (u64, u64) {
    while let (Some(code), Some(length)) = (order.u16(options, 0), order.u16(options, 2)) {
        if let (9, Some(exponent)) = (code, options.get(4)) {
            let shift = u32::from(exponent & 0x7F);
            let base = if exponent & 0x80 == 0 { 10_u64 } else { 2 };
            return match base.checked_pow(shift) {
                Some(divisor) => (1_000_000_000, divisor),
                None => (0, 1),
            };
        }
        options = options
            .get(4 + usize::from(length).next_multiple_of(4)..)
            .unwrap_or_default();
    }
    (1000, 1)
}

/// The connections of a capture, each direction by itself.
struct Flows<'d> {
    decoder: &'d Decoder,
    flows: BTreeMap<(SocketAddr, SocketAddr), Flow>,
    /// The time of the last packet.
    last: Option<Duration>,
}

impl Flows<'_> {
    fn packet(&mut self, link: u32, time: Option<Duration>, packet: &[u8], found: &mut dyn FnMut(Record)) {
        self.last = time;
        let Some(packet) = packet::tcp(link, packet) else {
            return;
        };
        let ends = (packet.from, packet.to);
        let wanted = |port| ends.0.port() == port || ends.1.port() == port;
        if !self.decoder.port.is_none_or(wanted) {
            return;
        }
        let max_text = self.decoder.max_text;
        let flow = self.flows.entry(ends).or_insert_with(|| Flow::new(max_text));
        flow.segment(packet.segment, &mut |content| {
            found(Record {
                time,
                ends: Some(ends),
                content,
            });
        });
    }

    fn end(&mut self, found: &mut dyn FnMut(Record)) {
        let time = self.last;
        for (ends, flow) in &mut self.flows {
            flow.end(&mut |content| {
                found(Record {
                    time,
                    ends: Some(*ends),
                    content,
                });
            });
        }
    }
}
