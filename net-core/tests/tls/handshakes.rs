//! Handshakes of a listener: how long each may take, and how many are under way.

use std::time::Duration;

use net_core::framing::Line;
use net_core::{BindOptions, Endpoint, ErrorKind, Framed, Operation, Stream, TimeoutKind};

use crate::common::backend::{net, on_each_backend, where_time_jumps};
use crate::common::certificates::trusting;
use crate::common::scripted::{Accept, Scripted};
use crate::common::{poll_once, settle};

on_each_backend!(
    a_silent_client_holds_up_neither_accepting_nor_other_clients,
    the_time_limit_of_a_listeners_handshake_can_be_set,
    only_so_many_handshakes_are_under_way_at_once,
);

where_time_jumps!(
    a_peer_that_never_says_anything_ends_at_the_time_limit_of_the_handshake,
    waiting_for_a_slot_counts_toward_the_time_limit_of_the_handshake,
);

async fn a_peer_that_never_says_anything_ends_at_the_time_limit_of_the_handshake() {
    let (server, client) = trusting();
    for upgrade_server in [true, false] {
        let net = net();
        let before = net.now();
        let (mut here, _there) = Stream::pair(&net);
        let error = if upgrade_server {
            here.upgrade_tls_server(&server).await.unwrap_err()
        } else {
            here.upgrade_tls_client(&client, "localhost").await.unwrap_err()
        };
        assert_eq!(
            (error.kind(), error.operation()),
            (ErrorKind::Timeout(TimeoutKind::Handshake), Operation::Handshake)
        );
        assert_eq!(net.now() - before, Duration::from_secs(10));
    }
}

async fn a_silent_client_holds_up_neither_accepting_nor_other_clients() {
    let (server, client) = trusting();
    let net = net().with_server_tls(server).with_client_tls(client);
    let mut listener = net.bind(&"tls://127.0.0.1:0".parse().unwrap()).await.unwrap();
    let to = listener.local().clone();
    let plain: Endpoint = to.to_string().replace("tls:", "tcp:").parse().unwrap();
    let _silent = net.connect(&plain).await.unwrap();
    let silent = listener.accept().await.unwrap();
    assert!(silent.tls().is_none());
    let mut silent = Framed::new(silent, Line::default());
    let connecting = {
        let net = net.clone();
        net.clone().spawn(async move { net.connect(&to).await }).unwrap()
    };
    let mut other = listener.accept().await.unwrap();
    assert!(poll_once(&mut Box::pin(silent.next())).await.is_none());
    other.handshake().await.unwrap();
    connecting.await.unwrap().unwrap();
}

async fn the_time_limit_of_a_listeners_handshake_can_be_set() {
    let (server, _) = trusting();
    let net = net().with_server_tls(server);
    let options = BindOptions::default().handshake_timeout(Duration::ZERO);
    let mut listener = net
        .bind_with(&"tls://127.0.0.1:0".parse().unwrap(), &options)
        .await
        .unwrap();
    let plain: Endpoint = listener.local().to_string().replace("tls:", "tcp:").parse().unwrap();
    let _silent = net.connect(&plain).await.unwrap();
    let error = listener.accept().await.unwrap().handshake().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout(TimeoutKind::Handshake));
}

async fn only_so_many_handshakes_are_under_way_at_once() {
    let (server, client) = trusting();
    let net = net().with_server_tls(server).with_client_tls(client);
    let options = BindOptions::default().max_handshakes(1);
    let mut listener = net
        .bind_with(&"tls://127.0.0.1:0".parse().unwrap(), &options)
        .await
        .unwrap();
    let to = listener.local().clone();
    let plain: Endpoint = to.to_string().replace("tls:", "tcp:").parse().unwrap();
    let _silent = net.connect(&plain).await.unwrap();
    let mut holder = listener.accept().await.unwrap();
    // The silent client has the one slot.
    assert!(poll_once(&mut Box::pin(holder.handshake())).await.is_none());
    let connecting = {
        let net = net.clone();
        net.clone().spawn(async move { net.connect(&to).await }).unwrap()
    };
    let mut second = listener.accept().await.unwrap();
    for _ in 0..10 {
        assert!(poll_once(&mut Box::pin(second.handshake())).await.is_none());
        settle().await;
    }
    // It is free when the silent one goes.
    drop(holder);
    second.handshake().await.unwrap();
    connecting.await.unwrap().unwrap();
}

async fn waiting_for_a_slot_counts_toward_the_time_limit_of_the_handshake() {
    let (server, _) = trusting();
    let script = Scripted::new();
    let net = script.net().with_server_tls(server);
    let limit = Duration::from_secs(3);
    let options = BindOptions::default().max_handshakes(1).handshake_timeout(limit);
    let at: Endpoint = "tls://192.0.2.1:80".parse().unwrap();
    let mut listener = net.bind_with(&at, &options).await.unwrap();
    let mut handshakes = Vec::new();
    for _ in 0..4 {
        script.accepts(Accept::From("192.0.2.2:5".parse().unwrap()));
        let mut silent = listener.accept().await.unwrap();
        handshakes.push(net.spawn(async move { silent.handshake().await }).unwrap());
        settle().await;
    }
    let began = net.now();
    for (number, handshake) in handshakes.into_iter().enumerate() {
        let error = handshake.await.unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout(TimeoutKind::Handshake));
        let detail = error.detail_text().unwrap();
        assert_eq!(detail.contains("max_handshakes others"), number > 0, "{detail}");
    }
    // All of them at once, not one after the other.
    assert_eq!(net.now(), began + limit);
}
