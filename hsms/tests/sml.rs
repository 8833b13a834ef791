//! SML: the dialects, the one form that is written, the places of errors.

mod common;

use hsms::item::{Encoding, Format, Item, Limits};
use hsms::sml::{self, Direction, Parser, SmlMessage};
use proptest::prelude::*;

fn one(text: &str) -> SmlMessage {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn every_dialect_is_read() {
    let item = Item::list([Item::ascii("MDLN"), Item::binary([1, 0xFF]), Item::numbers([1u32, 2])]);
    for text in [
        "S1F14\n<L [3]\n  <A \"MDLN\">\n  <B 0x01 0xFF>\n  <U4 1 2>\n>.",
        // With a name, quotes and sizes.
        "Establish:'S1F14'\n  <L [3]\n    <A [4] 'MDLN'>\n    <B [2] 0x01 0xFF>\n    <U4 [2] 1 2>\n  >\n.",
        "S1F14 <L[3]\n  <A[4] \"MDLN\">\n  <B[2] 0x01 0xff>\n  <U4[2] 1 2>\n>\n.",
        // A space before the end, no sizes.
        "S1F14\n  <L [3]\n    <A \"MDLN\">\n    <B 0x1 0xff >\n    <U4 1 2 >\n  > .",
        "s1f14 H<-E EstablishReply <l <ascii \"MD\" 0x4C 'N'> <binary 0b1 0o377> <u4 0x1 +2>> .",
        "\u{FEFF}// a comment\nS1F14 /* another\n one */ <L<A[1..9]\"MDLN\"><BIN 1 255><U4 1 2>>",
    ] {
        let message = one(text);
        assert_eq!(
            (message.about.to_string(), message.w),
            ("S1F14".into(), false),
            "{text}"
        );
        assert_eq!(message.item, Some(item.clone()), "{text}");
    }
    for text in [
        "S1F1 W",
        "S1F1 W.",
        "S1F1 W .",
        "'S1F1' W .",
        "\"S1F1\"W.",
        "S1F1 [W].",
        "s1f1 w",
        "AreYou:'S1F1'W\n.",
    ] {
        let message = one(text);
        assert_eq!(
            (message.about.to_string(), message.w, message.item),
            ("S1F1".into(), true, None),
            "{text}"
        );
    }
    let named = one("S1F1 W H->E AreYouThere.");
    assert_eq!(
        (named.name.as_deref(), named.direction),
        (Some("AreYouThere"), Some(Direction::HostToEquipment))
    );
    assert_eq!(one("Ask: S1F1 W H<->E.").to_string(), "Ask: S1F1 W H<->E.");
    let several = sml::parse("S1F1 W.S1F2 <L>.\nS2F25 W <B 1>.").unwrap();
    assert_eq!(
        several
            .iter()
            .map(|message| message.about.to_string())
            .collect::<Vec<_>>(),
        ["S1F1", "S1F2", "S2F25"]
    );
    assert!(sml::parse(" // nothing\n").unwrap().is_empty());
}

#[test]
fn every_value_is_read() {
    for (text, item) in [
        (
            "<BOOLEAN T f TRUE False 1 0 0xFF>",
            Item::parse(vec![0x25, 7, 1, 0, 1, 0, 1, 0, 255]).unwrap(),
        ),
        ("<BOOL>", Item::booleans([])),
        ("<F4 1 -1.5 1e3 .5 2E-3>", Item::numbers([1f32, -1.5, 1e3, 0.5, 2e-3])),
        (
            "<F8 inf -inf 1e300>",
            Item::numbers([f64::INFINITY, f64::NEG_INFINITY, 1e300]),
        ),
        ("<I1 -128 127 -0x1>", Item::numbers([-128i8, 127, -1])),
        ("<U8 18446744073709551615>", Item::u8(u64::MAX)),
        ("<I8 -9223372036854775808>", Item::i8(i64::MIN)),
        (r#"<A "it's" ' "so" ' 10>"#, Item::ascii("it's \"so\" \n")),
        (r#"<A "C:\recipes\">"#, Item::ascii(r"C:\recipes\")),
        (
            r#"<A "a > b < c // no comment">"#,
            Item::ascii("a > b < c // no comment"),
        ),
        ("<A 'é'>", Item::ascii("é")),
        ("<A>", Item::ascii("")),
        ("<J 'A¥ｱ' 0xB2>", Item::jis8([b'A', b'\\', 0xB1, 0xB2])),
        ("<W 'é'>", Item::localized(Encoding::UTF_8, "é")),
        ("<W>", Item::localized(Encoding::UTF_8, "")),
        ("<W 1 '批'>", Item::localized(Encoding::UCS_2, [0x62, 0x79])),
        ("<C 4 'é' 0x41>", Item::localized(Encoding::ISO_8859_1, [0xE9, 0x41])),
        (
            "<W 13 'a' 0xA7 0xE5>",
            Item::localized(Encoding::BIG5, [b'a', 0xA7, 0xE5]),
        ),
    ] {
        assert_eq!(
            text.parse::<Item>().unwrap_or_else(|error| panic!("{text}: {error}")),
            item,
            "{text}"
        );
    }
    let escaped = Parser::default()
        .escapes(true)
        .item(r#"<A "say \"hi\" C:\\x\y">"#)
        .unwrap();
    assert_eq!(escaped, Item::ascii(r#"say "hi" C:\x\y"#));
}

#[test]
fn errors_tell_line_and_column() {
    for (text, message) in [
        (
            "S1F1 W\n<L\n  <U1 300>\n>.",
            "line 3, column 7: `300` is out of the range of U1",
        ),
        ("S1F1\n<é", "line 2, column 2: `é` is no item type"),
        ("S1F1 <A 'é' x>", "line 1, column 13: `x` is no number"),
        ("S200F1", "line 1, column 1: `S200F1` is no stream and function"),
        ("<L>", "line 1, column 1: a message begins with its stream and function"),
        (
            "S1F1 W <L <A 'x'>",
            "line 1, column 8: the `>` of this list is missing before the end of the text",
        ),
        (
            "S1F1 W\n<L\n  <L <U4 7>\n.\nS1F3 W.",
            "line 3, column 3: the `>` of this list and of 1 more around it is missing before `.`",
        ),
        ("S1F1 <A 'x", "line 1, column 9: the string has no end"),
        (
            "S1F1 <A 'x'",
            "line 1, column 6: the `>` of this A item is missing before the end",
        ),
        (
            "S1F1 <L <A 'x' .",
            "line 1, column 9: the `>` of this A item is missing before `.`",
        ),
        ("S1F1 /* x", "line 1, column 6: the comment has no end"),
        ("S1F1 <L> <L>.", "line 1, column 10: `<` after the item of S1F1"),
        ("S1F1 <L 5>.", "line 1, column 9: `5` in a list"),
        ("S1F1 <U1 'x'>.", "line 1, column 10: a string in a U1 item"),
        ("S1F1 <U1 1.5>.", "line 1, column 10: `1.5` is no number"),
        ("S1F1 <A MDLN>.", "line 1, column 9: `MDLN` is no number (a name"),
        ("S1F1 <F4 1e99>.", "line 1, column 10: `1e99` is out of the range of F4"),
        ("S1F1 <A[x] 'y'>.", "line 1, column 8: `[x]` is no size"),
        ("S1F1 <A[1 'y'>.", "line 1, column 8: the bracket has no end"),
        ("S1F1 <L ...>.", "line 1, column 9: `.` in a list"),
        ("S1F1 ,", "line 1, column 6: `,` has no meaning here"),
    ] {
        let error = sml::parse(text).unwrap_err();
        assert!(error.to_string().starts_with(message), "{text:?}: {error}");
    }
    let error = sml::parse("S1F1.\nS1F2 <U1 -1>.").unwrap_err();
    assert_eq!((error.line(), error.column(), error.offset()), (2, 10, 15));
    assert_eq!("".parse::<SmlMessage>().unwrap_err().what(), "no message in the text");
    assert_eq!(
        "S1F1.S1F2.".parse::<SmlMessage>().unwrap_err().what(),
        "1 messages too many"
    );
    assert!("<L> <L>".parse::<Item>().is_err());
}

#[test]
fn nesting_and_number_are_limited() {
    let error = "<L".repeat(1_000_000).parse::<Item>().unwrap_err();
    assert_eq!(
        (error.what(), error.offset()),
        ("more than 64 lists inside each other", 129)
    );
    let error = Parser::default()
        .limits(Limits::default().items(3))
        .item("<L <U1> <U1> <U1>>")
        .unwrap_err();
    assert_eq!(error.what(), "more than 3 items");
    let error = Parser::default()
        .limits(Limits::default().bytes(3))
        .item("<L <U1 1 2>>")
        .unwrap_err();
    assert_eq!(error.what(), "more than 3 bytes");
}

#[test]
fn one_form_is_written() {
    let item = Item::list([
        Item::list([]),
        Item::list([Item::ascii("say \"hi\"\r\n"), Item::booleans([true])]),
        Item::numbers::<f32>([]),
    ]);
    let message = SmlMessage::new("S6F11".parse().unwrap(), true, Some(item));
    assert_eq!(
        message.to_string(),
        "S6F11 W\n<L [3]\n  <L [0]>\n  <L [2]\n    <A \"say \" 0x22 \"hi\" 0x22 0x0D 0x0A>\n    <BOOLEAN T>\n  >\n  <F4>\n>."
    );
    assert_eq!(one(&message.to_string()), message);
    let empty = SmlMessage::new("S6F12".parse().unwrap(), false, Some(Item::list([Item::list([])])));
    assert_eq!(empty.to_string(), "S6F12\n<L [1]\n  <L [0]>\n>.");
    assert_eq!(
        SmlMessage::new("S1F1".parse().unwrap(), true, None).to_string(),
        "S1F1 W."
    );
    let sent = message.to_message(3, 9);
    assert_eq!(
        (sent.header.session_id(), sent.header.system(), sent.header.w()),
        (3, 9, true)
    );
    assert_eq!(sent.item().unwrap(), message.item);
    assert!(sent.to_string().starts_with("header: {session_id:0x0003, stream:06, "));
    assert!(sent.to_string().contains("require_response:1}\n<L [3]\n"));
}

/// Row 19: all formats are known without a catalogue, and quotes in a text do not end it.
#[test]
fn d19_j_and_w_are_known_and_quotes_survive() {
    let item = Item::list([
        Item::jis8([0xB1]),
        Item::localized(Encoding::UTF_8, "\"é\""),
        Item::ascii("a\" > <B 0x01"),
    ]);
    let text = item.to_string();
    assert_eq!(
        text,
        r#"<L [3] <J 0xB1> <W 2 0x22 0xC3 0xA9 0x22> <A "a" 0x22 " > <B 0x01">>"#
    );
    assert_eq!(text.parse::<Item>().unwrap(), item);
}

/// SML has one NaN only.
fn has_odd_nan(item: &Item) -> bool {
    item.to_string().contains("NaN")
}

proptest! {
    #[test]
    fn items_come_back(item in common::item()) {
        prop_assume!(!has_odd_nan(&item));
        prop_assert_eq!(&item.to_string().parse::<Item>().unwrap(), &item);
        let message = SmlMessage::new("S7F3".parse().unwrap(), true, Some(item));
        let text = message.to_string();
        prop_assert_eq!(&one(&text), &message);
        prop_assert!(text.bytes().all(|byte| matches!(byte, b'\n' | b' '..=b'~')));
    }

    #[test]
    fn texts_come_back(text in any::<String>()) {
        let item: Item = Item::ascii(&text).to_string().parse().unwrap();
        prop_assert_eq!(item.view().data(), text.as_bytes());
    }

    #[test]
    fn arbitrary_text_never_panics(text in any::<String>()) {
        let _ = sml::parse(&text);
        let _ = Parser::default().escapes(true).item(&text);
    }

    #[test]
    fn nearly_sml_never_panics(text in r#"(S1F1 |W|<|>|L|A|U1|F4|W 1| |"|'|\.|:|\[|\]|é|0x|-|1|\\|//|/\*|H->E|\n){0,24}"#) {
        let _ = sml::parse(&text);
        let _ = Parser::default().escapes(true).item(&text);
        if let Ok(item) = text.parse::<Item>() {
            prop_assert!(Format::ALL.contains(&item.format()));
        }
    }
}
