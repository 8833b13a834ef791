//! Frames behind a length: what was put in comes out, and limits count before anything else.
#![cfg(feature = "os")]

mod common;

use common::frames::{check, content, contents, cut, cuts, decode, encode, through_framed};
use net_core::framing::{Decoded, Framing, LengthField, LengthPrefix, Width};
use net_core::{ErrorKind, Operation};
use proptest::prelude::*;

const WIDTHS: [(Width, usize); 5] = [
    (Width::U8, 1),
    (Width::U16, 2),
    (Width::U24, 3),
    (Width::U32, 4),
    (Width::U64, 8),
];

/// Each form that a length can have, and how many bytes wide it is.
fn forms() -> Vec<(LengthField, usize)> {
    let mut forms = Vec::new();
    for (width, bytes) in WIDTHS {
        let form = LengthField::new(width);
        forms.push((form, bytes));
        forms.push((form.little_endian(), bytes));
        forms.push((form.counts_itself(), bytes));
        forms.push((form.little_endian().counts_itself(), bytes));
    }
    forms
}

fn form() -> impl Strategy<Value = (LengthField, usize)> {
    prop::sample::select(forms())
}

/// A length as a peer writes it: by arithmetic, in the simplest way.
fn written(form: LengthField, bytes: usize, told: u64) -> Vec<u8> {
    let mut all: Vec<u8> = (0..bytes).map(|place| (told >> (8 * place)) as u8).collect();
    if !form.little_endian {
        all.reverse();
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn length_prefixed_frames_come_out_as_they_were_sent(
        frames in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..12),
        cuts in cuts(),
    ) {
        let framing = LengthPrefix::default().max(40);
        check(&framing, &encode(&framing, &frames), &cuts, &contents(&frames));
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
    fn frames_of_any_form_come_out_as_they_were_sent(
        (form, _) in form(),
        frames in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..12),
        cuts in cuts(),
    ) {
        let form = form.max(40);
        check(&form, &encode(&form, &frames), &cuts, &contents(&frames));
    }

    #[test]
    fn arbitrary_bytes_never_break_a_form_and_are_cut_the_same_way_however_they_are_split(
        (form, _) in form(),
        bytes in prop::collection::vec(prop_oneof![3 => Just(0), 2 => 0..9_u8, 1 => any::<u8>()], 0..80),
        cuts in cuts(),
        min in 0_usize..3,
        max in prop_oneof![Just(64), Just(usize::MAX)],
    ) {
        let form = form.min(min).max(max);
        let whole = decode(&form, &[&bytes]);
        let each: Vec<&[u8]> = bytes.chunks(1).collect();
        for chunks in [each, cut(&bytes, &cuts)] {
            prop_assert_eq!(&decode(&form, &chunks), &whole);
            if max == 64 {
                prop_assert_eq!(&through_framed(&form, &chunks, false), &whole);
            }
        }
    }

    /// The model: the number by arithmetic, the limits as they are documented.
    #[test]
    fn a_length_means_what_it_says(
        (form, bytes) in form(),
        told in prop_oneof![0..40_u64, any::<u64>()],
        min in 0_usize..8,
        max in 8_usize..70_000,
    ) {
        let form = form.min(min).max(max);
        let told = if bytes == 8 { told } else { told % (1 << (8 * bytes)) };
        let own = if form.counts_itself { bytes as u64 } else { 0 };
        let outcome = form.decode(&mut (), &written(form, bytes, told)).map_err(|error| error.kind());
        let expected = match told.checked_sub(own) {
            None => Err(ErrorKind::BadFrame),
            Some(length) if length < min as u64 => Err(ErrorKind::BadFrame),
            Some(length) if length > max as u64 => Err(ErrorKind::FrameTooLong),
            Some(0) => Ok(Decoded::Frame(net_core::framing::Located { content: bytes..bytes, consumed: bytes })),
            Some(length) => Ok(Decoded::More(bytes + length as usize)),
        };
        prop_assert_eq!(outcome, expected);
    }
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
fn forms_are_written_as_protocols_have_them() {
    for (form, bytes) in [
        (LengthField::new(Width::U8), &b"\x03abc"[..]),
        (LengthField::new(Width::U16), b"\0\x03abc"),
        (LengthField::new(Width::U16).little_endian(), b"\x03\0abc"),
        (LengthField::new(Width::U24).little_endian(), b"\x03\0\0abc"),
        (LengthField::new(Width::U32), b"\0\0\0\x03abc"),
        (LengthField::new(Width::U32).counts_itself(), b"\0\0\0\x07abc"),
        (LengthField::new(Width::U64), b"\0\0\0\0\0\0\0\x03abc"),
        (
            LengthField::new(Width::U64).little_endian().counts_itself(),
            b"\x0b\0\0\0\0\0\0\0abc",
        ),
    ] {
        assert_eq!(encode(&form, &[b"abc".to_vec()]), bytes, "{form:?}");
        check(&form, bytes, &[], &[content(b"abc")]);
    }
}

#[test]
fn the_usual_form_is_the_length_prefix() {
    let (one, other) = (LengthField::new(Width::U32), LengthPrefix::default());
    assert_eq!((one.min, one.max), (other.min, other.max));
    let frames = [vec![], vec![7; 300], b"abc".to_vec()];
    assert_eq!(encode(&one, &frames), encode(&other, &frames));
}

#[test]
fn what_the_width_can_not_tell_is_too_long_whatever_the_limit() {
    for (form, bytes) in forms() {
        let most = match (bytes, form.counts_itself) {
            (1, false) => 255,
            (1, true) => 254,
            (2, false) => 65_535,
            (2, true) => 65_533,
            _ => continue,
        };
        for form in [form, form.max(usize::MAX)] {
            let mut out = Vec::new();
            let error = form.encode(&vec![0; most + 1], &mut out).unwrap_err();
            assert_eq!(
                (error.kind(), error.operation()),
                (ErrorKind::FrameTooLong, Operation::Write)
            );
            assert!(error.to_string().contains(&format!("the limit is {most}")), "{error}");
            assert!(out.is_empty());
            let frame = vec![vec![1; most]];
            let sent = encode(&form, &frame);
            let chunks: Vec<&[u8]> = sent.chunks(1000).collect();
            assert_eq!(decode(&form, &[&sent]), (contents(&frame), Ok(())));
            assert_eq!(through_framed(&form, &chunks, false), (contents(&frame), Ok(())));
        }
    }
}

#[test]
fn a_length_that_counts_itself_is_never_less_than_itself() {
    for (form, bytes) in forms().into_iter().filter(|(form, _)| form.counts_itself) {
        for told in 0..bytes as u64 {
            let error = form.decode(&mut (), &written(form, bytes, told)).unwrap_err();
            assert_eq!(
                (error.kind(), error.operation()),
                (ErrorKind::BadFrame, Operation::Read)
            );
        }
        let least = form.decode(&mut (), &written(form, bytes, bytes as u64)).unwrap();
        assert!(matches!(least, Decoded::Frame(found) if found.content.is_empty()));
    }
}

/// Not even without a limit of one's own does a peer's number overflow; and with one it is refused at once.
#[test]
fn the_greatest_length_is_an_error_and_no_overflow() {
    let form = LengthField::new(Width::U64);
    let error = form.max(usize::MAX).decode(&mut (), &[0xff; 8]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::FrameTooLong);
    let counting = form.counts_itself().max(usize::MAX).decode(&mut (), &[0xff; 8]);
    assert_eq!(counting.unwrap(), Decoded::More(usize::MAX));
    for form in [form, form.counts_itself()] {
        let (items, end) = through_framed(&form, &[&[0xff; 8]], false);
        assert_eq!((items, end), (vec![], Err(ErrorKind::FrameTooLong)));
    }
}
