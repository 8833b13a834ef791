//! The program `statechart`: runs, checks, tests and draws model files.

mod args;
mod draw;
mod run;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use args::{Action, Arguments};
use clap::Parser;
use statechart_bridge::Document;

/// A model was refused, a test failed, or the model could not run.
const FAILED: u8 = 1;
/// The command line makes no sense.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    match Arguments::parse().action {
        Action::Run(arguments) => run::run(&arguments),
        Action::Check { models } => check(&models),
        Action::Test { models } => test(&models),
        Action::Draw(arguments) => draw::run(&arguments),
    }
}

/// A line on standard output; nobody reading it is no error.
fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// A line on standard error; nobody reading it is no error either.
fn tell(line: impl std::fmt::Display) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Tells an error on standard error.
fn failed(text: impl std::fmt::Display) -> ExitCode {
    tell(format_args!("statechart: {text}"));
    ExitCode::from(FAILED)
}

/// Tells a mistake on the command line.
fn misused(text: &str) -> ExitCode {
    tell(format_args!(
        "statechart: {text}\n\nFor more information, try '--help'."
    ));
    ExitCode::from(USAGE)
}

/// Reads a model, and tells what is doubtful in it.
fn open(path: &Path) -> Result<Document, ExitCode> {
    let document = Document::open(path).map_err(|error| {
        tell(&error);
        ExitCode::from(FAILED)
    })?;
    for warning in document.model().warnings() {
        tell(format_args!("warning: {warning}"));
    }
    Ok(document)
}

fn check(models: &[PathBuf]) -> ExitCode {
    let mut code = ExitCode::SUCCESS;
    for path in models {
        match open(path) {
            Ok(document) => {
                let count = document.model().classes().count();
                let classes = if count == 1 { "class" } else { "classes" };
                say(&format!("{}: ok, {count} {classes}", path.display()));
            }
            Err(refused) => code = refused,
        }
    }
    code
}

fn test(models: &[PathBuf]) -> ExitCode {
    let (mut passed, mut failures) = (0, 0);
    for path in models {
        let Ok(document) = open(path) else {
            failures += 1;
            continue;
        };
        let reports = document.run_tests();
        if reports.is_empty() {
            say(&format!("{}: no tests", path.display()));
        }
        for report in reports {
            if report.passed() {
                passed += 1;
                say(&format!("{}: {report}", path.display()));
            } else {
                failures += 1;
                // It names its place.
                say(&report.to_string());
            }
        }
    }
    say(&format!("{passed} passed, {failures} failed"));
    if failures == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(FAILED)
    }
}
