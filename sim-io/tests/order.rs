//! The order of things: time, priority, sequence. The expected logs are SimPy's (`simpy/core.py`).

mod common;

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use common::{Units, seconds, world};
use sim_io::{Environment, Priority};

#[test]
fn same_instant_in_the_order_of_scheduling() {
    let (env, log) = world();
    for (name, first, then) in [("a", 2, 1), ("b", 1, 2), ("c", 0, 3)] {
        process!(env, log; {
            log.say(format!("{name} starts"));
            env.wait(first).await;
            env.wait(then).await;
            log.say(format!("{name} at {}", env.time()));
        });
    }
    env.run().unwrap();
    log.expect("a starts | b starts | c starts | c at 3 | b at 3 | a at 3");
}

#[test]
fn a_timeouts_place_is_decided_where_it_is_made() {
    let (env, log) = world();
    process!(env, log; {
        env.wait(1).await;
        env.wait(1).await;
        log.say("second");
    });
    process!(env, log; {
        let timeout = env.wait(2);
        env.wait(1).await;
        timeout.await;
        log.say("first");
    });
    process!(env, log; {
        env.wait(2).await;
        log.say("third");
    });
    env.run().unwrap();
    log.expect("first | third | second");
}

#[test]
fn starts_are_urgent() {
    let (env, log) = world();
    process!(env, log; {
        env.wait(1).await;
        process!(env, log; {
            log.say("child");
            env.wait(0).await;
            log.say("child again");
        });
        log.say("parent");
        env.wait(0).await;
        log.say("parent again");
    });
    process!(env, log; {
        env.wait(1).await;
        log.say("other");
        env.wait(0).await;
        log.say("other again");
    });
    env.run().unwrap();
    log.expect("parent | child | other | parent again | child again | other again");
}

#[test]
fn priorities_order_an_instant() {
    let (env, log) = world();
    for (name, priority) in [
        ("late", 200),
        ("normal", 1),
        ("urgent", 0),
        ("last", 255),
        ("normal too", 1),
    ] {
        process!(env, log; {
            env.schedule(seconds(1), Priority(priority)).await;
            log.say(name);
        });
    }
    env.run().unwrap();
    log.expect("urgent | normal | normal too | late | last");
}

#[test]
fn s7_time_does_not_drift_and_ties_stay_ties() {
    // In floating point ten tenths are less than one, and the tie of the two is lost.
    let (env, log) = world();
    for (name, parts, count) in [("tenths", 100, 10), ("halves", 500, 2), ("thousandths", 1, 1000)] {
        process!(env, log; {
            for _ in 0..count {
                env.timeout(Duration::from_millis(parts)).await;
            }
            log.say(format!("{name} at {}", env.now()));
        });
    }
    env.run().unwrap();
    // The order is that in which the last timeouts were made.
    log.expect("halves at 1.000000000s | tenths at 1.000000000s | thousandths at 1.000000000s");
}

#[test]
fn s7_a_dropped_timeout_is_cancelled() {
    let (env, log) = world();
    process!(env, log; {
        for n in 0..1_000 {
            drop(env.wait(1_000 + n));
        }
        env.wait(1).await;
        log.say(env.time());
    });
    env.run().unwrap();
    log.expect("1");
    assert_eq!(env.time(), 1, "nothing is left that would let time pass");
    assert_eq!(env.peek(), None);
}

#[test]
fn wakers_of_others_are_heard() {
    // A list of futures that gives each one a waker of its own, as FuturesUnordered does.
    use std::future::Future;
    use std::pin::Pin;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::task::{Context, Poll, Wake, Waker};

    type Child = Pin<Box<dyn Future<Output = u32>>>;

    struct Flag {
        woken: AtomicBool,
        parent: Waker,
    }
    impl Wake for Flag {
        fn wake(self: Arc<Self>) {
            self.woken.store(true, Ordering::Relaxed);
            self.parent.wake_by_ref();
        }
    }

    let (env, log) = world();
    process!(env, log; {
        let event = env.event::<u32>();
        process!(env, event; {
            env.wait(2).await;
            event.succeed(2).unwrap();
        });
        let timeout = env.wait(1);
        let mut children: Vec<(Option<Arc<Flag>>, Child)> = vec![
            (None, Box::pin(async move { event.await.unwrap() })),
            (None, Box::pin(async move { timeout.await; 1 })),
        ];
        std::future::poll_fn(|cx: &mut Context<'_>| {
            children.retain_mut(|(flag, child)| {
                if flag.as_ref().is_some_and(|flag| !flag.woken.load(Ordering::Relaxed)) {
                    return true;
                }
                let new = Arc::new(Flag { woken: AtomicBool::new(false), parent: cx.waker().clone() });
                *flag = Some(Arc::clone(&new));
                match child.as_mut().poll(&mut Context::from_waker(&Waker::from(new))) {
                    Poll::Ready(n) => { log.say(format!("{n} at {}", env.time())); false }
                    Poll::Pending => true,
                }
            });
            if children.is_empty() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        log.say("all");
    });
    env.run().unwrap();
    log.expect("1 at 1 | 2 at 2 | all");
}

fn scenario(seed: u64) -> (u64, Vec<String>) {
    let env = Environment::with_seed(seed);
    let lines = Rc::new(RefCell::new(Vec::new()));
    env.watch({
        let lines = lines.clone();
        move |step| lines.borrow_mut().push(step.to_string())
    });
    for _ in 0..20 {
        process!(env; {
            for _ in 0..20 {
                env.timeout(Duration::from_nanos(env.random() % 50)).await;
            }
        });
    }
    env.run().unwrap();
    (env.trace_hash(), lines.take())
}

#[test]
fn equal_seeds_give_equal_runs_and_others_do_not() {
    for seed in 0..100 {
        assert_eq!(scenario(seed), scenario(seed));
        assert_ne!(scenario(seed).0, scenario(seed + 1).0);
    }
}

#[test]
fn a_watcher_sees_each_step() {
    let (env, log) = world();
    env.named_process("clock", {
        let env = env.clone();
        async move {
            env.wait(1).await;
            let bell = env.named_event::<()>("bell");
            bell.succeed(()).unwrap();
            bell.await.unwrap();
        }
    });
    let lines = log.clone();
    env.watch(move |step| lines.say(step));
    env.run().unwrap();
    log.expect(
        "0.000000000s resume clock | 1.000000000s timeout clock | 1.000000000s event bell | 1.000000000s event clock",
    );
    assert_eq!(env.steps(), 4);
}
