//! Resets: who hears of them, how often, and what they leave.

use std::io;

use net_core::Stream;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::common::{LIMIT, Place, Transport, on_each_socket, where_no_reset_is_lost};

where_no_reset_is_lost!(
    a_reset_while_a_read_waits_is_told,
    both_halves_of_a_split_stream_hear_of_a_reset,
    a_reset_is_no_orderly_end,
    what_was_received_before_a_reset_can_be_read,
    a_reset_is_told_once_and_then_the_connection_is_over,
);

on_each_socket!(a_reset_is_told_to_who_writes, a_reset_frees_the_connection_at_both_ends);

async fn a_reset_while_a_read_waits_is_told(place: Place) {
    let (client, mut server) = place.pair().await;
    let reading = place.net.spawn(async move { server.read_u8().await }).unwrap();
    place.pause().await;
    client.reset();
    let error = place.net.timeout(LIMIT, reading).await.unwrap().unwrap().unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset, "{error}");
}

async fn write_until_it_fails(mut stream: Stream) -> io::ErrorKind {
    loop {
        if let Err(error) = stream.write_all(&[7; 10_000]).await {
            return error.kind();
        }
    }
}

async fn a_reset_is_told_to_who_writes(place: Place) {
    let (client, server) = place.pair().await;
    let writing = place.net.spawn(write_until_it_fails(server)).unwrap();
    place.pause().await;
    client.reset();
    let kind = place.net.timeout(LIMIT, writing).await.unwrap().unwrap();
    assert!(
        matches!(kind, io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe),
        "{kind}"
    );
}

async fn both_halves_of_a_split_stream_hear_of_a_reset(place: Place) {
    let (client, server) = place.pair().await;
    let (mut reader, mut writer) = tokio::io::split(server);
    let reading = place
        .net
        .spawn(async move { reader.read_u8().await.map_err(|error| error.kind()) });
    let writing = place.net.spawn(async move {
        loop {
            if let Err(error) = writer.write_all(&[7; 10_000]).await {
                return error.kind();
            }
        }
    });
    place.pause().await;
    client.reset();
    // One of them has the error itself, and the other what follows from it.
    let read = place
        .net
        .timeout(LIMIT, reading.unwrap())
        .await
        .unwrap()
        .unwrap()
        .unwrap_err();
    let written = place.net.timeout(LIMIT, writing.unwrap()).await.unwrap().unwrap();
    let allowed = [
        io::ErrorKind::ConnectionReset,
        io::ErrorKind::BrokenPipe,
        io::ErrorKind::UnexpectedEof,
    ];
    assert!(
        allowed.contains(&read) && allowed.contains(&written),
        "{read} {written}"
    );
}

async fn a_reset_is_no_orderly_end(place: Place) {
    let (client, mut server) = place.pair().await;
    client.reset();
    place.pause().await;
    let error = server.read_to_end(&mut Vec::new()).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset, "{error}");
}

async fn a_reset_frees_the_connection_at_both_ends(place: Place) {
    let mut listener = place.listen().await;
    for _ in 0..20 {
        let (client, mut server) = place.pair_at(&mut listener).await;
        client.reset();
        let _ = server.write_all(b"x").await;
        drop(server);
    }
    assert_eq!(place.net.stats().open(), 0);
}

async fn what_was_received_before_a_reset_can_be_read(place: Place) {
    let (mut client, mut server) = place.pair().await;
    client.write_all(b"last words").await.unwrap();
    let mut first = [0; 1];
    // Once the first of them is there, all are.
    server.read_exact(&mut first).await.unwrap();
    client.reset();
    place.pause().await;
    let mut words = [0; 9];
    server.read_exact(&mut words).await.unwrap();
    assert_eq!(&words, b"ast words");
    let error = server.read(&mut words).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
}

async fn a_reset_is_told_once_and_then_the_connection_is_over(place: Place) {
    let (client, mut server) = place.pair().await;
    client.reset();
    let error = server.read(&mut [0; 1]).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    if place.transport == Transport::Tls {
        return; // To TLS an end without a farewell is an error each time.
    }
    for _ in 0..2 {
        assert_eq!(server.read(&mut [0; 1]).await.unwrap(), 0);
        let error = server.write(b"x").await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    }
}
