//! Hostile code: whatever it does, it ends with an error that has its place, and takes nothing with it.
#![cfg(feature = "xml")]

use std::sync::{Arc, Mutex};

use statechart_bridge::{Document, Engine, Event};

mod nesting;
mod random;
mod reach;
mod work;

/// A class with a method that may call itself.
pub(crate) fn load(top: &str, method: &str, code: &str) -> Result<Document, String> {
    let xml = format!(
        "<diagram><top><![CDATA[{top}]]></top><inport name=\"in\"/><class name=\"C\"><attribute name=\"x\" init-value=\"[]\"/>\
         <attribute name=\"n\" init-value=\"0\"/><method name=\"m\"><parameter name=\"n\"/><body><![CDATA[{method}]]></body></method>\
         <scxml><state id=\"a\"><onentry><script><![CDATA[{code}]]></script></onentry>\
         <transition event=\"e\" port=\"in\" target=\".\"/></state></scxml></class></diagram>"
    );
    Document::parse("c.xml", &xml).map_err(|error| error.to_string())
}

/// The fault of running it, or of loading it.
pub(crate) fn fault(top: &str, method: &str, code: &str) -> String {
    let document = match load(top, method, code) {
        Ok(document) => document,
        Err(error) => return error,
    };
    let faults: Arc<Mutex<Vec<String>>> = Arc::default();
    let told = Arc::clone(&faults);
    let mut engine = Engine::builder(document.model())
        .on_fault(move |fault| told.lock().unwrap().push(fault.to_string()))
        .build()
        .unwrap();
    engine.start();
    // The instance goes on.
    engine.input(Event::new("e").on("in")).unwrap();
    let faults = faults.lock().unwrap();
    faults.first().cloned().unwrap_or_default()
}

#[track_caller]
pub(crate) fn stopped(code: &str, expected: &str) {
    let fault = fault("", "return 0", code);
    assert!(fault.contains("c.xml:"), "{code}: {fault}");
    assert!(fault.contains(expected), "{code}: {fault}\nexpected {expected}");
}
