//! Accepting: the backlog, its order and its end.

use net_core::{ErrorKind, SocketOptions};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::common::backend::{Backend, running_on};
use crate::common::{LIMIT, Place, Transport, on_each_socket, on_plain_sockets, on_tcp, poll_once};

on_each_socket!(
    an_accept_waits_until_somebody_comes,
    accepted_connections_outlive_their_listener,
);

on_plain_sockets!(
    who_connected_waits_in_the_backlog_in_order,
    an_accept_that_is_given_up_loses_nobody,
    who_has_left_before_he_is_accepted_is_accepted_with_what_he_sent,
    a_listener_that_closes_closes_who_was_not_accepted,
);

on_tcp!(
    a_full_backlog_lets_connecting_wait_for_room,
    listeners_on_two_ports_share_nothing,
);

async fn an_accept_waits_until_somebody_comes(place: Place) {
    let mut listener = place.listen().await;
    assert!(poll_once(&mut Box::pin(listener.accept())).await.is_none());
    let accepted = place
        .net
        .timeout(std::time::Duration::from_millis(50), listener.accept());
    assert!(accepted.await.is_err());
    let (mut client, mut server) = place.pair_at(&mut listener).await;
    client.write_all(b"x").await.unwrap();
    assert_eq!(server.read_u8().await.unwrap(), b'x');
}

async fn accepted_connections_outlive_their_listener(place: Place) {
    let mut listener = place.listen().await;
    let (mut client, mut server) = place.pair_at(&mut listener).await;
    let to = listener.local().clone();
    drop(listener);
    place.pause().await;
    client.write_all(b"still").await.unwrap();
    let mut still = [0; 5];
    server.read_exact(&mut still).await.unwrap();
    assert_eq!(place.net.connect(&to).await.unwrap_err().kind(), ErrorKind::Refused);
    server.write_all(&still).await.unwrap();
    client.read_exact(&mut still).await.unwrap();
    assert_eq!(&still, b"still");
}

async fn who_connected_waits_in_the_backlog_in_order(place: Place) {
    let mut listener = place.listen().await;
    let mut clients = Vec::new();
    for number in 0..200_u8 {
        let mut client = place.net.connect(listener.local()).await.unwrap();
        client.write_all(&[number]).await.unwrap();
        clients.push(client);
    }
    let mut numbers = Vec::new();
    for _ in 0..200 {
        numbers.push(listener.accept().await.unwrap().read_u8().await.unwrap());
    }
    if running_on() == Backend::BadLink {
        // It is the order in which their handshakes were done, and their last packets can be lost.
        numbers.sort_unstable();
    }
    assert!(numbers.into_iter().eq(0..200));
    assert!(poll_once(&mut Box::pin(listener.accept())).await.is_none());
}

async fn an_accept_that_is_given_up_loses_nobody(place: Place) {
    let mut listener = place.listen().await;
    let mut clients = Vec::new();
    for _ in 0..20 {
        let _ = poll_once(&mut Box::pin(listener.accept()))
            .await
            .map(|accepted| clients.push(accepted.unwrap()));
        clients.push(place.net.connect(listener.local()).await.unwrap());
    }
    // Each was accepted once, at once or now.
    while clients.len() < 40 {
        clients.push(listener.accept().await.unwrap());
    }
    assert!(poll_once(&mut Box::pin(listener.accept())).await.is_none());
}

async fn who_has_left_before_he_is_accepted_is_accepted_with_what_he_sent(place: Place) {
    let mut listener = place.listen().await;
    let mut client = place.net.connect(listener.local()).await.unwrap();
    client.write_all(b"I was here").await.unwrap();
    drop(client);
    place.pause().await;
    let mut words = String::new();
    listener
        .accept()
        .await
        .unwrap()
        .read_to_string(&mut words)
        .await
        .unwrap();
    assert_eq!(words, "I was here");
}

async fn a_listener_that_closes_closes_who_was_not_accepted(place: Place) {
    let listener = place.listen().await;
    let mut client = place.net.connect(listener.local()).await.unwrap();
    place.pause().await;
    drop(listener);
    let end = place.net.timeout(LIMIT, client.read(&mut [0; 1])).await.unwrap();
    assert_eq!(end.unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
}

async fn a_full_backlog_lets_connecting_wait_for_room(place: Place) {
    let mut listener = place.listen_with(SocketOptions::default().backlog(1)).await;
    let mut clients = Vec::new();
    // Linux has room for one more than the backlog says.
    for _ in 0..2 {
        clients.push(place.net.connect(listener.local()).await.unwrap());
    }
    let last = place.connecting(listener.local());
    place.pause().await;
    assert!(!last.is_finished());
    for _ in 0..3 {
        drop(place.net.timeout(LIMIT, listener.accept()).await.unwrap().unwrap());
    }
    place.net.timeout(LIMIT, last).await.unwrap().unwrap().unwrap();
}

async fn listeners_on_two_ports_share_nothing(place: Place) {
    let (mut one, mut two) = (place.listen().await, place.listen().await);
    assert_ne!(one.local(), two.local());
    assert_eq!(place.transport, Transport::Tcp);
    let to_two = place.net.connect(two.local()).await.unwrap();
    let to_one = place.net.connect(one.local()).await.unwrap();
    assert_eq!(one.accept().await.unwrap().peer(), to_one.local());
    assert_eq!(two.accept().await.unwrap().peer(), to_two.local());
}
