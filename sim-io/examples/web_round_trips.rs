//! How fast HTTP, HTTPS and WebSocket are on the simulated network: round trips on one connection.
//!
//! `cargo run --release -p sim-io --features websocket --example web_round_trips`, with a number of round trips if another
//! than 100,000 is wanted.

use std::time::Duration;

use net_core::{Net, TlsClient, TlsServer};
use sim_io::http::{About, Client, Reply, Request, Response, Server};
use sim_io::network::Network;
use sim_io::websocket::{self, Message, Options};
use sim_io::{Environment, Failure};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

async fn site(mut request: Request) -> Response {
    match websocket::upgrade(&mut request, Options::default()) {
        Ok((response, pending)) => {
            let echo = async move {
                let mut socket = pending.await?;
                while let Some(message) = socket.recv().await? {
                    socket.send(message).await?;
                }
                Ok::<_, websocket::Error>(())
            };
            match About::of(&request).map(|about| about.net().spawn(echo)) {
                Some(Ok(_)) => response,
                _ => "no task".into_response(),
            }
        }
        Err(_) => "ohai".into_response(),
    }
}

async fn http(net: Net, url: String, count: u32) -> Result<(), Failure> {
    let client = Client::new(&net);
    for _ in 0..count {
        let text = client.get(&url).await?.body_mut().bytes().await?;
        if *text != *b"ohai" {
            return Err(Failure::text("another page"));
        }
    }
    Ok(())
}

async fn echo(net: Net, url: String, count: u32) -> Result<(), Failure> {
    let mut socket = websocket::connect(&net, &url).await?;
    for _ in 0..count {
        socket.send("ohai").await?;
        if socket.recv().await? != Some(Message::from("ohai")) {
            return Err(Failure::text("another text"));
        }
    }
    socket.close().await?;
    Ok(())
}

fn tls() -> Outcome<(TlsServer, TlsClient)> {
    // Ed25519: its signatures have one length, so that runs are equal.
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519)?;
    let certificate = rcgen::CertificateParams::new(vec!["server".to_owned()])?.self_signed(&key)?;
    let (certificate, key) = (certificate.pem(), key.serialize_pem());
    let server = TlsServer::builder().identity_pem(certificate.as_bytes(), key.as_bytes());
    let client = TlsClient::builder().root_pem(certificate.as_bytes());
    Ok((server.build()?, client.build()?))
}

/// Runs both ends until the client is done; how many round trips there are in a second of the wall's.
fn measured(scheme: &str, count: u32) -> Outcome<f64> {
    let env = Environment::new();
    let network = Network::new(&env);
    let (tls_server, tls_client) = tls()?;
    let server = network.host("server")?.net().with_server_tls(tls_server);
    let client = network.host("client")?.net().with_client_tls(tls_client);
    let encrypted = scheme.ends_with('s') && scheme != "ws";
    let at = if encrypted {
        "tls://server:443"
    } else {
        "tcp://server:80"
    }
    .parse()?;
    let opened = env.try_process(async move {
        Server::new(site).start(&server, &at).await?;
        Ok::<_, Failure>(())
    });
    env.run_until(&opened)?;
    let url = format!("{scheme}://server/");
    let client = match scheme {
        "http" | "https" => env.try_process(http(client, url, count)),
        _ => env.try_process(echo(client, url, count)),
    };
    let (outcome, time) = timed(|| env.run_until(&client));
    outcome?;
    Ok(f64::from(count) / time.as_secs_f64())
}

#[expect(
    clippy::disallowed_methods,
    reason = "the simulation is measured by the clock on the wall"
)]
fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = std::time::Instant::now();
    let value = work();
    (value, start.elapsed())
}

fn main() -> Outcome<()> {
    let count = std::env::args().nth(1).map_or(Ok(100_000), |count| count.parse())?;
    for scheme in ["http", "https", "ws", "wss"] {
        println!("{scheme:5} {:>9.0} round trips/s", measured(scheme, count)?);
    }
    Ok(())
}
