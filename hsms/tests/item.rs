//! Items: what they mean, what is refused, what comes back byte for byte.

mod common;

use hsms::Bytes;
use hsms::item::{Array, DecodeErrorKind, EncodeError, Encoding, Event, Format, Item, ItemRef, Limits, Parser, Writer};
use proptest::prelude::*;

fn wrong(bytes: &[u8]) -> DecodeErrorKind {
    let error = ItemRef::parse(bytes).unwrap_err();
    assert_eq!(Item::parse(bytes.to_vec()).unwrap_err(), error);
    error.kind()
}

#[test]
fn every_format_has_its_bytes() {
    let cases: [(Item, &[u8], &str); 18] = [
        (Item::list([]), &[0x01, 0], "<L [0]>"),
        (Item::list([Item::list([])]), &[0x01, 1, 0x01, 0], "<L [1] <L [0]>>"),
        (Item::binary([1, 255]), &[0x21, 2, 1, 255], "<B 0x01 0xFF>"),
        (Item::booleans([true, false]), &[0x25, 2, 1, 0], "<BOOLEAN T F>"),
        (Item::ascii("AB"), &[0x41, 2, b'A', b'B'], r#"<A "AB">"#),
        (Item::ascii(""), &[0x41, 0], r#"<A "">"#),
        (Item::jis8([b'A', 0xB1]), &[0x45, 2, b'A', 0xB1], r#"<J "A" 0xB1>"#),
        (
            Item::localized(Encoding::UTF_8, "é"),
            &[0x49, 4, 0, 2, 0xC3, 0xA9],
            "<W 2 0xC3 0xA9>",
        ),
        (
            Item::i8(-2),
            &[0x61, 8, 255, 255, 255, 255, 255, 255, 255, 254],
            "<I8 -2>",
        ),
        (Item::i1(-2), &[0x65, 1, 254], "<I1 -2>"),
        (Item::i2(-2), &[0x69, 2, 255, 254], "<I2 -2>"),
        (Item::i4(-2), &[0x71, 4, 255, 255, 255, 254], "<I4 -2>"),
        (Item::f8(-0.5), &[0x81, 8, 0xBF, 0xE0, 0, 0, 0, 0, 0, 0], "<F8 -0.5>"),
        (Item::f4(0.1), &[0x91, 4, 0x3D, 0xCC, 0xCC, 0xCD], "<F4 0.1>"),
        (Item::u8(258), &[0xA1, 8, 0, 0, 0, 0, 0, 0, 1, 2], "<U8 258>"),
        (Item::u1(7), &[0xA5, 1, 7], "<U1 7>"),
        (Item::numbers([1u16, 65535]), &[0xA9, 4, 0, 1, 255, 255], "<U2 1 65535>"),
        (Item::u4(0x0102_0304), &[0xB1, 4, 1, 2, 3, 4], "<U4 16909060>"),
    ];
    for (item, bytes, text) in cases {
        assert_eq!(item.as_bytes(), bytes);
        assert_eq!(item.to_string(), text);
        assert_eq!(text.parse::<Item>().unwrap().as_bytes(), bytes);
        assert_eq!(Item::parse(bytes.to_vec()).unwrap(), item);
        assert_eq!(Item::parse(bytes.to_vec()).unwrap().into_bytes(), bytes);
    }
    for format in Format::ALL {
        assert_eq!(Format::from_code(format.code()), Some(format));
    }
}

#[test]
fn lengths_take_as_few_bytes_as_do() {
    for (length, head) in [
        (255, vec![0x21, 255]),
        (256, vec![0x22, 1, 0]),
        (65_535, vec![0x22, 255, 255]),
        (65_536, vec![0x23, 1, 0, 0]),
        (16_777_215, vec![0x23, 255, 255, 255]),
    ] {
        let item = Item::binary(vec![9; length]);
        assert_eq!(item.as_bytes()[..head.len()], head);
        assert_eq!(item.view().len(), length);
    }
    let error = Item::of(&Bytes::from(vec![0; 16_777_216])).unwrap_err();
    assert_eq!(error, EncodeError::TooLong(Format::Binary, 16_777_216));
}

/// A relay must not change what it passes on.
#[test]
fn wide_lengths_are_kept_and_mean_the_same() {
    let wide = [0x02, 0, 1, 0x43, 0, 0, 2, b'A', b'B'];
    let item = Item::parse(wide.to_vec()).unwrap();
    assert_eq!(item.as_bytes(), wide);
    assert_eq!(
        (item.view().length_bytes(), item.view().get(0).unwrap().length_bytes()),
        (2, 3)
    );
    let narrow = Item::list([Item::ascii("AB")]);
    assert_eq!(item, narrow);
    assert_ne!(item.as_bytes(), narrow.as_bytes());
    assert_eq!(Item::of(&("x", item)).unwrap().view().get(1).unwrap().as_bytes(), wide);
}

/// Row 19: truncated text, lengths that do not fit, a format byte without length, bytes after the item.
#[test]
fn d19_what_is_no_item_is_refused() {
    assert_eq!(wrong(&[]), DecodeErrorKind::Truncated);
    assert_eq!(wrong(&[0x41]), DecodeErrorKind::Truncated);
    assert_eq!(wrong(&[0x41, 3, b'A', b'B']), DecodeErrorKind::Truncated);
    assert_eq!(wrong(&[0x43, 0, 0]), DecodeErrorKind::Truncated);
    assert_eq!(wrong(&[0x01, 2, 0x41, 0]), DecodeErrorKind::Truncated);
    assert_eq!(wrong(&[0x40, 0]), DecodeErrorKind::NoLength(0x40));
    assert_eq!(wrong(&[0x05, 0]), DecodeErrorKind::UnknownFormat(0x05));
    assert_eq!(wrong(&[0xFD, 0]), DecodeErrorKind::UnknownFormat(0xFD));
    assert_eq!(wrong(&[0xB1, 3, 1, 2, 3]), DecodeErrorKind::BadLength(Format::U4, 3));
    assert_eq!(wrong(&[0x49, 1, 0]), DecodeErrorKind::BadLength(Format::Localized, 1));
    assert_eq!(wrong(&[0x41, 0, 7, 7]), DecodeErrorKind::TrailingBytes(2));
    let error = ItemRef::parse(&[0x01, 2, 0x41, 0, 0xB1, 3, 1, 2, 3]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "at byte 4: a U4 item of 3 bytes, which 4 does not divide"
    );
}

/// Row 19: no recursion that nesting could overflow; counts are checked against the bytes that are there.
#[test]
fn d19_hostile_nesting_and_counts_are_errors_and_cost_no_memory() {
    let deep: Vec<u8> = [0x01, 1].repeat(1_000_000);
    let wide = [0x03, 0xFF, 0xFF, 0xFF];
    let many: Vec<u8> = [&[0x03, 0x20, 0, 0][..], &[0x01, 0].repeat(0x20_0000)].concat();
    let memory = allocation_counter::measure(|| {
        let deep = ItemRef::parse(&deep).unwrap_err();
        assert_eq!((deep.kind(), deep.offset()), (DecodeErrorKind::TooDeep(64), 128));
        assert_eq!(ItemRef::parse(&wide).unwrap_err().kind(), DecodeErrorKind::Truncated);
        assert_eq!(
            ItemRef::parse(&many).unwrap_err().kind(),
            DecodeErrorKind::TooManyItems(1 << 20)
        );
    });
    assert!(memory.bytes_max < 4096, "{memory:?}");
    let limits = Limits::default().bytes(10);
    assert_eq!(
        ItemRef::parse_with(&[0x21; 11], limits).unwrap_err().kind(),
        DecodeErrorKind::TooLong(10)
    );
    let limits = Limits::default().items(u32::MAX).depth(2);
    assert_eq!(ItemRef::parse_with(&many, limits).unwrap().len(), 0x20_0000);
}

#[test]
fn the_depth_that_is_allowed_is_read() {
    for depth in [1, 15, 16, 17, 64, 255_u8] {
        let bytes = [[0x01, 1].repeat(usize::from(depth) - 1), vec![0x01, 0]].concat();
        let limits = Limits::default().depth(depth);
        let item = ItemRef::parse_with(&bytes, limits).unwrap();
        assert_eq!(item.as_bytes(), bytes);
        let text = item.to_string();
        assert_eq!(text.matches('<').count(), usize::from(depth));
        assert_eq!(text.matches('>').count(), usize::from(depth));
        let limits = limits.depth(depth - 1);
        assert_eq!(
            ItemRef::parse_with(&bytes, limits).unwrap_err().kind(),
            DecodeErrorKind::TooDeep(depth - 1)
        );
    }
}

/// Nothing limits what one builds; it is only that others will not read it.
#[test]
fn what_is_built_may_nest_as_it_likes() {
    let build = || (0..5000).fold(Item::list([]), |item, _| Item::list([item]));
    let item = build();
    assert_eq!(item.to_string().matches("<L [1]").count(), 5000);
    assert_eq!(item, build());
    assert!(Item::parse(item.into_bytes()).is_err());
}

#[test]
fn reading_a_whole_message_allocates_nothing() {
    let bytes = Bytes::from([&[0x01, 200][..], &[0x01, 2, 0xA5, 1, 7, 0x41, 1, b'x'].repeat(200)].concat());
    // The first clone makes the buffer one that can be shared, as received ones are.
    let _shared = bytes.clone();
    let memory = allocation_counter::measure(|| {
        let item = Item::parse(bytes.clone()).unwrap();
        let mut sum = 0_u32;
        for pair in item.view().items() {
            let (number, text) = pair.read::<(u32, &str)>().unwrap();
            sum += number + u32::try_from(text.len()).unwrap();
        }
        assert_eq!(sum, 1600);
    });
    assert_eq!(memory.count_total, 0);
}

#[test]
fn lists_are_walked_and_indexed() {
    let item: Item = "<L <L <U1 1> <L <U1 2>>> <A 'x'> <L> <U1 3>>".parse().unwrap();
    let view = item.view();
    let formats: Vec<_> = view.items().map(ItemRef::format).collect();
    assert_eq!(formats, [Format::List, Format::Ascii, Format::List, Format::U1]);
    assert_eq!(view.items().len(), 4);
    assert_eq!(view.get(3).unwrap().read(), Ok(3));
    assert_eq!(view.get(4), None);
    assert_eq!(view.at(&[0, 1, 0]).unwrap().read(), Ok(2));
    assert_eq!(view.get(1).unwrap().items().next(), None);
    for first in 0..4 {
        for then in 0..4 {
            let mut items = view.items();
            let (a, b) = (items.nth(first), items.nth(then));
            assert_eq!((a, b), (view.get(first), view.get(first + then + 1)), "{first} {then}");
        }
    }
}

#[test]
fn integers_of_any_width_are_read_if_they_fit() {
    for item in [Item::u1(7), Item::u8(7), Item::i1(7), Item::i4(7), Item::binary([7])] {
        assert_eq!(item.read::<u8>(), Ok(7));
        assert_eq!(item.read::<i64>(), Ok(7));
    }
    let error = Item::u4(300).read::<u8>().unwrap_err();
    assert_eq!(error.to_string(), "300 is out of the range of u8");
    let error = Item::i1(-1).read::<u64>().unwrap_err();
    assert_eq!(error.to_string(), "-1 is out of the range of u64");
    let error = Item::list([Item::ascii("x"), Item::ascii("y")])
        .read::<(&str, u8)>()
        .unwrap_err();
    assert_eq!(
        (error.to_string(), error.path()),
        ("at [1]: expected integers, found A[1]".into(), vec![1])
    );
    let error = Item::numbers([1u8, 2]).read::<u8>().unwrap_err();
    assert_eq!(error.to_string(), "expected one integer, found U1[2]");
    assert_eq!(Item::f8(0.5).read::<f32>(), Ok(0.5));
    assert!(Item::f8(1e300).read::<f32>().is_err());
    assert_eq!(Item::numbers([1u16, 2]).read::<[u8; 2]>(), Ok([1, 2]));
    assert_eq!(Item::ascii("").read::<Option<&str>>(), Ok(None));
    assert_eq!(Item::of(&None::<u8>).unwrap(), Item::list([]));
}

#[test]
fn texts_are_read_in_their_encodings() {
    let read = |item: Item| item.read::<String>();
    assert_eq!(read(Item::ascii("é")).unwrap(), "é");
    assert_eq!(read(Item::jis8([b'A', b'\\', 0xB1])).unwrap(), "A¥ｱ");
    assert_eq!(read(Item::localized(Encoding::UTF_8, "批")).unwrap(), "批");
    assert_eq!(read(Item::localized(Encoding::UCS_2, [0x62, 0x79])).unwrap(), "批");
    assert_eq!(read(Item::localized(Encoding::ISO_8859_1, [0xE9])).unwrap(), "é");
    assert!(
        read(Item::ascii([0xE9]))
            .unwrap_err()
            .to_string()
            .contains("not in its encoding")
    );
    assert!(
        read(Item::localized(Encoding::BIG5, [0xE9]))
            .unwrap_err()
            .to_string()
            .contains("13")
    );
    assert_eq!(Item::ascii([0xE9]).read::<&[u8]>(), Ok(&[0xE9][..]));
}

#[test]
fn a_writer_notices_lists_that_do_not_come_out() {
    let mut writer = Writer::new();
    writer.begin_list(2);
    writer.ascii("x");
    assert_eq!(writer.finish().unwrap_err(), EncodeError::Missing(1));
    let mut writer = Writer::new();
    writer.begin_list(1);
    writer.ascii("x");
    writer.ascii("y");
    assert_eq!(writer.finish().unwrap_err(), EncodeError::TooMany);
    assert_eq!(Writer::new().finish().unwrap_err(), EncodeError::Missing(1));
    let mut writer = Writer::after(vec![1, 2, 3]);
    writer.list([1u8, 2]);
    assert_eq!(
        writer.into_buffer().unwrap(),
        [1, 2, 3, 0x01, 2, 0xA5, 1, 1, 0xA5, 1, 2]
    );
}

/// Writes an item again from what the view says about it.
fn rebuilt(item: ItemRef<'_>) -> Item {
    match item.format() {
        Format::List => Item::list(item.items().map(rebuilt)),
        Format::Binary => Item::binary(item.data()),
        Format::Boolean => Item::booleans(item.data().iter().map(|byte| *byte != 0).collect::<Vec<_>>()),
        Format::Ascii => Item::ascii(item.data()),
        Format::Jis8 => Item::jis8(item.data()),
        Format::Localized => item
            .localized()
            .map(|(code, text)| Item::localized(code, text))
            .unwrap(),
        Format::I8 => Item::of(&item.read::<Array<i64>>().unwrap()).unwrap(),
        Format::I1 => Item::of(&item.read::<Array<i8>>().unwrap()).unwrap(),
        Format::I2 => Item::of(&item.read::<Array<i16>>().unwrap()).unwrap(),
        Format::I4 => Item::of(&item.read::<Array<i32>>().unwrap()).unwrap(),
        Format::F8 => Item::of(&item.read::<Array<f64>>().unwrap()).unwrap(),
        Format::F4 => Item::of(&item.read::<Array<f32>>().unwrap()).unwrap(),
        Format::U8 => Item::of(&item.read::<Array<u64>>().unwrap()).unwrap(),
        Format::U1 => Item::of(&item.read::<Array<u8>>().unwrap()).unwrap(),
        Format::U2 => Item::of(&item.read::<Array<u16>>().unwrap()).unwrap(),
        Format::U4 => Item::of(&item.read::<Array<u32>>().unwrap()).unwrap(),
    }
}

proptest! {
    #[test]
    fn items_come_back(item in common::item()) {
        prop_assert_eq!(&Item::parse(item.as_bytes().to_vec()).unwrap(), &item);
        let again = rebuilt(item.view());
        prop_assert_eq!(again.as_bytes(), item.as_bytes());
        prop_assert_eq!(item.view().as_bytes(), item.as_bytes());
    }

    #[test]
    fn an_item_cut_anywhere_is_truncated(item in common::item()) {
        let bytes = item.as_bytes();
        for cut in 0..bytes.len() {
            prop_assert_eq!(ItemRef::parse(&bytes[..cut]).unwrap_err().kind(), DecodeErrorKind::Truncated);
        }
    }

    #[test]
    fn long_arrays_come_back(values in prop::collection::vec(any::<u64>(), 0..400)) {
        let item = Item::numbers(&values);
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_be_bytes()).collect();
        prop_assert_eq!(item.view().data(), &bytes[..]);
        prop_assert_eq!(item.read::<Array<u64>>().unwrap().0, values);
    }

    #[test]
    fn arbitrary_bytes_never_panic_nor_take_memory(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let memory = allocation_counter::measure(|| {
            for event in Parser::new(&bytes) {
                if let Ok(Event::Leaf(leaf)) = event {
                    let _ = (leaf.len(), leaf.data().len(), leaf.items().len());
                }
            }
            let _ = ItemRef::parse(&bytes);
        });
        prop_assert!(memory.bytes_max <= 1024, "{:?}", memory);
        if let Ok(item) = Item::parse(bytes) {
            let _ = (item.to_string(), item.read::<Vec<Item>>(), item.read::<String>(), item.read::<u8>());
            let _ = (item.read::<(u8, &str)>(), item.read::<[f32; 3]>(), item.read::<Vec<Vec<bool>>>());
        }
    }

    /// Nearly right bytes get further than arbitrary ones.
    #[test]
    fn a_changed_byte_never_panics(item in common::item(), place in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = item.as_bytes().to_vec();
        let place = place.index(bytes.len());
        bytes[place] = byte;
        if let Ok(item) = Item::parse(bytes) {
            let _ = (item.to_string(), rebuilt(item.view()));
        }
    }
}
