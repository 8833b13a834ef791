//! Datagram sockets that several tasks share, and addresses with a scope; on a scripted backend that keeps one waker.
#![cfg(feature = "os")]

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::scripted::Scripted;
use common::{poll_once, settle};
use net_core::{Datagram, Endpoint, Net};

const LIMIT: Duration = Duration::from_secs(60);

async fn socket(net: &Net) -> Arc<Datagram> {
    let at: Endpoint = "udp://192.0.2.1:80".parse().unwrap();
    Arc::new(net.datagram(&at).await.unwrap())
}

#[tokio::test(start_paused = true)]
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

#[tokio::test(start_paused = true)]
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

#[tokio::test(start_paused = true)]
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

#[tokio::test(start_paused = true)]
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
