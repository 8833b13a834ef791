//! What the original gets wrong, each by the number that it has in the notes on it: the same must not happen here. `d` is
//! secsgem 0.3.0, `p` the connection layer of 0.1.0; others are where their subject is: p01, p04, p05, p07, d18 in
//! connections, p03 there and in links, d19 in item and sml, d20 in gem.

#[path = "rig/mod.rs"]
mod common;

use common::backend::{net, on_each_backend, where_nothing_is_lost, where_time_jumps};
use common::{Echo, LIMIT, Peer, Recorder, S1F1, S2F25, SECOND, linktest, pair, patient, tcp, until};
use hsms::net_core::{Endpoint, Net};
use hsms::session::{CloseReason, SessionEvent, State};
use hsms::{
    ActiveConnection, ConnectionOptions, Header, Message, PassiveConnection, RejectReason, RequestError, SType,
    SelectStatus, SessionOptions, StreamFunction, Timer, Timers, frame,
};

on_each_backend!(
    d01_separate_ends_the_session_and_the_connection,
    d02_half_a_frame_and_a_drop_leave_a_passive_connection_as_it_was,
    d03_p06_a_length_that_cannot_be_closes_the_connection_at_once,
    d04_an_unknown_s_type_is_rejected_and_what_follows_is_handled_at_once,
    d05_an_unknown_p_type_is_rejected,
    d06_a_foreign_session_id_gets_no_normal_reply,
    d07_statuses_are_looked_at,
    d08_a_response_to_nothing_is_rejected_with_its_own_session_id,
    d10_the_state_changes_before_the_answer,
    d11_a_reject_is_no_reply,
    d12_a_message_for_nobody_is_answered,
    d13_disabling_a_listening_connection_returns,
    d15_an_answer_belongs_to_the_connection_of_its_question,
    d16_a_large_message_through_a_narrow_way_comes_whole,
    d17_sixteen_mebibytes_there_and_back,
);

// Over a bad link a new connection may overtake the end of the one before, and is refused then.
where_nothing_is_lost!(d14_a_thousand_quick_reconnects);

where_time_jumps!(
    d02_half_a_frame_ends_the_connection_after_t8,
    d02_a_connection_that_is_not_selected_ends_after_t7,
    d09_a_linktest_without_an_answer_ends_the_connection_after_t6,
    d09_a_select_without_an_answer_ends_the_connection_after_t6_and_another_follows_after_t5,
    p02_the_dial_loop_keeps_t5_and_can_be_stopped_while_it_waits,
);

fn mem() -> Endpoint {
    "mem:equipment".parse().unwrap()
}

async fn listening(net: &Net, at: Endpoint, options: ConnectionOptions) -> (PassiveConnection, Endpoint) {
    let passive = PassiveConnection::new(net, at, options, Echo);
    let at = passive.enable().await.unwrap();
    (passive, at)
}

async fn selected(net: &Net, at: &Endpoint) -> Peer {
    let mut peer = Peer::connect(net, at).await;
    peer.select().await;
    peer
}

fn s1f1(system: u32) -> Header {
    Header::data(0, S1F1, true, system)
}

async fn d01_separate_ends_the_session_and_the_connection() {
    let net = net();
    let (passive, at) = listening(&net, tcp(), patient()).await;
    let mut events = passive.events();
    let mut peer = selected(&net, &at).await;
    peer.send(Header::separate_req(Header::CONTROL, 2), &[]).await;
    // Nothing is answered, and the other side closes.
    peer.send(s1f1(3), &[]).await;
    assert!(peer.is_closed().await);
    drop(peer);
    loop {
        match events.next().await.unwrap().event {
            SessionEvent::Disconnected(reason) => break assert_eq!(reason, CloseReason::Separated),
            _ => assert_ne!(passive.state(), State::NotConnected),
        }
    }
    assert!(!passive.is_connected());
}

async fn d02_half_a_frame_and_a_drop_leave_a_passive_connection_as_it_was() {
    let net = net();
    let (passive, at) = listening(&net, tcp(), patient()).await;
    for length in [1, 4, 9, 13] {
        let mut peer = selected(&net, &at).await;
        let mut bytes = Vec::new();
        frame::encode(&s1f1(9), &[], &mut bytes).unwrap();
        peer.bytes(&bytes[..length]).await;
        drop(peer);
        until(&passive, |it| !it.is_connected()).await;
    }
    selected(&net, &at).await;
    passive.stop().await;
}

async fn d02_half_a_frame_ends_the_connection_after_t8() {
    let net = net();
    let mut options = ConnectionOptions::new(0);
    options.session = options.session.linktest(None);
    let (passive, at) = listening(&net, mem(), options).await;
    let mut events = passive.events();
    let mut peer = selected(&net, &at).await;
    net.sleep(3 * SECOND).await;
    let start = net.now();
    // A slow but steady sender is no matter.
    for byte in [0, 0, 0, 10, 0, 0, 0x81, 1] {
        peer.bytes(&[byte]).await;
        net.sleep(4 * SECOND).await;
    }
    assert!(peer.is_closed().await);
    // It waits for our side to close before its own end, for the linger time.
    let took = net.now() - start;
    assert!(took >= 33 * SECOND && took <= 35 * SECOND, "{took:?}");
    drop(peer);
    while let Some(event) = events.next().await {
        if let SessionEvent::Disconnected(reason) = event.event {
            return assert_eq!(reason, CloseReason::TimedOut(Timer::T8));
        }
    }
    panic!("no end");
}

async fn d02_a_connection_that_is_not_selected_ends_after_t7() {
    let net = net();
    let (_passive, at) = listening(&net, mem(), ConnectionOptions::new(0)).await;
    let start = net.now();
    let mut peer = Peer::connect(&net, &at).await;
    peer.send(Header::linktest_req(1), &[]).await;
    assert_eq!(peer.receive().await.unwrap().header.s_type(), SType::LinktestRsp);
    assert!(peer.is_closed().await);
    assert_eq!(net.now() - start, 10 * SECOND);
    drop(peer);
    net.sleep(5 * SECOND).await;

    // It runs again after a Deselect, and not while selected.
    let mut peer = selected(&net, &at).await;
    net.sleep(20 * SECOND).await;
    let start = net.now();
    peer.send(Header::deselect_req(Header::CONTROL, 2), &[]).await;
    let answer = peer.receive().await.unwrap().header;
    assert_eq!((answer.s_type(), answer.byte3()), (SType::DeselectRsp, 0));
    assert!(peer.is_closed().await);
    assert_eq!(net.now() - start, 10 * SECOND);
}

async fn d03_p06_a_length_that_cannot_be_closes_the_connection_at_once() {
    let net = net();
    let (passive, at) = listening(&net, tcp(), patient().max_text(1000)).await;
    for length in [0_u32, 9, 1011, 0xFFFF_FFF0, u32::MAX] {
        let mut peer = selected(&net, &at).await;
        peer.bytes(&length.to_be_bytes()).await;
        assert!(peer.is_closed().await, "{length}");
        drop(peer);
        until(&passive, |it| !it.is_connected()).await;
    }
    let mut peer = selected(&net, &at).await;
    let longest = vec![7; 1000];
    peer.send(Header::data(0, S2F25, true, 1), &longest).await;
    assert_eq!(peer.receive().await.unwrap().text, longest);
}

async fn d04_an_unknown_s_type_is_rejected_and_what_follows_is_handled_at_once() {
    let net = net();
    let (_passive, at) = listening(&net, tcp(), patient()).await;
    let mut peer = selected(&net, &at).await;
    let unknown = Header::from_bytes([0, 3, 0, 0, 0, 77, 0, 0, 0, 5]);
    let mut segment = Vec::new();
    frame::encode(&unknown, &[], &mut segment).unwrap();
    frame::encode(&s1f1(6), &[], &mut segment).unwrap();
    peer.bytes(&segment).await;
    let expected = Header::reject_req(&unknown, RejectReason::STypeNotSupported);
    assert_eq!(expected.to_bytes(), [0, 3, 77, 1, 0, 7, 0, 0, 0, 5]);
    assert_eq!(peer.receive().await.unwrap().header, expected);
    assert_eq!(peer.receive().await.unwrap().header, s1f1(6).secondary());
}

async fn d05_an_unknown_p_type_is_rejected() {
    let net = net();
    let (_passive, at) = listening(&net, tcp(), patient()).await;
    let mut peer = selected(&net, &at).await;
    peer.send(Header::from_bytes([0, 0, 0x81, 1, 3, 0, 0, 0, 0, 5]), b"text")
        .await;
    let answer = peer.receive().await.unwrap().header;
    assert_eq!(answer.to_bytes(), [0, 0, 3, 2, 0, 7, 0, 0, 0, 5]);
    peer.send(s1f1(6), &[]).await;
    assert_eq!(peer.receive().await.unwrap().header, s1f1(6).secondary());
}

async fn d06_a_foreign_session_id_gets_no_normal_reply() {
    let net = net();
    let (passive, at) = listening(&net, tcp(), patient()).await;
    let mut peer = selected(&net, &at).await;
    let foreign = s1f1(5).with_session_id(42);
    peer.send(foreign, &[]).await;
    let answer = peer.receive().await.unwrap();
    assert_eq!(answer.stream_function(), StreamFunction::new(9, 1));
    assert_eq!((answer.header.session_id(), answer.header.w()), (0, false));
    assert_eq!(answer.text[..2], [0x21, 10]);
    assert_eq!(answer.text[2..], foreign.to_bytes());
    assert_eq!(passive.stats().foreign, 1);
}

async fn d07_statuses_are_looked_at() {
    let net = net();
    let mut listener = net.bind(&tcp()).await.unwrap();
    let active = ActiveConnection::new(&net, listener.local().clone(), patient(), ());
    let mut events = active.events();
    active.enable().unwrap();
    for status in [SelectStatus::NotReady, SelectStatus::Exhausted, SelectStatus::Other(77)] {
        let mut peer = Peer::of(&net, listener.accept().await.unwrap());
        let request = peer.receive().await.unwrap().header;
        assert_eq!(
            (request.s_type(), request.session_id()),
            (SType::SelectReq, Header::CONTROL)
        );
        // One that answers nothing is rejected, and selects nothing.
        peer.send(
            Header::select_rsp(&request.with_system(999), SelectStatus::Established),
            &[],
        )
        .await;
        assert_eq!(
            peer.receive().await.unwrap().header.reject_reason(),
            RejectReason::TransactionNotOpen
        );
        assert_eq!(active.state(), State::NotSelected);
        peer.send(Header::select_rsp(&request, status), &[]).await;
        assert!(peer.is_closed().await);
        drop(peer);
        loop {
            match events.next().await.unwrap().event {
                SessionEvent::Disconnected(reason) => break assert_eq!(reason, CloseReason::SelectRefused(status)),
                event => assert!(!matches!(event, SessionEvent::Selected(_))),
            }
        }
    }
    active.stop().await;

    let (_passive, at) = listening(&net, tcp(), patient()).await;
    let mut peer = Peer::connect(&net, &at).await;
    peer.send(Header::deselect_req(Header::CONTROL, 1), &[]).await;
    assert_eq!(peer.receive().await.unwrap().header.byte3(), 1);
    peer.select().await;
    peer.send(Header::select_req(Header::CONTROL, 2), &[]).await;
    assert_eq!(
        peer.receive().await.unwrap().header.select_status(),
        SelectStatus::AlreadyActive
    );
}

async fn d08_a_response_to_nothing_is_rejected_with_its_own_session_id() {
    let net = net();
    let (_passive, at) = listening(&net, tcp(), patient()).await;
    let mut peer = selected(&net, &at).await;
    for s_type in [2, 4, 6] {
        let response = Header::from_bytes([0, 5, 0, 0, 0, s_type, 0, 0, 0, 9]);
        peer.send(response, &[]).await;
        let answer = peer.receive().await.unwrap().header;
        assert_eq!(answer.to_bytes(), [0, 5, s_type, 3, 0, 7, 0, 0, 0, 9]);
    }
}

async fn d09_a_linktest_without_an_answer_ends_the_connection_after_t6() {
    let net = net();
    let mut options = ConnectionOptions::new(0);
    options.session = options.session.linktest(linktest(30));
    let (passive, at) = listening(&net, mem(), options).await;
    let mut events = passive.events();
    let mut peer = selected(&net, &at).await;
    let start = net.now();
    for round in 1..=2 {
        let test = peer.receive().await.unwrap().header;
        assert_eq!(
            (test.s_type(), test.session_id()),
            (SType::LinktestReq, Header::CONTROL)
        );
        assert_eq!(net.now() - start, 30 * round * SECOND);
        peer.send(Header::linktest_rsp(&test), &[]).await;
    }
    peer.receive().await.unwrap();
    assert!(peer.is_closed().await);
    assert_eq!(net.now() - start, (90 + 5) * SECOND);
    drop(peer);
    while let Some(event) = events.next().await {
        if let SessionEvent::Disconnected(reason) = event.event {
            return assert_eq!(reason, CloseReason::LinktestFailed(1));
        }
    }
    panic!("no end");
}

async fn d09_a_select_without_an_answer_ends_the_connection_after_t6_and_another_follows_after_t5() {
    let net = net();
    let mut listener = net.bind(&mem()).await.unwrap();
    let active = ActiveConnection::new(&net, mem(), ConnectionOptions::new(0), ());
    active.enable().unwrap();
    let mut last = None;
    for _ in 0..3 {
        let mut peer = Peer::of(&net, listener.accept().await.unwrap());
        let start = net.now();
        if let Some(end) = last {
            assert_eq!(start - end, 10 * SECOND);
        }
        assert_eq!(peer.receive().await.unwrap().header.s_type(), SType::SelectReq);
        assert!(peer.is_closed().await);
        assert_eq!(net.now() - start, 5 * SECOND);
        drop(peer);
        last = Some(net.now());
    }
}

async fn d10_the_state_changes_before_the_answer() {
    let net = net();
    let (_passive, at) = listening(&net, tcp(), patient()).await;
    for _ in 0..20 {
        let mut peer = Peer::connect(&net, &at).await;
        // In one segment, before any answer.
        let mut segment = Vec::new();
        frame::encode(&Header::select_req(Header::CONTROL, 1), &[], &mut segment).unwrap();
        frame::encode(&s1f1(2), &[], &mut segment).unwrap();
        frame::encode(&Header::deselect_req(Header::CONTROL, 3), &[], &mut segment).unwrap();
        peer.bytes(&segment).await;
        assert_eq!(
            peer.receive().await.unwrap().header.to_bytes(),
            [255, 255, 0, 0, 0, 2, 0, 0, 0, 1]
        );
        let mut rest = [
            peer.receive().await.unwrap().header,
            peer.receive().await.unwrap().header,
        ];
        rest.sort_by_key(|header| header.s_type());
        // The deselection may overtake the answer, which is then none.
        assert_eq!(rest[1].s_type(), SType::DeselectRsp);
        assert_eq!((rest[0], rest[1].byte3()), (s1f1(2).secondary(), 0));
        peer.send(Header::select_req(Header::CONTROL, 4), &[]).await;
        peer.receive().await.unwrap();
        peer.send(Header::separate_req(Header::CONTROL, 5), &[]).await;
        assert!(peer.is_closed().await);
    }
}

async fn d11_a_reject_is_no_reply() {
    let net = net();
    let (passive, at) = listening(&net, tcp(), patient()).await;
    let mut peer = selected(&net, &at).await;
    let asking = passive.connection().clone();
    let asked = net.spawn(async move { asking.request(S2F25, "x").await }).unwrap();
    let request = peer.receive().await.unwrap().header;
    // As the original sends it, whatever the request's session id.
    let reject = Header::reject_req(&request.with_session_id(0xFFFF), RejectReason::NotSelected);
    peer.send(reject, &[]).await;
    assert_eq!(
        asked.await.unwrap(),
        Err(RequestError::Rejected(RejectReason::NotSelected))
    );
}

async fn d12_a_message_for_nobody_is_answered() {
    let net = net();
    let passive = PassiveConnection::new(&net, tcp(), patient(), ());
    let at = passive.enable().await.unwrap();
    let mut peer = selected(&net, &at).await;
    peer.send(Header::data(0, StreamFunction::new(99, 99), true, 5), &[])
        .await;
    let answer = peer.receive().await.unwrap().header;
    assert_eq!(answer, Header::data(0, StreamFunction::new(99, 0), false, 5));
    assert_eq!(passive.stats().unanswered, 1);

    // One that looks at it reports it; the system bytes are the report's own.
    let mut primaries = passive.primaries();
    let unknown = Header::data(0, StreamFunction::new(99, 99), true, 6);
    peer.send(unknown, &[]).await;
    primaries.next().await.unwrap().report(3);
    let report = peer.receive().await.unwrap();
    assert_eq!(report.stream_function(), StreamFunction::new(9, 3));
    assert_ne!(report.header.system(), 6);
    assert_eq!(report.text[2..], unknown.to_bytes());
}

async fn d13_disabling_a_listening_connection_returns() {
    let net = net();
    for _ in 0..10 {
        let (passive, at) = listening(&net, tcp(), patient()).await;
        passive.stop().await;
        let (again, _) = listening(&net, at, patient()).await;
        again.stop().await;
    }
}

async fn d14_a_thousand_quick_reconnects() {
    let net = net();
    let record = Recorder::default();
    let passive = PassiveConnection::new(&net, tcp(), patient(), record.clone());
    let at = passive.enable().await.unwrap();
    let active = ActiveConnection::new(&net, at, patient(), ());
    for _ in 0..1000 {
        active.enable().unwrap();
        active.selected(LIMIT).await.unwrap();
        active.stop().await;
    }
    until(&passive, |it| !it.is_connected()).await;
    assert_eq!(passive.stats().connections, 1000, "none was refused");
    assert_eq!(active.stats().connections, 1000);
    record.times(&net, "Connection terminated", 1000).await;
    passive.stop().await;
}

async fn d15_an_answer_belongs_to_the_connection_of_its_question() {
    let net = net();
    let passive = PassiveConnection::new(&net, tcp(), patient(), ());
    let mut primaries = passive.primaries();
    let at = passive.enable().await.unwrap();
    let mut first = selected(&net, &at).await;
    first.send(s1f1(5), &[]).await;
    let old = primaries.next().await.unwrap();
    drop(first);
    until(&passive, |it| !it.is_connected()).await;

    let mut second = selected(&net, &at).await;
    second.send(s1f1(5), &[]).await;
    let new = primaries.next().await.unwrap();
    assert_eq!(old.reply("wrong").await, Err(RequestError::NotConnected));
    new.reply("right").await.unwrap();
    assert_eq!(second.receive().await.unwrap().text, "right");
}

async fn d16_a_large_message_through_a_narrow_way_comes_whole() {
    let net = net();
    let (passive, active) = pair(&net, &patient(), Echo).await;
    let text: Vec<u8> = (0..3_000_000_u32).map(|i| (i ^ (i >> 8) ^ (i >> 16)) as u8).collect();
    let both = (active.request(S2F25, text.clone()), active.request(S2F25, text.clone()));
    let (one, other) = tokio::join!(both.0, both.1);
    assert!(one.unwrap().text == text && other.unwrap().text == text);
    passive.stop().await;
}

async fn d17_sixteen_mebibytes_there_and_back() {
    let net = net();
    let (passive, active) = pair(&net, &patient(), Echo).await;
    let text = vec![0x55; 16 << 20];
    assert!(active.request(S2F25, text.clone()).await.unwrap().text == text);
    let long = active.request(S2F25, vec![0; (16 << 20) + 1]).await.unwrap_err();
    assert!(matches!(long, RequestError::Unsendable(_)), "{long}");
    assert_eq!(active.open_transactions(), 0);
    active
        .send(&Message::header_only(Header::linktest_req(1)))
        .await
        .unwrap();
    passive.stop().await;
}

async fn p02_the_dial_loop_keeps_t5_and_can_be_stopped_while_it_waits() {
    let net = net();
    // Below a second too, and no whole number of anything.
    for t5 in [10 * SECOND, SECOND * 7 / 20] {
        let options = SessionOptions::new(0).timers(Timers::default().t5(t5));
        let active = ActiveConnection::new(&net, mem(), options.into(), ());
        let mut events = active.events();
        active.enable().unwrap();
        let start = net.now();
        for count in 0..5_u32 {
            let event = events.next().await.unwrap();
            assert!(matches!(event.event, SessionEvent::ConnectFailed(_)));
            assert_eq!(event.at - start, count * t5);
        }
        let now = net.now();
        active.stop().await;
        assert_eq!(net.now(), now);
        // The first try after each enabling is free.
        active.enable().unwrap();
        assert_eq!(events.next().await.unwrap().at, now);
        active.stop().await;
    }
}
