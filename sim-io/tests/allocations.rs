//! What costs no allocation.

mod common;

use std::time::Duration;

use common::world;
use sim_io::Environment;

fn clocks(count: u64) -> Environment {
    let (env, _) = world();
    for n in 1..=count {
        process!(env; {
            loop {
                env.timeout(Duration::from_millis(n)).await;
            }
        });
    }
    env
}

#[test]
fn a_timeout_costs_none() {
    for count in [1, 100] {
        let env = clocks(count);
        // Tables and the queue grow to their size; the queue's, at times that are powers of two, until it has enough.
        env.run_until(Duration::from_secs(100)).unwrap();
        let before = env.steps();
        let allocations = allocation_counter::measure(|| env.run_until(Duration::from_secs(20)).unwrap());
        assert!(env.steps() - before >= 10_000);
        assert_eq!(allocations.count_total, 0, "with {count} processes");
    }
}

#[test]
fn neither_does_one_that_is_cancelled() {
    let (env, _) = world();
    process!(env; {
        loop {
            drop(env.timeout(Duration::from_secs(1_000)));
            env.timeout(Duration::from_millis(1)).await;
        }
    });
    env.run_until(Duration::from_secs(1)).unwrap();
    let allocations = allocation_counter::measure(|| env.run_until(Duration::from_secs(10)).unwrap());
    assert_eq!(allocations.count_total, 0);
}

#[test]
#[cfg(feature = "reactor")]
fn a_round_trip_over_real_sockets_costs_none() {
    use sim_io::reactor::Poller;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    for poller in [Poller::Mio, Poller::Poll, Poller::Select] {
        let env = Environment::in_real_time();
        env.use_poller(poller).unwrap();
        let (net, marks) = (env.net(), [env.event::<()>(), env.event()]);
        env.process({
            let marks = marks.clone();
            async move {
                let mut listener = net.bind(&"tcp://127.0.0.1:0".parse().unwrap()).await.unwrap();
                let mut near = net.connect(listener.local()).await.unwrap();
                let mut far = listener.accept().await.unwrap();
                let echo = async move {
                    while let Ok(byte) = far.read_u8().await {
                        far.write_all(&[byte]).await.unwrap();
                    }
                };
                net.spawn(echo).unwrap();
                for mark in marks {
                    for byte in 0..200 {
                        near.write_all(&[byte]).await.unwrap();
                        assert_eq!(near.read_u8().await.unwrap(), byte);
                    }
                    mark.succeed(()).unwrap();
                }
            }
        });
        env.run_until(&marks[0]).unwrap();
        let allocations = allocation_counter::measure(|| env.run_until(&marks[1]).unwrap());
        // Those of the run and of the event.
        assert!(allocations.count_total < 10, "{poller:?}: {}", allocations.count_total);
    }
}
