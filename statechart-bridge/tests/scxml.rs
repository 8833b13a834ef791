//! The core of SCXML.
#![cfg(feature = "xml")]

mod common;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::Rig;
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
fn foreach_goes_through_a_list_as_it_was_at_the_start() {
    let say = "<send event=\"said\" target=\"#_parent\"><param name=\"at\" expr=\"[i, x]\"/></send>";
    // `x` and `i` are not declared; what the loop adds to the list is not gone through.
    let body = format!(
        "<datamodel><data id=\"list\">[5, 7]</data><data id=\"sum\">0</data></datamodel>\
         <state id=\"a\"><onentry><foreach array=\"list\" item=\"x\" index=\"i\">{say}\
         <assign location=\"sum\" expr=\"sum + x\"/><script>list = list + [x]</script>\
         <if cond=\"x == 7\"><raise event=\"seven\"/></if></foreach></onentry>\
         <transition event=\"seven\"><foreach array=\"('p', 'q')\" item=\"x\"><foreach array=\"list\" item=\"y\">\
         <send event=\"pair\" target=\"#_parent\"><content expr=\"(x, y)\"/></send></foreach></foreach>\
         <send event=\"sum\" target=\"#_parent\"><content expr=\"sum\"/></send></transition></state>"
    );
    let pairs = ["p", "q"].map(|x| [5, 7, 5, 7].map(|y| format!("output.pair((\"{x}\", {y}))")));
    let mut wanted = vec![
        "output.said({\"at\": [0, 5]})".to_owned(),
        "output.said({\"at\": [1, 7]})".to_owned(),
    ];
    wanted.extend(pairs.into_iter().flatten());
    wanted.push("output.sum(12)".to_owned());
    assert_eq!(run(&body, &[]), wanted);
}

#[test]
fn foreach_in_foreach_is_on_one_budget() {
    let loops = |inner: &str| {
        (0..4).fold(inner.to_owned(), |inner, depth| {
            format!("<foreach array=\"list\" item=\"x{depth}\">{inner}</foreach>")
        })
    };
    let body = format!(
        "<datamodel><data id=\"list\" expr=\"list(range(1000))\"/><data id=\"n\" expr=\"0\"/></datamodel>\
         <state id=\"a\"><onentry>{}</onentry></state>",
        loops("<assign location=\"n\" expr=\"n + 1\"/>")
    );
    let document = Document::parse("t.scxml", &wrap(&body)).unwrap();
    let Rig { engine, faults, .. } = Rig::new(document.model());
    let told = faults.lock().unwrap();
    assert!(
        told[0].contains("t.scxml:1:") && told[0].contains("stopped after 1000000 steps"),
        "{told:?}"
    );
    let number = engine.attribute(statechart_bridge::InstanceId::new(1), "n").unwrap();
    assert!(number.as_int() > Some(100_000), "{number}");
}

#[test]
fn donedata_comes_with_the_event() {
    let done = |data: &str| {
        format!(
            "<datamodel><data id=\"n\">3</data></datamodel><state id=\"s\"><state id=\"x\">\
             <transition event=\"go\" target=\"f\"/></state><final id=\"f\">{data}</final>\
             <transition event=\"done.state.s\"><send event=\"got\" target=\"#_parent\">\
             <content expr=\"_data\"/></send></transition></state>"
        )
    };
    let go = [("go", None)];
    let params = "<donedata><param name=\"a\" expr=\"n + 1\"/><param name=\"b\" expr=\"'z'\"/></donedata>";
    assert_eq!(run(&done(params), &go), ["output.got({\"a\": 4, \"b\": \"z\"})"]);
    let content = "<donedata><content expr=\"[n]\"/></donedata>";
    assert_eq!(run(&done(content), &go), ["output.got([3])"]);
    let text = "<donedata><content> as it is </content></donedata>";
    assert_eq!(run(&done(text), &go), ["output.got(\"as it is\")"]);
    assert_eq!(run(&done(""), &go), ["output.got(None)"]);
    let message = refused(&done("<donedata><content/><param name=\"a\" expr=\"1\"/></donedata>"));
    assert!(message.contains("expected nothing beside it"), "{message}");
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
            "<state id=\"a\"><onentry><send event=\"e\" delay=\"soon\"/></onentry></state>",
            "t.scxml:1:108: delay is `soon`: expected such as 1.5s or 200ms",
        ),
        (
            "<state id=\"a\"><onentry><send event=\"e\" delay=\"1s\" delayexpr=\"'1s'\"/></onentry></state>",
            "delay and delayexpr: expected one of the two",
        ),
        (
            "<state id=\"a\"><onentry><send event=\"e\" delay=\"1s\" target=\"#_internal\"/></onentry></state>",
            "target #_internal with a delay",
        ),
        (
            "<state id=\"a\"><onentry><send event=\"e\" type=\"x\"/></onentry></state>",
            "attribute `type` of `send` is unknown: expected event, target, delay, delayexpr or id",
        ),
        (
            "<state id=\"a\"><onentry><cancel/></onentry></state>",
            "cancel: expected one of the attributes sendid and sendidexpr",
        ),
        (
            "<final id=\"a\"><donedata/></final>",
            "t.scxml:1:76: donedata of a final state at the top: nobody is told",
        ),
        (
            "<state id=\"a\"><transition event=\"e\" cond=\"1 +\"/></state>",
            "expected an expression",
        ),
        (
            "<state id=\"a\"><transition event=\"e\" cond=\"In('b')\"/></state>",
            "In: expected the id of a state as a text",
        ),
        (
            "<state id=\"a\"><onentry><send event=\"e\" target=\"http://x\"/></onentry></state>",
            "expected #_internal",
        ),
        (
            "<state id=\"a\"><onentry><foreach/></onentry></state>",
            "element `foreach` needs the attribute `array`",
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
        error.to_string().contains("datamodel is `ecmascript`: expected python"),
        "{error}"
    );
}

/// A state that says what it gets.
fn saying(event: &str) -> String {
    format!("<transition event=\"{event}\"><send event=\"{event}\" target=\"#_parent\"/></transition>")
}

#[test]
fn a_parallel_is_done_when_all_its_regions_are() {
    let region = |id: &str| {
        format!(
            "<state id=\"{id}\"><state id=\"{id}1\"><transition event=\"{id}\" target=\"{id}2\"/></state>\
             <final id=\"{id}2\"/></state>"
        )
    };
    let body = format!(
        "<parallel id=\"p\">{}{}{}{}{}</parallel>",
        region("l"),
        region("r"),
        saying("done.state.l"),
        saying("done.state.r"),
        saying("done.state.p"),
    );
    let (left, right) = ("output.done.state.l", "output.done.state.r");
    assert_eq!(
        run(&body, &[("r", None), ("l", None)]),
        [right, left, "output.done.state.p"]
    );
    assert_eq!(run(&body, &[("l", None)]), [left]);
}

#[test]
fn internal_events_go_before_external_ones() {
    let body = format!(
        "<state id=\"a\"><transition event=\"go\"><send event=\"sent\"/><raise event=\"raised\"/>\
         <send event=\"inside\" target=\"#_internal\"/></transition>{}{}{}{}</state>",
        saying("sent"),
        saying("raised"),
        saying("inside"),
        saying("other"),
    );
    let document = Document::parse("t.scxml", &wrap(&body)).unwrap();
    let mut engine = Engine::new(document.model()).unwrap();
    let outputs = engine.output_queue(&["output"]);
    // Both are there when it starts.
    for name in ["go", "other"] {
        engine
            .input_after(Duration::ZERO, Event::new(name).on("input"), None)
            .unwrap();
    }
    engine.start();
    let said: Vec<String> = std::iter::from_fn(|| outputs.try_fetch())
        .map(|output| output.event.name().to_string())
        .collect();
    assert_eq!(said, ["raised", "inside", "other", "sent"]);
}

#[test]
fn events_are_sent_later_and_cancelled() {
    let body = format!(
        "<datamodel><data id=\"wait\" expr=\"'750ms'\"/></datamodel><state id=\"a\"><onentry>\
         <send event=\"b\" delay=\"1.5s\"><param name=\"n\" expr=\"1 + 1\"/></send>\
         <send event=\"c\" delayexpr=\"wait\" target=\"#_parent\"/><send event=\"d\" delay=\"10ms\" id=\"d\"/>\
         <send event=\"f\" delayexpr=\"2\"/></onentry>\
         <transition event=\"no\"><cancel sendid=\"d\"/></transition>\
         <transition event=\"b\" cond=\"_data['n'] == 2\"><send event=\"b\" target=\"#_parent\"/></transition>{}{}</state>",
        saying("d"),
        saying("f"),
    );
    let document = Document::parse("t.scxml", &wrap(&body)).unwrap();
    let times = |cancel: bool| {
        let mut engine = Engine::builder(document.model())
            .on_fault(|fault| panic!("{fault}"))
            .build()
            .unwrap();
        let outputs = engine.output_queue(&["output"]);
        engine.start();
        // What waits is part of the state.
        let snapshot = engine.snapshot();
        engine.advance(Duration::from_secs(5));
        let before: Vec<String> = std::iter::from_fn(|| outputs.try_fetch())
            .map(|output| output.to_string())
            .collect();
        engine.restore(&snapshot).unwrap();
        if cancel {
            engine.input(Event::new("no").on("input")).unwrap();
        }
        engine.advance(Duration::from_secs(5));
        let after: Vec<String> = std::iter::from_fn(|| outputs.try_fetch())
            .map(|output| output.to_string())
            .collect();
        (before, after)
    };
    let all = [
        "0.010 #1 output.d",
        "0.750 #1 output.c",
        "1.500 #1 output.b",
        "2.000 #1 output.f",
    ];
    let (before, after) = times(false);
    assert_eq!(before, all);
    assert_eq!(after, all);
    assert_eq!(times(true).1, all[1..]);
}

#[test]
fn a_delay_that_is_none_is_a_fault_with_its_place() {
    let body = "<state id=\"a\">\n<onentry><send event=\"e\" delayexpr=\"'soon'\"/></onentry></state>";
    let document = Document::parse("t.scxml", &wrap(body)).unwrap();
    let faults = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&faults);
    let mut engine = Engine::builder(document.model())
        .on_fault(move |fault| told.lock().unwrap().push(fault.to_string()))
        .build()
        .unwrap();
    engine.start();
    let faults = faults.lock().unwrap();
    let [fault] = &faults[..] else { panic!("{faults:?}") };
    assert!(fault.contains("t.scxml:2:10: delay \"soon\": expected"), "{fault}");
}

#[test]
fn log_assign_and_script() {
    let body = "<datamodel><data id=\"n\" expr=\"[]\"/></datamodel><script>n = [1]</script>\
        <state id=\"a\"><onentry><assign location=\"n\" expr=\"n + [2]\"/><script>n.append(3)</script>\
        <log label=\"n\" expr=\"n\"/><log expr=\"len(n)\"/><log label=\"end\"/></onentry></state>";
    let document = Document::parse("t.scxml", &wrap(body)).unwrap();
    let lines = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&lines);
    let mut engine = Engine::builder(document.model())
        .on_log(move |line| told.lock().unwrap().push(line.text.clone()))
        .build()
        .unwrap();
    engine.start();
    assert_eq!(*lines.lock().unwrap(), ["n: [1, 2, 3]", "3", "end"]);
}

#[test]
fn internal_and_external_transitions() {
    for (kind, expected) in [("internal", "i"), ("external", "o i")] {
        let say = |name: &str| format!("<onentry><send event=\"{name}\" target=\"#_parent\"/></onentry>");
        let body = format!(
            "<state id=\"o\" initial=\"i\">{}<state id=\"i\">{}</state>\
             <transition event=\"e\" type=\"{kind}\" target=\"i\"/></state>",
            say("o"),
            say("i"),
        );
        let said = run(&body, &[("e", None)]);
        let again: Vec<&str> = said[2..]
            .iter()
            .map(|event| event.trim_start_matches("output."))
            .collect();
        assert_eq!(again.join(" "), expected, "{kind}");
    }
}
