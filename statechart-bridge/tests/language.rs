//! Each element of the language, by what it does.

mod common;

use std::time::Duration;

use common::{Rig, count, loud, loud_parallel, model, on, say};
use statechart_bridge::{
    Action, Chart, Class, Context, Event, Expression, InstanceId, Method, Model, Raise, State, Transition, Value,
};

const FIRST: InstanceId = InstanceId::new(1);

#[test]
fn a_composite_enters_its_initial_state_outer_ones_first() {
    let inner = loud("b").initial("d").child(loud("c")).child(loud("d"));
    let rig = Rig::chart(Chart::new().state(loud("a").child(inner)));
    assert_eq!(rig.said(), "+a +b +d");
    assert_eq!(rig.leaves(), "/a/b/d");
}

#[test]
fn a_composite_without_initial_enters_its_first_state_with_a_warning() {
    let model = model(Chart::new().state(State::new("a")).state(State::new("b")));
    let [warning] = model.warnings() else {
        panic!("one warning, got {:?}", model.warnings());
    };
    assert_eq!(
        warning.to_string(),
        "class Main, state /: no `initial`: its first state, `a`, is entered"
    );
    assert_eq!(Rig::new(&model).leaves(), "/a");
}

#[test]
fn a_transition_leaves_inner_states_first_and_acts_between() {
    let from = loud("a")
        .child(loud("b").child(loud("c")))
        .transition(on("go", "../d").raise(say("act")));
    let mut rig = Rig::chart(Chart::new().state(from).state(loud("d").child(loud("e"))));
    rig.said();
    assert_eq!(rig.send("go").said(), "-c -b -a act +d +e");
}

#[test]
fn a_self_transition_leaves_and_enters() {
    let mut rig = Rig::chart(Chart::new().state(loud("a").transition(on("go", "."))));
    rig.said();
    assert_eq!(rig.send("go").said(), "-a +a");
}

#[test]
fn a_transition_without_target_leaves_nothing() {
    let stay = Transition::on("go").raise(say("act"));
    let mut rig = Rig::chart(Chart::new().state(loud("a").child(loud("b")).transition(stay)));
    rig.said();
    assert_eq!(rig.send("go").said(), "act");
}

#[test]
fn references_go_up_down_and_from_the_root() {
    let a = State::new("a")
        .child(
            State::new("b")
                .transition(on("up", "../c"))
                .transition(on("root", "/x/y")),
        )
        .child(State::new("c").transition(on("far", "../../x")))
        .transition(on("down", "b"));
    let x = State::new("x").child(State::new("z")).child(State::new("y"));
    let mut rig = Rig::chart(Chart::new().state(a).state(x.transition(on("back", "/a/c"))));
    for (event, leaf) in [
        ("up", "/a/c"),
        ("down", "/a/b"),
        ("root", "/x/y"),
        ("back", "/a/c"),
        ("far", "/x/z"),
    ] {
        assert_eq!(rig.send(event).leaves(), leaf, "after {event}");
    }
}

fn two_regions() -> State {
    let region = |id: &str, event: &str| {
        let [a, b] = ["a", "b"].map(|name| format!("{id}{name}"));
        loud(id)
            .child(loud(&a).transition(on(event, &format!("../{b}"))))
            .child(loud(&b).transition(on("back", &format!("../{a}"))))
    };
    loud_parallel("p")
        .child(region("r", "left"))
        .child(region("s", "right"))
}

#[test]
fn a_parallel_enters_and_leaves_all_its_regions() {
    let p = two_regions().transition(on("out", "../q"));
    let mut rig = Rig::chart(Chart::new().state(p).state(loud("q")));
    assert_eq!(rig.said(), "+p +r +ra +s +sa");
    assert_eq!(rig.send("left").said(), "-ra +rb");
    assert_eq!(rig.leaves(), "/p/r/rb /p/s/sa");
    assert_eq!(rig.send("out").said(), "-sa -s -rb -r -p +q");
}

#[test]
fn several_targets_choose_in_each_region() {
    let start = State::new("start").transition(on("go", "../p/(r/rb, s/sb)"));
    let mut rig = Rig::chart(Chart::new().state(start).state(two_regions()));
    assert_eq!(rig.send("go").said(), "+p +r +rb +s +sb");
    assert_eq!(rig.leaves(), "/p/r/rb /p/s/sb");
}

fn with_history(history: State) -> Rig {
    let inner = loud("m").child(loud("x").transition(on("in", "../y"))).child(loud("y"));
    let a = loud("a")
        .initial("k")
        .child(loud("k").transition(on("next", "../m")))
        .child(inner)
        .child(history)
        .transition(on("leave", "../b"));
    let b = State::new("b")
        .transition(on("return", "../a/h"))
        .transition(on("plain", "../a"));
    Rig::chart(Chart::new().state(a).state(b))
}

#[test]
fn a_shallow_history_remembers_the_child() {
    let mut rig = with_history(State::history("h"));
    rig.send("next").send("in").send("leave").said();
    assert_eq!(rig.send("return").said(), "+a +m +x");
    rig.send("leave").send("plain");
    assert_eq!(rig.leaves(), "/a/k", "entering the state itself asks no history");
}

#[test]
fn a_deep_history_remembers_all_inside() {
    let mut rig = with_history(State::deep_history("h"));
    rig.send("next").send("in").send("leave").said();
    assert_eq!(rig.send("return").said(), "+a +m +y");
}

#[test]
fn a_history_without_a_value_enters_the_default_of_its_parent() {
    let a = loud("a")
        .initial("k")
        .child(loud("j"))
        .child(loud("k"))
        .child(State::history("h"));
    let b = State::new("b").transition(on("return", "../a/h"));
    let mut rig = Rig::chart(Chart::new().initial("b").state(a).state(b));
    assert_eq!(rig.send("return").said(), "+a +k");
}

#[test]
fn a_history_may_have_a_default_of_its_own() {
    let a = loud("a")
        .child(loud("j"))
        .child(loud("k"))
        .child(State::history("h").initial("k"));
    let b = State::new("b").transition(on("return", "../a/h"));
    let mut rig = Rig::chart(Chart::new().initial("b").state(a).state(b));
    assert_eq!(rig.send("return").said(), "+a +k");
}

#[test]
fn a_deep_history_of_a_parallel_remembers_each_region() {
    let p = two_regions()
        .child(State::deep_history("h"))
        .transition(on("out", "../q"));
    let q = State::new("q").transition(on("return", "../p/h"));
    let mut rig = Rig::chart(Chart::new().state(p).state(q));
    rig.send("right").send("out").said();
    assert_eq!(rig.send("return").said(), "+p +r +ra +s +sb");
}

#[test]
fn a_spontaneous_transition_is_taken_when_its_guard_allows() {
    let ready = Transition::spontaneous()
        .to("../b")
        .guard(|cx| cx.attribute("count").as_int() == Some(2));
    let a = State::new("a").transition(ready).transition(on("tick", ".").run(count));
    let chart = Chart::new().state(a).state(loud("b"));
    let class = Class::new("Main").attribute("count", 0).chart(chart);
    let model = Model::builder()
        .inport("in")
        .outport("out")
        .class(class)
        .build()
        .unwrap();
    let mut rig = Rig::new(&model);
    assert_eq!(rig.send("tick").leaves(), "/a");
    assert_eq!(rig.send("tick").leaves(), "/b");
}

#[test]
fn spontaneous_transitions_follow_the_first_entry() {
    let step = |to: &str| Transition::spontaneous().to(to);
    let chart = Chart::new()
        .state(State::new("a").transition(step("../b")))
        .state(State::new("b").transition(step("../c")))
        .state(State::new("c"));
    assert_eq!(Rig::chart(chart).leaves(), "/c");
}

#[test]
fn after_counts_from_the_entry_and_is_cancelled_by_leaving() {
    let a = State::new("a")
        .transition(Transition::after(Duration::from_millis(100)).to("../c"))
        .transition(on("away", "../b"))
        .transition(on("again", "."));
    let chart = Chart::new()
        .state(a)
        .state(State::new("b").transition(on("back", "../a")))
        .state(loud("c"));
    let mut rig = Rig::chart(chart);
    assert_eq!(
        rig.wait(99).send("again").wait(99).leaves(),
        "/a",
        "a self transition sets it again"
    );
    assert_eq!(rig.send("away").wait(1000).leaves(), "/b");
    assert_eq!(rig.send("back").wait(99).leaves(), "/a");
    assert_eq!(rig.wait(1).leaves(), "/c");
}

#[test]
fn after_is_computed_on_entry_after_the_entry_actions() {
    let delay = Expression::attribute("delay");
    let a = State::new("a")
        .on_entry(|cx: &mut Context<'_>| cx.set_attribute("delay", 0.0015))
        .transition(Transition::after_seconds(delay).to("../b"));
    let class = Class::new("Main")
        .attribute("delay", 5)
        .chart(Chart::new().state(a).state(State::new("b")));
    let model = Model::builder().inport("in").class(class).build().unwrap();
    let mut rig = Rig::new(&model);
    assert_eq!(rig.wait(1).leaves(), "/b", "1.5 ms are cut to 1 ms");
}

#[test]
fn a_cancelled_timer_whose_time_has_come_does_nothing() {
    // Both ring at once, and the first leaves the state of the second.
    let first = Transition::after(Duration::from_millis(5)).to("../done");
    let second = Transition::after(Duration::from_millis(5)).to("../late");
    let chart = Chart::new()
        .state(State::new("start").transition(first).transition(second))
        .state(loud("done"))
        .state(loud("late"));
    let mut rig = Rig::chart(chart);
    assert_eq!(rig.wait(10).said(), "+done");
}

#[test]
fn a_trigger_with_a_port_wants_that_port() {
    let chart = Chart::new()
        .state(State::new("a").transition(Transition::on("go").port("other").to("../b")))
        .state(State::new("b").transition(on("go", "../c")))
        .state(State::new("c"));
    let class = Class::new("Main").chart(chart);
    let model = Model::builder()
        .inport("in")
        .inport("other")
        .class(class)
        .build()
        .unwrap();
    let mut rig = Rig::new(&model);
    assert_eq!(rig.send("go").leaves(), "/a");
    rig.engine.broadcast(Event::new("go")).unwrap();
    assert_eq!(rig.leaves(), "/a");
    rig.engine.input(Event::new("go").on("other")).unwrap();
    assert_eq!(rig.leaves(), "/b");
    assert_eq!(rig.send("go").leaves(), "/c", "without a port any will do");
}

#[test]
fn parameters_are_bound_by_position_and_missing_ones_are_nil() {
    let echo = Transition::on("go")
        .to(".")
        .raise(say("got").with(Expression::Parameter(0)).with(Expression::Parameter(1)));
    let mut rig = Rig::chart(Chart::new().state(State::new("a").transition(echo)));
    rig.input(Event::new("go").with([1.into(), "x".into(), 3.into()]));
    rig.input(Event::new("go").with([1.into()]));
    assert_eq!(rig.said(), r#"got(1, "x") got(1, None)"#);
}

#[test]
fn in_state_looks_from_the_state_of_the_transition() {
    let wait = State::new("w")
        .transition(on("go", "../done").in_state("../../r/rb").in_state("/p"))
        .transition(on("ask", ".").run(|cx: &mut Context<'_>| {
            let both = cx.in_state("../../r/rb, /p")?;
            cx.raise(
                statechart_bridge::Scope::Output,
                Event::new("in").on("out").with([both.into()]),
            );
            Ok::<_, statechart_bridge::Fault>(())
        }));
    let p = State::parallel("p")
        .child(
            State::new("r")
                .child(State::new("ra").transition(on("left", "../rb")))
                .child(State::new("rb")),
        )
        .child(State::new("s").child(wait).child(State::new("done")));
    let mut rig = Rig::chart(Chart::new().state(p));
    assert_eq!(rig.send("ask").send("go").said(), "in(False)");
    assert_eq!(rig.leaves(), "/p/r/ra /p/s/w");
    assert_eq!(rig.send("left").send("ask").send("go").said(), "in(True)");
    assert_eq!(rig.leaves(), "/p/r/rb /p/s/done");
}

#[test]
fn the_first_of_two_enabled_transitions_of_a_state_wins() {
    let a = State::new("a")
        .transition(on("go", "../b"))
        .transition(on("go", "../c"));
    let mut rig = Rig::chart(Chart::new().state(a).state(State::new("b")).state(State::new("c")));
    assert_eq!(rig.send("go").leaves(), "/b");
}

#[test]
fn local_events_wait_for_a_big_step_of_their_own() {
    let a = State::new("a").transition(on("go", "../b").raise(Raise::local("next").with(7)));
    let b = State::new("b").transition(on("next", "../c").raise(say("next").with(Expression::Parameter(0))));
    let mut rig = Rig::chart(Chart::new().state(a).state(b).state(State::new("c")));
    assert_eq!(rig.send("go").said(), "next(7)");
}

#[test]
fn assign_and_log_are_actions() {
    let lines = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let go = on("go", ".")
        .action(Action::Assign("count".into(), Expression::Parameter(0)))
        .action(Action::Log("plain text".into()))
        .action(Action::Log(Expression::attribute("count")));
    let class = Class::new("Main")
        .attribute("count", 0)
        .chart(Chart::new().state(State::new("a").transition(go)));
    let model = Model::builder().inport("in").class(class).build().unwrap();
    let keep = lines.clone();
    let mut rig = Rig::with(&model, |builder| {
        builder.on_log(move |line| keep.lock().unwrap().push(line.text.clone()))
    });
    rig.input(Event::new("go").with([Value::from(5)]));
    assert_eq!(*lines.lock().unwrap(), ["plain text", "5"]);
    assert_eq!(rig.engine.attribute(FIRST, "count"), Some(&Value::from(5)));
}

#[test]
fn methods_are_called_with_arguments_and_defaults() {
    let area = Method::new("area")
        .parameter("width")
        .parameter_or("height", 3)
        .returns(|cx| {
            let side = |index| cx.parameter(index).as_int().unwrap_or(0);
            Ok(side(0) * side(1))
        });
    let go = on("go", ".").run(|cx: &mut Context<'_>| {
        let area = cx.call("area", cx.parameters())?;
        cx.raise(
            statechart_bridge::Scope::Output,
            Event::new("area").on("out").with([area]),
        );
        Ok::<_, statechart_bridge::Fault>(())
    });
    let class = Class::new("Main")
        .method(area)
        .chart(Chart::new().state(State::new("a").transition(go)));
    let model = Model::builder()
        .inport("in")
        .outport("out")
        .class(class)
        .build()
        .unwrap();
    let mut rig = Rig::new(&model);
    rig.input(Event::new("go").with([2.into(), 4.into()]));
    rig.input(Event::new("go").with([2.into()]));
    assert_eq!(rig.said(), "area(8) area(6)");
    rig.send("go");
    let faults = rig.faults();
    assert!(faults[0].contains("parameter `width` is missing"), "{faults:?}");
    rig.input(Event::new("go").with([2.into(), 4.into(), 5.into()]));
    let faults = rig.faults();
    assert!(faults[0].contains("takes 2 parameters, got 3"), "{faults:?}");
}

#[test]
fn prefixes_catch_families_of_events() {
    let chart = Chart::new().state(
        State::new("a")
            .transition(Transition::on_prefix("error.io").raise(say("io")))
            .transition(Transition::on_prefix("error").raise(say("error")))
            .transition(Transition::on("known").raise(say("known")))
            .transition(Transition::on_prefix("").raise(say("any"))),
    );
    let mut rig = Rig::chart(chart);
    for event in [
        "error.io.read",
        "error.io",
        "error.ionic",
        "error",
        "known",
        "other",
        "errors",
    ] {
        rig.send(event);
    }
    assert_eq!(rig.said(), "io io error error known any any");
}

#[test]
fn the_trace_can_be_read() {
    let a = State::new("a").transition(on("go", "../b").raise(say("done").with(1)));
    let mut rig = Rig::chart(Chart::new().state(a).state(State::new("b")));
    rig.trace();
    rig.wait(1500).input(Event::new("go").with(["x".into()]));
    assert_eq!(
        rig.trace(),
        [
            r#"1.500 Main#1       fired   /a --in.go("x")-->"#,
            "1.500 Main#1       exited  /a",
            "1.500 Main#1       entered /b",
            "1.500 Main#1       output  out.done(1)",
        ]
    );
}
