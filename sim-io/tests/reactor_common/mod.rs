//! Each test on the three pollers, and what the tests do again and again.
#![allow(dead_code, reason = "each test file uses some of it")]

use std::cell::RefCell;
use std::future::Future;
use std::rc::Rc;

use net_core::{Endpoint, Net, Stream};
use sim_io::Environment;
use sim_io::reactor::Poller;

/// Runs tests, which are functions of the poller, on each of them: `on_each_poller!(this_test, that_test);`
#[macro_export]
macro_rules! on_each_poller {
    ($($test:ident),* $(,)?) => {
        on_each_poller!(in mio Mio: $($test)*);
        on_each_poller!(in poll Poll: $($test)*);
        on_each_poller!(in select Select: $($test)*);
    };
    (in $module:ident $poller:ident: $($test:ident)*) => {
        mod $module {
            $(
                #[test]
                fn $test() {
                    super::$test(sim_io::reactor::Poller::$poller);
                }
            )*
        }
    };
}

/// An environment in real time.
pub(crate) fn real(poller: Poller) -> Environment {
    let env = Environment::in_real_time();
    env.use_poller(poller).unwrap();
    env
}

pub(crate) fn loopback() -> Endpoint {
    "tcp://127.0.0.1:0".parse().unwrap()
}

/// Runs a process to its end.
pub(crate) fn run<T: Clone + 'static>(env: &Environment, work: impl Future<Output = T> + 'static) -> T {
    let process = env.named_process("test", work);
    env.run_until(&process).unwrap()
}

/// Two ends of a connection: the one that connected, the one that was accepted.
pub(crate) async fn connected(net: &Net, at: &Endpoint) -> (Stream, Stream) {
    let mut listener = net.bind(at).await.unwrap();
    let near = net.connect(listener.local()).await.unwrap();
    (near, listener.accept().await.unwrap())
}

/// The same, between runs.
pub(crate) fn pair(env: &Environment) -> (Stream, Stream) {
    let ends = Rc::new(RefCell::new(None));
    let (net, put) = (env.net(), Rc::clone(&ends));
    run(env, async move {
        *put.borrow_mut() = Some(connected(&net, &loopback()).await);
    });
    ends.take().unwrap()
}
