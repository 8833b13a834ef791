//! How connections and the service end: everything that was sent arrives, and nobody waits for ever.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use statechart_bridge::Value;
use statechart_bridge::socket::SocketServiceBuilder;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::backend::{on_backend, on_each_backend, where_nothing_is_lost};
use crate::rig::{Rig, endpoint};

on_each_backend!(
    a_peer_that_ended_its_side_still_gets_an_answer,
    a_close_during_a_flood_loses_nothing_of_ours,
    a_flood_waits_until_it_is_received,
    a_full_controller_is_waited_for,
    the_service_ends_with_its_controller,
    a_controller_that_stopped_ends_the_service,
    a_connect_is_given_up_by_close_unless_data_wait,
    the_handle_does_not_keep_the_service,
);
where_nothing_is_lost!(resets_at_any_time_are_answered, many_resets_leave_nothing_behind);

mod in_virtual_time {
    use super::on_backend;
    on_backend!(virtual_network VirtualNetwork,
        a_slow_reader_gets_everything, a_peer_that_never_reads_costs_its_own_connection,
        a_close_waits_for_a_peer_that_never_reads_within_its_limit, stop_waits_within_the_limit);
    on_backend!(bad_link BadLink, a_slow_reader_gets_everything);
}

async fn a_peer_that_ended_its_side_still_gets_an_answer() {
    let rig = Rig::new();
    let (connection, mut peer) = rig.connection().await;
    peer.write_all(b"question").await.unwrap();
    peer.shutdown().await.unwrap();
    for expected in [&b"question"[..], b""] {
        rig.raise("recv_socket", [connection.clone()]);
        let received = rig.expect("received_socket", &connection).await;
        assert_eq!(received.parameter(1).as_bytes(), Some(expected));
    }
    rig.raise("send_socket", [connection.clone(), "answer".into()]);
    rig.raise("close_socket", [connection.clone()]);
    rig.expect("sent_socket", &connection).await;
    rig.expect("closed_socket", &connection).await;
    let mut answer = String::new();
    peer.read_to_string(&mut answer).await.unwrap();
    assert_eq!(answer, "answer");
}

/// A socket that is closed with unread data makes the system send a reset, which would destroy what is under way.
async fn a_close_during_a_flood_loses_nothing_of_ours() {
    let rig = Rig::new();
    let (connection, peer) = rig.connection().await;
    let (mut reading, mut writing) = tokio::io::split(peer);
    let flood = rig
        .net
        .spawn(async move {
            for _ in 0..64 {
                // Fails when the other side is gone, as it should.
                if writing.write_all(&[b'f'; 16_384]).await.is_err() {
                    return;
                }
            }
        })
        .unwrap();
    rig.raise("send_socket", [connection.clone(), "x".repeat(300_000).as_str().into()]);
    rig.raise("close_socket", [connection.clone()]);
    let mut all = Vec::new();
    let mut part = [0; 8192];
    while all.len() < 300_000 {
        let n = reading.read(&mut part).await.unwrap();
        assert!(n > 0, "the end came after {} bytes", all.len());
        all.extend_from_slice(&part[..n]);
    }
    rig.expect("sent_socket", &connection).await;
    rig.expect("closed_socket", &connection).await;
    flood.await.unwrap();
}

async fn a_flood_waits_until_it_is_received() {
    const ALL: usize = 24 << 20;
    let rig = Rig::new();
    let (connection, mut peer) = rig.connection().await;
    let written = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&written);
    let flood = rig
        .net
        .spawn(async move {
            let chunk = vec![b'f'; 1 << 16];
            for _ in 0..ALL / chunk.len() {
                peer.write_all(&chunk).await.unwrap();
                count.fetch_add(chunk.len(), Ordering::Relaxed);
            }
            peer.shutdown().await.unwrap();
        })
        .unwrap();
    let mut seen = 0;
    loop {
        // Other commands go on, while nobody receives.
        rig.create().await;
        rig.raise("recv_socket", [connection.clone()]);
        let received = rig.expect("received_socket", &connection).await;
        let n = received.parameter(1).as_bytes().map_or(0, <[u8]>::len);
        assert!(n <= 1 << 16);
        if n == 0 {
            break;
        }
        seen += n;
        let ahead = written.load(Ordering::Relaxed).saturating_sub(seen);
        assert!(ahead < 16 << 20, "{ahead} bytes are in buffers");
    }
    assert_eq!(seen, ALL);
    flood.await.unwrap();
}

async fn a_full_controller_is_waited_for() {
    let rig = Rig::new();
    let socket = rig.create().await;
    rig.queue.limit.store(2, Ordering::Relaxed);
    for n in 0..20 {
        rig.raise("send_socket", [socket.clone(), "too early".into()]);
        rig.raise("create_socket", [Value::from(n)]);
    }
    let (mut created, mut failed) = (0, 0);
    while created + failed < 40 {
        let event = rig.next().await;
        match &**event.name() {
            "created_socket" => {
                assert_eq!(event.parameter(1), &Value::from(created));
                created += 1;
            }
            "error_socket" => failed += 1,
            _ => panic!("{event}"),
        }
    }
    assert_eq!((created, failed), (20, 20));
}

async fn the_service_ends_with_its_controller() {
    let rig = Rig::new();
    let (connection, mut peer) = rig.connection().await;
    let (_, port) = rig.listen().await;
    rig.raise("recv_socket", [connection.clone()]);
    rig.raise("send_socket", [connection, "good bye".into()]);
    let Rig { net, queue, service } = rig;
    drop(queue);
    let mut all = String::new();
    peer.read_to_string(&mut all).await.unwrap();
    assert_eq!(all, "good bye");
    while !service.is_stopped() {
        net.sleep(Duration::from_millis(1)).await;
    }
    assert!(net.connect(&endpoint(port)).await.is_err());
}

async fn a_controller_that_stopped_ends_the_service() {
    let rig = Rig::new();
    let (connection, mut peer) = rig.connection().await;
    rig.queue.stopped.store(true, Ordering::Relaxed);
    rig.raise("send_socket", [connection, "to nobody".into()]);
    let mut all = String::new();
    peer.read_to_string(&mut all).await.unwrap();
    assert_eq!(all, "to nobody");
    while !rig.service.is_stopped() {
        rig.net.sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(rig.service.undelivered(), 1);
}

async fn a_connect_is_given_up_by_close_unless_data_wait() {
    let rig = Rig::new();
    let (server, port) = rig.listen().await;
    // Nobody accepts: data wait in the backlog, and come.
    let client = rig.create().await;
    rig.raise("connect_socket", [client.clone(), ("127.0.0.1", port).into()]);
    rig.raise("send_socket", [client.clone(), "in time".into()]);
    rig.raise("close_socket", [client.clone()]);
    rig.expect("connected_socket", &client).await;
    rig.expect("sent_socket", &client).await;
    rig.expect("closed_socket", &client).await;

    let hasty = rig.create().await;
    rig.raise("connect_socket", [hasty.clone(), ("127.0.0.1", port).into()]);
    rig.raise("close_socket", [hasty.clone()]);
    let event = rig.next().await;
    match &**event.name() {
        // At once, where connecting takes no time.
        "connected_socket" => {}
        _ => drop(crate::rig::error(&event, "cancelled", "connect")),
    }
    rig.expect("closed_socket", &hasty).await;

    rig.raise("accept_socket", [server.clone()]);
    let connection = rig.expect("accepted_socket", &server).await.parameter(1).clone();
    rig.raise("recv_socket", [connection.clone()]);
    let received = rig.expect("received_socket", &connection).await;
    assert_eq!(received.parameter(1).as_bytes(), Some(&b"in time"[..]));
}

async fn the_handle_does_not_keep_the_service() {
    let rig = Rig::new();
    let socket = rig.create().await;
    let Rig { net, queue, service } = rig;
    drop(service);
    queue.raise_as(crate::rig::ME, "close_socket", [socket]);
    assert_eq!(&**queue.next_to().await.0.name(), "closed_socket");
    drop(net);
}

async fn resets_at_any_time_are_answered() {
    let rig = Rig::new();
    // While a receive waits.
    let (connection, peer) = rig.connection().await;
    rig.raise("recv_socket", [connection.clone()]);
    peer.reset();
    rig.expect_error(&connection, "reset", "recv").await;
    rig.raise("close_socket", [connection.clone()]);
    rig.expect("closed_socket", &connection).await;
    // While a send waits: the peer reads nothing, and goes.
    let (connection, peer) = rig.connection().await;
    for _ in 0..3 {
        rig.raise("send_socket", [connection.clone(), "x".repeat(5 << 20).as_str().into()]);
    }
    peer.reset();
    for _ in 0..3 {
        let event = rig.expect("error_socket", &connection).await;
        assert!(
            ["reset", "broken_pipe"].contains(&event.parameter(2).as_str().unwrap()),
            "{event}"
        );
    }
    // While a close waits for sends.
    let (connection, peer) = rig.connection().await;
    rig.raise(
        "send_socket",
        [connection.clone(), "x".repeat(20 << 20).as_str().into()],
    );
    rig.raise("close_socket", [connection.clone()]);
    peer.reset();
    rig.expect("error_socket", &connection).await;
    rig.expect("closed_socket", &connection).await;
}

async fn many_resets_leave_nothing_behind() {
    let rig = Rig::new();
    let (server, port) = rig.listen().await;
    for _ in 0..200 {
        rig.raise("accept_socket", [server.clone()]);
        let peer = rig.connect(port).await;
        let accepted = rig.expect("accepted_socket", &server).await;
        let connection = accepted.parameter(1).clone();
        peer.reset();
        rig.raise("recv_socket", [connection.clone()]);
        rig.expect_error(&connection, "reset", "recv").await;
        rig.raise("close_socket", [connection.clone()]);
        rig.expect("closed_socket", &connection).await;
    }
    while rig.service.open_sockets() > 1 {
        rig.net.sleep(Duration::from_millis(1)).await;
    }
}

async fn a_slow_reader_gets_everything() {
    let rig = Rig::new();
    let (connection, mut peer) = rig.connection().await;
    let text = "0123456789".repeat(100_000);
    rig.raise("send_socket", [connection.clone(), text.as_str().into()]);
    rig.raise("close_socket", [connection.clone()]);
    let mut all = Vec::new();
    let mut part = [0; 40_000];
    loop {
        rig.net.sleep(Duration::from_secs(10)).await;
        let n = peer.read(&mut part).await.unwrap();
        if n == 0 {
            break;
        }
        all.extend_from_slice(&part[..n]);
    }
    assert!(all == text.as_bytes(), "{} bytes came", all.len());
    rig.expect("sent_socket", &connection).await;
    rig.expect("closed_socket", &connection).await;
}

async fn a_peer_that_never_reads_costs_its_own_connection() {
    let rig = Rig::with(SocketServiceBuilder::new().send_timeout(Duration::from_secs(20)));
    let (connection, peer) = rig.connection().await;
    for _ in 0..2 {
        rig.raise("send_socket", [connection.clone(), "x".repeat(4 << 20).as_str().into()]);
    }
    rig.raise("send_socket", [connection.clone(), 3.into()]);
    let before = rig.net.now();
    for _ in 0..2 {
        rig.expect_error(&connection, "timeout", "send").await;
    }
    rig.expect_unknown_error(&connection, "invalid", "send").await;
    let waited = rig.net.now() - before;
    assert!(
        waited >= Duration::from_secs(20) && waited < Duration::from_secs(25),
        "{waited:?}"
    );
    rig.raise("close_socket", [connection.clone()]);
    rig.expect("closed_socket", &connection).await;
    drop(peer);
}

async fn a_close_waits_for_a_peer_that_never_reads_within_its_limit() {
    let rig = Rig::with(
        SocketServiceBuilder::new()
            .send_timeout(None)
            .close_timeout(Duration::from_secs(7)),
    );
    let (connection, _peer) = rig.connection().await;
    rig.raise("send_socket", [connection.clone(), "x".repeat(8 << 20).as_str().into()]);
    rig.net.sleep(Duration::from_secs(3600)).await;
    assert_eq!(rig.queue.waiting(), 0, "without a limit a send waits");
    let before = rig.net.now();
    rig.raise("close_socket", [connection.clone()]);
    rig.expect_error(&connection, "timeout", "send").await;
    rig.expect("closed_socket", &connection).await;
    assert_eq!((rig.net.now() - before).as_secs(), 7);
}

async fn stop_waits_within_the_limit() {
    let rig = Rig::new();
    let (connection, _peer) = rig.connection().await;
    rig.raise("send_socket", [connection.clone(), "x".repeat(8 << 20).as_str().into()]);
    let before = rig.net.now();
    rig.service.stop().await;
    assert_eq!((rig.net.now() - before).as_secs(), 30);
    rig.expect_error(&connection, "timeout", "send").await;
    assert_eq!(&**rig.next().await.name(), "stopped");
}
