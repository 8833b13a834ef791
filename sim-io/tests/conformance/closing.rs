//! Closing: half, twice, in the middle of reading and writing, and with everything that was written.

use std::io;

use net_core::{Socket, SocketState};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::common::{LIMIT, Place, Transport, on_each_socket, on_plain_sockets, pattern};

on_each_socket!(
    a_half_closed_connection_still_receives,
    after_a_half_close_nothing_can_be_written,
    closing_twice_does_no_harm,
    a_socket_that_is_closed_twice_stays_closed,
    an_orderly_close_loses_nothing,
    both_ends_may_close_at_once,
    a_close_while_the_peer_reads_is_its_end,
    a_close_while_the_peer_writes_is_a_broken_pipe,
    shutting_down_while_a_read_waits_leaves_the_read,
);

on_plain_sockets!(
    what_was_written_before_a_drop_arrives,
    dropping_a_stream_whose_read_waits_is_the_peers_end,
    dropping_with_unread_data_is_a_reset,
);

async fn a_half_closed_connection_still_receives(place: Place) {
    let (mut client, mut server) = place.pair().await;
    client.write_all(b"question").await.unwrap();
    client.shutdown().await.unwrap();
    let mut question = String::new();
    server.read_to_string(&mut question).await.unwrap();
    assert_eq!(question, "question");
    place.pause().await;
    let sent = pattern(300_000);
    let answer = sent.clone();
    let answering = place.net.spawn(async move {
        server.write_all(&answer).await.unwrap();
        server.shutdown().await.unwrap();
        server
    });
    let mut received = Vec::new();
    client.read_to_end(&mut received).await.unwrap();
    assert!(received == sent);
    answering.unwrap().await.unwrap();
}

async fn after_a_half_close_nothing_can_be_written(place: Place) {
    let (mut client, mut server) = place.pair().await;
    client.shutdown().await.unwrap();
    for _ in 0..2 {
        let error = client.write_all(b"x").await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe, "{error}");
    }
    assert_eq!(server.read(&mut [0; 1]).await.unwrap(), 0);
}

async fn closing_twice_does_no_harm(place: Place) {
    let (mut client, mut server) = place.pair().await;
    client.shutdown().await.unwrap();
    client.shutdown().await.unwrap();
    assert_eq!(server.read(&mut [0; 1]).await.unwrap(), 0);
    server.shutdown().await.unwrap();
    server.shutdown().await.unwrap();
    assert_eq!(client.read(&mut [0; 1]).await.unwrap(), 0);
    // What is over already is closed as well.
    place.pause().await;
    client.close(LIMIT).await.unwrap();
    server.close(LIMIT).await.unwrap();
}

async fn a_socket_that_is_closed_twice_stays_closed(place: Place) {
    let mut server = Socket::new(&place.net);
    server.bind(&place.endpoint).await.unwrap();
    server.listen().unwrap();
    let mut client = Socket::new(&place.net);
    let to = server.local().unwrap().clone();
    let accepting = async {
        let mut accepted = server.accept().await.unwrap();
        accepted.send(b"").await.unwrap();
        accepted
    };
    let (connected, mut accepted) = tokio::join!(client.connect(&to), accepting);
    connected.unwrap();
    for _ in 0..2 {
        client.close().await.unwrap();
        assert_eq!(client.state(), SocketState::Closed);
    }
    assert_eq!(accepted.recv(10).await.unwrap(), "");
    for _ in 0..2 {
        accepted.close().await.unwrap();
        server.close().await.unwrap();
    }
}

async fn an_orderly_close_loses_nothing(place: Place) {
    let (mut client, mut server) = place.pair().await;
    let data = pattern(500_000);
    // What the closing end has not read is no reason for a reset that would take its own data along.
    server.write_all(b"never read").await.unwrap();
    let sent = data.clone();
    let closing = place.net.spawn(async move {
        client.write_all(&sent).await.unwrap();
        client.close(LIMIT).await
    });
    place.pause().await;
    let mut received = Vec::new();
    server.read_to_end(&mut received).await.unwrap();
    assert!(received == data);
    server.close(LIMIT).await.unwrap();
    closing.unwrap().await.unwrap().unwrap();
}

async fn both_ends_may_close_at_once(place: Place) {
    let (client, server) = place.pair().await;
    let (one, two) = tokio::join!(client.close(LIMIT), server.close(LIMIT));
    one.unwrap();
    two.unwrap();
    assert_eq!(place.net.stats().open(), 0);
}

async fn a_close_while_the_peer_reads_is_its_end(place: Place) {
    let (client, mut server) = place.pair().await;
    let reading = place.net.spawn(async move {
        let mut rest = Vec::new();
        let end = server.read_to_end(&mut rest).await;
        let _ = server.shutdown().await;
        end
    });
    place.pause().await;
    client.close(LIMIT).await.unwrap();
    assert_eq!(reading.unwrap().await.unwrap().unwrap(), 0);
}

async fn a_close_while_the_peer_writes_is_a_broken_pipe(place: Place) {
    let (mut client, mut server) = place.pair().await;
    let writing = place.net.spawn(async move {
        loop {
            if let Err(error) = server.write_all(&[7; 10_000]).await {
                let again = server.write_all(b"x").await.unwrap_err();
                return (error.kind(), again.kind());
            }
        }
    });
    client.read_exact(&mut [0; 1000]).await.unwrap();
    drop(client);
    let (first, again) = place.net.timeout(LIMIT, writing.unwrap()).await.unwrap().unwrap();
    let broken = [io::ErrorKind::BrokenPipe, io::ErrorKind::ConnectionReset];
    assert!(broken.contains(&first) && broken.contains(&again), "{first} {again}");
}

async fn shutting_down_while_a_read_waits_leaves_the_read(place: Place) {
    let (client, mut server) = place.pair().await;
    let (mut reader, mut writer) = tokio::io::split(client);
    let reading = place.net.spawn(async move {
        let mut text = String::new();
        reader.read_to_string(&mut text).await.map(|_| text)
    });
    place.pause().await;
    writer.shutdown().await.unwrap();
    assert_eq!(server.read(&mut [0; 1]).await.unwrap(), 0);
    server.write_all(b"late").await.unwrap();
    server.shutdown().await.unwrap();
    assert_eq!(reading.unwrap().await.unwrap().unwrap(), "late");
}

async fn what_was_written_before_a_drop_arrives(place: Place) {
    let (mut client, mut server) = place.pair().await;
    let data = pattern(100_000);
    let sent = data.clone();
    let writing = place.net.spawn(async move {
        client.write_all(&sent).await.unwrap();
        drop(client);
    });
    place.pause().await;
    let mut received = Vec::new();
    server.read_to_end(&mut received).await.unwrap();
    assert!(received == data);
    writing.unwrap().await.unwrap();
}

async fn dropping_a_stream_whose_read_waits_is_the_peers_end(place: Place) {
    let (mut client, mut server) = place.pair().await;
    let reading = place.net.spawn(async move { client.read_u8().await }).unwrap();
    place.pause().await;
    reading.abort();
    let end = place.net.timeout(LIMIT, server.read(&mut [0; 1])).await.unwrap();
    assert_eq!(end.unwrap(), 0);
}

async fn dropping_with_unread_data_is_a_reset(place: Place) {
    let (mut client, mut server) = place.pair().await;
    client.write_all(b"ab").await.unwrap();
    // One of two bytes: the other is there, too.
    assert_eq!(server.read_u8().await.unwrap(), b'a');
    drop(server);
    let end = place.net.timeout(LIMIT, client.read(&mut [0; 1])).await.unwrap();
    assert_eq!(end.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
    assert!(matches!(place.transport, Transport::Tcp | Transport::Unix));
}
