//! Interrupts. The expected logs are SimPy's (`simpy/core.py`).

mod common;

use common::{Units, world};
use sim_io::{Interrupted, NotInterruptible, RunError, interruptible};

fn cause(interrupted: &Interrupted) -> String {
    match (interrupted.cause::<&str>(), interrupted.cause::<i32>()) {
        (Some(text), _) => (*text).to_owned(),
        (_, Some(number)) => number.to_string(),
        _ => "unknown".to_owned(),
    }
}

#[test]
fn it_beats_a_timeout_of_the_same_instant() {
    let (env, log) = world();
    let victim = env.event::<sim_io::Process<()>>();
    process!(env, log, victim; {
        env.wait(2).await;
        victim.await.unwrap().interrupt("up").unwrap();
        log.say("called");
    });
    let sleeper = process!(env, log; {
        match interruptible(&env, env.wait(2)).await {
            Ok(()) => log.say("slept"),
            Err(interrupted) => log.say(format!("{} at {}", cause(&interrupted), env.time())),
        }
    });
    victim.succeed(sleeper).unwrap();
    env.run().unwrap();
    log.expect("called | up at 2");
}

#[test]
fn it_comes_too_late_for_what_was_processed() {
    let (env, log) = world();
    let sleeper = process!(env, log; {
        let sleeps = async {
            env.wait(2).await;
            log.say("slept");
            env.wait(1).await;
        };
        if let Err(interrupted) = interruptible(&env, sleeps).await {
            log.say(format!("{} at {}", cause(&interrupted), env.time()));
        }
    });
    process!(env, log, sleeper; {
        env.wait(2).await;
        sleeper.interrupt("up").unwrap();
        log.say("called");
    });
    env.run().unwrap();
    log.expect("slept | called | up at 2");
}

#[test]
fn a_process_just_created_starts_first() {
    let (env, log) = world();
    process!(env, log; {
        env.wait(1).await;
        let child = process!(env, log; {
            log.say("child starts");
            if let Err(interrupted) = interruptible(&env, env.wait(5)).await {
                log.say(format!("child {} at {}", cause(&interrupted), env.time()));
            }
        });
        child.interrupt("early").unwrap();
        log.say("parent");
        env.wait(0).await;
    });
    env.run().unwrap();
    log.expect("parent | child starts | child early at 1");
}

#[test]
fn several_come_in_order_and_the_rest_is_ignored() {
    let (env, log) = world();
    let victim = process!(env, log; {
        for _ in 0..2 {
            if let Err(interrupted) = interruptible(&env, env.wait(10)).await {
                log.say(format!("{} at {}", cause(&interrupted), env.time()));
            }
        }
    });
    process!(env, victim; {
        env.wait(1).await;
        for n in 0..3 {
            victim.interrupt(n).unwrap();
        }
    });
    env.run_until(&victim).unwrap();
    log.say(format!("ended at {}", env.time()));
    env.run().unwrap();
    log.expect("0 at 1 | 1 at 1 | ended at 1");
}

#[test]
fn the_target_stays_valid() {
    let (env, log) = world();
    let sleeper = process!(env, log; {
        let mut timeout = env.wait(5);
        while let Err(interrupted) = interruptible(&env, &mut timeout).await {
            log.say(format!("{} at {}", cause(&interrupted), env.time()));
        }
        log.say(format!("slept till {}", env.time()));
    });
    process!(env, sleeper; {
        for n in 0..2 {
            env.wait(1).await;
            sleeper.interrupt(n).unwrap();
        }
    });
    env.run().unwrap();
    log.expect("0 at 1 | 1 at 2 | slept till 5");
}

#[test]
fn the_dead_and_oneself_are_refused() {
    let (env, log) = world();
    let dead = process!(env; { env.wait(0).await });
    let own = env.event::<sim_io::Process<()>>();
    let tries = process!(env, log, dead, own; {
        env.wait(1).await;
        for victim in [dead, own.await.unwrap()] {
            assert!(matches!(victim.interrupt(()), Err(NotInterruptible { .. })));
            log.say("refused");
        }
    });
    own.succeed(tries).unwrap();
    env.run().unwrap();
    log.expect("refused | refused");
}

#[test]
fn where_nothing_takes_it_the_process_fails() {
    let (env, log) = world();
    let sleeper = process!(env; { env.wait(5).await });
    process!(env, log, sleeper; {
        let failure = sleeper.await.unwrap_err();
        let interrupted = failure.downcast_ref::<Interrupted>().unwrap();
        log.say(format!("joiner hears of {} at {}", cause(interrupted), env.time()));
    });
    process!(env, sleeper; {
        env.wait(1).await;
        sleeper.interrupt("x").unwrap();
    });
    env.run().unwrap();
    log.expect("joiner hears of x at 1");
    assert_eq!(env.time(), 1, "its timeout is cancelled");
}

#[test]
fn where_nobody_joins_the_run_stops_and_names_it() {
    let (env, _) = world();
    let sleeper = env.named_process("sleeper", {
        let env = env.clone();
        async move { env.wait(5).await }
    });
    process!(env, sleeper; { sleeper.interrupt("x").unwrap() });
    let error = env.run().unwrap_err();
    assert_eq!(
        error.to_string(),
        "process \"sleeper\" failed at 0.000000000s, and no process was waiting for it: interrupted: \"x\""
    );
}

#[test]
fn what_it_joined_goes_on() {
    let (env, log) = world();
    let parent = process!(env, log; {
        let child = process!(env, log; {
            env.wait(3).await;
            log.say("child ends");
        });
        if interruptible(&env, &child).await.is_err() {
            log.say(format!("parent interrupted at {}", env.time()));
        }
        child.await.unwrap();
        log.say(format!("parent joined at {}", env.time()));
    });
    process!(env, parent; {
        env.wait(1).await;
        parent.interrupt(()).unwrap();
    });
    env.run().unwrap();
    log.expect("parent interrupted at 1 | child ends | parent joined at 3");
}

#[test]
fn the_innermost_takes_it() {
    let (env, log) = world();
    let victim = process!(env, log; {
        let inner = async {
            let got = interruptible(&env, env.wait(5)).await;
            log.say(format!("inner {}", got.is_err()));
            env.wait(5).await;
        };
        let got = interruptible(&env, inner).await;
        log.say(format!("outer {}", got.is_err()));
    });
    process!(env, victim; { victim.interrupt(()).unwrap() });
    env.run().unwrap();
    log.expect("inner true | outer false");
}

#[test]
fn a_failure_that_an_interrupted_process_no_longer_waits_for_is_not_lost() {
    // SimPy: the process is no longer among the callbacks, so nobody defuses the failure.
    let (env, _) = world();
    let event = env.named_event::<()>("machine");
    let victim = process!(env, event; {
        let mut wait = event.wait();
        assert!(interruptible(&env, &mut wait).await.is_err());
        env.wait(5).await;
        drop(wait);
    });
    process!(env, victim, event; {
        env.wait(1).await;
        victim.interrupt(()).unwrap();
        env.wait(1).await;
        event.fail(sim_io::Failure::text("broken")).unwrap();
    });
    assert!(matches!(env.run(), Err(RunError::Unhandled { who, .. }) if who == "an event \"machine\""));
}
