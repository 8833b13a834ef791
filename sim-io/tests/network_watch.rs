//! Seeing the packets: the log and the capture.

mod network_common;

use std::cell::RefCell;
use std::io::{self, Write};
use std::rc::Rc;
use std::time::Duration;

use etherparse::{NetSlice, SlicedPacket, TransportSlice};
use network_common::{Pair, ms};
use pcap_file::DataLink;
use pcap_file::pcap::PcapReader;
use sim_io::network::Link;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// A file in memory that the test can look into.
#[derive(Clone, Default)]
struct Shared(Rc<RefCell<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(data);
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn talk(pair: &Pair) {
    let (mut near, mut far) = pair.connected();
    pair.run(async move {
        let net = near.net();
        near.write_all(&[7; 2000]).await?;
        far.read_exact(&mut [0; 2000]).await?;
        let socket = net.datagram(&"udp://0.0.0.0:0".parse()?).await?;
        socket.send_to(b"ping", &"udp://server:7".parse()?).await?;
        drop(far);
        assert_eq!(near.read(&mut [0; 1]).await?, 0);
        Ok(())
    });
    pair.env.run().unwrap();
}

#[test]
fn a_log_can_be_read() {
    let pair = Pair::new(1, ms(10));
    let log = Rc::new(RefCell::new(Vec::new()));
    let (lines, network) = (Rc::clone(&log), pair.network.clone());
    pair.network.watch(move |packet| {
        // A watcher may look at what it watches.
        assert!(network.stats().packets > 0);
        lines.borrow_mut().push(packet.to_string());
    });
    talk(&pair);
    let log = log.borrow();
    assert_eq!(
        log[..4],
        [
            "0.000000000s client:32768 > server:9000 syn, arrives at 0.010000000s",
            "0.010000000s server:9000 > client:32768 syn-ack, arrives at 0.020000000s",
            "0.020000000s client:32768 > server:9000 ack, arrives at 0.030000000s",
            "0.030000000s client:32768 > server:9000 data 2000 bytes, arrives at 0.040000000s",
        ]
    );
    assert!(log.iter().any(|line| line.contains("datagram 4 bytes")));
    assert!(log.iter().any(|line| line.contains("server:9000 > client:32768 fin")));
}

/// The Internet checksum over a whole packet part is zero when the checksum in it is right.
fn sums_to_zero(parts: &[&[u8]]) -> bool {
    let mut sum = 0_u64;
    for part in parts {
        for pair in part.chunks(2) {
            sum += u64::from(u16::from_be_bytes([pair[0], pair.get(1).copied().unwrap_or(0)]));
        }
    }
    while sum > 0xFFFF {
        sum = (sum & 0xFFFF) + (sum >> 16);
    }
    sum == 0xFFFF
}

#[test]
fn a_capture_has_right_headers_and_checksums() {
    let pair = Pair::linked(1, Link::default().latency(ms(10)));
    let file = Shared::default();
    pair.network.capture(file.clone()).unwrap();
    talk(&pair);
    let file = file.0.borrow();
    assert_eq!(file[..4], 0xA1B2_3C4D_u32.to_le_bytes());
    assert_eq!(file[20..24], 101_u32.to_le_bytes());
    let mut rest = &file[24..];
    let (mut tcp, mut udp, mut data) = (0, 0, 0);
    let mut next = None;
    while !rest.is_empty() {
        let length = u32::from_le_bytes(rest[8..12].try_into().unwrap()) as usize;
        let packet = &rest[16..16 + length];
        rest = &rest[16 + length..];
        assert_eq!(packet[0], 0x45);
        assert_eq!(usize::from(u16::from_be_bytes([packet[2], packet[3]])), length);
        assert!(sums_to_zero(&[&packet[..20]]));
        let (protocol, payload) = (packet[9], &packet[20..]);
        let pseudo = [&packet[12..20], &[0, protocol], &(payload.len() as u16).to_be_bytes()].concat();
        assert!(sums_to_zero(&[&pseudo, payload]));
        match protocol {
            6 => {
                tcp += 1;
                let from_client = payload[2..4] == 9000_u16.to_be_bytes();
                let bytes = payload.len() - usize::from(payload[12] >> 4) * 4;
                let (syn, fin) = (payload[13] & 2 != 0, payload[13] & 1 != 0);
                let sequence = u32::from_be_bytes(payload[4..8].try_into().unwrap());
                if from_client {
                    // Each follows the one before without a gap.
                    assert_eq!(sequence, *next.get_or_insert(sequence));
                    next = Some(sequence + bytes as u32 + u32::from(syn) + u32::from(fin));
                    data += bytes;
                }
            }
            17 => udp += 1,
            other => panic!("protocol {other}"),
        }
    }
    assert_eq!((udp, data), (1, 2000));
    assert!(tcp > 8, "{tcp}");
}

#[test]
fn other_programs_parsers_read_a_capture() {
    let pair = Pair::linked(1, Link::default().latency(ms(10)).loss(0.05));
    let file = Shared::default();
    pair.network.capture(file.clone()).unwrap();
    let (mut near, mut far) = pair.connected();
    pair.run(async move {
        near.write_all(&[7; 20_000]).await?;
        far.read_exact(&mut [0; 20_000]).await?;
        Ok(())
    });
    let six = pair.network.add_host("six", &["fd00::6".parse().unwrap()]).unwrap();
    let net = six.net();
    pair.run(async move {
        let socket = net.datagram(&"udp://[::]:0".parse()?).await?;
        socket.send_to(b"over six", &"udp://[fd00::6]:9".parse()?).await?;
        Ok(())
    });
    let file = file.0.borrow();
    let mut reader = PcapReader::new(&file[..]).unwrap();
    assert_eq!(reader.header().datalink, DataLink::RAW);
    let (mut last, mut bytes, mut datagrams) = (Duration::ZERO, 0, 0);
    while let Some(packet) = reader.next_packet() {
        let packet = packet.unwrap();
        assert!(packet.timestamp >= last);
        last = packet.timestamp;
        assert_eq!(packet.data.len(), packet.orig_len as usize);
        let sliced = SlicedPacket::from_ip(&packet.data).unwrap();
        match (sliced.net.unwrap(), sliced.transport.unwrap()) {
            (NetSlice::Ipv4(ip), TransportSlice::Tcp(tcp)) => {
                let header = ip.header().to_header();
                assert_eq!(header.calc_header_checksum(), header.header_checksum);
                let checksum = tcp
                    .calc_checksum_ipv4(ip.header().source(), ip.header().destination())
                    .unwrap();
                assert_eq!(checksum, tcp.checksum());
                bytes += tcp.payload().len();
            }
            (NetSlice::Ipv6(ip), TransportSlice::Udp(udp)) => {
                assert_eq!(
                    ip.header().source_addr(),
                    "fd00::6".parse::<std::net::Ipv6Addr>().unwrap()
                );
                assert_eq!((udp.destination_port(), udp.payload()), (9, &b"over six"[..]));
                let checksum = udp
                    .to_header()
                    .calc_checksum_ipv6_raw(ip.header().source(), ip.header().destination(), udp.payload())
                    .unwrap();
                assert_eq!(checksum, udp.checksum());
                datagrams += 1;
            }
            other => panic!("{other:?}"),
        }
    }
    // What was lost left its host too.
    assert!(bytes > 20_000, "{bytes}");
    assert_eq!(datagrams, 1);
}
