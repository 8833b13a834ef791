//! Items and serde: values as items, items as JSON.
#![cfg(feature = "serde")]

mod common;

use std::collections::BTreeMap;

use hsms::item::{Array, Item};
use hsms::serde::{from_item, to_item};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Recipe {
    name: String,
    steps: Vec<Step>,
    comment: Option<String>,
    raw: Item,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Step {
    Wait,
    Heat(f32),
    Move { x: i16, y: i16 },
    Profile(u8, Array<f64>),
}

fn recipe() -> Recipe {
    Recipe {
        name: "R1".into(),
        steps: vec![
            Step::Wait,
            Step::Heat(20.5),
            Step::Move { x: -1, y: 2 },
            Step::Profile(3, Array(vec![0.5, 1.5])),
        ],
        comment: None,
        raw: Item::parse(vec![0x43, 0, 0, 1, b'x']).unwrap(),
    }
}

const RECIPE: &str = r#"<L [4] <A "R1"> <L [4] <A "Wait"> <L [2] <A "Heat"> <F4 20.5>> <L [2] <A "Move"> <L [2] <I2 -1> <I2 2>>> <L [2] <A "Profile"> <L [2] <U1 3> <F8 0.5 1.5>>>> <L [0]> <A "x">>"#;

#[test]
fn values_become_items_and_come_back() {
    let item = to_item(&recipe()).unwrap();
    assert_eq!(item.to_string(), RECIPE);
    let back: Recipe = from_item(item.view()).unwrap();
    assert_eq!(back, recipe());
    // The item inside kept its wide length.
    assert_eq!(back.raw.as_bytes(), [0x43, 0, 0, 1, b'x']);

    let map = BTreeMap::from([("a", 1_u8), ("b", 2)]);
    let item = to_item(&map).unwrap();
    assert_eq!(
        item.to_string(),
        r#"<L [2] <L [2] <A "a"> <U1 1>> <L [2] <A "b"> <U1 2>>>"#
    );
    assert_eq!(from_item::<BTreeMap<&str, u8>>(item.view()).unwrap(), map);

    let item = to_item(&(true, 'x', 1_u64, -1_i8, ())).unwrap();
    assert_eq!(
        item.to_string(),
        r#"<L [5] <BOOLEAN T> <A "x"> <U8 1> <I1 -1> <L [0]>>"#
    );
    assert_eq!(
        from_item::<(bool, char, u64, i8, ())>(item.view()).unwrap(),
        (true, 'x', 1, -1, ())
    );
}

#[test]
fn equipment_varies_and_is_read() {
    let read = |text: &str| text.parse::<Item>().unwrap();
    assert_eq!(from_item::<u8>(read("<U8 7>").view()).unwrap(), 7);
    assert_eq!(from_item::<Vec<u16>>(read("<U4 7 8>").view()).unwrap(), [7, 8]);
    assert_eq!(from_item::<Vec<u8>>(read("<L <U1 7> <I4 8>>").view()).unwrap(), [7, 8]);
    assert_eq!(from_item::<Vec<u8>>(read("<B 7 8>").view()).unwrap(), [7, 8]);
    assert_eq!(from_item::<Option<u8>>(read("<U1>").view()).unwrap(), None);
    assert_eq!(from_item::<String>(read("<W 'é'>").view()).unwrap(), "é");
    assert_eq!(from_item::<Step>(read("<U1 0>").view()).unwrap(), Step::Wait);
    for (item, error) in [
        ("<U4 300>", "300"),
        ("<A 'x'>", "string \"x\""),
        ("<L <U1 1>>", "sequence"),
    ] {
        let found = from_item::<u8>(read(item).view()).unwrap_err().to_string();
        assert!(found.contains(error), "{found}");
    }
    let error = from_item::<Vec<(u8, u8)>>(read("<L <L <U1 1> <U1 2>> <L <U1 1> <A 'x'>>>").view()).unwrap_err();
    assert!(error.to_string().starts_with("[1] [1] "), "{error}");
    assert!(from_item::<(u8, u8)>(read("<U1 1 2 3>").view()).is_err());
}

#[test]
fn items_are_json() {
    for (item, json) in [
        ("<L <A 'x'> <L>>", r#"{"L":[{"A":"x"},{"L":[]}]}"#),
        ("<A 0xFF>", r#"{"A":[255]}"#),
        ("<J 'x'>", r#"{"J":"x"}"#),
        ("<W 'é'>", r#"{"W":[2,"é"]}"#),
        ("<W 13 0xA7 0xE5>", r#"{"W":[13,[167,229]]}"#),
        ("<B 1 2>", r#"{"B":[1,2]}"#),
        ("<BOOLEAN T F 7>", r#"{"BOOLEAN":[true,false,7]}"#),
        ("<U8 18446744073709551615>", r#"{"U8":[18446744073709551615]}"#),
        ("<I2 -1 1>", r#"{"I2":[-1,1]}"#),
        ("<F4 0.1 inf>", r#"{"F4":[0.1,"inf"]}"#),
        ("<F8 -inf 1e300>", r#"{"F8":["-inf",1e+300]}"#),
    ] {
        let item: Item = item.parse().unwrap();
        assert_eq!(serde_json::to_string(&item).unwrap(), json);
        assert_eq!(serde_json::from_str::<Item>(json).unwrap(), item, "{json}");
    }
    for (json, error) in [
        ("{}", "an item: a map of its type"),
        (r#"{"X":[]}"#, "`X` is no item type"),
        (r#"{"U1":[256]}"#, "256"),
        (r#"{"U1":[1],"U2":[1]}"#, "one type"),
        (r#"{"F4":["x"]}"#, "a number"),
        (r#"{"W":"x"}"#, "invalid type"),
        ("[]", "an item: a map of its type"),
    ] {
        let found = serde_json::from_str::<Item>(json).unwrap_err().to_string();
        assert!(found.contains(error), "{json}: {found}");
    }
}

#[test]
fn nesting_has_a_limit() {
    #[derive(Serialize)]
    struct Nest(Vec<Nest>, u8);
    let mut value = Nest(vec![], 0);
    for _ in 0..1000 {
        value = Nest(vec![value], 0);
    }
    assert!(to_item(&value).unwrap_err().to_string().contains("128 deep"));
    let item = (0..1000).fold(Item::list([]), |item, _| Item::list([item]));
    assert!(
        serde_json::to_string(&item)
            .unwrap_err()
            .to_string()
            .contains("128 lists")
    );
}

proptest! {
    #[test]
    fn items_come_back_from_json(item in common::item()) {
        prop_assume!(!item.to_string().contains("NaN"));
        let json = serde_json::to_string(&item).unwrap();
        prop_assert_eq!(serde_json::from_str::<Item>(&json).unwrap(), item);
    }

    #[test]
    fn items_come_back_from_items(item in common::item()) {
        let around = to_item(&(1_u8, &item)).unwrap();
        let (_, back) = from_item::<(u8, Item)>(around.view()).unwrap();
        prop_assert_eq!(back.as_bytes(), item.as_bytes());
        let _ = from_item::<Vec<Option<(u8, String)>>>(item.view());
        let _ = from_item::<serde_json::Value>(item.view());
        let _ = from_item::<Recipe>(item.view());
    }
}
