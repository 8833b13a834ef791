//! In a steady state a frame costs no allocation, neither lent nor owned, on either side.
#![cfg(feature = "os")]

mod common;

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use common::backend::in_jumping_tokio;
use common::poll_once;
use net_core::framing::{Framing, LengthPrefix, Line, Raw};
use net_core::{Framed, FramedLimits, Net, Stream};
use tokio::io::AsyncReadExt;

/// The value of a future that never waits.
fn now<T>(work: impl Future<Output = T>) -> T {
    match pin!(work).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("waits"),
    }
}

/// One question and one answer at a time.
fn ping_pong<F: Framing>(client: &mut Framed<F>, server: &mut Framed<F>) {
    now(client.send(b"a question of some length")).unwrap();
    let (question, mut out) = now(server.next()).unwrap().unwrap();
    out.push(&question).unwrap();
    now(out.flush()).unwrap();
    assert_eq!(&*now(client.next()).unwrap().unwrap().0, b"a question of some length");
}

/// A batch of questions, and the answers in one batch.
fn batch<F: Framing>(client: &mut Framed<F>, server: &mut Framed<F>, owned: bool) {
    for _ in 0..100 {
        client.push(b"question").unwrap();
    }
    now(client.flush()).unwrap();
    for _ in 0..100 {
        let (question, mut out) = now(server.next()).unwrap().unwrap();
        out.push(b"answer").unwrap();
        if owned {
            assert_eq!(question.into_bytes(), "question");
        }
    }
    now(server.flush()).unwrap();
    for _ in 0..100 {
        assert_eq!(&*now(client.next()).unwrap().unwrap().0, b"answer");
    }
}

/// Allocations of so many rounds, after a hundred that warm everything up. The pipe below gives its memory back
/// whenever it is empty, so each round costs what its writes cost there: that part is measured on a bare pipe.
fn check<F: Framing>(framing: &F, writes: usize, mut round: impl FnMut(&mut Framed<F>, &mut Framed<F>)) {
    const ROUNDS: usize = 1000;
    let net = Net::os();
    let (client, server) = Stream::pair(&net);
    let (mut client, mut server) = (
        Framed::new(client, framing.clone()),
        Framed::new(server, framing.clone()),
    );
    for _ in 0..100 {
        round(&mut client, &mut server);
    }
    let framed = allocation_counter::measure(|| (0..ROUNDS).for_each(|_| round(&mut client, &mut server)));
    let in_the_pipes = (writes * ROUNDS) as u64;
    assert!(
        framed.count_total <= in_the_pipes,
        "{framed:?}, and {in_the_pipes} are the pipes' own"
    );
    // What is taken is given back.
    assert_eq!(framed.count_current, 0, "{framed:?}");
}

#[test]
fn a_question_and_its_answer_cost_no_allocation() {
    check(&Line::default(), 2, ping_pong);
    check(&LengthPrefix::default(), 2, ping_pong);
}

#[test]
fn a_frame_of_a_batch_costs_no_allocation() {
    check(&Line::default(), 2, |client, server| batch(client, server, false));
    check(&LengthPrefix::default(), 2, |client, server| {
        batch(client, server, false);
    });
}

#[test]
fn owned_frames_share_the_buffer_that_they_came_in() {
    // Two hundred frames are owned in a round of four writes' worth of allocations.
    check(&Line::default(), 4, |client, server| batch(client, server, true));
}

#[test]
fn an_idle_connection_holds_little() {
    let net = Net::os();
    // The thread's own pool of buffers is there before.
    check(&Line::default(), 2, ping_pong);
    let mut connections = Vec::with_capacity(100);
    let used = allocation_counter::measure(|| {
        for _ in 0..100 {
            let (client, server) = Stream::pair(&net);
            let (mut client, mut server) = (
                Framed::new(client, Line::default()),
                Framed::new(server, Line::default()),
            );
            ping_pong(&mut client, &mut server);
            // Waiting is what gives the buffers back.
            for end in [&mut client, &mut server] {
                assert!(
                    pin!(end.next())
                        .poll(&mut Context::from_waker(Waker::noop()))
                        .is_pending()
                );
            }
            connections.push((client, server));
        }
    });
    assert!(used.bytes_current < 100 * 2 * 1024, "{used:?}");
}

#[test]
fn what_is_written_is_forgotten_even_if_something_always_waits() {
    let used = allocation_counter::measure(|| {
        in_jumping_tokio(async {
            let (server, mut peer) = Stream::pair_with_capacity(&Net::os(), 1024);
            let limits = FramedLimits::default().high_water(4096);
            let mut chunks = Framed::with_limits(server, Raw, limits);
            chunks.push(&[0; 3000]).unwrap();
            for _ in 0..10_000 {
                chunks.push(&[0; 512]).unwrap();
                assert!(poll_once(&mut Box::pin(chunks.flush())).await.is_none());
                peer.read_exact(&mut [0; 512]).await.unwrap();
            }
        });
    });
    // 5 MB went through; what is held is what waits, and as much again.
    assert!(used.bytes_max < 256 * 1024, "{used:?}");
}

#[test]
fn large_frames_that_were_owned_leave_nothing_behind() {
    let net = Net::os();
    check(&Line::default(), 2, ping_pong);
    let used = allocation_counter::measure(|| {
        for _ in 0..10 {
            in_jumping_tokio(async {
                let (here, there) = Stream::pair(&net);
                let (mut here, mut there) = (
                    Framed::new(here, LengthPrefix::default()),
                    Framed::new(there, LengthPrefix::default()),
                );
                let frame = vec![0; 8 << 20];
                let (sent, received) = tokio::join!(here.send(&frame), there.next());
                sent.unwrap();
                assert_eq!(received.unwrap().unwrap().0.into_bytes().len(), frame.len());
            });
        }
    });
    assert!(used.bytes_current < 3 << 20, "{used:?}");
}

#[test]
fn a_connection_may_outlive_the_pool_of_its_thread() {
    thread_local! {
        static LAST: std::cell::RefCell<Option<Framed<Line>>> = const { std::cell::RefCell::new(None) };
    }
    let thread = std::thread::spawn(|| {
        let (mut client, mut server) = {
            let (client, server) = Stream::pair(&Net::os());
            // Registered before the pool, so that the pool goes first.
            LAST.with_borrow_mut(|last| *last = None);
            (
                Framed::new(client, Line::default()),
                Framed::new(server, Line::default()),
            )
        };
        now(client.send(b"two\nlines")).unwrap_err();
        now(client.send(b"one")).unwrap();
        now(client.send(b"two")).unwrap();
        assert_eq!(&*now(server.next()).unwrap().unwrap().0, b"one");
        LAST.with_borrow_mut(|last| *last = Some(server));
    });
    thread.join().unwrap();
}
