//! SimPy's machine shop: machines that break down, and a repairman who has other jobs, too. The times follow from the
//! machines' numbers, not from chance.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use sim_io::{Environment, Interrupted, PreemptiveResource, Process, interruptible};

const REPAIR: Duration = minutes(30);
const JOB: Duration = minutes(30);

#[derive(Clone, Default)]
struct Machine {
    parts: Rc<Cell<u64>>,
    broken: Rc<Cell<bool>>,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("Machine shop");
    let env = Environment::new();
    let repairman = PreemptiveResource::new(&env, 1)?;
    let mut machines = Vec::new();
    for number in 0..10 {
        let machine = Machine::default();
        let works = env.process(work(env.clone(), number, machine.clone(), repairman.clone()));
        env.process(break_down(env.clone(), number, machine.clone(), works));
        machines.push(machine);
    }
    env.process(other_jobs(env.clone(), repairman));
    env.run_until(minutes(4 * 7 * 24 * 60))?;
    println!("Machine shop results after 4 weeks");
    for (number, machine) in machines.iter().enumerate() {
        println!("Machine {number} made {} parts.", machine.parts.get());
    }
    Ok(())
}

/// Makes parts for ever; a repair interrupts, and the part is finished afterwards.
async fn work(env: Environment, number: u64, machine: Machine, repairman: PreemptiveResource) {
    loop {
        let mut left = minutes(8 + number % 5);
        while let Err(rest) = spend(&env, left).await {
            left = rest;
            machine.broken.set(true);
            let _repairman = repairman.request(1).await;
            env.timeout(REPAIR).await;
            machine.broken.set(false);
        }
        machine.parts.set(machine.parts.get() + 1);
    }
}

async fn break_down(env: Environment, number: u64, machine: Machine, works: Process<()>) {
    loop {
        env.timeout(minutes(211 + 37 * number)).await;
        if !machine.broken.get() && works.interrupt("breakdown").is_err() {
            return;
        }
    }
}

/// The repairman's other jobs, which a breakdown preempts.
async fn other_jobs(env: Environment, repairman: PreemptiveResource) {
    loop {
        let mut left = JOB;
        loop {
            let _repairman = repairman.request(2).await;
            match spend(&env, left).await {
                Ok(()) => break,
                Err(rest) => left = rest,
            }
        }
    }
}

/// Lets time pass; what is left of it if there is an interrupt.
async fn spend(env: &Environment, time: Duration) -> Result<(), Duration> {
    let start = env.now();
    let done = interruptible(env, env.timeout(time)).await;
    done.map_err(|_: Interrupted| time.saturating_sub(env.now() - start))
}

const fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(minutes * 60)
}
