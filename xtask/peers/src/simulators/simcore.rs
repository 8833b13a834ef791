//! simcore: asynchronous tasks, and components with events.

use super::{Delays, Done, Model, tally};
use crate::Outcome;
use crate::cpu::Spent;
use serde::Serialize;
use simcore::{Event, EventHandler, Simulation, SimulationContext};
use std::cell::RefCell;
use std::rc::Rc;

/// Runs a model of asynchronous tasks that sleep.
///
/// # Errors
/// If the system refuses to tell the processor time.
pub fn run_async(model: &Model) -> Outcome<(Done, Spent)> {
    let mut simulation = Simulation::new(1);
    for process in 0..model.processes {
        let mut delays = model.delays(process);
        let context = simulation.create_context(format!("process {process}"));
        simulation.spawn(async move {
            loop {
                context.sleep(delays.next() as f64).await;
                tally::event(context.time() as u64);
            }
        });
    }
    measure(model, simulation)
}

#[derive(Clone, Serialize)]
struct Due;

struct Component {
    context: SimulationContext,
    delays: Delays,
}

impl EventHandler for Component {
    fn on(&mut self, _: Event) {
        tally::event(self.context.time() as u64);
        self.context.emit_self(Due, self.delays.next() as f64);
    }
}

/// Runs a model of components that send events to themselves.
///
/// # Errors
/// If the system refuses to tell the processor time.
pub fn run_callbacks(model: &Model) -> Outcome<(Done, Spent)> {
    let mut simulation = Simulation::new(1);
    for process in 0..model.processes {
        let mut delays = model.delays(process);
        let name = format!("process {process}");
        let context = simulation.create_context(&name);
        context.emit_self(Due, delays.next() as f64);
        simulation.add_handler(&name, Rc::new(RefCell::new(Component { context, delays })));
    }
    measure(model, simulation)
}

fn measure(model: &Model, mut simulation: Simulation) -> Outcome<(Done, Spent)> {
    simulation.step_until_time(model.warm as f64);
    let meter = tally::start()?;
    simulation.step_until_time(model.end as f64);
    tally::stop(meter)
}
