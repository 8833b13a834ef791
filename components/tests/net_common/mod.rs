//! One test on two networks: the operating system's, and a simulated one with virtual time.
#![allow(dead_code, reason = "not every test uses everything")]

use std::future::Future;
use std::time::Duration;

use components::{Endpoint, Net};
use sim_io::Environment;
use sim_io::network::{Link, Network};

/// A client's and a server's network.
pub(crate) struct Sides {
    pub(crate) client: Net,
    pub(crate) server: Net,
    /// Where a server listens.
    pub(crate) listen: Endpoint,
    simulated: bool,
}

impl Sides {
    pub(crate) fn os() -> Self {
        let net = Net::os();
        Self {
            client: net.clone(),
            server: net,
            listen: "tcp://127.0.0.1:0".parse().unwrap(),
            simulated: false,
        }
    }

    /// How a client reaches what listens there.
    pub(crate) fn reach(&self, local: &Endpoint) -> Endpoint {
        if self.simulated {
            format!("tcp://server:{}", local.port().unwrap()).parse().unwrap()
        } else {
            local.clone()
        }
    }

    pub(crate) fn is_simulated(&self) -> bool {
        self.simulated
    }

    /// Bytes for a transfer: less where each packet is an event.
    pub(crate) fn size(&self, full: usize) -> usize {
        if self.simulated { full / 5 } else { full }
    }

    /// A time in which nothing happens: virtual, or as short as real waiting should be.
    pub(crate) fn short(&self) -> Duration {
        if self.simulated {
            Duration::from_secs(60)
        } else {
            Duration::from_millis(300)
        }
    }
}

/// Runs a test on both.
pub(crate) fn on_both<F: Future<Output = ()> + 'static>(test: impl Fn(Sides) -> F) {
    on_os(&test);
    on_simulated(1, Link::default().latency(Duration::from_millis(5)), &test);
}

pub(crate) fn on_os<F: Future<Output = ()>>(test: impl Fn(Sides) -> F) {
    on_os_within(Duration::from_secs(120), test);
}

/// The limit is only against hanging.
pub(crate) fn on_os_within<F: Future<Output = ()>>(limit: Duration, test: impl Fn(Sides) -> F) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async { Net::os().timeout(limit, test(Sides::os())).await.unwrap() });
}

pub(crate) fn on_simulated<F: Future<Output = ()> + 'static>(seed: u64, link: Link, test: impl Fn(Sides) -> F) {
    let env = Environment::with_seed(seed);
    let network = Network::new(&env);
    network.set_default_link(link);
    let sides = Sides {
        client: network.host("client").unwrap().net(),
        server: network.host("server").unwrap().net(),
        listen: "tcp://0.0.0.0:0".parse().unwrap(),
        simulated: true,
    };
    let process = env.named_process("test", test(sides));
    env.run_until(&process).unwrap();
}

/// Bytes that are not the same everywhere.
pub(crate) fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|n| (n * 31 + n / 251) as u8).collect()
}
