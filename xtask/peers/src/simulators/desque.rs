//! desque: callbacks, a boxed event each.

use super::{Delays, Done, Model, tally};
use crate::Outcome;
use crate::cpu::Spent;
use desque::SimState;
use desque::serial::{OkEvent, Simulation};

struct State {
    end: u64,
    delays: Vec<Delays>,
}

impl SimState<u64> for State {
    fn is_complete(&self, now: &u64) -> bool {
        *now >= self.end
    }
}

#[derive(Debug)]
struct Due {
    process: usize,
}

impl OkEvent<State, u64> for Due {
    fn execute(&mut self, simulation: &mut Simulation<State, u64>) {
        let now = *simulation.current_time();
        let state = simulation.state_mut();
        // It looks whether the run is complete before it takes an event, so the first one that is too late happens, too.
        if now < state.end {
            tally::event(now);
        }
        let at = now + state.delays[self.process].next();
        let process = self.process;
        simulation
            .schedule(Self { process }, at)
            .expect("what is scheduled is in the future");
    }
}

/// Runs a model.
///
/// # Errors
/// If the run fails.
pub fn run(model: &Model) -> Outcome<(Done, Spent)> {
    let delays = (0..model.processes).map(|process| model.delays(process)).collect();
    let mut simulation = Simulation::new(
        State {
            end: model.warm,
            delays,
        },
        0,
    );
    for process in 0..model.processes as usize {
        let at = simulation.state_mut().delays[process].next();
        simulation.schedule(Due { process }, at)?;
    }
    simulation.run()?;
    // One event later than that has happened already; it counts.
    let late = *simulation.current_time();
    simulation.state_mut().end = model.end;
    let meter = tally::start()?;
    tally::event(late);
    simulation.run()?;
    tally::stop(meter)
}
