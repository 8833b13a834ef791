//! Writing: whole, in pieces, and to somebody who does not read.

use std::io::IoSlice;

use net_core::SocketOptions;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::common::{Place, on_each_socket, pattern, poll_once};

on_each_socket!(
    writing_nothing_is_done_at_once,
    several_slices_arrive_in_order,
    a_writer_waits_for_a_reader_and_goes_on,
    large_data_reach_a_slow_reader_whole,
    a_write_that_is_given_up_wrote_nothing,
);

async fn writing_nothing_is_done_at_once(place: Place) {
    let (mut client, mut server) = place.pair().await;
    assert_eq!(client.write(&[]).await.unwrap(), 0);
    client.flush().await.unwrap();
    client.write_all(b"x").await.unwrap();
    assert_eq!(server.read_u8().await.unwrap(), b'x');
}

async fn several_slices_arrive_in_order(place: Place) {
    let (mut client, mut server) = place.pair().await;
    let data = pattern(3000);
    let slices = [
        IoSlice::new(&data[..1]),
        IoSlice::new(&[]),
        IoSlice::new(&data[1..1000]),
        IoSlice::new(&data[1000..]),
    ];
    let n = client.write_vectored(&slices).await.unwrap();
    assert!((1..=3000).contains(&n));
    client.write_all(&data[n..]).await.unwrap();
    let mut received = vec![0; 3000];
    server.read_exact(&mut received).await.unwrap();
    assert!(received == data);
}

/// Writes until there is no room, and tells how much that was.
async fn fill(place: &Place, writer: &mut net_core::Stream) -> usize {
    let data = pattern(1 << 16);
    let mut written = 0;
    loop {
        let at = written % data.len();
        match poll_once(&mut Box::pin(writer.write(&data[at..]))).await {
            Some(n) => written += n.unwrap(),
            None => {
                place.pause().await;
                match poll_once(&mut Box::pin(writer.write(&data[written % data.len()..]))).await {
                    Some(n) => written += n.unwrap(),
                    None => return written,
                }
            }
        }
        assert!(written < 1 << 28, "it takes without end");
    }
}

async fn a_writer_waits_for_a_reader_and_goes_on(place: Place) {
    let small = SocketOptions::default().send_buffer(20_000).receive_buffer(20_000);
    let mut listener = place.listen_with(small).await;
    let (mut client, mut server) = place.pair_at(&mut listener).await;
    let written = fill(&place, &mut server).await;
    assert!(written >= 1000, "{written}");
    let writing = place.net.spawn(async move {
        server.write_all(b"the rest").await.unwrap();
        server.shutdown().await.unwrap();
        server
    });
    let mut received = Vec::new();
    client.read_to_end(&mut received).await.unwrap();
    assert_eq!(received.len(), written + 8);
    let pattern = pattern(1 << 16);
    assert!(
        received[..written]
            .chunks(1 << 16)
            .all(|chunk| pattern.starts_with(chunk))
    );
    assert_eq!(&received[written..], b"the rest");
    writing.unwrap().await.unwrap();
}

async fn large_data_reach_a_slow_reader_whole(place: Place) {
    let (mut client, mut server) = place.pair().await;
    let data = pattern(2_000_000);
    let sent = data.clone();
    let writing = place.net.spawn(async move {
        client.write_all(&sent).await.unwrap();
        client.shutdown().await.unwrap();
        client
    });
    let mut received = Vec::new();
    let mut buffer = vec![0; 50_000];
    loop {
        let n = server.read(&mut buffer).await.unwrap();
        if n == 0 {
            break;
        }
        received.extend_from_slice(&buffer[..n]);
        place.net.sleep(std::time::Duration::from_millis(1)).await;
    }
    assert!(received == data);
    writing.unwrap().await.unwrap();
}

async fn a_write_that_is_given_up_wrote_nothing(place: Place) {
    let (mut client, mut server) = place.pair().await;
    let mut written = fill(&place, &mut client).await;
    // There is no room: these come to nothing.
    for _ in 0..3 {
        if let Some(n) = poll_once(&mut Box::pin(client.write(b"!"))).await {
            // On a slow machine room came late.
            written += n.unwrap();
        }
    }
    let closing = place.net.spawn(async move {
        client.shutdown().await.unwrap();
        client
    });
    let mut received = Vec::new();
    server.read_to_end(&mut received).await.unwrap();
    assert_eq!(received.len(), written);
    closing.unwrap().await.unwrap();
}
