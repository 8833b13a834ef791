//! Random charts: the engine does what a plain interpreter does, and a snapshot at any step changes nothing.

#[path = "reference/interpreter.rs"]
mod interpreter;
#[path = "reference/spec.rs"]
mod spec;

use std::time::Duration;

use interpreter::{Interpreter, MOST};
use proptest::prelude::*;
use spec::{Choices, EVENTS, Spec};
use statechart_bridge::{Engine, Event, InstanceId, Limits, Model, OutputQueue};

const FIRST: InstanceId = InstanceId::new(1);

fn engine(model: &Model) -> Engine {
    let mut limits = Limits::default();
    limits.small_steps = MOST;
    Engine::builder(model)
        .limits(limits)
        .build()
        .expect("there is no constructor")
}

/// What comes from outside.
#[derive(Clone, Copy, Debug)]
enum Stimulus {
    Event(&'static str),
    Time(u64),
}

fn stimuli(choices: &mut Choices) -> Vec<Stimulus> {
    let count = 4 + choices.below(12);
    (0..count)
        .map(|_| match choices.below(4) {
            0 => Stimulus::Time(1 + choices.below(4) as u64),
            _ => Stimulus::Event(EVENTS[choices.below(EVENTS.len())]),
        })
        .collect()
}

fn apply(engine: &mut Engine, stimulus: Stimulus) {
    match stimulus {
        Stimulus::Event(name) => engine.input(Event::new(name).on("in")).expect("the port exists"),
        Stimulus::Time(time) => engine.advance(Duration::from_millis(time)),
    }
}

fn said(outputs: &OutputQueue) -> Vec<String> {
    std::iter::from_fn(|| outputs.try_fetch())
        .map(|output| output.event.name().to_string())
        .collect()
}

fn leaves(engine: &Engine) -> Vec<String> {
    engine.states(FIRST)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, max_global_rejects: 20_000, ..ProptestConfig::default() })]

    #[test]
    fn the_engine_does_what_the_plain_interpreter_does(numbers in prop::collection::vec(any::<u16>(), 60..260)) {
        let mut choices = Choices(numbers.into_iter());
        let stimuli = stimuli(&mut choices);
        let spec = Spec::random(&mut choices);
        let Some(model) = spec.model() else {
            return Err(TestCaseError::reject("targets that can't be active together"));
        };
        let mut engine = engine(&model);
        let outputs = engine.output_queue(&["out"]);
        engine.start();
        let mut plain = Interpreter::start(&spec);
        if plain.endless {
            return Ok(());
        }
        prop_assert_eq!(said(&outputs), std::mem::take(&mut plain.said), "at the start of {:#?}", spec);
        for (number, stimulus) in stimuli.iter().enumerate() {
            apply(&mut engine, *stimulus);
            match stimulus {
                Stimulus::Event(name) => plain.input(name),
                Stimulus::Time(time) => plain.advance(*time),
            }
            if plain.endless {
                let before = (said(&outputs), leaves(&engine)).1;
                apply(&mut engine, *stimulus);
                prop_assert_eq!((said(&outputs), leaves(&engine)), (Vec::new(), before), "it has stopped for good");
                return Ok(());
            }
            let wanted = std::mem::take(&mut plain.said);
            prop_assert_eq!(said(&outputs), wanted, "after {} of {:?} in {:#?}", number, stimuli, spec);
            let active: Vec<_> = plain.active.iter().map(|state| spec.nodes[*state].path.clone()).collect();
            prop_assert_eq!(leaves(&engine), active);
        }
    }

    #[test]
    fn a_snapshot_at_any_step_goes_on_in_the_same_way(numbers in prop::collection::vec(any::<u16>(), 60..260)) {
        let mut choices = Choices(numbers.into_iter());
        let stimuli = stimuli(&mut choices);
        let spec = Spec::random(&mut choices);
        let Some(model) = spec.model() else {
            return Err(TestCaseError::reject("targets that can't be active together"));
        };
        let mut engine = engine(&model);
        let outputs = engine.output_queue(&["out"]);
        engine.start();
        let mut snapshots = vec![engine.snapshot()];
        said(&outputs);
        let mut straight = Vec::new();
        for stimulus in &stimuli {
            apply(&mut engine, *stimulus);
            snapshots.push(engine.snapshot());
            straight.push((said(&outputs), leaves(&engine)));
        }
        for (start, snapshot) in snapshots.iter().enumerate() {
            // One engine that has gone on meanwhile, and a new one.
            let mut other = self::engine(&model);
            let others = other.output_queue(&["out"]);
            engine.restore(snapshot).unwrap();
            other.restore(snapshot).unwrap();
            for (stimulus, wanted) in stimuli.iter().zip(&straight).skip(start) {
                apply(&mut engine, *stimulus);
                apply(&mut other, *stimulus);
                prop_assert_eq!(&(said(&outputs), leaves(&engine)), wanted);
                prop_assert_eq!(&(said(&others), leaves(&other)), wanted);
            }
        }
    }
}
