//! What processes do beside waiting: events, spawning and joining, stores, resources. Against SimPy, whose model it is.

use crate::Outcome;
use crate::cpu::{Account, Meter, Spent};
use crate::harness::{Comparison, Measure, Row, Sample};
use crate::python::SIMPY;
use crate::simulators::sim_io::run_until;
use crate::simulators::simpy::spent;
use sim_io::{Environment, Event, Failure, Resource, Store};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

/// Operations of a full sample of ours.
const COUNT: u64 = 1_000_000;
/// By how much SimPy gets fewer.
const FEWER: u64 = 10;

/// Makes so many operations happen, and proves it: what it gives is to be their number.
type Scenario = fn(&Environment, u64) -> Outcome<(u64, Spent)>;

/// Makes the tables.
///
/// # Errors
/// None.
pub fn build() -> Outcome<Vec<Comparison>> {
    let table = |name: &'static str, operation, about: &str, ours: Scenario| Comparison {
        name: format!("switches/{name}"),
        operation,
        measure: Measure::Cpu,
        about: format!("{about} One thread, its own processor time."),
        rows: vec![
            Row::new("SimPy 4.1.2", move |effort| {
                let count = effort.amount(COUNT / FEWER);
                let script = include_str!("../../python/switches.py");
                let [proof, cpu, wall] = SIMPY.numbers(script, &[name.to_owned(), count.to_string()])?;
                sample(count, proof, spent(cpu, wall))
            })
            .after(|| SIMPY.prepare()),
            Row::new("sim-io", move |effort| {
                let count = effort.amount(COUNT);
                let (proof, spent) = ours(&Environment::new(), count)?;
                sample(count, proof, spent)
            }),
        ],
    };
    Ok(vec![
        table(
            "events",
            "event",
            "Two processes; each triggers the other's event and waits for its own.",
            events,
        ),
        table(
            "spawn",
            "spawn",
            "A process starts another, which ends at once, and waits for its end.",
            spawn,
        ),
        table(
            "store",
            "round trip",
            "Two processes hand a number to and fro through two stores.",
            store,
        ),
        table(
            "resource",
            "use",
            "Two processes in turn request one place, hold it for a while, and release it.",
            resource,
        ),
    ])
}

fn sample(count: u64, proof: u64, spent: Spent) -> Outcome<Sample> {
    if proof == count {
        Ok(Sample::new(count, spent))
    } else {
        Err(format!("{proof} operations, not {count}").into())
    }
}

fn events(env: &Environment, count: u64) -> Outcome<(u64, Spent)> {
    let waiting: Rc<[RefCell<Event<u64>>; 2]> = Rc::new([RefCell::new(env.event()), RefCell::new(env.event())]);
    let last = Rc::new(Cell::new(0));
    let done = env.event();
    for own in 0..2 {
        let (env, waiting, last, done) = (env.clone(), Rc::clone(&waiting), Rc::clone(&last), done.clone());
        env.clone().try_process(async move {
            loop {
                let event = waiting[own].borrow().clone();
                let number = event.await?;
                waiting[own].replace(env.event());
                if number == count {
                    last.set(number);
                    done.succeed(())?;
                    return Ok::<_, Failure>(());
                }
                waiting[1 - own].borrow().succeed(number + 1)?;
            }
        });
    }
    let meter = Meter::start(Account::ThisThread)?;
    waiting[0].borrow().succeed(0)?;
    run_until(env, &done)?;
    Ok((last.get(), meter.stop()?))
}

fn spawn(env: &Environment, count: u64) -> Outcome<(u64, Spent)> {
    let handle = env.clone();
    let main = env.try_process(async move {
        let mut number = 0;
        while number < count {
            number = handle.process(async move { number + 1 }).await?;
        }
        Ok::<_, Failure>(number)
    });
    let meter = Meter::start(Account::ThisThread)?;
    let number = run_until(env, &main)?;
    Ok((number, meter.stop()?))
}

fn store(env: &Environment, count: u64) -> Outcome<(u64, Spent)> {
    let (there, back) = (Store::new(env), Store::new(env));
    let (first, second) = (there.clone(), back.clone());
    env.process(async move {
        loop {
            let number: u64 = first.get().await;
            second.put(number + 1).await;
        }
    });
    let main = env.process(async move {
        let mut number = 0;
        while number < count {
            there.put(number).await;
            number = back.get().await;
        }
        number
    });
    let meter = Meter::start(Account::ThisThread)?;
    let number = run_until(env, &main)?;
    Ok((number, meter.stop()?))
}

fn resource(env: &Environment, count: u64) -> Outcome<(u64, Spent)> {
    let place = Resource::new(env, 1)?;
    let held = Rc::new(Cell::new(0));
    let users: [_; 2] = std::array::from_fn(|_| {
        let (env, place, held) = (env.clone(), place.clone(), Rc::clone(&held));
        env.clone().process(async move {
            for _ in 0..count / 2 {
                let _place = place.request().await;
                env.timeout(Duration::from_nanos(1)).await;
                held.set(held.get() + 1);
            }
        })
    });
    let meter = Meter::start(Account::ThisThread)?;
    for user in &users {
        run_until(env, user)?;
    }
    Ok((held.get(), meter.stop()?))
}
