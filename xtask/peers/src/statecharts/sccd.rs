//! The original: SCCD's compiler and runtime in Python.
//!
//! It is on no package index, so whoever has a copy of it names its folder, the one that holds the package `sccd`.

use super::{PORTS, SCRIPTED, TOGGLE, Way};
use crate::Outcome;
use crate::cpu::Spent;
use crate::python;
use crate::simulators::simpy::spent;
use std::env;
use std::path::Path;

/// Names the folder.
pub const FOLDER: &str = "SCCD_FOLDER";

/// Whether there is one.
///
/// # Errors
/// What to do about it.
pub fn prepare() -> Result<(), String> {
    let folder = env::var(FOLDER).map_err(|_| {
        format!("it is on no package index; set {FOLDER} to a folder with its package `sccd` to have it measured")
    })?;
    if Path::new(&folder).join("sccd/runtime/statecharts_core.py").is_file() {
        Ok(())
    } else {
        Err(format!(
            "{FOLDER}={folder}: there is no sccd/runtime/statecharts_core.py in it"
        ))
    }
}

/// Runs it.
///
/// # Errors
/// If the script fails.
pub fn run(way: Way, count: u64) -> Outcome<(u64, Spent)> {
    let (model, way) = match way {
        Way::Bare => (TOGGLE, "core"),
        Way::Ports => (PORTS, "controller"),
        Way::Scripted => (SCRIPTED, "controller"),
    };
    let arguments = [env::var(FOLDER)?, model.to_owned(), way.to_owned(), count.to_string()];
    let script = include_str!("../../python/sccd_toggle.py");
    let [done, cpu, wall] = python::plain_numbers(script, &arguments)?;
    Ok((done, spent(cpu, wall)))
}
