//! The same scenario on each backend: two connected streams on the simulated network, on the
//! environment's reactor, on tokio's TCP, and in memory.
#![allow(dead_code, reason = "each test file uses some of it")]

use std::future::Future;
use std::time::Duration;

use net_core::{Net, Stream};
use sim_io::Environment;
use sim_io::network::{Link, Network};

/// Both ends of a connection.
async fn connected(server: Net, client: Net, at: &str) -> (Stream, Stream) {
    let mut listener = server.bind(&at.parse().unwrap()).await.unwrap();
    let address = listener.local().clone();
    let (near, far) = tokio::join!(client.connect(&address), listener.accept());
    (near.unwrap(), far.unwrap())
}

/// Runs a scenario on the simulated network. What else is started there goes on for up to an hour after its end, and
/// nothing of it may fail unheard.
pub(crate) fn on_virtual<F: Future<Output = ()> + 'static>(scenario: impl FnOnce(Stream, Stream) -> F + 'static) {
    let env = Environment::new();
    let network = Network::new(&env);
    network.set_default_link(Link::default().latency(Duration::from_millis(1)));
    let server = network.host("server").unwrap().net();
    let client = network.host("client").unwrap().net();
    let process = env.named_process("scenario", async move {
        let (near, far) = connected(server, client, "tcp://server:9000").await;
        scenario(near, far).await;
    });
    env.run_until(&process).unwrap();
    env.run_until(Duration::from_secs(3600)).unwrap();
}

/// Runs a scenario on the operating system's sockets, under tokio.
pub(crate) fn on_tokio<F: Future<Output = ()>>(scenario: impl FnOnce(Stream, Stream) -> F) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.unwrap().block_on(async {
        let (near, far) = connected(Net::os(), Net::os(), "tcp://127.0.0.1:0").await;
        scenario(near, far).await;
    });
}

/// Runs a scenario over a pipe in memory, under tokio.
pub(crate) fn in_memory<F: Future<Output = ()>>(scenario: impl FnOnce(Stream, Stream) -> F) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.unwrap().block_on(async {
        let (near, far) = Stream::pair(&Net::os());
        scenario(near, far).await;
    });
}

/// Runs a scenario on the environment's own real sockets, in real time.
#[cfg(feature = "reactor")]
pub(crate) fn on_reactor<F: Future<Output = ()> + 'static>(scenario: impl FnOnce(Stream, Stream) -> F + 'static) {
    let env = Environment::in_real_time();
    let net = env.net();
    let process = env.named_process("scenario", async move {
        let (near, far) = connected(net.clone(), net, "tcp://127.0.0.1:0").await;
        scenario(near, far).await;
    });
    env.run_until(&process).unwrap();
}

/// Runs a scenario on each of them.
pub(crate) fn everywhere<F: Future<Output = ()> + 'static>(scenario: impl Fn(Stream, Stream) -> F + Clone + 'static) {
    on_virtual(scenario.clone());
    #[cfg(feature = "reactor")]
    on_reactor(scenario.clone());
    on_tokio(scenario.clone());
    in_memory(scenario);
}

/// Reads until the other end closes; a reset is an end too.
pub(crate) async fn read_to_end(stream: &mut Stream) -> Vec<u8> {
    use tokio::io::AsyncReadExt;
    let mut bytes = Vec::new();
    // What came before an error is in the buffer.
    let _ = stream.read_to_end(&mut bytes).await;
    bytes
}
