//! Python's JSON, byte for byte: what `json.dumps` of Python 3.11 writes and `json.loads` reads.
#![cfg(feature = "python-json")]

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use sim_io::codec::python::{CustomTypes, Text, Value};
use sim_io::codec::{Decode, Encode, PythonJson};

#[track_caller]
fn writes<T: Serialize + ?Sized>(value: &T, python: &str) {
    assert_eq!(PythonJson::new().to_text(value).unwrap(), python);
}

#[track_caller]
fn reads(text: &str) -> Value {
    PythonJson::new().from_text(text).unwrap()
}

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
struct Point {
    x: f64,
    label: Option<String>,
}

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
enum Shape {
    Empty,
    Circle(f64),
    Line(i32, i32),
    Box { width: u8 },
}

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
struct Complex(f64, f64);

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
struct Date(String);

#[test]
fn separators_and_words_are_pythons() {
    writes(&(1, "a", [true, false], ()), r#"[1, "a", [true, false], null]"#);
    let point = Point { x: 1.0, label: None };
    writes(&point, r#"{"x": 1.0, "label": null}"#);
    writes(&Vec::<i32>::new(), "[]");
    writes(&BTreeMap::<String, i32>::new(), "{}");
}

#[test]
fn strings_are_ascii_with_pythons_escapes() {
    writes("\u{e4}\u{20ac}\u{1f600}", r#""\u00e4\u20ac\ud83d\ude00""#);
    writes(
        "\"\\/\u{8}\u{c}\n\r\t\0\u{1f}\u{7f} ~",
        r#""\"\\/\b\f\n\r\t\u0000\u001f\u007f ~""#,
    );
}

#[test]
fn floats_look_as_repr_shows_them() {
    for (value, python) in [
        (0.0, "0.0"),
        (-0.0, "-0.0"),
        (1.0, "1.0"),
        (2.5, "2.5"),
        (0.1, "0.1"),
        (1e15, "1000000000000000.0"),
        (123456789012345680.0, "1.2345678901234568e+17"),
        (1e16, "1e+16"),
        (1e22, "1e+22"),
        (1e100, "1e+100"),
        (1.5e300, "1.5e+300"),
        (0.0001, "0.0001"),
        (0.00001, "1e-05"),
        (1.5e-7, "1.5e-07"),
        (5e-324, "5e-324"),
        (f64::MAX, "1.7976931348623157e+308"),
        (f64::NAN, "NaN"),
        (f64::INFINITY, "Infinity"),
        (f64::NEG_INFINITY, "-Infinity"),
    ] {
        writes(&value, python);
    }
}

#[test]
fn keys_become_strings_as_in_python() {
    writes(&BTreeMap::from([(1, "a"), (2, "b")]), r#"{"1": "a", "2": "b"}"#);
    writes(&BTreeMap::from([(true, 1)]), r#"{"true": 1}"#);
    let back: BTreeMap<i32, String> = PythonJson::new().from_text(r#"{"1": "a", "-2": "b"}"#).unwrap();
    assert_eq!(back, BTreeMap::from([(1, "a".into()), (-2, "b".into())]));
    let error = PythonJson::new().to_text(&BTreeMap::from([(vec![1], 1)])).unwrap_err();
    assert!(error.to_string().contains("a key must be"), "{error}");
}

#[test]
fn what_pythons_loads_takes_is_taken() {
    assert!(matches!(reads(" NaN "), Value::Float(value) if value.is_nan()));
    assert_eq!(
        reads("[Infinity, -Infinity]"),
        Value::from(vec![f64::INFINITY.into(), f64::NEG_INFINITY.into()])
    );
    assert_eq!(reads("1e999"), Value::Float(f64::INFINITY));
    assert_eq!(reads("-0"), Value::Int(0));
    assert_eq!(
        reads("123456789012345678901234567890"),
        Value::Int(123456789012345678901234567890)
    );
    assert_eq!(
        reads("\t{ \"a\" :\n1 , \"a\":2 }\r"),
        Value::Dict(vec![("a".into(), Value::Int(2))])
    );
    assert_eq!(reads(r#""\u00e4\ud83d\ude00\/""#), Value::from("\u{e4}\u{1f600}/"));
}

#[test]
fn what_pythons_loads_refuses_is_refused() {
    for text in [
        "",
        "[1,]",
        "{\"a\":1,}",
        "{a:1}",
        "01",
        "1.",
        ".5",
        "+1",
        "1e",
        "'a'",
        "\"a",
        "\"\u{1}\"",
        r#""\x""#,
        r#""\u12""#,
        "nul",
        "[1 2]",
        "[1",
        "{\"a\" 1}",
        "[1]]",
        "1 2",
        "nan",
        "\u{feff}1",
        "--1",
        "-",
        "-Inf",
        "{1: 2}",
    ] {
        PythonJson::new().from_text::<Value>(text).unwrap_err();
    }
}

#[test]
fn lone_surrogates_survive() {
    for text in [
        r#""\ud800""#,
        r#""a\udfffb""#,
        r#""\ude00\ud83d""#,
        r#""\ud83d\ud83d\ude00""#,
    ] {
        let value = reads(text);
        assert_eq!(PythonJson::new().to_text(&value).unwrap(), text);
        let error = PythonJson::new().from_text::<String>(text).unwrap_err();
        assert!(error.to_string().contains("expected a string"), "{error}");
    }
    assert_eq!(Text::from_utf16(&[0x61, 0xd800]).to_string_lossy(), "a\u{fffd}");
    assert_eq!(Text::from_utf16(&[0xd83d, 0xde00]), Text::from("\u{1f600}"));
    // As keys too.
    let text = r#"{"\ud800": {"\ud801": 1}}"#;
    assert_eq!(PythonJson::new().to_text(&reads(text)).unwrap(), text);
}

#[test]
fn nesting_has_a_limit() {
    let deep = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert_eq!(PythonJson::new().to_text(&reads(&deep(128))).unwrap(), deep(128));
    for text in [
        deep(129),
        deep(100_000),
        "[".repeat(1_000_000),
        "{\"a\":".repeat(200_000),
    ] {
        PythonJson::new().from_text::<Value>(&text).unwrap_err();
    }
}

#[test]
fn the_order_of_a_dictionary_is_kept() {
    let text = r#"{"b": 1, "a": {"z": 1, "y": 2}}"#;
    assert_eq!(PythonJson::new().to_text(&reads(text)).unwrap(), text);
}

#[test]
fn enums_are_serdes() {
    for (shape, text) in [
        (Shape::Empty, r#""Empty""#),
        (Shape::Circle(0.5), r#"{"Circle": 0.5}"#),
        (Shape::Line(1, -2), r#"{"Line": [1, -2]}"#),
        (Shape::Box { width: 3 }, r#"{"Box": {"width": 3}}"#),
    ] {
        writes(&shape, text);
        assert_eq!(PythonJson::new().from_text::<Shape>(text).unwrap(), shape);
    }
}

fn two_types() -> PythonJson {
    PythonJson::with_types(
        CustomTypes::new()
            .with_type("Complex")
            .with_converter("Date")
            .with_type("Point"),
    )
}

#[test]
fn custom_types_travel_with_their_index_and_converters_follow_the_types() {
    let codec = two_types();
    let point = Point { x: 1.5, label: None };
    let value = (Complex(1.0, -2.0), vec![point], Date("2026-11-21".into()));
    let text = codec.to_text(&value).unwrap();
    assert_eq!(
        text,
        r#"[{"__type__": [0, [1.0, -2.0]]}, [{"__type__": [1, {"x": 1.5, "label": null}]}], {"__type__": [2, "2026-11-21"]}]"#
    );
    let back: (Complex, Vec<Point>, Date) = codec.from_text(&text).unwrap();
    assert_eq!(back, value);
    // Without looking for certain types.
    let any: Value = codec.from_text(&text).unwrap();
    let Value::List(items) = &any else { panic!("{any:?}") };
    assert_eq!(items[2], Value::Custom(2, Box::new("2026-11-21".into())));
    assert_eq!(codec.to_text(&any).unwrap(), text);
}

#[test]
fn d10_without_types_the_key_is_plain_data() {
    let text = r#"{"__type__": [0, 1]}"#;
    let value = reads(text);
    assert_eq!(value.get("__type__"), Some(&Value::from(vec![0.into(), 1.into()])));
    writes(&value, text);
}

#[test]
fn d10_with_types_such_data_are_an_error_to_encode_or_escaped() {
    let data = BTreeMap::from([("__type__", vec![0, 1]), ("a", vec![])]);
    let error = two_types().to_text(&[&data]).unwrap_err();
    assert!(error.to_string().contains("CustomTypes::escaped"), "{error}");

    let codec = PythonJson::with_types(CustomTypes::new().with_type("Complex").escaped());
    let text = codec.to_text(&[&data]).unwrap();
    assert_eq!(text, r#"[{"__type__": [1, [["__type__", [0, 1]], ["a", []]]]}]"#);
    let back: Vec<BTreeMap<String, Vec<i32>>> = codec.from_text(&text).unwrap();
    assert_eq!(back[0]["__type__"], [0, 1]);
    let any: Value = codec.from_text(&text).unwrap();
    assert_eq!(codec.to_text(&any).unwrap(), text);
    // In a variant, the brackets of which must stay.
    #[derive(Serialize)]
    enum Odd {
        Box { __type__: u8 },
    }
    let text = codec.to_text(&Odd::Box { __type__: 1 }).unwrap();
    assert_eq!(text, r#"{"Box": {"__type__": [1, [["__type__", 1]]]}}"#);
}

#[test]
fn d10_a_bad_custom_object_is_an_error_and_one_with_other_keys_is_plain() {
    let codec = two_types();
    let error = codec.from_text::<Value>(r#"{"__type__": [9, 1]}"#).unwrap_err();
    assert!(error.to_string().contains("no custom type has the index 9"), "{error}");
    let error = codec.from_text::<Complex>(r#"{"__type__": [2, "x"]}"#).unwrap_err();
    assert!(error.to_string().contains("where 0 is Complex"), "{error}");
    codec.from_text::<Complex>("[1.0, 2.0]").unwrap_err();
    for plain in [
        r#"{"__type__": 3}"#,
        r#"{"__type__": [0, 1], "b": 1}"#,
        r#"{"__type__": ["a", 1]}"#,
        r#"{"__type__": [1]}"#,
    ] {
        assert!(matches!(codec.from_text(plain).unwrap(), Value::Dict(_)), "{plain}");
    }
}

fn values() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        any::<String>().prop_map(Text::from),
        prop::collection::vec(any::<u16>(), 0..6).prop_map(|units| Text::from_utf16(&units)),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i128>().prop_map(Value::Int),
        any::<i64>().prop_map(Value::from),
        prop::num::f64::ANY
            .prop_filter("equal to itself", |value| !value.is_nan())
            .prop_map(Value::from),
        text.clone().prop_map(Value::Text),
    ];
    leaf.prop_recursive(5, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(text.clone(), inner, 0..6)
                .prop_map(|map| Value::Dict(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn values_survive_the_round_trip(value in values()) {
        let codec = PythonJson::new();
        let text = codec.to_text(&value).unwrap();
        prop_assert!(text.is_ascii());
        prop_assert_eq!(&codec.from_text::<Value>(&text).unwrap(), &value);
        let escaped = PythonJson::with_types(CustomTypes::new().escaped());
        prop_assert_eq!(&escaped.from_text::<Value>(&escaped.to_text(&value).unwrap()).unwrap(), &value);
    }

    #[test]
    fn serde_json_reads_what_has_no_python_in_it(value in values()) {
        let text = PythonJson::new().to_text(&value).unwrap();
        if let Ok(theirs) = serde_json::from_str::<serde_json::Value>(&text) {
            let mut ours = Vec::new();
            PythonJson::new().encode(&theirs, &mut ours).unwrap();
            prop_assert_eq!(serde_json::from_slice::<serde_json::Value>(&ours).unwrap(), theirs);
        }
    }

    #[test]
    fn what_serde_json_takes_is_taken_and_arbitrary_text_never_panics(
        text in "[\\[\\]{}\",:0-9a-fnulltrs. \\\\eE+-]{0,40}",
    ) {
        let ours = PythonJson::with_types(CustomTypes::new().escaped()).from_text::<Value>(&text);
        if serde_json::from_str::<serde_json::Value>(&text).is_ok() {
            prop_assert!(ours.is_ok(), "{}: {:?}", text, ours);
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        let _: Result<Value, _> = two_types().decode(&bytes);
    }
}
