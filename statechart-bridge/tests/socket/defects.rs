//! What the original does wrong, row by row: each fixed, on every backend.

use std::sync::atomic::Ordering;
use std::time::Duration;

use statechart_bridge::socket::{BootError, Routing, SocketServiceBuilder, boot_translation_service};
use statechart_bridge::{InstanceId, Value};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::backend::{on_each_backend, where_nothing_is_lost};
use crate::rig::{ME, Queue, Rig, endpoint};

on_each_backend!(
    d01_a_send_that_fails_is_reported,
    d02_a_close_ends_a_pending_recv_and_the_peer_sees_the_end,
    d03_send_then_close_loses_nothing,
    d04_commands_of_one_socket_keep_their_order,
    d05_receives_are_counted,
    d06_a_bad_command_hurts_itself_only,
    d07_fifty_clients_at_once_are_all_served,
    d08_nothing_is_left_after_closing,
    d10_a_send_is_whole_and_counted_in_its_own_unit,
    d11_stop_ends_everything,
    d12_port_and_peer_are_told,
    d13_every_routing_gives_the_guarded_model_the_same,
    d14_booting_after_start_is_an_error,
);
where_nothing_is_lost!(
    d01_a_send_to_a_peer_that_broke_off_is_reported,
    d03_a_thousand_runs_of_send_then_close_lose_no_byte,
    d07_a_thousand_clients_at_once_are_all_served,
    d09_each_recv_is_answered_after_an_error
);

async fn d01_a_send_that_fails_is_reported() {
    let rig = Rig::new();
    let lonely = rig.create().await;
    rig.raise("send_socket", [lonely.clone(), "x".into()]);
    assert_eq!(rig.expect_error(&lonely, "wrong_state", "send").await.errno, Some(107));

    let (connection, mut peer) = rig.connection().await;
    rig.raise("send_socket", [connection.clone(), 7.into()]);
    rig.expect_unknown_error(&connection, "invalid", "send").await;
    rig.raise("send_socket", [connection.clone(), "good".into()]);
    rig.expect("sent_socket", &connection).await;
    let mut data = [0; 4];
    peer.read_exact(&mut data).await.unwrap();
    assert_eq!(&data, b"good");
}

async fn d01_a_send_to_a_peer_that_broke_off_is_reported() {
    let rig = Rig::new();
    let (connection, peer) = rig.connection().await;
    peer.reset();
    rig.raise("recv_socket", [connection.clone()]);
    rig.expect_error(&connection, "reset", "recv").await;
    for _ in 0..3 {
        rig.raise("send_socket", [connection.clone(), "lost".into()]);
        let event = rig.expect("error_socket", &connection).await;
        assert!(
            ["reset", "broken_pipe"].contains(&event.parameter(2).as_str().unwrap()),
            "{event}"
        );
    }
    rig.create().await;
}

async fn d02_a_close_ends_a_pending_recv_and_the_peer_sees_the_end() {
    let rig = Rig::new();
    let (connection, mut peer) = rig.connection().await;
    rig.raise("recv_socket", [connection.clone()]);
    rig.raise("close_socket", [connection.clone()]);
    rig.expect_error(&connection, "cancelled", "recv").await;
    rig.expect("closed_socket", &connection).await;
    assert_eq!(peer.read(&mut [0; 8]).await.unwrap(), 0);
    rig.raise("close_socket", [connection.clone()]);
    rig.expect("closed_socket", &connection).await;
    assert_eq!(rig.queue.waiting(), 0);
}

async fn d03_send_then_close_loses_nothing() {
    let rig = Rig::new();
    for run in 0..5u8 {
        let (connection, mut peer) = rig.connection().await;
        let part = vec![run; 50_000];
        for _ in 0..20 {
            rig.raise("send_socket", [connection.clone(), Value::from(&*part)]);
        }
        rig.raise("close_socket", [connection.clone()]);
        let mut all = Vec::new();
        peer.read_to_end(&mut all).await.unwrap();
        assert_eq!(all.len(), 20 * part.len());
        assert!(all.iter().all(|byte| *byte == run));
        for _ in 0..20 {
            let sent = rig.expect("sent_socket", &connection).await;
            assert_eq!(sent.parameter(1).as_int(), Some(50_000));
        }
        rig.expect("closed_socket", &connection).await;
    }
}

async fn d03_a_thousand_runs_of_send_then_close_lose_no_byte() {
    let rig = Rig::new();
    let (server, port) = rig.listen().await;
    let part = "0123456789abcdef".repeat(512);
    for _ in 0..1000 {
        rig.raise("accept_socket", [server.clone()]);
        let mut peer = rig.connect(port).await;
        let connection = rig.expect("accepted_socket", &server).await.parameter(1).clone();
        for _ in 0..4 {
            rig.raise("send_socket", [connection.clone(), part.as_str().into()]);
        }
        rig.raise("close_socket", [connection.clone()]);
        let mut all = String::new();
        peer.read_to_string(&mut all).await.unwrap();
        assert_eq!(all, part.repeat(4));
        for _ in 0..4 {
            rig.expect("sent_socket", &connection).await;
        }
        rig.expect("closed_socket", &connection).await;
    }
}

async fn d04_commands_of_one_socket_keep_their_order() {
    let rig = Rig::new();
    for _ in 0..60 {
        let server = rig.create().await;
        rig.raise("bind_socket", [server.clone(), ("localhost", 0).into()]);
        rig.raise("listen_socket", [server.clone()]);
        rig.raise("accept_socket", [server.clone()]);
        let bound = rig.expect("bound_socket", &server).await;
        rig.expect("listened_socket", &server).await;

        let client = rig.create().await;
        rig.raise("connect_socket", [client.clone(), bound.parameter(2).clone()]);
        rig.raise("send_socket", [client.clone(), "all at once".into()]);
        rig.raise("close_socket", [client.clone()]);
        let mut names = Vec::new();
        let mut connection = Value::Nil;
        for _ in 0..4 {
            let event = rig.next().await;
            if &**event.name() == "accepted_socket" {
                connection = event.parameter(1).clone();
            } else {
                assert_eq!(event.parameter(0), &client);
                names.push(event.name().to_string());
            }
        }
        assert_eq!(names, ["connected_socket", "sent_socket", "closed_socket"]);
        rig.raise("recv_socket", [connection.clone()]);
        let received = rig.expect("received_socket", &connection).await;
        assert_eq!(received.parameter(1).as_bytes(), Some(&b"all at once"[..]));
        for socket in [server, connection] {
            rig.raise("close_socket", [socket.clone()]);
            rig.expect("closed_socket", &socket).await;
        }
    }
}

async fn d05_receives_are_counted() {
    let rig = Rig::new();
    let (connection, mut peer) = rig.connection().await;
    for _ in 0..3 {
        rig.raise("recv_socket", [connection.clone()]);
    }
    for text in ["one", "two"] {
        peer.write_all(text.as_bytes()).await.unwrap();
        let received = rig.expect("received_socket", &connection).await;
        assert_eq!(received.parameter(1).as_bytes(), Some(text.as_bytes()));
    }
    peer.shutdown().await.unwrap();
    for _ in 0..3 {
        let received = rig.expect("received_socket", &connection).await;
        assert_eq!(
            received.parameter(1).as_bytes(),
            Some(&b""[..]),
            "the end, and again each time"
        );
        rig.raise("recv_socket", [connection.clone()]);
    }
}

async fn d06_a_bad_command_hurts_itself_only() {
    let rig = Rig::new();
    let other = Rig::new();
    let foreign = other.create().await;
    let socket = rig.create().await;
    let cases: [(&str, Vec<Value>, &str); 12] = [
        ("recv_socket", vec![], "recv"),
        ("recv_socket", vec![Value::Nil], "recv"),
        ("recv_socket", vec![3.into()], "recv"),
        ("accept_socket", vec!["socket".into()], "accept"),
        ("close_socket", vec![foreign], "close"),
        ("bind_socket", vec![socket.clone()], "bind"),
        ("bind_socket", vec![socket.clone(), 80.into()], "bind"),
        (
            "bind_socket",
            vec![socket.clone(), ("localhost", 65_536).into()],
            "bind",
        ),
        (
            "connect_socket",
            vec![socket.clone(), ("localhost", "http").into()],
            "connect",
        ),
        (
            "connect_socket",
            vec![socket.clone(), ("no such name!", 80).into()],
            "connect",
        ),
        ("send_socket", vec![socket.clone()], "send"),
        ("send_socket", vec![socket.clone(), Value::list([1.into()])], "send"),
    ];
    for (name, parameters, op) in cases {
        let about = parameters.first().cloned().unwrap_or_default();
        rig.raise(name, parameters);
        rig.expect_unknown_error(&about, "invalid", op).await;
    }
    rig.raise("no_such_command", [socket.clone()]);
    rig.raise("close_socket", [socket.clone()]);
    rig.expect("closed_socket", &socket).await;
    rig.raise("recv_socket", [socket.clone()]);
    assert_eq!(rig.expect_error(&socket, "closed", "recv").await.errno, Some(9));
    assert_ne!(rig.create().await, socket);
}

async fn d07_fifty_clients_at_once_are_all_served() {
    serve_at_once(50).await;
}

async fn d07_a_thousand_clients_at_once_are_all_served() {
    serve_at_once(1000).await;
}

/// So many clients connect before the first is accepted; each gets its own bytes back.
async fn serve_at_once(clients: usize) {
    let rig = Rig::new();
    let (server, port) = rig.listen().await;
    let tasks: Vec<_> = (0..clients)
        .map(|number| {
            let net = rig.net.clone();
            let client = async move {
                let mut stream = net.connect(&endpoint(port)).await?;
                stream.write_all(format!("{number}").as_bytes()).await?;
                stream.shutdown().await?;
                let mut reply = String::new();
                stream.read_to_string(&mut reply).await?;
                assert_eq!(reply, format!("{number}"));
                Ok::<_, std::io::Error>(())
            };
            rig.net.spawn(client).unwrap()
        })
        .collect();
    for _ in 0..clients {
        rig.raise("accept_socket", [server.clone()]);
    }
    let mut closed = 0;
    while closed < clients {
        let event = rig.next().await;
        let socket = event.parameter(0).clone();
        match &**event.name() {
            "accepted_socket" => rig.raise("recv_socket", [event.parameter(1).clone()]),
            "received_socket" if event.parameter(1).is_true() => {
                rig.raise("send_socket", [socket.clone(), event.parameter(1).clone()]);
                rig.raise("recv_socket", [socket]);
            }
            "received_socket" => rig.raise("close_socket", [socket]),
            "closed_socket" => closed += 1,
            "sent_socket" => {}
            _ => panic!("{event}"),
        }
    }
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!(rig.service.open_sockets(), 1);
}

async fn d08_nothing_is_left_after_closing() {
    let rig = Rig::new();
    let (server, port) = rig.listen().await;
    let mut sockets = Vec::new();
    let mut peers = Vec::new();
    for _ in 0..100 {
        rig.raise("accept_socket", [server.clone()]);
        peers.push(rig.connect(port).await);
        sockets.push(rig.expect("accepted_socket", &server).await.parameter(1).clone());
    }
    assert_eq!(rig.service.open_sockets(), 101);
    assert_eq!(rig.queue.holds.load(Ordering::Relaxed), 1);
    sockets.push(server);
    for socket in sockets {
        rig.raise("close_socket", [socket.clone()]);
        rig.expect("closed_socket", &socket).await;
    }
    for mut peer in peers {
        assert_eq!(peer.read(&mut [0]).await.unwrap(), 0);
    }
    while rig.queue.holds.load(Ordering::Relaxed) > 0 {
        rig.net.sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(rig.service.open_sockets(), 0);
}

async fn d09_each_recv_is_answered_after_an_error() {
    let rig = Rig::new();
    let (connection, peer) = rig.connection().await;
    for _ in 0..3 {
        rig.raise("recv_socket", [connection.clone()]);
    }
    peer.reset();
    rig.expect_error(&connection, "reset", "recv").await;
    for _ in 0..4 {
        let event = rig.next().await;
        assert!(
            ["error_socket", "received_socket"].contains(&&**event.name()),
            "{event}"
        );
        rig.raise("recv_socket", [connection.clone()]);
    }
}

async fn d10_a_send_is_whole_and_counted_in_its_own_unit() {
    let rig = Rig::new();
    let (connection, mut peer) = rig.connection().await;
    let text = "Grüße, 世界! ".repeat(20_000);
    rig.raise("send_socket", [connection.clone(), text.as_str().into()]);
    rig.raise("send_socket", [connection.clone(), "".into()]);
    rig.raise("send_socket", [connection.clone(), Value::from(text.as_bytes())]);
    rig.raise("close_socket", [connection.clone()]);
    let mut all = String::new();
    peer.read_to_string(&mut all).await.unwrap();
    assert_eq!(all, text.repeat(2));
    for count in [text.chars().count(), 0, text.len()] {
        let sent = rig.expect("sent_socket", &connection).await;
        assert_eq!(sent.parameter(1), &Value::from(count));
    }
}

async fn d11_stop_ends_everything() {
    let rig = Rig::new();
    let (connection, mut peer) = rig.connection().await;
    let (server, port) = rig.listen().await;
    rig.raise("accept_socket", [server.clone()]);
    rig.raise("recv_socket", [connection.clone()]);
    rig.raise("send_socket", [connection.clone(), "the last".into()]);
    rig.raise("stop", []);
    let mut events = Vec::new();
    loop {
        let event = rig.next().await;
        if &**event.name() == "stopped" {
            break;
        }
        let kind = event.parameter(2).as_str().unwrap_or_default().to_owned();
        events.push((event.name().to_string(), event.parameter(0).clone(), kind));
    }
    for expected in [
        ("error_socket", &server, "cancelled"),
        ("error_socket", &connection, "cancelled"),
        ("sent_socket", &connection, ""),
    ] {
        let (name, socket, kind) = expected;
        let expected = (name.to_owned(), socket.clone(), kind.to_owned());
        assert!(events.contains(&expected), "{expected:?} in {events:?}");
    }
    assert_eq!(events.len(), 3);
    let mut all = String::new();
    peer.read_to_string(&mut all).await.unwrap();
    assert_eq!(all, "the last");
    assert!(rig.net.connect(&endpoint(port)).await.is_err());
    assert_eq!(rig.service.open_sockets(), 0);

    rig.service.stop().await;
    assert!(rig.service.is_stopped());
    while rig.queue.try_next().is_some() {}
    rig.raise("create_socket", []);
    rig.expect_unknown_error(&Value::Nil, "closed", "create").await;
    rig.raise("recv_socket", [connection.clone()]);
    rig.expect_error(&connection, "closed", "recv").await;
    assert_eq!(rig.queue.holds.load(Ordering::Relaxed), 0);
}

async fn d12_port_and_peer_are_told() {
    let rig = Rig::new();
    let server = rig.create().await;
    rig.raise("bind_socket", [server.clone(), ("127.0.0.1", 0).into()]);
    let bound = rig.expect("bound_socket", &server).await;
    let port = bound.parameter(1).clone();
    assert_ne!(port, Value::from(0));
    assert_eq!(bound.parameter(2), &Value::from(("127.0.0.1", port.clone())));
    rig.raise("listen_socket", [server.clone()]);
    assert_eq!(rig.expect("listened_socket", &server).await.parameter(1), &port);

    let client = rig.create().await;
    rig.raise("connect_socket", [client.clone(), ("127.0.0.1", port.clone()).into()]);
    let connected = rig.expect("connected_socket", &client).await;
    assert_eq!(connected.parameter(1), &Value::from(("127.0.0.1", port)));
    rig.raise("accept_socket", [server.clone()]);
    let accepted = rig.expect("accepted_socket", &server).await;
    assert_eq!(
        accepted.parameter(2),
        &Value::from(("127.0.0.1", connected.parameter(2).clone()))
    );
}

async fn d13_every_routing_gives_the_guarded_model_the_same() {
    let (other, looking_on) = (InstanceId::new(2), InstanceId::new(3));
    for routing in [Routing::All, Routing::Users] {
        let rig = Rig::with(SocketServiceBuilder::new().routing(routing));
        let socket = rig.create().await;
        rig.queue.raise_as(other, "recv_socket", [socket.clone()]);
        rig.queue.raise_as(ME, "close_socket", [socket]);
        let mut heard = [ME, other, looking_on].map(|instance| (instance, Vec::new()));
        let mut closed = 0;
        while closed == 0 || rig.queue.waiting() > 0 {
            let (event, to) = rig.queue.next_to().await;
            closed += usize::from(&**event.name() == "closed_socket");
            for (instance, events) in &mut heard {
                if to.is_none_or(|to| to == *instance) {
                    events.push(event.name().to_string());
                }
            }
        }
        let [mine, others, nobodys] = heard.map(|(_, events)| events);
        assert_eq!(others, ["error_socket", "closed_socket"]);
        assert_eq!(mine.last(), others.last());
        assert_eq!(nobodys.is_empty(), routing == Routing::Users);
    }
}

async fn d14_booting_after_start_is_an_error() {
    let net = crate::backend::net();
    let queue = std::sync::Arc::new(Queue::default());
    queue.started.store(true, Ordering::Relaxed);
    let error = boot_translation_service(&queue, &net).unwrap_err();
    assert!(matches!(error, BootError::Started));
    assert!(error.to_string().contains("before start"), "{error}");
}
