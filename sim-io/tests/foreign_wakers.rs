//! Futures that are polled by their process first and by something with a waker of its own later, or the other way round:
//! who polled last is woken.

mod common;

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use common::{Units, world};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use sim_io::Environment;
use tokio::sync::oneshot;

#[derive(Default)]
struct Count(AtomicU32);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

async fn poll_once<F: Future + Unpin>(future: &mut F) {
    poll_fn(|cx| {
        assert!(Pin::new(&mut *future).poll(cx).is_pending());
        Poll::Ready(())
    })
    .await;
}

#[test]
fn a_timeout_goes_into_a_set_of_futures_in_the_step_that_asked_for_it() {
    let (env, log) = world();
    process!(env, log; {
        let mut timeout = env.wait(3);
        poll_once(&mut timeout).await;
        let mut set = FuturesUnordered::new();
        set.push(timeout);
        set.next().await.unwrap();
        log.say(format!("over at {}", env.time()));
    });
    env.run().unwrap();
    log.expect("over at 3");
}

#[test]
fn a_timeout_comes_back_from_a_set_of_futures() {
    for drops in [false, true] {
        let (env, log) = world();
        let count = Arc::new(Count::default());
        process!(env, log, count; {
            let waker = Waker::from(count);
            let mut timeout = env.wait(3);
            assert!(Pin::new(&mut timeout).poll(&mut Context::from_waker(&waker)).is_pending());
            drop(waker);
            if drops {
                poll_once(&mut timeout).await;
                env.wait(1).await;
                drop(timeout);
            } else {
                timeout.await;
            }
            log.say(format!("over at {}", env.time()));
        });
        env.run().unwrap();
        log.expect(if drops { "over at 1" } else { "over at 3" });
        assert_eq!(count.0.load(Ordering::Relaxed), 0);
        assert_eq!(Arc::strong_count(&count), 1, "nobody keeps the waker");
    }
}

#[test]
fn an_environment_inside_another_wakes_both() {
    let outer = Environment::new();
    let (to_outer, from_inner) = oneshot::channel();
    let hears = outer.process(from_inner);
    outer.process({
        let outer = outer.clone();
        async move {
            outer.timeout(Duration::from_secs(1)).await;
            // This one's wakes go to the environment that runs, and the other's to the one outside.
            let inner = Environment::new();
            let (to_second, from_first) = oneshot::channel();
            let second = inner.process(from_first);
            inner.process(async move {
                to_second.send(()).unwrap();
                to_outer.send("heard").unwrap();
            });
            inner.run_until(&second).unwrap().unwrap();
            // After the inner run the outer one's own wakes are its own again.
            let (to_third, from_second) = oneshot::channel();
            let third = outer.process(from_second);
            to_third.send(()).unwrap();
            third.await.unwrap().unwrap();
        }
    });
    assert_eq!(outer.run_until(&hears).unwrap(), Ok("heard"));
    assert_eq!(outer.now().to_string(), "1.000000000s");
    outer.run().unwrap();
}
