//! Two hosts with a link between them.
#![allow(dead_code, reason = "each test file uses some of it")]

use std::cell::RefCell;
use std::future::Future;
use std::rc::Rc;
use std::time::Duration;

use net_core::Stream;
use sim_io::Environment;
use sim_io::network::{Host, Link, Network};

pub(crate) fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// The environment and the ends of a link.
pub(crate) struct Pair {
    pub(crate) env: Environment,
    pub(crate) network: Network,
    pub(crate) client: Host,
    pub(crate) server: Host,
}

impl Pair {
    pub(crate) fn new(seed: u64, latency: Duration) -> Self {
        Self::linked(seed, Link::default().latency(latency))
    }

    pub(crate) fn linked(seed: u64, link: Link) -> Self {
        let env = Environment::with_seed(seed);
        let network = Network::new(&env);
        network.set_default_link(link);
        let client = network.host("client").unwrap();
        let server = network.host("server").unwrap();
        Self {
            env,
            network,
            client,
            server,
        }
    }

    /// Runs a process to its end.
    pub(crate) fn run<T: Clone + 'static>(
        &self,
        work: impl Future<Output = Result<T, Box<dyn std::error::Error>>> + 'static,
    ) -> T {
        let process = self.env.named_process("test", async move {
            match work.await {
                Ok(value) => value,
                Err(error) => panic!("{error}"),
            }
        });
        self.env.run_until(&process).unwrap()
    }

    /// Two ends of a connection: the client's, the server's.
    pub(crate) fn connected(&self) -> (Stream, Stream) {
        let accepted = Rc::new(RefCell::new(None));
        let (net, put) = (self.server.net(), Rc::clone(&accepted));
        let server = self.env.process(async move {
            let mut listener = net.bind(&"tcp://0.0.0.0:9000".parse().unwrap()).await.unwrap();
            *put.borrow_mut() = Some(listener.accept().await.unwrap());
        });
        let connected = Rc::new(RefCell::new(None));
        let (net, put) = (self.client.net(), Rc::clone(&connected));
        self.env.process(async move {
            *put.borrow_mut() = Some(net.connect(&"tcp://server:9000".parse().unwrap()).await.unwrap());
        });
        self.env.run_until(&server).unwrap();
        let near = connected.borrow_mut().take().unwrap();
        let far = accepted.borrow_mut().take().unwrap();
        (near, far)
    }
}
