//! Runs what belongs to the workspace as a whole: every test, the demo, interoperation with other programs, benchmarks,
//! and the tidiness that no compiler checks.
//!
//! Start with `cargo xtask --help`. One file holds one command (`test_all`, `demo`, `interop`, `bench`, `soak`, `tidy`);
//! what they share is in `flags` (the command line), `step` (results and their table), `child` (other programs, never
//! without a time limit) and `workspace` (what cargo knows about the members).

#![expect(
    clippy::disallowed_methods,
    reason = "a build tool, not part of the network stack: it measures real time and waits for real programs"
)]

mod bench;
mod child;
mod demo;
mod examples;
mod flags;
mod interop;
mod package;
mod python;
mod soak;
mod step;
mod test_all;
mod tidy;
mod workspace;

use std::process::ExitCode;

/// What a command did: `Ok(true)` all is well, `Ok(false)` something failed and was already reported, `Err` says in plain
/// words why the command could not do its work.
type Outcome<T = bool> = Result<T, String>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (name, given) = match flags::parse(&arguments) {
        Ok(flags::Parsed::Help(text)) => {
            print!("{text}");
            return ExitCode::SUCCESS;
        }
        Ok(flags::Parsed::Command(name, given)) => (name, given),
        Err(text) => return failed(&text, ExitCode::from(2)),
    };
    if let Err(text) = check(name, &given) {
        return failed(&text, ExitCode::from(2));
    }
    run(name, &given).unwrap_or_else(|text| failed(&text, ExitCode::FAILURE))
}

fn failed(text: &str, code: ExitCode) -> ExitCode {
    eprintln!("error: {text}");
    code
}

/// Whether the names on the command line mean something.
fn check(name: &str, given: &flags::Given) -> Outcome<()> {
    match name {
        "test-all" => test_all::check(given),
        "interop" => interop::check(given),
        _ => Ok(()),
    }
}

fn run(name: &str, given: &flags::Given) -> Outcome<ExitCode> {
    let done = |well: bool| if well { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    match name {
        "test-all" => test_all::run(given).map(done),
        "demo" => demo::run(&given.names),
        "interop" => interop::run(given).map(done),
        "bench" => bench::run(&given.names),
        "soak" => soak::run(&given.names),
        "tidy" => tidy::run().map(done),
        other => Err(format!("`{other}` is in the table of commands, but nothing runs it")),
    }
}
