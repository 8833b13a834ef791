//! Ours.

use super::{Done, Model, tally};
use crate::Outcome;
use crate::cpu::Spent;
use net_core::Instant;
use sim_io::{Environment, Until};
use std::time::Duration;

/// Runs a model.
///
/// # Errors
/// If the run fails.
pub fn run(model: &Model) -> Outcome<(Done, Spent)> {
    let env = Environment::new();
    for process in 0..model.processes {
        let (handle, mut delays) = (env.clone(), model.delays(process));
        env.process(async move {
            let env = handle;
            loop {
                env.timeout(Duration::from_nanos(delays.next())).await;
                tally::event(env.now().as_nanos());
            }
        });
    }
    run_until(&env, Instant::from_nanos(model.warm))?;
    let meter = tally::start()?;
    run_until(&env, Instant::from_nanos(model.end))?;
    tally::stop(meter)
}

/// Runs an environment; its errors stay on their thread, so this gives their text.
///
/// # Errors
/// Those of the run.
pub fn run_until<U: Until>(env: &Environment, until: U) -> Outcome<U::Output> {
    Ok(env.run_until(until).map_err(|error| error.to_string())?)
}
