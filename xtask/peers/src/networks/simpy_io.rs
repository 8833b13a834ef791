//! The original's virtual network, in a Python of its own.

use super::{Distance, Job};
use crate::Outcome;
use crate::cpu::Spent;
use crate::python::SIMPY_IO;
use crate::simulators::simpy::spent;

/// Runs a job.
///
/// # Errors
/// If the work is done wrong.
pub fn run(distance: Distance, job: Job) -> Outcome<Spent> {
    let (job, count) = match job {
        Job::RoundTrips(count) => ("round-trips", count),
        Job::Bulk(bytes) => ("bulk", bytes),
    };
    let distance = match distance {
        Distance::Near => "near",
        Distance::Far => "far",
    };
    let arguments = [job.to_owned(), count.to_string(), distance.to_owned()];
    let [proof, cpu, wall] = SIMPY_IO.numbers(include_str!("../../python/tcp.py"), &arguments)?;
    if proof == count {
        Ok(spent(cpu, wall))
    } else {
        Err(format!("{proof} of {count}").into())
    }
}
