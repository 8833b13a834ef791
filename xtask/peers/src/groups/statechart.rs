//! Statecharts: transitions, instances, and HTTP by events.

use super::idle;
use crate::Outcome;
use crate::framing::Framing;
use crate::harness::{Comparison, Extra, Measure, Row, Sample, Unit};
use crate::load::http;
use crate::pin::on_all_cores;
use crate::python::SISMIC;
use crate::servers::{self, Job, Running, agree};
use crate::statecharts::{Run, Way, memory, ours, sccd, sismic, statig};
use crate::target::Bound::AtLeast;
use crate::target::Target;

const OURS: &str = "statechart-bridge";
const STATIG: &str = "statig 0.4, compiled, no queue";
const ORIGINAL: &str = "SCCD, the original";
const SISMIC_ROW: &str = "Sismic 1.6.14";

/// Transitions of a full sample. What is slower gets fewer.
const TRANSITIONS: u64 = 5_000_000;
/// Instances of a full sample.
const INSTANCES: u64 = 100_000;
const RESIDENT: &str = "resident";

/// Makes the tables.
///
/// # Errors
/// If the limit of open files can't be read.
pub fn build() -> Outcome<Vec<Comparison>> {
    Ok(vec![
        table(
            "bare",
            Way::Bare,
            20e6,
            "Two states, one event, straight into the engine: no queue, no port, no code.",
        ),
        table(
            "controller",
            Way::Ports,
            3e6,
            "By the controller: 256 events in by a port, an update, as many events out by another, fetched.",
        ),
        table(
            "scripted",
            Way::Scripted,
            3e6,
            "By the controller, 256 events and an update, each with a guard and an action in the action language: \
             `self.count < 1000000000 and mode == 2`, `self.count += 1`.",
        ),
        instances(),
        idle::of_statecharts()?,
        echo(1, None),
        echo(10, Some(60e3)),
        echo(100, Some(100e3)),
    ])
}

fn table(name: &str, way: Way, goal: f64, about: &str) -> Comparison {
    Comparison {
        name: format!("statechart/{name}"),
        operation: "transition",
        measure: Measure::Rate,
        about: format!("{about} One thread, model files; every transition is counted."),
        rows: vec![
            row(STATIG, statig::run, way, 1),
            row(OURS, ours::run, way, 1)
                .target(Target::figure(AtLeast(goal)))
                .target(Target::times_better(SISMIC_ROW, 100.0)),
            row(ORIGINAL, sccd::run, way, 250).after(sccd::prepare),
            row(SISMIC_ROW, sismic::run, way, 2500).after(|| SISMIC.prepare()),
        ],
    }
}

/// A row whose samples have so many times fewer transitions than the others.
fn row(name: &str, run: Run, way: Way, fewer: u64) -> Row {
    Row::new(name, move |effort| {
        let count = effort.amount(TRANSITIONS / fewer);
        let (fired, spent) = run(way, count)?;
        if fired == count {
            Ok(Sample::new(count, spent))
        } else {
            Err(format!("{fired} transitions for {count} events").into())
        }
    })
}

fn instances() -> Comparison {
    let row = |name: &str, measure: fn(u64) -> Outcome<f64>, fewer: u64| {
        Row::new(name, move |effort| {
            let count = effort.amount(INSTANCES / fewer);
            Ok(Sample {
                operations: count,
                spent: None,
                extras: vec![Extra {
                    name: RESIDENT,
                    unit: Unit::Bytes,
                    value: measure(count)?,
                }],
            })
        })
    };
    Comparison {
        name: "statechart/instances".into(),
        operation: "instance",
        measure: Measure::Extra(RESIDENT),
        about:
            "100,000 instances with two states (1,000 of Sismic's): by how much a process of its own grows for each. \
                Ours are instances of a class, created and started by the object manager, linked with their owner."
                .into(),
        rows: vec![
            row(STATIG, |count| memory::measure(memory::STATIG, count), 1),
            row(OURS, |count| memory::measure(memory::OURS, count), 1),
            row(SISMIC_ROW, sismic::memory, 100).after(|| SISMIC.prepare()),
        ],
    }
}

fn echo(clients: usize, goal: Option<f64>) -> Comparison {
    let row = |name: &str, server: servers::Echo| {
        Row::new(name, move |effort| {
            let job = Job {
                connections: clients,
                framing: Framing::Line,
            };
            let run = || -> Outcome<Sample> {
                let running = Running::start(move |door| server(door, job))?;
                let (sample, requests) = http::run(running.address, clients, effort)?;
                agree("requests", requests, running.finish()?)?;
                Ok(sample)
            };
            // The goals are for two cores; one client has nothing to do while it waits.
            if clients == 1 { run() } else { on_all_cores(run) }
        })
    };
    let mut ours = row("statechart-bridge, http_echo_server.xml", servers::http::statechart);
    if let Some(goal) = goal {
        ours = ours.target(Target::figure(AtLeast(goal)));
    }
    let cores = if clients == 1 { "one core" } else { "all cores" };
    Comparison {
        name: format!("statechart/http-{clients}"),
        operation: "request",
        measure: Measure::Rate,
        about: format!(
            "{clients} clients, each with one POST of 16 bytes at a time, on connections that stay; {cores}, the load on a \
             thread of its own; the server's processor time. The model file with its socket service, against a server in \
             Rust."
        ),
        rows: vec![row("hyper 1.12, current thread", servers::http::hyper), ours],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machines_do_the_work() {
        for way in [Way::Bare, Way::Ports, Way::Scripted] {
            for count in [1, 2, 1001] {
                for run in [statig::run, ours::run] {
                    assert_eq!(run(way, count).unwrap().0, count, "{way:?}");
                }
            }
        }
    }
}
