//! Packets and messages: how many round trips in a second, simulated and real, one at a time and 64 in flight.

use crate::Outcome;
use crate::channels::{Job, Level, by_hand, ours, simpy_io};
use crate::cpu::Spent;
use crate::harness::{Comparison, Measure, Row, Sample};
use crate::networks::Distance;
use crate::python::SIMPY_IO;
use crate::target::Bound::AtLeast;
use crate::target::Target;
use sim_io::reactor::Poller;

/// How many are in flight.
const FLIGHTS: [u64; 2] = [1, 64];
/// Round trips of a full sample of ours, simulated.
const SIMULATED: u64 = 500_000;
/// By how much the original gets fewer.
const FEWER: u64 = 25;
/// Round trips of a full sample over real sockets, for one in flight and for more.
const REAL: [u64; 2] = [20_000, 200_000];
/// The same for the original, which leaves Nagle on: with many in flight it waits for delayed acknowledgements.
const REAL_ORIGINAL: [u64; 2] = [10_000, 3_200];

/// Makes the tables.
///
/// # Errors
/// None.
pub fn build() -> Outcome<Vec<Comparison>> {
    let mut tables = Vec::new();
    for level in [Level::Packets, Level::Messages] {
        tables.extend(FLIGHTS.map(|flight| simulated(level, flight)));
    }
    for level in [Level::Packets, Level::Messages] {
        tables.extend(FLIGHTS.map(|flight| real(level, flight)));
    }
    Ok(tables)
}

fn simulated(level: Level, flight: u64) -> Comparison {
    let enough = match level {
        Level::Packets => 1e6,
        Level::Messages => 800e3,
    };
    let row = |name: &str, count: u64, run: fn(Job) -> Outcome<Spent>| row(name, level, flight, count, run);
    let about = "On a simulated network without latency; one thread, its own processor time.";
    table("virtual", level, flight, about).with(vec![
        row("simpy.io 0.2.4, virtual", SIMULATED / FEWER, |job| {
            simpy_io::run("near", job)
        })
        .after(|| SIMPY_IO.prepare()),
        row("sim-io", SIMULATED, |job| ours::simulated(Distance::Near, job)).target(Target::figure(AtLeast(enough))),
        row(
            "by hand on tokio's duplex pipe, for comparison",
            SIMULATED,
            by_hand::pipe,
        ),
    ])
}

fn real(level: Level, flight: u64) -> Comparison {
    let many = usize::from(flight > 1);
    // One at a time, and packets always, are to be within 5 % of the loop by hand.
    let target = match level {
        Level::Messages if flight > 1 => Target::figure(AtLeast(500e3)),
        _ => Target::ratio(AtLeast(0.95)),
    };
    let row = |name: &str, count: u64, run: fn(Job) -> Outcome<Spent>| row(name, level, flight, count, run);
    let original = |name: &str, run| row(name, REAL_ORIGINAL[many], run).after(|| SIMPY_IO.prepare());
    let about = "Over loopback; both ends on one thread, its own processor time.";
    table("real", level, flight, about).with(vec![
        row("tokio, current thread, by hand", REAL[many], by_hand::real),
        row("sim-io, mio", REAL[many], |job| ours::real(Poller::Mio, job)).target(target),
        original("simpy.io 0.2.4, epoll", |job| simpy_io::run("epoll", job)),
        original("simpy.io 0.2.4, select", |job| simpy_io::run("select", job)),
    ])
}

/// A table without its rows.
fn table(place: &str, level: Level, flight: u64, about: &str) -> Table {
    let (levels, what) = match level {
        Level::Packets => ("packets", "Packets of 4 bytes, echoed"),
        Level::Messages => ("messages", "Requests with the content `ohai` in JSON, echoed"),
    };
    let pace = if flight > 1 {
        format!("{flight} are sent, and then their replies awaited")
    } else {
        "one at a time".to_owned()
    };
    Table {
        name: format!("messages/{place}-{levels}-{flight}"),
        about: format!("{what}; {pace}. {about}"),
    }
}

struct Table {
    name: String,
    about: String,
}

impl Table {
    fn with(self, rows: Vec<Row>) -> Comparison {
        Comparison {
            name: self.name,
            operation: "round trip",
            measure: Measure::Rate,
            about: self.about,
            rows,
        }
    }
}

fn row(name: &str, level: Level, flight: u64, count: u64, run: fn(Job) -> Outcome<Spent>) -> Row {
    Row::new(name, move |effort| {
        // Whole flights.
        let count = (effort.amount(count) / flight).max(1) * flight;
        Ok(Sample::new(count, run(Job { level, count, flight })?))
    })
}
