//! HTTP and WebSocket over TLS, on the simulated network, on the reactor and on tokio.
#![cfg(feature = "websocket")]

mod protocol_common;

use std::time::Duration;

use net_core::{Stream, TlsClient, TlsServer};
use protocol_common::{on_tokio, on_virtual};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use sim_io::http::{About, Client, Error, Reply, Request, Response, Server};
use sim_io::websocket::{self, Message, Options};

/// A server for these names, and a client that trusts it.
fn trusting() -> (TlsServer, TlsClient) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["server".to_owned(), "127.0.0.1".to_owned(), "10.0.0.1".to_owned()])
        .unwrap()
        .signed_by(&key, &issuer)
        .unwrap();
    let server = TlsServer::builder()
        .identity_pem(certificate.pem().as_bytes(), key.serialize_pem().as_bytes())
        .build()
        .unwrap();
    let client = TlsClient::builder().root_pem(issuer.pem().as_bytes()).build().unwrap();
    (server, client)
}

async fn site(mut request: Request) -> Response {
    if request.uri().path() != "/socket" {
        return request.body_mut().text().await.into_response();
    }
    let net = About::of(&request).unwrap().net().clone();
    match websocket::upgrade(&mut request, Options::default()) {
        Ok((response, pending)) => {
            net.spawn(async move {
                let mut socket = pending.await?;
                while let Some(message) = socket.recv().await? {
                    socket.send(message).await?;
                }
                Ok::<_, websocket::Error>(())
            })
            .unwrap();
            response
        }
        Err(rejection) => rejection.into_response(),
    }
}

async fn scenario(near: Stream, far: Stream) {
    let (tls_server, tls_client) = trusting();
    let (server, stranger) = (far.net().with_server_tls(tls_server), near.net());
    let net = stranger.with_client_tls(tls_client);
    let at = far.local().clone().with_port(0).to_string().replace("tcp://", "tls://");
    let running = Server::new(site).start(&server, &at.parse().unwrap()).await.unwrap();
    let url = running.endpoint().to_string().replace("tls://", "https://");
    let client = Client::new(&net);
    for size in [1, 100_000] {
        let body = "x".repeat(size);
        let mut response = client.post(&url, body.clone()).await.unwrap();
        assert_eq!(response.body_mut().text().await.unwrap(), body);
    }
    assert_eq!(running.connections(), 1);
    let socket = url.replace("https://", "wss://") + "/socket";
    let mut socket = websocket::connect(&net, &socket).await.unwrap();
    for size in [1, 100_000] {
        let message = Message::from(vec![5; size]);
        socket.send(message.clone()).await.unwrap();
        assert_eq!(socket.recv().await.unwrap(), Some(message));
    }
    socket.close().await.unwrap();
    // Nobody is trusted without a reason.
    match Client::new(&stranger).get(&url).await {
        Err(Error::Net(error)) => assert!(matches!(error.kind(), net_core::ErrorKind::Tls(_)), "{error:?}"),
        other => panic!("{other:?}"),
    }
    drop(client);
    running.stop(Duration::from_secs(5)).await;
}

#[test]
fn https_and_wss() {
    on_virtual(scenario);
    #[cfg(feature = "reactor")]
    protocol_common::on_reactor(scenario);
    on_tokio(scenario);
}
