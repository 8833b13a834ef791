//! Places that are taken away. The expected logs are SimPy's (`simpy/resources.py`).

mod common;

use common::{Log, Units, world};
use sim_io::{Environment, Preempted, PreemptiveResource, interruptible};

/// A user with a name, a start, a priority, and patience.
fn user(
    env: &Environment,
    log: &Log,
    resource: &PreemptiveResource,
    (name, start, priority, preempt): (&'static str, u64, i64, bool),
    uses: u64,
    tells: bool,
) {
    process!(env, log, resource; {
        env.wait(start).await;
        let request = if preempt { resource.request(priority) } else { resource.request_patiently(priority) };
        let _place = request.await;
        if tells {
            log.say(format!("{name} at {}", env.time()));
        }
        match interruptible(&env, env.wait(uses)).await {
            Ok(()) if uses == 3 => log.say(format!("{name} done at {}", env.time())),
            Ok(()) => {}
            Err(interrupted) => {
                let preempted = interrupted.cause::<Preempted>().unwrap();
                let since = preempted.usage_since.as_nanos() / 1_000_000_000;
                let since = if uses == 3 { format!(" since {since}") } else { String::new() };
                log.say(format!("{name} preempted at {}{since}", env.time()));
            }
        }
    });
}

#[test]
fn a_smaller_priority_takes_the_place() {
    let (env, log) = world();
    let resource = PreemptiveResource::new(&env, 1).unwrap();
    for who in [
        ("a", 0, 1, true),
        ("b", 1, 0, true),
        ("c", 2, -1, false),
        ("d", 2, 1, true),
    ] {
        user(&env, &log, &resource, who, 3, true);
    }
    env.run().unwrap();
    log.expect(
        "a at 0 | a preempted at 1 since 0 | b at 1 | b done at 4 | c at 4 | c done at 7 | d at 7 | d done at 10",
    );
    assert_eq!(resource.statistics().preempted, 1);
}

#[test]
fn a_patient_head_holds_back_those_behind_it() {
    let (env, log) = world();
    let resource = PreemptiveResource::new(&env, 1).unwrap();
    for who in [
        ("a", 0, 5, true),
        ("b", 1, 1, false),
        ("c", 2, 2, true),
        ("d", 3, 0, true),
    ] {
        user(&env, &log, &resource, who, 9, true);
    }
    env.run().unwrap();
    log.expect("a at 0 | a preempted at 3 | d at 3 | b at 12 | c at 21");
}

#[test]
fn the_greatest_key_loses() {
    let (env, log) = world();
    let resource = PreemptiveResource::new(&env, 3).unwrap();
    for (name, start, priority) in [
        ("a", 0, 2),
        ("b", 1, 2),
        ("c", 2, 1),
        ("d", 3, 2),
        ("e", 4, 0),
        ("f", 5, 1),
        ("g", 6, 0),
    ] {
        user(&env, &log, &resource, (name, start, priority, true), 20, false);
    }
    env.run_until(common::seconds(15)).unwrap();
    log.expect("b preempted at 4 | a preempted at 5 | f preempted at 6");
}

#[test]
fn the_preempted_come_back() {
    let (env, log) = world();
    let resource = PreemptiveResource::new(&env, 1).unwrap();
    process!(env, log, resource; {
        let mut left = 5;
        while left > 0 {
            let _place = resource.request(2).await;
            let start = env.time();
            match interruptible(&env, env.wait(left)).await {
                Ok(()) => left = 0,
                Err(_) => {
                    left -= env.time() - start;
                    log.say(format!("{left} left at {}", env.time()));
                }
            }
        }
        log.say(format!("done at {}", env.time()));
    });
    process!(env, resource; {
        for _ in 0..2 {
            env.wait(2).await;
            let _place = resource.request(1).await;
            env.wait(1).await;
        }
    });
    env.run().unwrap();
    log.expect("3 left at 2 | 1 left at 5 | done at 7");
}

#[test]
fn preempted_tells_by_whom_and_since_when() {
    let (env, log) = world();
    let resource = PreemptiveResource::new(&env, 1).unwrap().named("machine");
    process!(env, log, resource; {
        env.wait(1).await;
        let place = resource.request(1).await;
        assert_eq!(place.preempted(), None);
        let interrupted = interruptible(&env, env.wait(5)).await.unwrap_err();
        let cause = interrupted.cause::<Preempted>().unwrap();
        assert_eq!(place.preempted().as_ref(), Some(cause));
        log.say(format!("by {:?} since {} from {:?}", cause.by, cause.usage_since, cause.resource));
    });
    env.named_process("repair", {
        let env = env.clone();
        async move {
            env.wait(2).await;
            let _place = resource.request(0).await;
            env.wait(1).await;
        }
    });
    env.run().unwrap();
    log.expect("by Some(\"repair\") since 1.000000000s from Some(\"machine\")");
}

#[test]
fn s4_the_place_of_who_has_ended_is_taken() {
    let (env, log) = world();
    let resource = PreemptiveResource::new(&env, 1).unwrap();
    let holder = process!(env, resource; { resource.request(1).await });
    let _ = &holder;
    process!(env, log, resource; {
        env.wait(1).await;
        let _place = resource.request(0).await;
        log.say(format!("taken at {}", env.time()));
    });
    // The place lives on in the value of a process that has ended.
    env.run().unwrap();
    log.expect("taken at 1");
}

#[test]
fn s4_the_place_of_oneself_is_taken() {
    let (env, log) = world();
    let resource = PreemptiveResource::new(&env, 1).unwrap();
    process!(env, log, resource; {
        let first = resource.request(1).await;
        let second = resource.request(0).await;
        log.say(format!("first {} second {}", first.preempted().is_some(), second.preempted().is_some()));
        drop(first);
        env.wait(1).await;
        log.say(resource.users());
        drop(second);
        log.say(resource.users());
    });
    env.run().unwrap();
    log.expect("first true second false | 1 | 0");
}

#[test]
fn s2_a_patient_head_that_gives_up_lets_those_behind_it_preempt() {
    let (env, log) = world();
    let resource = PreemptiveResource::new(&env, 1).unwrap();
    user(&env, &log, &resource, ("a", 0, 5, true), 20, true);
    process!(env, resource; {
        env.wait(1).await;
        let _ = env.any_of((resource.request_patiently(1), env.wait(2))).await;
    });
    user(&env, &log, &resource, ("c", 2, 2, true), 20, true);
    env.run().unwrap();
    log.expect("a at 0 | a preempted at 3 | c at 3");
}

#[test]
fn releasing_what_was_taken_does_nothing() {
    let (env, log) = world();
    let resource = PreemptiveResource::new(&env, 1).unwrap();
    process!(env, log, resource; {
        let place = resource.request(1).await;
        interruptible(&env, env.wait(9)).await.unwrap_err();
        log.say(format!("preempted at {}", env.time()));
        drop(place);
        env.wait(0).await;
        log.say(format!("{} use it", resource.users()));
    });
    for (name, start, priority, uses) in [("high", 1, 0, 2), ("next", 2, 2, 0)] {
        process!(env, log, resource; {
            env.wait(start).await;
            let _place = resource.request(priority).await;
            log.say(format!("{name} at {}", env.time()));
            env.wait(uses).await;
        });
    }
    env.run().unwrap();
    log.expect("preempted at 1 | high at 1 | 1 use it | next at 3");
}

#[test]
fn among_equals_those_that_preempt_come_first() {
    let (env, log) = world();
    let resource = PreemptiveResource::new(&env, 1).unwrap();
    process!(env, resource; {
        let _place = resource.request(-1).await;
        env.wait(3).await;
    });
    for (name, start, preempt) in [
        ("a", 2, false),
        ("b", 2, true),
        ("c", 1, false),
        ("d", 1, true),
        ("e", 2, true),
    ] {
        user(&env, &log, &resource, (name, start, 1, preempt), 1, true);
    }
    env.run().unwrap();
    log.expect("d at 3 | c at 4 | b at 5 | e at 6 | a at 7");
}

#[test]
fn equal_keys_do_not_preempt() {
    let (env, log) = world();
    let resource = PreemptiveResource::new(&env, 1).unwrap();
    for (name, start) in [("a", 0), ("b", 0), ("c", 1)] {
        user(&env, &log, &resource, (name, start, 1, true), 2, true);
    }
    env.run().unwrap();
    log.expect("a at 0 | b at 2 | c at 4");
}

#[test]
fn one_place_is_lost_and_the_other_kept() {
    let (env, log) = world();
    let [one, two] = ["one", "two"].map(|name| PreemptiveResource::new(&env, 1).unwrap().named(name));
    process!(env, log, one, two; {
        let _places = env.all_of((one.request(1), two.request(1))).await.unwrap();
        let interrupted = interruptible(&env, env.wait(9)).await.unwrap_err();
        let preempted = interrupted.cause::<Preempted>().unwrap();
        let since = preempted.usage_since.as_nanos();
        log.say(format!("lost {} since {since}", preempted.resource.as_deref().unwrap()));
        log.say(format!("{} {} at {}", one.users(), two.users(), env.time()));
        env.wait(5).await;
    });
    process!(env, log, two; {
        env.wait(2).await;
        let _place = two.request(0).await;
        log.say(format!("high at {}", env.time()));
        env.wait(1).await;
    });
    env.run().unwrap();
    log.expect("lost two since 0 | 1 1 at 2 | high at 2");
}
