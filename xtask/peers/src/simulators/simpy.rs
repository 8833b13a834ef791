//! SimPy, in a Python of its own.

use super::{Done, Model, Wait};
use crate::Outcome;
use crate::cpu::Spent;
use crate::python::SIMPY;
use std::time::Duration;

/// Runs a model.
///
/// # Errors
/// If the script fails.
pub fn run(model: &Model) -> Outcome<(Done, Spent)> {
    let wait = match model.wait {
        Wait::Random => "random",
        Wait::Unit => "unit",
        Wait::Own => "own",
    };
    let arguments = [
        model.processes.to_string(),
        wait.to_owned(),
        model.warm.to_string(),
        model.end.to_string(),
    ];
    let [events, times, cpu, wall] = SIMPY.numbers(include_str!("../../python/timeouts.py"), &arguments)?;
    Ok((Done { events, times }, spent(cpu, wall)))
}

/// What a script says that it took, in nanoseconds.
#[must_use]
pub fn spent(cpu: u64, wall: u64) -> Spent {
    Spent {
        cpu: Duration::from_nanos(cpu),
        wall: Duration::from_nanos(wall),
        allocations: None,
    }
}
