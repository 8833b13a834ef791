//! What the tests share: an engine whose faults and outputs are kept.

#![allow(dead_code, reason = "each test file uses a part")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use statechart_bridge::{
    Chart, Class, Context, Engine, EngineBuilder, Event, InstanceId, Model, OutputQueue, Raise, State, Transition,
};

/// An engine, what it raised and what went wrong in it.
pub(crate) struct Rig {
    pub(crate) engine: Engine,
    pub(crate) outputs: OutputQueue,
    pub(crate) faults: Arc<Mutex<Vec<String>>>,
    pub(crate) trace: Arc<Mutex<Vec<String>>>,
}

impl Rig {
    pub(crate) fn new(model: &Model) -> Self {
        Self::with(model, |builder| builder)
    }

    pub(crate) fn with(model: &Model, settings: impl FnOnce(EngineBuilder) -> EngineBuilder) -> Self {
        let faults = Arc::new(Mutex::new(Vec::new()));
        let trace = Arc::new(Mutex::new(Vec::new()));
        let (to_faults, to_trace) = (Arc::clone(&faults), Arc::clone(&trace));
        let builder = Engine::builder(model)
            .on_fault(move |fault| to_faults.lock().unwrap().push(fault.to_string()))
            .on_trace(move |entry| to_trace.lock().unwrap().push(entry.to_string()));
        let mut engine = settings(builder).build().expect("the constructor works");
        let outputs = engine.output_queue(&[]);
        engine.start();
        Self {
            engine,
            outputs,
            faults,
            trace,
        }
    }

    /// A rig for one chart, with an inport `in` and an outport `out`.
    pub(crate) fn chart(chart: Chart) -> Self {
        Self::new(&model(chart))
    }

    pub(crate) fn send(&mut self, event: &str) -> &mut Self {
        self.input(Event::new(event))
    }

    pub(crate) fn input(&mut self, event: Event) -> &mut Self {
        self.engine.input(event.on("in")).expect("the port exists");
        self
    }

    pub(crate) fn wait(&mut self, milliseconds: u64) -> &mut Self {
        self.engine.advance(Duration::from_millis(milliseconds));
        self
    }

    /// What was raised on outports since the last call: names, and parameters if there are some.
    pub(crate) fn said(&self) -> String {
        let outputs: Vec<_> = std::iter::from_fn(|| self.outputs.try_fetch())
            .map(|output| output.event.on("").to_string())
            .collect();
        outputs.join(" ")
    }

    /// The innermost active states of the first instance.
    pub(crate) fn leaves(&self) -> String {
        let states = self.engine.states(InstanceId::new(1));
        let inner = |state: &&String| {
            let inside = format!("{}/", state.trim_end_matches('/'));
            !states
                .iter()
                .any(|other| other.len() > state.len() && other.starts_with(&inside))
        };
        states.iter().filter(inner).cloned().collect::<Vec<_>>().join(" ")
    }

    pub(crate) fn faults(&self) -> Vec<String> {
        std::mem::take(&mut *self.faults.lock().unwrap())
    }

    pub(crate) fn trace(&self) -> Vec<String> {
        std::mem::take(&mut *self.trace.lock().unwrap())
    }
}

pub(crate) fn model(chart: Chart) -> Model {
    Model::builder()
        .inport("in")
        .outport("out")
        .class(Class::new("Main").chart(chart))
        .build()
        .expect("the model is right")
}

/// An event on the outport.
pub(crate) fn say(event: &str) -> Raise {
    Raise::output("out", event)
}

/// A state that says when it is entered and left: `+a`, `-a`.
pub(crate) fn loud(id: &str) -> State {
    State::new(id)
        .entering(say(&format!("+{id}")))
        .exiting(say(&format!("-{id}")))
}

/// A parallel that does.
pub(crate) fn loud_parallel(id: &str) -> State {
    State::parallel(id)
        .entering(say(&format!("+{id}")))
        .exiting(say(&format!("-{id}")))
}

/// A transition on an event, to a target.
pub(crate) fn on(event: &str, target: &str) -> Transition {
    Transition::on(event).to(target)
}

/// Adds to the attribute `count`.
pub(crate) fn count(cx: &mut Context<'_>) {
    let next = cx.attribute("count").as_int().unwrap_or(0) + 1;
    cx.set_attribute("count", next);
}
