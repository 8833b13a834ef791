//! Clients that keep one connection, and make it anew whenever it is lost.

use std::time::Duration;

use hsms::{ActiveConnection, ConnectionOptions, Item, SessionOptions, Timers};
use net_core::ConnectOptions;
use oneline::{Client, ClientOptions};

use super::dice::Dice;
use super::talks::{Clients, Target, between};
use crate::matrix::relay::{Fault, Relay};
use crate::matrix::{LIMIT, Model, Result};

/// Lets a connection live for a few hundred bytes.
async fn short_lived(with: &Clients, target: &Target, number: u64) -> Result<Relay> {
    let mut dice = Dice::new(with.seed, number);
    let fault = move || Fault::Reset {
        after: dice.below(1500),
    };
    Relay::start(&with.relays, &between()?, target.plain.clone(), fault).await
}

/// A host that is told nothing of lost connections but what its requests tell: it selects again by itself.
pub(super) async fn host(with: Clients, number: u64) {
    if let Err(error) = keep_selected(&with, number).await {
        with.books
            .failed(format_args!("the host that keeps its connection: {error}"));
    }
}

async fn keep_selected(with: &Clients, number: u64) -> Result<()> {
    let Some(target) = with.targets.iter().find(|target| target.model == Model::Hsms) else {
        return Ok(());
    };
    let relay = short_lived(with, target, number).await?;
    let timers = Timers::default().t6(LIMIT).t5(Duration::from_millis(50));
    let options = ConnectionOptions::from(SessionOptions::new(0).timers(timers));
    let host = ActiveConnection::new(&with.site.net, relay.local().clone(), options, ());
    host.enable()?;
    let server = with.books.server(Model::Hsms);
    let mut count = 0_u64;
    while with.goes_on() {
        // A reset may come before the Select is through: then T5, and again.
        host.selected(LIMIT).await?;
        count += 1;
        let text = format!("kept {number}.{count}");
        server.asked.add(1);
        match host
            .request(crate::matrix::talk::SHOUT, Item::ascii(&text).into_bytes())
            .await
        {
            Ok(reply) if reply.text == *Item::ascii(text.to_uppercase()).as_bytes() => server.confirmed.add(1),
            Ok(reply) => return Err(format!("to `{text}` came {reply}").into()),
            Err(_) => with.books.reconnects.add(1),
        }
        with.site.net.sleep(Duration::from_millis(2)).await;
    }
    host.stop().await;
    relay.stop().await;
    Ok(())
}

/// An operator who connects anew.
pub(super) async fn operator(with: Clients, number: u64) {
    if let Err(error) = keep_connected(&with, number).await {
        with.books
            .failed(format_args!("the operator who keeps a connection: {error}"));
    }
}

async fn keep_connected(with: &Clients, number: u64) -> Result<()> {
    let Some(target) = with.targets.iter().find(|target| target.model == Model::Oneline) else {
        return Ok(());
    };
    let relay = short_lived(with, target, number).await?;
    let options = ClientOptions::default()
        .connect(ConnectOptions::default().timeout(LIMIT))
        .handshake(false)
        .reply_timeout(LIMIT);
    let mut client = Client::connect_with(&with.site.net, relay.local(), options).await?;
    let server = with.books.server(Model::Oneline);
    let mut count = 0_u64;
    while with.goes_on() {
        count += 1;
        let text = format!("kept {number}.{count}");
        server.asked.add(1);
        match client.request(&text).await {
            Ok(reply) if reply == *text.to_uppercase() => server.confirmed.add(1),
            Ok(reply) => return Err(format!("to `{text}` came `{reply}`").into()),
            Err(_) => {
                with.books.reconnects.add(1);
                client.reconnect().await?;
            }
        }
        with.site.net.sleep(Duration::from_millis(2)).await;
    }
    client.close().await;
    relay.stop().await;
    Ok(())
}
