//! Containers and stores. The expected logs are SimPy's (`simpy/resources.py`), but for its defects.

mod common;

use common::{Units, seconds, world};
use sim_io::{Container, FilterStore, InvalidAmount, PriorityItem, PriorityStore, Store, interruptible};

#[test]
fn a_container_serves_each_side_in_order() {
    let (env, log) = world();
    let tank = Container::new(&env, 10.0, 2.0).unwrap();
    for (put, name, start, amount) in [
        (false, "a", 0, 5),
        (false, "b", 1, 1),
        (true, "c", 2, 2),
        (true, "d", 3, 4),
        (true, "e", 4, 9),
        (true, "f", 5, 1),
        (false, "g", 6, 1),
    ] {
        process!(env, log, tank; {
            env.wait(start).await;
            if put {
                tank.put(f64::from(amount)).unwrap().await;
                log.say(format!("{name} put at {}, level {}", env.time(), tank.level()));
            } else {
                tank.get(f64::from(amount)).unwrap().await;
                log.say(format!("{name} got at {}, level {}", env.time(), tank.level()));
            }
        });
    }
    env.run().unwrap();
    log.expect(
        "c put at 2, level 4 | d put at 3, level 2 | a got at 3, level 2 | b got at 3, level 2 | g got at 6, level 10 | \
         e put at 6, level 10",
    );
}

#[test]
fn a_store_is_first_in_first_out() {
    let (env, log) = world();
    let store = Store::with_capacity(&env, 2).unwrap();
    let consumer = |name: &'static str| {
        process!(env, log, store; {
            loop {
                env.wait(2).await;
                let n: u32 = store.get().await;
                log.say(format!("{name} got {n} at {}", env.time()));
            }
        })
    };
    consumer("a");
    process!(env, log, store; {
        for n in 0..5 {
            store.put(n).await;
            log.say(format!("put {n} at {}", env.time()));
        }
    });
    consumer("b");
    env.run_until(seconds(9)).unwrap();
    log.expect(
        "put 0 at 0 | put 1 at 0 | a got 0 at 2 | b got 1 at 2 | put 2 at 2 | put 3 at 2 | a got 2 at 4 | b got 3 at 4 | \
         put 4 at 4 | a got 4 at 6",
    );
}

#[test]
fn puts_and_gets_have_their_turns() {
    let (env, log) = world();
    let (a, b) = (Store::new(&env), Store::new(&env));
    process!(env, log, a, b; {
        for n in 0..3 {
            a.put(n).await;
            log.say(format!("back {}", b.get().await));
        }
    });
    process!(env, log, a, b; {
        loop {
            let n = a.get().await;
            log.say(format!("there {n}"));
            b.put(n).await;
        }
    });
    process!(env, log; {
        for n in 0..6 {
            log.say(n);
            env.wait(0).await;
        }
    });
    env.run().unwrap();
    log.expect("0 | there 0 | 1 | 2 | back 0 | 3 | 4 | there 1 | 5 | back 1 | there 2 | back 2");
}

#[test]
fn a_filter_store_lets_choose_and_holds_nobody_back() {
    let (env, log) = world();
    let store = FilterStore::new(&env);
    for (name, wanted) in [("a", 1), ("b", 2), ("c", 3)] {
        process!(env, log, store; {
            let n = store.get_where(move |n| *n == wanted).await;
            log.say(format!("{name} got {n} at {}", env.time()));
        });
    }
    process!(env, log, store; {
        for n in [2, 3, 1] {
            env.wait(1).await;
            store.put(n).await;
            log.say(format!("put {n}"));
        }
    });
    env.run().unwrap();
    log.expect("put 2 | b got 2 at 1 | put 3 | c got 3 at 2 | put 1 | a got 1 at 3");
}

#[test]
fn a_priority_store_gives_the_smallest() {
    let (env, log) = world();
    let store = PriorityStore::new(&env);
    process!(env, store; {
        for n in [3, 1, 2] {
            store.put(n).await;
        }
    });
    process!(env, log, store; {
        env.wait(1).await;
        for _ in 0..3 {
            log.say(store.get().await);
        }
    });
    env.run().unwrap();
    log.expect("1 | 2 | 3");
}

#[test]
fn s1_what_was_granted_to_an_interrupted_process_is_not_lost() {
    // SimPy: "a interrupted | 0 left", and b waits for ever.
    let (env, log) = world();
    let store = Store::new(&env);
    let [victim, _] = ["a", "b"].map(|name| {
        process!(env, log, store; {
            match interruptible(&env, store.get()).await {
                Ok(item) => log.say(format!("{name} got {item}")),
                Err(_) => log.say(format!("{name} interrupted")),
            }
        })
    });
    process!(env, log, store, victim; {
        env.wait(1).await;
        store.put("x").await;
        victim.interrupt(()).unwrap();
        env.wait(1).await;
        log.say(format!("{} left", store.len()));
    });
    env.run().unwrap();
    log.expect("a interrupted | b got x | 0 left");
}

#[test]
fn s1_what_goes_back_goes_in_front() {
    let (env, log) = world();
    let store = Store::new(&env);
    let sorted = PriorityStore::new(&env);
    let tank = Container::new(&env, 10.0, 10.0).unwrap();
    process!(env, log, store, sorted, tank; {
        for n in 0..3 {
            store.put(n).await;
            sorted.put(PriorityItem { priority: 0, item: n }).await;
        }
        // Granted, and dropped before their turns.
        let gets = (store.get(), sorted.get(), tank.get(4.0).unwrap());
        assert!(gets.0.is_granted() && gets.1.is_granted() && gets.2.is_granted());
        assert_eq!((store.len(), sorted.len(), tank.level()), (2, 2, 6.0));
        drop(gets);
        assert_eq!((store.len(), sorted.len(), tank.level()), (3, 3, 10.0));
        for _ in 0..3 {
            log.say(format!("{} {}", store.get().await, sorted.get().await.item));
        }
    });
    env.run().unwrap();
    log.expect("0 0 | 1 1 | 2 2");
}

#[test]
fn s2_a_head_that_gives_up_lets_those_behind_it_be_served() {
    // SimPy: "big gave up at 2 | small gave up at 9", though there is one.
    let (env, log) = world();
    let tank = Container::new(&env, f64::INFINITY, 1.0).unwrap();
    for (name, amount, patience) in [("big", 5.0, 2), ("small", 1.0, 9)] {
        process!(env, log, tank; {
            let (got, _) = env.any_of((tank.get(amount).unwrap(), env.wait(patience))).await.unwrap();
            log.say(format!("{name} {} at {}", if got.is_some() { "got" } else { "gave up" }, env.time()));
        });
    }
    env.run().unwrap();
    log.expect("big gave up at 2 | small got at 2");
}

#[test]
fn s2_the_same_for_puts() {
    let (env, log) = world();
    let tank = Container::new(&env, 10.0, 7.0).unwrap();
    for (name, amount, patience) in [("big", 5.0, 2), ("small", 1.0, 9), ("small too", 2.0, 9)] {
        process!(env, log, tank; {
            let (put, _) = env.any_of((tank.put(amount).unwrap(), env.wait(patience))).await.unwrap();
            log.say(format!("{name} {} at {}", if put.is_some() { "put" } else { "gave up" }, env.time()));
        });
    }
    env.run().unwrap();
    log.expect("big gave up at 2 | small put at 2 | small too put at 2");
}

#[test]
fn s3_equal_priorities_keep_their_order() {
    // SimPy: 0 | 2 | 6 | 5 | 7 | 4 | 1 | 3.
    let (env, log) = world();
    let store = PriorityStore::new(&env);
    process!(env, log, store; {
        for item in 0..8 {
            store.put(PriorityItem { priority: 0, item }).await;
        }
        for _ in 0..8 {
            log.say(store.get().await.item);
        }
    });
    env.run().unwrap();
    log.expect("0 | 1 | 2 | 3 | 4 | 5 | 6 | 7");
}

#[test]
fn s8_a_filter_store_gives_the_very_item_that_matched() {
    // Equal by comparison, but not the same.
    #[derive(Debug)]
    struct Part(u32, &'static str);
    impl PartialEq for Part {
        fn eq(&self, other: &Self) -> bool {
            self.0 == other.0
        }
    }
    let (env, log) = world();
    let store = FilterStore::new(&env);
    process!(env, log, store; {
        store.put(Part(1, "red")).await;
        store.put(Part(1, "blue")).await;
        log.say(store.get_where(|part: &Part| part.1 == "blue").await.1);
        log.say(store.get().await.1);
    });
    env.run().unwrap();
    log.expect("blue | red");
}

#[test]
fn a_filter_may_use_its_own_store() {
    let (env, log) = world();
    let store = FilterStore::new(&env);
    process!(env, log, store; {
        let own = store.clone();
        let get = store.get_where(move |n: &u32| {
            assert!(own.len() < 10 && own.statistics().is_none());
            if *n == 1 {
                drop(own.put(2));
                drop(own.get());
            }
            *n == 2
        });
        let puts = store.put(1);
        log.say(get.await);
        puts.await;
    });
    env.run_until(seconds(1)).unwrap();
    log.expect("2");
}

#[test]
fn a_put_that_is_given_up_comes_back() {
    let (env, log) = world();
    let store = Store::with_capacity(&env, 1).unwrap();
    process!(env, log, store; {
        store.put("first").await;
        let put = store.put("second");
        assert!(!put.is_granted());
        log.say(put.cancel().unwrap());
        assert_eq!(store.get().await, "first");
        assert_eq!(store.len(), 0);
        let put = store.put("third");
        assert!(put.is_granted());
        assert_eq!(put.cancel(), None);
        assert_eq!(store.len(), 1);
    });
    env.run().unwrap();
    log.expect("second");
    let statistics = store.statistics().unwrap();
    assert_eq!(
        (statistics.puts.granted, statistics.puts.cancelled, statistics.max_level),
        (2, 1, 1.0)
    );
}

#[test]
fn amounts_that_make_no_sense_are_refused() {
    let (env, _) = world();
    for amount in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let tank = Container::new(&env, f64::INFINITY, 0.0).unwrap();
        assert!(matches!(tank.put(amount), Err(InvalidAmount::Amount(_))));
        assert!(matches!(tank.get(amount), Err(InvalidAmount::Amount(_))));
    }
    for capacity in [0.0, -1.0, f64::NAN] {
        assert!(matches!(
            Container::new(&env, capacity, 0.0),
            Err(InvalidAmount::Capacity(_))
        ));
    }
    for level in [-1.0, 11.0, f64::NAN] {
        assert!(matches!(
            Container::new(&env, 10.0, level),
            Err(InvalidAmount::Level(_))
        ));
    }
    assert!(Store::<()>::with_capacity(&env, 0).is_err());
}

#[test]
fn the_other_stores_have_a_capacity_too() {
    macro_rules! scenario {
        ($store:ident, $env:ident, $log:ident) => {
            let store = $store::with_capacity(&$env, 2).unwrap();
            process!($env, $log, store; {
                for n in [3, 1, 2] {
                    store.put(n).await;
                    $log.say(format!("put {n} at {}", $env.time()));
                }
            });
            process!($env, $log, store; {
                $env.wait(1).await;
                $log.say(format!("got {}", store.get().await));
            });
            $env.run().unwrap();
        };
    }
    let (env, log) = world();
    scenario!(FilterStore, env, log);
    scenario!(PriorityStore, env, log);
    log.expect("put 3 at 0 | put 1 at 0 | got 3 | put 2 at 1 | put 3 at 1 | put 1 at 1 | got 1 | put 2 at 2");
}

#[test]
fn of_items_only_the_priority_is_compared() {
    let (env, log) = world();
    let store = PriorityStore::new(&env);
    for (priority, item) in [(2, "b"), (1, "z"), (3, "a")] {
        assert!(store.put(PriorityItem { priority, item }).is_granted());
    }
    process!(env, log, store; {
        for _ in 0..3 {
            log.say(store.get().await.item);
        }
    });
    env.run().unwrap();
    log.expect("z | b | a");
}

#[test]
fn who_waits_longest_gets_first() {
    let (env, log) = world();
    let store = Store::new(&env);
    for name in ["a", "b", "c"] {
        process!(env, log, store; {
            log.say(format!("{name} got {}", store.get().await));
        });
    }
    process!(env, log, store; {
        env.wait(1).await;
        for n in 0..3 {
            drop(store.put(n));
        }
        log.say("three are put");
    });
    env.run().unwrap();
    log.expect("three are put | a got 0 | b got 1 | c got 2");
}

#[test]
fn what_is_there_is_granted_by_the_call_itself() {
    let (env, log) = world();
    let tank = Container::new(&env, 4.0, 3.0).unwrap();
    let (first, second, third) = (tank.get(2.0).unwrap(), tank.get(2.0).unwrap(), tank.put(1.0).unwrap());
    log.say(format!(
        "{} {} {} level {}",
        first.is_granted(),
        second.is_granted(),
        third.is_granted(),
        tank.level()
    ));
    env.run().unwrap();
    log.say(format!("{} level {}", second.is_granted(), tank.level()));
    log.expect("true false true level 2 | true level 0");
}
