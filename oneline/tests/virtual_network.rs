//! What only a simulated network shows of `oneline`: hosts that crash, retransmissions that were counted, the steps that
//! idle time costs. The other tests run there, too.

use std::future::Future;
use std::time::Duration;

use net_core::Instant;
use oneline::{Client, Server};
use sim_io::Environment;
use sim_io::network::{Host, Link, Network};

/// Two hosts with a link between them.
struct Pair {
    env: Environment,
    network: Network,
    client: Host,
    server: Host,
}

impl Pair {
    fn new(seed: u64, latency: Duration) -> Self {
        Self::linked(seed, Link::default().latency(latency))
    }

    fn linked(seed: u64, link: Link) -> Self {
        let env = Environment::with_seed(seed);
        let network = Network::new(&env);
        network.set_default_link(link);
        let (client, server) = (network.host("client").unwrap(), network.host("server").unwrap());
        Self {
            env,
            network,
            client,
            server,
        }
    }

    /// Runs a process to its end.
    fn run(&self, work: impl Future<Output = Result<(), Box<dyn std::error::Error>>> + 'static) {
        let process = self.env.named_process("test", async move { work.await.unwrap() });
        self.env.run_until(&process).unwrap();
    }
}

fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

const HOUR: Duration = Duration::from_secs(3600);

fn sample() -> Server {
    Server::new(async |command| match command.text() {
        "cmd01" => "ack",
        _ => "nak - unknown cmd",
    })
}

#[test]
fn commands_are_answered_over_a_bad_link() {
    let link = Link::default().latency(ms(20)).jitter(ms(30)).loss(0.05);
    let pair = Pair::linked(11, link);
    let (server, client) = (pair.server.net(), pair.client.net());
    pair.run(async move {
        let running = sample().start(&server, &"tcp://server:5000".parse()?).await?;
        let mut client = Client::connect(&client, running.endpoint()).await?;
        for _ in 0..200 {
            assert_eq!(client.request("cmd01").await?.text(), "ack");
            assert_eq!(client.request("what").await?.text(), "nak - unknown cmd");
        }
        client.disconnect().await?;
        Ok(())
    });
    assert!(pair.network.stats().retransmissions > 10);
}

#[test]
fn an_hour_of_idle_clients_passes_in_an_instant() {
    let pair = Pair::new(1, ms(20));
    let (server, client) = (pair.server.net(), pair.client.net());
    pair.run(async move {
        let limit = Duration::from_secs(60);
        let running = sample()
            .idle_timeout(limit)
            .start(&server, &"tcp://server:5000".parse()?)
            .await?;
        let mut timeouts = 0;
        while client.now() < Instant::ZERO + HOUR {
            let mut stream = client.connect(running.endpoint()).await?;
            let start = client.now();
            let mut data = Vec::new();
            tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut data).await?;
            assert!(client.now() - start >= limit);
            timeouts += 1;
        }
        assert!(timeouts >= 55, "{timeouts}");
        Ok(())
    });
    // Idle time costs nothing: a few steps for each timeout.
    assert!(pair.env.steps() < 60 * 40, "{} steps", pair.env.steps());
}

#[test]
fn a_client_survives_a_crash_of_the_server() {
    let pair = Pair::new(3, ms(5));
    let (network, host) = (pair.network.clone(), pair.server.clone());
    let client = pair.client.net();
    pair.run(async move {
        let endpoint = "tcp://server:5000".parse()?;
        let mut client = {
            sample().start(&host.net(), &endpoint).await?;
            Client::connect(&client, &endpoint).await?
        };
        assert_eq!(client.request("cmd01").await?.text(), "ack");
        host.crash();
        assert!(client.request("cmd01").await.is_err());
        host.restart();
        sample().start(&host.net(), &endpoint).await?;
        client.reconnect().await?;
        assert_eq!(client.request("cmd01").await?.text(), "ack");
        assert!(network.stats().lost > 0);
        Ok(())
    });
}
