//! Framings cut byte streams: what was put in comes out, however the bytes are split, and nothing makes them panic.
#![cfg(feature = "os")]

mod common;

use common::backend::in_jumping_tokio;
use common::frames::{Item, check, content, contents, cut, cuts, decode, encode, through_framed, too_long};
use net_core::framing::{Decoded, Framing, LengthField, LengthPrefix, Line, Raw, Terminator, Width};
use net_core::{ErrorKind, Framed, Net, Operation, Stream};
use proptest::prelude::*;
use tokio::io::AsyncWriteExt;

/// Lines without what ends or spoils one.
fn lines() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let byte = any::<u8>().prop_filter("a control", |byte| !matches!(byte, b'\n' | b'\r' | 0));
    prop::collection::vec(prop::collection::vec(byte, 0..30), 0..12)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn lines_come_out_as_they_were_sent(lines in lines(), cuts in cuts()) {
        for framing in [
            Line::default(),
            Line::default().strict_lf(),
            Line::default().terminator(Terminator::CrLf),
            Line::default().max(30),
        ] {
            check(&framing, &encode(&framing, &lines), &cuts, &contents(&lines));
        }
    }

    #[test]
    fn strict_lines_keep_every_carriage_return(lines in lines(), cuts in cuts()) {
        let framing = Line::default().strict_lf();
        let sent = encode(&Line::default().terminator(Terminator::CrLf), &lines);
        let with_cr: Vec<Item> = lines.iter().map(|line| content(&[line, &b"\r"[..]].concat())).collect();
        check(&framing, &sent, &cuts, &with_cr);
    }

    #[test]
    fn raw_chunks_put_together_are_what_was_sent(bytes in prop::collection::vec(any::<u8>(), 0..200), cuts in cuts()) {
        for chunks in [vec![&bytes[..]], bytes.chunks(1).collect(), cut(&bytes, &cuts)] {
            for owned in [false, true] {
                let (items, end) = through_framed(&Raw, &chunks, owned);
                let together: Vec<u8> = items.into_iter().flat_map(|item| match item {
                    Item::Content(bytes) => bytes,
                    Item::Fault(_) => panic!("raw chunks have no faults"),
                }).collect();
                prop_assert_eq!((together, end), (bytes.clone(), Ok(())));
            }
        }
    }

    /// The model: split at LF, take one CR off, compare the length.
    #[test]
    fn arbitrary_bytes_fall_into_lines_and_faults_the_same_way_however_they_are_split(
        bytes in prop::collection::vec(prop_oneof![Just(b'\n'), Just(b'\r'), Just(b'a'), any::<u8>()], 0..80),
        cuts in cuts(),
        max in 0_usize..6,
        strict in any::<bool>(),
    ) {
        let mut framing = Line::default().max(max);
        if strict {
            framing = framing.strict_lf();
        }
        let mut parts: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
        let tail = parts.pop().unwrap_or_default();
        let expected: Vec<Item> = parts.into_iter().map(|part| {
            let line = if strict { part } else { part.strip_suffix(b"\r").unwrap_or(part) };
            if line.len() > max { too_long(max, line.len()) } else { content(line) }
        }).collect();
        let end = if tail.is_empty() { Ok(()) } else { Err(ErrorKind::Truncated) };
        let whole = (expected, end);
        let each: Vec<&[u8]> = bytes.chunks(1).collect();
        for chunks in [vec![&bytes[..]], each, cut(&bytes, &cuts)] {
            prop_assert_eq!(&decode(&framing, &chunks), &whole);
            for owned in [false, true] {
                prop_assert_eq!(&through_framed(&framing, &chunks, owned), &whole);
            }
        }
    }

    #[test]
    fn what_can_not_be_a_line_is_refused_and_leaves_no_trace(before in lines(), bad in "[a-z]{0,9}[\r\n\0][a-z]{0,9}") {
        let framing = Line::default();
        let mut out = encode(&framing, &before);
        let length = out.len();
        let error = framing.encode(bad.as_bytes(), &mut out).unwrap_err();
        prop_assert_eq!((error.kind(), error.operation()), (ErrorKind::BadFrame, Operation::Write));
        prop_assert_eq!(out.len(), length);
    }
}

#[test]
fn a_line_of_exactly_the_maximum_passes_and_one_more_byte_is_a_fault() {
    let framing = Line::default().max(4);
    for (sent, expected) in [
        (&b"abcd\n"[..], content(b"abcd")),
        (b"abcd\r\n", content(b"abcd")),
        (b"abcde\n", too_long(4, 5)),
        (b"abcde\r\n", too_long(4, 5)),
        // Only the last CR belongs to the terminator.
        (b"abcd\r\r\n", too_long(4, 5)),
        (b"abc\r\r\n", content(b"abc\r")),
        (b"abcd\rx\n", too_long(4, 6)),
        (b"\r\n", content(b"")),
        (b"\n", content(b"")),
    ] {
        let all = [b"first\n".get(..4).unwrap(), b"\n", sent, b"last\n"].concat();
        let items = [content(b"firs"), expected, content(b"last")];
        check(&framing, &all, &[], &items);
    }
}

#[test]
fn an_over_long_line_over_many_reads_is_one_fault_and_its_neighbours_arrive() {
    let framing = Line::default().max(1000);
    let mut bytes = b"before\n".to_vec();
    bytes.extend(std::iter::repeat_n(b'x', 300_000));
    bytes.extend(b"\r\nafter\n");
    let items = vec![content(b"before"), too_long(1000, 300_000), content(b"after")];
    for size in [1000, 4096, 60_000] {
        let chunks: Vec<&[u8]> = bytes.chunks(size).collect();
        assert_eq!(decode(&framing, &chunks), (items.clone(), Ok(())));
        assert_eq!(through_framed(&framing, &chunks, false), (items.clone(), Ok(())));
    }
}

#[test]
fn an_over_long_line_without_an_end_keeps_no_memory() {
    let framing = Line::default().max(10);
    let mut state = <Line as Framing>::State::default();
    for _ in 0..100 {
        assert_eq!(framing.decode(&mut state, &[b'x'; 100]).unwrap(), Decoded::Discard(100));
    }
    assert!(!framing.at_boundary(&state, b""));
}

#[test]
fn an_unfinished_line_at_the_end_is_truncated_and_never_a_frame() {
    let (items, end) = through_framed(&Line::default(), &[b"whole\nhal"], false);
    assert_eq!((items, end), (vec![content(b"whole")], Err(ErrorKind::Truncated)));
    let (items, end) = through_framed(&Line::default().max(2), &[b"much too lo"], false);
    assert_eq!((items, end), (vec![], Err(ErrorKind::Truncated)));
}

#[test]
fn a_frame_that_is_too_long_to_send_is_refused_and_leaves_no_trace() {
    let mut out = Vec::new();
    for outcome in [
        Line::default().max(3).encode(b"abcd", &mut out),
        LengthPrefix::default().max(3).encode(b"abcd", &mut out),
        LengthField::new(Width::U16).max(3).encode(b"abcd", &mut out),
    ] {
        let error = outcome.unwrap_err();
        assert_eq!(
            (error.kind(), error.operation()),
            (ErrorKind::FrameTooLong, Operation::Write)
        );
    }
    assert!(out.is_empty());
}

/// What tokio-util's codecs do after a decode error: the buffered lines stall until another byte comes.
#[test]
fn the_lines_after_an_over_long_one_need_no_further_byte() {
    in_jumping_tokio(async {
        let (mut peer, stream) = Stream::pair(&Net::os());
        let mut lines = Framed::new(stream, Line::default().max(4));
        peer.write_all(b"toolong\nping\nz\n").await.unwrap();
        assert!(lines.next().await.unwrap().unwrap().0.fault().is_some());
        assert_eq!(&*lines.next().await.unwrap().unwrap().0, b"ping");
        assert_eq!(&*lines.next().await.unwrap().unwrap().0, b"z");
    });
}

/// The same at the end of the stream, where tokio-util loses them.
#[test]
fn the_lines_after_an_over_long_one_are_not_lost_at_the_end() {
    let (items, end) = through_framed(&Line::default().max(4), &[b"toolong\nping\nz\n"], false);
    assert_eq!(
        (items, end),
        (vec![too_long(4, 7), content(b"ping"), content(b"z")], Ok(()))
    );
}

#[test]
fn bytes_that_are_no_text_are_a_line_like_any_other() {
    let (items, _) = through_framed(&Line::default(), &[b"\xff\xfe\0\n"], true);
    assert_eq!(items, vec![content(b"\xff\xfe\0")]);
}

#[cfg(feature = "tokio-codec")]
mod codec {
    //! The same framings as codecs of tokio-util.

    use super::*;
    use bytes::{Bytes, BytesMut};
    use net_core::Error;
    use net_core::framing::{Codec, OwnedFrame};
    use tokio_util::codec::{Decoder, Encoder};

    fn item(frame: OwnedFrame) -> Item {
        match frame.fault {
            Some(fault) => Item::Fault(fault),
            None => Item::Content(frame.bytes.into()),
        }
    }

    /// As tokio-util drives a codec.
    fn through_codec<F: Framing>(framing: &F, chunks: &[&[u8]]) -> (Vec<Item>, Result<(), ErrorKind>) {
        let (mut codec, mut buffer, mut items) = (Codec::new(framing.clone()), BytesMut::new(), Vec::new());
        let kind = |error| Err(Error::from_io(Operation::Read, error).kind());
        for chunk in chunks {
            buffer.extend_from_slice(chunk);
            loop {
                match codec.decode(&mut buffer) {
                    Ok(Some(frame)) => items.push(item(frame)),
                    Ok(None) => break,
                    Err(error) => return (items, kind(error)),
                }
            }
        }
        loop {
            match codec.decode_eof(&mut buffer) {
                Ok(Some(frame)) => items.push(item(frame)),
                Ok(None) => return (items, Ok(())),
                Err(error) => return (items, kind(error)),
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_codec_cuts_as_its_framing_does(
            bytes in prop::collection::vec(prop_oneof![Just(b'\n'), Just(b'\r'), Just(0), any::<u8>()], 0..80),
            cuts in cuts(),
        ) {
            let chunks = cut(&bytes, &cuts);
            let line = Line::default().max(5);
            prop_assert_eq!(through_codec(&line, &chunks), decode(&line, &chunks));
            let length = LengthPrefix::default().max(64);
            prop_assert_eq!(through_codec(&length, &chunks), decode(&length, &chunks));
            let raw: Vec<&[u8]> = chunks.into_iter().filter(|chunk| !chunk.is_empty()).collect();
            prop_assert_eq!(through_codec(&Raw, &raw), decode(&Raw, &raw));
        }

        #[test]
        fn a_codec_encodes_as_its_framing_does(lines in lines()) {
            let mut buffer = BytesMut::new();
            let mut codec = Codec::new(Line::default());
            for (i, line) in lines.iter().enumerate() {
                if i % 2 == 0 {
                    codec.encode(&line[..], &mut buffer).unwrap();
                } else {
                    codec.encode(Bytes::copy_from_slice(line), &mut buffer).unwrap();
                }
            }
            prop_assert_eq!(&buffer[..], &encode(&Line::default(), &lines)[..]);
            prop_assert!(codec.encode(&b"two\nlines"[..], &mut buffer).is_err());
        }
    }
}

#[test]
fn a_frame_in_parts_is_the_frame_in_one() {
    fn check<F: Framing>(framing: &F) {
        let parts: [&[u8]; 4] = [b"head", b"", b"er", b"body"];
        let (mut one, mut other) = (b"before".to_vec(), b"before".to_vec());
        framing.encode(b"headerbody", &mut one).unwrap();
        framing.encode_parts(&parts, &mut other).unwrap();
        assert_eq!(one, other);
    }
    check(&LengthPrefix::default());
    check(&LengthField::new(Width::U24));
    check(&Line::default());
    check(&Raw);

    let mut out = Vec::new();
    let short = LengthPrefix::default().min(5).max(6);
    let error = short.encode_parts(&[b"12", b"34"], &mut out).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadFrame);
    let error = short.encode_parts(&[b"1234", b"567"], &mut out).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::FrameTooLong);
    assert!(out.is_empty());
}
