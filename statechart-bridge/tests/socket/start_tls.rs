//! TLS that begins in mid-stream.

use net_core::{Net, Stream, TlsClient};
use statechart_bridge::Value;
use statechart_bridge::socket::SocketServiceBuilder;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::backend::{net, on_each_backend, where_nothing_is_lost};
use crate::rig::Rig;

on_each_backend!(
    both_ends_start_tls_in_mid_stream,
    a_peer_without_events_meets_the_server,
    a_handshake_that_fails_is_told_and_the_socket_closes,
    a_role_that_makes_no_sense_is_a_bad_command,
    tls_starts_once_and_only_on_a_connection,
    what_is_sent_before_goes_out_in_the_clear
);
where_nothing_is_lost!(a_close_ends_a_handshake_that_waits);

/// A service whose network has a certificate, and trusts it.
fn rig() -> (Rig, TlsClient) {
    let (server, client) = crate::certificates::trusting();
    let net: Net = net().with_server_tls(server).with_client_tls(client.clone());
    (Rig::on(net, SocketServiceBuilder::new()), client)
}

/// Two sockets of the service that are connected: the server's, the client's.
async fn pair(rig: &Rig) -> (Value, Value) {
    let (server, port) = rig.listen().await;
    let client = rig.create().await;
    rig.raise("accept_socket", [server.clone()]);
    rig.raise(
        "connect_socket",
        [client.clone(), ("127.0.0.1", i64::from(port)).into()],
    );
    let mut accepted = Value::Nil;
    for _ in 0..2 {
        let event = rig.next().await;
        if &**event.name() == "accepted_socket" {
            accepted = event.parameter(1).clone();
        } else {
            assert_eq!(&**event.name(), "connected_socket", "{event}");
        }
    }
    (accepted, client)
}

/// What one socket receives until so many bytes are there; other answers are kept by name.
async fn received(rig: &Rig, socket: &Value, bytes: usize, others: &mut Vec<String>) -> Vec<u8> {
    let mut all = Vec::new();
    while all.len() < bytes {
        let event = rig.next().await;
        if &**event.name() != "received_socket" {
            others.push(event.name().to_string());
            continue;
        }
        assert_eq!(event.parameter(0), socket, "{event}");
        all.extend_from_slice(event.parameter(1).as_bytes().unwrap());
        if all.len() < bytes {
            rig.raise("recv_socket", [socket.clone()]);
        }
    }
    all
}

async fn both_ends_start_tls_in_mid_stream() {
    let (rig, _) = rig();
    let (server, client) = pair(&rig).await;
    let mut others = Vec::new();
    rig.raise("recv_socket", [server.clone()]);
    rig.raise("send_socket", [client.clone(), "STARTTLS\r\n".into()]);
    assert_eq!(received(&rig, &server, 10, &mut others).await, b"STARTTLS\r\n");

    // The server's answer is the last that goes in the clear. Its receive waits from before the handshake on.
    rig.raise("recv_socket", [client.clone()]);
    rig.raise("recv_socket", [server.clone()]);
    rig.raise("send_socket", [server.clone(), "220 ready\r\n".into()]);
    rig.raise("start_tls_socket", [server.clone(), "server".into()]);
    assert_eq!(received(&rig, &client, 11, &mut others).await, b"220 ready\r\n");
    rig.raise(
        "start_tls_socket",
        [client.clone(), "client".into(), "localhost".into()],
    );
    let secret = "over TLS ".repeat(20_000);
    rig.raise("send_socket", [client.clone(), secret.as_str().into()]);
    let got = received(&rig, &server, secret.len(), &mut others).await;
    assert_eq!(got, secret.as_bytes());

    rig.raise("send_socket", [server.clone(), "and back".into()]);
    rig.raise("recv_socket", [client.clone()]);
    assert_eq!(received(&rig, &client, 8, &mut others).await, b"and back");
    rig.raise("close_socket", [client.clone()]);
    while !others.contains(&"closed_socket".to_owned()) {
        others.push(rig.next().await.name().to_string());
    }
    others.sort();
    let mut expected = vec![
        "closed_socket",
        "sent_socket",
        "sent_socket",
        "sent_socket",
        "sent_socket",
    ];
    expected.extend(["started_tls_socket"; 2]);
    assert_eq!(others, expected);
}

/// A connection of the service, and its other end, which speaks no events.
async fn connection(rig: &Rig) -> (Value, Stream) {
    rig.connection().await
}

async fn a_peer_without_events_meets_the_server() {
    let (rig, tls) = rig();
    let (socket, mut peer) = connection(&rig).await;
    rig.raise("start_tls_socket", [socket.clone(), "server".into()]);
    peer.upgrade_tls_client(&tls, "localhost").await.unwrap();
    rig.expect("started_tls_socket", &socket).await;
    assert!(peer.tls().is_some());
    peer.write_all(b"hello").await.unwrap();
    rig.raise("recv_socket", [socket.clone()]);
    let event = rig.expect("received_socket", &socket).await;
    assert_eq!(event.parameter(1).as_bytes(), Some(&b"hello"[..]));
    rig.raise("send_socket", [socket.clone(), "the end".into()]);
    rig.raise("close_socket", [socket.clone()]);
    let mut all = String::new();
    peer.read_to_string(&mut all).await.unwrap();
    assert_eq!(all, "the end");
}

async fn a_handshake_that_fails_is_told_and_the_socket_closes() {
    let (rig, _) = rig();
    let (socket, mut peer) = connection(&rig).await;
    rig.raise("start_tls_socket", [socket.clone(), "server".into()]);
    peer.write_all(b"this is no TLS at all\r\n").await.unwrap();
    rig.expect_error(&socket, "tls", "start_tls").await;
    rig.raise("recv_socket", [socket.clone()]);
    rig.expect_error(&socket, "tls", "recv").await;
    rig.raise("close_socket", [socket.clone()]);
    rig.expect("closed_socket", &socket).await;

    // A certificate for somebody else.
    let (server, client) = pair(&rig).await;
    rig.raise("start_tls_socket", [server.clone(), "server".into()]);
    rig.raise(
        "start_tls_socket",
        [client.clone(), "client".into(), "elsewhere".into()],
    );
    let mut failed = Vec::new();
    while !failed.contains(&client) {
        let event = rig.next().await;
        if &**event.name() == "error_socket" {
            assert_eq!(event.parameter(2).as_str(), Some("tls"), "{event}");
            failed.push(event.parameter(0).clone());
        } else {
            assert_eq!((&**event.name(), event.parameter(0)), ("started_tls_socket", &server));
        }
    }
}

async fn a_close_ends_a_handshake_that_waits() {
    let (rig, _) = rig();
    let (socket, _peer) = connection(&rig).await;
    rig.raise("recv_socket", [socket.clone()]);
    rig.raise("start_tls_socket", [socket.clone(), "server".into()]);
    rig.raise("close_socket", [socket.clone()]);
    rig.expect_error(&socket, "cancelled", "start_tls").await;
    rig.expect_error(&socket, "cancelled", "recv").await;
    rig.expect("closed_socket", &socket).await;
}

async fn a_role_that_makes_no_sense_is_a_bad_command() {
    let (rig, _) = rig();
    let (socket, _peer) = connection(&rig).await;
    for parameters in [
        vec![],
        vec!["peer".into()],
        vec![1.into()],
        vec!["client".into()],
        vec!["client".into(), "".into()],
        vec!["client".into(), 7.into()],
    ] {
        let parameters: Vec<Value> = std::iter::once(socket.clone()).chain(parameters).collect();
        rig.raise("start_tls_socket", parameters);
        rig.expect_unknown_error(&socket, "invalid", "start_tls").await;
    }
}

async fn tls_starts_once_and_only_on_a_connection() {
    let (rig, tls) = rig();
    let fresh = rig.create().await;
    rig.raise("start_tls_socket", [fresh.clone(), "server".into()]);
    rig.expect_error(&fresh, "wrong_state", "start_tls").await;

    let (socket, mut peer) = connection(&rig).await;
    rig.raise("start_tls_socket", [socket.clone(), "server".into()]);
    rig.raise("start_tls_socket", [socket.clone(), "server".into()]);
    peer.upgrade_tls_client(&tls, "localhost").await.unwrap();
    rig.expect("started_tls_socket", &socket).await;
    rig.expect_error(&socket, "wrong_state", "start_tls").await;
    // The first one goes on.
    peer.write_all(b"still here").await.unwrap();
    rig.raise("recv_socket", [socket.clone()]);
    rig.expect("received_socket", &socket).await;

    // No certificate, no server.
    let plain = Rig::new();
    let (socket, _peer) = connection(&plain).await;
    plain.raise("start_tls_socket", [socket.clone(), "server".into()]);
    let event = plain.next().await;
    assert!(
        ["error_socket", "unknown_error_socket"].contains(&&**event.name()),
        "{event}"
    );
    assert!(event.to_string().contains("certificate"), "{event}");
}

async fn what_is_sent_before_goes_out_in_the_clear() {
    let (rig, tls) = rig();
    let (socket, mut peer) = connection(&rig).await;
    let before = "x".repeat(300_000);
    rig.raise("send_socket", [socket.clone(), before.as_str().into()]);
    rig.raise("start_tls_socket", [socket.clone(), "server".into()]);
    rig.raise("send_socket", [socket.clone(), "after".into()]);
    let mut clear = vec![0; before.len()];
    peer.read_exact(&mut clear).await.unwrap();
    assert!(clear == before.as_bytes());
    rig.expect("sent_socket", &socket).await;
    peer.upgrade_tls_client(&tls, "localhost").await.unwrap();
    rig.expect("started_tls_socket", &socket).await;
    rig.expect("sent_socket", &socket).await;
    let mut after = [0; 5];
    peer.read_exact(&mut after).await.unwrap();
    assert_eq!(&after, b"after");
}
