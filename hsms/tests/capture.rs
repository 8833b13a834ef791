//! Recordings: hex dumps, bytes, pcap and pcapng, with what goes wrong in them.
#![cfg(feature = "capture")]

use hsms::capture::{Content, Decoder, Form, Record, Summary};
use hsms::item::Item;
use hsms::{Header, Message, StreamFunction, frame};
use proptest::prelude::*;

fn records(decoder: Decoder, recording: &[u8]) -> (Vec<Record>, Summary) {
    let mut all = Vec::new();
    let summary = decoder.decode(recording, &mut |record| all.push(record)).unwrap();
    (all, summary)
}

fn messages(recording: &[u8]) -> Vec<Message> {
    let (records, _) = records(Decoder::default(), recording);
    let message = |record: Record| match record.content {
        Content::Message(message) => message,
        other => panic!("{other:?}"),
    };
    records.into_iter().map(message).collect()
}

fn sent() -> Vec<Message> {
    let about = StreamFunction::new(2, 25);
    vec![
        Message::header_only(Header::select_req(Header::CONTROL, 1)),
        Message::data(3, about, true, 2, Item::binary((0..=255).collect::<Vec<u8>>())),
        Message::header_only(Header::linktest_req(3)),
        Message::data(3, about.secondary(), false, 2, Item::ascii("it's fine")),
    ]
}

fn wire(messages: &[Message]) -> Vec<u8> {
    let mut out = Vec::new();
    for message in messages {
        frame::encode(&message.header, &message.text, &mut out).unwrap();
    }
    out
}

#[test]
fn hex_is_read_in_every_form() {
    let expected = [Message::header_only(Header::linktest_req(2))];
    for text in [
        "0000000AFFFF00000005 00000002",
        "00 00 00 0a ff ff 00 00 00 05 00 00 00 02\n",
        "0x00,0x00,0x00,0x0A, 0xFF,0xFF,0x0,0x0,0x0,0x5,0,0,0,2",
        "// received\n00:00:00:0a:ff:ff:00:00:00:05 # a linktest\n00:00:00:02",
        "00000000: 0000 000a ffff 0000 0005 0000 0002       ..............\n",
        "00000000  00 00 00 0a ff ff 00 00  00 05 00 00 00 02        |..............|\n0000000e\n",
        "0000   00 00 00 0a ff ff 00 00 00 05 00 00 00 02   ..............\n",
        r"\x00\x00\x00\x0a\xff\xff\x00\x00\x00\x05\x00\x00\x00\x02",
    ] {
        let result = Decoder::default().decode(text.as_bytes(), &mut |_| {});
        if text.starts_with('\\') {
            assert!(result.unwrap_err().to_string().contains("line 1"), "{text}");
            continue;
        }
        assert_eq!(messages(text.as_bytes()), expected, "{text}");
    }
    let dump: String = wire(&sent())
        .chunks(16)
        .enumerate()
        .map(|(line, bytes)| {
            let bytes: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("{:08x}  {}  |....|\n", line * 16, bytes.join(" "))
        })
        .collect();
    assert_eq!(messages(dump.as_bytes()), sent());
    let error = Decoder::default()
        .form(Form::Hex)
        .decode(b"00 0x0g", &mut |_| {})
        .unwrap_err();
    assert_eq!(error.to_string(), "line 1: `0x0g` is not made of pairs of hex digits");
}

#[test]
fn bytes_are_messages_or_an_item() {
    assert_eq!(messages(&wire(&sent())), sent());
    let (records_, summary) = records(Decoder::default(), b"01 01 41 02 4f 4b");
    assert_eq!(records_[0].to_string(), "<L [1]\n  <A \"OK\">\n>");
    assert_eq!((summary.messages, summary.faults), (1, 0));
    assert_eq!(records(Decoder::default(), b"").0, []);
}

#[test]
fn text_is_sml_and_comments() {
    let (all, _) = records(Decoder::default(), &wire(&sent()));
    let text: Vec<String> = all.iter().map(ToString::to_string).collect();
    assert_eq!(
        text[0],
        "// Select.req header: {session_id:0xffff, stream:00, function:00, p_type:0x00, s_type:0x01, system:0x00000001, require_response:0}"
    );
    assert!(
        text[3].ends_with("require_response:0}\nS2F26\n<A \"it's fine\">."),
        "{}",
        text[3]
    );
    let data = hsms::sml::parse(&text.join("\n")).unwrap();
    assert_eq!(data.len(), 2);
    let broken = Message::new(Header::data(0, StreamFunction::new(1, 1), true, 1), vec![0x41, 9, 1]);
    let (all, _) = records(Decoder::default(), &wire(&[broken]));
    assert!(
        all[0]
            .to_string()
            .contains("\n// fault: the text of 3 bytes is no item: at byte 0"),
        "{}",
        all[0]
    );
}

#[test]
fn what_is_wrong_is_told() {
    let mut cut = wire(&sent());
    cut.truncate(cut.len() - 3);
    let (all, summary) = records(Decoder::default(), &cut);
    assert_eq!((summary.messages, summary.faults), (3, 1));
    assert_eq!(
        all[3].to_string(),
        "// fault: it ends inside a message, 22 bytes after that began"
    );
    let (all, _) = records(Decoder::default(), &[0, 0, 0, 9, 1, 2, 3]);
    assert!(all[0].to_string().contains("9 bytes, the least is 10"), "{}", all[0]);
    let error = Decoder::default()
        .form(Form::Capture)
        .decode(b"hello", &mut |_| {})
        .unwrap_err();
    assert_eq!(error.to_string(), "it is no capture: neither pcap nor pcapng");
}

const SYN: u8 = 2;
const FIN: u8 = 1;

/// A TCP segment in IPv4.
fn segment(from_host: bool, sequence: u32, flags: u8, data: &[u8]) -> Vec<u8> {
    let total = u16::try_from(40 + data.len()).unwrap().to_be_bytes();
    let (a, b) = ([10, 0, 0, 1], [10, 0, 0, 2]);
    let (from, to) = if from_host { (a, b) } else { (b, a) };
    let ports: [u16; 2] = if from_host { [40_000, 5000] } else { [5000, 40_000] };
    let mut packet = vec![0x45, 0, total[0], total[1], 0, 0, 0x40, 0, 64, 6, 0, 0];
    packet.extend(from.iter().chain(&to));
    packet.extend(ports.iter().flat_map(|port| port.to_be_bytes()));
    packet.extend(sequence.to_be_bytes());
    packet.extend([0, 0, 0, 0, 0x50, flags, 0, 0, 0, 0, 0, 0]);
    packet.extend(data);
    packet
}

/// A pcap file of raw IP, with a second between packets.
fn pcap(packets: &[Vec<u8>]) -> Vec<u8> {
    let mut file = vec![
        0xD4, 0xC3, 0xB2, 0xA1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 101, 0, 0, 0,
    ];
    for (at, packet) in packets.iter().enumerate() {
        let length = u32::try_from(packet.len()).unwrap();
        file.extend(u32::try_from(at).unwrap().to_le_bytes());
        file.extend(7_u32.to_le_bytes());
        file.extend(length.to_le_bytes());
        file.extend(length.to_le_bytes());
        file.extend(packet);
    }
    file
}

/// The same packets in Ethernet, with a VLAN, in a big-endian pcapng file with nanoseconds.
fn pcapng(packets: &[Vec<u8>]) -> Vec<u8> {
    fn block(kind: u32, body: &[u8]) -> Vec<u8> {
        let padded = body.len().next_multiple_of(4);
        let length = u32::try_from(padded + 12).unwrap().to_be_bytes();
        let mut block = kind.to_be_bytes().to_vec();
        block.extend(length);
        block.extend(body);
        block.resize(8 + padded, 0);
        block.extend(length);
        block
    }
    let mut file = block(
        0x0A0D_0D0A,
        &[
            0x1A, 0x2B, 0x3C, 0x4D, 0, 1, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255,
        ],
    );
    file.extend(block(1, &[0, 1, 0, 0, 0, 4, 0, 0, 0, 9, 0, 1, 9, 0, 0, 0, 0, 0, 0, 0]));
    file.extend(block(5, &[1, 2, 3]));
    for (at, packet) in packets.iter().enumerate() {
        let nanos = at as u64 * 1_000_000_000 + 7000;
        let length = u32::try_from(packet.len() + 18).unwrap().to_be_bytes();
        let mut body = vec![0; 4];
        body.extend(nanos.to_be_bytes());
        body.extend(length);
        body.extend(length);
        body.extend([0; 12]);
        body.extend([0x81, 0, 0, 5, 8, 0]);
        body.extend(packet);
        file.extend(block(6, &body));
    }
    file
}

#[test]
fn captures_are_put_together_again() {
    let out = wire(&sent());
    let answer = Message::header_only(Header::linktest_rsp(&Header::linktest_req(3)));
    let back = wire(std::slice::from_ref(&answer));
    let start = u32::MAX - 20;
    let at = |offset: usize| start.wrapping_add(1 + u32::try_from(offset).unwrap());
    let packets = [
        segment(true, start, SYN, &[]),
        segment(false, 9, SYN, &[]),
        segment(true, at(0), 0, &out[..10]),
        segment(true, at(0), 0, &out[..10]),
        segment(true, at(100), 0, &out[100..200]),
        segment(false, 10, 0, &back),
        segment(true, at(5), 0, &out[5..120]),
        segment(true, at(200), FIN, &out[200..]),
        segment(true, at(150), 0, &out[150..]),
    ];
    for file in [pcap(&packets), pcapng(&packets)] {
        let (all, summary) = records(Decoder::default(), &file);
        assert_eq!((summary.messages, summary.faults), (5, 0), "{all:#?}");
        let of = |port| {
            let from = move |record: &&Record| record.ends.unwrap().0.port() == port;
            all.iter()
                .filter(from)
                .map(|record| record.content.clone())
                .collect::<Vec<_>>()
        };
        assert_eq!(of(5000), [Content::Message(answer.clone())]);
        assert_eq!(of(40_000), sent().into_iter().map(Content::Message).collect::<Vec<_>>());
        assert!(
            all[0]
                .to_string()
                .starts_with("// 5.000007 10.0.0.2:5000 > 10.0.0.1:40000 Linktest.rsp header: "),
            "{}",
            all[0]
        );
        assert_eq!(records(Decoder::default().port(5001), &file).0, []);
        assert_eq!(records(Decoder::default().port(5000), &file).0, all);
    }
}

#[test]
fn captures_may_begin_late_and_miss_packets() {
    let out = wire(&sent());
    // The middle of a message, then its end with the next messages behind it: the first that begins a segment is found.
    let late = [
        segment(true, 50, 0, &out[20..100]),
        segment(true, 130, 0, &wire(&sent()[2..])),
    ];
    let (all, summary) = records(Decoder::default(), &pcap(&late));
    assert_eq!((summary.messages, summary.faults), (2, 0), "{all:#?}");

    let one = wire(&sent()[..1]);
    let gap = [segment(true, 1, 0, &one), segment(true, 1000, 0, &one)];
    let (all, summary) = records(Decoder::default(), &pcap(&gap));
    assert_eq!((summary.messages, summary.faults), (2, 1), "{all:#?}");
    assert!(
        all[1]
            .to_string()
            .ends_with("fault: 985 bytes are missing in the recording"),
        "{}",
        all[1]
    );

    let other = [segment(true, 1, 0, b"GET / HTTP/1.1\r\n\r\n")];
    assert_eq!(records(Decoder::default(), &pcap(&other)).0, []);

    let mut cut = pcap(&[segment(true, 1, 0, &one)]);
    cut.truncate(cut.len() - 1);
    let (all, _) = records(Decoder::default(), &cut);
    assert_eq!(
        all[0].to_string(),
        "// fault: the file ends inside a packet, or is damaged"
    );
}

#[test]
fn a_connection_of_the_same_ends_begins_anew() {
    let one = wire(&sent()[..1]);
    let packets = [
        segment(true, 0, SYN, &[]),
        segment(true, 1, 0, &one[..7]),
        segment(true, 500, SYN, &[]),
        segment(true, 500, SYN, &[]),
        segment(true, 501, FIN, &one),
        segment(true, 501, 0, &one),
    ];
    let (all, summary) = records(Decoder::default(), &pcap(&packets));
    assert_eq!((summary.messages, summary.faults), (1, 1), "{all:#?}");
}

proptest! {
    #[test]
    fn arbitrary_recordings_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), form in 0..4) {
        let form = [Form::Auto, Form::Hex, Form::Binary, Form::Capture][form as usize];
        let _ = Decoder::default().form(form).decode(&bytes, &mut |record| drop(record.to_string()));
    }

    #[test]
    fn damaged_captures_never_panic(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6), ng in any::<bool>()
    ) {
        let packets = [segment(true, 0, SYN, &[]), segment(true, 1, 0, &wire(&sent()))];
        let mut file = if ng { pcapng(&packets) } else { pcap(&packets) };
        for (place, byte) in changes {
            let place = place.index(file.len());
            file[place] = byte;
        }
        let _ = Decoder::default().decode(&file, &mut |record| drop(record.to_string()));
    }

    /// However TCP cuts, repeats and disorders it.
    #[test]
    fn segments_in_any_order_give_the_messages(
        cuts in prop::collection::vec(1..60_usize, 1..20), order in any::<[prop::sample::Index; 12]>()
    ) {
        let out = wire(&sent());
        let (mut segments, mut at) = (Vec::new(), 0);
        for cut in cuts.iter().cycle() {
            let end = out.len().min(at + cut);
            segments.push(segment(true, 1 + u32::try_from(at).unwrap(), 0, &out[at..end]));
            at = end;
            if at == out.len() {
                break;
            }
        }
        for pair in order.chunks(2) {
            let (a, b) = (pair[0].index(segments.len()), pair[1].index(segments.len()));
            segments.swap(a, b);
            segments.push(segments[a].clone());
        }
        segments.insert(0, segment(true, 0, SYN, &[]));
        prop_assert_eq!(messages(&pcap(&segments)), sent());
    }
}
