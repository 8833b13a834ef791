//! The original, in a Python of its own.

use super::{Job, Level};
use crate::Outcome;
use crate::cpu::Spent;
use crate::python::SIMPY_IO;
use crate::simulators::simpy::spent;

/// Runs a job on the original's virtual network (`near`), or on real sockets with the named back-end.
///
/// # Errors
/// If the work is done wrong.
pub fn run(network: &str, job: Job) -> Outcome<Spent> {
    let level = match job.level {
        Level::Packets => "packets",
        Level::Messages => "messages",
    };
    let (count, flight) = (job.count.to_string(), job.flight.to_string());
    let arguments = [level.to_owned(), count, flight, network.to_owned()];
    let [proof, cpu, wall] = SIMPY_IO.numbers(include_str!("../../python/messages.py"), &arguments)?;
    if proof == job.count {
        Ok(spent(cpu, wall))
    } else {
        Err(format!("{proof} round trips of {}", job.count).into())
    }
}
