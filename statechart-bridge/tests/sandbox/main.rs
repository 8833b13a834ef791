//! Hostile code: whatever it does, it ends with an error that has its place, and takes nothing with it.
#![cfg(feature = "xml")]

#[path = "../common/mod.rs"]
mod common;
mod nesting;
mod random;
mod reach;
mod work;

use common::Rig;
use statechart_bridge::Document;

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
    let mut rig = Rig::new(document.model());
    // The instance goes on.
    rig.send("e");
    let faults = rig.faults.lock().unwrap();
    faults.first().cloned().unwrap_or_default()
}

#[track_caller]
pub(crate) fn stopped(code: &str, expected: &str) {
    let fault = fault("", "return 0", code);
    assert!(fault.contains("c.xml:"), "{code}: {fault}");
    assert!(fault.contains(expected), "{code}: {fault}\nexpected {expected}");
}
