//! The same test on every backend. The tests of other crates include this file too.

use std::cell::RefCell;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use net_core::Net;
use sim_io::Environment;
use sim_io::network::{Link, Network};
use sim_io::reactor::Poller;

/// Longer than any test takes in real time; in simulated time one that hangs is a deadlock, and told so.
const LIMIT: Duration = Duration::from_secs(120);

/// What a test runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Backend {
    /// The operating system's sockets, under tokio.
    Tokio,
    /// tokio's time, which jumps whenever everything waits: for pipes in memory, since sockets would not keep up.
    JumpingTokio,
    /// One host of a simulated network, in virtual time. To itself packets take no time.
    VirtualNetwork,
    /// The same with latency, jitter and loss on every way, the one from the host to itself too.
    BadLink,
    /// The operating system's sockets under an environment in real time, with each of its pollers.
    Mio,
    Poll,
    Select,
    /// The same in virtual time, which jumps whatever the sockets do: for pipes in memory.
    JumpingMio,
}

thread_local! {
    static RUNNING: RefCell<Option<(Backend, Net)>> = const { RefCell::new(None) };
}

/// The network that the test runs on; each call gives one with counters and `mem:` names of its own.
pub(crate) fn net() -> Net {
    let (_, net) = running();
    Net::new(Arc::clone(net.backend()))
}

/// What the test runs on, for the few that have to know.
pub(crate) fn running_on() -> Backend {
    running().0
}

fn running() -> (Backend, Net) {
    RUNNING.with_borrow(Clone::clone).expect("a test that a backend runs")
}

impl Backend {
    /// Runs a test to its end.
    pub(crate) fn run(self, test: impl Future<Output = ()> + 'static) {
        match self {
            Self::Tokio | Self::JumpingTokio => self.under_tokio(test),
            Self::VirtualNetwork => self.in_simulation(None, test),
            Self::BadLink => self.in_simulation(Some(bad_link()), test),
            Self::Mio | Self::JumpingMio => self.on_reactor(Poller::Mio, test),
            Self::Poll => self.on_reactor(Poller::Poll, test),
            Self::Select => self.on_reactor(Poller::Select, test),
        }
    }

    fn under_tokio<T>(self, work: impl Future<Output = T>) -> T {
        let time_jumps = self == Self::JumpingTokio;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(time_jumps)
            .build()
            .expect("a runtime");
        // The clock of `Net::os` is that of the runtime which it is made in.
        runtime.block_on(async {
            let net = Net::os();
            RUNNING.set(Some((self, net.clone())));
            if time_jumps {
                return work.await;
            }
            net.timeout(LIMIT, work).await.expect("the test hangs")
        })
    }

    fn in_simulation(self, to_itself: Option<Link>, test: impl Future<Output = ()> + 'static) {
        let env = Environment::with_seed(11);
        let network = Network::new(&env);
        let host = network.host("host").expect("a host");
        if let Some(link) = to_itself {
            network.set_link(&host, &host, link);
        }
        self.run_process(&env, &host.net(), test);
    }

    fn on_reactor(self, poller: Poller, test: impl Future<Output = ()> + 'static) {
        let time_jumps = self == Self::JumpingMio;
        let env = if time_jumps {
            Environment::new()
        } else {
            Environment::in_real_time()
        };
        env.use_poller(poller).expect("nothing was opened yet");
        let net = env.net();
        if time_jumps {
            env.keep_virtual_time(Duration::ZERO);
            self.run_process(&env, &net, test);
        } else {
            let clock = net.clone();
            let limited = async move { clock.timeout(LIMIT, test).await.expect("the test hangs") };
            self.run_process(&env, &net, limited);
        }
    }

    fn run_process(self, env: &Environment, net: &Net, test: impl Future<Output = ()> + 'static) {
        RUNNING.set(Some((self, net.clone())));
        let process = env.named_process("the test", test);
        if let Err(error) = env.run_until(&process) {
            panic!("{error}");
        }
    }
}

/// Runs something where tokio's time jumps.
pub(crate) fn in_jumping_tokio<T>(work: impl Future<Output = T>) -> T {
    Backend::JumpingTokio.under_tokio(work)
}

/// A link on which everything that can happen to packets does.
fn bad_link() -> Link {
    Link::default()
        .latency(Duration::from_millis(20))
        .jitter(Duration::from_millis(10))
        .reorder(0.01, Duration::from_millis(7))
        .duplicate(0.01)
        .corrupt(0.005)
        .loss(0.02)
}

/// Makes a test of each function named, for each backend.
macro_rules! on_each_backend {
    ($($test:ident),+ $(,)?) => {
        mod on_each_backend {
            $crate::common::backend::on_backend!(tokio Tokio, $($test),+);
            $crate::common::backend::on_backend!(virtual_network VirtualNetwork, $($test),+);
            $crate::common::backend::on_backend!(bad_link BadLink, $($test),+);
            $crate::common::backend::on_backend!(reactor Mio, $($test),+);
        }
    };
}

/// The same but for the bad link: for functions that send datagrams, or resets, which TCP sends once.
macro_rules! where_nothing_is_lost {
    ($($test:ident),+ $(,)?) => {
        mod where_nothing_is_lost {
            $crate::common::backend::on_backend!(tokio Tokio, $($test),+);
            $crate::common::backend::on_backend!(virtual_network VirtualNetwork, $($test),+);
            $crate::common::backend::on_backend!(reactor Mio, $($test),+);
        }
    };
}

/// The same for functions that wait for long, over pipes in memory.
macro_rules! where_time_jumps {
    ($($test:ident),+ $(,)?) => {
        mod where_time_jumps {
            $crate::common::backend::on_backend!(tokio JumpingTokio, $($test),+);
            $crate::common::backend::on_backend!(virtual_network VirtualNetwork, $($test),+);
            $crate::common::backend::on_backend!(reactor JumpingMio, $($test),+);
        }
    };
}

macro_rules! on_backend {
    ($module:ident $backend:ident, $($test:ident),+) => {
        mod $module {
            $(
                #[test]
                fn $test() {
                    $crate::common::backend::Backend::$backend.run(super::super::$test());
                }
            )+
        }
    };
}
pub(crate) use {on_backend, on_each_backend, where_nothing_is_lost, where_time_jumps};
