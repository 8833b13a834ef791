//! Tests that stand in a model.

use statechart_bridge::Document;

use super::load;

#[test]
fn values_of_tests_are_constants() {
    let xml = "<diagram><outport name=\"out\"/><class name=\"C\"><scxml><state id=\"a\"><onentry>\
               <raise event=\"e\" port=\"out\"><parameter expr=\"[1, 'x']\"/></raise></onentry></state></scxml></class>\
               <test name=\"good\"><expected><slot><event name=\"e\" port=\"out\"><parameter value=\"[1, 'x']\"/></event>\
               </slot></expected></test>\
               <test><expected><slot><event name=\"e\" port=\"out\"/></slot></expected></test>\
               <test name=\"silent\"><expected/></test></diagram>";
    let document = Document::parse("test.xml", xml).unwrap();
    let reports = document.run_tests();
    assert_eq!(
        reports.iter().map(|report| report.passed()).collect::<Vec<_>>(),
        [true, false, false]
    );
    assert!(
        reports[1].to_string().contains("test 2: FAILED\n  test.xml:1:"),
        "{}",
        reports[1]
    );
    assert!(
        reports[2].to_string().contains("nothing more was expected"),
        "{}",
        reports[2]
    );
}

/// An echo with a delay.
fn echo(test: &str) -> String {
    let xml = format!(
        "<diagram><inport name=\"in\"/><outport name=\"out\"/><outport name=\"other\"/><class name=\"C\"><attribute name=\"x\"/>\
         <scxml initial=\"a\"><state id=\"a\"><transition event=\"e\" port=\"in\" target=\"../b\"><parameter name=\"x\"/>\
         <assign ident=\"x\" expr=\"x\"/><raise event=\"got\" port=\"other\"/></transition></state>\
         <state id=\"b\"><transition after=\"2\" target=\"../a\"><raise event=\"e\" port=\"out\"><parameter expr=\"self.x\"/></raise>\
         <raise event=\"f\" port=\"out\"/></transition></state></scxml></class><test name=\"t\">{test}</test></diagram>"
    );
    load(&xml).run_tests()[0].to_string()
}

const INPUT: &str = "<input><event name=\"e\" port=\"in\" time=\"0.5\"><parameter expr=\"[1]\"/></event></input>";
const E: &str = "<event name=\"e\" port=\"out\"><parameter value=\"[1]\"/></event>";
const F: &str = "<event name=\"f\" port=\"out\"/>";

#[test]
fn events_come_in_order_and_those_of_a_slot_in_any() {
    let expected = |slots: &str| echo(&format!("{INPUT}<expected>{slots}</expected>"));
    assert_eq!(expected(&format!("<slot>{E}</slot><slot>{F}</slot>")), "t: ok");
    assert_eq!(
        expected(&format!("<slot>{F}{E}</slot>")),
        "t: ok",
        "of other ports nothing is asked"
    );
    let wrong = expected(&format!("<slot>{F}</slot><slot>{E}</slot>"));
    assert!(wrong.contains("expected out.f, but got 2.500 #1 out.e([1])"), "{wrong}");
    let surplus = expected(&format!("<slot>{E}</slot>"));
    assert!(
        surplus.contains("2.500 #1 out.f: nothing more was expected"),
        "{surplus}"
    );
    let missing = expected(&format!("<slot>{E}</slot><slot>{F}</slot><slot>{F}</slot>"));
    assert!(missing.contains("expected out.f, which never came"), "{missing}");
}

#[test]
fn parameters_count() {
    let event = "<event name=\"e\" port=\"out\"><parameter value=\"[2]\"/></event>";
    let wrong = echo(&format!("{INPUT}<expected><slot>{event}</slot></expected>"));
    assert!(
        wrong.contains("expected out.e([2]), but got 2.500 #1 out.e([1])"),
        "{wrong}"
    );
}

#[test]
fn unknown_ports_and_values_that_are_no_constants_fail() {
    for (test, expected) in [
        (
            format!("{INPUT}<expected><slot><event name=\"e\" port=\"nope\"/></slot></expected>"),
            "no outport `nope`",
        ),
        (
            "<input><event name=\"e\" port=\"nope\"/></input><expected/>".to_owned(),
            "no inport `nope`",
        ),
        (
            "<input><event name=\"e\" port=\"in\"><parameter expr=\"self.x\"/></event></input><expected/>".to_owned(),
            "expected a constant",
        ),
    ] {
        let report = echo(&test);
        assert!(report.contains("t: FAILED") && report.contains(expected), "{report}");
    }
}

#[test]
fn a_fault_fails_a_test() {
    let xml = "<diagram><class name=\"C\"><scxml><state id=\"a\"><onentry><script>\nself.x = 1 // 0</script></onentry></state>\
               </scxml></class><test><expected/></test></diagram>";
    let report = load(xml).run_tests()[0].to_string();
    assert!(report.contains("test.xml:2:12: division by zero"), "{report}");
}
