//! What a new connection costs the server: accept, set up, read, notice the end.

use crate::Outcome;
use crate::cpu::{Account, Meter};
use crate::framing::Framing;
use crate::harness::{Comparison, Effort, Extra, Measure, Row, Sample, Unit};
use crate::servers::{Crowd, Job, Progress, Running, mio_loop, net_core, tokio_loop};
use crate::sockets::{self, SETTLE, STALL};
use crate::target::Bound::AtMost;
use crate::target::Target;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Connections of one sample.
const CONNECTIONS: u64 = 3000;
/// Connections that are open at a time; fewer than [`sockets::BACKLOG`], so that none has to wait.
const WAVE: usize = 100;

const TOKIO: &str = "tokio accept, spawn, read";

/// The part of the processor time that went by until the connection was accepted.
pub const OPENING: &str = "of it opening";

/// Makes the table.
///
/// # Errors
/// None.
pub fn build() -> Outcome<Vec<Comparison>> {
    Ok(vec![Comparison {
        name: "accept".into(),
        operation: "connection",
        measure: Measure::Cpu,
        about:
            "3000 connects, in waves of 100 that are held until all are accepted, then closed with RST; both ends on \
                one core; CPU is the server's, from accepting to noticing the end."
                .into(),
        rows: vec![
            row("mio accept, register, read", mio_loop::crowd),
            row("net-core accept, spawn, read", net_core::accept)
                .target(Target::ratio(AtMost(1.35)))
                .target(Target::ratio_to(TOKIO, AtMost(1.05))),
            row(TOKIO, tokio_loop::accept),
        ],
    }])
}

fn row(name: &str, server: Crowd) -> Row {
    Row::new(name, move |effort| sample(server, effort))
}

fn sample(server: Crowd, effort: &Effort) -> Outcome<Sample> {
    let connections = effort.amount(CONNECTIONS);
    let warm_up = connections / 5;
    let progress = Arc::new(Progress::default());
    let seen = Arc::clone(&progress);
    let job = Job {
        connections: usize::try_from(warm_up + connections)?,
        framing: Framing::Line,
    };
    let running = Running::start(move |door| server(door, job, seen))?;
    let mut streams = Vec::with_capacity(WAVE);
    let mut opened = 0;
    let mut waves = |count: u64| -> Outcome<Duration> {
        let mut opening = Duration::ZERO;
        let goal = opened + count;
        while opened < goal {
            let meter = Meter::start(Account::Others)?;
            while streams.len() < WAVE && opened < goal {
                let stream = sockets::connect(running.address)?;
                sockets::reset_on_close(&stream)?;
                streams.push(stream);
                opened += 1;
            }
            reach(&progress.accepted, opened, "accepted")?;
            opening += meter.stop()?.cpu;
            streams.clear();
            reach(&progress.ended, opened, "ended")?;
        }
        Ok(opening)
    };
    // The first ones are not the steady state.
    waves(warm_up)?;
    thread::sleep(SETTLE);
    let meter = Meter::start(Account::Others)?;
    let opening = waves(connections)?;
    let spent = meter.stop()?;
    running.finish()?;
    let opening = Extra {
        name: OPENING,
        unit: Unit::Time,
        value: opening.as_secs_f64() * 1e9 / connections as f64,
    };
    Ok(Sample {
        extras: vec![opening],
        ..Sample::new(connections, spent)
    })
}

/// Waits until a server has counted so far.
///
/// # Errors
/// If it takes longer than [`STALL`].
pub(super) fn reach(counter: &AtomicU64, goal: u64, what: &str) -> Outcome<()> {
    let start = Instant::now();
    loop {
        let count = counter.load(Ordering::Relaxed);
        if count >= goal {
            return Ok(());
        }
        if start.elapsed() > STALL {
            return Err(format!("only {count} of {goal} connections {what}").into());
        }
        thread::sleep(Duration::from_micros(100));
    }
}
