//! What a new connection costs the server: accept, set up, read, notice the end.

use crate::Outcome;
use crate::cpu::{Account, Meter};
use crate::framing::Framing;
use crate::harness::{Comparison, Effort, Measure, Row, Sample};
use crate::servers::{Crowd, Job, Progress, Running, mio_loop, tokio_loop};
use crate::sockets::{self, SETTLE, STALL};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Connections of one sample; fewer than [`sockets::BACKLOG`], so that none has to wait.
const CONNECTIONS: u64 = 3000;

/// Makes the table.
///
/// # Errors
/// None.
pub fn build() -> Outcome<Vec<Comparison>> {
    Ok(vec![Comparison {
        name: "accept".into(),
        operation: "connection",
        measure: Measure::Cpu,
        about: "3000 connects, all held, then all closed with RST; both ends on one core; CPU is the server's, from \
                accepting to noticing the end."
            .into(),
        rows: vec![
            row("mio accept, register, read", mio_loop::crowd),
            row("tokio accept, spawn, read", tokio_loop::accept),
        ],
    }])
}

fn row(name: &str, server: Crowd) -> Row {
    Row::new(name, move |effort| sample(server, effort))
}

fn sample(server: Crowd, effort: &Effort) -> Outcome<Sample> {
    let connections = effort.amount(CONNECTIONS);
    let progress = Arc::new(Progress::default());
    let seen = Arc::clone(&progress);
    let job = Job {
        connections: usize::try_from(connections)?,
        framing: Framing::Line,
    };
    let running = Running::start(move |door| server(door, job, seen))?;
    thread::sleep(SETTLE);
    let mut streams = Vec::with_capacity(job.connections);
    let meter = Meter::start(Account::Others)?;
    for _ in 0..connections {
        let stream = sockets::connect(running.address)?;
        sockets::reset_on_close(&stream)?;
        streams.push(stream);
    }
    reach(&progress.accepted, connections, "accepted")?;
    drop(streams);
    reach(&progress.ended, connections, "ended")?;
    let spent = meter.stop()?;
    running.finish()?;
    Ok(Sample::new(connections, spent))
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
        thread::sleep(Duration::from_millis(1));
    }
}
