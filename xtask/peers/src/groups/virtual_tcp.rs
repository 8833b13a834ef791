//! A simulated network: how many round trips, and how many bytes, in a second of real time.

use crate::Outcome;
use crate::harness::{Comparison, Measure, Row, Sample};
use crate::networks::{Distance, Job, Run, duplex, sim_io, simpy_io, turmoil, turmoil_net};
use crate::python::SIMPY_IO;
use crate::target::Bound::AtLeast;
use crate::target::Target;

const TURMOIL: &str = "turmoil 0.7";
const TURMOIL_NET: &str = "turmoil-net 0.1";
const ORIGINAL: &str = "simpy.io 0.2.4, virtual";

/// Round trips of a full sample of ours. What is slower gets fewer.
const ROUND_TRIPS: u64 = 500_000;
/// Megabytes of a full sample of ours.
const MEGABYTES: u64 = 2_000;

/// Makes the tables.
///
/// # Errors
/// None.
pub fn build() -> Outcome<Vec<Comparison>> {
    let near = Distance::Near;
    let far = Distance::Far;
    let ours = || Target::figure(AtLeast(2e6));
    Ok(vec![
        round_trips(
            "virtual-tcp/near",
            "no latency, or the least that the simulator has",
            vec![
                row(TURMOIL_NET, turmoil_net::run, near, 5),
                row("sim-io", sim_io::run, near, 1)
                    .target(ours())
                    .target(Target::times_better(TURMOIL_NET, 4.0)),
                row(TURMOIL, turmoil::run, near, 5),
                row(ORIGINAL, simpy_io::run, near, 20).after(|| SIMPY_IO.prepare()),
                row("tokio's duplex pipe, for comparison", duplex::run, near, 1),
            ],
        ),
        round_trips(
            "virtual-tcp/far",
            "0 to 100 ms of latency, at random for each packet",
            vec![
                row(TURMOIL, turmoil::run, far, 250),
                row("sim-io", sim_io::run, far, 1).target(ours()),
                Row::absent(TURMOIL_NET, turmoil_net::TOO_FAR),
                row(ORIGINAL, simpy_io::run, far, 20).after(|| SIMPY_IO.prepare()),
            ],
        ),
        Comparison {
            name: "virtual-tcp/bulk".into(),
            operation: "MB",
            measure: Measure::Rate,
            about: "One way, in writes and reads of 64 KiB, without latency. One thread, its own processor time."
                .into(),
            rows: vec![
                bulk(TURMOIL_NET, turmoil_net::run, 1),
                // 5 GB/s.
                bulk("sim-io", sim_io::run, 1).target(Target::figure(AtLeast(5000.0))),
                bulk(TURMOIL, turmoil::run, 10),
                bulk(ORIGINAL, simpy_io::run, 100).after(|| SIMPY_IO.prepare()),
                bulk("tokio's duplex pipe, for comparison", duplex::run, 1),
            ],
        },
    ])
}

fn round_trips(name: &str, distance: &str, rows: Vec<Row>) -> Comparison {
    Comparison {
        name: name.into(),
        operation: "round trip",
        measure: Measure::Rate,
        about: format!(
            "4 bytes there and back, one at a time; {distance}. Both ends on one thread, its own processor time."
        ),
        rows,
    }
}

fn row(name: &str, run: Run, distance: Distance, fewer: u64) -> Row {
    Row::new(name, move |effort| {
        let count = effort.amount(ROUND_TRIPS / fewer);
        Ok(Sample::new(count, run(distance, Job::RoundTrips(count))?))
    })
}

fn bulk(name: &str, run: Run, fewer: u64) -> Row {
    Row::new(name, move |effort| {
        let megabytes = effort.amount(MEGABYTES / fewer);
        Ok(Sample::new(
            megabytes,
            run(Distance::Near, Job::Bulk(megabytes * 1_000_000))?,
        ))
    })
}
