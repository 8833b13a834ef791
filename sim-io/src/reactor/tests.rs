//! What only the reactor itself can tell: how often it asked the system.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use net_core::{Endpoint, Stream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::Poller;
use crate::Environment;

const POLLERS: [Poller; 3] = [Poller::Mio, Poller::Poll, Poller::Select];

fn real(poller: Poller) -> Environment {
    let env = Environment::in_real_time();
    env.use_poller(poller).unwrap();
    env
}

fn pair(env: &Environment) -> (Stream, Stream) {
    let ends = Rc::new(RefCell::new(None));
    let (net, put) = (env.net(), Rc::clone(&ends));
    let made = env.process(async move {
        let at: Endpoint = "tcp://127.0.0.1:0".parse().unwrap();
        let mut listener = net.bind(&at).await.unwrap();
        let near = net.connect(listener.local()).await.unwrap();
        *put.borrow_mut() = Some((near, listener.accept().await.unwrap()));
    });
    env.run_until(&made).unwrap();
    ends.take().unwrap()
}

fn waits(env: &Environment) -> u64 {
    env.core.reactor().unwrap().waits.get()
}

/// With the original this makes the wait return at once, again and again.
#[test]
fn d17_an_idle_socket_with_an_error_ends_no_wait() {
    for poller in POLLERS {
        let env = real(poller);
        // Reset by its peer, ended by its peer, hung up on both sides, and one that is bound and not connected.
        let (one, _reset) = pair(&env);
        let (two, _ended) = pair(&env);
        let (mut three, mut four) = pair(&env);
        let (_quiet, mut waiting) = pair(&env);
        let net = env.net();
        let prepared = env.process(async move {
            let datagram = net.datagram(&"udp://127.0.0.1:0".parse().unwrap()).await.unwrap();
            // Nobody is there: an error comes back, and stays with the socket.
            let _ = datagram.send_to(b"x", &"udp://127.0.0.1:1".parse().unwrap()).await;
            one.reset();
            drop(two);
            three.shutdown().await.unwrap();
            four.shutdown().await.unwrap();
            std::mem::forget((three, four, datagram));
        });
        env.run_until(&prepared).unwrap();
        // Somebody waits, so that the poller is asked.
        env.process(async move { waiting.read_u8().await });
        let before = waits(&env);
        env.run_until(Duration::from_millis(30)).unwrap();
        let waits = waits(&env) - before;
        assert!(waits < 30, "{poller:?}: {waits} waits");
    }
}

/// Waiting for a peer costs two looks at most: no look is made for what is known.
#[test]
fn a_round_trip_costs_few_looks() {
    for poller in POLLERS {
        let env = real(poller);
        let (mut near, mut far) = pair(&env);
        env.process(async move {
            while let Ok(byte) = far.read_u8().await {
                far.write_all(&[byte]).await.unwrap();
            }
        });
        let before = waits(&env);
        let done = env.process(async move {
            for byte in 0..100 {
                near.write_all(&[byte]).await.unwrap();
                assert_eq!(near.read_u8().await.unwrap(), byte);
            }
        });
        env.run_until(&done).unwrap();
        let waits = waits(&env) - before;
        assert!(waits <= 210, "{poller:?}: {waits} waits");
    }
}
