//! Failures are never lost, and a deadlock says who waits for what. The expected logs are SimPy's (`simpy/core.py`).

mod common;

use common::{Units, world};
use sim_io::{Failure, RunError};

#[test]
fn whoever_joins_gets_it() {
    let (env, log) = world();
    process!(env, log; {
        let child = env.try_process({
            let env = env.clone();
            async move {
                env.wait(1).await;
                Err::<(), _>(Failure::text("broken"))
            }
        });
        log.say(format!("{} at {}", child.await.unwrap_err(), env.time()));
    });
    env.run().unwrap();
    log.expect("broken at 1");
}

#[test]
fn d01_nobodys_stops_the_run_which_can_go_on() {
    let (env, log) = world();
    env.named_try_process("child", {
        let env = env.clone();
        async move {
            env.wait(1).await;
            Err::<(), _>(Failure::text("broken"))
        }
    });
    process!(env, log; {
        env.wait(1).await;
        log.say("other");
        env.wait(1).await;
        log.say("never in the first run");
    });
    match env.run() {
        Err(RunError::Unhandled { who, failure, .. }) => {
            assert_eq!(who, "process \"child\"");
            log.say(format!("stopped by {failure} at {}", env.time()));
        }
        other => panic!("{other:?}"),
    }
    env.run().unwrap();
    log.expect("other | stopped by broken at 1 | never in the first run");
}

#[test]
fn a_defused_one_does_not_stop_the_run() {
    let (env, log) = world();
    let event = env.event::<()>();
    event.defuse();
    event.fail(Failure::text("broken")).unwrap();
    env.run().unwrap();
    log.say("goes on");
    log.expect("goes on");
}

#[test]
fn d18_a_deadlock_names_processes_and_what_they_wait_for() {
    let (env, _) = world();
    let bell = env.named_event::<()>("bell");
    let waits = env.named_process("pupil", {
        let bell = bell.clone();
        async move { bell.await }
    });
    env.named_process("teacher", {
        let waits = waits.clone();
        async move { waits.await.map(drop) }
    });
    env.named_process("parent", {
        let env = env.clone();
        async move {
            env.all_of((&bell, env.any_of((env.named_event::<()>("gong"), env.event::<()>()))))
                .await
                .map(drop)
        }
    });
    env.named_process("stranger", std::future::pending::<()>());
    let error = env.run_until(&waits).unwrap_err();
    assert_eq!(
        error.to_string(),
        "deadlock at 0.000000000s: nothing is left to happen, but pupil waits for an event \"bell\", teacher waits for \
         process \"pupil\", parent waits for all of (an event \"bell\", any of (an event \"gong\", an event without a \
         name)), stranger waits for something outside the environment"
    );
    let RunError::Deadlock { blocked, .. } = error else {
        panic!("{error}")
    };
    assert_eq!(blocked.len(), 4);
    assert_eq!(env.blocked(), blocked);
}

#[test]
fn a_failing_condition_member_is_heard_once_by_each_who_waits() {
    let (env, log) = world();
    let event = env.event::<()>();
    event.fail(Failure::text("broken")).unwrap();
    for _ in 0..2 {
        process!(env, log, event; { log.say(event.await.unwrap_err()) });
    }
    env.run().unwrap();
    log.expect("broken | broken");
}

#[test]
fn an_events_failure_that_nobody_waits_for_stops_the_run() {
    let (env, log) = world();
    env.event::<()>().fail(Failure::text("broken")).unwrap();
    process!(env, log; {
        env.wait(0).await;
        log.say("other");
    });
    match env.run() {
        Err(RunError::Unhandled { who, failure, .. }) if who == "an event" => log.say(format!("stopped by {failure}")),
        other => panic!("{other:?}"),
    }
    env.run().unwrap();
    log.say("ended");
    log.expect("stopped by broken | other | ended");
}

#[test]
fn each_who_joins_hears_of_a_failure() {
    let (env, log) = world();
    let child = env.try_process({
        let env = env.clone();
        async move {
            env.wait(1).await;
            Err::<(), _>(Failure::text("broken"))
        }
    });
    for name in ["a", "b"] {
        process!(env, log, child; {
            log.say(format!("{name} {}", child.await.unwrap_err()));
        });
    }
    env.run().unwrap();
    log.say(format!("at {}", env.time()));
    log.expect("a broken | b broken | at 1");
}

#[test]
fn errors_in_boxes_become_failures_and_failures_errors_in_boxes() {
    type Boxed = Box<dyn std::error::Error>;
    let error = "x".parse::<u8>().unwrap_err();
    let boxed: Box<dyn std::error::Error + Send + Sync> = Box::new(error.clone());
    let failure = Failure::boxed(boxed);
    assert_eq!(failure.downcast_ref(), Some(&error));
    assert_eq!(Failure::boxed("a text".into()).to_string(), "a text");
    let fails = || -> Result<(), Boxed> { Err(Failure::new(error.clone()))? };
    assert_eq!(fails().unwrap_err().to_string(), error.to_string());
}
