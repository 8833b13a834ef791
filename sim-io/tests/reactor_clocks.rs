//! Clocks and sockets: real time with real sockets, virtual time with real sockets, real time with a simulated network.
//!
//! No test insists on how fast the machine is: limits of real time are such that only a wrong order would break them.
#![cfg(feature = "reactor")]

mod reactor_common;

use std::time::Duration;

use net_core::{Instant, Net, Stream};
use reactor_common::{loopback, pair, real, run};
use sim_io::network::{Link, Network};
use sim_io::reactor::Poller;
use sim_io::{Environment, RealTime, RunError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

on_each_poller!(
    nobody_mixes_the_clocks_by_accident,
    with_all_patience_the_clock_stands_still_while_a_socket_is_waited_for,
    without_patience_the_clock_jumps_past_what_is_silent,
    with_some_patience_the_clock_jumps_in_the_end,
    when_nothing_else_is_scheduled_a_virtual_clock_waits_for_sockets,
    a_strict_run_that_waits_for_sockets_is_not_late,
    real_time_passes_while_a_socket_is_silent,
    what_arrives_happens_when_it_arrives,
    the_poller_is_chosen_before_the_first_socket,
);

const HOUR: Duration = Duration::from_secs(3600);

/// An environment with a virtual clock, and a connection that was made with all patience.
fn patient(poller: Poller, patience: Duration) -> (Environment, Stream, Stream) {
    let env = Environment::new();
    env.use_poller(poller).unwrap();
    env.keep_virtual_time(Duration::MAX);
    let (near, far) = pair(&env);
    env.keep_virtual_time(patience);
    (env, near, far)
}

fn nobody_mixes_the_clocks_by_accident(poller: Poller) {
    let env = Environment::new();
    env.use_poller(poller).unwrap();
    let net = env.net();
    run(&env, async move {
        let text = |error: &dyn std::error::Error| {
            let mut text = error.to_string();
            let mut source = error.source();
            while let Some(error) = source {
                text = format!("{text}: {error}");
                source = error.source();
            }
            text
        };
        let udp = "udp://127.0.0.1:0".parse().unwrap();
        for error in [
            net.bind(&loopback()).await.unwrap_err(),
            net.connect(&"tcp://127.0.0.1:1".parse().unwrap()).await.unwrap_err(),
            net.connect(&"unix:@nobody".parse().unwrap()).await.unwrap_err(),
            net.connect(&"tcp://localhost:1".parse().unwrap()).await.unwrap_err(),
            net.datagram(&udp).await.unwrap_err(),
        ] {
            let text = text(&error);
            assert!(
                text.contains("keep_virtual_time") && text.contains("in_real_time"),
                "{text}"
            );
        }
        // What touches no socket needs no choice.
        net.sleep(HOUR).await;
        assert_eq!(net.now(), Instant::ZERO + HOUR);
        let task = net.spawn(async { 7 }).unwrap();
        assert_eq!(task.await.unwrap(), 7);
    });
    env.keep_virtual_time(Duration::ZERO);
    let net = env.net();
    run(&env, async move { drop(net.bind(&loopback()).await.unwrap()) });
}

/// The peer is another thread, which nobody here can hurry.
fn with_all_patience_the_clock_stands_still_while_a_socket_is_waited_for(poller: Poller) {
    let (env, near, mut far) = patient(poller, Duration::MAX);
    let tick = env.process({
        let env = env.clone();
        async move {
            env.timeout(Duration::from_nanos(1)).await;
            env.now()
        }
    });
    let before = env.now();
    let other = std::thread::spawn(|| std::thread::park_timeout(Duration::from_millis(20)));
    env.process(async move {
        // This holds the clock until the thread has ended.
        let mut near = near;
        let ended = wait_for(other).await;
        near.write_all(&[ended]).await.unwrap();
    });
    let read = env.process(async move { far.read_u8().await.unwrap() });
    assert_eq!(env.run_until(&read).unwrap(), 1);
    assert_eq!(env.now(), before, "no tick before the byte");
    assert_eq!(env.run_until(&tick).unwrap(), before + Duration::from_nanos(1));
}

/// Waits for a thread without a look at the clock: it wakes the process when it ends.
async fn wait_for(thread: std::thread::JoinHandle<()>) -> u8 {
    let (send, receive) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        thread.join().unwrap();
        send.send(1).unwrap();
    });
    receive.await.unwrap()
}

fn without_patience_the_clock_jumps_past_what_is_silent(poller: Poller) {
    let (env, _near, mut far) = patient(poller, Duration::ZERO);
    env.process(async move { far.read_u8().await });
    let before = env.now();
    env.run_until(HOUR).unwrap();
    assert_eq!(env.now(), before + HOUR);
}

fn with_some_patience_the_clock_jumps_in_the_end(poller: Poller) {
    let (env, mut near, mut far) = patient(poller, Duration::from_millis(100));
    let before = env.now();
    let read = env.process(async move {
        let first = far.read_u8().await.unwrap();
        let second = far.read_u8().await.unwrap();
        (first, second)
    });
    env.process({
        let env = env.clone();
        async move {
            // What is there already is read before the clock jumps to the end of this hour.
            near.write_all(&[1]).await.unwrap();
            env.timeout(HOUR).await;
            near.write_all(&[2]).await.unwrap();
            env.timeout(HOUR).await;
        }
    });
    assert_eq!(env.run_until(&read).unwrap(), (1, 2));
    assert_eq!(env.now(), before + HOUR);
}

fn when_nothing_else_is_scheduled_a_virtual_clock_waits_for_sockets(poller: Poller) {
    let (env, mut near, mut far) = patient(poller, Duration::ZERO);
    let before = env.now();
    let read = env.process(async move { far.read_u8().await.unwrap() });
    let other = std::thread::spawn(|| std::thread::park_timeout(Duration::from_millis(5)));
    env.process(async move {
        let ended = wait_for(other).await;
        near.write_all(&[ended]).await.unwrap();
    });
    assert_eq!(env.run_until(&read).unwrap(), 1);
    assert_eq!(env.now(), before);
}

/// What is waited for in the poller is on time, though nothing was scheduled for it: only what was scheduled can be late.
/// Were it late, then by all of the wait, at each try; a pause of the machine is not likely to be as long ten times.
fn a_strict_run_that_waits_for_sockets_is_not_late(poller: Poller) {
    let outcome = (0..10).find_map(|_| match strict(poller) {
        Err(RunError::Late { .. }) => None,
        outcome => Some(outcome),
    });
    outcome.expect("on time at least once").unwrap();
}

fn strict(poller: Poller) -> Result<(), RunError> {
    // Longer than it takes until those who wait are asked whether they still do.
    const WAIT: Duration = Duration::from_millis(700);
    let env = real(poller);
    let (mut near, mut far) = pair(&env);
    // A simulated second is a real millisecond here.
    env.keep_real_time(RealTime::new(0.001).unwrap().tolerate(WAIT / 2));
    let read = env.process(async move { far.read_u8().await.unwrap() });
    let other = std::thread::spawn(|| std::thread::park_timeout(WAIT));
    env.process(async move {
        let ended = wait_for(other).await;
        near.write_all(&[ended]).await.unwrap();
    });
    let before = env.now();
    assert_eq!(env.run_until(&read)?, 1);
    assert!(env.now() >= before + WAIT * 1000, "{:?}", env.now());
    // What is scheduled from then on counts from then on.
    env.run_until(Duration::from_secs(1))
}

fn real_time_passes_while_a_socket_is_silent(poller: Poller) {
    let env = real(poller);
    let net = env.net();
    let (_near, mut far) = pair(&env);
    run(&env, async move {
        let before = net.now();
        let error = net.timeout(Duration::from_millis(5), far.read_u8()).await.unwrap_err();
        assert!(matches!(error.kind(), net_core::ErrorKind::Timeout(_)), "{error}");
        assert!(net.now() >= before + Duration::from_millis(5));
    });
}

/// The time of what comes from a socket lies between what was before it and what is due next.
fn what_arrives_happens_when_it_arrives(poller: Poller) {
    let env = real(poller);
    let (mut near, mut far) = pair(&env);
    let early = env.timeout(Duration::from_millis(1));
    env.process(async move { env_write(early, &mut near).await });
    let late = env.timeout(HOUR);
    env.process(late);
    let read = env.process({
        let env = env.clone();
        async move {
            far.read_u8().await.unwrap();
            env.now()
        }
    });
    let at = env.run_until(&read).unwrap();
    assert!(at >= Instant::ZERO + Duration::from_millis(1), "{at:?}");
    assert!(at < Instant::ZERO + HOUR, "{at:?}");
}

async fn env_write(when: sim_io::Timeout, stream: &mut Stream) {
    when.await;
    stream.write_all(&[1]).await.unwrap();
}

fn the_poller_is_chosen_before_the_first_socket(poller: Poller) {
    let env = real(poller);
    env.use_poller(Poller::default()).unwrap();
    env.use_poller(poller).unwrap();
    let net = env.net();
    run(&env, async move { drop(net.bind(&loopback()).await.unwrap()) });
    let error = env.use_poller(poller).unwrap_err();
    assert!(error.to_string().contains("before"), "{error}");
}

/// The third pair: a simulated network in real time. Its latency is real then.
#[test]
fn a_simulated_network_in_real_time() {
    let env = Environment::in_real_time();
    let network = Network::new(&env);
    network.set_default_link(Link::default().latency(Duration::from_millis(5)));
    let (server, client) = (
        network.host("server").unwrap().net(),
        network.host("client").unwrap().net(),
    );
    env.process(async move {
        let mut listener = server.bind(&"tcp://0.0.0.0:7".parse().unwrap()).await.unwrap();
        let mut stream = listener.accept().await.unwrap();
        let byte = stream.read_u8().await.unwrap();
        stream.write_all(&[byte]).await.unwrap();
    });
    let start = env.net();
    run(&env, async move {
        let begun = start.now();
        let mut stream = client.connect(&"tcp://server:7".parse().unwrap()).await.unwrap();
        stream.write_all(&[5]).await.unwrap();
        assert_eq!(stream.read_u8().await.unwrap(), 5);
        assert_eq!(start.now() - begun, Duration::from_millis(20), "two round trips");
    });
}

/// A program on both at once: it takes from a simulated host, and gives to a real socket.
#[test]
fn a_simulated_network_and_real_sockets_at_once() {
    let env = Environment::in_real_time();
    let network = Network::new(&env);
    let (server, client) = (
        network.host("server").unwrap().net(),
        network.host("client").unwrap().net(),
    );
    let (mut near, mut far) = pair(&env);
    env.process(async move {
        let mut listener = server.bind(&"tcp://0.0.0.0:7".parse().unwrap()).await.unwrap();
        let mut stream = listener.accept().await.unwrap();
        tokio::io::copy(&mut stream, &mut near).await.unwrap();
    });
    let sent = env.process(async move {
        let mut stream = client.connect(&"tcp://server:7".parse().unwrap()).await.unwrap();
        stream.write_all(b"through both").await.unwrap();
        stream.shutdown().await.unwrap();
    });
    let read = env.process(async move {
        let mut data = Vec::new();
        far.read_to_end(&mut data).await.unwrap();
        data
    });
    env.run_until(&sent).unwrap();
    assert_eq!(env.run_until(&read).unwrap(), b"through both");
}

#[test]
fn handles_are_good_for_their_environment_and_thread_only() {
    fn send<T: Send>(_: &T) {}
    let env = Environment::in_real_time();
    let net = env.net();
    let (near, far) = pair(&env);
    send(&near);
    // Elsewhere there is an error, and no panic.
    let (net, near) = std::thread::spawn(move || {
        let mut near = near;
        let waker = std::task::Waker::noop();
        let mut cx = std::task::Context::from_waker(waker);
        let mut write = std::pin::pin!(near.write_all(b"x"));
        match Future::poll(write.as_mut(), &mut cx) {
            std::task::Poll::Ready(Err(error)) => assert!(format!("{error:?}").contains("another thread"), "{error:?}"),
            other => panic!("{other:?}"),
        }
        assert_eq!(net.now(), Instant::ZERO);
        (net, near)
    })
    .join()
    .unwrap();
    drop((near, far));
    drop(env);
    let orphan = Environment::new();
    run(&orphan, async move { gone(&net).await });
}

async fn gone(net: &Net) {
    let error = net.bind(&loopback()).await.unwrap_err();
    let text = format!("{error:?}");
    assert!(text.contains("ended"), "{text}");
}
