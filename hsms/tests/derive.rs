//! The derives: which item a type is, and what a wrong item is told.
#![cfg(feature = "derive")]

use hsms::item::{Array, Item};
use hsms::{ContentError, FromItem, Header, Message, SecsMessage, SecsRequest, StreamFunction, ToItem};

#[derive(Debug, PartialEq, ToItem, FromItem)]
struct Report<'a> {
    id: u32,
    name: &'a str,
    values: Vec<Value>,
}

#[derive(Debug, PartialEq, ToItem, FromItem)]
struct Value(Array<f32>);

#[derive(Debug, PartialEq, ToItem, FromItem)]
struct Pair<T>(T, T);

#[derive(Clone, Copy, Debug, PartialEq, ToItem, FromItem)]
enum Level {
    Low,
    High = 5,
    Higher,
}

#[derive(Clone, Copy, Debug, PartialEq, ToItem, FromItem)]
#[secs(binary)]
#[repr(u8)]
enum Ack {
    Accepted = 0,
    Denied = 0x41,
    #[secs(other)]
    Other(u8),
}

#[derive(Debug, PartialEq, ToItem, FromItem, SecsMessage)]
#[secs(message = "S6F11", reply = Answer)]
struct Event<'a> {
    report: Report<'a>,
    level: Option<Level>,
}

#[derive(Debug, PartialEq, ToItem, FromItem, SecsMessage)]
#[secs(message = "S6F12")]
struct Answer(Ack);

#[derive(Debug, PartialEq, ToItem, FromItem, SecsMessage)]
#[secs(message = "S1F1", w)]
struct AreYouThere;

fn event() -> Event<'static> {
    Event {
        report: Report {
            id: 7,
            name: "lot",
            values: vec![Value(Array(vec![0.5, 1.5])), Value(Array(vec![]))],
        },
        level: Some(Level::Higher),
    }
}

#[test]
fn types_become_items_and_come_back() {
    let item = Item::of(&event()).unwrap();
    assert_eq!(
        item.to_string(),
        r#"<L [2] <L [3] <U4 7> <A "lot"> <L [2] <F4 0.5 1.5> <F4>>> <U1 6>>"#
    );
    assert_eq!(item.read::<Event<'_>>().unwrap(), event());
    let pair = Item::of(&Pair("a", "b")).unwrap();
    assert_eq!(pair.to_string(), r#"<L [2] <A "a"> <A "b">>"#);
    assert_eq!(pair.read::<Pair<&str>>().unwrap(), Pair("a", "b"));
    assert_eq!(pair.read::<Pair<String>>().unwrap().1, "b");
}

#[test]
fn enums_are_numbers() {
    for (level, number) in [(Level::Low, 0), (Level::High, 5), (Level::Higher, 6)] {
        let item = Item::of(&level).unwrap();
        assert_eq!(item, Item::u1(number));
        assert_eq!(item.read::<Level>().unwrap(), level);
    }
    assert_eq!(Item::u4(5).read::<Level>().unwrap(), Level::High);
    assert_eq!(Item::u1(9).read::<Level>().unwrap_err().to_string(), "9 is no Level");
    for (ack, number) in [(Ack::Accepted, 0), (Ack::Denied, 0x41), (Ack::Other(9), 9)] {
        let item = Item::of(&ack).unwrap();
        assert_eq!(item, Item::binary([number]));
        assert_eq!(item.read::<Ack>().unwrap(), ack);
    }
}

#[test]
fn errors_name_the_field_and_the_place() {
    let item: Item = r#"<L <L <U4 7> <A "lot"> <L <F4 1> <A "x">>> <U1 6>>"#.parse().unwrap();
    assert_eq!(
        item.read::<Event<'_>>().unwrap_err().to_string(),
        "Report.values at [0][2][1]: expected F4 numbers, found A[1]"
    );
    let item: Item = "<L <U4 7>>".parse().unwrap();
    assert_eq!(
        item.read::<Report<'_>>().unwrap_err().to_string(),
        "Report: expected a list of 3, found L[1]"
    );
}

#[test]
fn types_become_messages() {
    assert_eq!(
        (Event::ABOUT, Event::W, Event::HEADER_ONLY),
        (StreamFunction::new(6, 11), true, false)
    );
    let message = Message::of(3, 9, &event()).unwrap();
    assert_eq!(message.header, Header::data(3, StreamFunction::new(6, 11), true, 9));
    assert_eq!(message.read::<Event<'_>>().unwrap(), event());

    let reply = message.reply_of(&Answer(Ack::Denied)).unwrap();
    assert_eq!(reply.header, message.header.secondary());
    assert_eq!(
        reply.read::<<Event<'_> as SecsRequest>::Reply>().unwrap(),
        Answer(Ack::Denied)
    );

    let empty = Message::of(0, 1, &AreYouThere).unwrap();
    assert!(empty.text.is_empty() && empty.header.w());
    assert_eq!(empty.read::<AreYouThere>().unwrap(), AreYouThere);

    let error = reply.read::<Event<'_>>().unwrap_err();
    assert_eq!(error.to_string(), "expected S6F11, found S6F12");
    let error = Message::header_only(Header::linktest_req(1))
        .read::<AreYouThere>()
        .unwrap_err();
    assert_eq!(error.to_string(), "expected S1F1, found Linktest.req");
    let error = Message::new(message.header, vec![0x41])
        .read::<Event<'_>>()
        .unwrap_err();
    assert!(matches!(error, ContentError::Decode(_)), "{error}");
}
