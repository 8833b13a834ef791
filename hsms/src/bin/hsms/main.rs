//! The program `hsms`: equipment, a host, a ping, a decoder and a tap for the command line.

mod args;
mod connect;
mod decode;
mod listen;
mod ping;
mod shell;
mod show;
mod signal;
mod tap;
mod tls;

use std::process::ExitCode;

use args::{Action, Arguments};
use clap::Parser;

/// Everything that the program does on the network went wrong: it could not listen, connect or select.
const FAILED: u8 = 1;
/// The command line makes no sense.
const USAGE: u8 = 2;
/// A request has no reply, or a linktest no answer; or a recording has faults.
const UNANSWERED: u8 = 3;
/// Ctrl-C, as shells tell it.
const INTERRUPTED: u8 = 130;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    log(arguments.verbose);
    // Connections live on a thread of their own: while a user types, linktests are answered.
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = match builder.worker_threads(1).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&format!("the runtime can't start: {error}")),
    };
    let code = match arguments.action {
        Action::Listen(listen) => runtime.block_on(listen::run(&listen)),
        Action::Connect(connect) => connect::run(&runtime, &connect),
        Action::Ping(ping) => runtime.block_on(ping::run(&ping)),
        Action::Decode(decode) => decode::run(&decode),
        Action::Tap(tap) => runtime.block_on(tap::run(&tap)),
    };
    // A thread may still wait for input that never comes.
    runtime.shutdown_background();
    code
}

/// Tells an error on standard error.
fn failed(text: &str) -> ExitCode {
    eprintln!("hsms: {text}");
    ExitCode::from(FAILED)
}

/// Tells a mistake on the command line.
fn misused(text: &str) -> ExitCode {
    eprintln!("hsms: {text}\n\nFor more information, try '--help'.");
    ExitCode::from(USAGE)
}

fn log(verbose: u8) {
    let filter = match verbose {
        0 => return,
        1 => "hsms=debug,net_core=info",
        _ => "hsms=trace,net_core=debug",
    };
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    // There is no other yet.
    let _ = subscriber.try_init();
}
