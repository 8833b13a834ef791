//! What a timeout costs in a simulation.

use crate::Outcome;
use crate::harness::{Comparison, Measure, Row, Sample};
use crate::python::SIMPY;
use crate::simulators::{Model, Run, Wait, desque, heap, nexosim, odem_rs, prototype, sim_io, simcore, simpy};
use crate::target::Bound::AtMost;
use crate::target::Target;

const PROTOTYPE: &str = "bare executor of async processes";
const ODEM: &str = "odem-rs 0.4, async";
const SIMCORE: &str = "simcore 0.1, async";
const NEXOSIM: &str = "nexosim 1.0, 1 thread";
const ORIGINAL: &str = "SimPy 4.1.2";

/// Events of a full sample. What is slower gets fewer.
const EVENTS: u64 = 2_000_000;
/// By how much SimPy gets fewer.
const SLOW: u64 = 20;

/// Makes the tables.
///
/// # Errors
/// None.
pub fn build() -> Outcome<Vec<Comparison>> {
    // By how many nanoseconds an event may take.
    let random = [(1, 20.0), (100, 46.0), (1_000, 69.0), (10_000, 112.0), (100_000, 200.0)];
    let mut tables: Vec<Comparison> = random
        .map(|(processes, limit)| {
            table(
                format!("timeouts/{processes}"),
                format!("{processes} processes, each in a loop over one timeout of 1 to 1000 random units."),
                (processes, Wait::Random),
                Some(limit),
            )
        })
        .into();
    tables.push(table(
        "timeouts/rearmed".into(),
        "1 process that waits for one unit, again and again.".into(),
        (1, Wait::Unit),
        None,
    ));
    tables.push(table(
        "timeouts/spread".into(),
        "1000 processes, each with a period of its own, 501 to 1500 units.".into(),
        (1000, Wait::Own),
        None,
    ));
    Ok(tables)
}

fn table(name: String, about: String, model: (u64, Wait), limit: Option<f64>) -> Comparison {
    let mut ours = row("sim-io", sim_io::run, model, 1);
    if let Some(limit) = limit {
        ours = ours
            .target(Target::figure(AtMost(limit)))
            // Half the speed of what can do nothing else.
            .target(Target::ratio_to(PROTOTYPE, AtMost(2.0)));
    }
    ours = ours
        .target(Target::ratio_to(ODEM, AtMost(1.0)))
        .target(Target::ratio_to(SIMCORE, AtMost(1.0)))
        .target(Target::times_better(NEXOSIM, 3.0));
    if model.0 == 100 {
        ours = ours.target(Target::times_better(ORIGINAL, 20.0));
    }
    Comparison {
        name,
        operation: "timeout",
        measure: Measure::Cpu,
        about: format!("{about} One thread, its own processor time; every event and its time is checked."),
        rows: vec![
            row("std BinaryHeap alone, u128 keys", heap::run, model, 1),
            row(PROTOTYPE, prototype::run, model, 1),
            ours.target(Target::allocations(AtMost(0.0))),
            row(ODEM, odem_rs::run, model, 1),
            row(SIMCORE, simcore::run_async, model, 2),
            row("desque 0.4, callbacks", desque::run, model, 1),
            row("simcore 0.1, callbacks", simcore::run_callbacks, model, 2),
            row(NEXOSIM, nexosim::run, model, 2),
            row(ORIGINAL, simpy::run, model, SLOW).after(|| SIMPY.prepare()),
        ],
    }
}

/// A row whose samples have so many times fewer events than the others.
fn row(name: &str, run: Run, (processes, wait): (u64, Wait), fewer: u64) -> Row {
    Row::new(name, move |effort| {
        // Each process is to have waited a few times, however many there are.
        let events = effort.amount(EVENTS / fewer).max(processes * 3);
        let model = Model::new(processes, wait, events);
        let (done, spent) = run(&model)?;
        let expected = model.expected();
        if done != expected {
            return Err(format!("{done:?}, not {expected:?}").into());
        }
        Ok(Sample::new(done.events, spent))
    })
}
