//! Each semantic option, set in XML.

use statechart_bridge::Event;

use super::{class, leaves, load, start, warnings};

/// A region of states in a row, each left on `e`; a name in capitals is stable.
fn row(id: &str, names: &str) -> String {
    let names: Vec<char> = names.chars().collect();
    let states = names.iter().enumerate().map(|(index, name)| {
        let next = names.get(index + 1).map_or(String::new(), |next| {
            format!("<transition event=\"e\" target=\"../{}\"/>", next.to_ascii_lowercase())
        });
        let stable = if name.is_ascii_uppercase() {
            "stable=\"true\""
        } else {
            ""
        };
        format!("<state id=\"{}\" {stable}>{next}</state>", name.to_ascii_lowercase())
    });
    let states: String = states.collect();
    format!(
        "<state id=\"{id}\" initial=\"{}\">{states}</state>",
        names[0].to_ascii_lowercase()
    )
}

fn two_rows() -> String {
    format!("<parallel id=\"p\">{}{}</parallel>", row("r", "abc"), row("s", "xy"))
}

/// The active states after these events.
fn after(options: &str, states: &str, events: &[&str]) -> String {
    let (mut engine, _) = start(&load(&class(&format!("<scxml {options}>{states}</scxml>"))));
    for event in events {
        engine.input(Event::new(*event).on("in")).unwrap();
    }
    leaves(&engine)
}

/// What each value of an option leads to; the first is the default.
#[track_caller]
fn each(option: &str, others: &str, states: &str, events: &[&str], cases: &[(&str, &str)]) {
    for (value, expected) in cases {
        let options = format!("{option}=\"{value}\" {others}");
        assert_eq!(after(&options, states, events), *expected, "{options}");
    }
    assert_eq!(after(others, states, events), cases[0].1, "the default of {option}");
}

#[test]
fn input_event_lifeline() {
    let cases = [
        ("first_combo_step", "/p/r/b /p/s/y"),
        ("first_small_step", "/p/r/b /p/s/x"),
        ("whole", "/p/r/c /p/s/y"),
    ];
    each("input_event_lifeline", "", &two_rows(), &["e"], &cases);
}

#[test]
fn internal_event_lifeline() {
    // `e` raises `i`, which moves both regions, the first one twice if it can.
    let states = r#"<parallel id="p">
        <state id="r" initial="a">
          <state id="a"><transition event="e" target="../b"><raise event="i"/></transition></state>
          <state id="b"><transition event="i" target="../c"/></state>
          <state id="c"><transition event="i" target="../d"/></state>
          <state id="d"/>
        </state>
        <state id="s" initial="x">
          <state id="x"><transition event="i" target="../y"/></state>
          <state id="y"/>
        </state>
      </parallel>"#;
    let cases = [
        ("queue", "/p/r/c /p/s/y"),
        ("queue_first", "/p/r/c /p/s/y"),
        ("next_small_step", "/p/r/b /p/s/y"),
        ("next_combo_step", "/p/r/c /p/s/y"),
        ("remainder", "/p/r/d /p/s/y"),
    ];
    each("internal_event_lifeline", "", states, &["e"], &cases);
}

#[test]
fn internal_events_in_the_queue_have_steps_of_their_own() {
    // With `next_combo_step` both events are there together, and the first transition wins; with `queue` one by one.
    let states = r#"<state id="a"><transition event="e" target="../b"><raise event="j"/><raise event="i"/></transition></state>
        <state id="b"><transition event="i" target="../c"/><transition event="j" target="../d"/></state>
        <state id="c"/><state id="d"><transition event="i" target="../f"/></state><state id="f"/>"#;
    let cases = [("queue", "/f"), ("next_combo_step", "/c"), ("next_small_step", "/c")];
    each("internal_event_lifeline", "initial=\"a\"", states, &["e"], &cases);
}

#[test]
fn big_step_maximality() {
    let cases = [("take_many", "/r/c"), ("take_one", "/r/b"), ("syntactic", "/r/c")];
    let whole = "input_event_lifeline=\"whole\"";
    each("big_step_maximality", whole, &row("r", "abC"), &["e"], &cases);
    let cases = [("take_many", "/r/d"), ("take_one", "/r/b"), ("syntactic", "/r/c")];
    each("big_step_maximality", whole, &row("r", "abCd"), &["e"], &cases);
}

#[test]
fn combo_step_maximality() {
    let cases = [("take_one", "/r/b"), ("take_many", "/r/d"), ("syntactic", "/r/c")];
    each("combo_step_maximality", "", &row("r", "abCd"), &["e"], &cases);
}

#[test]
fn priority() {
    let states = r#"<state id="o" initial="i">
        <transition event="e" target="../outer"/>
        <state id="i"><transition event="e" target="../inner"/></state>
        <state id="inner"/>
      </state>
      <state id="outer"/>"#;
    let cases = [("source_parent", "/outer"), ("source_child", "/o/inner")];
    each("priority", "initial=\"o\"", states, &["e"], &cases);
}

#[test]
fn concurrency() {
    // Each region goes on only if the other has not.
    let states = r#"<parallel id="p">
        <state id="r" initial="a">
          <state id="a"><transition event="e" cond="INSTATE('../../s/x')" target="../b"/></state><state id="b"/>
        </state>
        <state id="s" initial="x">
          <state id="x"><transition event="e" cond="INSTATE('../../r/a')" target="../y"/></state><state id="y"/>
        </state>
      </parallel>"#;
    let cases = [("single", "/p/r/b /p/s/x"), ("many", "/p/r/b /p/s/y")];
    each("concurrency", "", states, &["e"], &cases);
}

#[test]
fn doubtful_options_are_told() {
    for (options, expected) in [
        (
            "internal_event_lifeline=\"next_combo_step\" big_step_maximality=\"take_one\"",
            "test.xml:3:1: class C: internal_event_lifeline next_combo_step with big_step_maximality take_one",
        ),
        (
            "big_step_maximality=\"syntactic\"",
            "test.xml:3:1: class C: maximality syntactic without a stable state",
        ),
        ("", "test.xml:4:1: class C: stable, but no maximality is syntactic"),
    ] {
        let stable = if options.is_empty() { "stable=\"true\"" } else { "" };
        let told = warnings(&class(&format!(
            "<scxml {options}>\n<state id=\"a\" {stable}/></scxml>"
        )));
        let [warning] = &told[..] else {
            panic!("{options}: {told:?}")
        };
        assert!(warning.starts_with(expected), "{warning}");
    }
}
