//! What goes wrong with simpy.io's real back-ends, and must not here; the numbers are those of the list of its defects.
#![cfg(feature = "reactor")]

mod reactor_common;

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use net_core::{BindOptions, ErrorKind, SocketOptions};
use reactor_common::{connected, loopback, pair, real, run};
use sim_io::reactor::Poller;
use sim_io::{Failure, RunError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

on_each_poller!(
    d01_a_failure_that_nobody_waits_for_stops_the_run,
    d02_a_process_that_never_waits_does_not_starve_the_sockets,
    d02_a_peer_that_floods_does_not_starve_the_others,
    d12_connecting_blocks_nobody_and_can_be_limited,
    d12_connecting_to_a_full_unix_listener_waits_for_room,
    d16_timers_are_never_early,
    d18_nothing_to_wait_for_is_a_deadlock_with_names,
    d18_what_is_waited_for_has_a_name,
    d18_a_run_ends_when_nothing_is_left,
    d18_a_wait_that_was_given_up_holds_no_run,
    d19_a_read_that_is_given_up_loses_nothing,
    d19_a_process_that_is_killed_lets_its_socket_go,
    d24_the_clock_is_monotonic_and_begins_at_zero,
    another_thread_ends_the_wait,
);

fn d01_a_failure_that_nobody_waits_for_stops_the_run(poller: Poller) {
    let env = real(poller);
    let (near, mut far) = pair(&env);
    env.named_try_process("reader", async move {
        far.read_u8().await?;
        Ok::<_, std::io::Error>(())
    });
    drop(near);
    let error = env.run().unwrap_err();
    assert!(
        matches!(&error, RunError::Unhandled { who, .. } if who.contains("reader")),
        "{error}"
    );
}

/// The loop ends only because a socket was heard, so that a starved one would let the test run for ever.
fn d02_a_process_that_never_waits_does_not_starve_the_sockets(poller: Poller) {
    for virtually in [false, true] {
        let env = real(poller);
        if virtually {
            env.keep_virtual_time(Duration::MAX);
        }
        let net = env.net();
        let heard = Rc::new(Cell::new(false));
        env.named_process("busy", {
            let (env, heard) = (env.clone(), Rc::clone(&heard));
            async move {
                while !heard.get() {
                    env.timeout(Duration::ZERO).await;
                }
            }
        });
        env.named_process("server", {
            let net = net.clone();
            async move {
                let (mut near, mut far) = connected(&net, &loopback()).await;
                near.write_all(&[1]).await.unwrap();
                far.read_u8().await.unwrap();
                heard.set(true);
            }
        });
        env.run().unwrap();
    }
}

/// What a peer has sent is read byte by byte: each read finds something, so that none of them waits.
fn d02_a_peer_that_floods_does_not_starve_the_others(poller: Poller) {
    let env = real(poller);
    let (mut near, mut far) = pair(&env);
    let (near_too, mut silent) = pair(&env);
    let read = Rc::new(Cell::new(0_u32));
    let reader = env.process({
        let (env, read) = (env.clone(), Rc::clone(&read));
        async move {
            let sent = vec![0; 20_000];
            near.write_all(&sent).await.unwrap();
            drop(near_too);
            // Others begin to wait first.
            env.timeout(Duration::from_micros(1)).await;
            while read.get() < 20_000 {
                far.read_u8().await.unwrap();
                read.set(read.get() + 1);
            }
        }
    });
    let timer = env.process({
        let (env, read) = (env.clone(), Rc::clone(&read));
        async move {
            while read.get() == 0 {
                env.timeout(Duration::from_nanos(10)).await;
            }
            read.get()
        }
    });
    let socket = env.process({
        let read = Rc::clone(&read);
        async move {
            assert_eq!(silent.read(&mut [0]).await.unwrap(), 0);
            read.get()
        }
    });
    env.run_until(&reader).unwrap();
    for (who, process) in [("a timer", timer), ("a socket", socket)] {
        let when = env.run_until(&process).unwrap();
        assert!(when < 2000, "{who} had its turn after {when} reads");
    }
}

/// A listener whose queue is full does not answer, so that connecting takes as long as it may.
fn d12_connecting_blocks_nobody_and_can_be_limited(poller: Poller) {
    let env = real(poller);
    let net = env.net();
    let ticks = Rc::new(Cell::new(0));
    env.process({
        let (env, ticks) = (env.clone(), Rc::clone(&ticks));
        async move {
            loop {
                env.timeout(Duration::from_millis(1)).await;
                ticks.set(ticks.get() + 1);
            }
        }
    });
    run(&env, async move {
        let options = BindOptions::default().socket(SocketOptions::default().backlog(0));
        let listener = net.bind_with(&loopback(), &options).await.unwrap();
        let mut queued = Vec::new();
        loop {
            let before = ticks.get();
            let connecting = net.connect(listener.local());
            match net.timeout(Duration::from_millis(30), connecting).await {
                Ok(stream) => queued.push(stream.unwrap()),
                Err(error) => {
                    assert!(matches!(error.kind(), ErrorKind::Timeout(_)), "{error}");
                    assert!(ticks.get() > before, "others went on meanwhile");
                    break;
                }
            }
            assert!(queued.len() < 100, "the queue never fills up");
        }
    });
}

fn d12_connecting_to_a_full_unix_listener_waits_for_room(poller: Poller) {
    let env = real(poller);
    let net = env.net();
    run(&env, {
        let env = env.clone();
        async move {
            let at = format!("unix:@sim-io-full-{}-{poller:?}", std::process::id());
            let options = BindOptions::default().socket(SocketOptions::default().backlog(1));
            let mut listener = net.bind_with(&at.parse().unwrap(), &options).await.unwrap();
            let connects: Vec<_> = (0..6)
                .map(|_| {
                    let (net, at) = (net.clone(), listener.local().clone());
                    env.process(async move { net.connect(&at).await.map(drop) })
                })
                .collect();
            env.timeout(Duration::from_millis(1)).await;
            assert!(connects.iter().any(|connect| connect.is_alive()), "some wait");
            for _ in 0..6 {
                listener.accept().await.unwrap();
            }
            for connect in connects {
                connect.await.unwrap().unwrap();
            }
        }
    });
}

/// How late they are is measured by `examples/real_round_trips.rs`: no test may depend on that.
#[expect(clippy::disallowed_methods, reason = "this test is about the clock on the wall")]
fn d16_timers_are_never_early(poller: Poller) {
    let env = real(poller);
    let (_near, mut far) = pair(&env);
    // Somebody waits for a socket, so that the timers are the poller's business.
    env.process(async move { far.read_u8().await });
    run(&env, {
        let env = env.clone();
        async move {
            for micros in [1, 10, 100, 250, 999, 1000, 1001, 2500] {
                let wait = Duration::from_micros(micros);
                let before = env.now();
                env.timeout(wait).await;
                assert_eq!(env.now(), before + wait);
            }
            // The environment's clock may be behind by what led up to this; from here on both are side by side.
            let start = std::time::Instant::now();
            env.sync();
            for _ in 0..5 {
                env.timeout(Duration::from_micros(300)).await;
            }
            assert!(start.elapsed() >= Duration::from_micros(1499), "{:?}", start.elapsed());
        }
    });
}

fn d18_nothing_to_wait_for_is_a_deadlock_with_names(poller: Poller) {
    let env = real(poller);
    // The reactor is there, and no socket is waited for.
    let _ends = pair(&env);
    let never = env.named_event::<()>("the postman");
    env.named_process("dog", {
        let never = never.clone();
        async move { never.await.unwrap() }
    });
    match env.run_until(&never).unwrap_err() {
        RunError::Deadlock { blocked, .. } => {
            assert_eq!(blocked.len(), 1);
            assert_eq!(blocked[0].process, "dog");
            assert!(blocked[0].waits_for.contains("the postman"), "{}", blocked[0].waits_for);
        }
        other => panic!("{other}"),
    }
}

fn d18_what_is_waited_for_has_a_name(poller: Poller) {
    let env = real(poller);
    let net = env.net();
    let (near, mut far) = pair(&env);
    let there = near.local().clone();
    env.named_process("reader", async move { far.read_u8().await });
    env.named_process("server", async move {
        let mut listener = net.bind(&"unix:@sim-io-names".parse().unwrap()).await.unwrap();
        let _ = listener.accept().await;
    });
    env.run_until(Duration::from_millis(1)).unwrap();
    let waits: Vec<_> = env.blocked().into_iter().map(|blocked| blocked.waits_for).collect();
    assert!(waits.contains(&format!("data on \"{there}\"")), "{waits:?}");
    assert!(
        waits.contains(&"a connection to \"unix:@sim-io-names\"".to_owned()),
        "{waits:?}"
    );
}

fn d18_a_run_ends_when_nothing_is_left(poller: Poller) {
    let env = real(poller);
    let net = env.net();
    env.process(async move {
        let (mut near, mut far) = connected(&net, &loopback()).await;
        near.write_all(&[1]).await.unwrap();
        far.read_u8().await.unwrap();
    });
    env.run().unwrap();
    assert!(env.blocked().is_empty());
    env.run().unwrap();
}

/// The read was given up for something else: it is no reason to wait for the socket any more.
fn d18_a_wait_that_was_given_up_holds_no_run(poller: Poller) {
    let env = real(poller);
    let net = env.net();
    let (_near, mut far) = pair(&env);
    let never = env.named_event::<()>("never");
    env.process({
        let never = never.clone();
        async move {
            let read = net.timeout(Duration::from_millis(1), far.read_u8()).await;
            assert!(read.is_err());
            never.await.unwrap();
            drop(far);
        }
    });
    assert!(matches!(env.run_until(&never), Err(RunError::Deadlock { .. })));
}

fn d19_a_read_that_is_given_up_loses_nothing(poller: Poller) {
    let env = real(poller);
    let net = env.net();
    run(&env, async move {
        let (mut near, mut far) = connected(&net, &loopback()).await;
        for _ in 0..20 {
            let mut one = [0];
            let gave_up = net.timeout(Duration::from_micros(50), far.read(&mut one)).await;
            assert!(gave_up.is_err());
        }
        near.write_all(b"all of it").await.unwrap();
        drop(near);
        let mut data = Vec::new();
        far.read_to_end(&mut data).await.unwrap();
        assert_eq!(data, b"all of it");
    });
}

fn d19_a_process_that_is_killed_lets_its_socket_go(poller: Poller) {
    let env = real(poller);
    let (mut near, mut far) = pair(&env);
    let reader = env.named_try_process("reader", async move {
        far.read_u8().await?;
        Ok::<_, Failure>(())
    });
    env.run_until(Duration::from_millis(1)).unwrap();
    reader.kill();
    assert_eq!(run(&env, async move { near.read(&mut [0]).await.unwrap() }), 0);
    env.run().unwrap();
}

fn d24_the_clock_is_monotonic_and_begins_at_zero(poller: Poller) {
    let env = real(poller);
    assert_eq!(env.now(), net_core::Instant::ZERO);
    let (mut near, mut far) = pair(&env);
    run(&env, {
        let env = env.clone();
        async move {
            let mut before = env.now();
            for _ in 0..50 {
                near.write_all(&[1]).await.unwrap();
                far.read_u8().await.unwrap();
                assert!(env.now() >= before);
                before = env.now();
            }
        }
    });
    // Not seconds since 1970: somebody who sets the clock on the wall moves no timer.
    assert!(env.now() < net_core::Instant::ZERO + Duration::from_secs(365 * 86_400));
}

fn another_thread_ends_the_wait(poller: Poller) {
    let env = real(poller);
    let (near, mut far) = pair(&env);
    let (send, receive) = tokio::sync::oneshot::channel();
    let read = env.process(async move { far.read(&mut [0; 4]).await.unwrap() });
    let told = env.process(async move {
        let told = receive.await.unwrap();
        drop(near);
        told
    });
    let thread = std::thread::spawn(move || {
        std::thread::park_timeout(Duration::from_millis(5));
        send.send(7).unwrap();
    });
    // Nothing is scheduled, and the socket is silent until the thread has spoken.
    assert_eq!(env.run_until(&read).unwrap(), 0);
    assert_eq!(env.run_until(&told).unwrap(), 7);
    thread.join().unwrap();
}
