//! The client: handshake, results, time limits, reconnecting, and servers that behave badly.

mod common;

use std::time::Duration;

use common::backend::{net, on_each_backend, where_nothing_is_lost};
use common::{LIMIT, Raw, Record, connect, sample, serving, somewhere, where_time_jumps};
use oneline::net_core::{Listener, Stream, TimeoutKind};
use oneline::{Admission, Client, ClientOptions, ErrorKind, Net, Server};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

on_each_backend!(
    nobody_there_is_refused,
    a_server_that_says_something_else_is_refused_and_quoted,
    a_server_that_closes_in_the_handshake_is_told,
    a_failed_handshake_leaves_no_connection_open,
    giving_up_a_receive_loses_nothing,
    a_reply_over_the_limit_is_an_error_and_the_next_is_read,
    it_connects_anew,
    disconnect_is_said_before_closing,
    as_a_second_client_it_gets_its_turn,
);

where_nothing_is_lost!(each_end_has_its_own_kind,);

where_time_jumps!(
    a_late_reply_is_thrown_away_by_resync,
    a_server_that_takes_nothing_is_given_up,
);

const SHORT: Duration = Duration::from_millis(50);

/// A server that is played by the test, and a client that has not shaken hands.
async fn played() -> (Net, Client, Stream) {
    let net = net();
    let mut listener: Listener = net.bind(&somewhere()).await.unwrap();
    let options = ClientOptions::default().handshake(false);
    let client = Client::connect_with(&net, listener.local(), options).await.unwrap();
    let server = listener.accept().await.unwrap();
    (net, client, server)
}

async fn nobody_there_is_refused() {
    let (net, running) = serving(&sample()).await;
    running.stop(LIMIT).await;
    let error = connect(&net, running.endpoint()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert!(error.to_string().contains(&running.endpoint().to_string()), "{error}");
}

async fn a_server_that_says_something_else_is_refused_and_quoted() {
    let net = net();
    let mut listener = net.bind(&somewhere()).await.unwrap();
    let at = listener.local().clone();
    net.spawn(async move {
        let mut stream = listener.accept().await.unwrap();
        stream.write_all(b"220 mail.example ESMTP\r\n").await.unwrap();
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).await.unwrap();
        assert_eq!(rest, b"ping\n");
    })
    .unwrap();
    let error = connect(&net, &at).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert!(error.to_string().contains("220 mail.example ESMTP"), "{error}");
}

async fn a_server_that_closes_in_the_handshake_is_told() {
    let net = net();
    let mut listener = net.bind(&somewhere()).await.unwrap();
    let connecting = net.spawn({
        let (net, at) = (net.clone(), listener.local().clone());
        async move { connect(&net, &at).await.map(drop) }
    });
    let mut stream = listener.accept().await.unwrap();
    stream.read_u8().await.unwrap();
    stream.shutdown().await.unwrap();
    let error = connecting.unwrap().await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Closed);
}

async fn a_failed_handshake_leaves_no_connection_open() {
    let net = net();
    let mut listener = net.bind(&somewhere()).await.unwrap();
    let options = ClientOptions::default().handshake_timeout(SHORT);
    Client::connect_with(&net, listener.local(), options).await.unwrap_err();
    let mut left = Vec::new();
    listener.accept().await.unwrap().read_to_end(&mut left).await.unwrap();
    assert_eq!(left, b"ping\n", "and then its end");
    assert_eq!(net.stats().open(), 0);
}

async fn giving_up_a_receive_loses_nothing() {
    let (net, mut client, mut server) = played().await;
    for piece in ["on", "e\ntw", "o", "\n"] {
        let waited = net.timeout(Duration::from_millis(5), client.recv()).await;
        assert!(waited.is_err() || piece == "tw");
        server.write_all(piece.as_bytes()).await.unwrap();
        if piece == "e\ntw" {
            assert_eq!(client.recv().await.unwrap(), "one");
        }
    }
    assert_eq!(client.recv().await.unwrap(), "two");
}

async fn each_end_has_its_own_kind() {
    let (_, mut client, mut server) = played().await;
    server.write_all(b"whole\npart").await.unwrap();
    server.shutdown().await.unwrap();
    assert_eq!(client.recv().await.unwrap(), "whole");
    assert_eq!(client.recv().await.unwrap_err().kind(), ErrorKind::Truncated);
    assert!(!client.is_connected());

    let (_, mut client, server) = played().await;
    server.reset();
    assert_eq!(client.recv().await.unwrap_err().kind(), ErrorKind::Reset);
    assert!(!client.is_connected());
    let error = client.send("more").await.unwrap_err();
    assert!(error.to_string().contains("call reconnect"), "{error}");
}

async fn a_reply_over_the_limit_is_an_error_and_the_next_is_read() {
    let server = Server::new(async |command| "x".repeat(command.text().parse().unwrap_or(0)));
    let (net, running) = serving(&server).await;
    let options = ClientOptions::default().max_reply(100);
    let mut client = Client::connect_with(&net, running.endpoint(), options).await.unwrap();
    let error = client.request("101").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::FrameTooLong);
    assert_eq!(client.request("100").await.unwrap().bytes().len(), 100);
}

async fn a_late_reply_is_thrown_away_by_resync() {
    let server = Server::new(async |command| {
        if command.text() == "slow" {
            net().sleep(Duration::from_secs(5)).await;
        }
        command.text().to_owned()
    });
    let (net, running) = serving(&server).await;
    let mut client = Client::connect(&net, running.endpoint()).await.unwrap();
    assert_eq!(
        client.request("slow").await.unwrap_err().kind(),
        ErrorKind::Timeout(TimeoutKind::Request)
    );
    assert_eq!(
        client.ping().await.unwrap_err().kind(),
        ErrorKind::BadFrame,
        "the late reply came first"
    );
    let late = client.resync().await.unwrap();
    assert!(late.is_empty(), "its `pong` is not taken for another's: {late:?}");
    assert_eq!(client.request("next").await.unwrap(), "next");
    assert_eq!(
        client.request("slow").await.unwrap_err().kind(),
        ErrorKind::Timeout(TimeoutKind::Request)
    );
    assert_eq!(client.resync().await.unwrap(), ["slow"]);
    assert_eq!(client.request("next").await.unwrap(), "next");
}

async fn it_connects_anew() {
    let record = Record::default();
    let server = record.server();
    let (net, running) = serving(&server).await;
    let mut client = connect(&net, running.endpoint()).await.unwrap();
    assert_eq!(client.request("1").await.unwrap(), "ok");
    client.reconnect().await.unwrap();
    assert_eq!(client.request("2").await.unwrap(), "ok");
    running.stop(LIMIT).await;
    assert!(client.request("3").await.is_err());
    assert_eq!(client.reconnect().await.unwrap_err().kind(), ErrorKind::Refused);
    server.start(&net, client.endpoint()).await.unwrap();
    client.reconnect().await.unwrap();
    assert_eq!(client.request("4").await.unwrap(), "ok");
    let commands: Vec<_> = record
        .all()
        .into_iter()
        .filter(|seen| seen.len() == 1 && seen != "+")
        .collect();
    assert_eq!(commands, ["1", "2", "4"]);
}

/// A server of the original's kind goes on only after `disconnect`, so that must come before the end.
async fn disconnect_is_said_before_closing() {
    let (_, mut client, mut server) = played().await;
    client.options_mut().linger = SHORT;
    client.disconnect().await.unwrap();
    client.disconnect().await.unwrap();
    let mut said = String::new();
    server.read_to_string(&mut said).await.unwrap();
    assert_eq!(said, "disconnect\n");
}

async fn as_a_second_client_it_gets_its_turn() {
    let (net, running) = serving(&sample().admission(Admission::queue())).await;
    let mut first = Raw::connect(&net, &running).await;
    assert_eq!(first.ask("ping").await.unwrap(), "pong");
    let (network, at) = (net.clone(), running.endpoint().clone());
    let options = ClientOptions::default().handshake_timeout(LIMIT);
    let second = net.spawn(async move {
        let mut client = Client::connect_with(&network, &at, options).await?;
        client.request("cmd01").await
    });
    assert_eq!(first.ask("cmd01").await.unwrap(), "ack");
    first.send("disconnect\n").await;
    assert_eq!(second.unwrap().await.unwrap().unwrap(), "ack");
}

async fn a_server_that_takes_nothing_is_given_up() {
    let (_, mut client, _server) = played().await;
    let big = "x".repeat(1 << 20);
    assert_eq!(
        client.send(&big).await.unwrap_err().kind(),
        ErrorKind::Timeout(TimeoutKind::Write)
    );
    assert!(!client.is_connected());
}
