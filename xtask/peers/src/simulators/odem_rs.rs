//! odem-rs: asynchronous jobs in an intrusive calendar.

use super::{Done, Model, tally};
use crate::Outcome;
use crate::cpu::Spent;
use odem_rs::prelude::*;
use std::pin::pin;

#[derive(Config, Default)]
#[time(u64)]
struct Ticks;

/// Runs a model.
///
/// # Errors
/// If the run ends too early.
pub fn run(model: &Model) -> Outcome<(Done, Spent)> {
    let simulator = Simulator::new(Ticks);
    let outcome = simulator.run(async |sim: &Sim<Ticks>| {
        let jobs = pin!(Pool::with_capacity(model.processes as usize));
        for process in 0..model.processes {
            let mut delays = model.delays(process);
            let job = Job::new(async move {
                loop {
                    sim.advance(delays.next()).await;
                    tally::event(sim.now());
                }
            });
            sim.activate(jobs.alloc(job));
        }
        sim.advance_to(model.warm).await;
        let meter = tally::start()?;
        sim.advance_to(model.end).await;
        tally::stop(meter)
    });
    outcome.map_err(|deadlock| deadlock.to_string())?
}
