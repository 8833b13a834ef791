//! Resources with places. The expected logs are SimPy's (`simpy/resources.py`).

mod common;

use std::time::Duration;

use common::{Units, world};
use sim_io::{InvalidAmount, PriorityResource, Resource, RunError, interruptible};

#[test]
fn places_are_granted_in_order() {
    let (env, log) = world();
    let resource = Resource::new(&env, 2).unwrap();
    for (name, time) in [("a", 3), ("b", 1), ("c", 1), ("d", 1)] {
        process!(env, log, resource; {
            let _place = resource.request().await;
            log.say(format!("{name} at {}", env.time()));
            env.wait(time).await;
        });
    }
    env.run().unwrap();
    log.expect("a at 0 | b at 0 | c at 1 | d at 2");
}

#[test]
fn the_next_is_granted_when_the_release_is_processed() {
    let (env, log) = world();
    let resource = Resource::new(&env, 1).unwrap();
    process!(env, log, resource; {
        let place = resource.request().await;
        env.wait(1).await;
        drop(place);
        log.say(format!("released, {} use it, {} wait", resource.users(), resource.waiting()));
        env.wait(0).await;
        log.say(format!("later, {} use it, {} wait", resource.users(), resource.waiting()));
    });
    process!(env, log, resource; {
        let _place = resource.request().await;
        log.say("second");
        env.wait(1).await;
    });
    process!(env, log; {
        env.wait(1).await;
        for n in 0..3 {
            log.say(format!("other {n}"));
            env.wait(0).await;
        }
    });
    env.run().unwrap();
    log.expect("other 0 | released, 0 use it, 1 wait | other 1 | later, 1 use it, 0 wait | other 2 | second");
}

#[test]
fn nobody_overtakes_between_release_and_grant() {
    let (env, log) = world();
    let resource = Resource::new(&env, 1).unwrap();
    process!(env, log, resource; {
        for _ in 0..2 {
            let _place = resource.request().await;
            log.say(format!("greedy at {}", env.time()));
            env.wait(1).await;
        }
    });
    for name in ["a", "b"] {
        process!(env, log, resource; {
            let _place = resource.request().await;
            log.say(format!("{name} at {}", env.time()));
            env.wait(1).await;
        });
    }
    env.run().unwrap();
    log.expect("greedy at 0 | a at 1 | b at 2 | greedy at 3");
}

#[test]
fn patience_ends() {
    let (env, log) = world();
    let resource = Resource::new(&env, 1).unwrap();
    process!(env, resource; {
        let _place = resource.request().await;
        env.wait(5).await;
    });
    for (name, patience) in [("a", 2), ("b", 9), ("c", 5)] {
        process!(env, log, resource; {
            let (place, _) = env.any_of((resource.request(), env.wait(patience))).await.unwrap();
            let what = if place.is_some() { "served" } else { "reneged" };
            log.say(format!("{name} {what} at {}", env.time()));
        });
    }
    env.run().unwrap();
    log.say(format!("{} use it, {} wait", resource.users(), resource.waiting()));
    log.expect("a reneged at 2 | c reneged at 5 | b served at 5 | 0 use it, 0 wait");
}

#[test]
fn an_interrupt_while_waiting_cancels() {
    let (env, log) = world();
    let resource = Resource::new(&env, 1).unwrap();
    process!(env, resource; {
        let _place = resource.request().await;
        env.wait(3).await;
    });
    let waits = |name: &'static str| {
        process!(env, log, resource; {
            match interruptible(&env, resource.request()).await {
                Ok(_place) => log.say(format!("{name} at {}", env.time())),
                Err(_) => log.say(format!("{name} interrupted at {}", env.time())),
            }
        })
    };
    let victim = waits("a");
    waits("b");
    process!(env, victim; {
        env.wait(1).await;
        victim.interrupt(()).unwrap();
    });
    env.run().unwrap();
    log.expect("a interrupted at 1 | b at 3");
}

#[test]
fn an_interrupt_beats_a_grant_of_its_instant() {
    let (env, log) = world();
    let resource = Resource::new(&env, 1).unwrap();
    process!(env, log, resource; {
        let place = resource.request().await;
        let [victim, _] = ["a", "b"].map(|name| {
            process!(env, log, resource; {
                match interruptible(&env, resource.request()).await {
                    Ok(_place) => log.say(format!("{name} at {}", env.time())),
                    Err(_) => log.say(format!("{name} interrupted at {}", env.time())),
                }
            })
        });
        env.wait(1).await;
        place.release();
        env.wait(0).await;
        victim.interrupt(()).unwrap();
    });
    env.run().unwrap();
    log.expect("a interrupted at 1 | b at 1");
    assert_eq!(resource.users(), 0);
}

#[test]
fn smaller_priorities_first_and_equal_ones_in_order() {
    let (env, log) = world();
    let resource = PriorityResource::new(&env, 1).unwrap();
    for (name, start, priority) in [
        ("a", 0, 5),
        ("b", 1, 2),
        ("c", 1, 1),
        ("d", 2, 2),
        ("e", 2, 0),
        ("f", 2, 2),
    ] {
        process!(env, log, resource; {
            env.wait(start).await;
            let _place = resource.request(priority).await;
            log.say(format!("{name} at {}", env.time()));
            env.wait(3).await;
        });
    }
    env.run().unwrap();
    log.expect("a at 0 | e at 3 | c at 6 | b at 9 | d at 12 | f at 15");
}

#[test]
fn a_killed_user_releases_and_a_killed_waiter_cancels() {
    let (env, log) = world();
    let resource = Resource::new(&env, 1).unwrap();
    let [user, waiter, _] = ["a", "b", "c"].map(|name| {
        process!(env, log, resource; {
            let _place = resource.request().await;
            log.say(format!("{name} at {}", env.time()));
            env.wait(9).await;
        })
    });
    process!(env, user, waiter; {
        env.wait(2).await;
        waiter.kill();
        user.kill();
    });
    env.run_until(common::seconds(5)).unwrap();
    log.expect("a at 0 | c at 2");
}

#[test]
fn statistics_tell_how_busy_it_was() {
    let (env, _) = world();
    let resource = Resource::new(&env, 2).unwrap().named("pump");
    for (start, time) in [(0, 4), (0, 2), (1, 4), (3, 1)] {
        process!(env, resource; {
            env.wait(start).await;
            let _place = resource.request().await;
            env.wait(time).await;
        });
    }
    process!(env, resource; {
        env.wait(1).await;
        let _ = env.any_of((resource.request(), env.wait(1))).await;
    });
    env.run_until(common::seconds(10)).unwrap();
    // Places: two in use till 4, then one to 6, and the last from 4 to 5.
    let statistics = resource.statistics();
    assert_eq!((statistics.mean_users, statistics.utilisation), (1.1, 0.55));
    assert_eq!((statistics.max_users, statistics.preempted), (2, 0));
    let queue = statistics.queue;
    assert_eq!((queue.requests, queue.granted, queue.cancelled), (5, 4, 1));
    assert_eq!((queue.length, queue.max_length), (0, 2));
    // Waited: 1 to 2 (two of them), 3 to 4.
    assert_eq!(queue.mean_length, 0.3);
    assert_eq!(queue.mean_wait, Duration::from_millis(500));
    assert_eq!(queue.max_wait, Duration::from_secs(1));
}

#[test]
fn no_places_are_refused() {
    let (env, _) = world();
    assert_eq!(Resource::new(&env, 0).unwrap_err(), InvalidAmount::Capacity(0.0));
    assert_eq!(
        PriorityResource::new(&env, 0).unwrap_err().to_string(),
        "a capacity must be greater than zero, not 0"
    );
}

#[test]
fn a_deadlock_names_the_resource() {
    let (env, _) = world();
    let forks = ["left", "right"].map(|name| Resource::new(&env, 1).unwrap().named(name));
    for turned in [false, true] {
        let name = if turned { "Plato" } else { "Kant" };
        let [mut first, mut second] = forks.clone();
        if turned {
            std::mem::swap(&mut first, &mut second);
        }
        let env_of_process = env.clone();
        env.named_process(name, async move {
            let _first = first.request().await;
            env_of_process.wait(1).await;
            let _second = second.request().await;
        });
    }
    let Err(error @ RunError::Deadlock { .. }) = env.run_until(&env.event::<()>()) else {
        panic!("no deadlock")
    };
    assert_eq!(
        error.to_string(),
        "deadlock at 1.000000000s: nothing is left to happen, but Kant waits for a place of resource \"right\", Plato \
         waits for a place of resource \"left\""
    );
}

#[test]
fn a_free_place_is_granted_by_the_request_itself() {
    let (env, log) = world();
    let resource = Resource::new(&env, 1).unwrap();
    let (first, second) = (resource.request(), resource.request());
    let count = || log.say(format!("{} use it, {} wait", resource.users(), resource.waiting()));
    log.say(format!("first {} second {}", first.is_granted(), second.is_granted()));
    count();
    drop(second);
    count();
    drop(first);
    count();
    log.expect("first true second false | 1 use it, 1 wait | 1 use it, 0 wait | 0 use it, 0 wait");
}
