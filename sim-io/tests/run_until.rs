//! How long a run lasts. The expected logs are SimPy's (`simpy/core.py`).

mod common;

use std::time::Duration;

use common::{Units, seconds, world};
use sim_io::{Environment, Failure, Instant, RunError};

fn at(seconds: u64) -> Instant {
    Instant::from_nanos(seconds * 1_000_000_000)
}

#[test]
fn until_a_time_before_its_normal_things() {
    let (env, log) = world();
    process!(env, log; {
        loop {
            log.say(format!("tick {}", env.time()));
            env.wait(1).await;
        }
    });
    env.run_until(at(2)).unwrap();
    log.say(format!("now {}", env.time()));
    env.run_until(seconds(1)).unwrap();
    for late in [3, 2] {
        assert!(matches!(env.run_until(at(late)), Err(RunError::InThePast { .. })));
        log.say(format!("refused {late}"));
    }
    log.expect("tick 0 | tick 1 | now 2 | tick 2 | refused 3 | refused 2");
}

#[test]
fn what_waits_behind_the_run_goes_on_with_the_next_one() {
    let (env, log) = world();
    let event = env.event::<&str>();
    process!(env, log, event; {
        event.await.unwrap();
        log.say("early");
    });
    process!(env, log, event; {
        env.wait(1).await;
        process!(env, log, event; {
            event.await.unwrap();
            log.say("late");
        });
        env.wait(0).await;
        event.succeed("value").unwrap();
        env.wait(0).await;
        log.say("other");
    });
    env.run_until(Duration::from_millis(500)).unwrap();
    log.say(env.run_until(&event).unwrap());
    env.run().unwrap();
    log.expect("early | value | late | other");
}

#[test]
fn until_an_event_that_was_processed() {
    let (env, _) = world();
    let event = env.event();
    event.succeed("value").unwrap();
    env.run().unwrap();
    assert_eq!(env.run_until(&event).unwrap(), "value");
}

#[test]
fn until_something_that_never_happens() {
    let (env, _) = world();
    assert!(matches!(
        env.run_until(&env.event::<()>()),
        Err(RunError::Deadlock { .. })
    ));
}

#[test]
fn until_a_process_that_fails() {
    let (env, log) = world();
    let process = env.try_process({
        let env = env.clone();
        async move {
            env.wait(1).await;
            Err::<(), _>(Failure::text("broken"))
        }
    });
    let Err(RunError::Unhandled { failure, .. }) = env.run_until(&process) else {
        panic!("it did not fail")
    };
    log.say(format!("{failure} at {}", env.time()));
    env.run().unwrap();
    log.expect("broken at 1");
}

#[test]
fn step_by_step() {
    let (env, log) = world();
    process!(env, log; {
        env.wait(1).await;
        log.say("tick");
    });
    let peek = |log: &common::Log| match env.peek() {
        Some(at) => log.say(format!("peek {}", at.as_nanos() / 1_000_000_000)),
        None => log.say("peek inf"),
    };
    peek(&log);
    env.step().unwrap();
    peek(&log);
    env.step().unwrap();
    env.step().unwrap();
    peek(&log);
    assert!(!env.step().unwrap());
    log.say("empty");
    log.expect("peek 0 | peek 1 | tick | peek inf | empty");
}

#[test]
fn a_run_that_was_stopped_by_a_failure_leaves_no_end_behind() {
    let (env, log) = world();
    let fails = env.event::<()>();
    fails.fail(Failure::text("broken")).unwrap();
    process!(env, log; {
        env.wait(5).await;
        log.say(env.time());
    });
    assert!(matches!(env.run_until(seconds(2)), Err(RunError::Unhandled { .. })));
    env.run_until(seconds(3)).unwrap();
    assert_eq!(env.time(), 3, "not 2, where the first run was to end");
    assert!(matches!(
        env.run_until(&env.event::<()>()),
        Err(RunError::Deadlock { .. })
    ));
    log.expect("5");
}

#[test]
fn an_environment_may_begin_later() {
    let env = Environment::starting_at(at(100), 0);
    env.run_until(seconds(5)).unwrap();
    assert_eq!(env.time(), 105);
}

#[test]
fn until_something_that_has_failed_already() {
    let (env, log) = world();
    let event = env.event::<()>();
    event.defuse();
    event.fail(Failure::text("broken")).unwrap();
    env.run().unwrap();
    match env.run_until(&event) {
        Err(RunError::Unhandled { failure, .. }) => log.say(format!("{failure} at {}", env.time())),
        other => panic!("{other:?}"),
    }
    log.expect("broken at 0");
}

#[test]
fn the_end_comes_before_what_was_due_by_then() {
    let (env, log) = world();
    process!(env, log; {
        env.wait(1).await;
        log.say("tick");
    });
    env.run_until(at(1)).unwrap();
    log.say(format!("at {}", env.time()));
    env.run().unwrap();
    log.expect("at 1 | tick");
}
