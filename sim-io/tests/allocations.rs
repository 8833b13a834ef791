//! What costs no allocation.

mod common;

use std::time::Duration;

use common::world;
use sim_io::Environment;

fn clocks(count: u64) -> Environment {
    let (env, _) = world();
    for n in 1..=count {
        process!(env; {
            loop {
                env.timeout(Duration::from_millis(n)).await;
            }
        });
    }
    env
}

#[test]
fn a_timeout_costs_none() {
    for count in [1, 100] {
        let env = clocks(count);
        // Tables and the queue grow to their size; the queue's, at times that are powers of two, until it has enough.
        env.run_until(Duration::from_secs(100)).unwrap();
        let before = env.steps();
        let allocations = allocation_counter::measure(|| env.run_until(Duration::from_secs(20)).unwrap());
        assert!(env.steps() - before >= 10_000);
        assert_eq!(allocations.count_total, 0, "with {count} processes");
    }
}

#[test]
fn neither_does_one_that_is_cancelled() {
    let (env, _) = world();
    process!(env; {
        loop {
            drop(env.timeout(Duration::from_secs(1_000)));
            env.timeout(Duration::from_millis(1)).await;
        }
    });
    env.run_until(Duration::from_secs(1)).unwrap();
    let allocations = allocation_counter::measure(|| env.run_until(Duration::from_secs(10)).unwrap());
    assert_eq!(allocations.count_total, 0);
}
