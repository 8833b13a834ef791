//! `cargo xtask bench`: the crates beside the named peers, measured in one run.
//!
//! The peers are a package of their own, outside the workspace, so that nobody compiles them by accident.

use std::env;
use std::process::ExitCode;

use crate::{Outcome, child, workspace};

/// Builds the benchmarks and runs them with the user's arguments.
pub(crate) fn run(arguments: &[String]) -> Outcome<ExitCode> {
    let manifest = "xtask/peers/Cargo.toml";
    if !workspace::root().join(manifest).is_file() {
        return Err(format!("{manifest} is missing: the benchmarks live there"));
    }
    println!("Building the benchmarks and their peers, optimised; the first time this takes several minutes.");
    let mut command = child::cargo();
    if env::var_os("CARGO_TARGET_DIR").is_none() {
        command.env("CARGO_TARGET_DIR", "target/peers");
    }
    command
        .args(["run", "--release", "--manifest-path", manifest, "--"])
        .args(arguments);
    child::hand_over(&mut command)
}
