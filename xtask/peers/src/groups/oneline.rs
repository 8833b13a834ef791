//! One-line commands: against the Python original, and against the limit.

use super::{echo_row, round_trip_row, round_trip_target};
use crate::Outcome;
use crate::cpu::Account;
use crate::framing::{Framing, LINE};
use crate::harness::{Comparison, Effort, Measure, Row, Sample};
use crate::load::pipelined::{self, Shape};
use crate::load::sequential;
use crate::servers::{mio_loop, net_core, oneline, tokio_framed, tokio_loop};
use crate::sockets;
use crate::target::Bound::{AtLeast, AtMost};
use crate::target::Target;
use std::env;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

const AT_ONCE: &str = "oneline, Handler::at_once";
const ORIGINAL: &str = "Python original 1.2.0";

/// The command of the original's sample programs, echoed.
const COMMAND: &[u8] = b"cmd01\n";
/// Lines of one write of the load.
const BATCH: usize = 1000;
/// Writes in flight. The original leaves Nagle on: with few of them it waits for a delayed acknowledgement, 40 ms, again
/// and again, and one measures that.
const DEPTH: usize = 16;
/// Names another Python than the one that `cargo xtask interop` sets up.
const PYTHON: &str = "PEERS_PYTHON";

/// Makes the tables.
///
/// # Errors
/// None.
pub fn build() -> Outcome<Vec<Comparison>> {
    let line = Framing::Line;
    let batches = batches();
    let window = Shape::new(LINE, 1, 64);
    Ok(vec![
        Comparison {
            name: "oneline/pipelined".into(),
            operation: "command",
            measure: Measure::Rate,
            about:
                "The command cmd01, echoed; 1000 lines in each write of the load, 16 writes in flight. Both ends on \
                    one core; CPU is the server's."
                    .into(),
            rows: vec![
                original(ORIGINAL, original_pipelined),
                echo_row(AT_ONCE, oneline::at_once, line, batches)
                    .target(Target::figure(AtLeast(10e6)))
                    .target(Target::times_better(ORIGINAL, 100.0)),
                echo_row("oneline, Handler::command", oneline::command, line, batches),
                echo_row("oneline, closure", oneline::closure, line, batches),
                echo_row("raw mio", mio_loop::echo, line, batches),
                echo_row("tokio, hand loop", tokio_loop::lent, line, batches),
                echo_row("tokio Framed, LinesCodec, feed", tokio_framed::feed, line, batches),
                echo_row("tokio Framed, LinesCodec, send", tokio_framed::send, line, batches),
            ],
        },
        Comparison {
            name: "oneline/command".into(),
            operation: "command",
            measure: Measure::Cpu,
            about: "16-byte lines, echoed; 1 connection with 64 in flight; both ends on one core; CPU is the server's."
                .into(),
            rows: vec![
                echo_row("raw mio", mio_loop::echo, line, window),
                echo_row(AT_ONCE, oneline::at_once, line, window).target(Target::ratio(AtMost(1.10))),
                echo_row("oneline, Handler::command", oneline::command, line, window),
                echo_row("oneline, closure", oneline::closure, line, window),
                echo_row("net-core, lent frames", net_core::lent, line, window),
                echo_row("tokio, hand loop", tokio_loop::lent, line, window),
            ],
        },
        Comparison {
            name: "oneline/round-trip".into(),
            operation: "round trip",
            measure: Measure::Rate,
            about:
                "The command cmd01, echoed; one at a time. Blocking client; both ends on one core; CPU is the server's."
                    .into(),
            rows: vec![
                round_trip_row("raw mio", mio_loop::echo, line, COMMAND),
                round_trip_target(round_trip_row(
                    "oneline, Handler::command",
                    oneline::command,
                    line,
                    COMMAND,
                )),
                original(ORIGINAL, |server, effort| {
                    Ok(sequential::run(server.address, COMMAND, server.account(), effort)?.0)
                }),
                round_trip_row("tokio, hand loop", tokio_loop::lent, line, COMMAND),
            ],
        },
    ])
}

fn batches() -> Shape {
    Shape {
        batch: BATCH,
        ..Shape::new(COMMAND, 1, DEPTH * BATCH)
    }
}

fn original_pipelined(server: &Original, effort: &Effort) -> Outcome<Sample> {
    let shape = Shape {
        account: server.account(),
        ..batches()
    };
    Ok(pipelined::run(server.address, &shape, effort)?.0)
}

/// A row of the Python original, if it is installed.
fn original(name: &str, run: impl Fn(&Original, &Effort) -> Outcome<Sample> + 'static) -> Row {
    let python = python();
    if !python.exists() {
        return Row::absent(
            name,
            format!("run `cargo xtask interop` first, or name a Python that has it in {PYTHON}"),
        );
    }
    Row::new(name, move |effort| {
        let server = Original::start(&python)?;
        let sample = run(&server, effort)?;
        server.finish()?;
        Ok(sample)
    })
}

fn python() -> PathBuf {
    let of_interop = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/interop/venv/bin/python");
    env::var_os(PYTHON).map_or_else(|| of_interop.into(), PathBuf::from)
}

/// Echoes every command. The original can't tell the port that it bound, so it is given one.
const SCRIPT: &str = "\
import sys, time
from socket_oneline import OnelineServer
server = OnelineServer()
if not server.start(ip_address='127.0.0.1', ip_port=int(sys.argv[1]), callback=lambda command, invalid: server.send(command)):
    sys.exit('the server did not start')
if not server.is_running:
    sys.exit('the server is not running')
print('ready', flush=True)
while server.is_running:
    time.sleep(0.1)
server.term()
";

struct Original {
    address: SocketAddr,
    process: Child,
}

impl Original {
    fn start(python: &PathBuf) -> Outcome<Self> {
        let address = sockets::listen()?.local_addr()?;
        let mut process = Command::new(python)
            .args(["-c", SCRIPT, &address.port().to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let output = process.stdout.take().ok_or("no way from the original")?;
        let server = Self { address, process };
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        if line == "ready\n" {
            Ok(server)
        } else {
            Err("the original did not start".into())
        }
    }

    fn account(&self) -> Account {
        Account::Process(self.process.id().try_into().unwrap_or(0))
    }

    /// Has it stop. The load's connection ended without `disconnect`, after which the original serves nobody else, so
    /// it is told in the hard way.
    fn finish(mut self) -> Outcome<()> {
        self.process.kill()?;
        self.process.wait()?;
        Ok(())
    }
}

impl Drop for Original {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
