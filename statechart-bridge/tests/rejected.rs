//! Models that are wrong: each error tells where, what, and what was expected.

mod common;

use std::time::Duration;

use common::on;
use statechart_bridge::{Association, Chart, Class, Method, Model, ModelBuilder, Place, State, Transition};

fn rejects(builder: ModelBuilder, wanted: &str) {
    let error = builder.build().expect_err(wanted).to_string();
    assert!(error.contains(wanted), "expected: {wanted}\ngot: {error}");
}

fn chart(chart: Chart) -> ModelBuilder {
    Model::builder().inport("in").class(Class::new("Main").chart(chart))
}

fn state(state: State) -> ModelBuilder {
    chart(Chart::new().initial("a").state(state).state(State::new("b")))
}

fn transition(transition: Transition) -> ModelBuilder {
    state(State::new("a").transition(transition))
}

#[test]
fn wrong_targets() {
    rejects(
        transition(on("e", "../x")),
        "class Main, transition of /a: target `../x`: no state `x` in /, expected one of a, b",
    );
    rejects(transition(on("e", "")), "target ``: expected a state");
    rejects(transition(on("e", "../../x")), "`..` leads out of the chart");
    rejects(transition(on("e", "..")), "target `..`: the root: expected a state");
    rejects(transition(on("e", "../(a, b")), "`(` without `)`");
    rejects(transition(on("e", "../a, ../b")), "can't be active together");
    rejects(transition(on("e", "../b, ../b")), "/b is named twice");
    rejects(
        transition(on("e", "../b/c")),
        "no state `c` in /b, which has no states inside",
    );
    rejects(
        transition(on("e", "..//b")),
        "expected a state between and after slashes",
    );
}

#[test]
fn wrong_triggers() {
    rejects(
        transition(on("e", "../b").port("out")),
        "class Main, transition of /a: no inport `out`, expected one of in",
    );
    rejects(transition(on("", "../b")), "expected the name of an event");
    rejects(
        transition(Transition::spontaneous().to("../b").port("in")),
        "a port without an event",
    );
    rejects(
        transition(Transition::after(Duration::ZERO).to("../b").port("in")),
        "a port without an event",
    );
    rejects(
        transition(Transition::after_seconds(-1).to("../b")),
        "after -1: expected seconds, 0 or more",
    );
    rejects(
        transition(Transition::after_seconds("soon").to("../b")),
        "expected seconds, 0 or more",
    );
    rejects(
        transition(on("e", ".").in_state("../nowhere")),
        "in state `../nowhere`: no state `nowhere` in /",
    );
}

#[test]
fn wrong_states() {
    rejects(state(State::new("b")), "there are two children with the id `b`");
    rejects(
        state(State::new("a").child(State::new(""))),
        "class Main, state /a/: expected an id",
    );
    rejects(
        state(State::new("a").child(State::new("x/y"))),
        "id `x/y`: expected one without `/`",
    );
    rejects(state(State::new("a").initial("x")), "`initial` without states inside");
    rejects(
        state(State::new("a").initial("x").child(State::new("y"))),
        "no state `x` in /a, expected one of y",
    );
    rejects(
        state(State::new("a").initial("../b").child(State::new("y"))),
        "expected a state inside",
    );
    rejects(state(State::parallel("a")), "a parallel without regions");
    rejects(
        state(State::parallel("a").child(State::new("r"))),
        "a region of a parallel without states",
    );
    let region = State::new("r").child(State::new("x"));
    rejects(
        state(State::parallel("a").initial("r").child(region.clone())),
        "`initial` on a parallel",
    );
    rejects(
        chart(Chart::new()),
        "class Main, state /: expected a state in the chart",
    );
    rejects(
        chart(Chart::new().state(region).state(State::history("h"))),
        "a history at the root",
    );
    let history = State::history("h").child(State::new("x"));
    rejects(
        state(State::new("a").child(State::new("y")).child(history)),
        "a history has no states",
    );
    let circle = State::new("a")
        .initial("h")
        .child(State::new("y"))
        .child(State::history("h"));
    rejects(state(circle), "a history without a value would lead back here");
}

#[test]
fn leaving_a_parallel_from_inside_a_region() {
    let region = State::new("r").child(State::new("x").transition(on("e", "/b")));
    let parallel = State::parallel("a").child(region);
    rejects(
        state(parallel.clone()),
        "target `/b`: leads from inside a region out of the parallel /a, expected a target in it",
    );
    let lenient = Chart::new()
        .lenient()
        .initial("a")
        .state(parallel)
        .state(State::new("b"));
    let mut rig = common::Rig::chart(lenient);
    assert_eq!(rig.send("e").leaves(), "/b");
}

#[test]
fn deep_nesting() {
    let mut deep = State::new("s");
    for _ in 0..300 {
        deep = State::new("s").child(deep);
    }
    rejects(chart(Chart::new().state(deep)), "states nested 200 deep");
}

#[test]
fn wrong_classes() {
    rejects(Model::builder(), "expected a class");
    let two = Model::builder().class(Class::new("A")).class(Class::new("B"));
    rejects(two, "none of the classes is the default");
    let two = Model::builder()
        .class(Class::new("A").default_class())
        .class(Class::new("B").default_class());
    rejects(two, "class B: class A is the default already");
    let twins = Model::builder()
        .class(Class::new("A").default_class())
        .class(Class::new("A"));
    rejects(twins, "class A: there are two with this name");
    let circle = Model::builder()
        .class(Class::new("A").default_class().inherits("B", 1))
        .class(Class::new("B").inherits("C", 1))
        .class(Class::new("C").inherits("A", 1));
    rejects(circle, "class C: inherits from itself: A → B → C → A");
    rejects(
        Model::builder().class(Class::new("A").inherits("B", 1)),
        "inherits from `B`: no such class",
    );
    let pure = Class::new("A").method(Method::new("m").abstract_method());
    rejects(
        Model::builder().class(pure),
        "the default class has the abstract method `m`",
    );
    let twice = Class::new("A").attribute("x", 1).attribute("x", 2);
    rejects(
        Model::builder().class(twice),
        "class A, attributes: there are two with the name `x`",
    );
    let base = Class::new("B").constructor(Method::new("B").parameter("x"));
    let child = Class::new("A").default_class().inherits("B", 1);
    rejects(
        Model::builder().class(child).class(base),
        "takes 1 parameters, 1 of them without default, got 0",
    );
    rejects(
        Model::builder().inport("p").inport("p").class(Class::new("A")),
        "inport: there are two",
    );
    rejects(
        Model::builder().inport("p").class(Class::new("A").inport("p")),
        "is a public one already",
    );
}

#[test]
fn wrong_associations() {
    let with = |association| Model::builder().class(Class::new("A").association(association));
    rejects(
        with(Association::new("x", "B")),
        "class A, association x: no class `B`, expected one of A",
    );
    rejects(
        with(Association::new("x", "A").between(3, 2)),
        "at least 3 and at most 2 links",
    );
    rejects(
        with(Association::new("x", "A").between(0, 0)),
        "at least 0 and at most 0 links",
    );
    rejects(with(Association::new("x[0]", "A")), "expected a name without");
}

#[test]
fn all_that_is_wrong_is_told_with_its_place() {
    let builder = chart(
        Chart::new().state(
            State::new("a")
                .transition(on("e", "x").at(Place::new("model.xml", 7, 3)))
                .transition(on("f", "y").at(Place::new("model.xml", 8, 3))),
        ),
    );
    let error = builder.build().unwrap_err();
    let lines: Vec<_> = error.problems().iter().map(ToString::to_string).collect();
    assert_eq!(
        lines,
        [
            "model.xml:7:3: class Main, transition of /a: target `x`: no state `x` in /a, which has no states inside",
            "model.xml:8:3: class Main, transition of /a: target `y`: no state `y` in /a, which has no states inside",
        ]
    );
}
