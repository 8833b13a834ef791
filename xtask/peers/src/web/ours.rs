//! Ours, on the simulated network: two hosts without latency between them.

use super::{Scheme, TEXT};
use crate::Outcome;
use crate::cpu::{Account, Meter, Spent};
use crate::groups::bulk::Tls;
use crate::simulators::sim_io::run_until;
use net_core::{Net, TlsClient, TlsServer};
use sim_io::Environment;
use sim_io::http::{About, Client, Reply, Request, Response, Server};
use sim_io::network::{Link, Network};
use sim_io::websocket::{self, Message, Options};
use std::sync::Arc;
use std::time::Duration;

/// So many round trips, after one that opens the connection.
///
/// # Errors
/// If the work is done wrong.
pub fn run(scheme: Scheme, tls: &Tls, count: u64) -> Outcome<Spent> {
    let env = Environment::with_seed(1);
    let network = Network::new(&env);
    network.set_default_link(Link::default().latency(Duration::ZERO));
    let server = network.host("server")?.net();
    let server = server.with_server_tls(TlsServer::from_rustls(Arc::clone(&tls.server)));
    let client = network.host("client")?.net();
    let client = client.with_client_tls(TlsClient::from_rustls(Arc::clone(&tls.client)));
    let at = if scheme.is_encrypted() {
        "tls://server:443"
    } else {
        "tcp://server:80"
    }
    .parse()?;
    let opened = env.process(async move {
        let opened = Server::new(site).start(&server, &at).await;
        opened.map_err(|error| error.to_string())
    });
    let running = run_until(&env, &opened)??;
    let url = format!("{}://server/", scheme.name());
    let client = env.process(async move {
        let driven = if scheme.is_websocket() {
            echo(client, url, count).await
        } else {
            get(client, url, count).await
        };
        driven.map_err(|error| error.to_string())
    });
    let spent = run_until(&env, &client)??;
    drop(running);
    Ok(spent)
}

/// One page, which is also where WebSocket begins.
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
        Err(_) => TEXT.into_response(),
    }
}

async fn get(net: Net, url: String, count: u64) -> Outcome<Spent> {
    let client = Client::new(&net);
    let page = async || {
        let page = client.get(&url).await?.body_mut().bytes().await?;
        if page == TEXT.as_bytes() {
            Ok(())
        } else {
            Outcome::Err(format!("another page came: {page:?}").into())
        }
    };
    page().await?;
    let meter = Meter::start(Account::ThisThread)?;
    for _ in 0..count {
        page().await?;
    }
    meter.stop()
}

async fn echo(net: Net, url: String, count: u64) -> Outcome<Spent> {
    let mut socket = websocket::connect(&net, &url).await?;
    let expected = Message::from(TEXT);
    let meter = Meter::start(Account::ThisThread)?;
    for _ in 0..count {
        socket.send(TEXT).await?;
        let back = socket.recv().await?;
        if back.as_ref() != Some(&expected) {
            return Err(format!("{back:?} came back").into());
        }
    }
    let spent = meter.stop()?;
    socket.close().await?;
    Ok(spent)
}
