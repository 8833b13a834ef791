//! Connections from both sides: the delegate's calls in their order, raw mode, enable and disable, many peers on a port.

#[path = "rig/mod.rs"]
mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use common::backend::{net, on_each_backend};
use common::{Echo, LIMIT, Peer, Recorder, S1F1, S2F25, eventually, pair, patient, tcp, until};
use hsms::net_core::{ErrorKind, Host};
use hsms::session::{CloseReason, SessionEvent};
use hsms::{
    ActiveConnection, Connection, Delegate, ExtraPeer, Header, Message, MultiPassiveServer, PassiveConnection,
    RejectReason, RequestError, SType, StreamFunction,
};
use tokio::sync::Semaphore;

on_each_backend!(
    the_transcript_of_an_active_connection,
    the_transcript_of_a_passive_connection,
    requests_go_both_ways_and_the_callbacks_keep_their_order,
    enable_and_disable_are_idempotent_and_always_return,
    p03_disabling_from_inside_a_callback_returns,
    d18_a_delegate_may_make_requests_from_inside_a_callback,
    before_closed_may_still_send,
    a_delegate_that_panics_hurts_itself_only,
    many_peers_on_one_port,
    p07_a_server_finds_its_connections_by_the_peers_address_and_refuses_a_second_one_for_it,
    a_further_peer_does_not_disturb_the_first,
    a_further_peer_may_be_told_that_connections_are_exhausted,
    p01_a_passive_connection_tells_its_role_and_takes_only_the_peer_that_it_expects,
    a_connection_that_is_dropped_ends,
    p04_p05_what_came_before_the_end_is_delivered_and_in_order,
    a_slow_delegate_stops_the_reading_and_nothing_is_lost,
);

fn reject(reason: u8) -> Header {
    let about = Header::data(0, StreamFunction::new(0, 0), false, 0);
    Header::reject_req(&about, RejectReason::from(reason))
}

const TERMINATED: [&str; 2] = ["Connection about to be terminated", "Connection terminated"];

async fn the_transcript_of_an_active_connection() {
    let net = net();
    let mut listener = net.bind(&tcp()).await.unwrap();
    let record = Recorder::default();
    let connection = ActiveConnection::new(&net, listener.local().clone(), patient().raw(), record.clone());
    connection.enable().unwrap();
    let mut peer = Peer::of(&net, listener.accept().await.unwrap());
    peer.send(reject(4), &[]).await;
    peer.send(reject(1), &[]).await;
    record.lines(&net, 3).await;
    drop(listener);
    drop(peer);
    record.lines(&net, 5).await;
    connection.stop().await;
    assert_eq!(
        record.all(),
        [
            "Connection established",
            "Packet received header: {session_id:0x0000, stream:00, function:04, p_type:0x00, s_type:0x07, \
             system:0x00000000, require_response:0}",
            "Packet received header: {session_id:0x0000, stream:00, function:01, p_type:0x00, s_type:0x07, \
             system:0x00000000, require_response:0}",
            "Connection about to be terminated",
            "Connection terminated",
        ]
    );
}

async fn the_transcript_of_a_passive_connection() {
    let net = net();
    let record = Recorder::default();
    let connection = PassiveConnection::new(&net, tcp(), patient().raw(), record.clone());
    let at = connection.enable().await.unwrap();
    let mut peer = Peer::connect(&net, &at).await;
    peer.send(Header::select_req(Header::CONTROL, 1), &[]).await;
    peer.send(reject(3), &[]).await;
    record.lines(&net, 3).await;
    // Nothing is answered but by the delegate; it may send anything.
    connection
        .send(&Message::header_only(Header::linktest_req(7)))
        .await
        .unwrap();
    assert_eq!(peer.receive().await.unwrap().header, Header::linktest_req(7));
    connection.disable();
    assert!(peer.is_closed().await);
    drop(peer);
    connection.disabled().await;
    assert_eq!(
        record.all(),
        [
            "Connection established",
            "Packet received header: {session_id:0xffff, stream:00, function:00, p_type:0x00, s_type:0x01, \
             system:0x00000001, require_response:0}",
            "Packet received header: {session_id:0x0000, stream:00, function:03, p_type:0x00, s_type:0x07, \
             system:0x00000000, require_response:0}",
            "Connection about to be terminated",
            "Connection terminated",
        ]
    );
}

async fn requests_go_both_ways_and_the_callbacks_keep_their_order() {
    let net = net();
    let record = Recorder::default();
    let passive = PassiveConnection::new(&net, tcp(), patient(), record.clone());
    let at = passive.enable().await.unwrap();
    let active = ActiveConnection::new(&net, at, patient(), Echo);
    active.enable().unwrap();
    active.selected(LIMIT).await.unwrap();
    for round in 0..20_u32 {
        let text = vec![round as u8; 1 << (round % 18)];
        let reply = active.request(S2F25, text.clone()).await.unwrap();
        assert_eq!(reply.text, text);
        assert_eq!(reply.stream_function(), StreamFunction::new(2, 26));
        assert_eq!(passive.request(S2F25, text.clone()).await.unwrap().text, text);
    }
    active.notify(StreamFunction::new(6, 11), "bye").await.unwrap();
    active.stop().await;
    let lines = record.lines(&net, 24).await;
    assert_eq!(lines[0], "Connection established");
    assert!(
        lines[1..22]
            .iter()
            .all(|line| line.starts_with("Packet received header"))
    );
    assert!(lines[21].contains("stream:06, function:11"));
    assert_eq!(lines[22..], TERMINATED);
    passive.stop().await;
    assert_eq!(record.all().len(), 24);
    let (one, other) = (active.stats(), passive.stats());
    assert_eq!((one.messages_in, one.bytes_in), (other.messages_out, other.bytes_out));
    assert_eq!((other.messages_in, other.bytes_in), (one.messages_out, one.bytes_out));
    assert_eq!((active.open_transactions(), passive.open_transactions()), (0, 0));
}

async fn enable_and_disable_are_idempotent_and_always_return() {
    let net = net();
    let passive = PassiveConnection::new(&net, tcp(), patient(), ());
    passive.disable();
    passive.disabled().await;
    let at = passive.enable().await.unwrap();
    assert_eq!(passive.enable().await.unwrap(), at);
    // While it listens, and nobody has come.
    passive.stop().await;
    passive.stop().await;
    let again = PassiveConnection::new(&net, at.clone(), patient(), ());
    again.enable().await.unwrap();
    again.stop().await;

    // Nobody listens there: it dials, and dials.
    let active = ActiveConnection::new(&net, at.clone(), patient(), ());
    active.enable().unwrap();
    active.enable().unwrap();
    assert!(active.is_enabled());
    active.stop().await;
    assert!(!active.is_enabled());
    let waiting = active.selected(LIMIT).await.unwrap_err();
    assert_eq!(waiting.kind(), ErrorKind::Closed);

    // Enabled again before the end is through.
    again.enable().await.unwrap();
    active.enable().unwrap();
    active.selected(LIMIT).await.unwrap();
    active.disable();
    active.enable().unwrap();
    until(&active, Connection::is_enabled).await;
    active.selected(LIMIT).await.unwrap();
    again.stop().await;
    active.stop().await;
}

async fn p03_disabling_from_inside_a_callback_returns() {
    struct Leaves(Recorder);
    impl Delegate for Leaves {
        async fn on_connection_message_received(&self, connection: &Connection, _: Message) {
            connection.disable();
            self.0.add("left");
        }
        async fn on_connection_closed(&self, connection: &Connection) {
            connection.disable();
            self.0.add("closed");
        }
    }
    let net = net();
    let record = Recorder::default();
    let (passive, active) = pair(&net, &patient(), Leaves(record.clone())).await;
    active.notify(S1F1, "").await.unwrap();
    passive.disabled().await;
    assert_eq!(record.all(), ["left", "closed"]);
    assert!(!passive.is_enabled());
    active.stop().await;
}

async fn d18_a_delegate_may_make_requests_from_inside_a_callback() {
    struct Asks(Recorder);
    impl Delegate for Asks {
        async fn on_connection_established(&self, connection: &Connection) {
            let reply = connection.request(S2F25, "hello").await.unwrap();
            self.0.add(format!("established {:?}", reply.text));
        }
        async fn on_connection_message_received(&self, connection: &Connection, message: Message) {
            let reply = connection.request(S2F25, message.text.clone()).await.unwrap();
            self.0.add(format!("asked {:?}", reply.text));
            connection.reply(&message.header, reply.text).await.unwrap();
        }
    }
    let net = net();
    let record = Recorder::default();
    let passive = PassiveConnection::new(&net, tcp(), patient(), Asks(record.clone()));
    let at = passive.enable().await.unwrap();
    let active = ActiveConnection::new(&net, at, patient(), Echo);
    active.enable().unwrap();
    active.selected(LIMIT).await.unwrap();
    for text in ["one", "two"] {
        assert_eq!(active.request(S2F25, text).await.unwrap().text, text);
    }
    assert_eq!(
        record.all(),
        ["established b\"hello\"", "asked b\"one\"", "asked b\"two\""]
    );
    active.stop().await;
}

async fn before_closed_may_still_send() {
    struct Says(Recorder);
    impl Delegate for Says {
        async fn on_connection_before_closed(&self, connection: &Connection) {
            connection.notify(StreamFunction::new(6, 11), "going").await.unwrap();
            let reply = connection.request(S2F25, "really").await.unwrap();
            self.0.add(format!("{:?}", reply.text));
        }
        async fn on_connection_closed(&self, connection: &Connection) {
            let refused = connection.request(S2F25, "too late").await.unwrap_err();
            self.0.add(format!("{refused:?}"));
        }
    }
    let net = net();
    let (said, heard) = (Recorder::default(), Recorder::default());
    let passive = PassiveConnection::new(&net, tcp(), patient(), heard.clone());
    let at = passive.enable().await.unwrap();
    let active = ActiveConnection::new(&net, at, patient(), Says(said.clone()));
    active.enable().unwrap();
    active.selected(LIMIT).await.unwrap();
    active.stop().await;
    assert_eq!(said.all(), ["b\"really\"", "NotConnected"]);
    let lines = heard.lines(&net, 5).await;
    assert!(
        lines[1].contains("stream:06") && lines[2].contains("stream:02"),
        "{lines:?}"
    );
}

async fn a_delegate_that_panics_hurts_itself_only() {
    struct Panics(Recorder);
    impl Delegate for Panics {
        async fn on_connection_established(&self, _: &Connection) {
            panic!("at the beginning");
        }
        async fn on_connection_message_received(&self, connection: &Connection, message: Message) {
            if message.text == "answer first" {
                connection.reply(&message.header, "ok").await.unwrap();
            }
            if message.text != "fine" {
                panic!("at a message");
            }
            connection.reply(&message.header, "ok").await.unwrap();
        }
        async fn on_connection_before_closed(&self, _: &Connection) {
            panic!("near the end");
        }
        async fn on_connection_closed(&self, _: &Connection) {
            self.0.add("closed");
            panic!("at the end");
        }
    }
    let net = net();
    let record = Recorder::default();
    let (passive, active) = pair(&net, &patient(), Panics(record.clone())).await;
    // Whoever waits for an answer is told; one that was given stays the only one.
    assert_eq!(active.request(S2F25, "boom").await, Err(RequestError::Aborted));
    assert_eq!(active.request(S2F25, "answer first").await.unwrap().text, "ok");
    assert_eq!(active.request(S2F25, "fine").await.unwrap().text, "ok");
    assert_eq!((active.stats().unmatched, passive.stats().unanswered), (0, 1));
    active.stop().await;
    record.times(&net, "closed", 1).await;
    active.enable().unwrap();
    active.selected(LIMIT).await.unwrap();
    assert_eq!(active.request(S2F25, "fine").await.unwrap().text, "ok");
    active.stop().await;
    passive.stop().await;
}

async fn many_peers_on_one_port() {
    let net = net();
    let server = MultiPassiveServer::new(&net, tcp());
    let record = Recorder::default();
    let (recorder, first) = (record.clone(), AtomicBool::new(true));
    server.accept_any(move |_| {
        // One that is not wanted.
        (!first.swap(false, Ordering::Relaxed)).then(|| (patient(), recorder.clone()))
    });
    let at = server.start().await.unwrap();
    assert_eq!(server.start().await.unwrap(), at);
    assert!(Peer::connect(&net, &at).await.is_closed().await);

    let mut hosts = Vec::new();
    for _ in 0..20 {
        let host = ActiveConnection::new(&net, at.clone(), patient(), ());
        host.enable().unwrap();
        hosts.push(host);
    }
    for (number, host) in hosts.iter().enumerate() {
        host.selected(LIMIT).await.unwrap();
        let text = number.to_string();
        assert_eq!(host.request(S2F25, text.clone()).await.unwrap().text, text);
    }
    assert_eq!(server.connections().len(), 20);
    hosts.truncate(10);
    eventually(&net, || server.connections().len() == 10).await;
    for host in &hosts {
        host.request(S1F1, "").await.unwrap();
        host.disable();
    }
    server.stop().await;
    assert!(server.connections().is_empty());
    assert_eq!(record.count("Connection established"), 20);
    assert_eq!(record.count("Connection terminated"), 20);
    assert_eq!(net.connect(&at).await.unwrap_err().kind(), ErrorKind::Refused);
}

async fn p07_a_server_finds_its_connections_by_the_peers_address_and_refuses_a_second_one_for_it() {
    let net = net();
    let server = MultiPassiveServer::new(&net, tcp());
    let here = || Host::Ip("127.0.0.1".parse().unwrap());
    let elsewhere = Host::Ip("127.0.0.77".parse().unwrap());
    let record = Recorder::default();
    let ours = server
        .create_connection(here(), patient(), record.clone())
        .await
        .unwrap();
    let other = server.create_connection(elsewhere, patient(), ()).await.unwrap();
    let double = server.create_connection(here(), patient(), ()).await.unwrap_err();
    assert_eq!(double.kind(), ErrorKind::AddrInUse);
    let at = server.start().await.unwrap();

    // Not enabled: its peer is closed at once.
    assert!(Peer::connect(&net, &at).await.is_closed().await);
    ours.enable().unwrap();
    other.enable().unwrap();
    for round in 1..=3 {
        let host = ActiveConnection::new(&net, at.clone(), patient(), ());
        host.enable().unwrap();
        host.selected(LIMIT).await.unwrap();
        host.request(S1F1, "").await.unwrap();
        assert!(ours.is_selected() && !other.is_connected());
        // A second socket from the same peer does not take the first one's place.
        assert!(Peer::connect(&net, &at).await.is_closed().await);
        host.request(S1F1, "").await.unwrap();
        host.stop().await;
        record.times(&net, "Connection terminated", round).await;
    }
    ours.disable();
    ours.disabled().await;
    until(&ours, |it| !it.is_connected()).await;
    assert!(Peer::connect(&net, &at).await.is_closed().await);
    server.remove_connection(&ours);
    server.create_connection(here(), patient(), ()).await.unwrap();
    server.stop().await;
}

async fn a_further_peer_does_not_disturb_the_first() {
    let net = net();
    let (passive, active) = pair(&net, &patient(), Echo).await;
    let at = passive.local().unwrap();
    for _ in 0..5 {
        assert!(Peer::connect(&net, &at).await.is_closed().await);
        active.request(S1F1, "").await.unwrap();
    }
    active.stop().await;
}

async fn a_further_peer_may_be_told_that_connections_are_exhausted() {
    let net = net();
    let options = patient().extra_peer(ExtraPeer::Exhausted);
    let (passive, active) = pair(&net, &options, Echo).await;
    let mut extra = Peer::connect(&net, &passive.local().unwrap()).await;
    extra.send(Header::select_req(Header::CONTROL, 9), &[]).await;
    let answer = extra.receive().await.unwrap().header;
    assert_eq!(
        (answer.s_type(), answer.byte3(), answer.system()),
        (SType::SelectRsp, 3, 9)
    );
    active.request(S1F1, "").await.unwrap();
    active.stop().await;
}

async fn p01_a_passive_connection_tells_its_role_and_takes_only_the_peer_that_it_expects() {
    let net = net();
    let elsewhere = Host::Ip("127.0.0.77".parse().unwrap());
    let passive = PassiveConnection::new(&net, tcp(), patient(), ()).expect(elsewhere);
    assert!(!passive.is_active());
    let mut events = passive.events();
    let at = passive.enable().await.unwrap();
    assert!(Peer::connect(&net, &at).await.is_closed().await);
    let event = events.next().await.unwrap().event;
    assert!(matches!(event, SessionEvent::ConnectFailed(error) if error.kind() == ErrorKind::Refused));
    passive.stop().await;

    let here = Host::Ip("127.0.0.1".parse().unwrap());
    let passive = PassiveConnection::new(&net, tcp(), patient(), ()).expect(here);
    let at = passive.enable().await.unwrap();
    Peer::connect(&net, &at).await.select().await;
}

async fn a_connection_that_is_dropped_ends() {
    let net = net();
    let record = Recorder::default();
    let (passive, active) = pair(&net, &patient(), record.clone()).await;
    let handle = active.connection().clone();
    let mut events = handle.events();
    drop(active);
    handle.disabled().await;
    assert_eq!(
        events.next().await.unwrap().event,
        SessionEvent::Deselected(Header::CONTROL)
    );
    assert_eq!(
        events.next().await.unwrap().event,
        SessionEvent::Disconnected(CloseReason::Local)
    );
    assert_eq!(events.next().await, None);
    assert_eq!(handle.request(S1F1, "").await, Err(RequestError::NotConnected));
    assert_eq!(record.lines(&net, 3).await[1..], TERMINATED);
    passive.stop().await;
}

async fn p04_p05_what_came_before_the_end_is_delivered_and_in_order() {
    let net = net();
    let record = Recorder::default();
    let connection = PassiveConnection::new(&net, tcp(), patient().raw(), record.clone());
    let at = connection.enable().await.unwrap();
    // All of it is there before anybody is told that there is a connection.
    let mut peer = Peer::connect(&net, &at).await;
    for system in 0..100 {
        peer.send(Header::linktest_req(system), &[]).await;
    }
    drop(peer);
    let lines = record.lines(&net, 103).await;
    assert_eq!(lines[0], "Connection established");
    for (system, line) in (0..100).zip(&lines[1..]) {
        assert_eq!(
            *line,
            format!("Packet received header: {}", Header::linktest_req(system))
        );
    }
    assert_eq!(lines[101..], TERMINATED);
    connection.stop().await;
    assert_eq!(record.all().len(), 103, "each of them once");
}

async fn a_slow_delegate_stops_the_reading_and_nothing_is_lost() {
    struct Slow(Recorder, Arc<Semaphore>);
    impl Delegate for Slow {
        async fn on_connection_message_received(&self, _: &Connection, message: Message) {
            self.1.acquire().await.unwrap().forget();
            self.0.add(message.text.len().to_string());
        }
    }
    let net = net();
    let (record, go) = (Recorder::default(), Arc::new(Semaphore::new(0)));
    let options = patient().max_inbound(4, 1 << 20).max_output(64 * 1024);
    let (passive, active) = pair(&net, &options, Slow(record.clone(), Arc::clone(&go))).await;
    let sender = active.connection().clone();
    let sending = net
        .spawn(async move {
            for size in 0..400 {
                sender.notify(S1F1, vec![0; 20_000 + size]).await.unwrap();
            }
        })
        .unwrap();
    eventually(&net, || passive.stats().messages_in > 4).await;
    // Time for more, if it read more.
    net.sleep(Duration::from_millis(50)).await;
    let taken = passive.stats().messages_in;
    assert!(taken < 20, "{taken} messages were read for a delegate that takes none");
    // Its linktests still find it alive, unless the sockets are full.
    go.add_permits(400);
    sending.await.unwrap();
    active.stop().await;
    record.lines(&net, 400).await;
    let expected: Vec<String> = (0..400).map(|size| (20_000 + size).to_string()).collect();
    assert_eq!(record.all(), expected);
    passive.stop().await;
}
