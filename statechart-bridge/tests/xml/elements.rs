//! Each element of the language.

use std::time::Duration;

use statechart_bridge::{Document, Engine, Event};

use super::{chart, class, leaves, load, run, start, warnings};

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
    engine.advance(Duration::from_secs(2));
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

/// The names of what came out.
fn names(xml: &str, events: &[&str]) -> String {
    let events: Vec<Event> = events.iter().map(|event| Event::new(*event)).collect();
    run(xml, &events)
        .iter()
        .map(|event| event.trim_start_matches("out."))
        .collect::<Vec<_>>()
        .join(" ")
}

/// What states say when they are entered and left.
fn loud(id: &str) -> String {
    format!(
        "<onentry><raise event=\"+{id}\" port=\"out\"/></onentry><onexit><raise event=\"-{id}\" port=\"out\"/></onexit>"
    )
}

#[test]
fn several_targets_and_regions() {
    let region = |id: &str, names: [&str; 2]| {
        let states = names
            .map(|name| format!("<state id=\"{name}\">{}</state>", loud(name)))
            .concat();
        format!(
            "<state id=\"{id}\" initial=\"{}\">{}{states}</state>",
            names[0],
            loud(id)
        )
    };
    let xml = chart(&format!(
        "<state id=\"a\"><transition event=\"both\" target=\"../p/(r/y, s/v)\"/><transition event=\"one\" target=\"../p/s/v\"/></state>\
         <parallel id=\"p\">{}{}{}<transition event=\"back\" target=\"../a\"/></parallel>",
        loud("p"),
        region("r", ["x", "y"]),
        region("s", ["u", "v"]),
    ));
    assert_eq!(names(&xml, &["both"]), "+p +r +y +s +v");
    assert_eq!(names(&xml, &["one", "back"]), "+p +r +x +s +v -v -s -x -r -p");
}

#[test]
fn targets_by_all_kinds_of_references() {
    for (target, expected) in [
        (".", "/a/x"),
        ("../y", "/a/y"),
        ("../../b", "/b/u"),
        ("..", "/a/x"),
        ("/b/v", "/b/v"),
        ("../../b/v", "/b/v"),
        (" ../y ", "/a/y"),
    ] {
        let xml = chart(&format!(
            "<state id=\"a\"><state id=\"x\"><transition event=\"e\" target=\"{target}\"/></state><state id=\"y\"/></state>\
             <state id=\"b\"><state id=\"u\"/><state id=\"v\"/></state>"
        ));
        let (mut engine, _) = start(&load(&xml));
        engine.input(Event::new("e").on("in")).unwrap();
        assert_eq!(leaves(&engine), expected, "{target}");
    }
}

#[test]
fn actions_run_in_the_order_of_the_document() {
    let xml = chart(&format!(
        "<state id=\"a\">{}<transition event=\"e\" target=\"../b\"><raise event=\"1\" port=\"out\"/><assign ident=\"n\" expr=\"2\"/>\
         <script>self.n += 1</script><raise event=\"2\" port=\"out\"><parameter expr=\"self.n\"/></raise></transition></state>\
         <state id=\"b\">{}</state>",
        loud("a"),
        loud("b"),
    ));
    assert_eq!(names(&xml, &["e"]), "+a -a 1 2(3) +b");
}

#[test]
fn the_first_enabled_transition_of_a_state_is_taken() {
    let xml = chart(
        "<state id=\"a\"><transition event=\"e\" cond=\"False\" target=\".\"><raise event=\"1\" port=\"out\"/></transition>\
         <transition event=\"e\" target=\".\"><raise event=\"2\" port=\"out\"/></transition>\
         <transition event=\"e\" target=\".\"><raise event=\"3\" port=\"out\"/></transition></state>",
    );
    assert_eq!(names(&xml, &["e"]), "2");
}

#[test]
fn transitions_without_an_event_follow_at_once() {
    let xml = class(
        r#"<attribute name="n" init-value="0"/><scxml initial="a"><state id="a">
             <transition event="e" target="."><script>self.n += 1</script></transition>
             <transition cond="self.n == 2" target="../b"/></state>
             <state id="b"><onentry><raise event="b" port="out"/></onentry><transition target="../c"/></state>
             <state id="c"><onentry><raise event="c" port="out"/></onentry></state></scxml>"#,
    );
    assert_eq!(names(&xml, &["e"]), "");
    assert_eq!(names(&xml, &["e", "e"]), "b c");
}

#[test]
fn a_timer_starts_with_its_state_and_ends_with_it() {
    let xml = chart(
        r#"<state id="a"><transition after="0.0015" target="."><raise event="rings" port="out"/></transition>
             <transition event="go" target="../b"/></state>
           <state id="b"><transition after="1" target="../a"/></state>"#,
    );
    let (mut engine, said) = start(&load(&xml));
    engine.advance(Duration::from_millis(1));
    assert_eq!(said().len(), 1, "seconds are cut to milliseconds");
    engine.input(Event::new("go").on("in")).unwrap();
    engine.advance(Duration::from_millis(999));
    assert!(said().is_empty());
    engine.advance(Duration::from_millis(2));
    assert_eq!(said()[0].to_string(), "1.002 #1 out.rings");
}

#[test]
fn a_port_wants_its_events_and_none_takes_all() {
    let xml = "<diagram><inport name=\"in\"/><inport name=\"other\"/><outport name=\"out\"/><class name=\"C\"><scxml><state id=\"a\">\
        <transition event=\"e\" port=\"in\" target=\".\"><raise event=\"in\" port=\"out\"/></transition>\
        <transition event=\"e\" target=\".\"><raise event=\"any\" port=\"out\"/></transition></state></scxml></class></diagram>";
    let (mut engine, said) = start(&load(xml));
    for port in ["in", "other"] {
        engine.input(Event::new("e").on(port)).unwrap();
    }
    engine.broadcast(Event::new("e")).unwrap();
    let said: Vec<String> = said().iter().map(|output| output.event.name().to_string()).collect();
    assert_eq!(said, ["in", "any", "any"]);
}

#[test]
fn surplus_and_missing_parameters() {
    let xml = chart(
        r#"<state id="a"><transition event="e" target="."><parameter name="x"/><parameter name="y"/>
             <raise event="got" port="out"><parameter expr="[x, y]"/></raise></transition></state>"#,
    );
    let events = [
        Event::new("e").with([1.into()]),
        Event::new("e").with([1.into(), 2.into(), 3.into()]),
    ];
    assert_eq!(run(&xml, &events), ["out.got([1, None])", "out.got([1, 2])"]);
}

#[test]
fn in_state_asks_for_several_and_from_where_it_stands() {
    let xml = chart(
        r#"<parallel id="a">
             <state id="r"><state id="x"/></state>
             <state id="s"><state id="u">
               <transition event="e" cond="INSTATE('../../r/x', '/a/s')" target="."><raise event="both" port="out"/></transition>
               <transition event="f" cond="INSTATE(['../../r/x', '../v'])" target="."><raise event="no" port="out"/></transition>
               <transition event="f" cond="not INSTATE('../v') and self.n == 1" target="."><raise event="yes" port="out"/></transition>
             </state><state id="v"/></state>
             <onentry><script>self.n = 1</script></onentry>
           </parallel>"#,
    );
    assert_eq!(names(&xml, &["e", "f"]), "both yes");
}

#[test]
fn a_history_without_a_value_enters_the_default() {
    let xml = chart(&format!(
        "<state id=\"a\"><transition event=\"e\" target=\"../b/h\"/></state>\
         <state id=\"b\" initial=\"y\">{}<state id=\"x\"/><state id=\"y\">{}</state><history id=\"h\"/></state>",
        loud("b"),
        loud("y"),
    ));
    assert_eq!(names(&xml, &["e"]), "+b +y");
}

#[test]
fn without_initial_the_first_state_is_entered_and_that_is_told() {
    let xml = "<diagram><class name=\"C\">\n<scxml>\n<state id=\"a\">\n<state id=\"x\"/><state id=\"y\"/></state>\
               <state id=\"b\"/></scxml></class></diagram>";
    let (engine, _) = start(&load(xml));
    assert_eq!(leaves(&engine), "/a/x");
    let told = warnings(xml);
    let [root, inner] = &told[..] else { panic!("{told:?}") };
    assert!(
        root.starts_with("test.xml:2:1: class C, state /: no `initial`"),
        "{root}"
    );
    assert!(
        inner.starts_with("test.xml:3:1: class C, state /a: no `initial`"),
        "{inner}"
    );
}

#[test]
fn scopes_local_output_and_what_is_superfluous() {
    let xml = chart(
        "<state id=\"a\"><onentry>\n<raise event=\"here\" scope=\"local\" port=\"out\"/>\n\
         <raise event=\"said\" scope=\"output\" port=\"out\" target=\"'x'\"/></onentry>\
         <transition event=\"here\" target=\"../b\"><raise event=\"heard\" port=\"out\"/></transition></state><state id=\"b\"/>",
    );
    assert_eq!(names(&xml, &[]), "said heard");
    let told = warnings(&xml);
    let [port, target] = &told[..] else { panic!("{told:?}") };
    assert!(
        port.starts_with("test.xml:4:41: class C: raise with scope local takes no port"),
        "{port}"
    );
    assert!(
        target.starts_with("test.xml:5:55: class C: raise with scope output takes no target"),
        "{target}"
    );
}

#[test]
fn names_of_the_diagram() {
    let xml =
        "<diagram name=\"lamp\" author=\"me\"><description>\n it shines </description><class name=\"C\"/></diagram>";
    let document = load(xml);
    assert_eq!(document.author(), Some("me"));
    assert_eq!(document.description(), Some("it shines"));
    assert_eq!(&**document.model().name(), "lamp");
}

#[test]
fn attributes_that_nothing_sets_are_told() {
    let set = "<constructor><body>self.a = 1</body></constructor><method name=\"m\"><body>self.b, self.c = 1, 2</body>\
               </method><scxml initial=\"s\"><state id=\"s\"><onentry><assign ident=\"self.d\" expr=\"1\"/>\
               <script>self.e += 1</script></onentry></state></scxml>";
    let xml = format!(
        "<diagram>\n<class name=\"C\" default=\"true\"><relationships><inheritance class=\"B\"/></relationships>\n{}{}{set}</class>\
         <class name=\"B\">\n<attribute name=\"never\"/><attribute name=\"f\"/>\
         <method name=\"n\"><body>self.f = self.never</body></method></class></diagram>",
        ["a", "b", "c", "d", "e"]
            .map(|name| format!("<attribute name=\"{name}\"/>"))
            .concat(),
        "<attribute name=\"g\" init-value=\"0\"/>",
    );
    assert_eq!(
        warnings(&xml),
        ["test.xml:4:18: class B: attribute `never` has no first value, and nothing sets it: it is always None"]
    );
}
