//! Datagram sockets on each backend; and, on a scripted one that keeps one waker, several tasks that share them.
#![cfg(feature = "os")]

mod common;

use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::backend::{net, where_nothing_is_lost, where_time_jumps};
use common::scripted::Scripted;
use common::{pattern, poll_once, settle};
use net_core::{Datagram, Endpoint, ErrorKind, MulticastInterface, Net, Operation};

where_nothing_is_lost!(
    datagrams_arrive_whole_with_their_senders,
    a_datagram_that_is_too_large_is_refused_and_one_for_a_small_buffer_is_cut_off,
    wrong_endpoints_for_datagrams_and_taken_ports_are_errors,
    a_multicast_group_that_was_joined_is_heard,
    two_tasks_use_one_datagram_socket_at_once,
);

where_time_jumps!(
    each_of_several_receivers_wakes_for_a_datagram,
    a_receiver_that_is_given_up_takes_no_wake_up_with_it,
    each_of_several_senders_wakes_when_there_is_room,
    a_link_local_sender_can_be_answered_with_its_scope,
);

fn at(text: &str) -> Endpoint {
    text.parse().unwrap()
}

const LIMIT: Duration = Duration::from_secs(60);

async fn socket(net: &Net) -> Arc<Datagram> {
    let at: Endpoint = "udp://192.0.2.1:80".parse().unwrap();
    Arc::new(net.datagram(&at).await.unwrap())
}

async fn each_of_several_receivers_wakes_for_a_datagram() {
    let script = Scripted::new();
    let net = script.net();
    let socket = socket(&net).await;
    let mut receivers = Vec::new();
    for _ in 0..3 {
        let socket = Arc::clone(&socket);
        receivers.push(net.spawn(async move { socket.receive().await.unwrap().0 }).unwrap());
        settle().await;
    }
    // One at a time, and two at once.
    script.datagram_from("192.0.2.2:5", b"first");
    settle().await;
    script.datagram_from("192.0.2.2:5", b"second");
    script.datagram_from("192.0.2.2:5", b"third");
    let mut received = Vec::new();
    for receiver in receivers {
        received.push(net.timeout(LIMIT, receiver).await.unwrap().unwrap());
    }
    // Who waits longest is woken first.
    assert_eq!(received, ["first", "second", "third"]);
}

async fn a_receiver_that_is_given_up_takes_no_wake_up_with_it() {
    let script = Scripted::new();
    let net = script.net();
    let socket = socket(&net).await;
    let patient = {
        let socket = Arc::clone(&socket);
        net.spawn(async move { socket.receive().await.unwrap().0 }).unwrap()
    };
    settle().await;
    let mut hasty = Box::pin(socket.receive());
    assert!(poll_once(&mut hasty).await.is_none());
    drop(hasty);
    script.datagram_from("192.0.2.2:5", b"for the patient");
    assert_eq!(net.timeout(LIMIT, patient).await.unwrap().unwrap(), "for the patient");
}

async fn each_of_several_senders_wakes_when_there_is_room() {
    let script = Scripted::new();
    let net = script.net();
    let socket = socket(&net).await;
    let mut senders = Vec::new();
    for number in 0..3_u8 {
        let socket = Arc::clone(&socket);
        let to: Endpoint = "udp://192.0.2.2:5".parse().unwrap();
        senders.push(net.spawn(async move { socket.send_to(&[number], &to).await }).unwrap());
        settle().await;
    }
    for _ in 0..3 {
        script.room_for_datagrams(1);
        settle().await;
    }
    for sender in senders {
        net.timeout(LIMIT, sender).await.unwrap().unwrap().unwrap();
    }
    let sent: Vec<_> = script.datagrams_sent().into_iter().map(|(data, _)| data).collect();
    assert_eq!(sent, [[0], [1], [2]]);
}

async fn a_link_local_sender_can_be_answered_with_its_scope() {
    let script = Scripted::new();
    let net = script.net();
    let socket = socket(&net).await;
    script.datagram_from("[fe80::1%3]:5", b"who is there?");
    let mut buffer = [0; 100];
    let (n, from) = socket.receive_from(&mut buffer).await.unwrap();
    assert_eq!(
        (&buffer[..n], from.to_string().as_str()),
        (&b"who is there?"[..], "[fe80::1%3]:5")
    );
    script.room_for_datagrams(1);
    socket.send_to_addr(b"me", from).await.unwrap();
    assert_eq!(script.datagrams_sent(), [(b"me".to_vec(), "[fe80::1%3]:5".to_owned())]);
}

/// Whether this machine has IPv6 at all; a container may not.
async fn has_ipv6(net: &Net) -> bool {
    net.bind(&at("tcp://[::1]:0")).await.is_ok()
}

async fn datagrams_arrive_whole_with_their_senders() {
    let net = net();
    for host in ["127.0.0.1", "[::1]", "localhost"] {
        if host == "[::1]" && !has_ipv6(&net).await {
            continue;
        }
        let here = net.datagram(&at(&format!("udp://{host}:0"))).await.unwrap();
        let there = net.datagram(&at(&format!("udp://{host}:0"))).await.unwrap();
        assert_ne!(here.local().port(), Some(0));
        for length in [0, 1, 1400, 60_000] {
            here.send_to(&pattern(length), there.local()).await.unwrap();
            let (data, from) = there.receive().await.unwrap();
            assert!(data == pattern(length));
            assert_eq!(&from, here.local());
        }
    }
}

async fn a_datagram_that_is_too_large_is_refused_and_one_for_a_small_buffer_is_cut_off() {
    let net = net();
    let here = net.datagram(&at("udp://127.0.0.1:0")).await.unwrap();
    let there = net.datagram(&at("udp://127.0.0.1:0")).await.unwrap();
    let error = here.send_to(&[0; 70_000], there.local()).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.endpoint()),
        (ErrorKind::Limit, Some(there.local()))
    );
    assert!(error.to_string().contains("70000 bytes"), "{error}");
    here.send_to(b"0123456789", there.local()).await.unwrap();
    let mut small = [0; 4];
    let (n, _) = there.receive_into(&mut small).await.unwrap();
    assert_eq!((n, &small), (4, b"0123"));
}

async fn wrong_endpoints_for_datagrams_and_taken_ports_are_errors() {
    let net = net();
    let first = net.datagram(&at("udp://127.0.0.1:0")).await.unwrap();
    assert_eq!(
        net.datagram(first.local()).await.unwrap_err().kind(),
        ErrorKind::AddrInUse
    );
    for text in ["tcp://127.0.0.1:0", "unix:/nowhere", "mem:x"] {
        assert_eq!(
            net.datagram(&at(text)).await.unwrap_err().kind(),
            ErrorKind::InvalidInput
        );
    }
    assert_eq!(
        net.bind(&at("udp://127.0.0.1:0")).await.unwrap_err().kind(),
        ErrorKind::InvalidInput
    );
}

async fn a_multicast_group_that_was_joined_is_heard() {
    let net = net();
    let group = Ipv4Addr::new(239, 255, 77, 1);
    let receiver = net.datagram(&at("udp://0.0.0.0:0")).await.unwrap();
    let port = receiver.local().port().unwrap();
    // On the loopback interface, whose address the sender has, nothing leaves this machine.
    let loopback = MulticastInterface::Address(Ipv4Addr::LOCALHOST);
    receiver.join(group.into(), loopback).unwrap();
    let sender = net.datagram(&at("udp://127.0.0.1:0")).await.unwrap();
    let to = at(&format!("udp://{group}:{port}"));
    if sender.send_to(b"to all", &to).await.is_err() {
        return; // No route for multicast here.
    }
    // Where the system routes multicast elsewhere it never comes; one sent straight must.
    sender
        .send_to(b"to one", &at(&format!("udp://127.0.0.1:{port}")))
        .await
        .unwrap();
    let (data, from) = receiver.receive().await.unwrap();
    assert!(data == "to all" || data == "to one");
    assert_eq!(&from, sender.local());
    receiver.leave(group.into(), loopback).unwrap();
    let error = receiver.leave(group.into(), loopback).unwrap_err();
    assert_eq!(error.operation(), Operation::Configure);
    let error = receiver.join(group.into(), MulticastInterface::Index(1)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    let error = receiver.join(Ipv6Addr::LOCALHOST.into(), loopback).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

async fn two_tasks_use_one_datagram_socket_at_once() {
    let net = net();
    let echo = net.datagram(&at("udp://127.0.0.1:0")).await.unwrap();
    let to = echo.local().clone();
    net.spawn(async move {
        while let Ok((data, from)) = echo.receive().await {
            let _ = echo.send_to(&data, &from).await;
        }
    })
    .unwrap();
    let client = net.datagram(&at("udp://127.0.0.1:0")).await.unwrap();
    let received = Mutex::new(0);
    let sending = async {
        for _ in 0..10 {
            client.send_to(b"ping", &to).await.unwrap();
            tokio::task::yield_now().await;
        }
    };
    let receiving = async {
        for _ in 0..10 {
            client.receive().await.unwrap();
            *received.lock().unwrap() += 1;
        }
    };
    tokio::join!(sending, receiving);
    assert_eq!(received.into_inner().unwrap(), 10);
}
