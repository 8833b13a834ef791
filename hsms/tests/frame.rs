//! Frames: cut at every byte, hostile lengths, no allocation.

use hsms::{ErrorKind, Header, StreamFunction, frame};
use net_core::framing::{Decoded, Framing};
use proptest::prelude::*;

fn frames(contents: &[(Header, Vec<u8>)]) -> Vec<u8> {
    let mut wire = Vec::new();
    for (header, text) in contents {
        frame::encode(header, text, &mut wire).unwrap();
    }
    wire
}

/// Feeds the pieces one after the other, as reads would.
fn decode(pieces: &[&[u8]]) -> Vec<(Header, Vec<u8>)> {
    let rules = frame::framing(frame::MAX_TEXT);
    let (mut unread, mut found) = (Vec::new(), Vec::new());
    for piece in pieces {
        unread.extend_from_slice(piece);
        while let Decoded::Frame(located) = rules.decode(&mut (), &unread).unwrap() {
            let (header, text) = frame::split(&unread[located.content]).unwrap();
            found.push((header, text.to_vec()));
            unread.drain(..located.consumed);
        }
    }
    assert!(rules.at_boundary(&(), &unread));
    found
}

proptest! {
    #[test]
    fn frames_survive_a_cut_at_any_byte(
        contents in prop::collection::vec(
            (any::<[u8; 10]>().prop_map(Header::from_bytes), prop::collection::vec(any::<u8>(), 0..40)), 1..4)
    ) {
        let wire = frames(&contents);
        for cut in 0..=wire.len() {
            let (before, after) = wire.split_at(cut);
            prop_assert_eq!(&decode(&[before, after]), &contents);
        }
        let bytes: Vec<&[u8]> = wire.chunks(1).collect();
        prop_assert_eq!(&decode(&bytes), &contents);
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
        let _ = frame::framing(100).decode(&mut (), &bytes);
        let _ = frame::split(&bytes);
    }
}

/// Lengths under ten and over the limit are refused by their four bytes alone.
#[test]
fn d03_hostile_lengths_are_refused_at_once() {
    let rules = frame::framing(100);
    for (length, kind) in [
        (0, ErrorKind::BadFrame),
        (9, ErrorKind::BadFrame),
        (111, ErrorKind::FrameTooLong),
        (0xFFFF_FFF0, ErrorKind::FrameTooLong),
        (u32::MAX, ErrorKind::FrameTooLong),
    ] {
        let error = rules.decode(&mut (), &u32::to_be_bytes(length)).unwrap_err();
        assert_eq!(error.kind(), kind, "{length}");
        assert!(error.to_string().contains(&length.to_string()), "{error}");
    }
    assert_eq!(rules.decode(&mut (), &[0, 0, 0, 110]).unwrap(), Decoded::More(114));
    assert_eq!(rules.decode(&mut (), &[0, 0, 0, 10]).unwrap(), Decoded::More(14));
    assert_eq!(frame::split(&[0; 9]).unwrap_err().kind(), ErrorKind::BadFrame);
}

#[test]
fn frames_cost_no_allocation() {
    let header = Header::data(0, StreamFunction::new(1, 1), true, 1);
    let rules = frame::framing(frame::MAX_TEXT);
    let mut out = Vec::with_capacity(1024);
    let count = allocation_counter::measure(|| {
        for _ in 0..100 {
            out.clear();
            frame::encode(&header, b"\x01\x00", &mut out).unwrap();
            let Ok(Decoded::Frame(located)) = rules.decode(&mut (), &out) else {
                panic!("a whole frame")
            };
            let (decoded, text) = frame::split(&out[located.content]).unwrap();
            assert_eq!((decoded, text), (header, &b"\x01\x00"[..]));
        }
    });
    assert_eq!(count.count_total, 0);
}
