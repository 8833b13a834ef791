//! The core of SCXML.
#![cfg(feature = "xml")]

use statechart_bridge::{Document, Engine, Event, Value};

fn run(body: &str, events: &[(&str, Option<Value>)]) -> Vec<String> {
    let document = Document::parse("t.scxml", &wrap(body)).unwrap_or_else(|error| panic!("{error}"));
    let mut engine = Engine::builder(document.model())
        .on_fault(|fault| panic!("{fault}"))
        .build()
        .unwrap();
    let outputs = engine.output_queue(&["output"]);
    engine.start();
    for (name, data) in events {
        engine.input(Event::new(*name).on("input").with(data.clone())).unwrap();
    }
    std::iter::from_fn(|| outputs.try_fetch())
        .map(|output| output.event.to_string())
        .collect()
}

fn wrap(body: &str) -> String {
    format!("<scxml xmlns=\"http://www.w3.org/2005/07/scxml\" version=\"1.0\">{body}</scxml>")
}

fn refused(body: &str) -> String {
    Document::parse("t.scxml", &wrap(body)).unwrap_err().to_string()
}

const SAY: &str = "<send event=\"said\" target=\"#_parent\"/>";

#[test]
fn the_turnstile_counts_persons() {
    let document = Document::open(concat!(env!("CARGO_MANIFEST_DIR"), "/models/turnstile.scxml")).unwrap();
    let mut engine = Engine::new(document.model()).unwrap();
    let outputs = engine.output_queue(&[]);
    engine.start();
    for name in ["push", "coin", "push", "coin", "push"] {
        engine.input(Event::new(name).on("input")).unwrap();
    }
    let out: Vec<String> = std::iter::from_fn(|| outputs.try_fetch())
        .map(|output| output.event.to_string())
        .collect();
    assert_eq!(
        out,
        [
            "output.alarm",
            "output.passed({\"persons\": 1})",
            "output.passed({\"persons\": 2})"
        ]
    );
}

#[test]
fn events_match_by_prefix_and_inner_transitions_win() {
    let body = format!(
        "<state id=\"a\"><transition event=\"x\" target=\"c\">{SAY}</transition>\
         <state id=\"b\"><transition event=\"x.y *.z\" target=\"b\"><raise event=\"done.it\"/></transition>\
         <transition event=\"done.*\" target=\"c\"><send event=\"done\" target=\"#_parent\"/></transition></state></state>\
         <state id=\"c\"/>"
    );
    assert_eq!(run(&body, &[("x.y.z", None)]), ["output.done"]);
    assert_eq!(run(&body, &[("xy", None), ("x.q", None)]), ["output.said"]);
}

#[test]
fn data_conditions_in_and_parameters() {
    let body = "<datamodel><data id=\"n\">1</data></datamodel>\
        <parallel id=\"p\"><state id=\"l\"><transition event=\"go\" cond=\"_data['by'] &gt; n\" target=\"l2\"/></state>\
        <state id=\"r\"><transition event=\"ask\" cond=\"In('l')\"><script>n = n + 1</script></transition>\
        <transition event=\"tell\"><if cond=\"n == 1\"><send event=\"one\" target=\"#_parent\"/>\
        <elseif cond=\"n == 2\"/><send event=\"two\" target=\"#_parent\"/><else/>\
        <send event=\"many\" target=\"#_parent\"/></if></transition></state></parallel>\
        <state id=\"l2\"><onentry><send event=\"left\" target=\"#_parent\"/></onentry></state>";
    let by = |by: i32| Some(Value::map([("by".into(), by.into())]));
    let events = [
        ("tell", None),
        ("ask", None),
        ("tell", None),
        ("ask", None),
        ("tell", None),
        ("go", by(3)),
        ("go", by(4)),
    ];
    assert_eq!(
        run(body, &events),
        ["output.one", "output.two", "output.many", "output.left"]
    );
}

#[test]
fn histories_finals_and_initials() {
    let body = "<state id=\"s\"><initial><transition target=\"y\"/></initial>\
        <history id=\"h\" type=\"deep\"><transition target=\"x\"/></history>\
        <state id=\"x\"><onentry><send event=\"x\" target=\"#_parent\"/></onentry></state>\
        <state id=\"y\"><onentry><send event=\"y\" target=\"#_parent\"/></onentry>\
        <transition event=\"end\" target=\"f\"/></state><final id=\"f\"/>\
        <transition event=\"out\" target=\"o\"/><transition event=\"done.state.s\" target=\"o\"/></state>\
        <state id=\"o\"><onentry><send event=\"o\" target=\"#_parent\"/></onentry>\
        <transition event=\"back\" target=\"h\"/></state>";
    let events = [("out", None), ("back", None), ("end", None)];
    assert_eq!(run(body, &events), ["output.y", "output.o", "output.y", "output.o"]);
}

#[test]
fn the_rest_is_refused_with_its_place() {
    let cases = [
        ("<invoke/>", "t.scxml:1:62: element `invoke` in `scxml` is unknown"),
        (
            "<state id=\"a\"><invoke/></state>",
            "element `invoke` in `state` is unknown",
        ),
        (
            "<state id=\"a\"><transition target=\"b\"/></state>",
            "no state `b`: expected the id of one",
        ),
        ("<state id=\"a\"/><state id=\"a\"/>", "state `a` is there twice"),
        (
            "<state id=\"a\"><onentry><send event=\"e\" delay=\"1s\"/></onentry></state>",
            "attribute `delay`",
        ),
        (
            "<state id=\"a\"><onentry><send event=\"e\" target=\"http://x\"/></onentry></state>",
            "expected #_internal",
        ),
        (
            "<state id=\"a\"><onentry><foreach/></onentry></state>",
            "element `foreach`",
        ),
        (
            "<state id=\"a\"><onentry><if cond=\"1\"><else/><else/></if></onentry></state>",
            "nothing may follow `else`",
        ),
        ("", "a chart needs a state"),
    ];
    for (body, expected) in cases {
        let message = refused(body);
        assert!(message.contains(expected), "{message}\nexpected {expected}");
    }
    let error = Document::parse("t.scxml", "<scxml datamodel=\"ecmascript\"><state id=\"a\"/></scxml>").unwrap_err();
    assert!(
        error
            .to_string()
            .contains("datamodel is `ecmascript`: expected starlark"),
        "{error}"
    );
}
