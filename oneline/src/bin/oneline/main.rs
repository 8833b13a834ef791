//! The program `oneline`: a line server and a client for the command line.

mod args;
mod connect;
mod exec;
mod log;
mod serve;
mod shell;

use std::process::ExitCode;

use args::Action;

/// Everything that the program does on the network went wrong: it could not listen or connect, or the link was lost.
const FAILED: u8 = 1;
/// The command line makes no sense.
const USAGE: u8 = 2;
/// A reply did not come in time.
const TIMEOUT: u8 = 3;
/// Ctrl-C, as shells tell it.
const INTERRUPTED: u8 = 130;

fn main() -> ExitCode {
    let action = args::parse();
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&format!("the runtime can't start: {error}")),
    };
    let code = match action {
        Action::Serve(serve) => serve::run(&runtime, *serve),
        Action::Connect(connect) => connect::run(&runtime, &connect),
    };
    // A thread may still wait for input that never comes.
    runtime.shutdown_background();
    code
}

/// Tells an error on standard error.
fn failed(text: &str) -> ExitCode {
    eprintln!("oneline: {text}");
    ExitCode::from(FAILED)
}

/// Tells a mistake on the command line.
fn misused(text: &str) -> ExitCode {
    eprintln!("oneline: {text}\n\nFor more information, try '--help'.");
    ExitCode::from(USAGE)
}
