//! Models from XML: each element and each option by what it does, and what is refused, with its place.
#![cfg(feature = "xml")]

mod elements;
mod files;
mod objects;
mod options;
mod page;
mod random;
mod rejected;
mod running;
mod snapshots;
mod suites;

use statechart_bridge::{Document, Engine, Event, InstanceId, Output};

/// A diagram with the ports `in` and `out` and one class, whose inside begins in line 3.
fn class(inside: &str) -> String {
    format!(
        "<diagram name=\"test\"><inport name=\"in\"/><outport name=\"out\"/>\n<class name=\"C\" default=\"true\">\n{inside}\n\
         </class></diagram>"
    )
}

/// The same with a chart, whose first state is `a`; the states begin in line 3.
fn chart(states: &str) -> String {
    format!(
        "<diagram name=\"test\"><inport name=\"in\"/><outport name=\"out\"/>\n<class name=\"C\" default=\"true\">\
         <scxml initial=\"a\">\n{states}\n</scxml></class></diagram>"
    )
}

fn load(xml: &str) -> Document {
    Document::parse("test.xml", xml).unwrap_or_else(|error| panic!("{error}"))
}

/// An engine in which no fault may happen, started, and what it raises.
fn start(document: &Document) -> (Engine, impl Fn() -> Vec<Output> + use<>) {
    let mut engine = Engine::builder(document.model())
        .on_fault(|fault| panic!("{fault}"))
        .build()
        .unwrap();
    let outputs = engine.output_queue(&[]);
    engine.start();
    (engine, move || std::iter::from_fn(|| outputs.try_fetch()).collect())
}

/// Loads it, gives the events on `in`, and tells what came out.
fn run(xml: &str, events: &[Event]) -> Vec<String> {
    let (mut engine, said) = start(&load(xml));
    for event in events {
        engine.input(event.clone().on("in")).unwrap();
    }
    said().iter().map(|output| output.event.to_string()).collect()
}

/// The innermost active states of the first instance.
fn leaves(engine: &Engine) -> String {
    let states = engine.states(InstanceId::new(1));
    let inner = |state: &&String| {
        let inside = format!("{}/", state.trim_end_matches('/'));
        !states
            .iter()
            .any(|other| other.len() > state.len() && other.starts_with(&inside))
    };
    states.iter().filter(inner).cloned().collect::<Vec<_>>().join(" ")
}

fn refused(xml: &str) -> String {
    Document::parse("test.xml", xml).unwrap_err().to_string()
}

fn warnings(xml: &str) -> Vec<String> {
    load(xml).model().warnings().iter().map(ToString::to_string).collect()
}
