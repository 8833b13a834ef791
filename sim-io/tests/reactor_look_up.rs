//! Names are looked up by other threads, so that nobody waits who did not ask.
#![cfg(feature = "reactor")]

mod reactor_common;

use std::time::Duration;

use net_core::ErrorKind;
use reactor_common::{real, run};
use sim_io::reactor::Poller;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

on_each_poller!(
    a_name_is_looked_up_and_connected_to,
    a_name_that_nobody_has_is_an_error_of_its_own,
    a_look_up_that_is_given_up_holds_nothing,
    more_names_at_once_than_there_are_threads,
);

fn a_name_is_looked_up_and_connected_to(poller: Poller) {
    let env = real(poller);
    let net = env.net();
    run(&env, async move {
        let mut listener = net.bind(&"tcp://127.0.0.1:0".parse().unwrap()).await.unwrap();
        let port = listener.local().port().unwrap();
        let to = format!("tcp://localhost:{port}").parse().unwrap();
        let mut near = net.connect(&to).await.unwrap();
        near.write_all(&[3]).await.unwrap();
        assert_eq!(listener.accept().await.unwrap().read_u8().await.unwrap(), 3);
    });
}

/// A label may have 63 letters, so this one is refused without asking anybody.
fn a_name_that_nobody_has_is_an_error_of_its_own(poller: Poller) {
    let env = real(poller);
    let net = env.net();
    run(&env, async move {
        let to = format!("tcp://{}:1", "a".repeat(64)).parse().unwrap();
        let error = net.connect(&to).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Resolve, "{error}");
    });
}

fn a_look_up_that_is_given_up_holds_nothing(poller: Poller) {
    let env = real(poller);
    let net = env.net();
    let look = env.process({
        let net = net.clone();
        async move { net.resolve(&"tcp://localhost:1".parse().unwrap()).await.is_ok() }
    });
    assert!(env.step().unwrap(), "it has begun");
    look.kill();
    env.run().unwrap();
    // And one that is dropped with its environment.
    let look = env.process(async move { net.resolve(&"tcp://localhost:1".parse().unwrap()).await.is_ok() });
    assert!(env.step().unwrap(), "it has begun");
    drop(env);
    assert!(!look.is_alive());
}

fn more_names_at_once_than_there_are_threads(poller: Poller) {
    let env = real(poller);
    let looks: Vec<_> = (0..100)
        .map(|port| {
            let net = env.net();
            let to = format!("tcp://localhost:{port}").parse().unwrap();
            env.process(async move { net.resolve(&to).await.unwrap().len() })
        })
        .collect();
    let long = env.timeout(Duration::from_secs(3600));
    env.process(long);
    for look in looks {
        assert!(env.run_until(&look).unwrap() > 0);
    }
    assert!(env.now() < net_core::Instant::ZERO + Duration::from_secs(3600));
}
