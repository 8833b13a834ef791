//! The runtime: by task, by thread, by hand; in real and in virtual time; from other threads.

mod common;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::{on, say};
use net_core::Net;
use sim_io::Environment;
use sim_io::network::Network;
use statechart_bridge::{
    Chart, Controller, Engine, Event, Expression, InputError, Limits, Model, Output, OutputListener, Runtime, State,
    Transition,
};

fn echo() -> Model {
    let ping = on("ping", ".").raise(say("pong").with(Expression::Parameter(0)));
    common::model(Chart::new().state(State::new("s").entering(say("ready")).transition(ping)))
}

fn ticker() -> Model {
    let tick = Transition::after(Duration::from_millis(250)).to(".").raise(say("tick"));
    common::model(Chart::new().state(State::new("s").transition(tick)))
}

fn ping(number: i64) -> Event {
    Event::new("ping").on("in").with([number.into()])
}

#[tokio::test(start_paused = true)]
async fn what_the_first_entry_raises_is_heard() {
    let runtime = Runtime::new(&echo(), &Net::os()).unwrap();
    let outputs = runtime.output_queue(&["out"]);
    runtime.add_input(ping(1)).unwrap();
    assert!(!runtime.is_started());
    runtime.start().unwrap();
    assert_eq!(outputs.next().await.unwrap().event.to_string(), "out.ready");
    assert_eq!(outputs.next().await.unwrap().event.to_string(), "out.pong(1)");
}

#[tokio::test(start_paused = true)]
async fn simulated_time_never_skips() {
    let runtime = Runtime::new(&ticker(), &Net::os()).unwrap();
    let outputs = runtime.output_queue(&["out"]);
    runtime.start().unwrap();
    for number in 1..=20 {
        assert_eq!(outputs.next().await.unwrap().time, Duration::from_millis(250 * number));
    }
}

#[test]
fn it_runs_in_virtual_time() {
    let environment = Environment::new();
    let network = Network::new(&environment);
    let net = network.host("chart").unwrap().net();
    let runtime = Runtime::new(&ticker(), &net).unwrap();
    let outputs = runtime.output_queue(&["out"]);
    runtime.start().unwrap();
    let run = environment.process(async move {
        let mut last = Duration::ZERO;
        for _ in 0..4 * 3600 {
            last = outputs.next().await.unwrap().time;
        }
        runtime.stop();
        runtime.ended().await;
        last
    });
    assert_eq!(environment.run_until(&run).unwrap(), Duration::from_secs(3600));
}

#[test]
fn a_thread_drives_it_and_other_threads_give_inputs() {
    let runtime = Runtime::new(&echo(), &Net::os()).unwrap();
    let outputs = runtime.output_queue(&["out"]);
    let driver = runtime.clone();
    let driver = std::thread::spawn(move || driver.run_blocking());
    let limit = Some(Duration::from_secs(60));
    assert_eq!(&**outputs.fetch(limit).unwrap().event.name(), "ready");
    let senders: Vec<_> = (0..4)
        .map(|sender| {
            let runtime = runtime.clone();
            std::thread::spawn(move || {
                (0..250).for_each(|number| runtime.add_input(ping(sender * 1000 + number)).unwrap());
            })
        })
        .collect();
    let mut last = [-1; 4];
    for _ in 0..1000 {
        let output = std::iter::from_fn(|| outputs.fetch(limit)).find(|output| &**output.event.name() == "pong");
        let number = output.unwrap().event.parameter(0).as_int().unwrap();
        let sender = usize::try_from(number / 1000).unwrap();
        assert!(last[sender] < number, "the inputs of one thread keep their order");
        last[sender] = number;
    }
    senders.into_iter().for_each(|sender| sender.join().unwrap());
    runtime.stop();
    driver.join().unwrap().unwrap();
    assert!(runtime.has_ended());
    while outputs.fetch(limit).is_some() {}
    assert_eq!(runtime.add_input(ping(1)), Err(InputError::Stopped));
}

#[tokio::test(start_paused = true)]
async fn it_ends_when_nothing_is_pending_if_it_need_not_keep_running() {
    let wait = Transition::after(Duration::from_secs(5)).to("../t");
    let model = common::model(
        Chart::new()
            .initial("s")
            .state(State::new("s").transition(wait))
            .state(State::new("t")),
    );
    let runtime = Runtime::builder(&model, &Net::os())
        .keep_running(false)
        .build()
        .unwrap();
    let outputs = runtime.output_queue(&[]);
    runtime.run().await.unwrap();
    assert_eq!(runtime.simulated_time(), Duration::from_secs(5));
    assert!(outputs.next().await.is_none(), "who waits for outputs is told");
    assert!(runtime.run().await.is_err(), "it can't be started twice");
}

#[tokio::test(start_paused = true)]
async fn timers_of_states_that_were_left_keep_nothing_going() {
    let lit = State::new("on")
        .transition(Transition::after(Duration::from_secs(30)).to("../off"))
        .transition(on("ping", "../off").raise(say("pong")));
    let model = common::model(
        Chart::new()
            .initial("off")
            .state(State::new("off").transition(on("ping", "../on").raise(say("lit"))))
            .state(lit),
    );
    let runtime = Runtime::builder(&model, &Net::os())
        .keep_running(false)
        .build()
        .unwrap();
    runtime.add_input(ping(1)).unwrap();
    runtime.add_input_after(Duration::from_secs(1), ping(2)).unwrap();
    runtime.add_input_after(Duration::from_secs(2), ping(3)).unwrap();
    runtime.add_input_after(Duration::from_secs(3), ping(4)).unwrap();
    runtime.run().await.unwrap();
    assert_eq!(runtime.simulated_time(), Duration::from_secs(3));

    let mut engine = Engine::new(&model).unwrap();
    engine.start();
    engine.input(ping(1)).unwrap();
    assert_eq!(engine.next_due(), Some(Duration::from_secs(30)));
    engine.advance(Duration::from_secs(10));
    engine.input(ping(2)).unwrap();
    assert_eq!(engine.next_due(), None);
    engine.input(ping(3)).unwrap();
    assert_eq!(engine.next_due(), Some(Duration::from_secs(40)));
    engine.advance(Duration::from_secs(60));
    assert_eq!(engine.states(engine.instances().next().unwrap()), ["/off"]);
}

#[test]
fn inputs_that_no_transition_takes_are_told() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&told);
    let mut engine = Engine::builder(&echo())
        .on_ignored(move |ignored| heard.lock().unwrap().push(ignored.to_string()))
        .build()
        .unwrap();
    engine.start();
    engine.input(ping(1)).unwrap();
    engine.input(Event::new("pinng").on("in").with([2.into()])).unwrap();
    engine.advance(Duration::from_millis(1500));
    engine.input(Event::new("pinng").on("in")).unwrap();
    let expected = [
        "0.000 in.pinng(2): no transition took it",
        "1.500 in.pinng: no transition took it",
    ];
    assert_eq!(*told.lock().unwrap(), expected);
}

#[tokio::test(start_paused = true)]
async fn inputs_are_checked() {
    let mut limits = Limits::default();
    limits.inputs = 1;
    let runtime = Runtime::builder(&echo(), &Net::os()).limits(limits).build().unwrap();
    assert_eq!(runtime.add_input(Event::new("").on("in")), Err(InputError::NoName));
    let error = runtime.add_input(Event::new("ping").on("out")).unwrap_err();
    assert_eq!(error.to_string(), "no inport `out`: expected one of in");
    let error = runtime.add_input(Event::new("ping")).unwrap_err();
    assert_eq!(error.to_string(), "no inport ``: expected one of in");
    runtime.add_input(ping(1)).unwrap();
    assert_eq!(runtime.add_input(ping(2)), Err(InputError::Full { limit: 1 }));
}

#[tokio::test(start_paused = true)]
async fn a_listener_may_give_inputs() {
    struct Again(Runtime);
    impl OutputListener for Again {
        fn output(&self, output: &Output) {
            let number = output.event.parameter(0).as_int();
            if let Some(number) = number.filter(|number| *number < 10) {
                Controller::add_input(&self.0, ping(number + 1), Some(output.source)).unwrap();
            }
        }
    }
    let runtime = Runtime::new(&echo(), &Net::os()).unwrap();
    runtime.add_output_listener(&["out"], Arc::new(Again(runtime.clone())));
    let outputs = runtime.output_queue(&["out"]);
    runtime.add_input(ping(1)).unwrap();
    runtime.start().unwrap();
    let mut last = String::new();
    while last != "out.pong(10)" {
        last = outputs.next().await.unwrap().event.to_string();
    }
}

#[tokio::test(start_paused = true)]
async fn being_late_is_told_once_a_second() {
    let net = Net::os();
    let told = Arc::new(Mutex::new(Vec::new()));
    let keep = Arc::clone(&told);
    let runtime = Runtime::builder(&ticker(), &net)
        .on_behind(move |_, late| keep.lock().unwrap().push(late.as_millis()))
        .build()
        .unwrap();
    runtime.update();
    net.sleep(Duration::from_millis(300)).await;
    runtime.update();
    assert_eq!(*told.lock().unwrap(), [50]);
}

#[tokio::test(start_paused = true)]
async fn a_restored_runtime_goes_on_from_there() {
    let net = Net::os();
    let runtime = Runtime::new(&ticker(), &net).unwrap();
    let outputs = runtime.output_queue(&["out"]);
    runtime.start().unwrap();
    outputs.next().await.unwrap();
    let snapshot = runtime.snapshot();
    for _ in 0..5 {
        outputs.next().await.unwrap();
    }
    runtime.restore(&snapshot).unwrap();
    assert_eq!(outputs.next().await.unwrap().time, Duration::from_millis(500));
}

#[tokio::test(start_paused = true)]
async fn a_full_output_queue_counts_what_it_drops() {
    let runtime = Runtime::new(&echo(), &Net::os()).unwrap();
    let small = statechart_bridge::OutputQueue::with_limit(2);
    runtime.add_output_listener(&[], Arc::new(small.clone()));
    for number in 0..5 {
        runtime.add_input(ping(number)).unwrap();
    }
    runtime.update();
    assert_eq!((small.len(), small.lost()), (2, 9));
}

/// A chart that is never done starves nobody.
#[tokio::test(start_paused = true)]
async fn other_tasks_have_their_turn() {
    struct Forever(Runtime);
    impl OutputListener for Forever {
        fn output(&self, _: &Output) {
            self.0.add_input(ping(1)).unwrap();
        }
    }
    let ping = Transition::on("ping").raise(say("pong"));
    let model = common::model(Chart::new().state(State::new("s").transition(ping)));
    let runtime = Runtime::new(&model, &Net::os()).unwrap();
    runtime.add_output_listener(&["out"], Arc::new(Forever(runtime.clone())));
    let outputs = runtime.output_queue(&["out"]);
    runtime.add_input(self::ping(1)).unwrap();
    runtime.start().unwrap();
    for _ in 0..100 {
        outputs.next().await.unwrap();
    }
    runtime.stop();
    runtime.ended().await;
}
