//! `cargo xtask soak`: all models at once, with faults, for a long time.

use std::process::{Command, ExitCode};

use crate::{Outcome, child};

/// Runs the soak with the user's arguments, input and output, and passes its exit code on.
pub(crate) fn run(arguments: &[String]) -> Outcome<ExitCode> {
    println!("Building the soak; the first time this takes a minute or so.");
    child::hand_over(command().args(arguments))
}

/// The soak's command line, to which its arguments are added.
pub(crate) fn command() -> Command {
    let mut command = child::cargo();
    command.args(["run", "--package", "examples", "--bin", "soak", "--"]);
    command
}
