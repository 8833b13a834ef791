//! The line: one story in which all five models do what each is best at, over real sockets or in a simulated network.
//!
//! ```text
//!   operators' consoles (oneline) ──┐        ┌── the page: HTTP and WebSocket (sim-io's, on hyper and tungstenite)
//!                                   ▼        ▼
//!   tool (sim-io) ⇄ HSMS ⇄ host: components on a backplane ⇄ lines over TCP ⇄ controller (statechart from XML)
//! ```
//!
//! * `tool` is simulated: processes, resources, failures; it speaks HSMS as equipment.
//! * `host` drives it, and fans out what happens on a backplane.
//! * `controller` decides what runs, as a statechart that uses sockets by events.
//! * `console` is for operators, `web` for everybody; `people` are those who use them.
//! * `shift` is the story; `real` and `simulated` are the worlds in which it happens; `outcome` checks how it ended.

mod args;
mod clock;
mod console;
mod controller;
mod host;
mod news;
mod outcome;
mod people;
mod plan;
mod real;
mod shift;
mod simulated;
mod story;
mod tally;
mod tls;
mod tool;
mod web;

use std::fmt;
use std::process::ExitCode;
use std::sync::mpsc;
use std::time::Duration;

use clap::Parser;

use args::Args;

/// The program `demo`: reads its command line, runs the shift, and tells by the exit code whether all was well.
pub fn main() -> ExitCode {
    let args = Args::parse();
    let _watchdog = args.limit().map(Watchdog::new);
    let outcome = if args.sim {
        simulated::run(&args)
    } else {
        real::run(&args)
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("demo: {error}");
            ExitCode::FAILURE
        }
    }
}

/// What went wrong, as a text for whoever started the demo.
#[derive(Debug)]
pub(crate) struct Failed(String);

type Outcome<T> = Result<T, Failed>;

impl Failed {
    fn new(what: &str, error: impl fmt::Display) -> Self {
        Self(format!("{what}: {error}"))
    }

    fn text(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Not an error itself, so that every error becomes one by `?`.
impl<E: std::error::Error> From<E> for Failed {
    fn from(error: E) -> Self {
        let mut text = error.to_string();
        let mut source = error.source();
        while let Some(error) = source {
            let more = error.to_string();
            // Some tell their source themselves.
            if !text.contains(&more) {
                text = format!("{text}: {more}");
            }
            source = error.source();
        }
        Self(text)
    }
}

/// Ends the program if it takes too long, whatever it hangs in.
struct Watchdog(#[expect(dead_code, reason = "what it is for is to be dropped")] mpsc::Sender<()>);

impl Watchdog {
    fn new(limit: Duration) -> Self {
        let (alive, ends) = mpsc::channel();
        std::thread::spawn(move || {
            if ends.recv_timeout(limit) == Err(mpsc::RecvTimeoutError::Timeout) {
                eprintln!(
                    "demo: it hangs: nothing has come of it in {} s, and it is ended",
                    limit.as_secs()
                );
                real::exit(3);
            }
        });
        Self(alive)
    }
}
