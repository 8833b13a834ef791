//! Each semantic option, by what it changes.

mod common;

use common::{Rig, count, on, say};
use statechart_bridge::{
    BigStepMaximality, Chart, Class, ComboStepMaximality, Concurrency, Context, Event, InputEventLifeline,
    InternalEventLifeline, Model, Priority, Raise, Semantics, State, Transition,
};

/// A region of states in a row, each left on `e`.
fn row(id: &str, names: &[&str]) -> State {
    let mut region = State::new(id).initial(names[0]);
    for (index, name) in names.iter().enumerate() {
        let mut state = State::new(*name);
        if let Some(next) = names.get(index + 1) {
            state = state.transition(on("e", &format!("../{next}")));
        }
        region = region.child(state);
    }
    region
}

fn rig(semantics: Semantics, state: State) -> Rig {
    Rig::chart(Chart::new().semantics(semantics).state(state))
}

fn two_rows() -> State {
    State::parallel("p")
        .child(row("r", &["a", "b", "c"]))
        .child(row("s", &["x", "y"]))
}

fn after_e(lifeline: InputEventLifeline) -> String {
    let semantics = Semantics {
        input_event_lifeline: lifeline,
        ..Semantics::default()
    };
    rig(semantics, two_rows()).send("e").leaves()
}

#[test]
fn an_input_lives_for_the_first_small_step() {
    assert_eq!(after_e(InputEventLifeline::FirstSmallStep), "/p/r/b /p/s/x");
}

#[test]
fn an_input_lives_for_the_first_combo_step_by_default() {
    assert_eq!(
        Semantics::default().input_event_lifeline,
        InputEventLifeline::FirstComboStep
    );
    assert_eq!(after_e(InputEventLifeline::FirstComboStep), "/p/r/b /p/s/y");
}

#[test]
fn an_input_lives_for_the_whole_big_step() {
    assert_eq!(after_e(InputEventLifeline::Whole), "/p/r/c /p/s/y");
}

/// `e` raises `i` locally; `i` moves both regions, the first one twice if it can.
fn internal() -> State {
    let r = State::new("r")
        .child(State::new("a").transition(on("e", "../b").raise(Raise::local("i"))))
        .child(State::new("b").transition(on("i", "../c")))
        .child(State::new("c").transition(on("i", "../d")))
        .child(State::new("d"));
    let s = State::new("s")
        .child(State::new("x").transition(on("i", "../y")))
        .child(State::new("y"));
    State::parallel("p").child(r.initial("a")).child(s.initial("x"))
}

fn after_i(lifeline: InternalEventLifeline) -> String {
    let semantics = Semantics {
        internal_event_lifeline: lifeline,
        ..Semantics::default()
    };
    rig(semantics, internal()).send("e").leaves()
}

#[test]
fn a_local_event_waits_in_the_queue_by_default() {
    assert_eq!(
        Semantics::default().internal_event_lifeline,
        InternalEventLifeline::Queue
    );
    assert_eq!(after_i(InternalEventLifeline::Queue), "/p/r/c /p/s/y");
}

#[test]
fn a_local_event_lives_for_the_next_small_step() {
    // The first region has changed in this combo step, so the second one takes it.
    assert_eq!(after_i(InternalEventLifeline::NextSmallStep), "/p/r/b /p/s/y");
}

#[test]
fn a_local_event_of_the_last_small_step_is_there_in_the_next_combo_step() {
    let r = State::new("r")
        .child(State::new("a").transition(on("e", "../b").raise(Raise::local("i"))))
        .child(State::new("b").transition(on("i", "../c")))
        .child(State::new("c"));
    let semantics = Semantics {
        internal_event_lifeline: InternalEventLifeline::NextSmallStep,
        ..Semantics::default()
    };
    assert_eq!(rig(semantics, r).send("e").leaves(), "/r/c");
}

#[test]
fn a_local_event_lives_for_the_next_combo_step() {
    assert_eq!(after_i(InternalEventLifeline::NextComboStep), "/p/r/c /p/s/y");
}

#[test]
fn a_local_event_lives_for_the_remainder_of_the_big_step() {
    assert_eq!(after_i(InternalEventLifeline::Remainder), "/p/r/d /p/s/y");
}

#[test]
fn next_combo_step_with_take_one_is_doubtful() {
    let semantics = Semantics {
        internal_event_lifeline: InternalEventLifeline::NextComboStep,
        big_step_maximality: BigStepMaximality::TakeOne,
        ..Semantics::default()
    };
    let model = common::model(Chart::new().semantics(semantics).state(internal()));
    let warnings: Vec<_> = model.warnings().iter().map(ToString::to_string).collect();
    assert!(
        warnings.iter().any(|warning| warning.contains("next_combo_step")),
        "{warnings:?}"
    );
    // Nothing is lost all the same: it comes in the next big step.
    assert_eq!(Rig::new(&model).send("e").leaves(), "/p/r/c /p/s/y");
}

#[test]
fn a_big_step_takes_one_combo_step_or_many() {
    let hop = |to: &str| Transition::spontaneous().to(to).raise(say("hop"));
    let row = State::new("m")
        .initial("a")
        .child(State::new("a").transition(on("e", "../b").raise(say("e"))))
        .child(State::new("b").transition(hop("../c")))
        .child(State::new("c").transition(on("other", "../d")))
        .child(State::new("d"));
    for maximality in [BigStepMaximality::TakeMany, BigStepMaximality::TakeOne] {
        let semantics = Semantics {
            big_step_maximality: maximality,
            ..Semantics::default()
        };
        let mut rig = rig(semantics, row.clone());
        assert_eq!(rig.send("e").leaves(), "/m/c", "{maximality}: the rest follows at once");
        assert_eq!(rig.said(), "e hop");
    }
    for (maximality, leaves) in [
        (BigStepMaximality::TakeMany, "/r/c"),
        (BigStepMaximality::TakeOne, "/r/b"),
    ] {
        let semantics = Semantics {
            big_step_maximality: maximality,
            input_event_lifeline: InputEventLifeline::Whole,
            ..Semantics::default()
        };
        assert_eq!(
            rig(semantics, self::row("r", &["a", "b", "c"])).send("e").leaves(),
            leaves
        );
    }
}

#[test]
fn a_part_changes_once_in_a_combo_step_or_often() {
    for (maximality, leaves) in [
        (ComboStepMaximality::TakeOne, "/r/b"),
        (ComboStepMaximality::TakeMany, "/r/c"),
    ] {
        let semantics = Semantics {
            combo_step_maximality: maximality,
            ..Semantics::default()
        };
        assert_eq!(rig(semantics, row("r", &["a", "b", "c"])).send("e").leaves(), leaves);
    }
}

/// `e` goes on from `a` to `b` to `c` to `d`, where `c` is stable.
fn with_a_stable_state() -> State {
    let state = |id: &str| State::new(id);
    State::new("r")
        .initial("a")
        .child(state("a").transition(on("e", "../b")))
        .child(state("b").transition(on("e", "../c")))
        .child(state("c").stable().transition(on("e", "../d")))
        .child(state("d"))
}

#[test]
fn a_combo_step_ends_in_stable_states() {
    let semantics = Semantics {
        combo_step_maximality: ComboStepMaximality::Syntactic,
        ..Semantics::default()
    };
    assert_eq!(rig(semantics, with_a_stable_state()).send("e").leaves(), "/r/c");
    // Another region goes on.
    let p = State::parallel("p")
        .child(with_a_stable_state())
        .child(row("s", &["x", "y", "z"]));
    assert_eq!(rig(semantics, p).send("e").leaves(), "/p/r/c /p/s/z");
    let many = Semantics {
        combo_step_maximality: ComboStepMaximality::TakeMany,
        ..Semantics::default()
    };
    let model = common::model(Chart::new().semantics(many).state(with_a_stable_state()));
    let warnings: Vec<_> = model.warnings().iter().map(ToString::to_string).collect();
    assert!(
        warnings.iter().any(|warning| warning.contains("stable")),
        "{warnings:?}"
    );
    assert_eq!(Rig::new(&model).send("e").leaves(), "/r/d");
}

#[test]
fn a_big_step_ends_in_stable_states() {
    let semantics = Semantics {
        big_step_maximality: BigStepMaximality::Syntactic,
        input_event_lifeline: InputEventLifeline::Whole,
        ..Semantics::default()
    };
    assert_eq!(rig(semantics, with_a_stable_state()).send("e").leaves(), "/r/c");
    let many = Semantics {
        big_step_maximality: BigStepMaximality::TakeMany,
        ..semantics
    };
    assert_eq!(rig(many, with_a_stable_state()).send("e").leaves(), "/r/d");
    let model = common::model(Chart::new().semantics(semantics).state(row("r", &["a", "b"])));
    let warnings: Vec<_> = model.warnings().iter().map(ToString::to_string).collect();
    assert!(
        warnings
            .iter()
            .any(|warning| warning.contains("without a stable state")),
        "{warnings:?}"
    );
}

#[test]
fn a_local_event_that_a_closed_part_could_not_take_waits_for_the_next_big_step() {
    for lifeline in [
        InternalEventLifeline::NextSmallStep,
        InternalEventLifeline::NextComboStep,
    ] {
        let semantics = Semantics {
            big_step_maximality: BigStepMaximality::Syntactic,
            internal_event_lifeline: lifeline,
            ..Semantics::default()
        };
        let r = State::new("r")
            .initial("a")
            .child(State::new("a").transition(on("e", "../b").raise(Raise::local("i"))))
            .child(State::new("b").stable().transition(on("i", "../c")))
            .child(State::new("c"));
        assert_eq!(rig(semantics, r).send("e").leaves(), "/r/c", "{lifeline}");
    }
}

#[test]
fn local_events_go_first_or_in_turn() {
    for (lifeline, said) in [
        (InternalEventLifeline::Queue, "a b i"),
        (InternalEventLifeline::QueueFirst, "a i b"),
    ] {
        let semantics = Semantics {
            internal_event_lifeline: lifeline,
            ..Semantics::default()
        };
        let state = State::new("s")
            .transition(on("a", ".").raise(say("a")).raise(Raise::local("i")))
            .transition(on("b", ".").raise(say("b")))
            .transition(on("i", ".").raise(say("i")));
        let mut rig = rig(semantics, state);
        for event in ["a", "b"] {
            let event = Event::new(event).on("in");
            rig.engine.input_after(std::time::Duration::ZERO, event, None).unwrap();
        }
        assert_eq!(rig.wait(0).said(), said, "{lifeline}");
    }
}

#[test]
fn the_outer_or_the_inner_transition_wins() {
    let outer = State::new("o")
        .child(State::new("i").transition(on("e", "../j").raise(say("inner"))))
        .child(State::new("j"))
        .initial("i")
        .transition(on("e", "../q").raise(say("outer")));
    let chart = |priority| {
        let semantics = Semantics {
            priority,
            ..Semantics::default()
        };
        Chart::new()
            .semantics(semantics)
            .initial("o")
            .state(outer.clone())
            .state(State::new("q"))
    };
    assert_eq!(Rig::chart(chart(Priority::SourceParent)).send("e").said(), "outer");
    assert_eq!(Rig::chart(chart(Priority::SourceChild)).send("e").said(), "inner");
    assert_eq!(Semantics::default().priority, Priority::SourceParent);
}

#[test]
fn a_disabled_inner_transition_leaves_the_outer_one() {
    let semantics = Semantics {
        priority: Priority::SourceChild,
        ..Semantics::default()
    };
    let inner = State::new("i").transition(on("e", ".").guard(|_| false));
    let outer = State::new("o").child(inner).transition(on("e", "../q"));
    let chart = Chart::new()
        .semantics(semantics)
        .initial("o")
        .state(outer)
        .state(State::new("q"));
    assert_eq!(Rig::chart(chart).send("e").leaves(), "/q");
}

/// Two regions whose transitions on `e` look at what the other one did.
fn racing(concurrency: Concurrency) -> Rig {
    let region = |id: &str, other: &str| {
        let first = format!("../../{other}/{other}a");
        State::new(id)
            .initial(format!("{id}a"))
            .child(State::new(format!("{id}a")).transition(on("e", &format!("../{id}b")).in_state(first).run(count)))
            .child(State::new(format!("{id}b")))
    };
    let semantics = Semantics {
        concurrency,
        input_event_lifeline: InputEventLifeline::FirstSmallStep,
        ..Semantics::default()
    };
    let p = State::parallel("p").child(region("r", "s")).child(region("s", "r"));
    let class = Class::new("Main")
        .attribute("count", 0)
        .chart(Chart::new().semantics(semantics).state(p));
    Rig::new(
        &Model::builder()
            .inport("in")
            .outport("out")
            .class(class)
            .build()
            .unwrap(),
    )
}

#[test]
fn a_small_step_takes_one_transition() {
    let mut rig = racing(Concurrency::Single);
    assert_eq!(rig.send("e").leaves(), "/p/r/rb /p/s/sa");
}

#[test]
fn a_small_step_takes_many_transitions_with_disjoint_areas() {
    let mut rig = racing(Concurrency::Many);
    assert_eq!(
        rig.send("e").leaves(),
        "/p/r/rb /p/s/sb",
        "both guards saw the state before"
    );
}

#[test]
fn many_never_take_two_that_change_the_same() {
    for (priority, leaves, said) in [
        (Priority::SourceParent, "/q", "outer"),
        (Priority::SourceChild, "/p/r/b /p/s/y", "r s"),
    ] {
        let semantics = Semantics {
            concurrency: Concurrency::Many,
            priority,
            ..Semantics::default()
        };
        let region = |id: &str, a: &str, b: &str| {
            State::new(id)
                .initial(a)
                .child(State::new(a).transition(on("e", &format!("../{b}")).raise(say(id))))
                .child(State::new(b))
        };
        let p = State::parallel("p")
            .child(region("r", "a", "b"))
            .child(region("s", "x", "y"))
            .transition(on("e", "../q").raise(say("outer")));
        let chart = Chart::new()
            .semantics(semantics)
            .initial("p")
            .state(p)
            .state(State::new("q"));
        let mut rig = Rig::chart(chart);
        assert_eq!(rig.send("e").leaves(), leaves);
        assert_eq!(rig.said(), said);
    }
}

#[test]
fn what_a_guard_reads_is_what_the_small_step_before_wrote() {
    let set = on("e", "../b").run(|cx: &mut Context<'_>| cx.set_attribute("count", 1));
    let r = State::new("r")
        .initial("a")
        .child(State::new("a").transition(set))
        .child(State::new("b"));
    let seen = on("e", "../y").guard(|cx| cx.attribute("count").as_int() == Some(1));
    let s = State::new("s")
        .initial("x")
        .child(State::new("x").transition(seen))
        .child(State::new("y"));
    let class = Class::new("Main")
        .attribute("count", 0)
        .chart(Chart::new().state(State::parallel("p").child(r).child(s)));
    let model = Model::builder().inport("in").class(class).build().unwrap();
    let mut rig = Rig::new(&model);
    rig.engine.input(Event::new("e").on("in")).unwrap();
    assert_eq!(rig.leaves(), "/p/r/b /p/s/y");
}
