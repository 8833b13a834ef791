//! Names are looked up by other threads, so that nobody waits who did not ask.
#![cfg(feature = "reactor")]

mod reactor_common;

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Wake, Waker};
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

struct Panics(AtomicUsize);

impl Wake for Panics {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
        // Without the hook, whose backtraces take their time.
        std::panic::resume_unwind(Box::new("a waker of somebody's"));
    }
}

/// More of them than there are threads.
#[test]
fn a_waker_that_panics_costs_no_thread() {
    let env = real(Poller::Mio);
    let (net, time) = (env.net(), env.clone());
    run(&env, async move {
        let name = "tcp://localhost:1".parse().unwrap();
        let panics = Arc::new(Panics(AtomicUsize::new(0)));
        let waker = Waker::from(Arc::clone(&panics));
        for tries in 0..20 {
            let mut look = std::pin::pin!(net.resolve(&name));
            let mut over = look.as_mut().poll(&mut Context::from_waker(&waker)).is_ready();
            while !over {
                time.timeout(Duration::from_micros(100)).await;
                over = panics.0.load(Ordering::SeqCst) > tries
                    || look.as_mut().poll(&mut Context::from_waker(&waker)).is_ready();
            }
            panics.0.store(tries + 1, Ordering::SeqCst);
        }
        assert!(!net.resolve(&name).await.unwrap().is_empty());
    });
}
