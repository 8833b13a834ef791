//! What no model may be: one test for each kind, with the line and what was expected.

use super::{chart, class, refused};

/// Refuses it because of this line, and says that.
#[track_caller]
fn check(xml: &str, line: usize, expected: &str) {
    let message = refused(xml);
    let start = format!("test.xml:{line}:");
    let told = message
        .lines()
        .any(|problem| problem.starts_with(&start) && problem.contains(expected));
    assert!(told, "{message}\nexpected in line {line}: {expected}");
}

macro_rules! refused {
    ($($name:ident: $wrap:ident $inside:literal, $line:literal: $expected:literal;)*) => {
        $(#[test]
        fn $name() {
            check(&$wrap($inside), $line, $expected);
        })*
    };
}

fn file(text: &str) -> String {
    text.to_owned()
}

/// The inside of a diagram, from line 2 on, which has a class already.
fn diagram(inside: &str) -> String {
    format!("<diagram>\n{inside}\n<class name=\"Z\"/></diagram>")
}

/// A transition in line 4.
fn transition(text: &str) -> String {
    chart(&format!("<state id=\"a\">\n{text}\n</state><state id=\"b\"/>"))
}

/// An action in line 4.
fn action(text: &str) -> String {
    chart(&format!("<state id=\"a\"><onentry>\n{text}\n</onentry></state>"))
}

/// A test in line 2.
fn test(inside: &str) -> String {
    format!("<diagram><outport name=\"out\"/><class name=\"C\"/>\n<test>{inside}</test></diagram>")
}

refused! {
    broken_xml: file "<diagram>\n<class>\n</diagram>", 3: "not well-formed XML";
    another_root: file "\n<model/>", 2: "element `model` is unknown: expected diagram (SCCD) or scxml (SCXML)";
    no_class: file "<diagram/>", 1: "a diagram needs a class";
    another_language: file "<diagram\nlanguage=\"javascript\"><class name=\"C\"/></diagram>", 2: "expected python";
    unknown_element: diagram "<klass/>", 2: "element `klass` in `diagram` is unknown: expected description, top";
    unknown_attribute: diagram "<inport nam=\"x\"/>", 2: "attribute `nam` of `inport` is unknown: expected name";
    missing_attribute: diagram "<inport/>", 2: "element `inport` needs the attribute `name`";
    empty_attribute: diagram "<outport name=\" \"/>", 2: "attribute `name` of `outport` is empty";
    text_between: diagram "<description/>\nhello", 3: "text in `diagram`, which takes only elements";
    second_description: diagram "<description/>\n<description/>", 3: "a second `description`: expected one";
    same_inport: diagram "<inport name=\"x\"/>\n<inport name=\"x\"/>", 3: "inport `x` is there twice";
    same_outport: diagram "<outport name=\"x\"/>\n<outport name=\"x\"/>", 3: "outport `x` is there twice";
    same_class: diagram "<class name=\"A\" default=\"true\"/>\n<class name=\"A\"/>", 3: "class `A` is there twice";
    two_defaults: diagram "<class name=\"A\" default=\"true\"/>\n<class name=\"B\" default=\"true\"/>", 3: "two default classes";
    no_default: diagram "<class name=\"A\"/>", 1: "no default class: one class needs default=\"true\"";
    no_truth: diagram "<class name=\"A\" default=\"maybe\"/>", 2: "attribute `default` is `maybe`: expected true or false";
    class_with_a_bad_name: diagram "<class name=\"1st\"/>", 2: "class `1st`: expected a name of letters";
    acting_top: diagram "<top>\nprint(1)</top>", 3: "nothing that acts";
    src_of_text: diagram "<class src=\"a.xml\"/>", 2: "this diagram is no file";

    cyclic_inheritance: diagram
        "<class name=\"A\" default=\"true\"><relationships><inheritance class=\"B\"/></relationships></class>\n\
         <class name=\"B\"><relationships><inheritance class=\"A\"/></relationships></class>",
        3: "class B: inherits from itself: A → B → A";
    unknown_super_class: class
        "<relationships>\n<inheritance class=\"B\"/></relationships>", 4: "inherits from `B`: no such class";
    bad_priority_of_inheritance: class
        "<relationships>\n<inheritance class=\"C\" priority=\"x\"/></relationships>", 4: "expected a whole number";
    unknown_class_of_an_association: class
        "<relationships>\n<association name=\"x\" class=\"B\"/></relationships>", 4: "no class `B`, expected one of C";
    least_above_most: class
        "<relationships>\n<association name=\"x\" class=\"C\" min=\"2\" max=\"1\"/></relationships>",
        4: "association `x`: min 2 is more than max 1";
    most_is_none: class
        "<relationships>\n<association name=\"x\" class=\"C\" max=\"0\"/></relationships>", 4: "at most 0 links";
    cardinality_that_is_no_number: class
        "<relationships>\n<association name=\"x\" class=\"C\" min=\"-1\"/></relationships>",
        4: "cardinality min is `-1`: expected a whole number from 0 on";
    same_association: class
        "<relationships><association name=\"x\" class=\"C\"/>\n<association name=\"x\" class=\"C\"/></relationships>",
        4: "association `x` is there twice";
    reserved_name: class "<attribute name=\"controller\"/>", 3: "member `controller`: the name is reserved";
    same_attribute: class "<attribute name=\"a\"/>\n<attribute name=\"a\"/>", 4: "attribute `a` is there twice";
    same_member: class "<attribute name=\"a\"/>\n<method name=\"a\"/>", 4: "member `a` is there twice";
    bad_first_value: class "<attribute name=\"a\"\ninit-value=\"1 +\"/>", 4: "expected an expression";
    same_parameter: class
        "<method name=\"m\"><parameter name=\"x\"/>\n<parameter name=\"x\"/></method>", 4: "parameter `x` is there twice";
    second_constructor: class "<constructor/>\n<method name=\"C\"/>", 4: "a second `method`: expected one";
    abstract_default_class: class "<method name=\"m\" abstract=\"true\"/>", 2: "the default class has the abstract method `m`";
    super_of_a_stranger: class
        "<constructor>\n<super class=\"B\"/></constructor>", 3: "super `B`: not a class that it inherits from";
    super_without_its_arguments: diagram
        "<class name=\"A\" default=\"true\"><relationships><inheritance class=\"B\"/></relationships></class>\n\
         <class name=\"B\"><constructor><parameter name=\"x\"/></constructor></class>",
        2: "takes 1 parameters, 1 of them without default, got 0";
    private_port_with_a_public_name: class "<inport name=\"in\"/>", 2: "is a public one already";
    bad_code: class "<method name=\"m\"><body>\n  x = (1\n</body></method>", 5: "`(` is not closed";
    unknown_name_in_code: class "<method name=\"m\"><body>\n  x = 1\n  y = z</body></method>", 5: "`z` is unknown";

    no_states: class "<scxml/>", 3: "a chart needs a state";
    second_chart: class "<scxml><state id=\"a\"/></scxml>\n<scxml><state id=\"a\"/></scxml>", 4: "a second `scxml`";
    unknown_option: class "<scxml\nmaximality=\"take_one\"><state id=\"a\"/></scxml>", 4: "expected initial, big_step_maximality";
    unknown_value_of_an_option: class
        "<scxml\npriority=\"loudest\"><state id=\"a\"/></scxml>", 4: "expected source_parent or source_child";
    history_at_the_root: chart "<state id=\"a\"/>\n<history id=\"h\"/>", 4: "expected state or parallel";
    transition_at_the_root: chart "<state id=\"a\"/>\n<transition target=\"a\"/>", 4: "expected state or parallel";
    unknown_initial: chart "<state id=\"x\"\ninitial=\"nope\"><state id=\"y\"/></state>", 4: "initial `nope` is no state here: expected y";
    initial_without_states: chart "<state id=\"a\"\ninitial=\"x\"/>", 4: "has an initial state but no states inside";
    missing_id: chart "<state id=\"a\"/>\n<state/>", 4: "element `state` needs the attribute `id`";
    same_id: chart "<state id=\"a\"/>\n<state id=\"a\"/>", 4: "state `a` is there twice";
    id_with_a_slash: chart "<state id=\"a\"/>\n<state id=\"b/c\"/>", 4: "state id `b/c`: expected a name without";
    initial_of_a_parallel: chart "<parallel id=\"a\"\ninitial=\"r\"/>", 4: "a parallel has no initial state";
    parallel_without_regions: chart "<parallel id=\"a\"/>", 3: "parallel `a` needs regions";
    basic_region: chart "<parallel id=\"a\">\n<state id=\"r\"/></parallel>", 4: "region `r` of the parallel `a` is a basic state";
    second_entry: chart "<state id=\"a\"><onentry/>\n<onentry/></state>", 4: "a second `onentry`: expected one";
    unknown_type_of_history: chart
        "<state id=\"a\"><state id=\"x\"/>\n<history id=\"h\" type=\"flat\"/></state>", 4: "expected shallow or deep";
    history_with_something_inside: chart
        "<state id=\"a\"><state id=\"x\"/><history id=\"h\">\n<state id=\"y\"/></history></state>", 4: "expected nothing";
    history_alone: chart "<state id=\"a\">\n<history id=\"h\"/></state>", 3: "a history, but no state to remember";

    no_target: transition "<transition event=\"e\"/>", 4: "element `transition` needs the attribute `target`";
    empty_target: transition "<transition event=\"e\" target=\"\"/>", 4: "attribute `target` of `transition` is empty";
    unknown_target: transition "<transition event=\"e\" target=\"../c\"/>", 4: "target `../c`: no state `c` in /, expected one of a, b";
    target_out_of_the_chart: transition "<transition event=\"e\" target=\"../../a\"/>", 4: "`..` leads out of the chart";
    same_target: transition "<transition event=\"e\" target=\"../b,../b\"/>", 4: "/b is named twice";
    targets_that_exclude_each_other: transition
        "<transition event=\"e\" target=\"../a,../b\"/>", 4: "can't be active together";
    target_in_a_target: chart
        "<state id=\"a\"><state id=\"x\"/>\n<transition event=\"e\" target=\".,x\"/></state>", 4: "/a/x is among what /a stands for";
    out_of_a_parallel: chart
        "<parallel id=\"a\"><state id=\"r\"><state id=\"x\">\n<transition event=\"e\" target=\"/b\"/></state></state></parallel>\
         <state id=\"b\"/>",
        4: "leads from inside a region out of the parallel /a";
    event_and_time: transition "<transition event=\"e\" after=\"1\" target=\".\"/>", 4: "an event or a time (after), not both";
    port_without_event: transition "<transition port=\"in\" target=\".\"/>", 4: "a port without an event";
    port_with_time: transition "<transition port=\"in\" after=\"1\" target=\".\"/>", 4: "a port without an event";
    unknown_inport: transition "<transition event=\"e\" port=\"inn\" target=\".\"/>", 4: "no inport `inn`, expected one of in";
    bad_guard: transition "<transition event=\"e\" cond=\"x &gt;\" target=\".\"/>", 4: "expected an expression";
    assigning_guard: transition "<transition event=\"e\" cond=\"self.x = 1\" target=\".\"/>", 4: "to compare write `==`";
    unknown_name_in_a_guard: transition "<transition event=\"e\" cond=\"x &gt; 1\" target=\".\"/>", 4: "`x` is unknown";
    else_with_more: transition "<transition event=\"e\" cond=\"ELSE and 1\" target=\".\"/>", 4: "ELSE stands alone";
    unknown_state_asked_for: transition
        "<transition event=\"e\" cond=\"INSTATE('../c')\" target=\".\"/>", 4: "in state `../c`: no state `c`";
    bad_time: transition "<transition after=\"1 +\" target=\".\"/>", 4: "expected an expression";
    time_that_is_text: transition "<transition after=\"'soon'\" target=\".\"/>", 4: "expected seconds, 0 or more";
    negative_time: transition "<transition after=\"-1\" target=\".\"/>", 4: "after -1: expected seconds, 0 or more";
    parameters_without_event: transition
        "<transition target=\".\">\n<parameter name=\"x\"/></transition>", 5: "parameters come with an event";
    same_parameter_of_an_event: transition
        "<transition event=\"e\" target=\".\"><parameter name=\"x\"/>\n<parameter name=\"x\"/></transition>",
        5: "parameter `x` is there twice";
    unknown_action: transition
        "<transition event=\"e\" target=\".\">\n<rais event=\"f\"/></transition>", 5: "expected parameter, raise, script, log or assign";

    raise_without_event: action "<raise/>", 4: "element `raise` needs the attribute `event`";
    raise_with_output: action "<raise event=\"e\" output=\"out\"/>", 4: "attribute `output` of `raise` is unknown";
    unknown_outport: action "<raise event=\"e\" port=\"nope\"/>", 4: "no outport `nope`: expected out";
    port_and_target: action "<raise event=\"e\" port=\"out\" target=\"'x'\"/>", 4: "a port and a target, but no scope";
    unknown_scope: action "<raise event=\"e\" scope=\"loud\"/>", 4: "expected local, broad, narrow, cd or output";
    output_without_port: action "<raise event=\"e\" scope=\"output\"/>", 4: "scope output needs the attribute `port`";
    narrow_without_target: action "<raise event=\"e\" scope=\"narrow\"/>", 4: "scope narrow needs the attribute `target`";
    parameter_without_expression: action "<raise event=\"e\"><parameter/></raise>", 4: "needs the attribute `expr`";
    bad_parameter: action "<raise event=\"e\">\n<parameter expr=\")\"/></raise>", 5: "`)` closes nothing";
    element_in_a_script: action "<script>\n<b/></script>", 5: "takes only text";
    assignment_to_no_name: action "<assign ident=\"a b\" expr=\"1\"/>", 4: "expected the name of an attribute";

    test_without_expectation: test "<input/>", 2: "a test needs `expected`";
    empty_slot: test "<expected><slot/></expected>", 2: "a slot needs an event";
    bad_time_of_a_test: test
        "<input><event name=\"e\" port=\"in\" time=\"soon\"/></input><expected/>", 2: "expected seconds from 0 on";
    expected_event_without_port: test "<expected><slot><event name=\"e\"/></slot></expected>", 2: "needs the attribute `port`";
}

#[test]
fn the_column_in_code_is_that_in_the_file() {
    let xml = chart("<state id=\"a\"><onentry>\n  <script>\n    x = 1\n    y = x + zz\n  </script></onentry></state>");
    assert!(refused(&xml).starts_with("test.xml:6:13: "), "{}", refused(&xml));
    let xml = transition("<transition event=\"e\" cond=\"1 + zz\" target=\".\"/>");
    assert!(refused(&xml).starts_with("test.xml:4:33: "), "{}", refused(&xml));
}

#[test]
fn all_problems_are_told_at_once() {
    let xml = chart("<state id=\"a\"><onentry><script>x</script><script>y</script></onentry></state>");
    let error = statechart_bridge::Document::parse("test.xml", &xml).unwrap_err();
    assert_eq!(error.problems().len(), 2, "{error}");
}

#[test]
fn deep_and_large_files_are_refused() {
    let deep = "<state id=\"a\">".repeat(100_000);
    assert!(!refused(&chart(&deep)).is_empty());
    let deep = format!("{}{}", "<state id=\"a\">".repeat(500), "</state>".repeat(500));
    assert!(refused(&chart(&deep)).contains("128 elements inside each other"));
    assert!(refused(&" ".repeat(17 * 1024 * 1024)).contains("at most"));
}
