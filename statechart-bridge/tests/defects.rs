//! What is wrong in the original runtime and compiler is right here: a test for each.

mod common;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::{Rig, loud, loud_parallel, on, say};
use net_core::Net;
use statechart_bridge::{
    Association, Chart, Class, Context, Engine, Event, Fault, InstanceId, InternalEventLifeline, Limits, Model,
    Priority, Raise, Runtime, Semantics, State, Transition,
};

#[test]
fn d01_events_of_one_time_keep_their_order() {
    let hear = |event: &str| Transition::on(event).raise(say(event));
    let state = State::new("s")
        .transition(hear("a").raise(Raise::local("L")))
        .transition(hear("b"))
        .transition(hear("c"))
        .transition(hear("L"));
    let mut rig = Rig::chart(Chart::new().state(state));
    for event in ["a", "b", "c"] {
        rig.engine
            .input_after(Duration::ZERO, Event::new(event).on("in"), None)
            .unwrap();
    }
    rig.wait(0);
    assert_eq!(rig.said(), "a b c L");
    for event in ["b", "c", "a"] {
        rig.engine
            .input_after(Duration::from_millis(5), Event::new(event).on("in"), None)
            .unwrap();
    }
    rig.wait(5);
    assert_eq!(rig.said(), "b c a L");
}

#[tokio::test(start_paused = true)]
async fn d02_an_input_with_an_offset_never_runs_before_its_time() {
    let chart = Chart::new().state(State::new("s").transition(Transition::on("go").raise(say("go"))));
    let runtime = Runtime::new(&common::model(chart), &Net::os()).unwrap();
    let outputs = runtime.output_queue(&[]);
    runtime.start().unwrap();
    Net::os().sleep(Duration::from_secs(1)).await;
    // It sleeps without limit now, and this wakes it.
    runtime
        .add_input_after(Duration::from_secs(2), Event::new("go").on("in"))
        .unwrap();
    assert_eq!(outputs.next().await.unwrap().time, Duration::from_secs(3));
}

#[test]
fn d03_instances_step_in_the_order_of_their_creation() {
    let child = Class::new("Child").chart(Chart::new().state(State::new("s").transition(Transition::on("go").run(
        |cx: &mut Context<'_>| {
            let number = cx.instance().number();
            let event = Event::new("here")
                .on("out")
                .with([i64::try_from(number).unwrap().into()]);
            cx.raise(statechart_bridge::Scope::Output, event);
        },
    ))));
    let mut start = State::new("s");
    for _ in 0..9 {
        start = start.entering(Raise::object_manager("create_and_start_instance").with("children"));
    }
    let main = Class::new("Main")
        .default_class()
        .association(Association::new("children", "Child"))
        .chart(Chart::new().state(start));
    let model = Model::builder()
        .inport("in")
        .outport("out")
        .class(main)
        .class(child)
        .build()
        .unwrap();
    let mut rig = Rig::new(&model);
    let wanted: Vec<_> = (2..=10).map(|number| format!("here({number})")).collect();
    assert_eq!(rig.send("go").said(), wanted.join(" "));
}

#[test]
fn d04_an_error_in_code_is_an_event_and_a_report() {
    let fail = |cx: &mut Context<'_>| match cx.parameter(0).as_int() {
        Some(_) => Ok(()),
        None => Err(Fault::new("expected a number")),
    };
    let state = State::new("s")
        .transition(on("go", "../t").run(fail).raise(say("not reached")))
        .transition(on("try", "../t").guard_code(Arc::new(statechart_bridge::Run(fail))));
    let told = Transition::on("execution_error").raise(say("told").with(statechart_bridge::Expression::Parameter(0)));
    let chart = Chart::new().state(
        State::new("m")
            .child(state)
            .child(State::new("t"))
            .initial("s")
            .transition(told),
    );
    let mut rig = Rig::chart(chart);
    assert_eq!(rig.send("try").said(), r#"told("expected a number")"#);
    assert_eq!(rig.leaves(), "/m/s", "a guard that fails takes nothing");
    assert_eq!(rig.faults(), ["0.000 Main#1, guard of /m/s: expected a number"]);
    assert_eq!(rig.send("go").said(), r#"told("expected a number")"#);
    assert_eq!(
        rig.leaves(),
        "/m/t",
        "an action that fails ends its list, the transition goes on"
    );
    assert_eq!(rig.faults(), ["0.000 Main#1, transition of /m/s: expected a number"]);
}

#[test]
fn d04_an_error_in_handling_the_error_is_only_reported() {
    let fail = |_: &mut Context<'_>| Err::<(), _>(Fault::new("again"));
    let state = State::new("s")
        .transition(Transition::on("go").run(fail))
        .transition(Transition::on("execution_error").run(fail));
    let mut rig = Rig::chart(Chart::new().state(state));
    assert_eq!(rig.send("go").faults().len(), 2);
}

#[test]
fn d04_a_panic_halts_its_instance_alone() {
    let child = Class::new("Child").chart(
        Chart::new().state(
            State::new("s")
                .transition(Transition::on("go").run(|cx: &mut Context<'_>| assert!(cx.parameters().len() > 9, "oh"))),
        ),
    );
    let start = State::new("s")
        .entering(Raise::object_manager("create_and_start_instance").with("child"))
        .transition(Transition::on("go").raise(say("main")));
    let main = Class::new("Main")
        .default_class()
        .association(Association::new("child", "Child"))
        .chart(Chart::new().state(start));
    let model = Model::builder()
        .inport("in")
        .outport("out")
        .class(main)
        .class(child)
        .build()
        .unwrap();
    let mut rig = Rig::new(&model);
    assert_eq!(rig.send("go").send("go").said(), "main main");
    let faults = rig.faults();
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert!(
        faults[0].starts_with("0.000 Child#2, halted: ") && faults[0].contains("oh"),
        "{faults:?}"
    );
}

#[test]
fn d05_a_circle_of_spontaneous_transitions_ends_with_an_error() {
    let chart = Chart::new()
        .initial("a")
        .state(State::new("a").transition(on("go", "../b")))
        .state(State::new("b").transition(Transition::spontaneous().to("../c")))
        .state(State::new("c").transition(Transition::spontaneous().to("../b")));
    let mut rig = Rig::chart(chart);
    let faults = rig.send("go").faults();
    assert_eq!(
        faults,
        ["0.000 Main#1, halted: more than 10000 small steps in one big step: it would never end"]
    );
    assert!(rig.send("go").faults().is_empty(), "it stays as it was");
}

#[test]
fn d05_local_events_that_raise_each_other_end_with_an_error() {
    let state = State::new("s").transition(Transition::on("go").raise(Raise::local("go")));
    let model = common::model(Chart::new().state(state));
    let mut limits = Limits::default();
    limits.big_steps = 50;
    let mut rig = Rig::with(&model, |builder| builder.limits(limits));
    let faults = rig.send("go").faults();
    assert_eq!(
        faults,
        ["0.000 Main#1, halted: more than 50 big steps without time passing: it would never end"]
    );
}

#[test]
fn d06_overlapping_transitions_never_both_fire_in_one_combo_step() {
    let semantics = Semantics {
        priority: Priority::SourceChild,
        ..Semantics::default()
    };
    let r = State::new("r")
        .initial("a")
        .child(State::new("a").transition(on("e", "../b").raise(say("inner"))))
        .child(State::new("b"));
    let s = State::new("s").child(State::new("x"));
    let p = State::parallel("p")
        .child(r)
        .child(s)
        .transition(on("e", "../q").raise(say("outer")));
    let chart = Chart::new()
        .semantics(semantics)
        .initial("p")
        .state(p)
        .state(State::new("q"));
    let mut rig = Rig::chart(chart);
    assert_eq!(rig.send("e").said(), "inner");
    assert_eq!(rig.leaves(), "/p/r/b /p/s/x");
    assert_eq!(rig.send("e").said(), "outer");
}

#[test]
fn d07_a_transition_to_an_own_child_does_not_enter_the_source_again() {
    let a = |transition: Transition| {
        loud("a")
            .initial("b")
            .child(loud("b"))
            .child(loud("c"))
            .transition(transition)
            .transition(Transition::after(Duration::from_millis(10)).raise(say("timer")))
    };
    let mut rig = Rig::chart(Chart::new().state(a(on("e", "c"))));
    rig.said();
    assert_eq!(rig.send("e").said(), "-b +c");
    assert_eq!(rig.wait(100).said(), "timer", "one timer, once");
    let mut rig = Rig::chart(Chart::new().state(a(on("e", "c").external())));
    rig.said();
    assert_eq!(rig.send("e").said(), "-b -a +a +c", "an external one does");
}

fn three_regions(transition: Transition) -> Rig {
    let r = loud("r")
        .initial("ra")
        .child(loud("ra").transition(transition))
        .child(loud("rb"));
    let s = loud("s")
        .initial("sa")
        .child(loud("sa").transition(on("right", "../sb")))
        .child(loud("sb"));
    let t = loud("t").child(loud("ta"));
    let p = loud_parallel("p")
        .child(r.transition(on("self", ".")))
        .child(s)
        .child(t);
    Rig::chart(Chart::new().state(p))
}

#[test]
fn d08_leaving_one_region_for_another_enters_all_again() {
    let mut rig = three_regions(on("cross", "../../s/sb"));
    rig.send("right").said();
    assert_eq!(rig.send("self").said(), "-ta -t -sb -s -ra -r +r +ra +s +sa +t +ta");
    assert_eq!(rig.leaves(), "/p/r/ra /p/s/sa /p/t/ta");
    assert_eq!(rig.send("cross").said(), "-ta -t -sa -s -ra -r +r +ra +s +sb +t +ta");
    assert_eq!(rig.leaves(), "/p/r/ra /p/s/sb /p/t/ta");
}

#[test]
fn d09_a_target_inside_one_region_completes_the_others() {
    let region = |id: &str| {
        let [a, b] = ["a", "b"].map(|name| format!("{id}{name}"));
        loud(id).initial(a.clone()).child(loud(&a)).child(loud(&b))
    };
    let p = loud_parallel("p")
        .child(region("r"))
        .child(region("s"))
        .child(region("t"));
    let start = State::new("start")
        .transition(on("one", "../p/s/sb"))
        .transition(on("two", "../p/(s/sb, t/tb)"));
    let chart = Chart::new().initial("start").state(start).state(p);
    let mut rig = Rig::chart(chart.clone());
    assert_eq!(rig.send("one").said(), "+p +r +ra +s +sb +t +ta");
    let mut rig = Rig::chart(chart);
    assert_eq!(rig.send("two").said(), "+p +r +ra +s +sb +t +tb");
    assert_eq!(rig.leaves(), "/p/r/ra /p/s/sb /p/t/tb");
}

#[test]
fn d10_else_is_for_when_nothing_else_with_the_same_trigger_is_enabled() {
    let one = |cx: &mut Context<'_>| cx.parameter(0).as_int() == Some(1);
    let state = State::new("s")
        .transition(Transition::on("e").otherwise().raise(say("else")))
        .transition(Transition::on("e").guard(one).raise(say("one")))
        .transition(Transition::on("f").raise(say("f")))
        .transition(Transition::on("f").otherwise().raise(say("never")));
    let mut rig = Rig::chart(Chart::new().state(state));
    rig.input(Event::new("e").with([1.into()]));
    rig.input(Event::new("e").with([2.into()]));
    assert_eq!(rig.send("f").said(), "one else f");
}

#[test]
fn d11_a_local_event_of_the_first_entry_is_not_lost() {
    for lifeline in [
        InternalEventLifeline::Queue,
        InternalEventLifeline::NextSmallStep,
        InternalEventLifeline::NextComboStep,
        InternalEventLifeline::Remainder,
    ] {
        let semantics = Semantics {
            internal_event_lifeline: lifeline,
            ..Semantics::default()
        };
        let a = State::new("a")
            .entering(Raise::local("go"))
            .transition(on("go", "../b"));
        let chart = Chart::new()
            .semantics(semantics)
            .initial("a")
            .state(a)
            .state(State::new("b"));
        assert_eq!(Rig::chart(chart).leaves(), "/b", "{lifeline}");
    }
}

#[test]
fn d12_a_spontaneous_transition_leaves_the_others_of_its_state_alone() {
    let a = State::new("a")
        .transition(on("e", "../c"))
        .transition(Transition::spontaneous().to("../b"))
        .transition(on("f", "../c"));
    let chart = Chart::new()
        .initial("start")
        .state(State::new("start").transition(on("go", "../a")))
        .state(a)
        .state(State::new("b"))
        .state(State::new("c"));
    let mut rig = Rig::chart(chart);
    assert_eq!(rig.send("go").leaves(), "/b");
    let model = common::model(
        Chart::new()
            .state(
                State::new("a")
                    .transition(Transition::spontaneous().guard(|_| false).to("."))
                    .transition(on("e", "../b")),
            )
            .state(State::new("b")),
    );
    assert_eq!(Rig::new(&model).send("e").leaves(), "/b");
}

#[tokio::test(start_paused = true)]
async fn d13_open_sockets_keep_a_controller_alive() {
    use statechart_bridge::Controller;
    let model = common::model(Chart::new().state(State::new("s")));
    let runtime = Runtime::builder(&model, &Net::os())
        .keep_running(false)
        .build()
        .unwrap();
    let held = runtime.hold();
    runtime.start().unwrap();
    Net::os().sleep(Duration::from_secs(60)).await;
    assert!(!runtime.has_ended());
    drop(held);
    runtime.ended().await;
}

#[tokio::test(start_paused = true)]
async fn d14_a_host_that_calls_update_drives_it() {
    let tick = Transition::after(Duration::from_millis(20)).to(".").raise(say("tick"));
    let model = common::model(Chart::new().state(State::new("s").transition(tick)));
    let net = Net::os();
    let runtime = Runtime::new(&model, &net).unwrap();
    let outputs = runtime.output_queue(&["out"]);
    assert_eq!(runtime.update(), Some(Duration::from_millis(20)));
    net.sleep(Duration::from_millis(50)).await;
    assert_eq!(runtime.update(), Some(Duration::from_millis(10)));
    let times: Vec<_> = std::iter::from_fn(|| outputs.try_fetch())
        .map(|output| output.time.as_millis())
        .collect();
    assert_eq!(times, [20, 40], "each at its time, none skipped");
    runtime.stop();
    assert_eq!(runtime.update(), None);
    assert!(runtime.has_ended());
}

#[test]
fn d15_a_class_with_a_chart_may_inherit_from_one_without() {
    let base = Class::new("Base").attribute("greeting", "hello");
    let chart = Chart::new()
        .state(State::new("s").entering(say("hi").with(statechart_bridge::Expression::attribute("greeting"))));
    let main = Class::new("Main").default_class().inherits("Base", 1).chart(chart);
    let model = Model::builder().outport("out").class(main).class(base).build().unwrap();
    assert_eq!(Rig::new(&model).said(), r#"hi("hello")"#);
}

#[test]
fn d15_log_writes_lines() {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let keep = Arc::clone(&lines);
    let state = State::new("s").entering(statechart_bridge::Action::Log("a line".into()));
    let mut engine = Engine::builder(&common::model(Chart::new().state(state)))
        .on_log(move |line| keep.lock().unwrap().push(line.text.clone()))
        .build()
        .unwrap();
    engine.start();
    assert_eq!(*lines.lock().unwrap(), ["a line"]);
}

#[test]
fn d16_ports_are_matched_whole() {
    let state = State::new("s")
        .transition(Transition::on("a").raise(Raise::output("", "none")))
        .transition(Transition::on("b").raise(Raise::output("socket_out", "whole")))
        .transition(Transition::on("c").raise(Raise::output("socket", "part")));
    let class = Class::new("Main").chart(Chart::new().state(state));
    let model = Model::builder()
        .inport("in")
        .outport("socket_out")
        .class(class)
        .build()
        .unwrap();
    let mut engine = Engine::new(&model).unwrap();
    let outputs = engine.output_queue(&["socket_out"]);
    let all = engine.output_queue(&[]);
    engine.start();
    for event in ["a", "b", "c"] {
        engine.input(Event::new(event).on("in")).unwrap();
    }
    let names = |queue: &statechart_bridge::OutputQueue| -> Vec<String> {
        std::iter::from_fn(|| queue.try_fetch())
            .map(|output| output.event.name().to_string())
            .collect()
    };
    assert_eq!(names(&outputs), ["whole"]);
    assert_eq!(
        names(&all),
        ["none", "whole", "part"],
        "undeclared ports are heard by those who hear all"
    );
    assert_eq!(engine.instances().collect::<Vec<_>>(), [InstanceId::new(1)]);
}
