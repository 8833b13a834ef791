//! Framer and DeFramer, DataChunker and DataDeChunker: whatever the pieces, and whatever is damaged.
#![cfg(feature = "derive")]

mod common;

use std::time::Duration;

use bytes::Bytes;
use common::{collect, system};
use components::util::{DataChunker, DataDeChunker, DeFramer, Framer};
use components::{Graphline, Inbox, Outbox, Pipeline, Signal, from_iter, link, map};

fn numbered() -> Vec<(u64, Bytes)> {
    (0..200)
        .map(|n| (n, Bytes::from(format!("{n}% of X").repeat(n as usize))))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn d17_frames_and_chunks_come_back_whole_when_the_producer_ends_at_once() {
    let (all, sink) = collect();
    let pipeline = Pipeline::new(from_iter(numbered()))
        .then(Framer::new())
        .then(DataChunker::new())
        .then(components::util::Chunkifier::new(7))
        .then(DataDeChunker::new())
        .then(DeFramer::new().one_per_message())
        .then(sink);
    assert!(system().activate(pipeline).unwrap().await.reason.is_clean());
    assert_eq!(*all.lock().unwrap(), numbered());
}

#[tokio::test(start_paused = true)]
async fn a_stream_may_be_joined_in_the_middle() {
    let (all, sink) = collect();
    let chunks = Pipeline::new(from_iter(numbered()))
        .then(map(|(_, data): (u64, Bytes)| data))
        .then(DataChunker::new())
        .then(components::util::Collate::new())
        .then(map(|chunks: Vec<Bytes>| Bytes::from(chunks.concat()).slice(30..)))
        .then(DataDeChunker::new())
        .then(sink);
    assert!(system().activate(chunks).unwrap().await.reason.is_clean());
    let expected: Vec<Bytes> = numbered().into_iter().skip(2).map(|(_, data)| data).collect();
    // The second chunk begins at 24, as the first is empty.
    assert_eq!(*all.lock().unwrap(), expected);
}

#[tokio::test(start_paused = true)]
async fn a_chunk_is_whole_when_a_flush_tells_so() {
    let chunker = DataDeChunker::new();
    let (mut stream, mut flush, mut found) = (Outbox::new(), Outbox::new(), Inbox::new());
    link(&stream, components::HasInbox::inbox(&chunker)).unwrap();
    link(&flush, chunker.flush()).unwrap();
    link(components::HasOutbox::outbox(&chunker), &found).unwrap();
    let system = system();
    let active = system.activate(chunker).unwrap();
    let mark = "X".repeat(24);
    stream.send(Bytes::from(format!("{mark}one{mark}two"))).await.unwrap();
    assert_eq!(found.recv().await.unwrap(), "one");
    system.net().sleep(Duration::from_secs(1)).await;
    assert_eq!(found.try_recv(), None);
    flush.send(()).await.unwrap();
    assert_eq!(found.recv().await.unwrap(), "two");
    active.finish();
    assert!(active.await.reason.is_clean());
}

#[tokio::test(start_paused = true)]
async fn a_damaged_frame_is_told_and_the_next_one_taken() {
    let frames = ["1 2\nab", "1 3\nab", "no frame", "2 1\nab", "3 0\n"].map(Bytes::from);
    let (all, sink) = collect::<(u64, Bytes)>();
    let mut graph = Graphline::new();
    graph.add("SOURCE", from_iter(frames)).unwrap();
    graph.add("DEFRAMER", DeFramer::new().one_per_message()).unwrap();
    graph.add("SINK", sink).unwrap();
    graph.link("SOURCE.outbox", "DEFRAMER.inbox").unwrap();
    graph.link("SOURCE.signal", "DEFRAMER.control").unwrap();
    graph.link("DEFRAMER.outbox", "SINK.inbox").unwrap();
    graph.link("DEFRAMER.signal", "self.told").unwrap();
    let mut told = Inbox::<Signal>::new();
    link(graph.own_outbox("told").unwrap(), &told).unwrap();
    let active = system().activate(graph).unwrap();
    let mut reasons = vec![];
    while let Some(signal) = told.recv().await {
        if signal.is_end() {
            break;
        }
        reasons.push(signal.failure().unwrap().to_string());
    }
    active.finish();
    active.await;
    assert_eq!(
        reasons,
        [
            "the end came inside a frame, after 6 bytes of it",
            "a frame does not begin with its tag, its length and a line's end",
            "1 bytes follow a frame"
        ]
    );
    let data = |text| Bytes::from_static(text);
    assert_eq!(*all.lock().unwrap(), [(1, data(b"ab")), (3, data(b""))]);
}

#[tokio::test(start_paused = true)]
async fn a_damaged_stream_fails_with_the_reason() {
    for (stream, reason) in [
        ("1 2\nabcd", "does not begin with its tag"),
        ("1 5\nab", "the end came inside a frame, after 6 bytes"),
        ("1 99999999999\n", "a frame of 99999999999 bytes; 16777216 are taken"),
    ] {
        let pipeline = Pipeline::new(from_iter([Bytes::from_static(stream.as_bytes())]))
            .then(DeFramer::new())
            .on_failure(components::OnFailure::Escalate);
        let end = system().activate(pipeline).unwrap().await;
        assert!(end.reason.to_string().contains(reason), "{end}");
    }
    let pipeline = Pipeline::new(from_iter([Bytes::from("X".repeat(24) + &"a".repeat(100))]))
        .then(DataDeChunker::new().largest(50))
        .on_failure(components::OnFailure::Escalate);
    let end = system().activate(pipeline).unwrap().await;
    assert!(end.reason.to_string().contains("more than 50 bytes"), "{end}");
}
