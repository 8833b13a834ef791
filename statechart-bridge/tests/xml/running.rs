//! Models from XML under a runtime, in virtual and in real time, and what never ends.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use net_core::Net;
use sim_io::Environment;
use sim_io::network::Network;
use statechart_bridge::{Engine, Event, InstanceId, Limits, Runtime};

use super::{chart, class, leaves, load};

const ALARM: &str = r#"<state id="a"><transition event="set" port="in" target="../b"><parameter name="seconds"/>
      <assign ident="wait" expr="seconds"/></transition></state>
    <state id="b"><transition after="self.wait" target="../a">
      <raise event="rings" port="out"><parameter expr="self.getSimulatedTime()"/></raise></transition></state>"#;

#[test]
fn in_virtual_time() {
    let document = load(&chart(ALARM));
    let env = Environment::new();
    let network = Network::new(&env);
    let net = network.host("host").unwrap().net();
    let runtime = Runtime::new(document.model(), &net).unwrap();
    let outputs = runtime.output_queue(&["out"]);
    let told = env.try_process(async move {
        runtime.start()?;
        let set = Event::new("set").on("in").with([(3600 * 8).into()]);
        runtime
            .add_input_after(Duration::from_millis(1500), set)
            .expect("the port is there");
        let rings = outputs.next().await.expect("it goes on").to_string();
        runtime.stop();
        runtime.ended().await;
        Ok::<_, net_core::Error>(rings)
    });
    assert_eq!(env.run_until(&told).unwrap(), "28801.500 #1 out.rings(28801500)");
}

#[tokio::test(start_paused = true)]
async fn by_the_clock_of_the_system() {
    let document = load(&chart(ALARM));
    let runtime = Runtime::new(document.model(), &Net::os()).unwrap();
    let outputs = runtime.output_queue(&["out"]);
    runtime.start().unwrap();
    runtime.add_input(Event::new("set").on("in").with([30.into()])).unwrap();
    let rings = outputs.next().await.unwrap();
    assert_eq!(rings.time, Duration::from_secs(30));
    runtime.stop();
}

/// Runs it with small limits, and gives its faults.
fn faults(xml: &str, events: &[&str]) -> (Engine, Vec<String>) {
    let document = load(xml);
    let faults: Arc<Mutex<Vec<String>>> = Arc::default();
    let told = Arc::clone(&faults);
    let mut limits = Limits::default();
    (limits.small_steps, limits.big_steps) = (100, 100);
    let mut engine = Engine::builder(document.model())
        .limits(limits)
        .on_fault(move |fault| told.lock().unwrap().push(fault.to_string()))
        .build()
        .unwrap();
    engine.start();
    for event in events {
        engine.input(Event::new(*event).on("in")).unwrap();
    }
    let faults = std::mem::take(&mut *faults.lock().unwrap());
    (engine, faults)
}

#[test]
fn circles_end_with_a_fault() {
    let spontaneous = chart(
        "<state id=\"a\"><transition target=\"../b\"/></state><state id=\"b\"><transition target=\"../a\"/></state>",
    );
    let (_, told) = faults(&spontaneous, &["e"]);
    assert_eq!(
        told,
        ["0.000 C#1, halted: more than 100 small steps in one big step: it would never end"]
    );
    let local =
        chart("<state id=\"a\"><onentry><raise event=\"e\"/></onentry><transition event=\"e\" target=\".\"/></state>");
    let (_, told) = faults(&local, &[]);
    assert_eq!(
        told,
        ["0.000 C#1, halted: more than 100 big steps without time passing: it would never end"]
    );
    let timers = chart("<state id=\"a\"><transition after=\"0\" target=\".\"/></state>");
    let (_, told) = faults(&timers, &[]);
    assert_eq!(told.len(), 1, "{told:?}");
}

#[test]
fn a_fault_in_code_ends_that_code_alone_and_is_an_event() {
    let xml = class(
        r#"<attribute name="n" init-value="0"/><scxml initial="a">
             <state id="a"><transition event="e" target="../b"><script>self.n = 1
self.n = self.nope
self.n = 2</script></transition>
               <transition event="g" cond="1 // self.n" target="../never"/></state>
             <state id="b"><transition event="execution_error" target="../c"><parameter name="what"/><parameter name="where"/>
               <assign ident="why" expr="what + ' at ' + where"/></transition></state>
             <state id="c"/><state id="never"/></scxml>"#,
    );
    let (engine, told) = faults(&xml, &["e"]);
    let [fault] = &told[..] else { panic!("{told:?}") };
    assert!(
        fault.contains("test.xml:5:14: class C has no attribute `nope`"),
        "{fault}"
    );
    assert_eq!(
        leaves(&engine),
        "/c",
        "the transition was taken all the same, and the error was heard"
    );
    let first = InstanceId::new(1);
    assert_eq!(engine.attribute(first, "n").unwrap().as_int(), Some(1));
    let why = engine.attribute(first, "why").unwrap().as_str().unwrap();
    assert!(why.starts_with("class C has no attribute `nope` at "), "{why}");
    let (engine, told) = faults(&xml, &["g"]);
    assert!(told[0].contains("division by zero"), "{told:?}");
    assert_eq!(leaves(&engine), "/a", "a guard that fails allows nothing");
}
