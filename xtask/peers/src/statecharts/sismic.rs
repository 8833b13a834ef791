//! Sismic, in a Python of its own.

use super::Way;
use crate::Outcome;
use crate::cpu::Spent;
use crate::python::SISMIC;
use crate::simulators::simpy::spent;

/// Runs it.
///
/// # Errors
/// If the script fails.
pub fn run(way: Way, count: u64) -> Outcome<(u64, Spent)> {
    let way = match way {
        Way::Bare => "plain",
        Way::Ports => "ports",
        Way::Scripted => "scripted",
    };
    let script = include_str!("../../python/sismic_toggle.py");
    let [fired, cpu, wall] = SISMIC.numbers(script, &[way.to_owned(), count.to_string()])?;
    Ok((fired, spent(cpu, wall)))
}

/// Bytes by which a process grows for each of so many machines.
///
/// # Errors
/// If the script fails.
pub fn memory(count: u64) -> Outcome<f64> {
    let script = include_str!("../../python/sismic_memory.py");
    let [bytes] = SISMIC.numbers(script, &[count.to_string()])?;
    Ok(bytes as f64)
}
