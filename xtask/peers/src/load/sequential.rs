//! One blocking connection, one frame at a time: how long is a round trip?

use crate::Outcome;
use crate::cpu::{Account, Meter};
use crate::harness::{Effort, Extra, Sample, Unit};
use crate::sockets::{self, SETTLE, STALL};
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::thread;
use std::time::Instant;

/// How many round trips a full sample has.
pub const ROUND_TRIPS: u64 = 20_000;

/// Connects and runs round trips; see [`run_on`].
///
/// # Errors
/// If connecting fails, and those of [`run_on`].
pub fn run(address: SocketAddr, frame: &[u8], account: Account, effort: &Effort) -> Outcome<(Sample, u64)> {
    let stream = sockets::connect(address)?;
    stream.set_read_timeout(Some(STALL))?;
    run_on(stream, frame, account, effort)
}

/// Runs round trips on a blocking connection, and tells the sample (with p50 and p99) and how many there were in all.
///
/// # Errors
/// If something else comes back than was sent, or nothing within its read time limit.
pub fn run_on(
    mut stream: impl Read + Write,
    frame: &[u8],
    account: Account,
    effort: &Effort,
) -> Outcome<(Sample, u64)> {
    thread::sleep(SETTLE);
    let mut reply = vec![0; frame.len()];
    let mut turn = || -> Outcome<()> {
        stream.write_all(frame)?;
        stream.read_exact(&mut reply)?;
        if reply == frame {
            Ok(())
        } else {
            Err("other bytes came back than were sent".into())
        }
    };
    let count = effort.amount(ROUND_TRIPS);
    let warm_up = count / 10;
    for _ in 0..warm_up {
        turn()?;
    }
    let mut times = Vec::with_capacity(usize::try_from(count)?);
    let meter = Meter::start(account)?;
    let mut before = Instant::now();
    for _ in 0..count {
        turn()?;
        let now = Instant::now();
        times.push(now.duration_since(before));
        before = now;
    }
    let spent = meter.stop()?;
    times.sort_unstable();
    let percentile = |percent: usize| times[(times.len() * percent / 100).min(times.len() - 1)].as_secs_f64() * 1e9;
    let extra = |name, percent| Extra {
        name,
        unit: Unit::Time,
        value: percentile(percent),
    };
    let extras = vec![extra("p50", 50), extra("p99", 99)];
    Ok((
        Sample {
            extras,
            ..Sample::new(count, spent)
        },
        warm_up + count,
    ))
}
