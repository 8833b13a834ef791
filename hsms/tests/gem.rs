//! The messages of GEM: what they look like on the wire, and that all come back.
#![cfg(feature = "gem")]

use std::fmt::Debug;

use hsms::gem::*;
use hsms::item::Item;
use hsms::{Bytes, FromItem, Header, Message, SecsMessage, SecsRequest, ToItem};

/// The message is this SML, and this SML is the message.
fn same<M>(content: &M, sml: &str)
where
    M: SecsMessage + ToItem + for<'a> FromItem<'a> + PartialEq + Debug,
{
    let message = Message::of(0, 1, content).unwrap();
    let expected: hsms::sml::SmlMessage = sml.parse().unwrap();
    assert_eq!(message, expected.to_message(0, 1), "{message}");
    assert_eq!(&message.read::<M>().unwrap(), content, "{sml}");
}

fn model() -> Model {
    Model {
        mdln: "M1".into(),
        softrev: "2.0".into(),
    }
}

#[test]
fn stream_1() {
    same(&S1F1, "S1F1 W.");
    same(&S1F2(None), "S1F2 <L>.");
    same(&S1F2(Some(model())), "S1F2 <L <A 'M1'> <A '2.0'>>.");
    same(
        &S1F3(vec![Id::from(7), Id::from("clock")]),
        "S1F3 W <L <U4 7> <A 'clock'>>.",
    );
    same(&S1F4(vec![Item::f4(1.5), Item::list([])]), "S1F4 <L <F4 1.5> <L>>.");
    same(&S1F13(None), "S1F13 W <L>.");
    same(&S1F13(Some(model())), "S1F13 W <L <A 'M1'> <A '2.0'>>.");
    let answer = S1F14 {
        commack: Commack::Accepted,
        model: None,
    };
    same(&answer, "S1F14 <L <B 0> <L>>.");
    assert!(answer.commack.is_accepted());
    same(&S1F16(Oflack::Accepted), "S1F16 <B 0>.");
    same(&S1F18(Onlack::Other(9)), "S1F18 <B 9>.");
    let variable = StatusVariable {
        svid: Id::from(7),
        name: "Clock".into(),
        units: String::new(),
    };
    same(&S1F12(vec![variable]), "S1F12 <L <L <U4 7> <A 'Clock'> <A ''>>>.");
}

#[test]
fn stream_2() {
    same(&S2F25(Bytes::from_static(&[1, 2])), "S2F25 W <B 1 2>.");
    same(&S2F17, "S2F17 W.");
    same(&S2F18("2026112106370900".into()), "S2F18 <A '2026112106370900'>.");
    let constant = Constant {
        ecid: Id::from(3),
        ecv: Item::boolean(true),
    };
    same(&S2F15(vec![constant]), "S2F15 W <L <L <U4 3> <BOOLEAN T>>>.");
    let define = S2F33 {
        dataid: Id::from(0),
        reports: vec![ReportDefinition {
            rptid: Id::from(1),
            vids: vec![Id::from(7)],
        }],
    };
    same(&define, "S2F33 W <L <U4 0> <L <L <U4 1> <L <U4 7>>>>>.");
    let link = S2F35 {
        dataid: Id::from(0),
        links: vec![EventLink {
            ceid: Id::from(5),
            rptids: vec![],
        }],
    };
    same(&link, "S2F35 W <L <U4 0> <L <L <U4 5> <L>>>>.");
    let enable = S2F37 {
        enable: true,
        ceids: vec![],
    };
    same(&enable, "S2F37 W <L <BOOLEAN T> <L>>.");
    let start = S2F41 {
        rcmd: "START".into(),
        parameters: vec![Parameter {
            name: Id::from("PPID"),
            value: Item::ascii("R1"),
        }],
    };
    same(&start, "S2F41 W <L <A 'START'> <L <L <A 'PPID'> <A 'R1'>>>>.");
    let refused = S2F42 {
        hcack: Hcack::Parameter,
        parameters: vec![ParameterAck {
            name: Id::from("PPID"),
            cpack: Cpack::Value,
        }],
    };
    same(&refused, "S2F42 <L <B 3> <L <L <A 'PPID'> <B 2>>>>.");
    same(&S2F34(Drack::Defined), "S2F34 <B 3>.");
}

#[test]
fn streams_5_6_7_and_10() {
    let alarm = Alarm {
        alcd: AlarmCode::new(true, 6),
        alid: Id::from(42),
        text: "door".into(),
    };
    assert!(alarm.alcd.is_set() && alarm.alcd.category() == 6);
    same(&S5F1(alarm.clone()), "S5F1 W <L <B 0x86> <U4 42> <A 'door'>>.");
    same(&S5F6(vec![alarm]), "S5F6 <L <L <B 0x86> <U4 42> <A 'door'>>>.");
    let enable = S5F3 {
        aled: AlarmEnable(true),
        alid: Id::from(42),
    };
    same(&enable, "S5F3 W <L <B 0x80> <U4 42>>.");
    same(&S5F5::of(&[1, 2]), "S5F5 W <U4 1 2>.");
    assert_eq!(S5F5::of(&[1, 2]).numbers().unwrap(), [1, 2]);

    let event = EventReport {
        dataid: Id::from(0),
        ceid: Id::from(1004),
        reports: vec![Report {
            rptid: Id::from(1),
            values: vec![Item::ascii("LOT7")],
        }],
    };
    same(
        &S6F11(event.clone()),
        "S6F11 W <L <U4 0> <U4 1004> <L <L <U4 1> <L <A 'LOT7'>>>>>.",
    );
    same(
        &S6F16(event),
        "S6F16 <L <U4 0> <U4 1004> <L <L <U4 1> <L <A 'LOT7'>>>>>.",
    );
    same(&S6F12(Accepted::Accepted), "S6F12 <B 0>.");
    same(&S6F15(Id::from(1004)), "S6F15 W <U4 1004>.");

    let program = ProcessProgram {
        ppid: "R1".into(),
        body: Item::binary([1, 2]),
    };
    same(&S7F3(program.clone()), "S7F3 W <L <A 'R1'> <B 1 2>>.");
    same(&S7F6(Some(program)), "S7F6 <L <A 'R1'> <B 1 2>>.");
    same(&S7F6(None), "S7F6 <L>.");
    same(&S7F5("R1".into()), "S7F5 W <A 'R1'>.");
    same(&S7F20(vec!["R1".into()]), "S7F20 <L <A 'R1'>>.");
    same(&S7F4(Ackc7::Unknown), "S7F4 <B 4>.");

    let lines = S10F5 {
        terminal: Terminal(0),
        lines: vec!["a".into(), "b".into()],
    };
    same(&lines, "S10F5 W <L <B 0> <L <A 'a'> <A 'b'>>>.");
}

#[test]
fn stream_9_quotes_the_header_and_wants_no_answer() {
    let header = Header::data(5, "S99F1".parse().unwrap(), true, 0x0102_0304);
    same(&S9F3(header), "S9F3 <B 0x00 0x05 0xE3 0x01 0 0 1 2 3 4>.");
    assert_eq!([S9F1::W, S9F9::W], [false; 2]);
    assert_eq!(
        Message::of(5, 9, &S9F5(header)).unwrap().read::<S9F5>().unwrap().0,
        header
    );
    let timeout = S9F13 {
        expected: "S02F17".into(),
        id: Id::from(1),
    };
    same(&timeout, "S9F13 <L <A 'S02F17'> <U4 1>>.");
    let short: Item = "<B 1 2 3>".parse().unwrap();
    assert_eq!(
        short.read::<S9F7>().unwrap_err().to_string(),
        "expected a header (B of ten bytes), found B[3]"
    );
}

/// A reply answers its request: the same stream, the next function.
#[test]
fn replies_belong_to_their_requests() {
    fn check<M: SecsRequest>() {
        assert_eq!(M::Reply::ABOUT, M::ABOUT.secondary());
        assert!(M::W && !M::Reply::W);
    }
    check::<S1F1>();
    check::<S1F3>();
    check::<S1F11>();
    check::<S1F13>();
    check::<S1F15>();
    check::<S1F17>();
    check::<S2F13>();
    check::<S2F15>();
    check::<S2F17>();
    check::<S2F25>();
    check::<S2F29>();
    check::<S2F31>();
    check::<S2F33>();
    check::<S2F35>();
    check::<S2F37>();
    check::<S2F41>();
    check::<S5F1>();
    check::<S5F3>();
    check::<S5F5>();
    check::<S5F7>();
    check::<S6F1>();
    check::<S6F5>();
    check::<S6F11>();
    check::<S6F15>();
    check::<S6F19>();
    check::<S6F23>();
    check::<S7F1>();
    check::<S7F3>();
    check::<S7F5>();
    check::<S7F17>();
    check::<S7F19>();
    check::<S10F1>();
    check::<S10F3>();
    check::<S10F5>();
    check::<S10F9>();
}
