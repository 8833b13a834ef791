//! A run can be had again from its seed: clients and servers over bad links, with cut and held paths and crashes.
//!
//! ```text
//! cargo run -p sim-io --example replay -- [SEED]         prints the log of the run, and the hash of its steps
//! cargo run -p sim-io --example replay -- SEED --twice   runs it twice; exits with 1 if the runs differ
//! ```
//!
//! Without a seed it is 1.

mod scenario;

use std::cell::RefCell;
use std::io::{self, BufWriter, Write};
use std::process::ExitCode;
use std::rc::Rc;

use scenario::Outcome;

fn main() -> ExitCode {
    let (mut seed, mut twice) = (None, false);
    for argument in std::env::args().skip(1) {
        match argument.parse() {
            Ok(number) if seed.is_none() => seed = Some(number),
            _ if argument == "--twice" => twice = true,
            _ => {
                eprintln!("usage: replay [SEED] [--twice]");
                return ExitCode::from(2);
            }
        }
    }
    let seed = seed.unwrap_or(1);
    let result = if twice { compare(seed) } else { print(seed) };
    match result {
        Ok(code) => code,
        // Who read it has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("replay: {error}");
            ExitCode::from(2)
        }
    }
}

fn print(seed: u64) -> io::Result<ExitCode> {
    let (outcome, lines) = record(seed);
    let mut out = BufWriter::new(io::stdout().lock());
    for line in &lines {
        writeln!(out, "{line}")?;
    }
    let done = outcome.rounds.iter().filter(|round| round.ends_with("done")).count();
    let stats = outcome.stats;
    writeln!(
        out,
        "seed {seed}: {done} of {} rounds done; {} packets, {} lost, {} times sent again",
        outcome.rounds.len(),
        stats.packets,
        stats.lost,
        stats.retransmissions
    )?;
    writeln!(out, "trace hash {:016x}", outcome.trace_hash)?;
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

fn compare(seed: u64) -> io::Result<ExitCode> {
    let ((first, lines), (second, again)) = (record(seed), record(seed));
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "trace hash {:016x}\ntrace hash {:016x}",
        first.trace_hash, second.trace_hash
    )?;
    if first == second && lines == again {
        writeln!(out, "seed {seed}: both runs are the same")?;
        return Ok(ExitCode::SUCCESS);
    }
    // A log that goes on where the other one has ended differs there, too.
    let same = lines.iter().zip(&again).take_while(|(a, b)| a == b).count();
    let line = |lines: &[String]| lines.get(same).map_or("the end", |line| line.as_str()).to_owned();
    writeln!(
        out,
        "seed {seed}: the logs are the same for {same} lines, then there is"
    )?;
    writeln!(out, "  {}\n  {}", line(&lines), line(&again))?;
    Ok(ExitCode::from(1))
}

/// A run, and its log.
fn record(seed: u64) -> (Outcome, Vec<String>) {
    let lines = Rc::new(RefCell::new(Vec::new()));
    let log = Rc::clone(&lines);
    let outcome = scenario::run(seed, Some(Rc::new(move |line| log.borrow_mut().push(line.to_string()))));
    (outcome, lines.take())
}
