//! Reading: short reads, waiting, ends, and several readers.

use net_core::Stream;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::common::{LIMIT, Place, on_each_socket, pattern, poll_once};

on_each_socket!(
    a_read_takes_what_is_there_and_no_more_than_fits,
    a_read_into_nothing_is_done_at_once_and_is_no_end,
    a_read_that_is_given_up_loses_nothing,
    bytes_come_in_order_whatever_the_pieces,
    the_end_comes_after_the_data_and_comes_again,
    the_last_one_to_wait_is_the_one_who_wakes,
    a_reader_and_a_writer_use_one_stream_at_once,
    many_connections_are_read_at_once,
);

async fn a_read_takes_what_is_there_and_no_more_than_fits(place: Place) {
    let (mut client, mut server) = place.pair().await;
    client.write_all(b"hello").await.unwrap();
    let mut small = [0; 3];
    assert_eq!(server.read(&mut small).await.unwrap(), 3);
    assert_eq!(&small, b"hel");
    // It does not wait for the buffer to be full.
    let mut large = [0; 100];
    assert_eq!(server.read(&mut large).await.unwrap(), 2);
    assert_eq!(&large[..2], b"lo");
    assert!(poll_once(&mut Box::pin(server.read(&mut large))).await.is_none());
}

async fn a_read_into_nothing_is_done_at_once_and_is_no_end(place: Place) {
    let (mut client, mut server) = place.pair().await;
    assert_eq!(server.read(&mut []).await.unwrap(), 0);
    client.write_all(b"x").await.unwrap();
    assert_eq!(server.read_u8().await.unwrap(), b'x');
    assert_eq!(server.read(&mut []).await.unwrap(), 0);
}

async fn a_read_that_is_given_up_loses_nothing(place: Place) {
    let (mut client, mut server) = place.pair().await;
    let mut received = Vec::new();
    for byte in 0..20_u8 {
        let mut buffer = [0; 8];
        if let Some(n) = poll_once(&mut Box::pin(server.read(&mut buffer))).await {
            received.extend_from_slice(&buffer[..n.unwrap()]);
        }
        client.write_all(&[byte]).await.unwrap();
    }
    client.shutdown().await.unwrap();
    server.read_to_end(&mut received).await.unwrap();
    assert!(received.into_iter().eq(0..20));
}

async fn bytes_come_in_order_whatever_the_pieces(place: Place) {
    let (mut client, mut server) = place.pair().await;
    let data = pattern(300_000);
    let sent = data.clone();
    let writing = place.net.spawn(async move {
        let mut rest = &sent[..];
        let mut piece = 1;
        while !rest.is_empty() {
            let (now, later) = rest.split_at(piece.min(rest.len()));
            client.write_all(now).await.unwrap();
            rest = later;
            piece = piece * 7 % 9973 + 1;
        }
        client.shutdown().await.unwrap();
        client
    });
    let mut received = Vec::new();
    let mut buffer = vec![0; 10_000];
    let mut size = 1;
    loop {
        let n = server.read(&mut buffer[..size]).await.unwrap();
        if n == 0 {
            break;
        }
        assert!(n <= size);
        received.extend_from_slice(&buffer[..n]);
        size = size * 5 % 9973 + 1;
    }
    assert!(received == data);
    writing.unwrap().await.unwrap();
}

async fn the_end_comes_after_the_data_and_comes_again(place: Place) {
    let (mut client, mut server) = place.pair().await;
    client.write_all(b"all").await.unwrap();
    client.shutdown().await.unwrap();
    place.pause().await;
    let mut buffer = [0; 100];
    assert_eq!(server.read(&mut buffer).await.unwrap(), 3);
    for _ in 0..3 {
        assert_eq!(server.read(&mut buffer).await.unwrap(), 0);
    }
}

async fn the_last_one_to_wait_is_the_one_who_wakes(place: Place) {
    let (mut client, mut server) = place.pair().await;
    assert!(poll_once(&mut Box::pin(server.read_u8())).await.is_none());
    // Another task takes it over, with the first's wait still in the books.
    let reading = place.net.spawn(async move { server.read_u8().await }).unwrap();
    place.pause().await;
    client.write_all(b"x").await.unwrap();
    let read = place.net.timeout(LIMIT, reading).await.unwrap();
    assert_eq!(read.unwrap().unwrap(), b'x');
}

async fn a_reader_and_a_writer_use_one_stream_at_once(place: Place) {
    let (client, server) = place.pair().await;
    let exchange = |stream: Stream| {
        let (mut reader, mut writer) = tokio::io::split(stream);
        let reading = place.net.spawn(async move {
            let mut received = Vec::new();
            reader.read_to_end(&mut received).await.unwrap();
            (received, reader)
        });
        let writing = place.net.spawn(async move {
            writer.write_all(&pattern(700_000)).await.unwrap();
            writer.shutdown().await.unwrap();
            writer
        });
        (reading.unwrap(), writing.unwrap())
    };
    let tasks = [exchange(client), exchange(server)];
    for (reading, writing) in tasks {
        assert!(reading.await.unwrap().0 == pattern(700_000));
        drop(writing.await.unwrap());
    }
}

async fn many_connections_are_read_at_once(place: Place) {
    let mut listener = place.listen().await;
    let mut clients = Vec::new();
    let mut readers = Vec::new();
    for _ in 0..20 {
        let (client, mut server) = place.pair_at(&mut listener).await;
        clients.push(client);
        let reading = place.net.spawn(async move {
            let mut text = String::new();
            server.read_to_string(&mut text).await.map(|_| text)
        });
        readers.push(reading.unwrap());
    }
    // Backwards, each in two pieces.
    for (number, client) in clients.iter_mut().enumerate().rev() {
        client.write_all(format!("for {number}").as_bytes()).await.unwrap();
    }
    for client in &mut clients {
        client.write_all(b", the end").await.unwrap();
        client.shutdown().await.unwrap();
    }
    for (number, reading) in readers.into_iter().enumerate() {
        assert_eq!(reading.await.unwrap().unwrap(), format!("for {number}, the end"));
    }
}
