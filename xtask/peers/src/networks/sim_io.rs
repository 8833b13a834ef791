//! Ours: two hosts and a link.

use super::{Distance, Job, drive, serve};
use crate::Outcome;
use crate::cpu::Spent;
use crate::simulators::sim_io::run_until;
use net_core::Stream;
use sim_io::network::{Link, Network};
use sim_io::{Environment, Failure};
use std::time::Duration;

/// Runs a job.
///
/// # Errors
/// If the work is done wrong.
pub fn run(distance: Distance, job: Job) -> Outcome<Spent> {
    meet(
        distance,
        async move |stream| Ok(serve(stream, job).await?),
        async move |stream| drive(stream, job).await,
    )
}

/// Runs the two ends of a connection until the client's is done.
///
/// # Errors
/// Those of the ends.
pub fn meet<S, C>(distance: Distance, server: S, client: C) -> Outcome<Spent>
where
    S: AsyncFnOnce(Stream) -> Outcome<()> + 'static,
    C: AsyncFnOnce(Stream) -> Outcome<Spent> + 'static,
{
    let env = Environment::with_seed(1);
    let network = Network::new(&env);
    let link = Link::default().latency(Duration::ZERO);
    network.set_default_link(match distance {
        Distance::Near => link,
        Distance::Far => link.jitter(Duration::from_millis(100)),
    });
    let net = network.host("server")?.net();
    env.try_process(async move {
        let mut listener = net.bind(&"tcp://server:1".parse()?).await?;
        let stream = listener.accept().await?;
        server(stream).await.map_err(|error| Failure::boxed(error))
    });
    let net = network.host("client")?.net();
    let client = env.process(async move {
        let connected = async { client(net.connect(&"tcp://server:1".parse()?).await?).await };
        connected.await.map_err(|error| error.to_string())
    });
    Ok(run_until(&env, &client)??)
}
