//! A snapshot at each step, put back into the same engine and into a new one, goes on in the same way.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use statechart_bridge::{Document, Engine, Event, Value};

use super::load;

/// What comes from outside: an event, and then so many milliseconds.
type Step = (Option<(&'static str, &'static str, Vec<Value>)>, u64);

struct Traced {
    engine: Engine,
    trace: Arc<Mutex<Vec<String>>>,
}

impl Traced {
    fn new(document: &Document) -> Self {
        let trace: Arc<Mutex<Vec<String>>> = Arc::default();
        let entries = Arc::clone(&trace);
        let lines = Arc::clone(&trace);
        let engine = Engine::builder(document.model())
            .arguments(document.arguments([]).unwrap())
            .on_trace(move |entry| entries.lock().unwrap().push(entry.to_string()))
            .on_log(move |line| lines.lock().unwrap().push(line.text.clone()))
            .build()
            .unwrap();
        Self { engine, trace }
    }

    fn step(&mut self, (event, time): &Step) -> Vec<String> {
        if let Some((port, name, parameters)) = event {
            let event = Event::new(*name).on(*port).with(parameters.clone());
            self.engine.input(event).unwrap();
        }
        self.engine.advance(Duration::from_millis(*time));
        std::mem::take(&mut *self.trace.lock().unwrap())
    }
}

/// Takes the steps, and from each of them on all that follow once more.
fn same_from_each_step_on(document: &Document, steps: &[Step]) {
    let mut engine = Traced::new(document);
    engine.engine.start();
    engine.trace.lock().unwrap().clear();
    let (mut snapshots, mut straight) = (Vec::new(), Vec::new());
    for step in steps {
        snapshots.push(engine.engine.snapshot());
        straight.push(engine.step(step));
    }
    assert!(
        straight.iter().any(|trace| trace.len() > 2),
        "something happens: {straight:?}"
    );
    for (start, snapshot) in snapshots.iter().enumerate() {
        let mut other = Traced::new(document);
        other.engine.restore(snapshot).unwrap();
        other.trace.lock().unwrap().clear();
        engine.engine.restore(snapshot).unwrap();
        for (step, wanted) in steps.iter().zip(&straight).skip(start) {
            assert_eq!(&engine.step(step), wanted, "from step {start} on");
            assert_eq!(&other.step(step), wanted, "in a new engine, from step {start} on");
        }
    }
}

fn event(port: &'static str, name: &'static str, parameters: Vec<Value>, time: u64) -> Step {
    (Some((port, name, parameters)), time)
}

#[test]
fn of_the_models_of_the_crate() {
    let models = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/models"));
    let light = Document::open(models.join("traffic_light.xml")).unwrap();
    let mut steps: Vec<Step> = (0..12).map(|number| (None, 700 + 300 * number)).collect();
    steps.insert(4, event("input", "interrupt", Vec::new(), 10));
    steps.insert(8, event("input", "interrupt", Vec::new(), 10));
    same_from_each_step_on(&light, &steps);
    let counter = Document::open(models.join("counter.xml")).unwrap();
    let steps: Vec<Step> = (0..6)
        .map(|number: i64| match number % 3 {
            2 => event("input", "show", Vec::new(), 5),
            _ => event("input", "add", vec![number.into()], 5),
        })
        .collect();
    same_from_each_step_on(&counter, &steps);
}

#[test]
fn of_classes_histories_timers_and_code() {
    let document = load(
        r#"<diagram><inport name="in"/><outport name="out"/>
        <class name="Main" default="true">
          <relationships><association name="kids" class="Kid"/></relationships>
          <attribute name="seen" init-value="[]"/>
          <scxml initial="a" internal_event_lifeline="next_combo_step">
            <state id="a" initial="x"><history id="h" type="deep"/>
              <state id="x"><transition event="go" target="../y/z2"/></state>
              <state id="y"><state id="z1"/><state id="z2"><transition after="0.02" target="../z1"/></state></state>
              <transition event="leave" target="../b"/>
            </state>
            <state id="b"><onentry><raise event="create_and_start_instance" scope="cd"><parameter expr="'kids'"/>
                <parameter expr="None"/><parameter expr="len(self.seen)"/></raise></onentry>
              <transition event="back" target="../a/h"/>
              <transition event="instance_created" target="."><parameter name="link"/>
                <script>self.seen.append(link)</script><raise event="back"/></transition>
              <transition event="noise" target="."><parameter name="n"/><script>self.seen.append(n)</script></transition>
            </state>
          </scxml>
        </class>
        <class name="Kid"><relationships><association name="parent" class="Main"/></relationships><attribute name="n"/>
          <constructor><parameter name="n"/><body>self.n = n</body></constructor>
          <scxml><state id="s"><transition after="0.005 * (self.n + 1)" target=".">
            <script>self.n += 1</script><raise event="noise" target="'parent'"><parameter expr="self.n"/></raise>
            <raise event="tick" port="out"><parameter expr="self.n"/></raise></transition></state></scxml></class>
        </diagram>"#,
    );
    let steps: Vec<Step> = ["go", "leave", "leave", "go", "leave"]
        .into_iter()
        .flat_map(|name| [event("in", name, Vec::new(), 3), (None, 11)])
        .collect();
    same_from_each_step_on(&document, &steps);
}

#[test]
fn a_snapshot_of_another_model_is_refused() {
    let xml = "<diagram><class name=\"C\"><scxml><state id=\"a\"/></scxml></class></diagram>";
    let snapshot = Engine::new(load(xml).model()).unwrap().snapshot();
    let mut engine = Engine::new(load(xml).model()).unwrap();
    let error = engine.restore(&snapshot).unwrap_err().to_string();
    assert_eq!(error, "the snapshot is of another model");
}
