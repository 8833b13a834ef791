//! Code of the user's in the middle of things: clones, callbacks, filters and destructors that touch what calls them, or
//! panic.

mod common;

use std::cell::RefCell;
use std::rc::Rc;

use common::{Units, world};
use sim_io::{Event, FilterStore, RunError};

/// Its clone and its drop use the event that it is the value of.
struct Nosy {
    event: Rc<RefCell<Option<Event<Nosy>>>>,
    touches: Rc<RefCell<u32>>,
}

impl Nosy {
    fn touch(&self) {
        let Some(event) = self.event.borrow().clone() else {
            return;
        };
        *self.touches.borrow_mut() += 1;
        assert!(event.is_triggered());
        let waiting = event.waiting();
        drop(event.wait());
        assert_eq!(event.waiting(), waiting);
        event.defuse();
        assert!(format!("{event:?}").contains("triggered: true"));
        event.on_processed(|_| ());
    }
}

impl Clone for Nosy {
    fn clone(&self) -> Self {
        self.touch();
        Self {
            event: Rc::clone(&self.event),
            touches: Rc::clone(&self.touches),
        }
    }
}

impl Drop for Nosy {
    fn drop(&mut self) {
        self.touch();
    }
}

#[test]
fn a_value_may_use_its_own_event_when_it_is_cloned() {
    let (env, log) = world();
    let event = env.event::<Nosy>();
    let own = Rc::new(RefCell::new(Some(event.clone())));
    let touches = Rc::new(RefCell::new(0));
    let nosy = || Nosy {
        event: Rc::clone(&own),
        touches: Rc::clone(&touches),
    };
    for name in ["a", "b"] {
        let (env, event, log) = (env.clone(), event.clone(), log.clone());
        env.process(async move {
            drop(event.wait().await.unwrap());
            log.say(name);
        });
    }
    event.on_processed({
        let event = event.clone();
        move |outcome| {
            drop(outcome.clone());
            drop(event.processed());
            assert!(event.succeed(outcome.clone().unwrap()).is_err());
        }
    });
    event.succeed(nosy()).unwrap();
    let value = env.run_until(&event).unwrap();
    drop(value);
    env.run().unwrap();
    assert!(*touches.borrow() > 5);
    own.borrow_mut().take();
    log.expect("a | b");
}

#[test]
fn a_panic_in_a_callback_stops_the_run_when_all_have_had_their_turn() {
    let (env, log) = world();
    let event = env.named_event::<u32>("bell");
    event.on_processed(|_| panic!("not today"));
    process!(env, event, log; {
        log.say(event.await.unwrap());
    });
    env.run_until(common::seconds(1)).unwrap();
    event.succeed(7).unwrap();
    match env.run() {
        Err(RunError::Unhandled { who, failure, .. }) => {
            assert_eq!(who, "an event \"bell\"");
            assert_eq!(failure.to_string(), "panic: not today");
        }
        other => panic!("{other:?}"),
    }
    env.run().unwrap();
    log.expect("7");
}

#[test]
fn a_filter_that_panics_hurts_who_asked_with_it_and_nobody_else() {
    let (env, log) = world();
    let store = FilterStore::new(&env);
    let bad = process!(env, store; {
        store.get_where(|n: &u32| if *n == 2 { panic!("two!") } else { false }).await
    });
    process!(env, log, store; {
        log.say(format!("got {}", store.get_where(|n| *n == 2).await));
    });
    process!(env, log, bad; {
        log.say(bad.await.unwrap_err());
    });
    process!(env, log, store; {
        for n in 1..4 {
            env.wait(1).await;
            store.put(n).await;
            log.say(format!("put {n}"));
        }
        log.say(store.get().await);
        log.say(format!("{} left", store.len()));
    });
    env.run().unwrap();
    assert_eq!(store.statistics().unwrap().gets.cancelled, 1);
    log.expect("put 1 | put 2 | got 2 | panic: two! | put 3 | 1 | 1 left");
}

#[test]
fn a_filter_that_panics_at_once_panics_where_it_is_awaited() {
    let (env, log) = world();
    let store = FilterStore::new(&env);
    drop(store.put(1));
    let get = store.get_where(|_| panic!("none"));
    assert!(get.is_granted());
    let bad = env.process(get);
    process!(env, log, bad; {
        log.say(bad.await.unwrap_err());
    });
    env.run().unwrap();
    assert_eq!(store.len(), 1);
    log.expect("panic: none");
}

#[test]
fn a_filter_may_own_what_uses_its_store() {
    struct Last(FilterStore<u32>);
    impl Drop for Last {
        fn drop(&mut self) {
            drop(self.0.put(9));
        }
    }
    let (env, log) = world();
    let store = FilterStore::new(&env);
    process!(env, log, store; {
        let last = Last(store.clone());
        let got = store.get_where(move |n| {
            assert!(last.0.len() < 5);
            *n == 1
        });
        store.put(1).await;
        log.say(got.await);
        log.say(store.get().await);
    });
    env.run().unwrap();
    log.expect("1 | 9");
}

/// Panics when it is dropped.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("dropped");
    }
}

#[test]
fn a_destructor_that_panics_at_an_interrupt_fails_its_process_alone() {
    let (env, log) = world();
    let victim = env.process({
        let env = env.clone();
        async move {
            let _bomb = Bomb;
            env.wait(10).await;
        }
    });
    process!(env, log, victim; {
        env.wait(1).await;
        victim.interrupt("now").unwrap();
        let failure = victim.await.unwrap_err();
        log.say(format!("{failure}"));
    });
    env.run().unwrap();
    log.expect("panic: dropped");
}

#[test]
fn a_destructor_that_panics_at_a_kill_fails_its_process_alone() {
    let (env, log) = world();
    let victim = env.process({
        let env = env.clone();
        async move {
            let _bomb = Bomb;
            env.wait(10).await;
        }
    });
    process!(env, log, victim; {
        env.wait(1).await;
        victim.kill();
        log.say(format!("alive {}", victim.is_alive()));
    });
    process!(env, log, victim; {
        let failure = victim.await.unwrap_err();
        log.say(format!("{failure} at {}", env.time()));
    });
    env.run().unwrap();
    log.expect("alive false | panic: dropped at 1");
}
