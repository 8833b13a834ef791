//! What a message costs on its way through three components.

use crate::Outcome;
use crate::harness::{Comparison, Measure, Row, Sample};
use crate::pin::on_all_cores;
use crate::pipelines::{Run, Threads, actix, channels, components, expected, kameo, ractor};
use crate::python::KAMAELIA;
use crate::simulators::simpy::spent;
use crate::target::Bound::{AtLeast, AtMost};
use crate::target::Target;

/// Messages of a full sample. What is slower gets fewer.
const MESSAGES: u64 = 2_000_000;
/// By how much the original gets fewer.
const SLOW: u64 = 20;

const ACTIX: &str = "actix 0.13, do_send, no bound";
const RACTOR: &str = "ractor 0.16, cast, no bound";
const KAMEO: &str = "kameo 0.22, tell";

pub(super) fn tables() -> Vec<Comparison> {
    let table = |name: &str, threads, about: &str, goal: f64| {
        let mut rows = vec![
            row("tokio mpsc", channels::tokio, threads),
            row("kanal 0.1", channels::kanal, threads),
            row("components", components::run, threads)
                .target(Target::figure(AtLeast(goal)))
                .target(Target::times_better(ACTIX, 1.0))
                .target(Target::times_better(RACTOR, 1.0))
                .target(Target::times_better(KAMEO, 1.0)),
            // 10 ns a message.
            row("components, many at a time", components::batched, threads)
                .target(Target::figure(AtLeast(100e6)))
                .target(Target::allocations(AtMost(0.0))),
            row(ACTIX, actix::run, threads),
            row(RACTOR, ractor::run, threads),
            row(KAMEO, kameo::run, threads),
        ];
        if threads == Threads::One {
            rows.push(original());
        }
        Comparison {
            name: format!("components/{name}"),
            operation: "message",
            measure: Measure::Rate,
            about: format!(
                "Source, stage that adds one, sink; room for 1024 messages in each box where there is a bound. {about}"
            ),
            rows,
        }
    };
    vec![
        table("one-thread", Threads::One, "One thread.", 20e6),
        table(
            "two-threads",
            Threads::Two,
            "Two threads on two cores; swings with the machine.",
            15e6,
        ),
    ]
}

fn row(name: &str, run: Run, threads: Threads) -> Row {
    Row::new(name, move |effort| {
        let count = effort.amount(MESSAGES);
        let (sum, spent) = match threads {
            Threads::One => run(threads, count)?,
            Threads::Two => on_all_cores(|| run(threads, count))?,
        };
        sample(count, sum, spent)
    })
}

fn original() -> Row {
    Row::new("Kamaelia 1.14.32", |effort| {
        let count = effort.amount(MESSAGES / SLOW);
        let script = include_str!("../../../python/pipeline.py");
        let [sum, cpu, wall] = KAMAELIA.numbers(script, &[count.to_string()])?;
        sample(count, sum, spent(cpu, wall))
    })
    .after(|| KAMAELIA.prepare())
}

fn sample(count: u64, sum: u64, spent: crate::cpu::Spent) -> Outcome<Sample> {
    if sum == expected(count) {
        Ok(Sample::new(count, spent))
    } else {
        Err(format!("the sum is {sum}, not {}", expected(count)).into())
    }
}
