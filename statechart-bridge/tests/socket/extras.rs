//! What the service has beyond the original.

use std::time::Duration;

use statechart_bridge::Value;
use statechart_bridge::socket::{SocketOption, SocketServiceBuilder};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::backend::{on_each_backend, where_nothing_is_lost};
use crate::rig::Rig;

on_each_backend!(
    shutdown_ends_one_direction,
    cancel_ends_what_is_pending,
    options_are_set_before_bind,
    limits_refuse_and_say_so,
    a_refused_connect_may_be_tried_again,
    wrong_states_are_errors_of_sockets,
    addresses_may_be_text,
    tls_needs_only_another_address,
    a_failed_handshake_is_an_error_of_the_socket,
    unix_sockets_have_names,
);
where_nothing_is_lost!(
    datagrams_have_an_address_each,
    a_connected_datagram_socket_hears_its_peer_alone
);

async fn shutdown_ends_one_direction() {
    let rig = Rig::new();
    let (connection, mut peer) = rig.connection().await;
    rig.raise("recv_socket", [connection.clone()]);
    rig.raise("send_socket", [connection.clone(), "x".repeat(500_000).as_str().into()]);
    rig.raise("shutdown_socket", [connection.clone()]);
    let mut all = String::new();
    peer.read_to_string(&mut all).await.unwrap();
    assert_eq!(all.len(), 500_000);
    rig.expect("sent_socket", &connection).await;
    rig.expect("shut_down_socket", &connection).await;
    peer.write_all(b"the answer").await.unwrap();
    let received = rig.expect("received_socket", &connection).await;
    assert_eq!(received.parameter(1).as_bytes(), Some(&b"the answer"[..]));
    rig.raise("send_socket", [connection.clone(), "too late".into()]);
    rig.expect_error(&connection, "wrong_state", "send").await;
}

async fn cancel_ends_what_is_pending() {
    let rig = Rig::new();
    let (server, port) = rig.listen().await;
    for _ in 0..3 {
        rig.raise("accept_socket", [server.clone()]);
    }
    rig.raise("cancel_socket", [server.clone()]);
    for _ in 0..3 {
        assert_eq!(rig.expect_error(&server, "cancelled", "accept").await.errno, Some(125));
    }
    assert_eq!(
        rig.expect("cancelled_socket", &server).await.parameter(1),
        &Value::from(3)
    );
    // The socket still listens.
    let _peer = rig.connect(port).await;
    rig.raise("accept_socket", [server.clone()]);
    rig.expect("accepted_socket", &server).await;
}

async fn options_are_set_before_bind() {
    let rig = Rig::new();
    let socket = rig.create().await;
    for (name, value) in [
        ("backlog", Value::from(5)),
        ("nodelay", false.into()),
        ("keepalive", 30.into()),
        ("send_buffer", 100_000.into()),
        ("receive_buffer", 100_000.into()),
        ("reuse_address", true.into()),
        ("connect_timeout", 2.5.into()),
        ("send_timeout", 0.into()),
        ("close_timeout", 1.into()),
    ] {
        rig.raise("configure_socket", [socket.clone(), name.into(), value.clone()]);
        let configured = rig.expect("configured_socket", &socket).await;
        assert_eq!(
            (configured.parameter(1), configured.parameter(2)),
            (&name.into(), &value)
        );
    }
    for (name, value) in [
        ("backlog", Value::from(-1)),
        ("nodelay", 1.into()),
        ("close_timeout", f64::NAN.into()),
        ("send_timeout", f64::INFINITY.into()),
        ("colour", "blue".into()),
    ] {
        rig.raise("configure_socket", [socket.clone(), name.into(), value]);
        let error = rig.expect_unknown_error(&socket, "invalid", "configure").await;
        assert!(error.message.contains(name), "{error}");
    }
    rig.raise("bind_socket", [socket.clone(), ("127.0.0.1", 0).into()]);
    rig.expect("bound_socket", &socket).await;
    rig.raise("configure_socket", [socket.clone(), "nodelay".into(), true.into()]);
    rig.expect_error(&socket, "wrong_state", "configure").await;
    assert!(SocketOption::new("reuse_port", &true.into()).is_ok());
}

async fn limits_refuse_and_say_so() {
    let rig = Rig::with(
        SocketServiceBuilder::new()
            .max_sockets(3)
            .max_commands(4)
            .send_queue(100),
    );
    let (server, _) = rig.listen().await;
    for _ in 0..5 {
        rig.raise("accept_socket", [server.clone()]);
    }
    let error = rig.expect_error(&server, "limit", "accept").await;
    assert!(error.message.contains('4'), "{error}");
    let (first, second) = (rig.create().await, rig.create().await);
    rig.raise("create_socket", []);
    let event = rig.next().await;
    assert_eq!(event.parameter(2).as_str(), Some("limit"), "{event}");
    rig.raise("close_socket", [first.clone()]);
    rig.expect("closed_socket", &first).await;
    // Before there is a connection everything waits behind the connect; one send is free to be larger.
    rig.raise("close_socket", [server.clone()]);
    for _ in 0..4 {
        rig.expect_error(&server, "cancelled", "accept").await;
    }
    rig.expect("closed_socket", &server).await;
    let mut listener = rig.net.bind(&"tcp://127.0.0.1:0".parse().unwrap()).await.unwrap();
    let port = listener.local().port().unwrap();
    rig.raise("connect_socket", [second.clone(), ("127.0.0.1", port).into()]);
    rig.raise("send_socket", [second.clone(), "x".repeat(1000).as_str().into()]);
    rig.raise("send_socket", [second.clone(), "y".into()]);
    let mut peer = listener.accept().await.unwrap();
    let mut names = Vec::new();
    for _ in 0..3 {
        let event = rig.next().await;
        names.push((event.name().to_string(), event.parameter(2).as_str() == Some("limit")));
    }
    names.sort();
    assert_eq!(
        names,
        [
            ("connected_socket".to_owned(), false),
            ("error_socket".to_owned(), true),
            ("sent_socket".to_owned(), false)
        ]
    );
    rig.raise("close_socket", [second.clone()]);
    let mut all = String::new();
    peer.read_to_string(&mut all).await.unwrap();
    assert_eq!(all, "x".repeat(1000));
}

async fn a_refused_connect_may_be_tried_again() {
    let rig = Rig::new();
    let (server, port) = rig.listen().await;
    rig.raise("close_socket", [server.clone()]);
    rig.expect("closed_socket", &server).await;
    let client = rig.create().await;
    rig.raise("connect_socket", [client.clone(), ("127.0.0.1", port).into()]);
    assert_eq!(rig.expect_error(&client, "refused", "connect").await.errno, Some(111));
    let (_, port) = rig.listen().await;
    rig.raise("connect_socket", [client.clone(), ("127.0.0.1", port).into()]);
    rig.expect("connected_socket", &client).await;
}

async fn wrong_states_are_errors_of_sockets() {
    let rig = Rig::new();
    let (server, port) = rig.listen().await;
    let socket = rig.create().await;
    for op in ["listen", "accept", "recv", "shutdown"] {
        rig.raise(&format!("{op}_socket"), [socket.clone()]);
        rig.expect_error(&socket, "wrong_state", op).await;
    }
    rig.raise("recv_from_socket", [socket.clone()]);
    rig.expect_error(&socket, "unsupported", "recv_from").await;
    rig.raise("bind_socket", [socket.clone(), ("127.0.0.1", port).into()]);
    assert_eq!(
        rig.expect_error(&socket, "address_in_use", "bind").await.errno,
        Some(98)
    );
    rig.raise("connect_socket", [server.clone(), ("127.0.0.1", port).into()]);
    rig.expect_error(&server, "wrong_state", "connect").await;
}

async fn addresses_may_be_text() {
    let rig = Rig::new();
    let (server, client) = (rig.create().await, rig.create().await);
    rig.raise("bind_socket", [server.clone(), "mem:somewhere".into()]);
    rig.raise("listen_socket", [server.clone()]);
    let bound = rig.expect("bound_socket", &server).await;
    assert_eq!(
        (bound.parameter(1), bound.parameter(2).as_str()),
        (&Value::Nil, Some("mem:somewhere"))
    );
    rig.expect("listened_socket", &server).await;
    rig.raise("accept_socket", [server.clone()]);
    rig.raise("connect_socket", [client.clone(), "mem:somewhere".into()]);
    rig.raise("send_socket", [client.clone(), "hello".into()]);
    let mut connection = Value::Nil;
    for _ in 0..3 {
        let event = rig.next().await;
        if &**event.name() == "accepted_socket" {
            connection = event.parameter(1).clone();
        }
    }
    rig.raise("recv_socket", [connection.clone()]);
    let received = rig.expect("received_socket", &connection).await;
    assert_eq!(received.parameter(1).as_bytes(), Some(&b"hello"[..]));
}

async fn datagram(rig: &Rig) -> (Value, Value) {
    rig.raise("create_datagram_socket", ["udp".into()]);
    let created = rig.next().await;
    assert_eq!(
        (&**created.name(), created.parameter(1).as_str()),
        ("created_socket", Some("udp"))
    );
    let socket = created.parameter(0).clone();
    rig.raise("bind_socket", [socket.clone(), ("127.0.0.1", 0).into()]);
    let bound = rig.expect("bound_socket", &socket).await;
    let address = Value::from(("127.0.0.1", bound.parameter(1).clone()));
    (socket, address)
}

async fn datagrams_have_an_address_each() {
    let rig = Rig::new();
    let ((here, from), (there, to)) = (datagram(&rig).await, datagram(&rig).await);
    for text in ["one", "zwölf", ""] {
        rig.raise("send_to_socket", [here.clone(), text.into(), to.clone()]);
        let sent = rig.expect("sent_socket", &here).await;
        assert_eq!(sent.parameter(1), &Value::from(text.chars().count()));
        rig.raise("recv_from_socket", [there.clone()]);
        let received = rig.expect("received_from_socket", &there).await;
        assert_eq!(received.parameter(1).as_bytes(), Some(text.as_bytes()));
        assert_eq!(received.parameter(2), &from);
    }
    rig.raise("send_to_socket", [here.clone(), "x".repeat(70_000).as_str().into(), to]);
    rig.expect_error(&here, "limit", "send_to").await;
    rig.raise("send_socket", [here.clone(), "to whom?".into()]);
    rig.expect_error(&here, "wrong_state", "send").await;
    rig.raise("listen_socket", [here.clone()]);
    rig.expect_error(&here, "unsupported", "listen").await;
    rig.raise("recv_socket", [there.clone()]);
    rig.raise("close_socket", [there.clone()]);
    rig.expect_error(&there, "cancelled", "recv").await;
    rig.expect("closed_socket", &there).await;
}

async fn a_connected_datagram_socket_hears_its_peer_alone() {
    let rig = Rig::new();
    let ((here, to), (stranger, _), (friend, address)) =
        (datagram(&rig).await, datagram(&rig).await, datagram(&rig).await);
    rig.raise("connect_socket", [here.clone(), address]);
    rig.expect("connected_socket", &here).await;
    for (from, text) in [(&stranger, "psst"), (&friend, "hello")] {
        rig.raise("send_to_socket", [from.clone(), text.into(), to.clone()]);
        rig.expect("sent_socket", from).await;
    }
    rig.raise("recv_socket", [here.clone()]);
    let received = rig.expect("received_socket", &here).await;
    assert_eq!(received.parameter(1).as_bytes(), Some(&b"hello"[..]));
    rig.raise("send_socket", [here.clone(), "hello yourself".into()]);
    rig.expect("sent_socket", &here).await;
    rig.raise("recv_socket", [friend.clone()]);
    rig.expect("received_socket", &friend).await;
    rig.net.sleep(Duration::from_millis(1)).await;
}

/// A server and a client on this address, and what the one hears of the other.
async fn talk(rig: &Rig, address: &str) {
    let (server, client) = (rig.create().await, rig.create().await);
    rig.raise("bind_socket", [server.clone(), address.into()]);
    let bound = rig.expect("bound_socket", &server).await;
    rig.raise("listen_socket", [server.clone()]);
    rig.expect("listened_socket", &server).await;
    rig.raise("accept_socket", [server.clone()]);
    rig.raise("connect_socket", [client.clone(), bound.parameter(2).clone()]);
    rig.raise("send_socket", [client.clone(), "x".repeat(200_000).as_str().into()]);
    rig.raise("close_socket", [client.clone()]);
    let mut connection = Value::Nil;
    let (mut received, mut others) = (0, Vec::new());
    loop {
        let event = rig.next().await;
        if &**event.name() == "accepted_socket" {
            connection = event.parameter(1).clone();
            rig.raise("recv_socket", [connection.clone()]);
            continue;
        }
        if &**event.name() != "received_socket" {
            others.push(event.name().to_string());
            continue;
        }
        let n = event.parameter(1).as_bytes().map_or(0, <[u8]>::len);
        if n == 0 {
            break;
        }
        received += n;
        rig.raise("recv_socket", [connection.clone()]);
    }
    assert_eq!(received, 200_000);
    while others.len() < 3 {
        others.push(rig.next().await.name().to_string());
    }
    assert_eq!(others, ["connected_socket", "sent_socket", "closed_socket"]);
}

async fn tls_needs_only_another_address() {
    let (server, client) = crate::certificates::trusting();
    let net = crate::backend::net().with_server_tls(server).with_client_tls(client);
    talk(&Rig::on(net, SocketServiceBuilder::new()), "tls://127.0.0.1:0").await;
}

async fn a_failed_handshake_is_an_error_of_the_socket() {
    let (server, _) = crate::certificates::trusting();
    let rig = Rig::on(
        crate::backend::net().with_server_tls(server),
        SocketServiceBuilder::new(),
    );
    let listening = rig.create().await;
    rig.raise("bind_socket", [listening.clone(), "tls://127.0.0.1:0".into()]);
    rig.raise("listen_socket", [listening.clone()]);
    let port = rig
        .expect("bound_socket", &listening)
        .await
        .parameter(1)
        .as_int()
        .unwrap();
    rig.expect("listened_socket", &listening).await;
    rig.raise("accept_socket", [listening.clone()]);
    // It doesn't speak TLS.
    let mut peer = rig.connect(u16::try_from(port).unwrap()).await;
    peer.write_all(b"GET / HTTP/1.0\r\n\r\n").await.unwrap();
    let connection = rig.expect("accepted_socket", &listening).await.parameter(1).clone();
    rig.raise("recv_socket", [connection.clone()]);
    rig.expect_error(&connection, "tls", "recv").await;
    rig.raise("close_socket", [connection.clone()]);
    rig.expect("closed_socket", &connection).await;
}

async fn unix_sockets_have_names() {
    let name = format!(
        "unix:@statechart-bridge-{}-{:?}",
        std::process::id(),
        std::thread::current().id()
    );
    talk(&Rig::new(), &name.replace(['(', ')'], "-")).await;
}
