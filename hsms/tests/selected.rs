//! Waiting to be selected: what the error says when nothing comes of it.

#[path = "rig/mod.rs"]
mod common;

use common::{LIMIT, Peer, SECOND, patient};
use hsms::net_core::{Endpoint, Net, TimeoutKind};
use hsms::{ActiveConnection, ConnectionOptions, ErrorKind, Header, PassiveConnection, SelectStatus};

fn mem() -> Endpoint {
    "mem:selected".parse().unwrap()
}

/// What it fails of, and what it says, when it waits for so many seconds.
async fn fails(connection: &hsms::Connection, seconds: u32) -> (ErrorKind, String) {
    let error = connection.selected(SECOND * seconds).await.unwrap_err();
    assert_eq!(error.endpoint(), Some(&mem()));
    (error.kind(), error.to_string())
}

const TIMEOUT: ErrorKind = ErrorKind::Timeout(TimeoutKind::Request);

#[tokio::test(start_paused = true)]
async fn what_is_not_enabled_is_closed_at_once() {
    let net = Net::os();
    let began = net.now();
    let active = ActiveConnection::new(&net, mem(), ConnectionOptions::new(0), ());
    let passive = PassiveConnection::new(&net, mem(), ConnectionOptions::new(0), ());
    for connection in [active.connection(), passive.connection()] {
        let (kind, text) = fails(connection, 60).await;
        assert_eq!(kind, ErrorKind::Closed);
        assert!(text.contains("call `enable()` first"), "{text}");
    }
    active.enable().unwrap();
    active.stop().await;
    let (kind, text) = fails(&active, 60).await;
    assert_eq!(kind, ErrorKind::Closed);
    assert!(text.contains("disabled"), "{text}");
    // Nothing was waited for.
    assert!(net.now() - began < SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_refuses_is_told_and_a_later_one_is_found() {
    let net = Net::os();
    let active = ActiveConnection::new(&net, mem(), ConnectionOptions::new(0), ());
    active.enable().unwrap();
    let (kind, text) = fails(&active, 15).await;
    assert_eq!(kind, ErrorKind::Refused);
    assert!(text.contains("nothing accepts connections there"), "{text}");
    assert!(text.contains("not selected within 15s"), "{text}");
    let passive = PassiveConnection::new(&net, mem(), ConnectionOptions::new(0), ());
    passive.enable().await.unwrap();
    active.selected(SECOND * 15).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_does_not_answer_is_told() {
    let net = Net::os();
    let mut listener = net.bind(&mem()).await.unwrap();
    let active = ActiveConnection::new(&net, mem(), patient(), ());
    active.enable().unwrap();
    let _silent = listener.accept().await.unwrap();
    let (kind, text) = fails(&active, 1).await;
    assert_eq!(kind, TIMEOUT);
    assert!(text.contains("has not answered Select"), "{text}");
    // T6 and T5 pass, and its second connection waits as the first did.
    let (kind, text) = fails(&active, 120).await;
    assert_eq!(kind, TIMEOUT, "{text}");
    active.stop().await;
}

#[tokio::test(start_paused = true)]
async fn the_reason_of_a_lost_connection_is_told() {
    let net = Net::os();
    let mut listener = net.bind(&mem()).await.unwrap();
    let active = ActiveConnection::new(&net, mem(), ConnectionOptions::new(0), ());
    active.enable().unwrap();
    let mut peer = Peer::of(&net, listener.accept().await.unwrap());
    let asked = peer.receive().await.unwrap().header;
    peer.send(Header::select_rsp(&asked, SelectStatus::NotReady), &[]).await;
    let (kind, text) = fails(&active, 5).await;
    assert_eq!(kind, ErrorKind::Closed);
    assert!(text.contains("refused our Select"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn the_side_that_waits_tells_whether_anybody_came() {
    let net = Net::os();
    let passive = PassiveConnection::new(&net, mem(), patient(), ());
    let at = passive.enable().await.unwrap();
    let (kind, text) = fails(&passive, 1).await;
    assert_eq!(kind, TIMEOUT);
    assert!(text.contains("no peer has connected"), "{text}");
    let _peer = Peer::connect(&net, &at).await;
    let (kind, text) = fails(&passive, 1).await;
    assert_eq!(kind, TIMEOUT);
    assert!(text.contains("has sent no Select"), "{text}");
    passive.disable();
    net.timeout(LIMIT, passive.disabled()).await.unwrap();
}
