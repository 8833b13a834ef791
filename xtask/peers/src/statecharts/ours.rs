//! statechart-bridge: model files; the engine alone, or the runtime that has a clock and is fed from outside.

use super::{PORTS, SCRIPTED, TOGGLE, Way};
use crate::Outcome;
use crate::cpu::{Account, Meter, Spent};
use statechart_bridge::{Document, Engine, Event, InstanceId, Runtime, Value};

/// Inputs between two updates: what a busy controller finds waiting.
const BATCH: u64 = 256;
/// The instance of the default class.
const FIRST: InstanceId = InstanceId::new(1);

/// Runs it.
///
/// # Errors
/// If the machine is not where it should be at the end.
pub fn run(way: Way, count: u64) -> Outcome<(u64, Spent)> {
    match way {
        Way::Bare => bare(count),
        Way::Ports => controller(PORTS, &[], count),
        Way::Scripted => controller(SCRIPTED, &[Value::from(2)], count),
    }
}

fn bare(count: u64) -> Outcome<(u64, Spent)> {
    let document = Document::parse("toggle.xml", TOGGLE)?;
    let mut engine = Engine::new(document.model())?;
    engine.start();
    let flip = engine.event_key("flip");
    let mut fired = 0;
    let meter = Meter::start(Account::ThisThread)?;
    for _ in 0..count {
        fired += u64::from(engine.dispatch(FIRST, flip));
    }
    let spent = meter.stop()?;
    there(&engine, count)?;
    Ok((fired, spent))
}

/// All goes in by a port, and what comes out is fetched.
fn controller(model: &str, parameters: &[Value], count: u64) -> Outcome<(u64, Spent)> {
    let document = Document::parse("model.xml", model)?;
    let runtime = Runtime::new(document.model(), &net_core::Net::os())?;
    let outputs = runtime.output_queue(&["out"]);
    runtime.update();
    let flip = Event::new("flip").on("in").with(parameters.iter().cloned());
    let (mut given, mut done) = (0, 0);
    let meter = Meter::start(Account::ThisThread)?;
    while given < count {
        for _ in 0..BATCH.min(count - given) {
            runtime.add_input(flip.clone())?;
            given += 1;
        }
        runtime.update();
        while outputs.try_fetch().is_some() {
            done += 1;
        }
    }
    let spent = meter.stop()?;
    runtime.with_engine(|engine| there(engine, count))?;
    if !parameters.is_empty() {
        runtime.add_input(Event::new("show").on("in"))?;
        runtime.update();
        let shown = outputs
            .try_fetch()
            .and_then(|output| output.event.parameter(0).as_int());
        done = shown
            .and_then(|shown| shown.try_into().ok())
            .ok_or("no count was shown")?;
    }
    Ok((done, spent))
}

fn there(engine: &Engine, count: u64) -> Outcome<()> {
    let expected = if count.is_multiple_of(2) { "/off" } else { "/on" };
    let states = engine.states(FIRST);
    if states.last().is_some_and(|state| state == expected) {
        Ok(())
    } else {
        Err(format!("after {count} events it is in {states:?}").into())
    }
}
