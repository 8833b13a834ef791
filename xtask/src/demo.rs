//! `cargo xtask demo`: the models work together, in front of the user's eyes.

use std::process::{Command, ExitCode};

use crate::{Outcome, child};

/// Runs the demo with the user's own input and output, and passes its exit code on.
pub(crate) fn run(arguments: &[String]) -> Outcome<ExitCode> {
    println!("Building the demo; the first time this takes a minute or so.");
    child::hand_over(command().args(arguments))
}

/// The demo's command line, to which its arguments are added.
///
/// Unoptimised: somebody who tries it on a fresh clone waits for the compiler, not for the demo.
pub(crate) fn command() -> Command {
    let mut command = child::cargo();
    command.args(["run", "--package", "examples", "--bin", "demo", "--"]);
    command
}
