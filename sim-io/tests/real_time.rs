//! Runs that keep pace with the clock on the wall.
#![expect(clippy::disallowed_methods, reason = "these tests are about the clock on the wall")]

mod common;

use std::time::{Duration, Instant};

use common::{Units, seconds, world};
use sim_io::{RealTime, RunError};

fn hundredth() -> RealTime {
    // Ten real milliseconds for a simulated second.
    RealTime::new(0.01).unwrap().lenient()
}

#[test]
fn a_factor_stretches_time() {
    let (env, log) = world();
    process!(env, log; {
        for _ in 0..3 {
            env.wait(1).await;
            log.say(env.time());
        }
    });
    let start = Instant::now();
    env.keep_real_time(hundredth());
    env.run().unwrap();
    assert!(start.elapsed() >= Duration::from_millis(30));
    log.expect("1 | 2 | 3");
}

#[test]
fn a_strict_run_that_is_late_ends_with_an_error() {
    let (env, _) = world();
    process!(env; {
        loop {
            env.wait(1).await;
            std::thread::sleep(Duration::from_millis(30));
        }
    });
    env.keep_real_time(RealTime::new(0.01).unwrap().tolerate(Duration::from_millis(5)));
    // Late already at the first or second thing, by how busy the machine is.
    let error = env.run_until(seconds(5)).unwrap_err();
    assert!(
        matches!(error, RunError::Late { late, .. } if late > Duration::from_millis(5)),
        "{error}"
    );
}

#[test]
fn s6_sync_does_not_move_the_clock_back() {
    let (env, _) = world();
    process!(env; {
        loop {
            env.wait(1).await;
        }
    });
    env.keep_real_time(hundredth());
    env.run_until(seconds(10)).unwrap();
    env.sync();
    let start = Instant::now();
    env.run_until(seconds(1)).unwrap();
    // That it takes no more than that is shown beside the code, where no slow machine matters.
    assert!(start.elapsed() >= Duration::from_millis(9));
    assert_eq!(env.time(), 11);
}

#[test]
fn a_wake_from_another_thread_is_heard_while_time_passes() {
    use std::sync::{Arc, Mutex};
    use std::task::{Poll, Waker};

    let (env, log) = world();
    let shared: Arc<Mutex<(bool, Option<Waker>)>> = Arc::default();
    let there = Arc::clone(&shared);
    let woken = process!(env, log; {
        std::future::poll_fn(|cx| {
            let mut shared = there.lock().unwrap();
            if shared.0 {
                return Poll::Ready(());
            }
            shared.1 = Some(cx.waker().clone());
            Poll::Pending
        })
        .await;
        log.say(env.now().as_nanos() > 0 && env.time() < 1_000_000);
    });
    // Hours of real time: only the wake ends the run, however late it comes.
    process!(env; { env.wait(1_000_000).await });
    env.keep_real_time(hundredth());
    let thread = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(20));
        let mut shared = shared.lock().unwrap();
        shared.0 = true;
        if let Some(waker) = shared.1.take() {
            waker.wake();
        }
    });
    env.run_until(&woken).unwrap();
    thread.join().unwrap();
    log.expect("true");
}

#[test]
fn factors_that_make_no_sense_are_refused() {
    for factor in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(RealTime::new(factor).is_err(), "{factor}");
    }
}
