//! Processes. The expected logs are SimPy's (`simpy/core.py`), but for `kill`, which it does not have.

mod common;

use std::rc::Rc;

use common::{Units, world};
use sim_io::{Environment, Failure, Killed, RunError};

#[test]
fn a_process_is_an_event() {
    let (env, log) = world();
    process!(env, log; {
        let child = process!(env, log; {
            env.wait(3).await;
            log.say("child ends");
            5
        });
        log.say(format!("alive {}", child.is_alive()));
        let value = (&child).await.unwrap();
        log.say(format!("{value} at {} alive {}", env.time(), child.is_alive()));
        log.say(format!("again {}", child.await.unwrap()));
    });
    process!(env, log; {
        env.wait(3).await;
        log.say("other");
    });
    env.run().unwrap();
    log.expect("alive true | other | child ends | 5 at 3 alive false | again 5");
}

#[test]
fn names_and_targets_are_there_for_people() {
    let (env, _) = world();
    let bell = env.named_event::<()>("bell");
    let waits = env.named_process("pupil", {
        let (env, bell) = (env.clone(), bell.clone());
        async move {
            assert_eq!(env.active_process().as_deref(), Some("pupil"));
            env.wait(2).await;
            env.any_of((&bell, env.wait(3))).await.unwrap();
            bell.await.unwrap();
        }
    });
    assert_eq!(waits.name(), "pupil");
    assert_eq!(env.active_process(), None);
    env.run_until(common::seconds(1)).unwrap();
    assert_eq!(waits.target().unwrap(), "a timeout at 2.000000000s");
    env.run_until(common::seconds(2)).unwrap();
    assert_eq!(
        waits.target().unwrap(),
        "any of (an event \"bell\", a timeout at 5.000000000s)"
    );
    env.run().unwrap();
    assert_eq!(waits.target().unwrap(), "an event \"bell\"");
    bell.succeed(()).unwrap();
    env.run().unwrap();
    assert_eq!((waits.target(), waits.is_alive()), (None, false));
}

#[test]
fn kill_runs_destructors_and_tells_who_waits() {
    struct Says(common::Log);
    impl Drop for Says {
        fn drop(&mut self) {
            self.0.say("dropped");
        }
    }
    let (env, log) = world();
    let victim = process!(env, log; {
        let _says = Says(log);
        env.wait(10).await;
    });
    process!(env, log, victim; {
        log.say(victim.await.unwrap_err().is::<Killed>());
    });
    process!(env, log, victim; {
        env.wait(1).await;
        victim.kill();
        log.say(format!("killed, alive {}", victim.is_alive()));
        victim.kill();
    });
    env.run().unwrap();
    assert_eq!(env.time(), 1, "its timeout is cancelled");
    log.expect("dropped | killed, alive false | true");
}

#[test]
fn a_process_may_kill_itself_and_one_that_has_not_started() {
    let (env, log) = world();
    let own = env.event::<sim_io::Process<()>>();
    let suicide = process!(env, log, own; {
        own.await.unwrap().kill();
        log.say("last words");
        env.wait(1).await;
        log.say("never");
    });
    own.succeed(suicide.clone()).unwrap();
    let unborn = process!(env, log; { log.say("never") });
    unborn.kill();
    env.run().unwrap();
    assert!(!suicide.is_alive() && !unborn.is_alive());
    log.expect("last words");
}

#[test]
fn a_panic_ends_its_process_alone() {
    let (env, log) = world();
    let bad = env.named_process("bad", {
        let env = env.clone();
        async move {
            env.wait(1).await;
            panic!("oh no");
        }
    });
    process!(env, log, bad; {
        log.say(bad.await.unwrap_err());
    });
    process!(env, log; {
        env.wait(2).await;
        log.say("other");
    });
    env.run().unwrap();
    log.expect("panic: oh no | other");
}

#[test]
fn the_end_of_the_environment_ends_its_processes() {
    let alive = Rc::new(());
    let env = Environment::new();
    let event = env.event::<()>();
    for _ in 0..10 {
        process!(env, alive, event; {
            let _alive = alive;
            let _ = env.any_of((&event, env.wait(1))).await;
            let _ = event.await;
        });
    }
    env.run().unwrap();
    assert_eq!(Rc::strong_count(&alive), 11);
    drop(env);
    assert_eq!(Rc::strong_count(&alive), 1);
}

#[test]
fn a_process_can_not_run_its_environment() {
    let (env, _) = world();
    let nested = process!(env; { matches!(env.run(), Err(RunError::Nested)) });
    assert!(env.run_until(&nested).unwrap());
}

#[test]
fn s5_a_failure_is_the_original_error_for_everybody() {
    let (env, log) = world();
    let fails = env.try_process(async { Err::<(), _>("x".parse::<u32>().unwrap_err()) });
    for _ in 0..2 {
        process!(env, log, fails; {
            let failure: Failure = fails.await.unwrap_err();
            log.say(failure.is::<std::num::ParseIntError>());
        });
    }
    env.run().unwrap();
    log.expect("true | true");
}

#[test]
fn the_one_that_runs_is_known() {
    let (env, log) = world();
    let who = |env: &Environment| env.active_process().unwrap_or_else(|| "None".into());
    for (name, again) in [("one", true), ("two", false)] {
        env.named_process(name, {
            let (env, log) = (env.clone(), log.clone());
            async move {
                log.say(who(&env));
                env.wait(1).await;
                if again {
                    log.say(who(&env));
                }
            }
        });
    }
    log.say(who(&env));
    env.run().unwrap();
    log.say(who(&env));
    log.expect("None | one | two | one | None");
}
