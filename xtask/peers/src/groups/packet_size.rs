//! How the cost of a packet grows with its size: there and back, over real sockets and simulated.

use crate::Outcome;
use crate::channels::sized::{self, Echo};
use crate::cpu::Spent;
use crate::harness::{Comparison, Measure, Row, Sample};

/// Bytes of a packet, and how many make a full sample over real sockets.
const SIZES: [(usize, u64); 5] = [
    (16, 20_000),
    (256, 20_000),
    (4096, 15_000),
    (65_536, 4000),
    (1 << 20, 300),
];

/// Makes the tables.
///
/// # Errors
/// None.
pub fn build() -> Outcome<Vec<Comparison>> {
    Ok(SIZES.map(|(size, count)| table(size, count)).into())
}

fn table(size: usize, count: u64) -> Comparison {
    Comparison {
        name: format!("packet-size/{size}"),
        operation: "round trip",
        measure: Measure::Cpu,
        about: format!(
            "A packet of {size} bytes there and back, one after the other, every byte compared. Both ends on one thread, \
             its own processor time."
        ),
        rows: vec![
            row("tokio, by hand, real", size, count, sized::tokio),
            row("sim-io, real, mio", size, count, sized::real),
            row("sim-io, simulated", size, count * 4, sized::simulated),
        ],
    }
}

fn row(name: &str, size: usize, count: u64, run: fn(Echo) -> Outcome<Spent>) -> Row {
    Row::new(name, move |effort| {
        let count = effort.amount(count);
        Ok(Sample::new(count, run(Echo { size, count })?))
    })
}
