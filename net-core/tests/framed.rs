//! A framed connection in order: what is written when, what comes of closing, and that nothing is lost on the way.
#![cfg(feature = "os")]

mod common;

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use common::backend::{in_jumping_tokio, net, on_each_backend, where_time_jumps};
use common::scripted::counted_pair;
use common::{pattern, poll_once, settle};
use net_core::framing::{LengthPrefix, Line, Raw};
use net_core::{ErrorKind, Framed, FramedLimits, Net, Operation, Stream, TimeoutKind};
use proptest::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Notify;

on_each_backend!(answers_before_a_frame_that_is_too_long_reach_the_peer_through_the_close,);

where_time_jumps!(
    one_pipelined_batch_is_one_read_and_one_write,
    answers_leave_without_a_flush_when_the_next_frame_has_to_be_waited_for,
    a_peer_that_sends_without_pause_gets_answers_meanwhile,
    what_was_answered_goes_out_while_a_handler_waits,
    a_sender_wakes_a_connection_that_waits,
    pushing_beyond_the_bound_is_refused_and_sending_waits_for_room,
    senders_hear_of_the_connections_end_and_why,
    everything_sent_before_a_half_close_is_answered_and_then_comes_the_end,
    an_end_inside_a_frame_is_truncated_after_the_answers_and_the_error_stays,
    what_was_answered_before_a_frame_that_ends_the_connection_still_goes_out,
    an_orderly_close_writes_what_has_gathered_and_waits_for_the_peers_end,
    closing_gives_up_on_a_peer_that_never_ends,
    closing_tells_how_many_bytes_a_peer_never_took,
    closing_keeps_its_limit_against_a_peer_that_drips,
    closing_a_broken_connection_tells_what_was_lost_with_it,
    what_other_tasks_sent_is_written_by_a_close_or_counted_as_lost,
    bytes_read_too_far_go_back_into_the_stream,
    bytes_given_back_twice_come_in_their_order,
    frames_that_are_here_come_without_waiting_or_reading,
    a_large_frame_arrives_whole_through_a_small_pipe,
    an_owned_frame_outlives_the_buffer_that_it_came_in,
);

/// Sends every line back until the peer ends, and then closes.
async fn echo(stream: Stream) -> net_core::Result<()> {
    let mut lines = Framed::new(stream, Line::default());
    while let Some((line, mut out)) = lines.next().await? {
        out.push(&line)?;
    }
    lines.close(Duration::from_secs(5)).await;
    Ok(())
}

async fn read_to_end(mut stream: Stream) -> Vec<u8> {
    let mut all = Vec::new();
    stream.read_to_end(&mut all).await.unwrap();
    all
}

async fn one_pipelined_batch_is_one_read_and_one_write() {
    let net = net();
    let (server, mut peer, calls) = counted_pair(&net).await;
    net.spawn(echo(server)).unwrap();
    let batch: String = (0..100).map(|i| format!("line {i}\n")).collect();
    peer.write_all(batch.as_bytes()).await.unwrap();
    let mut answers = vec![0; batch.len()];
    peer.read_exact(&mut answers).await.unwrap();
    assert_eq!(answers, batch.as_bytes());
    assert_eq!((calls.reads(), calls.writes()), (1, 1));
}

async fn answers_leave_without_a_flush_when_the_next_frame_has_to_be_waited_for() {
    let net = net();
    let (server, mut peer) = Stream::pair(&net);
    peer.write_all(b"ping\n").await.unwrap();
    let mut lines = Framed::new(server, Line::default());
    let (line, mut out) = lines.next().await.unwrap().unwrap();
    // The question is still at hand while it is answered.
    out.push(&line).unwrap();
    out.push(&[&line[..], b"!"].concat()).unwrap();
    assert_eq!(&*line, b"ping");
    let mut answers = [0; 11];
    assert!(poll_once(&mut Box::pin(peer.read_exact(&mut answers))).await.is_none());
    assert!(poll_once(&mut Box::pin(lines.next())).await.is_none());
    peer.read_exact(&mut answers).await.unwrap();
    assert_eq!(&answers, b"ping\nping!\n");
}

async fn a_peer_that_sends_without_pause_gets_answers_meanwhile() {
    let net = net();
    let (server, mut peer) = Stream::pair_with_capacity(&net, 1 << 20);
    // 16 bytes of questions for one byte of answer: never above the high-water mark, never a read that waits.
    peer.write_all(&b"0123456789abcde\n".repeat(1 << 16)).await.unwrap();
    let mut lines = Framed::new(server, Line::default());
    let mut answered = 0;
    for _ in 0..1 << 16 {
        let (_, mut out) = lines.next().await.unwrap().unwrap();
        out.push(b"").unwrap();
        if answered == 0 {
            let mut some = [0; 1024];
            answered = poll_once(&mut Box::pin(peer.read(&mut some)))
                .await
                .map_or(0, Result::unwrap);
        }
    }
    assert!(answered > 0);
}

async fn what_was_answered_goes_out_while_a_handler_waits() {
    let net = net();
    let (server, mut peer) = Stream::pair(&net);
    let ready = Arc::new(Notify::new());
    let wait = Arc::clone(&ready);
    let mut lines = Framed::new(server, Line::default());
    let sender = lines.sender();
    let serving = net
        .spawn(async move {
            while let Some((line, mut out)) = lines.next().await? {
                if &*line == b"slow" {
                    out.run(wait.notified()).await?;
                }
                out.push(&line)?;
            }
            Ok::<_, net_core::Error>(())
        })
        .unwrap();
    peer.write_all(b"fast\nslow\nlast\n").await.unwrap();
    let mut answer = [0; 5];
    peer.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"fast\n");
    // So does what another task sends meanwhile.
    sender.push(b"news").unwrap();
    peer.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"news\n");
    ready.notify_one();
    peer.shutdown().await.unwrap();
    assert_eq!(read_to_end(peer).await, b"slow\nlast\n");
    serving.await.unwrap().unwrap();
}

async fn a_sender_wakes_a_connection_that_waits() {
    let net = net();
    let (server, peer) = Stream::pair(&net);
    let mut lines = Framed::new(server, Line::default());
    let sender = lines.sender();
    net.spawn(async move { lines.next().await.map(drop) }).unwrap();
    settle().await;
    sender.push(b"event").unwrap();
    let mut peer = Framed::new(peer, Line::default());
    assert_eq!(&*peer.next().await.unwrap().unwrap().0, b"event");
    sender.send(b"another").await.unwrap();
    assert_eq!(&*peer.next().await.unwrap().unwrap().0, b"another");
}

/// Only tokio has several threads.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_senders_on_many_threads_keep_their_order_within_the_bound() {
    const SENDERS: usize = 4;
    const EACH: usize = 2_000;
    let net = Net::os();
    let (server, peer) = Stream::pair_with_capacity(&net, 512);
    let limits = FramedLimits::default().max_output(256);
    let mut lines = Framed::with_limits(server, Line::default(), limits);
    for sender in 0..SENDERS {
        let handle = lines.sender();
        net.spawn(async move {
            for number in 0..EACH {
                handle.send(format!("{sender} {number}").as_bytes()).await?;
            }
            Ok::<_, net_core::Error>(())
        })
        .unwrap();
    }
    net.spawn(async move { lines.next().await.map(drop) }).unwrap();
    let mut peer = Framed::new(peer, Line::default());
    let mut next = [0; SENDERS];
    for _ in 0..SENDERS * EACH {
        let (line, _) = peer.next().await.unwrap().unwrap();
        let line = String::from_utf8(line.to_vec()).unwrap();
        let (sender, number) = line.split_once(' ').unwrap();
        let next = &mut next[sender.parse::<usize>().unwrap()];
        assert_eq!(number.parse::<usize>().unwrap(), *next);
        *next += 1;
    }
    assert_eq!(next, [EACH; SENDERS]);
}

async fn pushing_beyond_the_bound_is_refused_and_sending_waits_for_room() {
    let net = net();
    let (server, mut peer) = Stream::pair(&net);
    let limits = FramedLimits::default().max_output(10);
    let mut lines = Framed::with_limits(server, Line::default(), limits);
    let sender = lines.sender();
    // One frame may go over the bound.
    sender.push(b"0123456789abcdef").unwrap();
    for refused in [sender.push(b"x"), lines.push(b"x")] {
        let error = refused.unwrap_err();
        assert_eq!((error.kind(), error.operation()), (ErrorKind::Limit, Operation::Write));
        assert!(error.to_string().contains("17 bytes wait"), "{error}");
    }
    {
        let mut sending = Box::pin(sender.send(b"waited"));
        assert!(poll_once(&mut sending).await.is_none());
        lines.flush().await.unwrap();
        sending.await.unwrap();
    }
    // A send that is dropped while it waits has sent nothing.
    sender.push(b"over the bound").unwrap();
    assert!(poll_once(&mut Box::pin(sender.send(b"dropped"))).await.is_none());
    lines.flush().await.unwrap();
    assert!(lines.close(Duration::ZERO).await.lost == 0);
    let mut all = Vec::new();
    peer.read_to_end(&mut all).await.unwrap();
    assert_eq!(all, b"0123456789abcdef\nwaited\nover the bound\n");
}

async fn senders_hear_of_the_connections_end_and_why() {
    let net = net();
    // Dropped here.
    let (server, _peer) = Stream::pair(&net);
    let mut lines = Framed::new(server, Line::default());
    let sender = lines.sender();
    assert!(!sender.is_closed());
    let mut closed = Box::pin(sender.closed());
    assert!(poll_once(&mut closed).await.is_none());
    drop(lines);
    assert_eq!(closed.await.kind(), ErrorKind::Closed);
    assert!(sender.is_closed());
    assert_eq!(sender.push(b"x").unwrap_err().kind(), ErrorKind::Closed);
    assert_eq!(sender.send(b"x").await.unwrap_err().kind(), ErrorKind::Closed);

    // Broken off by the peer, while a sender waits for room.
    let (server, peer) = Stream::pair_with_capacity(&net, 1);
    let mut lines = Framed::with_limits(server, Line::default(), FramedLimits::default().max_output(1));
    let sender = lines.sender();
    sender.push(b"fills the pipe").unwrap();
    assert!(poll_once(&mut Box::pin(lines.next())).await.is_none());
    sender.push(b"fills the buffer").unwrap();
    let mut sending = Box::pin(sender.send(b"waits"));
    assert!(poll_once(&mut sending).await.is_none());
    peer.reset();
    assert_eq!(lines.next().await.unwrap_err().kind(), ErrorKind::Reset);
    assert_eq!(sending.await.unwrap_err().kind(), ErrorKind::Reset);
    assert_eq!(sender.closed().await.kind(), ErrorKind::Reset);
}

async fn everything_sent_before_a_half_close_is_answered_and_then_comes_the_end() {
    let net = net();
    let (server, mut peer) = Stream::pair(&net);
    peer.write_all(b"one\ntwo\nthree\n").await.unwrap();
    peer.shutdown().await.unwrap();
    let mut lines = Framed::new(server, Line::default());
    while let Some((line, mut out)) = lines.next().await.unwrap() {
        out.push(&line).unwrap();
    }
    assert_eq!(lines.frames(), 3);
    // The end comes again at each call, and answers can still follow.
    assert!(lines.next().await.unwrap().is_none());
    lines.send(b"bye").await.unwrap();
    drop(lines);
    assert_eq!(read_to_end(peer).await, b"one\ntwo\nthree\nbye\n");
}

async fn an_end_inside_a_frame_is_truncated_after_the_answers_and_the_error_stays() {
    let net = net();
    let (server, mut peer) = Stream::pair(&net);
    peer.write_all(b"whole\nhal").await.unwrap();
    peer.shutdown().await.unwrap();
    let mut lines = Framed::new(server, Line::default());
    let (line, mut out) = lines.next().await.unwrap().unwrap();
    out.push(&line).unwrap();
    let first = lines.next().await.unwrap_err();
    assert_eq!(
        (first.kind(), first.operation()),
        (ErrorKind::Truncated, Operation::Read)
    );
    assert_eq!(first.endpoint(), Some(lines.peer()));
    assert_eq!(lines.next().await.unwrap_err(), first);
    assert_eq!(lines.flush().await.unwrap_err(), first);
    assert_eq!(lines.push(b"x").unwrap_err(), first);
    assert_eq!(lines.sender().closed().await, first);
    assert_eq!(lines.close(Duration::from_secs(1)).await.error, Some(first));
    assert_eq!(read_to_end(peer).await, b"whole\n");
}

async fn what_was_answered_before_a_frame_that_ends_the_connection_still_goes_out() {
    let net = net();
    let (server, mut peer) = Stream::pair(&net);
    let framing = LengthPrefix::default().max(8);
    peer.write_all(&[0, 0, 0, 1, 7, 0, 0, 0, 9]).await.unwrap();
    let mut frames = Framed::new(server, framing);
    let (frame, mut out) = frames.next().await.unwrap().unwrap();
    out.push(&frame).unwrap();
    let error = frames.next().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::FrameTooLong);
    assert_eq!(frames.next().await.unwrap_err(), error);
    let report = frames.close(Duration::from_secs(1)).await;
    assert_eq!((report.lost, report.error), (0, Some(error)));
    assert_eq!(read_to_end(peer).await, [0, 0, 0, 1, 7]);
}

async fn an_orderly_close_writes_what_has_gathered_and_waits_for_the_peers_end() {
    let net = net();
    let (server, mut peer) = Stream::pair(&net);
    let lines = {
        let mut lines = Framed::new(server, Line::default());
        lines.push(b"tail").unwrap();
        lines
    };
    let mut closing = Box::pin(lines.close(Duration::from_secs(60)));
    assert!(poll_once(&mut closing).await.is_none());
    let mut tail = Vec::new();
    peer.read_to_end(&mut tail).await.unwrap();
    assert_eq!(tail, b"tail\n");
    // What the peer still sends is read and dropped: a reset would take its copy of our tail with it.
    peer.write_all(&pattern(10_000)).await.unwrap();
    assert!(poll_once(&mut closing).await.is_none());
    drop(peer);
    let report = closing.await;
    assert!(report.is_clean(), "{report:?}");
}

async fn closing_gives_up_on_a_peer_that_never_ends() {
    let net = net();
    let (server, _peer) = Stream::pair(&net);
    let before = net.now();
    let report = Framed::new(server, Line::default()).close(Duration::from_secs(7)).await;
    assert_eq!(report.lost, 0);
    assert_eq!(report.error.unwrap().kind(), ErrorKind::Timeout(TimeoutKind::Close));
    assert_eq!((net.now() - before).as_secs(), 7);
}

async fn closing_tells_how_many_bytes_a_peer_never_took() {
    let net = net();
    let (server, _peer) = Stream::pair_with_capacity(&net, 100);
    let mut lines = Framed::new(server, Raw);
    lines.push(&[0; 1000]).unwrap();
    assert!(poll_once(&mut Box::pin(lines.flush())).await.is_none());
    lines.push(&[0; 50]).unwrap();
    let report = lines.close(Duration::from_secs(1)).await;
    assert_eq!(report.lost, 950);
    assert_eq!(report.error.unwrap().kind(), ErrorKind::Timeout(TimeoutKind::Close));
}

async fn closing_keeps_its_limit_against_a_peer_that_drips() {
    let net = net();
    let (server, mut peer) = Stream::pair_with_capacity(&net, 1);
    let mut lines = Framed::new(server, Raw);
    lines.push(&[0; 200]).unwrap();
    let clock = net.clone();
    net.spawn(async move {
        // Always in time for the write timeout, never done.
        while peer.read(&mut [0; 1]).await.is_ok_and(|n| n > 0) {
            clock.sleep(Duration::from_secs(25)).await;
        }
    })
    .unwrap();
    let before = net.now();
    let report = lines.close(Duration::from_secs(60)).await;
    assert_eq!((net.now() - before).as_secs(), 60);
    assert!(report.lost > 0);
}

async fn answers_before_a_frame_that_is_too_long_reach_the_peer_through_the_close() {
    let net = net();
    let mut listener = net.bind(&"tcp://127.0.0.1:0".parse().unwrap()).await.unwrap();
    let mut peer = net.connect(listener.local()).await.unwrap();
    let mut frames = Framed::new(listener.accept().await.unwrap(), LengthPrefix::default().max(1 << 20));
    let server = net
        .spawn(async move {
            let answer = vec![7; 1 << 20];
            while let Ok(Some((_, mut out))) = frames.next().await {
                out.push(&answer).unwrap();
            }
            frames.close(Duration::from_secs(3600)).await
        })
        .unwrap();
    // Two questions, then a length over the limit, and more that will never be read.
    peer.write_all(b"\0\0\0\x01a\0\0\0\x01b\xff\xff\xff\xffmore")
        .await
        .unwrap();
    let mut answers = Vec::new();
    peer.read_to_end(&mut answers).await.unwrap();
    assert_eq!(answers.len(), 2 * (4 + (1 << 20)));
    drop(peer);
    let report = server.await.unwrap();
    assert_eq!(
        (report.lost, report.error.unwrap().kind()),
        (0, ErrorKind::FrameTooLong)
    );
}

async fn closing_a_broken_connection_tells_what_was_lost_with_it() {
    let net = net();
    let (server, peer) = Stream::pair(&net);
    let mut lines = Framed::new(server, Raw);
    lines.push(&[0; 1000]).unwrap();
    peer.reset();
    assert_eq!(lines.next().await.unwrap_err().kind(), ErrorKind::Reset);
    let report = lines.close(Duration::from_secs(1)).await;
    assert_eq!(report.lost, 1000);
    assert_eq!(report.error.unwrap().kind(), ErrorKind::Reset);
}

async fn what_other_tasks_sent_is_written_by_a_close_or_counted_as_lost() {
    let net = net();
    for reset in [false, true] {
        let (server, peer) = Stream::pair(&net);
        let mut lines = Framed::new(server, Raw);
        let sender = lines.sender();
        lines.push(b"own").unwrap();
        sender.push(b"others").unwrap();
        if reset {
            peer.reset();
            assert_eq!(lines.next().await.unwrap_err().kind(), ErrorKind::Reset);
            assert_eq!(lines.unsent(), 9);
            assert_eq!(lines.close(Duration::ZERO).await.lost, 9);
        } else {
            assert_eq!(lines.close(Duration::ZERO).await.lost, 0);
            assert_eq!(read_to_end(peer).await, b"ownothers");
        }
        assert!(sender.is_closed());
    }
}

async fn bytes_read_too_far_go_back_into_the_stream() {
    let net = net();
    let (server, mut peer) = Stream::pair(&net);
    peer.write_all(b"GET /\nbody that is not").await.unwrap();
    let mut lines = Framed::new(server, Line::default());
    let (line, mut out) = lines.next().await.unwrap().unwrap();
    assert_eq!(&*line, b"GET /");
    out.push(b"OK").unwrap();
    let sender = lines.sender();
    let mut stream = lines.into_stream().await.unwrap();
    assert_eq!(sender.push(b"x").unwrap_err().kind(), ErrorKind::Closed);
    peer.write_all(b" a line").await.unwrap();
    peer.shutdown().await.unwrap();
    let mut body = String::new();
    stream.read_to_string(&mut body).await.unwrap();
    assert_eq!(body, "body that is not a line");
    drop(stream);
    assert_eq!(read_to_end(peer).await, b"OK\n");
}

async fn bytes_given_back_twice_come_in_their_order() {
    let net = net();
    let (mut stream, mut peer) = Stream::pair(&net);
    peer.write_all(b"3").await.unwrap();
    peer.shutdown().await.unwrap();
    stream.unread("2".into());
    stream.unread("1".into());
    stream.unread("".into());
    assert_eq!(read_to_end(stream).await, b"123");
}

async fn frames_that_are_here_come_without_waiting_or_reading() {
    let net = net();
    let (server, mut peer, calls) = counted_pair(&net).await;
    let mut lines = Framed::new(server, Line::default());
    assert!(lines.next_buffered().is_none());
    peer.write_all(b"1\n2\n3\npart").await.unwrap();
    assert!(lines.next_buffered().is_none());
    assert_eq!(&*lines.next().await.unwrap().unwrap().0, b"1");
    assert_eq!(&*lines.next_buffered().unwrap().0, b"2");
    assert_eq!(&*lines.next_buffered().unwrap().0, b"3");
    assert!(lines.next_buffered().is_none());
    assert_eq!(calls.reads(), 1);
}

async fn a_large_frame_arrives_whole_through_a_small_pipe() {
    let net = net();
    let (server, peer) = Stream::pair_with_capacity(&net, 1000);
    let data = pattern(3 << 20);
    let sent = data.clone();
    net.spawn(async move {
        let mut frames = Framed::new(peer, LengthPrefix::default());
        frames.send(&sent).await?;
        frames.send(b"small").await
    })
    .unwrap();
    let mut frames = Framed::new(server, LengthPrefix::default());
    let (frame, _) = frames.next().await.unwrap().unwrap();
    assert!(frame.into_bytes() == data);
    assert_eq!(&*frames.next().await.unwrap().unwrap().0, b"small");
}

async fn an_owned_frame_outlives_the_buffer_that_it_came_in() {
    let net = net();
    let (server, mut peer) = Stream::pair(&net);
    peer.write_all(b"first\nsecond\nthird\n").await.unwrap();
    let mut lines = Framed::new(server, Line::default());
    let first = lines.next().await.unwrap().unwrap().0.into_bytes();
    assert_eq!(&*lines.next().await.unwrap().unwrap().0, b"second");
    let third = lines.next().await.unwrap().unwrap().0.into_bytes();
    for i in 0..100 {
        peer.write_all(&[&pattern(i * 7 % 90 + 1)[..], b"\n"].concat())
            .await
            .unwrap();
        lines.next().await.unwrap();
    }
    drop(lines);
    assert_eq!((&first[..], &third[..]), (&b"first"[..], &b"third"[..]));
}

/// One step of a user who changes his mind.
#[derive(Clone, Debug)]
enum Step {
    /// The peer sends so many bytes more of its lines.
    Arrive(usize),
    /// The peer reads so many bytes.
    Take(usize),
    /// Polls `next` once and drops it; a frame that comes is answered.
    Next,
    /// Polls `flush` once and drops it.
    Flush,
    /// Polls a send of another task once and drops it.
    Send,
    /// Polls `Output::run` of the next frame once and drops it.
    Run,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (1_usize..40).prop_map(Step::Arrive),
        2 => (1_usize..40).prop_map(Step::Take),
        4 => Just(Step::Next),
        1 => Just(Step::Flush),
        1 => Just(Step::Send),
        1 => Just(Step::Run),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn calls_that_are_dropped_at_any_point_lose_and_double_nothing(
        lines in prop::collection::vec("[a-z]{0,12}", 0..30),
        steps in prop::collection::vec(step(), 0..200),
        high_water in 1_usize..60,
        capacity in 1_usize..40,
    ) {
        in_jumping_tokio(async {
            let net = net();
            let (server, mut peer) = Stream::pair_with_capacity(&net, capacity);
            let limits = FramedLimits::default().high_water(high_water).max_output(2 * high_water);
            let mut framed = Framed::with_limits(server, Line::default(), limits);
            let sender = framed.sender();
            let input: Vec<u8> = lines.iter().flat_map(|line| format!("{line}\n").into_bytes()).collect();
            let (mut arrived, mut taken) = (0, Vec::new());
            let (mut received, mut expected) = (Vec::new(), Vec::new());
            for step in steps {
                match step {
                    Step::Arrive(n) => {
                        let some = &input[arrived..input.len().min(arrived + n)];
                        if !some.is_empty() {
                            arrived += poll_once(&mut Box::pin(peer.write(some))).await.map_or(0, Result::unwrap);
                        }
                    }
                    Step::Take(n) => {
                        let mut some = vec![0; n];
                        let n = poll_once(&mut Box::pin(peer.read(&mut some))).await.map_or(0, Result::unwrap);
                        taken.extend_from_slice(&some[..n]);
                    }
                    Step::Next | Step::Run => {
                        let run = matches!(step, Step::Run);
                        if let Some(next) = poll_once(&mut Box::pin(framed.next())).await {
                            let (line, mut out) = next.unwrap().unwrap();
                            received.push(String::from_utf8(line.to_vec()).unwrap());
                            if out.push(&line).is_ok() {
                                expected.extend_from_slice(&line);
                                expected.push(b'\n');
                            }
                            if run {
                                poll_once(&mut Box::pin(out.run(pending::<()>()))).await;
                            }
                        }
                    }
                    Step::Flush => {
                        if let Some(outcome) = poll_once(&mut Box::pin(framed.flush())).await {
                            outcome.unwrap();
                        }
                    }
                    Step::Send => {
                        if let Some(outcome) = poll_once(&mut Box::pin(sender.send(b"SENT"))).await {
                            outcome.unwrap();
                            expected.extend_from_slice(b"SENT\n");
                        }
                    }
                }
            }
            // The rest without interruption, with a peer that reads.
            let rest = input[arrived..].to_vec();
            let reading = net.spawn(async move {
                let (mut reader, mut writer) = tokio::io::split(peer);
                let writing = async {
                    writer.write_all(&rest).await.unwrap();
                    writer.shutdown().await.unwrap();
                };
                let reading = async {
                    reader.read_to_end(&mut taken).await.unwrap();
                };
                tokio::join!(writing, reading);
                taken
            }).unwrap();
            while let Some((line, mut out)) = framed.next().await.unwrap() {
                received.push(String::from_utf8(line.to_vec()).unwrap());
                if out.push(&line).is_ok() {
                    expected.extend_from_slice(&line);
                    expected.push(b'\n');
                }
            }
            drop(framed);
            assert_eq!(received, lines);
            assert_eq!(reading.await.unwrap(), expected);
        });
    }
}
