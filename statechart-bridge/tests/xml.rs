//! Model files: each element of the language, and what is refused, with its place.
#![cfg(feature = "xml")]

use std::fs;

use proptest::prelude::*;
use statechart_bridge::{Document, Engine, Event, Value};

/// A diagram with one class around the states.
fn chart(states: &str) -> String {
    class(&format!("<scxml initial=\"a\">{states}</scxml>"))
}

fn class(inside: &str) -> String {
    format!(
        "<diagram name=\"test\"><inport name=\"in\"/><outport name=\"out\"/><class name=\"C\" default=\"true\">{inside}\
         </class></diagram>"
    )
}

/// Loads it, gives the events, and tells what came out.
fn run(xml: &str, events: &[Event]) -> Vec<String> {
    let document = Document::parse("test.xml", xml).unwrap_or_else(|error| panic!("{error}"));
    let mut engine = Engine::builder(document.model())
        .on_fault(|fault| panic!("{fault}"))
        .build()
        .unwrap();
    let outputs = engine.output_queue(&[]);
    engine.start();
    for event in events {
        engine.input(event.clone().on("in")).unwrap();
    }
    std::iter::from_fn(|| outputs.try_fetch())
        .map(|output| output.event.to_string())
        .collect()
}

fn refused(xml: &str) -> String {
    Document::parse("test.xml", xml).unwrap_err().to_string()
}

#[test]
fn composite_states_events_and_parameters() {
    let xml = chart(
        r#"<state id="a" initial="x">
             <state id="x"><transition event="go" port="in" target="../y"><parameter name="n"/>
               <raise event="took" port="out"><parameter expr="n + 1"/></raise></transition></state>
             <state id="y"><onentry><raise event="in_y" port="out"/></onentry>
               <onexit><raise event="out_of_y" port="out"/></onexit></state>
             <transition event="end" target="../b"/>
           </state>
           <state id="b"/>"#,
    );
    let events = [Event::new("go").with([41.into()]), Event::new("end")];
    assert_eq!(run(&xml, &events), ["out.took(42)", "out.in_y", "out.out_of_y"]);
}

#[test]
fn guards_else_and_instate() {
    let xml = chart(
        r#"<parallel id="a">
             <state id="left"><state id="one"><transition event="e" target="../two"/></state><state id="two"/></state>
             <state id="right"><state id="wait">
               <transition event="ask" cond="ELSE" target="."><raise event="no" port="out"/></transition>
               <transition event="ask" cond="INSTATE('../../left/two')" target=".">
                 <raise event="yes" port="out"/></transition>
             </state></state>
           </parallel>"#,
    );
    let events = [Event::new("ask"), Event::new("e"), Event::new("ask")];
    assert_eq!(run(&xml, &events), ["out.no", "out.yes"]);
}

#[test]
fn histories_shallow_and_deep() {
    for (kind, entered) in [("shallow", "out.x1"), ("deep", "out.x2")] {
        let xml = chart(&format!(
            r#"<state id="a" initial="x">
                 <state id="x" initial="x1">
                   <state id="x1"><onentry><raise event="x1" port="out"/></onentry>
                     <transition event="next" target="../x2"/></state>
                   <state id="x2"><onentry><raise event="x2" port="out"/></onentry></state>
                 </state>
                 <state id="y"/>
                 <history id="h" type="{kind}"/>
                 <transition event="leave" target="../b"/>
               </state>
               <state id="b"><transition event="back" target="../a/h"/></state>"#
        ));
        let events = ["next", "leave", "back"].map(Event::new);
        assert_eq!(run(&xml, &events), ["out.x1", "out.x2", entered], "{kind}");
    }
}

#[test]
fn time_log_assign_and_scripts() {
    let xml = class(
        r#"<attribute name="n" init-value="1"/>
           <scxml><state id="a">
             <onentry><log>hello</log><assign ident="self.n" expr="self.n * 5"/>
               <script>
                 for i in range(3):
                     self.n += i
               </script></onentry>
             <transition after="self.n / 4" target="."><raise event="tick" port="out"><parameter expr="self.n"/></raise>
             </transition></state></scxml>"#,
    );
    let document = Document::parse("test.xml", &xml).unwrap();
    let mut engine = Engine::new(document.model()).unwrap();
    let outputs = engine.output_queue(&[]);
    engine.start();
    engine.advance(std::time::Duration::from_secs(2));
    assert_eq!(outputs.try_fetch().unwrap().to_string(), "2.000 #1 out.tick(8)");
}

#[test]
fn classes_methods_constructors_super_and_inheritance() {
    let xml = r#"<diagram><outport name="out"/>
      <top>
def double(x):
    return 2 * x
      </top>
      <class name="Base">
        <attribute name="x"/>
        <constructor><parameter name="x"/><body>self.x = x</body></constructor>
        <method name="area"><parameter name="height" default="3"/><body>return double(self.x) * height</body></method>
      </class>
      <class name="Derived" default="true">
        <relationships><inheritance class="Base"/></relationships>
        <method name="Derived"><super class="Base"><parameter expr="7"/></super><body>self.y = self.x + 1</body></method>
        <scxml><state id="a"><onentry>
          <raise event="made" port="out"><parameter expr="self.area()"/><parameter expr="self.area(1)"/>
            <parameter expr="self.y"/></raise>
        </onentry></state></scxml>
      </class></diagram>"#;
    assert_eq!(run(xml, &[]), ["out.made(42, 14, 8)"]);
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    let cases = [
        ("<diagram>", "not well-formed XML"),
        ("<model/>", "test.xml:1:1: element `model` is unknown: expected diagram"),
        ("<diagram/>", "a diagram needs a class"),
        (
            "<diagram language=\"javascript\"><class name=\"C\"/></diagram>",
            "expected python or starlark",
        ),
        (
            "<diagram><class name=\"C\"><scxml><state id=\"a\"><onentry><raise event=\"e\" output=\"out\"/></onentry>\
             </state></scxml></class></diagram>",
            "attribute `output` of `raise` is unknown: expected event, scope, port or target",
        ),
        (
            "<diagram><class name=\"A\" default=\"true\"/>\n<class name=\"B\" default=\"true\"/></diagram>",
            "test.xml:2:14: two default classes, `A` and `B`",
        ),
        (
            "<diagram><class name=\"A\"/><class name=\"B\"/></diagram>",
            "no default class",
        ),
        (
            "<diagram><class name=\"A\"/><class name=\"A\"/></diagram>",
            "class `A` is there twice",
        ),
        (
            "<diagram><class name=\"A\" src=\"a.xml\"/></diagram>",
            "src `a.xml`: this diagram is no file",
        ),
    ];
    for (xml, expected) in cases {
        let message = refused(xml);
        assert!(message.contains(expected), "{message}\nexpected {expected}");
    }
    let classes = [
        (
            "<relationships><association name=\"x\" class=\"C\" min=\"2\" max=\"1\"/></relationships>",
            "association `x`: min 2 is more than max 1",
        ),
        (
            "<relationships><association name=\"x\" class=\"C\" min=\"-1\"/></relationships>",
            "cardinality min is `-1`: expected a whole number",
        ),
        (
            "<relationships><association name=\"x\" class=\"Nope\"/></relationships>",
            "Nope",
        ),
        ("<relationships><inheritance class=\"C\"/></relationships>", "C"),
        ("<attribute name=\"controller\"/>", "reserved"),
        (
            "<attribute name=\"a\"/><method name=\"a\"><body/></method>",
            "member `a` is there twice",
        ),
        ("<scxml/>", "a chart needs a state"),
        (
            "<scxml priority=\"loudest\"><state id=\"a\"/></scxml>",
            "expected source_parent or source_child",
        ),
        ("<scxml><history id=\"h\"/></scxml>", "expected state or parallel"),
        ("<scxml>text<state id=\"a\"/></scxml>", "text in `scxml`"),
    ];
    for (inside, expected) in classes {
        let message = refused(&class(inside));
        assert!(message.starts_with("test.xml:1:"), "{message}");
        assert!(message.contains(expected), "{message}\nexpected {expected}");
    }
    let charts = [
        ("<state/>", "element `state` needs the attribute `id`"),
        ("<state id=\"b\"/>", "initial `a` is no state here: expected b"),
        ("<state id=\"a\"/><state id=\"a\"/>", "state `a` is there twice"),
        (
            "<state id=\"a\" initial=\"x\"/>",
            "has an initial state but no states inside",
        ),
        ("<parallel id=\"a\" initial=\"x\"/>", "a parallel has no initial state"),
        (
            "<parallel id=\"a\"><state id=\"r\"/></parallel>",
            "region `r` of the parallel `a` is a basic state",
        ),
        ("<state id=\"a\"><transition/></state>", "needs the attribute `target`"),
        (
            "<state id=\"a\"><transition target=\"\"/></state>",
            "attribute `target` of `transition` is empty",
        ),
        ("<state id=\"a\"><transition target=\"../b\"/></state>", "no state `b`"),
        (
            "<state id=\"a\"><transition event=\"e\" after=\"1\" target=\".\"/></state>",
            "not both",
        ),
        (
            "<state id=\"a\"><transition port=\"in\" target=\".\"/></state>",
            "a port without an event",
        ),
        (
            "<state id=\"a\"><transition event=\"e\" port=\"nope\" target=\".\"/></state>",
            "nope",
        ),
        (
            "<state id=\"a\"><onentry><raise event=\"e\" port=\"nope\"/></onentry></state>",
            "no outport `nope`: expected out",
        ),
        (
            "<state id=\"a\"><onentry><raise event=\"e\" port=\"out\" target=\"'x'\"/></onentry></state>",
            "a port and a target",
        ),
        (
            "<state id=\"a\"><onentry><raise event=\"e\" scope=\"loud\"/></onentry></state>",
            "scope is `loud`",
        ),
        ("<state id=\"a\"><onentry/><onentry/></state>", "a second `onentry`"),
        (
            "<state id=\"a\"><history id=\"h\" type=\"flat\"/></state>",
            "expected shallow or deep",
        ),
        (
            "<state id=\"a\"><transition event=\"e\" cond=\"x &gt;\" target=\".\"/></state>",
            "expected an expression",
        ),
        (
            "<state id=\"a\"><transition event=\"e\" cond=\"nope\" target=\".\"/></state>",
            "`nope` is unknown",
        ),
    ];
    for (states, expected) in charts {
        let message = refused(&chart(states));
        assert!(message.starts_with("test.xml:1:"), "{message}");
        assert!(message.contains(expected), "{message}\nexpected {expected}");
    }
}

#[test]
fn the_place_in_code_is_that_in_the_file() {
    let xml = class(
        "<scxml>\n<state id=\"a\"><onentry>\n  <script>\n    x = 1\n    y = x + zz\n  </script></onentry></state></scxml>",
    );
    let message = refused(&xml);
    assert!(message.starts_with("test.xml:5:13: "), "{message}");
    let xml = class("<scxml>\n<state id=\"a\"><transition event=\"e\" cond=\"1 + zz\" target=\".\"/></state></scxml>");
    assert!(refused(&xml).starts_with("test.xml:2:47: "), "{}", refused(&xml));
}

#[test]
fn all_problems_are_told_at_once() {
    let xml = chart("<state id=\"a\"><onentry><script>x</script><script>y</script></onentry></state>");
    let error = Document::parse("test.xml", &xml).unwrap_err();
    assert_eq!(error.problems().len(), 2, "{error}");
}

#[test]
fn classes_in_files_of_their_own() {
    let folder = std::env::temp_dir().join(format!("statechart-bridge-{}", std::process::id()));
    fs::create_dir_all(folder.join("parts")).unwrap();
    let write = |name: &str, text: &str| fs::write(folder.join(name), text).unwrap();
    write("main.xml", "<diagram><class name=\"C\" src=\"parts/c.xml\"/></diagram>");
    write(
        "parts/c.xml",
        "<class name=\"C\"><scxml><state id=\"a\"><onentry>\n<script>nope</script></onentry></state></scxml></class>",
    );
    let error = Document::open(folder.join("main.xml")).unwrap_err().to_string();
    assert!(error.contains("c.xml:2:9: "), "{error}");
    write("parts/c.xml", "<class name=\"C\"/>");
    Document::open(folder.join("main.xml")).unwrap();

    let refused = |text: &str| {
        write("main.xml", text);
        Document::open(folder.join("main.xml")).unwrap_err().to_string()
    };
    for src in ["../c.xml", "/etc/passwd", "parts/../../c.xml"] {
        let error = refused(&format!("<diagram><class name=\"C\" src=\"{src}\"/></diagram>"));
        assert!(error.contains("expected a path inside the diagram's folder"), "{error}");
    }
    assert!(refused("<diagram><class src=\"nope.xml\"/></diagram>").contains("can't be opened"));
    write("parts/c.xml", "<class src=\"parts/c.xml\"/>");
    assert!(refused("<diagram><class src=\"parts/c.xml\"/></diagram>").contains("the file includes itself"));
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn deep_and_large_files_are_refused() {
    let deep = "<state id=\"a\">".repeat(100_000);
    assert!(!refused(&chart(&deep)).is_empty());
    let deep = format!("{}{}", "<state id=\"a\">".repeat(500), "</state>".repeat(500));
    assert!(refused(&chart(&deep)).contains("128 elements inside each other"));
    assert!(refused(&" ".repeat(17 * 1024 * 1024)).contains("at most"));
}

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
    assert_eq!(Value::from(1), Value::from(1.0));
}
