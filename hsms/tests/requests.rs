//! Requests, their ends, and the streams of messages and events; what waits, in virtual time.

#[path = "rig/mod.rs"]
mod common;

use std::time::Duration;

use common::backend::{net, on_each_backend, where_time_jumps};
use common::{Echo, LIMIT, Peer, S1F1, S2F25, SECOND, eventually, linktest, pair, patient, tcp, until};
use hsms::net_core::{Endpoint, Net};
use hsms::session::{CloseReason, Entities, SessionEvent, State};
use hsms::{
    ActiveConnection, Connection, ConnectionOptions, DeselectStatus, Header, Linktest, PassiveConnection, RequestError,
    RequestOptions, SType, SelectStatus, StreamFunction, Timer,
};

on_each_backend!(
    many_requests_at_once_each_get_their_own_reply,
    requests_of_both_sides_with_more_than_fits_do_not_wait_for_each_other,
    primaries_come_as_a_stream_and_one_that_is_dropped_is_aborted,
    a_request_ends_with_an_abort_or_a_report_of_stream_nine,
    a_request_ends_with_the_connection,
    general_sessions_are_selected_one_by_one,
    both_ends_may_select_at_the_same_time,
);

where_time_jumps!(
    t3_ends_the_request_and_not_the_connection,
    a_request_that_is_dropped_leaves_nothing_behind,
    a_wrong_reply_is_told_in_the_error,
    traffic_stands_for_linktests,
    old_equipment_may_miss_linktests,
    a_delay_before_the_select,
    equipment_that_is_not_ready_is_asked_again,
    events_tell_the_whole_life,
);

fn mem() -> Endpoint {
    "mem:equipment".parse().unwrap()
}

/// A passive connection, and a raw peer that is selected.
async fn equipment(net: &Net, options: ConnectionOptions) -> (PassiveConnection, Peer) {
    let passive = PassiveConnection::new(net, mem(), options, Echo);
    let at = passive.enable().await.unwrap();
    let mut peer = Peer::connect(net, &at).await;
    peer.select().await;
    (passive, peer)
}

fn session(change: impl FnOnce(hsms::SessionOptions) -> hsms::SessionOptions) -> ConnectionOptions {
    let mut options = ConnectionOptions::new(0);
    options.session = change(options.session);
    options
}

async fn many_requests_at_once_each_get_their_own_reply() {
    let net = net();
    let (passive, active) = pair(&net, &patient(), Echo).await;
    let tasks: Vec<_> = (0..200_u32)
        .map(|number| {
            let (connection, text) = (active.connection().clone(), number.to_string());
            net.spawn(async move { connection.request(S2F25, text.clone()).await.unwrap().text == text })
                .unwrap()
        })
        .collect();
    for task in tasks {
        assert!(task.await.unwrap());
    }
    assert_eq!((active.stats().requests, active.stats().replies), (200, 200));
    assert_eq!((active.open_transactions(), passive.stats().unmatched), (0, 0));
    active.stop().await;
}

async fn requests_of_both_sides_with_more_than_fits_do_not_wait_for_each_other() {
    let net = net();
    let options = patient().max_output(10_000);
    let passive = PassiveConnection::new(&net, tcp(), options.clone(), Echo);
    let at = passive.enable().await.unwrap();
    let active = ActiveConnection::new(&net, at, options, Echo);
    active.enable().unwrap();
    active.selected(LIMIT).await.unwrap();
    let mut tasks = Vec::new();
    for connection in [active.connection(), passive.connection()] {
        for number in 0..40_u8 {
            let connection = connection.clone();
            let text = vec![number; 100_000];
            tasks.push(
                net.spawn(async move { connection.request(S2F25, text.clone()).await.unwrap().text == text })
                    .unwrap(),
            );
        }
    }
    for task in tasks {
        assert!(task.await.unwrap());
    }
    active.stop().await;
}

async fn primaries_come_as_a_stream_and_one_that_is_dropped_is_aborted() {
    let net = net();
    let passive = PassiveConnection::new(&net, tcp(), patient(), ());
    let mut primaries = passive.primaries();
    let at = passive.enable().await.unwrap();
    let active = ActiveConnection::new(&net, at, patient(), ());
    active.enable().unwrap();
    active.selected(LIMIT).await.unwrap();
    let asking = active.connection().clone();
    let asked = net
        .spawn(async move {
            let first = asking.request(S2F25, "answered").await;
            let second = asking.request(S2F25, "dropped").await;
            asking.notify(S1F1, "no answer wanted").await.unwrap();
            (first, second)
        })
        .unwrap();
    let first = primaries.next().await.unwrap();
    assert!(first.wants_reply());
    assert_eq!(first.text, "answered");
    first.reply("yes").await.unwrap();
    drop(primaries.next().await.unwrap());
    let (answered, dropped) = asked.await.unwrap();
    assert_eq!(answered.unwrap().text, "yes");
    assert_eq!(dropped, Err(RequestError::Aborted));
    let last = primaries.next().await.unwrap();
    assert!(!last.wants_reply());
    drop(last);
    assert_eq!(passive.stats().unanswered, 1);
    active.stop().await;
    passive.stop().await;
    assert!(primaries.next().await.is_none());
}

async fn a_request_ends_with_an_abort_or_a_report_of_stream_nine() {
    let net = net();
    let passive = PassiveConnection::new(&net, tcp(), patient(), ());
    let mut primaries = passive.primaries();
    let at = passive.enable().await.unwrap();
    let active = ActiveConnection::new(&net, at, patient(), ());
    active.enable().unwrap();
    active.selected(LIMIT).await.unwrap();
    for function in [3, 5, 7, 11] {
        let asking = active.connection().clone();
        let asked = net.spawn(async move { asking.request(S2F25, "?").await }).unwrap();
        primaries.next().await.unwrap().report(function);
        assert_eq!(asked.await.unwrap(), Err(RequestError::StreamNine(function)));
    }
    // A host reports nothing: it aborts.
    let mut hosts = active.primaries();
    let asking = passive.connection().clone();
    let asked = net.spawn(async move { asking.request(S2F25, "?").await }).unwrap();
    hosts.next().await.unwrap().report(5);
    assert_eq!(asked.await.unwrap(), Err(RequestError::Aborted));
    active.stop().await;
}

async fn a_request_ends_with_the_connection() {
    let net = net();
    let passive = PassiveConnection::new(&net, tcp(), patient(), ());
    let mut primaries = passive.primaries();
    let at = passive.enable().await.unwrap();
    let active = ActiveConnection::new(&net, at, patient(), ());
    assert_eq!(active.request(S1F1, "").await, Err(RequestError::NotConnected));
    active.enable().unwrap();
    active.selected(LIMIT).await.unwrap();
    let asking = active.connection().clone();
    let asked = net.spawn(async move { asking.request(S2F25, "?").await }).unwrap();
    let _question = primaries.next().await.unwrap();
    passive.stop().await;
    assert_eq!(
        asked.await.unwrap(),
        Err(RequestError::Disconnected(CloseReason::Separated))
    );
    assert_eq!(active.open_transactions(), 0);
    active.stop().await;
}

async fn general_sessions_are_selected_one_by_one() {
    let net = net();
    let options = || {
        let mut options = patient().entities(Entities::general([1, 2, 3]));
        options.session = options.session.select([1, 3]);
        options
    };
    let passive = PassiveConnection::new(&net, tcp(), options(), Echo);
    let at = passive.enable().await.unwrap();
    let active = ActiveConnection::new(&net, at, options(), ());
    active.enable().unwrap();
    active.selected(LIMIT).await.unwrap();
    let ask = |id, text: &'static str| active.request_with(S2F25, text, RequestOptions::default().session_id(id));
    assert_eq!(ask(1, "one").await.unwrap().header.session_id(), 1);
    until(&active, |it| it.stats().messages_in >= 3).await;
    assert_eq!(ask(3, "three").await.unwrap().text, "three");
    assert_eq!(ask(2, "two").await, Err(RequestError::NotSelected));
    active.select(2).await.unwrap();
    assert_eq!(ask(2, "two").await.unwrap().text, "two");

    passive.set_busy(true);
    assert_eq!(
        active.deselect(2).await,
        Err(RequestError::DeselectRefused(DeselectStatus::Busy))
    );
    passive.set_busy(false);
    active.deselect(2).await.unwrap();
    assert_eq!(ask(2, "two").await, Err(RequestError::NotSelected));
    active.separate(1).unwrap();
    assert_eq!(ask(1, "one").await, Err(RequestError::NotSelected));
    // The other entity is as it was.
    assert_eq!(ask(3, "three").await.unwrap().text, "three");
    active.linktest().await.unwrap();
    passive.linktest().await.unwrap();
    active.separate(3).unwrap();
    assert_eq!(active.state(), State::NotSelected);
    assert!(active.select(9).await.is_err());
    active.stop().await;
    until(&passive, |it| !it.is_connected()).await;
}

async fn both_ends_may_select_at_the_same_time() {
    let net = net();
    let options = || {
        let mut options = patient().entities(Entities::general([1]));
        options.session = options.session.select([]);
        options
    };
    let passive = PassiveConnection::new(&net, tcp(), options(), Echo);
    let at = passive.enable().await.unwrap();
    for _ in 0..5 {
        let active = ActiveConnection::new(&net, at.clone(), options(), Echo);
        active.enable().unwrap();
        until(&active, Connection::is_connected).await;
        until(&passive, Connection::is_connected).await;
        let (one, other) = tokio::join!(active.select(1), passive.select(1));
        assert_eq!((one, other), (Ok(()), Ok(())));
        let of_one = || RequestOptions::default().session_id(1);
        active.request_with(S2F25, "a", of_one()).await.unwrap();
        passive.request_with(S2F25, "b", of_one()).await.unwrap();
        active.stop().await;
        until(&passive, |it| !it.is_connected()).await;
    }
}

async fn t3_ends_the_request_and_not_the_connection() {
    let net = net();
    let (passive, mut peer) = equipment(&net, session(|session| session.linktest(None))).await;
    let start = net.now();
    let error = passive.request(S2F25, "?").await.unwrap_err();
    assert_eq!(
        error,
        RequestError::TimedOut {
            timer: Timer::T3,
            near_miss: None
        }
    );
    assert_eq!(net.now() - start, 45 * SECOND);
    let quick = RequestOptions::default().t3(2 * SECOND);
    passive.request_with(S2F25, "?", quick).await.unwrap_err();
    assert_eq!(net.now() - start, 47 * SECOND);

    // Equipment reports it, and a late reply is none.
    let request = peer.receive().await.unwrap().header;
    let report = peer.receive().await.unwrap();
    assert_eq!(report.stream_function(), StreamFunction::new(9, 9));
    assert_eq!(report.text[2..], request.to_bytes());
    peer.send(request.secondary(), b"late").await;
    peer.send(Header::linktest_req(7), &[]).await;
    while peer.receive().await.unwrap().header.s_type() != SType::LinktestRsp {}
    assert_eq!((passive.stats().timeouts, passive.stats().unmatched), (2, 1));
    assert!(passive.is_selected());
}

async fn a_request_that_is_dropped_leaves_nothing_behind() {
    let net = net();
    let (passive, mut peer) = equipment(&net, ConnectionOptions::new(0)).await;
    assert!(net.timeout(SECOND, passive.request(S2F25, "?")).await.is_err());
    assert_eq!(passive.open_transactions(), 0);
    let request = peer.receive().await.unwrap().header;
    peer.send(request.secondary(), b"late").await;
    let asking = passive.connection().clone();
    let asked = net.spawn(async move { asking.request(S2F25, "!").await }).unwrap();
    let request = peer.receive().await.unwrap().header;
    peer.send(request.secondary(), b"in time").await;
    assert_eq!(asked.await.unwrap().unwrap().text, "in time");
    assert_eq!(passive.stats().unmatched, 1);
}

async fn a_wrong_reply_is_told_in_the_error() {
    let net = net();
    let (passive, mut peer) = equipment(&net, ConnectionOptions::new(0)).await;
    let asking = passive.connection().clone();
    let asked = net.spawn(async move { asking.request(S1F1, "").await }).unwrap();
    let request = peer.receive().await.unwrap().header;
    let wrong = request.secondary().with_session_id(7);
    peer.send(wrong, &[]).await;
    let error = asked.await.unwrap().unwrap_err();
    assert_eq!(
        error,
        RequestError::TimedOut {
            timer: Timer::T3,
            near_miss: Some(wrong)
        }
    );
    assert!(error.to_string().contains("look at its session id"), "{error}");
}

async fn traffic_stands_for_linktests() {
    let net = net();
    let (passive, mut peer) = equipment(&net, session(|session| session.linktest(linktest(30)))).await;
    // The peer speaks now and then: no tests.
    for system in 0..10 {
        net.sleep(20 * SECOND).await;
        peer.send(Header::data(0, S1F1, false, system), &[]).await;
    }
    eventually(&net, || passive.stats().messages_in == 11).await;
    assert_eq!(passive.stats().linktests, 0);
    assert!(passive.stats().linktests_suppressed > 0);

    // It is spoken to only: after four intervals it is tested all the same.
    let start = net.now();
    while passive.stats().linktests == 0 {
        passive.notify(S1F1, "").await.unwrap();
        net.sleep(7 * SECOND).await;
    }
    let waited = net.now() - start;
    assert!(waited >= 110 * SECOND && waited <= 160 * SECOND, "{waited:?}");
    // A word from it makes up for the missing answer.
    peer.send(Header::data(0, S1F1, false, 99), &[]).await;
    net.sleep(10 * SECOND).await;
    assert!(passive.is_selected());
    assert_eq!(
        (passive.stats().linktests_forgiven, passive.stats().linktests_failed),
        (1, 0)
    );

    // Without that rule every test counts.
    let strict = Linktest::every(30 * SECOND).suppress(false);
    passive.stop().await;
    let (passive, mut peer) = equipment(&net, session(|session| session.linktest(strict))).await;
    for system in 0..3 {
        net.sleep(11 * SECOND).await;
        peer.send(Header::data(0, S1F1, false, system), &[]).await;
    }
    net.sleep(5 * SECOND).await;
    assert_eq!((passive.stats().linktests, passive.is_connected()), (1, false));
}

async fn old_equipment_may_miss_linktests() {
    let net = net();
    let lenient = linktest(30).failures(3);
    let (passive, mut peer) = equipment(&net, session(|session| session.linktest(lenient))).await;
    let mut events = passive.events();
    let start = net.now();
    for _ in 0..3 {
        assert_eq!(peer.receive().await.unwrap().header.s_type(), SType::LinktestReq);
    }
    assert!(peer.is_closed().await);
    assert_eq!(net.now() - start, 95 * SECOND);
    drop(peer);
    for count in 1..=3 {
        assert_eq!(events.next().await.unwrap().event, SessionEvent::LinktestFailed(count));
    }
}

async fn a_delay_before_the_select() {
    let net = net();
    let mut listener = net.bind(&mem()).await.unwrap();
    let options = session(|session| session.select_delay(Duration::from_millis(100)));
    let active = ActiveConnection::new(&net, mem(), options, ());
    active.enable().unwrap();
    let mut peer = Peer::of(&net, listener.accept().await.unwrap());
    let start = net.now();
    assert_eq!(peer.receive().await.unwrap().header.s_type(), SType::SelectReq);
    assert_eq!(net.now() - start, Duration::from_millis(100));
}

async fn equipment_that_is_not_ready_is_asked_again() {
    let net = net();
    let passive = PassiveConnection::new(&net, mem(), ConnectionOptions::new(0), Echo);
    passive.set_ready(false);
    passive.enable().await.unwrap();
    let active = ActiveConnection::new(&net, mem(), ConnectionOptions::new(0), ());
    let mut events = active.events();
    active.enable().unwrap();
    let mut refused = 0;
    let ready_at = net.now() + 35 * SECOND;
    while let Some(event) = events.next().await {
        match event.event {
            SessionEvent::Disconnected(reason) => {
                assert_eq!(reason, CloseReason::SelectRefused(SelectStatus::NotReady));
                refused += 1;
                if net.now() + 10 * SECOND > ready_at {
                    passive.set_ready(true);
                }
            }
            SessionEvent::Selected(_) => break,
            _ => {}
        }
    }
    assert!((2..=4).contains(&refused), "{refused}");
    active.request(S1F1, "").await.unwrap();
}

async fn events_tell_the_whole_life() {
    let net = net();
    let passive = PassiveConnection::new(&net, mem(), ConnectionOptions::new(0), Echo);
    let mut events = passive.events();
    passive.enable().await.unwrap();
    let mut peer = Peer::connect(&net, &mem()).await;
    peer.select().await;
    let unknown = Header::from_bytes([0, 0, 0, 0, 0, 99, 0, 0, 0, 1]);
    peer.send(unknown, &[]).await;
    peer.receive().await.unwrap();
    let foreign = Header::data(9, S1F1, false, 1);
    peer.send(foreign, &[]).await;
    peer.receive().await.unwrap();
    let unmatched = Header::data(0, S1F1.secondary(), false, 1);
    peer.send(unmatched, &[]).await;
    peer.send(Header::separate_req(Header::CONTROL, 1), &[]).await;
    assert!(peer.is_closed().await);
    drop(peer);
    passive.stop().await;
    let (mut told, mut lines) = (Vec::new(), Vec::new());
    while let Some(event) = events.next().await {
        let line = event.to_string();
        let (at, what) = line.split_once(' ').unwrap();
        assert_eq!(at, event.at.to_string());
        lines.push(what.to_owned());
        told.push(event.event);
    }
    assert_eq!(
        told,
        [
            SessionEvent::Connected,
            SessionEvent::Selected(Header::CONTROL),
            SessionEvent::Rejected(unknown, hsms::RejectReason::STypeNotSupported),
            SessionEvent::ForeignSession(foreign),
            SessionEvent::UnmatchedReply(unmatched),
            SessionEvent::Deselected(Header::CONTROL),
            SessionEvent::Disconnected(CloseReason::Separated),
        ]
    );
    assert_eq!(
        lines,
        [
            "connected".to_owned(),
            "selected".to_owned(),
            format!("rejected, SType not supported: {unknown}"),
            format!("data with a session id that is not ours: {foreign}"),
            format!("a reply that fits no open request: {unmatched}"),
            "not selected any more".to_owned(),
            "disconnected: the peer sent Separate.req".to_owned(),
        ]
    );
    assert_eq!(SessionEvent::Selected(7).to_string(), "session entity 7 selected");
    assert_eq!(events.missed(), 0);
}
