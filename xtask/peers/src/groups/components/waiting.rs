//! What a component costs that was started and has nothing to do, beside a task with a channel and actors.
//!
//! Each sample runs in a process of its own, for memory that one gave back would serve the next: this program again, with a
//! hidden subcommand.

use crate::Outcome;
use crate::harness::{Comparison, Extra, Measure, Row, Sample, Unit};
use crate::idlers::{self, Idle};
use crate::target::Bound::AtMost;
use crate::target::Target;
use std::env;
use std::process::{Command, Stdio};

/// The process of a sample.
pub const PROCESS: &str = "__idle-components";

/// Components of a full sample.
const COMPONENTS: u64 = 50_000;

const BYTES: &str = "bytes";
const START: &str = "start";
const OURS: &str = "components, an echo";

const ALL: &[(&str, Idle)] = &[
    ("tokio task and mpsc", idlers::tokio),
    (OURS, idlers::components),
    ("actix 0.13", idlers::actix),
    ("ractor 0.16", idlers::ractor),
    ("kameo 0.22", idlers::kameo),
];

pub(super) fn table() -> Comparison {
    let row = |(name, _): &(&'static str, Idle)| {
        let name = *name;
        let row = Row::new(name, move |effort| sample(name, effort.amount(COMPONENTS)));
        if name == OURS {
            row.target(Target::extra(BYTES, AtMost(2048.0)))
        } else {
            row
        }
    };
    Comparison {
        name: "components/idle-component".into(),
        operation: "component",
        measure: Measure::Extra(BYTES),
        about: "50,000 that wait for a message; resident memory for each, and the time that starting one takes.".into(),
        rows: ALL.iter().map(row).collect(),
    }
}

fn sample(name: &str, count: u64) -> Outcome<Sample> {
    let output = Command::new(env::current_exe()?)
        .args([PROCESS, name, &count.to_string()])
        .stdin(Stdio::null())
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let values: Result<Vec<f64>, _> = text.split_whitespace().map(str::parse).collect();
    let Ok([bytes, start]) = values.as_deref() else {
        let errors = String::from_utf8_lossy(&output.stderr);
        return Err(format!("the process said {:?} {:?}", text.trim(), errors.trim()).into());
    };
    let extra = |name, unit, value: &f64| Extra {
        name,
        unit,
        value: *value,
    };
    Ok(Sample {
        operations: count,
        spent: None,
        extras: vec![extra(BYTES, Unit::Bytes, bytes), extra(START, Unit::Time, start)],
    })
}

/// The process of a sample: prints bytes, and nanoseconds, for each.
///
/// # Errors
/// If anything goes wrong on the way.
pub fn process(name: &str, count: &str) -> Outcome<()> {
    let (_, idle) = ALL.iter().find(|(known, _)| *known == name).ok_or("no such thing")?;
    let taken = idle(count.parse()?)?;
    println!("{} {}", taken.bytes, taken.start);
    Ok(())
}
