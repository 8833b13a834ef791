//! The same server over TLS and Unix sockets.

#![cfg(all(feature = "tls", unix))]

mod common;

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use common::backend::{net, on_backend, on_each_backend, running_on};
use common::{LIMIT, Raw, connect, endpoint, sample};
use oneline::net_core::{
    BindOptions, SocketOptions, TlsClient, TlsClientBuilder, TlsFault, TlsServer, TlsServerBuilder,
};
use oneline::{Admission, Endpoint, ErrorKind, Net, Running, Server};
use rcgen::{CertifiedKey, KeyPair, generate_simple_self_signed};

on_each_backend!(
    over_tls,
    a_client_that_does_not_trust_the_server,
    a_client_that_speaks_no_tls_and_one_that_says_nothing,
    the_server_may_demand_certificates_and_see_them,
    a_rejected_client_is_told_under_tls_too,
    over_an_abstract_unix_socket,
);

/// Simulated hosts have no files.
mod files {
    super::on_backend!(tokio Tokio, over_a_unix_socket);
    super::on_backend!(reactor Mio, over_a_unix_socket);
}

fn certificate() -> CertifiedKey<KeyPair> {
    generate_simple_self_signed(["127.0.0.1".to_owned(), "localhost".to_owned()]).unwrap()
}

fn server_tls(of: &CertifiedKey<KeyPair>) -> TlsServerBuilder {
    TlsServer::builder().identity_pem(of.cert.pem().as_bytes(), of.signing_key.serialize_pem().as_bytes())
}

fn client_tls(of: &CertifiedKey<KeyPair>) -> TlsClientBuilder {
    TlsClient::builder().root_pem(of.cert.pem().as_bytes())
}

async fn conversation(net: &Net, running: &Running) {
    let mut client = connect(net, running.endpoint()).await.unwrap();
    assert_eq!(client.request("cmd01").await.unwrap(), "ack");
    assert_eq!(client.request("junk").await.unwrap(), "nak - unknown cmd");
    client.disconnect().await.unwrap();
    let mut raw = Raw::connect(net, running).await;
    raw.send("ping\r\ncmd01\n").await;
    raw.finish().await;
    assert_eq!(raw.rest().await, "pong\nack\n");
    drop(raw);
    let mut client = connect(net, running.endpoint()).await.unwrap();
    client.shutdown().await.unwrap();
    running.wait().await;
    assert!(connect(net, running.endpoint()).await.is_err());
}

async fn over_tls() {
    let key = certificate();
    let net = net()
        .with_server_tls(server_tls(&key).build().unwrap())
        .with_client_tls(client_tls(&key).build().unwrap());
    let running = sample().start(&net, &endpoint("tls://127.0.0.1:0")).await.unwrap();
    assert!(running.endpoint().is_tls() && running.endpoint().port() != Some(0));
    conversation(&net, &running).await;
}

async fn a_client_that_does_not_trust_the_server() {
    let (key, other) = (certificate(), certificate());
    let net = net()
        .with_server_tls(server_tls(&key).build().unwrap())
        .with_client_tls(client_tls(&other).build().unwrap());
    let running = sample().start(&net, &endpoint("tls://127.0.0.1:0")).await.unwrap();
    let error = connect(&net, running.endpoint()).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Tls(_)), "{error}");
    // The place is free again.
    let net = net.with_client_tls(client_tls(&key).build().unwrap());
    conversation(&net, &running).await;
}

async fn a_client_that_speaks_no_tls_and_one_that_says_nothing() {
    let key = certificate();
    let net = net()
        .with_server_tls(server_tls(&key).build().unwrap())
        .with_client_tls(client_tls(&key).build().unwrap());
    let options = BindOptions::default().handshake_timeout(std::time::Duration::from_secs(3));
    let running = sample()
        .bind_options(options)
        .start(&net, &endpoint("tls://127.0.0.1:0"))
        .await
        .unwrap();
    let plain = endpoint(&running.endpoint().to_string().replace("tls://", "tcp://"));
    let mut lost = Raw::to(&net, &plain).await;
    lost.send("ping\n").await;
    assert!(!lost.rest().await.contains("pong"));
    let mut silent = Raw::to(&net, &plain).await;
    assert_eq!(silent.rest().await, "");
    conversation(&net, &running).await;
}

async fn the_server_may_demand_certificates_and_see_them() {
    let (key, own) = (certificate(), certificate());
    let tls = server_tls(&key).client_root_pem(own.cert.pem().as_bytes());
    let net = net().with_server_tls(tls.build().unwrap());
    let server = Server::with_handler(|| WhoIsThere(0));
    let running = server.start(&net, &endpoint("tls://127.0.0.1:0")).await.unwrap();

    let stranger = net.with_client_tls(client_tls(&key).build().unwrap());
    let error = connect(&stranger, running.endpoint()).await.unwrap_err();
    assert!(
        matches!(
            error.kind(),
            ErrorKind::Tls(TlsFault::CertificateRequired | TlsFault::Alert) | ErrorKind::Reset
        ),
        "{error}"
    );
    let known = client_tls(&key).identity_pem(own.cert.pem().as_bytes(), own.signing_key.serialize_pem().as_bytes());
    let known = net.with_client_tls(known.build().unwrap());
    let mut client = connect(&known, running.endpoint()).await.unwrap();
    assert_eq!(client.request("who").await.unwrap(), "1 certificates");
}

struct WhoIsThere(usize);

impl oneline::Handler for WhoIsThere {
    async fn command(
        &mut self,
        _: oneline::Command<'_>,
        replies: &mut oneline::Replies<'_>,
    ) -> Result<(), oneline::HandlerError> {
        Ok(replies.push(format!("{} certificates", self.0))?)
    }

    fn connected(&mut self, peer: &oneline::Peer) {
        self.0 = peer.tls.as_ref().map_or(0, |tls| tls.peer_certificates.len());
    }
}

async fn a_rejected_client_is_told_under_tls_too() {
    let key = certificate();
    let net = net()
        .with_server_tls(server_tls(&key).build().unwrap())
        .with_client_tls(client_tls(&key).build().unwrap());
    let server = sample().admission(Admission::reject());
    let running = server.start(&net, &endpoint("tls://127.0.0.1:0")).await.unwrap();
    let _first = connect(&net, running.endpoint()).await.unwrap();
    let error = connect(&net, running.endpoint()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert!(error.to_string().contains("busy"), "{error}");
}

fn socket(name: &str) -> (PathBuf, Endpoint) {
    let path = std::env::temp_dir().join(format!("oneline-{name}-{}-{:?}", std::process::id(), running_on()));
    let at = endpoint(&format!("unix:{}", path.display()));
    (path, at)
}

async fn over_a_unix_socket() {
    let (path, at) = socket("plain");
    let net = net();
    let options = BindOptions::default().socket(SocketOptions::default().unix_mode(0o600));
    let server = sample().bind_options(options);
    let running = server.start(&net, &at).await.unwrap();
    assert_eq!(running.endpoint(), &at);
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(
        sample().start(&net, &at).await.unwrap_err().kind(),
        ErrorKind::AddrInUse
    );
    conversation(&net, &running).await;
    assert!(!path.exists(), "the file goes with the server");
    server.start(&net, &at).await.unwrap().stop(LIMIT).await;
}

#[cfg(target_os = "linux")]
async fn over_an_abstract_unix_socket() {
    let at = endpoint(&format!("unix:@oneline-{}-{:?}", std::process::id(), running_on()));
    let net = net();
    let running = sample().start(&net, &at).await.unwrap();
    conversation(&net, &running).await;
}
