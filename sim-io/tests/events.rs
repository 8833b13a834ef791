//! Events. The expected logs are SimPy's (`simpy/core.py`).

mod common;

use common::{Units, world};
use sim_io::{AlreadyTriggered, Failure, Priority};

#[test]
fn waiters_go_on_in_order() {
    let (env, log) = world();
    let event = env.event::<u32>();
    process!(env, log, event; {
        log.say(format!("a {}", event.await.unwrap()));
    });
    process!(env, log, event; {
        env.wait(0).await;
        event.on_processed({ let log = log.clone(); move |_| log.say("callback") });
        process!(env, log, event; {
            log.say(format!("b {}", event.await.unwrap()));
        });
        env.wait(1).await;
        event.succeed(7).unwrap();
        log.say(format!("triggered {} processed {}", event.is_triggered(), event.is_processed()));
        env.wait(0).await;
        log.say(format!("triggered {} processed {}", event.is_triggered(), event.is_processed()));
    });
    env.run().unwrap();
    log.expect("triggered true processed false | a 7 | callback | b 7 | triggered true processed true");
}

#[test]
fn a_processed_event_lets_go_on_at_once_and_a_triggered_one_does_not() {
    let (env, log) = world();
    let done = env.event();
    done.succeed("done").unwrap();
    process!(env, log, done; {
        env.wait(1).await;
        let triggered = env.event();
        triggered.succeed("t").unwrap();
        log.say(done.await.unwrap());
        log.say(triggered.await.unwrap());
    });
    process!(env, log; {
        env.wait(1).await;
        log.say("other");
    });
    env.run().unwrap();
    log.expect("done | other | t");
}

#[test]
fn a_second_trigger_is_refused() {
    let (env, _) = world();
    let event = env.event();
    event.succeed(1).unwrap();
    assert!(matches!(event.succeed(1), Err(AlreadyTriggered { .. })));
    assert!(matches!(event.fail(Failure::text("no")), Err(AlreadyTriggered { .. })));
    assert!(matches!(
        event.trigger(Ok(2), Priority::URGENT),
        Err(AlreadyTriggered { .. })
    ));
    assert!(event.processed().is_none(), "triggered, but not processed");
    env.run().unwrap();
    assert_eq!(event.processed().unwrap().unwrap(), 1);
}

#[test]
fn an_event_takes_over_the_outcome_of_another() {
    let (env, _) = world();
    let (first, second) = (env.event::<u32>(), env.event::<u32>());
    first.on_processed({
        let second = second.clone();
        move |outcome| second.trigger(outcome.clone(), Priority::NORMAL).unwrap()
    });
    first.succeed(3).unwrap();
    assert_eq!(env.run_until(&second).unwrap(), 3);
}

#[test]
fn timeouts_give_their_values_and_tell_when_they_are_due() {
    let (env, log) = world();
    process!(env, log; {
        let timeout = env.timeout_with(common::seconds(2), "value");
        log.say(timeout.at());
        log.say(timeout.is_processed());
        env.wait(3).await;
        log.say(timeout.is_processed());
        log.say(timeout.await);
        log.say(env.time());
    });
    env.run().unwrap();
    log.expect("2.000000000s | false | true | value | 3");
}

#[test]
fn a_dropped_wait_gives_up() {
    let (env, _) = world();
    let event = env.event::<()>();
    let process = process!(env, event; {
        let mut wait = event.wait();
        let _ = env.any_of((&mut wait, env.wait(1))).await;
        assert_eq!(event.waiting(), 0, "the condition waits no more");
        drop(wait);
    });
    env.run_until(&process).unwrap();
    assert_eq!(event.waiting(), 0);
}

#[test]
fn an_event_takes_over_values_and_failures() {
    let (env, log) = world();
    for fails in [false, true] {
        let (first, second) = (env.event::<u32>(), env.event::<u32>());
        first.on_processed({
            let second = second.clone();
            move |outcome| second.trigger(outcome.clone(), Priority::NORMAL).unwrap()
        });
        process!(env, log, second; {
            match second.await {
                Ok(value) => log.say(format!("value {value}")),
                Err(failure) => log.say(format!("failure {failure}")),
            }
        });
        if fails {
            first.fail(Failure::text("broken")).unwrap();
            first.defuse();
        } else {
            first.succeed(3).unwrap();
        }
        env.run().unwrap();
    }
    log.expect("value 3 | failure broken");
}

#[test]
fn a_timeout_is_processed_when_it_is_due() {
    let (env, log) = world();
    process!(env, log; {
        let timeout = env.timeout_with(common::seconds(2), "value");
        env.wait(1).await;
        log.say(format!("processed {}", timeout.is_processed()));
        env.wait(1).await;
        log.say(format!("processed {}", timeout.is_processed()));
        log.say(format!("{} at {}", timeout.await, env.time()));
    });
    env.run().unwrap();
    log.expect("processed false | processed true | value at 2");
}
