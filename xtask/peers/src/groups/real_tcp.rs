//! Real sockets with both ends on one thread: processes of an environment, tasks of tokio, the original's processes.

use crate::Outcome;
use crate::cpu::Spent;
use crate::harness::{Comparison, Measure, Row, Sample};
use crate::networks::{Job, real};
use crate::python::SIMPY_IO;
use crate::target::Bound::AtLeast;
use crate::target::Target;
use sim_io::reactor::Poller;

const MIO: &str = "raw mio";
/// Round trips of a full sample.
const ROUND_TRIPS: u64 = 20_000;
/// Megabytes of a full sample.
const MEGABYTES: u64 = 500;
/// Ours, by what it waits with.
const POLLERS: [(&str, Poller); 3] = [
    ("sim-io, mio", Poller::Mio),
    ("sim-io, poll", Poller::Poll),
    ("sim-io, select", Poller::Select),
];
const BACKENDS: [(&str, &str); 3] = [
    ("simpy.io 0.2.4, epoll", "epoll"),
    ("simpy.io 0.2.4, poll", "poll"),
    ("simpy.io 0.2.4, select", "select"),
];

/// Makes the tables.
///
/// # Errors
/// None.
pub fn build() -> Outcome<Vec<Comparison>> {
    let mut round_trips = vec![trips("tokio, current thread", real::tokio)];
    let mut bulk = vec![megabytes("tokio, current thread", real::tokio)];
    for (name, poller) in POLLERS {
        // Within 5 % of tokio, on each of them.
        let enough = Target::ratio(AtLeast(0.95));
        let mut row = trips(name, move |job| real::sim_io(poller, job)).target(enough);
        if poller == Poller::Mio {
            row = row.target(Target::ratio_to(MIO, AtLeast(0.96)));
        }
        round_trips.push(row);
        bulk.push(megabytes(name, move |job| real::sim_io(poller, job)).target(enough));
    }
    round_trips.push(trips(MIO, real::mio));
    for (name, backend) in BACKENDS {
        let run = move |job| real::original(backend, job);
        round_trips.push(trips(name, run).after(|| SIMPY_IO.prepare()));
        bulk.push(megabytes(name, run).after(|| SIMPY_IO.prepare()));
    }
    Ok(vec![
        Comparison {
            name: "real-tcp/round-trip".into(),
            operation: "round trip",
            measure: Measure::Rate,
            about:
                "4 bytes there and back over loopback, one at a time; both ends on one thread, its own processor time."
                    .into(),
            rows: round_trips,
        },
        Comparison {
            name: "real-tcp/bulk".into(),
            operation: "MB",
            measure: Measure::Rate,
            about:
                "One way over loopback, in writes and reads of 64 KiB; both ends on one thread, its own processor time."
                    .into(),
            rows: bulk,
        },
    ])
}

fn trips(name: &str, run: impl Fn(Job) -> Outcome<Spent> + 'static) -> Row {
    Row::new(name, move |effort| {
        let count = effort.amount(ROUND_TRIPS);
        Ok(Sample::new(count, run(Job::RoundTrips(count))?))
    })
}

fn megabytes(name: &str, run: impl Fn(Job) -> Outcome<Spent> + 'static) -> Row {
    Row::new(name, move |effort| {
        let megabytes = effort.amount(MEGABYTES);
        Ok(Sample::new(megabytes, run(Job::Bulk(megabytes * 1_000_000))?))
    })
}
