//! The original's 14 requirements; each test's name begins with the id that it covers. (There is no SRS-010.)

mod common;

use common::backend::{net, on_each_backend};
use common::{LIMIT, Raw, Record, connect, endpoint, eventually, mirror, sample, serving, somewhere};
use oneline::{Client, Endpoint, ErrorKind, StopReason};

on_each_backend!(
    srs_001_the_server_tells_which_parameters_are_missing,
    srs_002_the_client_tells_which_parameters_are_missing,
    srs_003_one_client_at_a_time,
    srs_004_ping_is_answered_with_pong,
    srs_005_disconnect_ends_the_connection,
    srs_006_shutdown_ends_connection_and_server,
    srs_007_an_invalid_command_is_marked,
    srs_008_other_commands_go_to_the_handler,
    srs_009_a_command_ends_with_0x0a,
    srs_011_the_client_connects,
    srs_012_the_client_disconnects,
    srs_013_the_client_sends_a_command,
    srs_014_the_client_adds_0x0a,
    srs_015_the_client_receives_a_response,
);

/// An address, a port and a callback that are not set can't even be written; one that is no address is refused with its
/// name, and so is what an endpoint needs besides.
async fn srs_001_the_server_tells_which_parameters_are_missing() {
    for text in ["", "tcp://", "tcp://127.0.0.1", "tcp://:5001", "tcp://127.0.0.1:x"] {
        let error = text.parse::<Endpoint>().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.to_string().contains(&format!("{text:?}")), "{error}");
    }
    let error = sample()
        .start(&net(), &endpoint("tls://127.0.0.1:0"))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.to_string().contains("needs a certificate"), "{error}");
    let error = sample()
        .start(&net(), &endpoint("udp://127.0.0.1:0"))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("datagrams"), "{error}");
    let (_, running) = serving(&sample()).await;
    assert!(running.is_running());
}

async fn srs_002_the_client_tells_which_parameters_are_missing() {
    let error = "127.0.0.1:5001".parse::<Endpoint>().unwrap_err();
    assert!(error.to_string().contains("127.0.0.1:5001"), "{error}");
    let error = connect(&net(), &endpoint("udp://127.0.0.1:5001")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.to_string().contains("udp://127.0.0.1:5001"), "{error}");
}

async fn srs_003_one_client_at_a_time() {
    let record = Record::default();
    let (net, running) = serving(&record.server()).await;
    let mut first = Raw::connect(&net, &running).await;
    assert_eq!(first.ask("one").await.unwrap(), "ok");
    let mut second = Raw::connect(&net, &running).await;
    second.send("two\n").await;
    assert_eq!(first.ask("three").await.unwrap(), "ok");
    first.send("disconnect\n").await;
    assert_eq!(second.line().await.unwrap(), "ok");
    assert_eq!(
        record.all(),
        ["+", "one", "three", "- it sent `disconnect`", "+", "two"]
    );
}

async fn srs_004_ping_is_answered_with_pong() {
    let (net, running) = serving(&sample()).await;
    assert_eq!(Raw::connect(&net, &running).await.ask("ping").await.unwrap(), "pong");
}

async fn srs_005_disconnect_ends_the_connection() {
    let (net, running) = serving(&sample()).await;
    let mut client = Raw::connect(&net, &running).await;
    client.send("cmd01\ndisconnect\ncmd01\n").await;
    assert_eq!(client.rest().await, "ack\n", "what follows `disconnect` is dropped");
    assert!(running.is_running());
}

async fn srs_006_shutdown_ends_connection_and_server() {
    let (net, running) = serving(&sample()).await;
    let mut client = Raw::connect(&net, &running).await;
    client.send("cmd01\nshutdown\ncmd01\n").await;
    assert_eq!(client.rest().await, "ack\n");
    let refused = net.connect(running.endpoint()).await.unwrap_err();
    assert_eq!(
        refused.kind(),
        ErrorKind::Refused,
        "the listener is closed before the client is"
    );
    drop(client);
    assert_eq!(running.wait().await.reason, StopReason::Command);
    assert!(!running.is_running());
}

async fn srs_007_an_invalid_command_is_marked() {
    let (net, running) = serving(&mirror().compatible()).await;
    let mut client = Raw::connect(&net, &running).await;
    assert_eq!(client.ask("h\u{e9}llo \u{20ac}").await.unwrap(), r#"!"hllo ""#);
    assert_eq!(client.ask("hello").await.unwrap(), r#""hello""#);
}

async fn srs_008_other_commands_go_to_the_handler() {
    let record = Record::default();
    let (net, running) = serving(&record.server()).await;
    let mut client = Raw::connect(&net, &running).await;
    for command in ["cmd01", "", "PING", " ping", "ping ", "shutdown now", "invalid"] {
        assert_eq!(client.ask(command).await.unwrap(), "ok");
    }
    let seen = record.all();
    assert_eq!(
        seen[1..],
        ["cmd01", "", "PING", " ping", "ping ", "shutdown now", "invalid"]
    );
}

async fn srs_009_a_command_ends_with_0x0a() {
    let record = Record::default();
    let (net, running) = serving(&record.server()).await;
    let mut client = Raw::connect(&net, &running).await;
    client.send(b"a\x0b\x0c\x85b").await;
    client.send(b"\x0a").await;
    assert_eq!(client.line().await.unwrap(), "ok");
    client.send("unfinished").await;
    client.finish().await;
    assert_eq!(client.rest().await, "");
    eventually(&net, || record.all().len() == 3).await;
    assert_eq!(record.all()[1], "!a\u{b}\u{c}\u{fffd}b");
}

async fn srs_011_the_client_connects() {
    let (net, running) = serving(&sample()).await;
    assert!(connect(&net, running.endpoint()).await.unwrap().is_connected());
}

async fn srs_012_the_client_disconnects() {
    let record = Record::default();
    let (net, running) = serving(&record.server()).await;
    let mut client = connect(&net, running.endpoint()).await.unwrap();
    client.disconnect().await.unwrap();
    assert!(!client.is_connected());
    record.wait_for(&net, "- it sent `disconnect`").await;
}

async fn srs_013_the_client_sends_a_command() {
    let record = Record::default();
    let (net, running) = serving(&record.server()).await;
    let mut client = connect(&net, running.endpoint()).await.unwrap();
    client.send("cmd01").await.unwrap();
    record.wait_for(&net, "cmd01").await;
}

async fn srs_014_the_client_adds_0x0a() {
    let net = net();
    let mut listener = net.bind(&somewhere()).await.unwrap();
    let options = oneline::ClientOptions::default().handshake(false);
    let mut client = Client::connect_with(&net, listener.local(), options).await.unwrap();
    client.send("cmd01").await.unwrap();
    client.send("").await.unwrap();
    client.close().await;
    let mut bytes = String::new();
    let mut accepted = listener.accept().await.unwrap();
    tokio::io::AsyncReadExt::read_to_string(&mut accepted, &mut bytes)
        .await
        .unwrap();
    assert_eq!(bytes, "cmd01\n\n");
}

async fn srs_015_the_client_receives_a_response() {
    let (net, running) = serving(&sample()).await;
    let mut client = connect(&net, running.endpoint()).await.unwrap();
    client.send("cmd01").await.unwrap();
    assert_eq!(client.recv_within(LIMIT).await.unwrap(), "ack");
}
