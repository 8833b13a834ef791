//! `cargo xtask demo`: the models work together, in front of the user's eyes.

use std::process::{Command, ExitCode};
use std::time::Duration;

use crate::{Outcome, child};

/// How long a simulated shift may take, the compiler included; it takes seconds.
const LIMIT: Duration = Duration::from_secs(900);

/// Runs the demo with the user's own input and output, and passes its exit code on.
pub(crate) fn run(arguments: &[String]) -> Outcome<ExitCode> {
    println!("Building the demo; the first time this takes a minute or so.");
    child::hand_over(command().args(arguments))
}

/// Over real sockets once; and simulated twice with the same seed, which must tell the same story.
pub(crate) fn check() -> Outcome<()> {
    child::stream(&mut command())?;
    let simulated = || child::capture(command().args(["--sim", "--seed", "8"]), LIMIT);
    let (first, second) = (simulated()?, simulated()?);
    let other = first.lines().zip(second.lines()).find(|(one, other)| one != other);
    match other {
        _ if first == second => {
            println!("demo --sim --seed 8, twice: the same {} lines", first.lines().count());
            Ok(())
        }
        Some((one, other)) => Err(format!("demo --sim --seed 8 told two stories: {one:?} and {other:?}")),
        None => Err("demo --sim --seed 8 told one story longer than the other".to_owned()),
    }
}

/// The demo's command line, to which its arguments are added.
///
/// Unoptimised: somebody who tries it on a fresh clone waits for the compiler, not for the demo.
fn command() -> Command {
    let mut command = child::cargo();
    command.args(["run", "--package", "examples", "--bin", "demo", "--"]);
    command
}
