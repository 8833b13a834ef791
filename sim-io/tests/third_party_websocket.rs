//! tokio-tungstenite, unmodified, over the simulated network.

mod network_common;

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use net_core::Net;
use network_common::{Pair, ms};
use sim_io::network::Link;
use tokio_tungstenite::tungstenite::{Bytes, Error, Message};
use tokio_tungstenite::{accept_async, client_async};

async fn echo(net: Net) -> Result<(), Box<dyn std::error::Error>> {
    let mut listener = net.bind(&"tcp://0.0.0.0:80".parse()?).await?;
    let mut socket = accept_async(listener.accept().await?).await?;
    while let Some(message) = socket.next().await {
        let message = message?;
        if message.is_text() || message.is_binary() {
            socket.send(message).await?;
        }
    }
    Ok(())
}

/// Messages of many sizes over a bad link that is cut for a while.
fn run(seed: u64) -> u64 {
    let link = Link::default()
        .latency(ms(20))
        .jitter(ms(5))
        .bandwidth(20_000_000)
        .loss(0.02);
    let pair = Pair::linked(seed, link);
    let server = pair.server.net();
    let served = pair.env.process(async move {
        if let Err(error) = echo(server).await {
            panic!("{error}");
        }
    });
    let (env, network, client, host) = (
        pair.env.clone(),
        pair.network.clone(),
        pair.client.clone(),
        pair.server.clone(),
    );
    pair.env.process(async move {
        env.timeout(ms(300)).await;
        network.partition(&client, &host);
        env.timeout(Duration::from_secs(2)).await;
        network.heal(&client, &host);
    });
    let net = pair.client.net();
    pair.run(async move {
        let stream = net.connect(&"tcp://server:80".parse()?).await?;
        let (mut socket, response) = client_async("ws://server/chat", stream).await?;
        assert_eq!(response.status(), 101);
        for size in [0, 1, 125, 126, 65_535, 65_536, 200_000] {
            let text = Message::text("ä".repeat(size / 2));
            let binary = Message::binary(vec![7; size]);
            socket.send(text.clone()).await?;
            socket.send(binary.clone()).await?;
            assert_eq!(socket.next().await.ok_or("text")??, text);
            assert_eq!(socket.next().await.ok_or("binary")??, binary);
        }
        socket.send(Message::Ping(Bytes::from_static(b"there?"))).await?;
        assert_eq!(
            socket.next().await.ok_or("pong")??,
            Message::Pong(Bytes::from_static(b"there?"))
        );
        socket.close(None).await?;
        assert!(matches!(socket.next().await, Some(Ok(Message::Close(None)))));
        assert!(socket.next().await.is_none());
        assert!(net.now().as_nanos() > 2_000_000_000);
        Ok(())
    });
    pair.env.run_until(&served).unwrap();
    assert!(pair.network.stats().retransmissions > 0);
    pair.env.trace_hash()
}

#[test]
fn messages_survive_loss_and_a_cut_and_the_same_seed_gives_the_same_run() {
    // Masks are drawn anew each time; their length is always the same.
    let hash = run(1);
    assert_eq!(run(1), hash);
    assert_ne!(run(2), hash);
}

#[test]
fn a_reset_is_an_error_and_not_an_end() {
    let pair = Pair::new(1, ms(20));
    let server = pair.server.net();
    pair.env.process(async move {
        let mut listener = server.bind(&"tcp://0.0.0.0:80".parse().unwrap()).await.unwrap();
        let socket = accept_async(listener.accept().await.unwrap()).await.unwrap();
        socket.into_inner().reset();
    });
    let net = pair.client.net();
    pair.run(async move {
        let stream = net.connect(&"tcp://server:80".parse()?).await?;
        let (mut socket, _) = client_async("ws://server/", stream).await?;
        match socket.next().await {
            Some(Err(Error::Io(error))) => assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset),
            other => panic!("{other:?}"),
        }
        Ok(())
    });
}
