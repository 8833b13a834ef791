//! Conditions. The expected logs are SimPy's (`simpy/core.py`).

mod common;

use std::time::Duration;

use common::{Units, seconds, world};
use sim_io::{Failure, RunError};

/// The values that are there, as SimPy's ConditionValue lists them.
fn there(values: &[Option<&str>]) -> String {
    values.iter().flatten().copied().collect::<Vec<_>>().join(" ")
}

#[test]
fn any_tells_all_that_happened_at_its_instant() {
    let (env, log) = world();
    process!(env, log; {
        let timeouts = [(1, "a"), (1, "b"), (2, "c")].map(|(n, name)| env.timeout_with(seconds(n), name));
        let values = env.any_of(Vec::from(timeouts)).await.unwrap();
        log.say(format!("{} at {}", there(&values), env.time()));
    });
    env.run().unwrap();
    log.expect("a b at 1");
}

#[test]
fn values_are_in_the_order_of_the_members() {
    let (env, log) = world();
    process!(env, log; {
        let (a, b) = env.all_of((env.timeout_with(seconds(2), "a"), env.timeout_with(seconds(1), "b"))).await.unwrap();
        log.say(format!("{a} {b} at {}", env.time()));
    });
    env.run().unwrap();
    log.expect("a b at 2");
}

#[test]
fn a_condition_has_a_turn_of_its_own() {
    let (env, log) = world();
    let other = |name: &'static str| {
        process!(env, log; {
            env.wait(1).await;
            log.say(name);
            env.wait(0).await;
            log.say(format!("{name} again"));
        });
    };
    other("before");
    process!(env, log; {
        env.all_of((env.wait(1), env.wait(1))).await.unwrap();
        log.say("all");
    });
    process!(env, log; {
        env.any_of((env.wait(1), env.wait(9))).await.unwrap();
        log.say("any");
    });
    other("after");
    env.run().unwrap();
    log.expect("before | after | before again | all | any | after again");
}

#[test]
fn they_nest() {
    let (env, log) = world();
    process!(env, log; {
        let t = |n, name| env.timeout_with(seconds(n), name);
        let (first, second) = env
            .any_of((env.all_of((t(1, "1"), t(2, "2"))), env.all_of((t(3, "3"), t(4, "4")))))
            .await
            .unwrap();
        assert!(second.is_none());
        let (a, b) = first.unwrap();
        log.say(format!("{a} {b} at {}", env.time()));
    });
    process!(env, log; {
        let t = |n, name| env.timeout_with(seconds(n), name);
        let (first, second) = env
            .all_of((env.any_of((t(1, "1"), t(2, "2"))), env.any_of((t(3, "3"), t(4, "4")))))
            .await
            .unwrap();
        log.say(format!("{} {} at {}", there(&[first.0, first.1]), there(&[second.0, second.1]), env.time()));
    });
    env.run().unwrap();
    log.expect("1 2 at 2 | 1 2 3 at 3");
}

#[test]
fn each_level_takes_a_turn() {
    let (env, log) = world();
    process!(env, log; {
        env.all_of((env.all_of((env.wait(1),)),)).await.unwrap();
        log.say("nested");
    });
    process!(env, log; {
        env.wait(1).await;
        for n in 0..4 {
            log.say(n);
            env.wait(0).await;
        }
    });
    env.run().unwrap();
    log.expect("0 | 1 | nested | 2 | 3");
}

#[test]
fn empty_ones_happen_at_once() {
    let (env, log) = world();
    process!(env, log; {
        env.all_of(Vec::<sim_io::Timeout>::new()).await.unwrap();
        env.any_of(Vec::<sim_io::Timeout>::new()).await.unwrap();
        log.say(format!("at {}", env.time()));
    });
    env.run().unwrap();
    log.expect("at 0");
}

#[test]
fn members_that_were_processed_before_count() {
    let (env, log) = world();
    process!(env, log; {
        let mut a = env.timeout_with(seconds(1), "a");
        let b = env.event();
        b.succeed("b").unwrap();
        env.wait(2).await;
        let (first, second) = env.all_of((&mut a, &b)).await.unwrap();
        log.say(format!("{first} {second} at {}", env.time()));
        let (first, second) = env.any_of((&b, env.event::<&str>())).await.unwrap();
        log.say(format!("{} at {}", there(&[first, second]), env.time()));
    });
    env.run().unwrap();
    log.expect("a b at 2 | b at 2");
}

#[test]
fn the_first_failure_is_the_conditions() {
    let (env, log) = world();
    let event = env.event::<()>();
    process!(env, log, event; {
        let failure = env.all_of((&event, env.wait(5))).await.unwrap_err();
        log.say(format!("{failure} at {}", env.time()));
    });
    process!(env, log, event; {
        let failure = env.any_of((&event, env.wait(5))).await.unwrap_err();
        log.say(format!("{failure} at {}", env.time()));
    });
    process!(env, event; {
        env.wait(1).await;
        event.fail(Failure::text("broken")).unwrap();
    });
    env.run().unwrap();
    log.expect("broken at 1 | broken at 1");
}

#[test]
fn a_failure_after_the_condition_stops_the_run() {
    let (env, log) = world();
    let event = env.event::<()>();
    process!(env, log, event; {
        env.any_of((&event, env.wait(1))).await.unwrap();
        log.say(format!("any at {}", env.time()));
        env.wait(5).await;
        log.say("later");
    });
    process!(env, event; {
        env.wait(2).await;
        event.fail(Failure::text("broken")).unwrap();
    });
    let Err(RunError::Unhandled { failure, .. }) = env.run() else {
        panic!("the run goes on")
    };
    log.say(format!("stopped by {failure} at {}", env.time()));
    log.expect("any at 1 | stopped by broken at 2");
}

#[test]
fn a_failure_between_the_condition_and_its_turn_stops_the_run() {
    let (env, log) = world();
    let event = env.event::<()>();
    process!(env, event; {
        env.wait(1).await;
        event.fail(Failure::text("broken")).unwrap();
    });
    process!(env, log, event; {
        let _ = env.any_of((env.wait(1), &event)).await;
        log.say("any");
    });
    let Err(RunError::Unhandled { failure, .. }) = env.run() else {
        panic!("the run goes on")
    };
    log.say(format!("stopped by {failure} at {}", env.time()));
    log.expect("stopped by broken at 1");
}

#[test]
fn members_that_lost_are_cancelled_unless_they_were_lent() {
    let (env, log) = world();
    process!(env, log; {
        let mut lent = env.wait(5);
        env.any_of((&mut lent, env.wait(1), env.timeout(Duration::from_secs(1_000)))).await.unwrap();
        log.say(env.time());
        lent.await;
        log.say(env.time());
    });
    env.run().unwrap();
    log.expect("1 | 5");
    assert_eq!(env.time(), 5);
}

#[test]
fn one_event_in_several_conditions() {
    let (env, log) = world();
    let event = env.event::<()>();
    process!(env, log, event; {
        env.any_of((&event, env.wait(3))).await.unwrap();
        log.say(format!("any at {}", env.time()));
    });
    process!(env, log, event; {
        event.await.unwrap();
        log.say(format!("waits at {}", env.time()));
    });
    process!(env, log, event; {
        env.all_of((&event, env.wait(2))).await.unwrap();
        log.say(format!("all at {}", env.time()));
    });
    process!(env, event; {
        env.wait(1).await;
        event.succeed(()).unwrap();
    });
    env.run().unwrap();
    log.expect("waits at 1 | any at 1 | all at 2");
}

#[test]
fn what_belongs_to_another_environment_may_be_waited_for() {
    // SimPy refuses this. Here each environment has its own time, and whoever runs them decides how they take turns.
    let (env, log) = world();
    let other = sim_io::Environment::new();
    let bell = other.event::<&str>();
    process!(env, log, bell; {
        let (rang, late) = env.any_of((&bell, env.wait(5))).await.unwrap();
        log.say(format!("{rang:?} {} at {}", late.is_some(), env.time()));
    });
    env.run_until(seconds(2)).unwrap();
    bell.succeed("ding").unwrap();
    other.run().unwrap();
    env.run().unwrap();
    log.expect("Some(\"ding\") false at 2");
}
