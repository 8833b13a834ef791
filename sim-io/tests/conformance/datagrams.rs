//! Datagrams: whole or not at all, and several who wait for them.

use std::sync::Arc;

use net_core::{Datagram, ErrorKind};

use crate::common::backend::{net, on_each_backend, where_nothing_is_lost};
use crate::common::{LIMIT, at, pattern, poll_once};

where_nothing_is_lost!(
    each_datagram_is_received_as_it_was_sent,
    an_empty_datagram_is_one_and_no_end,
    a_small_buffer_cuts_one_datagram_and_leaves_the_next,
    datagrams_wait_for_their_receiver_in_order,
    several_receivers_on_one_socket_get_one_each,
);

on_each_backend!(
    one_for_nobody_is_no_error,
    one_that_is_too_large_is_refused,
    a_port_is_taken_until_its_socket_is_gone,
);

async fn socket() -> Datagram {
    net().datagram(&at("udp://127.0.0.1:0")).await.unwrap()
}

async fn each_datagram_is_received_as_it_was_sent() {
    let (here, there) = (socket().await, socket().await);
    for length in [1, 2, 1000, 1473, 20_000, 65_507] {
        here.send_to(&pattern(length), there.local()).await.unwrap();
        let (data, from) = there.receive().await.unwrap();
        assert!(data == pattern(length));
        assert_eq!(&from, here.local());
    }
}

async fn an_empty_datagram_is_one_and_no_end() {
    let (here, there) = (socket().await, socket().await);
    here.send_to(b"", there.local()).await.unwrap();
    here.send_to(b"x", there.local()).await.unwrap();
    assert_eq!(there.receive().await.unwrap().0, "");
    assert_eq!(there.receive().await.unwrap().0, "x");
}

async fn a_small_buffer_cuts_one_datagram_and_leaves_the_next() {
    let (here, there) = (socket().await, socket().await);
    here.send_to(b"0123456789", there.local()).await.unwrap();
    here.send_to(b"abc", there.local()).await.unwrap();
    let mut small = [0; 4];
    let (n, _) = there.receive_into(&mut small).await.unwrap();
    assert_eq!(&small[..n], b"0123");
    let (n, _) = there.receive_into(&mut small).await.unwrap();
    assert_eq!(&small[..n], b"abc");
}

async fn datagrams_wait_for_their_receiver_in_order() {
    let (here, there) = (socket().await, socket().await);
    for number in 0..50 {
        here.send_to(&[number], there.local()).await.unwrap();
    }
    for number in 0..50 {
        assert_eq!(there.receive().await.unwrap().0[..], [number]);
    }
}

async fn several_receivers_on_one_socket_get_one_each() {
    let (net, here, there) = (net(), socket().await, Arc::new(socket().await));
    let mut receivers = Vec::new();
    for _ in 0..5 {
        let there = Arc::clone(&there);
        receivers.push(net.spawn(async move { there.receive().await.unwrap().0 }).unwrap());
    }
    net.sleep(std::time::Duration::from_millis(20)).await;
    for number in 0..5 {
        here.send_to(&[number], there.local()).await.unwrap();
    }
    let mut received = Vec::new();
    for receiver in receivers {
        received.push(net.timeout(LIMIT, receiver).await.unwrap().unwrap()[0]);
    }
    received.sort_unstable();
    assert_eq!(received, [0, 1, 2, 3, 4]);
}

async fn one_for_nobody_is_no_error() {
    let here = socket().await;
    let gone = socket().await.local().clone();
    for _ in 0..3 {
        here.send_to(b"x", &gone).await.unwrap();
    }
    assert!(poll_once(&mut Box::pin(here.receive())).await.is_none());
}

async fn one_that_is_too_large_is_refused() {
    let (here, there) = (socket().await, socket().await);
    let error = here.send_to(&[0; 65_508], there.local()).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.endpoint()),
        (ErrorKind::Limit, Some(there.local()))
    );
}

async fn a_port_is_taken_until_its_socket_is_gone() {
    let net = net();
    let socket = socket().await;
    let local = socket.local().clone();
    assert_eq!(net.datagram(&local).await.unwrap_err().kind(), ErrorKind::AddrInUse);
    // TCP's ports are others.
    let tcp = local.to_string().replace("udp:", "tcp:");
    let _listener = net.bind(&at(&tcp)).await;
    drop(socket);
    net.datagram(&local).await.unwrap();
}
