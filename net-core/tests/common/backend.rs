//! The same test on every backend. The tests of other crates include this file too.

use std::cell::RefCell;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use net_core::Net;
use sim_io::Environment;
use sim_io::network::{Link, Network};

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
}

thread_local! {
    static NET: RefCell<Option<Net>> = const { RefCell::new(None) };
}

/// The network that the test runs on; each call gives one with counters and `mem:` names of its own.
pub(crate) fn net() -> Net {
    let net = NET.with_borrow(Clone::clone).expect("a test that a backend runs");
    Net::new(Arc::clone(net.backend()))
}

impl Backend {
    /// Runs a test to its end.
    pub(crate) fn run(self, test: impl Future<Output = ()> + 'static) {
        match self {
            Self::Tokio => under_tokio(false, test),
            Self::JumpingTokio => under_tokio(true, test),
            Self::VirtualNetwork => in_simulation(None, test),
            Self::BadLink => in_simulation(Some(bad_link()), test),
        }
    }
}

/// Runs something where tokio's time jumps.
pub(crate) fn in_jumping_tokio<T>(work: impl Future<Output = T>) -> T {
    under_tokio(true, work)
}

fn under_tokio<T>(time_jumps: bool, work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(time_jumps)
        .build()
        .expect("a runtime");
    // The clock of `Net::os` is that of the runtime which it is made in.
    runtime.block_on(async {
        NET.set(Some(Net::os()));
        work.await
    })
}

fn in_simulation(to_itself: Option<Link>, test: impl Future<Output = ()> + 'static) {
    let env = Environment::with_seed(11);
    let network = Network::new(&env);
    let host = network.host("host").expect("a host");
    if let Some(link) = to_itself {
        network.set_link(&host, &host, link);
    }
    NET.set(Some(host.net()));
    let process = env.named_process("the test", test);
    if let Err(error) = env.run_until(&process) {
        panic!("{error}");
    }
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
        }
    };
}

/// The same but for the bad link: for functions that send datagrams.
macro_rules! where_nothing_is_lost {
    ($($test:ident),+ $(,)?) => {
        mod where_nothing_is_lost {
            $crate::common::backend::on_backend!(tokio Tokio, $($test),+);
            $crate::common::backend::on_backend!(virtual_network VirtualNetwork, $($test),+);
        }
    };
}

/// The same for functions that wait for long, over pipes in memory.
macro_rules! where_time_jumps {
    ($($test:ident),+ $(,)?) => {
        mod where_time_jumps {
            $crate::common::backend::on_backend!(tokio JumpingTokio, $($test),+);
            $crate::common::backend::on_backend!(virtual_network VirtualNetwork, $($test),+);
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
