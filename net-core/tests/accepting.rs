//! Accepting by the script of a backend: errors of the system, and the limits of a listener; in virtual time.
#![cfg(feature = "os")]

mod common;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use common::backend::where_time_jumps;
use common::events::Events;
use common::scripted::{Accept, Scripted};
use common::{poll_once, settle};
use net_core::{BindOptions, Endpoint, ErrorKind, EventKind, Listener, Net, Operation, Stream, WhenFull};

where_time_jumps!(
    a_system_without_resources_is_asked_again_after_pauses_that_double_to_a_second,
    a_pause_survives_an_accept_that_is_dropped,
    connections_that_died_in_the_backlog_are_passed_over,
    a_broken_listening_socket_ends_the_listener_with_a_cause,
    a_full_listener_that_queues_leaves_the_next_connection_with_the_system,
    a_full_listener_that_rejects_turns_the_next_connection_away_and_says_so,
    one_peer_can_not_take_every_place,
    a_limit_of_no_connections_takes_none,
);

const EMFILE: i32 = 24;
const ENFILE: i32 = 23;
const ENOBUFS: i32 = 105;
const ENOMEM: i32 = 12;

fn endpoint() -> Endpoint {
    "tcp://192.0.2.1:80".parse().unwrap()
}

fn from(address: &str) -> Accept {
    Accept::From(address.parse().unwrap())
}

/// The next connection if it is there already.
async fn accepted(listener: &mut Listener) -> Option<Stream> {
    settle().await;
    poll_once(&mut Box::pin(listener.accept())).await.map(Result::unwrap)
}

async fn listening(backend: &Arc<Scripted>, options: &BindOptions) -> (Net, Events, Listener) {
    let (net, events) = Events::of(&backend.net());
    let listener = net.bind_with(&endpoint(), options).await.unwrap();
    (net, events, listener)
}

async fn a_system_without_resources_is_asked_again_after_pauses_that_double_to_a_second() {
    for number in [EMFILE, ENFILE, ENOBUFS, ENOMEM] {
        let backend = Scripted::new();
        let (net, events, mut listener) = listening(&backend, &BindOptions::default()).await;
        for _ in 0..10 {
            backend.accepts(Accept::Error(number));
        }
        backend.accepts(from("192.0.2.7:1"));
        let began = net.now();
        let stream = listener.accept().await.unwrap();
        assert_eq!(stream.peer().to_string(), "tcp://192.0.2.7:1");
        let mut last = began;
        let pauses: Vec<u128> = events
            .all()
            .into_iter()
            .filter_map(|event| match event.kind {
                EventKind::AcceptPaused { until, cause } => {
                    assert_eq!(
                        (cause.kind(), cause.operation()),
                        (ErrorKind::Resource, Operation::Accept)
                    );
                    assert_eq!(
                        (cause.errno(), cause.endpoint()),
                        (Some(number), Some(listener.local()))
                    );
                    assert_eq!(event.at, last);
                    last = until;
                    Some((until - event.at).as_millis())
                }
                _ => None,
            })
            .collect();
        assert_eq!(pauses, [10, 20, 40, 80, 160, 320, 640, 1000, 1000, 1000]);
        // Once for each error and once for the connection: no spinning.
        assert_eq!(backend.accept_polls.load(Ordering::Relaxed), 11);
        assert_eq!(net.now(), last);

        // A success begins the pauses anew.
        backend.accepts(Accept::Error(number));
        backend.accepts(from("192.0.2.7:2"));
        let began = net.now();
        drop(listener.accept().await.unwrap());
        assert_eq!((net.now() - began).as_millis(), 10);
        assert_eq!(net.stats().accept_pauses, 11);
        drop(stream);
        events.check_all_closed(&net);
    }
}

async fn a_pause_survives_an_accept_that_is_dropped() {
    let backend = Scripted::new();
    let (net, _, mut listener) = listening(&backend, &BindOptions::default()).await;
    backend.accepts(Accept::Error(EMFILE));
    backend.accepts(from("192.0.2.7:1"));
    for _ in 0..5 {
        assert!(poll_once(&mut Box::pin(listener.accept())).await.is_none());
    }
    assert_eq!(backend.accept_polls.load(Ordering::Relaxed), 1);
    listener.accept().await.unwrap();
    assert_eq!(net.now().as_nanos(), 10_000_000);
}

async fn connections_that_died_in_the_backlog_are_passed_over() {
    let backend = Scripted::new();
    let (net, events, mut listener) = listening(&backend, &BindOptions::default()).await;
    // ECONNABORTED, ECONNRESET, EPROTO, EHOSTUNREACH, ENETUNREACH, ENOPROTOOPT, ETIMEDOUT, EINTR, EPERM
    for number in [103, 104, 71, 113, 101, 92, 110, 4, 1] {
        backend.accepts(Accept::Error(number));
    }
    backend.accepts(from("192.0.2.7:1"));
    listener.accept().await.unwrap();
    assert_eq!(net.now().as_nanos(), 0);
    assert_eq!(net.stats().accept_pauses, 0);
    events.check_all_closed(&net);
}

async fn a_broken_listening_socket_ends_the_listener_with_a_cause() {
    // EBADF, EINVAL, ENOTSOCK
    for number in [9, 22, 88] {
        let backend = Scripted::new();
        let (_, _, mut listener) = listening(&backend, &BindOptions::default()).await;
        backend.accepts(Accept::Error(number));
        let error = listener.accept().await.unwrap_err();
        assert_eq!((error.operation(), error.errno()), (Operation::Accept, Some(number)));
        assert_eq!(error.endpoint(), Some(listener.local()));
    }
}

async fn a_full_listener_that_queues_leaves_the_next_connection_with_the_system() {
    let backend = Scripted::new();
    let options = BindOptions::default().max_connections(2);
    let (net, events, mut listener) = listening(&backend, &options).await;
    for port in 1..=3 {
        backend.accepts(from(&format!("192.0.2.7:{port}")));
    }
    let first = accepted(&mut listener).await.unwrap();
    let second = accepted(&mut listener).await.unwrap();
    assert!(accepted(&mut listener).await.is_none());
    assert_eq!(backend.accept_polls.load(Ordering::Relaxed), 2);

    // The end of one connection wakes the accepting.
    let accepting = net
        .spawn(async move { (listener.accept().await.unwrap(), listener) })
        .unwrap();
    settle().await;
    assert!(!accepting.is_finished());
    drop(first);
    let (third, mut listener) = accepting.await.unwrap();
    assert_eq!(third.peer().port(), Some(3));
    assert!(accepted(&mut listener).await.is_none());
    assert_eq!(net.stats().rejected, 0);
    drop((second, third));
    events.check_all_closed(&net);
}

async fn a_full_listener_that_rejects_turns_the_next_connection_away_and_says_so() {
    let backend = Scripted::new();
    let options = BindOptions::default().max_connections(1).when_full(WhenFull::Reject);
    let (net, events, mut listener) = listening(&backend, &options).await;
    for port in 1..=3 {
        backend.accepts(from(&format!("192.0.2.7:{port}")));
    }
    let first = accepted(&mut listener).await.unwrap();
    assert!(accepted(&mut listener).await.is_none());
    let rejected: Vec<_> = events
        .all()
        .into_iter()
        .filter_map(|event| match event.kind {
            EventKind::Rejected { peer, cause } => {
                assert_eq!(event.connection, None);
                assert_eq!((cause.kind(), cause.operation()), (ErrorKind::Limit, Operation::Accept));
                Some(peer.to_string())
            }
            _ => None,
        })
        .collect();
    assert_eq!(rejected, ["tcp://192.0.2.7:2", "tcp://192.0.2.7:3"]);
    drop(first);
    backend.accepts(from("192.0.2.7:4"));
    assert!(accepted(&mut listener).await.is_some());
    events.check_all_closed(&net);
}

async fn one_peer_can_not_take_every_place() {
    let backend = Scripted::new();
    let options = BindOptions::default().max_connections(4).max_per_peer(2);
    let (net, events, mut listener) = listening(&backend, &options).await;
    for address in ["192.0.2.7:1", "192.0.2.7:2", "192.0.2.7:3", "[2001:db8::7]:1"] {
        backend.accepts(from(address));
    }
    let mut open = Vec::new();
    while let Some(stream) = accepted(&mut listener).await {
        open.push(stream);
    }
    let peers: Vec<String> = open.iter().map(|stream| stream.peer().to_string()).collect();
    assert_eq!(
        peers,
        ["tcp://192.0.2.7:1", "tcp://192.0.2.7:2", "tcp://[2001:db8::7]:1"]
    );
    assert_eq!(net.stats().rejected, 1);
    // A place that is free again is given again.
    open.remove(0);
    backend.accepts(from("192.0.2.7:4"));
    assert!(accepted(&mut listener).await.is_some());
    drop(open);
    events.check_all_closed(&net);
}

async fn a_limit_of_no_connections_takes_none() {
    let backend = Scripted::new();
    let options = BindOptions::default().max_per_peer(0);
    let (net, _, mut listener) = listening(&backend, &options).await;
    backend.accepts(from("192.0.2.7:1"));
    assert!(accepted(&mut listener).await.is_none());
    assert_eq!(net.stats().rejected, 1);
}
