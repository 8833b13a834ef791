//! How the cost of a message grows with the number of components that it passes.

use crate::Outcome;
use crate::harness::{Comparison, Measure, Row, Sample};
use crate::pipelines::{Long, channels, components, expected_of};

/// Components of a pipeline, its source and its sink included.
const LENGTHS: [u64; 4] = [3, 10, 30, 100];
/// Messages times components of a full sample.
const STEPS: u64 = 6_000_000;

/// Makes the tables.
///
/// # Errors
/// None.
pub fn build() -> Outcome<Vec<Comparison>> {
    Ok(LENGTHS.map(table).into())
}

fn table(length: u64) -> Comparison {
    Comparison {
        name: format!("pipeline-length/{length}"),
        operation: "message",
        measure: Measure::Cpu,
        about: format!(
            "Source, {} stages that add one, sink; room for 1024 messages in each box. One thread, its own processor time.",
            length - 2
        ),
        rows: vec![
            row("tokio mpsc", channels::tokio_long, length),
            row("components", components::run_long, length),
            row("kanal 0.1", channels::kanal_long, length),
        ],
    }
}

fn row(name: &str, run: Long, length: u64) -> Row {
    Row::new(name, move |effort| {
        let (stages, count) = (length - 2, effort.amount(STEPS / length));
        let (sum, spent) = run(stages, count)?;
        if sum == expected_of(stages, count) {
            Ok(Sample::new(count, spent))
        } else {
            Err(format!("the sum is {sum}, not {}", expected_of(stages, count)).into())
        }
    })
}
