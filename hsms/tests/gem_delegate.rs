//! The delegate of equipment and hosts: communication over connections, handlers, what nobody handles.
#![cfg(feature = "gem")]

mod rig;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hsms::gem::{
    CommunicationState, EventReport, Gem, Hcack, Id, Model, S1F1, S1F3, S1F4, S1F13, S2F25, S2F41, S2F42, S6F11,
};
use hsms::item::Item;
use hsms::net_core::{Endpoint, Net};
use hsms::{
    ActiveConnection, Bytes, Connection, ConnectionOptions, Header, PassiveConnection, RequestError, StreamFunction,
};
use rig::{LIMIT, Peer, SECOND, eventually, patient};
use sim_io::Environment;
use sim_io::network::{Link, Network};

fn mem() -> Endpoint {
    "mem:gem".parse().unwrap()
}

fn model() -> Model {
    Model {
        mdln: "M1".into(),
        softrev: "2.0".into(),
    }
}

fn equipment() -> Gem {
    Gem::equipment(model()).on(|_, command: S2F41| async move {
        let known = command.rcmd == "START";
        S2F42 {
            hcack: if known { Hcack::Accepted } else { Hcack::UnknownCommand },
            parameters: Vec::new(),
        }
    })
}

async fn listen(net: &Net, gem: Arc<Gem>) -> (PassiveConnection, Endpoint) {
    let passive = PassiveConnection::new(net, mem(), patient(), gem);
    let at = passive.enable().await.unwrap();
    (passive, at)
}

/// A host that communicates with an equipment.
async fn both(net: &Net, equipment: Gem, host: Gem) -> (Arc<Gem>, PassiveConnection, Arc<Gem>, ActiveConnection) {
    let (there, here) = (Arc::new(equipment), Arc::new(host));
    let (passive, at) = listen(net, Arc::clone(&there)).await;
    let active = ActiveConnection::new(net, at, patient(), Arc::clone(&here));
    active.enable().unwrap();
    here.communicating(net, LIMIT).await.unwrap();
    there.communicating(net, LIMIT).await.unwrap();
    (there, passive, here, active)
}

#[tokio::test(start_paused = true)]
async fn both_ends_establish_communication_and_answer_what_all_answer() {
    let net = Net::os();
    let (_, passive, _, active) = both(&net, equipment(), Gem::host()).await;
    assert_eq!(active.request_of(&S1F1).await.unwrap().0, Some(model()));
    assert_eq!(passive.request_of(&S1F1).await.unwrap().0, None);
    for connection in [&active as &Connection, &passive] {
        let bytes = Bytes::from_static(&[1, 2, 3]);
        assert_eq!(connection.request_of(&S2F25(bytes.clone())).await.unwrap().0, bytes);
    }
    assert_eq!(active.request_of(&S1F13(None)).await.unwrap().model, Some(model()));
}

#[tokio::test(start_paused = true)]
async fn handlers_get_their_messages_as_rust_types() {
    let net = Net::os();
    let events = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&events);
    let host = Gem::host().on_notice(move |_, report: S6F11| {
        assert_eq!(report.0.ceid.number(), Some(7));
        counted.fetch_add(1, Ordering::Relaxed);
        async {}
    });
    let equipment = equipment().on(|connection: Connection, wanted: S1F3| async move {
        // A handler may make requests.
        assert_eq!(connection.request_of(&S1F1).await.unwrap().0, None);
        S1F4(wanted.0.into_iter().map(|id| id.0).collect())
    });
    let (_, passive, _, active) = both(&net, equipment, host).await;
    let start = |rcmd: &str| S2F41 {
        rcmd: rcmd.into(),
        parameters: Vec::new(),
    };
    assert_eq!(active.request_of(&start("START")).await.unwrap().hcack, Hcack::Accepted);
    assert_eq!(
        active.request_of(&start("FLY")).await.unwrap().hcack,
        Hcack::UnknownCommand
    );
    let values = active.request_of(&S1F3(vec![Id::from(3)])).await.unwrap().0;
    assert_eq!(values, [Item::u4(3)]);
    let report = S6F11(EventReport {
        dataid: Id::from(0),
        ceid: Id::from(7),
        reports: Vec::new(),
    });
    passive
        .notify(StreamFunction::new(6, 11), Item::of(&report).unwrap())
        .await
        .unwrap();
    eventually(&net, || events.load(Ordering::Relaxed) == 1).await;
}

#[tokio::test(start_paused = true)]
async fn what_nobody_handles_is_reported_by_an_equipment_and_aborted_by_a_host() {
    let net = Net::os();
    let (_, passive, _, active) = both(&net, equipment(), Gem::host()).await;
    let at = |stream, function| StreamFunction::new(stream, function);
    for (about, text, told) in [
        (at(99, 1), Item::u1(1), RequestError::StreamNine(3)),
        (at(2, 99), Item::u1(1), RequestError::StreamNine(5)),
        (at(2, 41), Item::u1(1), RequestError::StreamNine(7)),
    ] {
        assert_eq!(active.request(about, text.clone()).await.unwrap_err(), told, "{about}");
        assert_eq!(
            passive.request(about, text).await.unwrap_err(),
            RequestError::Aborted,
            "{about}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_reply_of_another_kind_is_an_error_of_its_own() {
    let net = Net::os();
    let odd = Gem::equipment(model())
        .lenient()
        .on_message(StreamFunction::new(1, 1), |_, _| async {
            Some(Item::u1(1).into_bytes())
        })
        .on_message(StreamFunction::new(1, 3), |_, _| async { None });
    let (_, _passive, _, active) = both(&net, odd, Gem::host()).await;
    let error = active.request_of(&S1F1).await.unwrap_err();
    assert!(matches!(error, RequestError::Unexpected(_)), "{error}");
    assert_eq!(
        active.request_of(&S1F3(Vec::new())).await.unwrap_err(),
        RequestError::Aborted
    );
}

#[tokio::test(start_paused = true)]
async fn before_communication_other_messages_are_aborted_unless_it_is_lenient() {
    let net = Net::os();
    let s1f1 = Header::data(0, StreamFunction::new(1, 1), true, 9);
    for lenient in [false, true] {
        let gem = Arc::new(if lenient { equipment().lenient() } else { equipment() });
        let (passive, at) = listen(&net, Arc::clone(&gem)).await;
        let mut peer = Peer::connect(&net, &at).await;
        peer.select().await;
        if !lenient {
            // It asks first.
            let asked = peer.receive().await.unwrap();
            assert_eq!(asked.stream_function(), StreamFunction::new(1, 13));
            assert_eq!(asked.read::<S1F13>().unwrap().0, Some(model()));
        }
        peer.send(s1f1, &[]).await;
        let function = peer.receive().await.unwrap().header.function();
        assert_eq!(function, if lenient { 2 } else { 0 });
        assert_eq!(gem.state(), CommunicationState::WaitCra);
        drop(peer);
        passive.stop().await;
    }
}

/// Consents to the S1F13, asks S1F1 in the same bytes, and expects S1F2.
async fn s1f1_right_behind_the_consent(peer: &mut Peer, asked: Header) {
    let consent = Item::list([Item::binary([0]), Item::list([])]);
    let s1f1 = Header::data(0, StreamFunction::new(1, 1), true, 9);
    let mut bytes = Vec::new();
    hsms::frame::encode(&asked.secondary(), consent.as_bytes(), &mut bytes).unwrap();
    hsms::frame::encode(&s1f1, &[], &mut bytes).unwrap();
    peer.bytes(&bytes).await;
    let answer = peer.receive().await.unwrap().header;
    assert_eq!(answer.stream_function(), StreamFunction::new(1, 2));
}

#[tokio::test(start_paused = true)]
async fn a_message_right_behind_the_consent_is_taken() {
    let net = Net::os();
    let (_passive, at) = listen(&net, Arc::new(equipment())).await;
    let mut peer = Peer::connect(&net, &at).await;
    peer.select().await;
    let asked = peer.receive().await.unwrap().header;
    s1f1_right_behind_the_consent(&mut peer, asked).await;
}

#[tokio::test(start_paused = true)]
async fn a_message_right_behind_the_consent_is_taken_while_another_request_is_open() {
    let net = Net::os();
    let (passive, at) = listen(&net, Arc::new(equipment())).await;
    let mut peer = Peer::connect(&net, &at).await;
    peer.select().await;
    let asked = peer.receive().await.unwrap().header;
    let other = passive.connection().clone();
    let other = net.spawn(async move { other.request(StreamFunction::new(2, 25), Item::u1(1)).await });
    // It is on its way, and stays unanswered.
    let unanswered = peer.receive().await.unwrap().header;
    assert_eq!(unanswered.stream_function(), StreamFunction::new(2, 25));
    s1f1_right_behind_the_consent(&mut peer, asked).await;
    assert_eq!(passive.open_transactions(), 1);
    drop(other);
}

#[tokio::test(start_paused = true)]
async fn a_refused_host_asks_again_after_the_delay() {
    let net = Net::os();
    let gem = Arc::new(equipment().delay(SECOND * 3));
    let (_passive, at) = listen(&net, Arc::clone(&gem)).await;
    let mut peer = Peer::connect(&net, &at).await;
    peer.select().await;
    let refusal = Item::list([Item::binary([1]), Item::list([])]);
    let mut refused = None;
    for _ in 0..3 {
        let asked = peer.receive().await.unwrap().header;
        assert_eq!(asked.stream_function(), StreamFunction::new(1, 13));
        if let Some(refused) = refused {
            assert!(net.now() - refused >= SECOND * 3);
        }
        peer.send(asked.secondary(), refusal.as_bytes()).await;
        eventually(&net, || gem.state() == CommunicationState::WaitDelay).await;
        refused = Some(net.now() - SECOND / 10);
    }
    let asked = peer.receive().await.unwrap().header;
    let consent = Item::list([Item::binary([0]), Item::list([])]);
    peer.send(asked.secondary(), consent.as_bytes()).await;
    gem.communicating(&net, LIMIT).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn d20_a_broken_connection_ends_communication_and_the_next_begins_it_anew() {
    let net = Net::os();
    let gem = Arc::new(equipment());
    let (_passive, at) = listen(&net, Arc::clone(&gem)).await;
    for _ in 0..3 {
        let host = ActiveConnection::new(&net, at.clone(), ConnectionOptions::new(0), Gem::host());
        host.enable().unwrap();
        host.selected(LIMIT).await.unwrap();
        gem.communicating(&net, LIMIT).await.unwrap();
        host.stop().await;
        eventually(&net, || gem.state() == CommunicationState::NotCommunicating).await;
    }
    assert!(gem.communicating(&net, SECOND).await.is_err());
}

#[test]
fn a_host_that_lost_its_equipment_communicates_again_only_when_it_is_back() {
    let env = Environment::with_seed(3);
    let network = Network::new(&env);
    network.set_default_link(Link::default().latency(Duration::from_millis(2)));
    let tool = network.host("tool").unwrap();
    let (there, here) = (tool.net(), network.host("host").unwrap().net());
    let process = env.process(async move {
        let status = || Gem::equipment(model()).on(|_, _: S1F3| async { S1F4(vec![Item::ascii("IDLE")]) });
        let listening = async |net: &Net| {
            let at = "tcp://tool:5000".parse().unwrap();
            let equipment = PassiveConnection::new(net, at, ConnectionOptions::new(0), status());
            let at = equipment.enable().await.unwrap();
            (equipment, at)
        };
        let (_dead, at) = listening(&there).await;
        let gem = Arc::new(Gem::host());
        let host = ActiveConnection::new(&here, at, ConnectionOptions::new(0), Arc::clone(&gem));
        host.enable().unwrap();
        gem.communicating(&here, LIMIT).await.unwrap();
        tool.crash();
        let failure = loop {
            let failure = host.request_of(&S1F3(vec![Id::from(1)])).await.unwrap_err();
            if !matches!(failure, RequestError::TimedOut { .. }) {
                break failure;
            }
        };
        assert!(matches!(failure, RequestError::Disconnected(_)), "{failure}");
        // At this very moment: who waits now and asks again must not be told that all is well.
        assert_eq!(gem.state(), CommunicationState::NotCommunicating);
        assert!(gem.communicating(&here, SECOND).await.is_err());
        tool.restart();
        let (equipment, _) = listening(&there).await;
        gem.communicating(&here, LIMIT).await.unwrap();
        let S1F4(values) = host.request_of(&S1F3(vec![Id::from(1)])).await.unwrap();
        assert_eq!(values, [Item::ascii("IDLE")]);
        host.stop().await;
        equipment.stop().await;
    });
    env.run_until(&process).unwrap();
}
