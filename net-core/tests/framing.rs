//! Framings cut byte streams: what was put in comes out, however the bytes are split, and nothing makes them panic.
#![cfg(feature = "os")]

mod common;

use common::backend::in_jumping_tokio;
use common::poll_once;
use net_core::framing::{Decoded, FrameFault, Framing, LengthPrefix, Line, Raw, Terminator};
use net_core::{ErrorKind, Framed, Net, Operation, Stream};
use proptest::prelude::*;
use tokio::io::AsyncWriteExt;

/// A frame as a test compares it.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Item {
    Content(Vec<u8>),
    Fault(FrameFault),
}

fn content(bytes: &[u8]) -> Item {
    Item::Content(bytes.to_vec())
}

fn too_long(limit: usize, length: usize) -> Item {
    Item::Fault(FrameFault::TooLong { limit, length })
}

/// Everything that a framing makes of chunks that arrive one after the other, and how it ends.
fn decode<F: Framing>(framing: &F, chunks: &[&[u8]]) -> (Vec<Item>, Result<(), ErrorKind>) {
    let (mut state, mut unread, mut items) = (F::State::default(), Vec::new(), Vec::new());
    for chunk in chunks {
        unread.extend_from_slice(chunk);
        loop {
            match framing.decode(&mut state, &unread) {
                Ok(Decoded::Frame(found)) => {
                    items.push(content(&unread[found.content]));
                    unread.drain(..found.consumed);
                }
                Ok(Decoded::Fault { fault, consumed }) => {
                    items.push(Item::Fault(fault));
                    unread.drain(..consumed);
                }
                Ok(Decoded::Discard(n)) if n > 0 => drop(unread.drain(..n)),
                Ok(Decoded::Discard(_) | Decoded::More(_)) => break,
                Err(error) => return (items, Err(error.kind())),
            }
        }
    }
    let at_end = framing.at_boundary(&state, &unread);
    (items, if at_end { Ok(()) } else { Err(ErrorKind::Truncated) })
}

/// The same through [`Framed`] over a pipe: each chunk is one read. Lent frames and owned ones must be equal.
fn through_framed<F: Framing>(framing: &F, chunks: &[&[u8]], owned: bool) -> (Vec<Item>, Result<(), ErrorKind>) {
    in_jumping_tokio(async {
        let (mut peer, stream) = Stream::pair(&Net::os());
        let mut framed = Framed::new(stream, framing.clone());
        let mut items = Vec::new();
        let mut chunks = chunks.iter().filter(|chunk| !chunk.is_empty());
        let mut open = true;
        loop {
            let frame = match poll_once(&mut Box::pin(framed.next())).await {
                None if !open => panic!("waits although the peer has ended"),
                None => {
                    match chunks.next() {
                        Some(chunk) => peer.write_all(chunk).await.unwrap(),
                        None => {
                            peer.shutdown().await.unwrap();
                            open = false;
                        }
                    }
                    continue;
                }
                Some(Ok(None)) => return (items, Ok(())),
                Some(Err(error)) => return (items, Err(error.kind())),
                Some(Ok(Some((frame, _)))) => match frame.fault() {
                    Some(fault) => Item::Fault(fault),
                    None if owned => Item::Content(frame.into_bytes().into()),
                    None => content(&frame),
                },
            };
            items.push(frame);
        }
    })
}

/// Cuts bytes at each of these places.
fn cut<'a>(bytes: &'a [u8], at: &[prop::sample::Index]) -> Vec<&'a [u8]> {
    let mut places: Vec<usize> = at.iter().map(|index| index.index(bytes.len() + 1)).collect();
    places.sort_unstable();
    places.push(bytes.len());
    let mut from = 0;
    places
        .into_iter()
        .map(|to| {
            let chunk = &bytes[from..to];
            from = to;
            chunk
        })
        .collect()
}

/// Whatever way the bytes are split, they come out as these items.
fn check<F: Framing>(framing: &F, bytes: &[u8], cuts: &[prop::sample::Index], expected: &[Item]) {
    let whole = (expected.to_vec(), Ok(()));
    let each: Vec<&[u8]> = bytes.chunks(1).collect();
    let some = cut(bytes, cuts);
    assert_eq!(decode(framing, &[bytes]), whole);
    assert_eq!(decode(framing, &each), whole);
    assert_eq!(decode(framing, &some), whole);
    for owned in [false, true] {
        assert_eq!(through_framed(framing, &[bytes], owned), whole);
        assert_eq!(through_framed(framing, &each, owned), whole);
        assert_eq!(through_framed(framing, &some, owned), whole);
    }
}

fn encode<F: Framing>(framing: &F, frames: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for frame in frames {
        framing.encode(frame, &mut bytes).unwrap();
    }
    bytes
}

fn contents(frames: &[Vec<u8>]) -> Vec<Item> {
    frames.iter().map(|frame| content(frame)).collect()
}

/// Lines without what ends or spoils one.
fn lines() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let byte = any::<u8>().prop_filter("a control", |byte| !matches!(byte, b'\n' | b'\r' | 0));
    prop::collection::vec(prop::collection::vec(byte, 0..30), 0..12)
}

fn cuts() -> impl Strategy<Value = Vec<prop::sample::Index>> {
    prop::collection::vec(any::<prop::sample::Index>(), 0..12)
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
    fn length_prefixed_frames_come_out_as_they_were_sent(
        frames in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..12),
        cuts in cuts(),
    ) {
        let framing = LengthPrefix::default().max(40);
        check(&framing, &encode(&framing, &frames), &cuts, &contents(&frames));
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
    fn arbitrary_bytes_never_break_the_length_prefix_and_are_cut_the_same_way_however_they_are_split(
        bytes in prop::collection::vec(prop_oneof![3 => Just(0), 1 => 0..6_u8, 1 => any::<u8>()], 0..80),
        cuts in cuts(),
        min in 0_usize..3,
    ) {
        let framing = LengthPrefix::default().min(min).max(64);
        let whole = decode(&framing, &[&bytes]);
        let each: Vec<&[u8]> = bytes.chunks(1).collect();
        for chunks in [each, cut(&bytes, &cuts)] {
            prop_assert_eq!(&decode(&framing, &chunks), &whole);
            prop_assert_eq!(&through_framed(&framing, &chunks, false), &whole);
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
fn a_length_over_the_limit_or_under_the_minimum_is_an_error_as_soon_as_the_prefix_is_there() {
    let framing = LengthPrefix::default().min(2).max(8);
    for (prefix, kind) in [
        ([0, 0, 0, 9], ErrorKind::FrameTooLong),
        ([0xff; 4], ErrorKind::FrameTooLong),
        ([0, 0, 0, 1], ErrorKind::BadFrame),
    ] {
        let error = framing.decode(&mut (), &prefix).unwrap_err();
        assert_eq!((error.kind(), error.operation()), (kind, Operation::Read));
        assert!(error.to_string().contains("announces"), "{error}");
        let before = [&[0, 0, 0, 2, 7, 7], &prefix[..]].concat();
        let (items, end) = through_framed(&framing, &[&before], false);
        assert_eq!((items, end), (vec![content(&[7, 7])], Err(kind)));
    }
    assert_eq!(framing.decode(&mut (), &[0, 0, 0, 8]).unwrap(), Decoded::More(12));
}

#[test]
fn a_frame_that_is_too_long_to_send_is_refused_and_leaves_no_trace() {
    let mut out = Vec::new();
    for outcome in [
        Line::default().max(3).encode(b"abcd", &mut out),
        LengthPrefix::default().max(3).encode(b"abcd", &mut out),
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
