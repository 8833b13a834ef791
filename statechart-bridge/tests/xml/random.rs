//! Arbitrary files never panic.

use std::time::Duration;

use proptest::prelude::*;
use statechart_bridge::{Document, Engine, Event, Limits};

use super::class;

/// Text made of the language's words, so that it gets far.
fn words() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "<diagram>",
        "</diagram>",
        "<class name=\"C\">",
        "</class>",
        "<scxml>",
        "</scxml>",
        "<state id=\"a\">",
        "<state id=\"b\">",
        "</state>",
        "<parallel id=\"p\">",
        "</parallel>",
        "<history id=\"h\"/>",
        "<transition event=\"e\" target=\"../b\">",
        "</transition>",
        "<transition after=\"1\" target=\"a/(b,c)\"/>",
        "<onentry>",
        "</onentry>",
        "<script>",
        "</script>",
        "self.x = 1",
        "<raise event=\"e\"/>",
        "&lt;",
        "<![CDATA[",
        "]]>",
        "<test>",
        "</test>",
        "<inport name=\"in\"/>",
        " ",
        "\n",
        "(",
        "\"",
    ]);
    prop::collection::vec(word, 0..40).prop_map(|words| words.concat())
}

proptest! {
    #[test]
    fn arbitrary_text_never_panics(text in ".{0,200}") {
        let _ = Document::parse("x.xml", &text);
    }

    #[test]
    fn arbitrary_elements_never_panic(text in words()) {
        let _ = Document::parse("x.xml", &text);
        let _ = Document::parse("x.xml", &format!("<diagram><class name=\"C\"><scxml>{text}</scxml></class></diagram>"));
    }

    #[test]
    fn arbitrary_code_never_panics(code in r#"[a-z0-9 \n()\[\]{}:,.+*/%<>=!'"\\-]{0,80}"#) {
        let xml = class(&format!("<scxml><state id=\"a\"><onentry><script><![CDATA[{code}]]></script></onentry></state></scxml>"));
        if let Ok(document) = Document::parse("x.xml", &xml) {
            Engine::new(document.model()).unwrap().start();
        }
    }
}

/// The crate's models, and one with all kinds of elements.
const MODELS: [&str; 6] = [
    include_str!("../../models/http_echo_server.xml"),
    include_str!("../../models/http_echo_client.xml"),
    include_str!("../../models/traffic_light.xml"),
    include_str!("../../models/counter.xml"),
    include_str!("../../models/turnstile.scxml"),
    include_str!("everything.xml"),
];

/// A change of a text: where, how much of it, and what instead.
#[derive(Clone, Debug)]
enum Mutation {
    Delete(usize, usize),
    Copy(usize, usize, usize),
    Insert(usize, &'static str),
    /// One attribute's or element's text gets another's.
    Swap(usize, usize),
}

const PIECES: [&str; 18] = [
    "\"",
    "<",
    ">",
    "&",
    "/",
    "..",
    "../",
    "(",
    ")",
    "[",
    "]",
    "self.",
    "'",
    "\n",
    "-1",
    "1e400",
    "None",
    "\u{e9}\u{0}",
];

fn mutation() -> impl Strategy<Value = Mutation> {
    let at = any::<usize>();
    prop_oneof![
        (at, 1_usize..40).prop_map(|(at, length)| Mutation::Delete(at, length)),
        (at, at, 1_usize..400).prop_map(|(from, to, length)| Mutation::Copy(from, to, length)),
        (at, prop::sample::select(PIECES.to_vec())).prop_map(|(at, piece)| Mutation::Insert(at, piece)),
        (at, at).prop_map(|(a, b)| Mutation::Swap(a, b)),
    ]
}

fn mutate(text: &str, mutation: &Mutation) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    let length = chars.len().max(1);
    match *mutation {
        Mutation::Delete(at, count) => {
            let at = at % length;
            chars.drain(at..(at + count).min(length));
        }
        Mutation::Copy(from, to, count) => {
            let from = from % length;
            let part: Vec<char> = chars[from..(from + count).min(length)].to_vec();
            let to = to % length;
            chars.splice(to..to, part);
        }
        Mutation::Insert(at, piece) => {
            let at = at % length;
            chars.splice(at..at, piece.chars());
        }
        Mutation::Swap(a, b) => {
            let mut parts: Vec<&str> = text.split('"').collect();
            // What stands in quotes has odd numbers.
            let odd = parts.len() / 2;
            if odd > 0 {
                parts.swap(a % odd * 2 + 1, b % odd * 2 + 1);
            }
            return parts.join("\"");
        }
    }
    chars.into_iter().collect()
}

/// Runs what was read for a while, with whatever events it knows.
fn drive(document: &Document) {
    let mut limits = Limits::default();
    limits.small_steps = 50;
    limits.big_steps = 50;
    limits.instances = 20;
    let arguments = document.arguments([]).unwrap_or_default();
    let Ok(mut engine) = Engine::builder(document.model())
        .limits(limits)
        .arguments(arguments)
        .build()
    else {
        return;
    };
    engine.start();
    let ports: Vec<_> = document.model().inports().to_vec();
    for name in ["add", "show", "interrupt", "coin", "push", "created_socket", "e", "f"] {
        for port in &ports {
            let _ = engine.input(Event::new(name).on(port.clone()).with([1.into(), "x".into()]));
        }
        engine.advance(Duration::from_millis(400));
    }
    let snapshot = engine.snapshot();
    let _ = engine.restore(&snapshot);
}

#[test]
fn the_models_are_right_before_they_are_changed() {
    for model in MODELS {
        let document = Document::parse("model.xml", model).unwrap_or_else(|error| panic!("{error}"));
        drive(&document);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn changed_models_never_panic(
        model in prop::sample::select(MODELS.to_vec()),
        mutations in prop::collection::vec(mutation(), 1..4),
    ) {
        let text = mutations.iter().fold(model.to_owned(), |text, mutation| mutate(&text, mutation));
        match Document::parse("x.xml", &text) {
            Ok(document) => drive(&document),
            // Each problem has its place.
            Err(error) => for problem in error.problems() {
                prop_assert!(problem.to_string().starts_with("x.xml:"), "{}", problem);
            },
        }
    }
}
