//! How the cost of a transition, and what an instance takes of the heap, grow with the number of statecharts.

use crate::Outcome;
use crate::allocations::{self, Allocations};
use crate::cpu::{Account, Meter, Spent};
use crate::harness::{Comparison, Extra, Measure, Row, Sample, Unit};
use statechart_bridge::{
    Association, Chart, Class, Context, Engine, Event, Fault, InstanceId, Model, Scope, State as Described, Transition,
    Value,
};
use std::hint::black_box;

const INSTANCES: [u64; 5] = [1, 10, 100, 1000, 10_000];
/// Transitions of a full sample, of all instances together.
const TRANSITIONS: u64 = 2_000_000;

/// Instances that are asked for by one event: each event of a port is given to all that there are already.
const BATCH: u64 = 100;

/// What an instance takes.
pub const HEAP: &str = "heap";

/// A way to have so many instances take so many transitions each: what they took of the heap, and what it cost.
type Run = fn(instances: u64, flips: u64) -> Outcome<(u64, Spent)>;

/// Makes the tables. They promise nothing: the group `statechart` does.
///
/// # Errors
/// None.
pub fn build() -> Outcome<Vec<Comparison>> {
    Ok(INSTANCES.map(table).into())
}

fn table(instances: u64) -> Comparison {
    Comparison {
        name: format!("statechart-instances/{instances}"),
        operation: "transition",
        measure: Measure::Cpu,
        about: format!(
            "{instances} instances of two states in one engine, created by the object manager; each event makes each of \
             them change. Heap: bytes for each instance. One thread, its own processor time; all are looked at in the end."
        ),
        rows: vec![
            row("a match on an enum, by hand", instances, by_hand),
            row("statechart-bridge, dispatched to each", instances, dispatched),
            row("statechart-bridge, one event for all", instances, told_to_all),
        ],
    }
}

fn row(name: &str, instances: u64, run: Run) -> Row {
    Row::new(name, move |effort| {
        // Odd, so that nobody ends where it began.
        let flips = (effort.amount(TRANSITIONS) / instances) | 1;
        let (heap, spent) = run(instances, flips)?;
        Ok(Sample {
            extras: vec![Extra {
                name: HEAP,
                unit: Unit::Bytes,
                value: heap as f64 / instances as f64,
            }],
            ..Sample::new(flips * instances, spent)
        })
    })
}

/// Makes something, and tells by how much the heap has grown.
fn grown<T>(make: impl FnOnce() -> Outcome<T>) -> Outcome<(T, u64)> {
    let counted = allocations::counting();
    allocations::count(true);
    let before = Allocations::now();
    let made = make();
    let heap = Allocations::now().since(before).kept();
    allocations::count(counted);
    Ok((made?, heap))
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    Off,
    On,
}

fn by_hand(instances: u64, flips: u64) -> Outcome<(u64, Spent)> {
    let (mut states, heap) = grown(|| Ok(vec![State::Off; usize::try_from(instances)?]))?;
    let meter = Meter::start(Account::ThisThread)?;
    for _ in 0..flips {
        for state in black_box(&mut states) {
            *state = match black_box(*state) {
                State::Off => State::On,
                State::On => State::Off,
            };
        }
    }
    let spent = meter.stop()?;
    if states.iter().all(|state| *state == State::On) {
        Ok((heap, spent))
    } else {
        Err("some are where they began".into())
    }
}

fn dispatched(instances: u64, flips: u64) -> Outcome<(u64, Spent)> {
    let (mut engine, ids, heap) = crowd(instances)?;
    let flip = engine.event_key("flip");
    let mut fired = 0;
    let meter = Meter::start(Account::ThisThread)?;
    for _ in 0..flips {
        for &id in &ids {
            fired += u64::from(engine.dispatch(id, flip));
        }
    }
    let spent = meter.stop()?;
    if fired != flips * instances {
        return Err(format!("{fired} transitions, not {}", flips * instances).into());
    }
    all_changed(&engine, &ids)?;
    Ok((heap, spent))
}

fn told_to_all(instances: u64, flips: u64) -> Outcome<(u64, Spent)> {
    let (mut engine, ids, heap) = crowd(instances)?;
    let flip = Event::new("flip");
    let meter = Meter::start(Account::ThisThread)?;
    for _ in 0..flips {
        engine.broadcast(flip.clone())?;
    }
    let spent = meter.stop()?;
    all_changed(&engine, &ids)?;
    Ok((heap, spent))
}

/// An engine with so many instances, and how many bytes these took.
fn crowd(instances: u64) -> Outcome<(Engine, Vec<InstanceId>, u64)> {
    let toggle = Chart::new()
        .initial("off")
        .state(Described::new("off").transition(Transition::on("flip").to("../on")))
        .state(Described::new("on").transition(Transition::on("flip").to("../off")));
    let create = |cx: &mut Context<'_>| {
        let count = cx.event().and_then(|event| event.parameter(0).as_int());
        for _ in 0..count.ok_or_else(|| Fault::new("how many?"))? {
            let request = Event::new("create_and_start_instance").with([Value::from("toggles")]);
            cx.raise(Scope::ObjectManager, request);
        }
        Ok::<_, Fault>(())
    };
    let owner = Described::new("waiting").transition(Transition::on("more").port("in").run(create));
    let model = Model::builder()
        .inport("in")
        .class(Class::new("Toggle").chart(toggle))
        .class(
            Class::new("Owner")
                .default_class()
                .association(Association::new("toggles", "Toggle"))
                .chart(Chart::new().initial("waiting").state(owner)),
        )
        .build()?;
    let mut engine = Engine::new(&model)?;
    engine.start();
    let owner: Vec<InstanceId> = engine.instances().collect();
    let (mut engine, heap) = grown(move || {
        let mut left = instances;
        while left > 0 {
            let count = left.min(BATCH);
            engine.input(Event::new("more").on("in").with([Value::from(usize::try_from(count)?)]))?;
            left -= count;
        }
        Ok(engine)
    })?;
    engine.advance(std::time::Duration::ZERO);
    let ids: Vec<InstanceId> = engine.instances().filter(|id| !owner.contains(id)).collect();
    if ids.len() as u64 == instances {
        Ok((engine, ids, heap))
    } else {
        Err(format!("{} instances, not {instances}", ids.len()).into())
    }
}

fn all_changed(engine: &Engine, ids: &[InstanceId]) -> Outcome<()> {
    let still = ids
        .iter()
        .filter(|id| engine.states(**id).last().is_none_or(|state| state != "/on"))
        .count();
    if still == 0 {
        Ok(())
    } else {
        Err(format!("{still} of {} are not where they should be", ids.len()).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_does_the_work() {
        let _turn = allocations::TURN.lock();
        for instances in [1, 3, 10_000] {
            for run in [by_hand, dispatched, told_to_all] {
                run(instances, 3).unwrap();
            }
        }
    }
}
