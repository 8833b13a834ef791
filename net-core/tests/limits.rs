//! The time limits and bounds of a framed connection, in virtual time: slow, silent and unreading peers.
#![cfg(feature = "os")]

mod common;

use std::future::pending;
use std::time::Duration;

use common::backend::{net, where_time_jumps};
use common::events::Events;
use common::{pattern, poll_once, settle};
use net_core::framing::{LengthPrefix, Line, Raw};
use net_core::{ClosedBy, ErrorKind, EventKind, Framed, FramedLimits, Net, Operation, Stream, TimeoutKind};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

where_time_jumps!(
    a_peer_that_never_reads_stops_being_read_and_is_closed_after_the_write_timeout,
    reading_goes_on_when_the_peer_reads_again,
    a_peer_that_takes_a_little_at_a_time_is_slow_but_not_stuck,
    a_write_that_times_out_while_a_handler_waits_ends_the_connection_for_good,
    a_frame_that_comes_byte_by_byte_must_still_be_whole_in_time,
    an_over_long_line_that_never_ends_runs_out_of_time_too,
    each_frame_has_its_own_time,
    a_silent_peer_is_closed_after_the_idle_time_counted_from_its_last_frame,
    calls_that_are_dropped_do_not_begin_the_idle_time_anew,
    the_next_byte_of_a_begun_frame_has_its_own_time_limit,
    the_first_of_several_limits_counts,
    without_a_high_water_mark_two_ends_that_send_at_will_never_wait_for_each_other,
    limits_change_while_the_connection_runs,
    part_of_a_frame_does_not_escape_the_idle_time_when_frames_have_no_time_limit,
    without_limits_a_connection_waits_for_ever,
    a_large_frame_grows_with_what_has_come_and_not_with_what_was_announced,
    a_full_pipe_makes_the_writer_wait_and_nothing_grows,
);

const SECOND: Duration = Duration::from_secs(1);

async fn a_peer_that_never_reads_stops_being_read_and_is_closed_after_the_write_timeout() {
    let (net, events) = Events::of(&net());
    let (server, mut peer) = Stream::pair(&net);
    let id = server.id();
    let flood = net
        .spawn(async move {
            let mut sent = 0;
            // Until the connection breaks.
            while let Ok(n) = peer.write(&[b'\n'; 4096]).await {
                sent += n;
            }
            sent
        })
        .unwrap();
    let limits = FramedLimits::default().high_water(10_000).write_timeout(7 * SECOND);
    let mut lines = Framed::with_limits(server, Line::default(), limits);
    let mut answered = 0;
    let error = loop {
        match lines.next().await {
            Ok(Some((_, mut out))) => {
                out.push(b"0123456789").unwrap();
                answered += 11;
            }
            Ok(None) => panic!("an end"),
            Err(error) => break error,
        }
    };
    assert_eq!(
        (error.kind(), error.operation()),
        (ErrorKind::Timeout(TimeoutKind::Write), Operation::Write)
    );
    assert_eq!(net.now().as_nanos(), 7_000_000_000);
    // The pipe's 64 KiB, and what gathers twice: while the first is being written, and up to the high-water mark.
    assert!(answered <= 65_536 + 2 * 10_100, "{answered} bytes of answers were held");
    drop(lines);
    let sent = flood.await.unwrap();
    assert!(
        sent <= answered / 11 + 65_536 + 256 * 1024,
        "{sent} bytes were taken in"
    );
    let (by, cause) = events.end_of(id).unwrap();
    assert_eq!((by, cause.unwrap().kind()), (ClosedBy::Error, error.kind()));
    assert!(events.about(id).contains(&EventKind::Backpressure(true)));
    assert_eq!(net.stats().read_pauses, 1);
    events.check_all_closed(&net);
}

async fn reading_goes_on_when_the_peer_reads_again() {
    let (net, events) = Events::of(&net());
    let (server, mut peer) = Stream::pair_with_capacity(&net, 1000);
    let id = server.id();
    let serving = net
        .spawn(async move {
            let mut chunks = Framed::with_limits(server, Raw, FramedLimits::default().high_water(500));
            while let Some((chunk, mut out)) = chunks.next().await? {
                out.push(&chunk)?;
            }
            Ok::<_, net_core::Error>(())
        })
        .unwrap();
    for _ in 0..10 {
        let mut sent = 0;
        while let Ok(Ok(n)) = net.timeout(SECOND, peer.write(&[7; 100])).await {
            sent += n;
        }
        assert!((1000..=10_000).contains(&sent), "{sent}");
        let mut back = vec![0; sent];
        peer.read_exact(&mut back).await.unwrap();
    }
    peer.shutdown().await.unwrap();
    serving.await.unwrap().unwrap();
    let switches: Vec<bool> = events
        .about(id)
        .into_iter()
        .filter_map(|kind| match kind {
            EventKind::Backpressure(on) => Some(on),
            _ => None,
        })
        .collect();
    assert_eq!(switches.len() as u64, 2 * net.stats().read_pauses);
    assert!(
        !switches.is_empty() && switches.chunks(2).all(|pair| pair == [true, false]),
        "{switches:?}"
    );
    drop(peer);
    events.check_all_closed(&net);
}

async fn a_peer_that_takes_a_little_at_a_time_is_slow_but_not_stuck() {
    let net = net();
    let (server, mut peer) = Stream::pair_with_capacity(&net, 10);
    let limits = FramedLimits::default().write_timeout(10 * SECOND);
    let sending = net
        .spawn(async move { Framed::with_limits(server, Raw, limits).send(&[7; 200]).await })
        .unwrap();
    for _ in 0..20 {
        net.sleep(9 * SECOND).await;
        peer.read_exact(&mut [0; 10]).await.unwrap();
    }
    sending.await.unwrap().unwrap();
}

async fn a_write_that_times_out_while_a_handler_waits_ends_the_connection_for_good() {
    let (net, events) = Events::of(&net());
    let (server, mut peer) = Stream::pair_with_capacity(&net, 10);
    let id = server.id();
    peer.write_all(b"question\n").await.unwrap();
    let mut lines = Framed::new(server, Line::default());
    let sender = lines.sender();
    let (_, mut out) = lines.next().await.unwrap().unwrap();
    out.push(&[b'x'; 100]).unwrap();
    let error = out.run(pending::<()>()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout(TimeoutKind::Write));
    assert_eq!(error.endpoint(), Some(lines.peer()));
    assert_eq!(sender.closed().await, error);
    assert_eq!(lines.next().await.unwrap_err(), error);
    drop(lines);
    assert_eq!(events.end_of(id), Some((ClosedBy::Error, Some(error))));
}

async fn a_frame_that_comes_byte_by_byte_must_still_be_whole_in_time() {
    let (net, events) = Events::of(&net());
    let (server, mut peer) = Stream::pair(&net);
    let id = server.id();
    net.spawn(async move {
        while peer.write_all(b"x").await.is_ok() {
            Net::sleep(&peer.net(), SECOND).await;
        }
    })
    .unwrap();
    let mut lines = Framed::new(server, Line::default());
    let error = lines.next().await.unwrap_err();
    assert_eq!(
        (error.kind(), error.operation()),
        (ErrorKind::Timeout(TimeoutKind::Frame), Operation::Read)
    );
    assert_eq!(net.now().as_nanos(), 30_000_000_000);
    assert_eq!(lines.next().await.unwrap_err(), error);
    drop(lines);
    assert_eq!(events.end_of(id), Some((ClosedBy::Error, Some(error))));
}

async fn an_over_long_line_that_never_ends_runs_out_of_time_too() {
    let net = net();
    let (server, mut peer) = Stream::pair(&net);
    net.spawn(async move {
        while peer.write_all(&[b'x'; 100]).await.is_ok() {
            Net::sleep(&peer.net(), SECOND).await;
        }
    })
    .unwrap();
    let mut lines = Framed::new(server, Line::default().max(50));
    let error = lines.next().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout(TimeoutKind::Frame));
}

async fn each_frame_has_its_own_time() {
    let net = net();
    let (server, mut peer) = Stream::pair(&net);
    net.spawn(async move {
        for _ in 0..5 {
            peer.write_all(&[0, 0, 0, 2, 7]).await.unwrap();
            Net::sleep(&peer.net(), 20 * SECOND).await;
            peer.write_all(&[7]).await.unwrap();
            // Silence between two frames is no frame.
            Net::sleep(&peer.net(), 1000 * SECOND).await;
        }
        peer.shutdown().await.unwrap();
    })
    .unwrap();
    let mut frames = Framed::new(server, LengthPrefix::default());
    let mut count = 0;
    while let Some((frame, _)) = frames.next().await.unwrap() {
        assert_eq!(&*frame, &[7, 7]);
        count += 1;
    }
    assert_eq!(count, 5);
}

async fn a_silent_peer_is_closed_after_the_idle_time_counted_from_its_last_frame() {
    let net = net();
    let (server, mut peer) = Stream::pair(&net);
    let limits = FramedLimits::default().idle_timeout(10 * SECOND);
    net.spawn(async move {
        for _ in 0..3 {
            Net::sleep(&peer.net(), 9 * SECOND).await;
            peer.write_all(b"still here\n").await.unwrap();
        }
        pending::<()>().await;
    })
    .unwrap();
    let mut lines = Framed::with_limits(server, Line::default(), limits);
    for _ in 0..3 {
        assert_eq!(&*lines.next().await.unwrap().unwrap().0, b"still here");
    }
    let error = lines.next().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout(TimeoutKind::Idle));
    assert_eq!(net.now().as_nanos(), 37_000_000_000);
}

async fn calls_that_are_dropped_do_not_begin_the_idle_time_anew() {
    let net = net();
    let (server, _peer) = Stream::pair(&net);
    let limits = FramedLimits::default().idle_timeout(10 * SECOND);
    let mut lines = Framed::with_limits(server, Line::default(), limits);
    for _ in 0..3 {
        assert!(net.timeout(3 * SECOND, lines.next()).await.is_err());
    }
    assert_eq!(
        lines.next().await.unwrap_err().kind(),
        ErrorKind::Timeout(TimeoutKind::Idle)
    );
    assert_eq!(net.now().as_nanos(), 10_000_000_000);
}

async fn the_next_byte_of_a_begun_frame_has_its_own_time_limit() {
    let net = net();
    let (server, mut peer) = Stream::pair(&net);
    let limits = FramedLimits::default().byte_timeout(5 * SECOND).frame_timeout(None);
    net.spawn(async move {
        let net = peer.net();
        // Silence between frames is no matter, and neither is a slow peer.
        net.sleep(1000 * SECOND).await;
        for byte in [0, 0, 0, 2, 7, 7] {
            peer.write_all(&[byte]).await.unwrap();
            net.sleep(4 * SECOND).await;
        }
        // Two bytes of a length, and no more.
        peer.write_all(&[0, 0]).await.unwrap();
        pending::<()>().await;
    })
    .unwrap();
    let mut frames = Framed::with_limits(server, LengthPrefix::default(), limits);
    assert_eq!(&*frames.next().await.unwrap().unwrap().0, [7, 7]);
    let error = frames.next().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout(TimeoutKind::InterByte));
    assert_eq!(
        error.to_string(),
        "read mem:pair: timed out between two bytes of a frame: after 5s"
    );
    assert_eq!(net.now().as_nanos(), (1000 + 24 + 5) * 1_000_000_000);
}

async fn the_first_of_several_limits_counts() {
    for (byte, frame, kind, after) in [
        (3, 5, TimeoutKind::Frame, 5),
        (1, 5, TimeoutKind::InterByte, 1),
        (2, 9, TimeoutKind::Frame, 9),
    ] {
        let net = net();
        let (server, mut peer) = Stream::pair(&net);
        let start = net.now();
        net.spawn(async move {
            loop {
                peer.write_all(&[1]).await?;
                peer.net().sleep(SECOND * 3 / 2).await;
            }
            #[expect(unreachable_code, reason = "it tells the type")]
            Ok::<(), std::io::Error>(())
        })
        .unwrap();
        let limits = FramedLimits::default()
            .byte_timeout(byte * SECOND)
            .frame_timeout(frame * SECOND);
        let mut lines = Framed::with_limits(server, Line::default(), limits);
        assert_eq!(lines.next().await.unwrap_err().kind(), ErrorKind::Timeout(kind));
        assert_eq!(net.now() - start, after * SECOND);
    }
}

async fn without_a_high_water_mark_two_ends_that_send_at_will_never_wait_for_each_other() {
    const FRAMES: usize = 1000;
    let net = net();
    let (here, there) = Stream::pair_with_capacity(&net, 100);
    let limits = FramedLimits::default().high_water(usize::MAX).max_output(1000);
    let ends = [here, there].map(|stream| {
        let mut lines = Framed::with_limits(stream, Line::default(), limits.clone());
        let sender = lines.sender();
        let sending = net
            .spawn(async move {
                for _ in 0..FRAMES {
                    sender.send(&[b'x'; 99]).await?;
                }
                Ok::<_, net_core::Error>(())
            })
            .unwrap();
        net.spawn(async move {
            for _ in 0..FRAMES {
                lines.next().await?.expect("a line");
            }
            lines.flush().await?;
            sending.await?
        })
        .unwrap()
    });
    for end in ends {
        end.await.unwrap().unwrap();
    }
}

async fn limits_change_while_the_connection_runs() {
    let net = net();
    let (server, mut peer) = Stream::pair_with_capacity(&net, 10);
    let mut lines = Framed::with_limits(
        server,
        Line::default(),
        FramedLimits::default().idle_timeout(10 * SECOND),
    );
    let sender = lines.sender();
    peer.write_all(b"hello\n").await.unwrap();
    assert_eq!(&*lines.next().await.unwrap().unwrap().0, b"hello");

    // No idle time any more, less room, and less patience with a peer that doesn't read.
    let limits = lines.limits().clone().idle_timeout(None);
    lines.set_limits(limits.max_output(100).write_timeout(2 * SECOND));
    assert_eq!(lines.limits().idle_timeout, None);
    assert!(net.timeout(1000 * SECOND, lines.next()).await.is_err());
    sender.push(&[b'x'; 100]).unwrap();
    assert_eq!(sender.push(b"y").unwrap_err().kind(), ErrorKind::Limit);

    // More room lets a waiting sender go on.
    let mut waiting = Box::pin(sender.send(b"y"));
    assert!(poll_once(&mut waiting).await.is_none());
    lines.set_limits(lines.limits().clone().max_output(1000));
    assert!(waiting.await.is_ok());

    let start = net.now();
    let error = lines.next().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout(TimeoutKind::Write));
    assert_eq!(net.now() - start, 2 * SECOND);
    // What is broken stays so.
    lines.set_limits(FramedLimits::default());
    assert_eq!(lines.push(b"z").unwrap_err(), error);
}

async fn part_of_a_frame_does_not_escape_the_idle_time_when_frames_have_no_time_limit() {
    let net = net();
    let (server, mut peer) = Stream::pair(&net);
    let limits = FramedLimits::default().idle_timeout(10 * SECOND).frame_timeout(None);
    peer.write_all(b"par").await.unwrap();
    let mut lines = Framed::with_limits(server, Line::default(), limits);
    let error = net.timeout(1000 * SECOND, lines.next()).await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout(TimeoutKind::Idle));
}

async fn without_limits_a_connection_waits_for_ever() {
    let net = net();
    let (server, mut peer) = Stream::pair(&net);
    let limits = FramedLimits::default().frame_timeout(None);
    peer.write_all(b"par").await.unwrap();
    let mut lines = Framed::with_limits(server, Line::default(), limits);
    assert!(net.timeout(100_000 * SECOND, lines.next()).await.is_err());
    peer.write_all(b"t\n").await.unwrap();
    assert_eq!(&*lines.next().await.unwrap().unwrap().0, b"part");
}

async fn a_large_frame_grows_with_what_has_come_and_not_with_what_was_announced() {
    let net = net();
    let (server, mut peer) = Stream::pair(&net);
    let mut frames = Framed::new(server, LengthPrefix::default());
    let mut announced = (16_u32 << 20).to_be_bytes().to_vec();
    announced.extend(pattern(100));
    peer.write_all(&announced).await.unwrap();
    let used = allocation_counter::measure(|| {
        let mut next = std::pin::pin!(frames.next());
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(Future::poll(next.as_mut(), &mut cx).is_pending());
    });
    assert!(used.bytes_max < 64 * 1024, "{used:?}");
}

async fn a_full_pipe_makes_the_writer_wait_and_nothing_grows() {
    let net = net();
    let (mut here, there) = Stream::pair_with_capacity(&net, 100);
    let mut sending = Box::pin(here.write_all(&[7; 250]));
    assert!(poll_once(&mut sending).await.is_none());
    settle().await;
    assert!(poll_once(&mut sending).await.is_none());
    assert_eq!(net.stats().bytes_out, 100);
    drop(there);
    assert!(sending.await.is_err());
}
