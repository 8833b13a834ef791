//! Classes at work: associations, the object manager's requests, casts, private ports, inheritance, constructors.

use std::sync::{Arc, Mutex};

use statechart_bridge::{Engine, Event, InstanceId, Value};

use super::{load, refused, run, start};

/// A main instance that asks for what it is told to, and says what it is answered.
fn family() -> String {
    let ask = |event: &str, request: &str, parameters: &str| {
        let expressions = parameters.split(' ').filter(|name| !name.is_empty());
        let names: String = expressions
            .clone()
            .filter(|name| !name.starts_with('\''))
            .map(|name| format!("<parameter name=\"{name}\"/>"))
            .collect();
        let values: String = expressions
            .map(|name| format!("<parameter expr=\"{name}\"/>"))
            .collect();
        format!(
            "<transition event=\"{event}\" port=\"in\" target=\".\">{names}<raise event=\"{request}\" scope=\"cd\">{values}\
             </raise></transition>"
        )
    };
    let answers: String = [
        "instance_created",
        "instance_started",
        "instance_deleted",
        "instance_associated",
        "instance_disassociated",
        "instance_creation_error",
        "instance_start_error",
        "instance_deletion_error",
        "instance_association_error",
        "instance_disassociation_error",
        "cast_error",
        "object_manager_error",
        "back",
    ]
    .map(|name| {
        format!(
            "<transition event=\"{name}\" target=\".\"><parameter name=\"a\"/><parameter name=\"b\"/>\
             <raise event=\"{name}\" port=\"out\"><parameter expr=\"a\"/><parameter expr=\"b\"/></raise></transition>"
        )
    })
    .concat();
    let asks = [
        ask("create", "create_instance", "'kids' 'Kid' name"),
        ask("create_a", "create_instance", "'kids' kind"),
        ask("create_default", "create_instance", "'kids'"),
        ask("create_and_start", "create_and_start_instance", "'kids' 'Kid' name"),
        ask("start", "start_instance", "link"),
        ask("delete", "delete_instance", "link"),
        ask("associate", "associate_instance", "source destination"),
        ask("disassociate", "disassociate_instance", "link"),
        ask("nonsense", "fly", ""),
    ]
    .concat();
    format!(
        r#"<diagram><inport name="in"/><outport name="out"/>
        <class name="Main" default="true">
          <relationships><association name="kids" class="Kid" min="1" max="3"/></relationships>
          <scxml><state id="s">{asks}{answers}
            <transition event="cast" port="in" target="."><parameter name="to"/><parameter name="x"/>
              <raise event="hello" scope="narrow" target="to"><parameter expr="x"/></raise></transition>
            <transition event="short" port="in" target=".">
              <raise event="hello" target="'kids'"><parameter expr="'short'"/></raise></transition>
            <transition event="cry" port="in" target="."><raise event="hello" scope="broad"><parameter expr="'all'"/></raise></transition>
            <transition event="hello" target="."><raise event="own_hello" port="out"/></transition>
          </state></scxml>
        </class>
        <class name="Kid">
          <relationships><association name="parent" class="Main" max="1"/><association name="friends" class="Kid" max="1"/></relationships>
          <attribute name="name"/>
          <constructor><parameter name="name" default="'nobody'"/><body>self.name = name</body></constructor>
          <destructor><body>print('gone', self.name)</body></destructor>
          <method name="~Kid2"/>
          <scxml><state id="s">
            <onentry><raise event="born" port="out"><parameter expr="self.name"/></raise></onentry>
            <onexit><raise event="left" port="out"/></onexit>
            <transition event="hello" target="s2"><parameter name="x"/>
              <raise event="heard" port="out"><parameter expr="self.name"/><parameter expr="x"/></raise>
              <raise event="back" scope="narrow" target="'parent'"><parameter expr="self.name"/></raise></transition>
            <state id="s2"/>
          </state></scxml>
        </class>
        <class name="Sub"><relationships><inheritance class="Kid"/></relationships></class>
        </diagram>"#
    )
    .replace("<method name=\"~Kid2\"/>", "")
}

struct Family {
    engine: Engine,
    said: Box<dyn Fn() -> String>,
}

impl Family {
    fn new() -> Self {
        let document = load(&family());
        let mut engine = Engine::new(document.model()).unwrap();
        let outputs = engine.output_queue(&[]);
        engine.start();
        let said = move || {
            let events = std::iter::from_fn(|| outputs.try_fetch()).map(|output| output.event.on("").to_string());
            events.collect::<Vec<_>>().join(" ")
        };
        Self {
            engine,
            said: Box::new(said),
        }
    }

    fn tell(&mut self, event: &str, parameters: &[&str]) -> String {
        let values = parameters.iter().map(|text| Value::from(*text)).collect::<Vec<_>>();
        self.engine.input(Event::new(event).on("in").with(values)).unwrap();
        (self.said)()
    }
}

#[test]
fn create_start_cast_and_delete() {
    let mut family = Family::new();
    assert_eq!(family.tell("create", &["Ann"]), r#"instance_created("kids[0]", None)"#);
    assert_eq!(
        family.tell("cast", &["kids[0]", "you"]),
        "",
        "what comes before the start waits"
    );
    assert_eq!(
        family.tell("start", &["kids[0]"]),
        r#"born("Ann") instance_started("kids[0]", None) heard("Ann", "you") back("Ann", None)"#
    );
    assert_eq!(
        family.tell("create_and_start", &["Bob"]),
        r#"born("Bob") instance_created("kids[1]", None) instance_started("kids[1]", None)"#
    );
    // Without its exit actions.
    assert_eq!(
        family.tell("delete", &["kids[0]"]),
        r#"instance_deleted("kids[0]", None)"#
    );
    assert_eq!(
        family.tell("cast", &["kids[0]", "you"]),
        "",
        "an index that is gone is ignored"
    );
    assert_eq!(
        family.tell("create_default", &[]),
        r#"instance_created("kids[2]", None)"#
    );
}

#[test]
fn casts_to_one_to_all_linked_and_to_all() {
    let mut family = Family::new();
    family.tell("create_and_start", &["Ann"]);
    family.tell("create_and_start", &["Bob"]);
    let both = |word: &str| {
        format!("heard(\"Ann\", \"{word}\") heard(\"Bob\", \"{word}\") back(\"Ann\", None) back(\"Bob\", None)")
    };
    assert_eq!(family.tell("cast", &["kids", "you"]), both("you"));
    assert_eq!(family.tell("short", &[]), both("short"), "a target alone means narrow");
    assert_eq!(family.tell("cry", &[]), both("all"), "all but the sender");
    assert_eq!(
        family.tell("cast", &["kids[1]", "you"]),
        r#"heard("Bob", "you") back("Bob", None)"#
    );
}

#[test]
fn cardinalities_hold() {
    let mut family = Family::new();
    for name in ["Ann", "Bob", "Cid"] {
        family.tell("create", &[name]);
    }
    assert_eq!(
        family.tell("create", &["Dan"]),
        r#"instance_creation_error("kids", "association `kids` is full")"#
    );
    family.tell("delete", &["kids[0]"]);
    family.tell("delete", &["kids[1]"]);
    let refused = family.tell("delete", &["kids[2]"]);
    assert!(
        refused.starts_with("instance_deletion_error(\"kids[2]\", ") && refused.contains("must keep at least 1"),
        "{refused}"
    );
}

#[test]
fn associations_are_made_and_undone() {
    let mut family = Family::new();
    family.tell("create", &["Ann"]);
    family.tell("create", &["Bob"]);
    assert_eq!(
        family.tell("associate", &["kids[0]", "kids[1]/friends"]),
        r#"instance_associated(["kids[1]/friends[0]"], None)"#
    );
    family.tell("start", &["kids"]);
    assert!(
        family
            .tell("cast", &["kids[1]/friends[0]", "you"])
            .starts_with("heard(\"Ann\"")
    );
    let refused = family.tell("delete", &["kids[1]"]);
    assert!(
        refused.contains("still has links in association `friends`"),
        "{refused}"
    );
    assert_eq!(
        family.tell("disassociate", &["kids[1]/friends[0]"]),
        r#"instance_disassociated(["kids[1]/friends[0]"], None)"#
    );
    assert_eq!(
        family.tell("delete", &["kids[1]"]),
        r#"instance_deleted("kids[1]", None)"#
    );
}

#[test]
fn mistakes_are_answered() {
    let mut family = Family::new();
    for (event, parameters, answer) in [
        (
            "create_a",
            &["Nope"][..],
            "instance_creation_error(\"kids\", \"no class `Nope`",
        ),
        (
            "create_a",
            &["Main"],
            "instance_creation_error(\"kids\", \"association `kids` is for Kid",
        ),
        ("start", &["cats"], "instance_start_error(\"cats\""),
        ("delete", &["kids["], "instance_deletion_error(\"kids[\""),
        (
            "associate",
            &["kids", "kids/friends"],
            "instance_association_error(\"kids\"",
        ),
        (
            "disassociate",
            &["cats[0]"],
            "instance_disassociation_error(\"cats[0]\"",
        ),
        ("cast", &["cats", "you"], "cast_error(\"cats\""),
        ("nonsense", &[], "object_manager_error(None, \"no request `fly`"),
    ] {
        let said = family.tell(event, parameters);
        assert!(said.starts_with(answer), "{event}: {said}\nexpected {answer}");
    }
    assert_eq!(
        family.tell("create_a", &["Sub"]),
        r#"instance_created("kids[0]", None)"#,
        "all goes on"
    );
}

#[test]
fn private_ports_are_of_one_instance() {
    let xml = r#"<diagram>
        <class name="Main" default="true"><relationships><association name="kids" class="Kid"/></relationships>
          <scxml><state id="s"><onentry>
            <raise event="create_and_start_instance" scope="cd"><parameter expr="'kids'"/></raise>
            <raise event="create_and_start_instance" scope="cd"><parameter expr="'kids'"/></raise></onentry></state></scxml></class>
        <class name="Kid"><inport name="mine"/><outport name="own"/><scxml><state id="s">
          <transition event="e" port="mine" target="."><raise event="answer" port="own"/></transition></state></scxml></class>
        </diagram>"#;
    let (mut engine, said) = start(&load(xml));
    let second = InstanceId::new(3);
    let port = engine.inport_of(second, "mine").unwrap().clone();
    assert_eq!(&*port, "private_2_mine");
    engine.input(Event::new("e").on(port)).unwrap();
    let said = said();
    let [answer] = &said[..] else { panic!("{said:?}") };
    assert_eq!(answer.event.to_string(), "private_3_own.answer");
    assert_eq!(answer.source, second);
    assert!(engine.input(Event::new("e").on("mine")).is_err());
}

#[test]
fn inheritance_by_priority() {
    let xml = r#"<diagram><outport name="out"/>
        <class name="C" default="true">
          <relationships><inheritance class="A" priority="1"/><inheritance class="B" priority="2"/></relationships>
          <attribute name="own" init-value="'C'"/>
          <method name="both"><super class="A"/><super class="B"/><body>self.log += 'C'</body></method>
          <scxml><state id="s"><onentry><script>self.both()</script>
            <raise event="is" port="out"><parameter expr="[self.x, self.own, self.a, self.who(), self.log]"/></raise></onentry></state></scxml>
        </class>
        <class name="A"><attribute name="x" init-value="'A'"/><attribute name="a" init-value="1"/><attribute name="log" init-value="''"/>
          <method name="who"><body>return 'A'</body></method><method name="both"><body>self.log += 'A'</body></method>
          <scxml><state id="not_inherited"/></scxml></class>
        <class name="B"><attribute name="x" init-value="'B'"/><method name="who"><body>return 'B'</body></method>
          <method name="both"><body>self.log += 'B'</body></method></class>
        </diagram>"#;
    let said = run(xml, &[]);
    let [is] = &said[..] else { panic!("{said:?}") };
    assert!(is.starts_with(r#"out.is(["B", "C", 1, "B", ""#), "{is}");
    assert!(is.ends_with("C\"])") && is.contains('A'), "{is}");
}

#[test]
fn an_abstract_class_has_no_instances_but_its_subclass_has() {
    let xml = |body: &str| {
        format!(
            "<diagram><outport name=\"out\"/><class name=\"C\" default=\"true\"><relationships><inheritance class=\"A\"/></relationships>\
             {body}<scxml><state id=\"s\"><onentry><raise event=\"is\" port=\"out\"><parameter expr=\"self.twice(4)\"/></raise></onentry>\
             </state></scxml></class><class name=\"A\"><method name=\"twice\" abstract=\"true\"><parameter name=\"x\"/></method></class></diagram>"
        )
    };
    let body = "<method name=\"twice\"><parameter name=\"x\"/><body>return 2 * x</body></method>";
    assert_eq!(run(&xml(body), &[]), ["out.is(8)"]);
    assert!(refused(&xml("")).contains("abstract method `twice`"));
}

#[test]
fn constructor_parameters_by_name() {
    let document = load(
        r#"<diagram><outport name="out"/><class name="C">
             <attribute name="base" init-value="10"/>
             <constructor><parameter name="a"/><parameter name="b" default="[1]"/><parameter name="c" default="'x'"/>
               <body>self.all = [a, b, c]</body></constructor></class></diagram>"#,
    );
    let arguments = |named: &[(&str, &str)]| document.arguments(named.iter().copied());
    assert_eq!(arguments(&[("a", "3")]).unwrap(), [3.into()]);
    assert_eq!(
        arguments(&[("c", "plain text"), ("a", "(1, 2)")]).unwrap(),
        [
            Value::tuple([1.into(), 2.into()]),
            Value::list([1.into()]),
            "plain text".into()
        ]
    );
    assert_eq!(arguments(&[]).unwrap_err(), "class C needs the parameter `a`");
    assert_eq!(
        arguments(&[("d", "1")]).unwrap_err(),
        "class C has no parameter `d`: expected a, b or c"
    );
    let engine = Engine::builder(document.model())
        .arguments(arguments(&[("a", "3")]).unwrap())
        .build()
        .unwrap();
    let all = engine.attribute(InstanceId::new(1), "all").unwrap();
    assert_eq!(all.to_string(), r#"[3, [1], "x"]"#);
    let fault = Engine::new(document.model()).unwrap_err().to_string();
    assert!(
        fault.contains("test.xml:3:14: `C`: parameter `a` is missing"),
        "{fault}"
    );
}

#[test]
fn a_failing_constructor_is_answered_and_told_with_its_place() {
    let document = load(&family().replace("self.name = name", "self.name = name + 1"));
    let faults: Arc<Mutex<Vec<String>>> = Arc::default();
    let told = Arc::clone(&faults);
    let mut engine = Engine::builder(document.model())
        .on_fault(move |fault| told.lock().unwrap().push(fault.to_string()))
        .build()
        .unwrap();
    let outputs = engine.output_queue(&[]);
    engine.start();
    engine
        .input(Event::new("create").on("in").with(["Ann".into()]))
        .unwrap();
    let answer = outputs.try_fetch().unwrap().event.to_string();
    assert_eq!(
        answer,
        "out.instance_creation_error(\"kids\", \"`+` doesn't go with string and int\")"
    );
    let faults = faults.lock().unwrap();
    let [fault] = &faults[..] else { panic!("{faults:?}") };
    assert!(fault.contains("test.xml:"), "{fault}");
    assert_eq!(engine.instances().count(), 1);
}
