//! Connections inside TLS.
#![cfg(feature = "tls")]

#[path = "rig/mod.rs"]
mod common;

use common::backend::{net, on_each_backend};
use common::{Echo, LIMIT, Peer, S2F25, patient, until};
use hsms::net_core::{ErrorKind, TlsClient, TlsServer};
use hsms::session::SessionEvent;
use hsms::{ActiveConnection, Bytes, Connection, Endpoint, Net, PassiveConnection};
use rcgen::{CertifiedKey, KeyPair, generate_simple_self_signed};

on_each_backend!(
    a_session_inside_tls,
    a_host_that_does_not_trust_the_equipment,
    a_peer_without_tls_does_not_disturb_the_next,
);

fn certificate() -> CertifiedKey<KeyPair> {
    generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap()
}

/// A network whose listeners show the one certificate, and whose connections trust the other.
fn secured(shown: &CertifiedKey<KeyPair>, trusted: &CertifiedKey<KeyPair>) -> Net {
    let key = shown.signing_key.serialize_pem();
    let server = TlsServer::builder().identity_pem(shown.cert.pem().as_bytes(), key.as_bytes());
    let client = TlsClient::builder().root_pem(trusted.cert.pem().as_bytes());
    net()
        .with_server_tls(server.build().unwrap())
        .with_client_tls(client.build().unwrap())
}

async fn listen(net: &Net) -> (PassiveConnection, Endpoint) {
    let passive = PassiveConnection::new(net, "tls://127.0.0.1:0".parse().unwrap(), patient(), Echo);
    let at = passive.enable().await.unwrap();
    assert!(at.is_tls());
    (passive, at)
}

async fn a_session_inside_tls() {
    let key = certificate();
    let net = secured(&key, &key);
    let (passive, at) = listen(&net).await;
    let active = ActiveConnection::new(&net, at, patient(), ());
    for _ in 0..3 {
        active.enable().unwrap();
        active.selected(LIMIT).await.unwrap();
        for size in [0, 1, 100_000] {
            let text = Bytes::from(vec![7; size]);
            assert_eq!(active.request(S2F25, text.clone()).await.unwrap().text, text);
        }
        active.linktest().await.unwrap();
        active.stop().await;
    }
    passive.stop().await;
    assert_eq!(active.stats().connections, 3);
}

async fn a_host_that_does_not_trust_the_equipment() {
    let net = secured(&certificate(), &certificate());
    let (_passive, at) = listen(&net).await;
    let active = ActiveConnection::new(&net, at, patient(), ());
    let mut events = active.events();
    active.enable().unwrap();
    let event = net.timeout(LIMIT, events.next()).await.unwrap().unwrap().event;
    let SessionEvent::ConnectFailed(error) = event else {
        panic!("{event:?}");
    };
    assert!(matches!(error.kind(), ErrorKind::Tls(_)), "{error}");
    active.stop().await;
}

async fn a_peer_without_tls_does_not_disturb_the_next() {
    let key = certificate();
    let net = secured(&key, &key);
    let (passive, at) = listen(&net).await;
    let plain: Endpoint = at.to_string().replace("tls:", "tcp:").parse().unwrap();
    let mut peer = Peer::connect(&net, &plain).await;
    peer.send(hsms::Header::select_req(hsms::Header::CONTROL, 1), &[]).await;
    // Closed, perhaps after a TLS alert, which is no HSMS.
    let mut rest = Vec::new();
    let _ = tokio::io::AsyncReadExt::read_to_end(&mut peer.stream, &mut rest).await;
    assert!(rest.first().is_none_or(|byte| *byte == 21), "{rest:?}");
    drop(peer);
    let active = ActiveConnection::new(&net, at, patient(), ());
    active.enable().unwrap();
    active.selected(LIMIT).await.unwrap();
    until(&passive, Connection::is_selected).await;
    active.stop().await;
}
