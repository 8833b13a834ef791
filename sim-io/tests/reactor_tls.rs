//! TLS over the operating system's sockets, on each poller; and d23: who it is is checked unless somebody says otherwise.
#![cfg(feature = "reactor")]

mod reactor_common;

use std::time::Duration;

use net_core::{ErrorKind, TlsClient, TlsServer};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use reactor_common::{real, run};
use sim_io::reactor::Poller;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

on_each_poller!(
    a_handshake_and_data_both_ways,
    d23_a_server_that_nobody_vouches_for_is_refused,
);

/// A server for `localhost`, and a client that trusts it.
fn trusting() -> (TlsServer, TlsClient) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["localhost".to_owned()])
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

fn a_handshake_and_data_both_ways(poller: Poller) {
    let env = real(poller);
    let (tls_server, tls_client) = trusting();
    let net = env.net().with_server_tls(tls_server).with_client_tls(tls_client);
    run(&env, {
        let env = env.clone();
        async move {
            let mut listener = net.bind(&"tls://127.0.0.1:0".parse().unwrap()).await.unwrap();
            let to = format!("tls://localhost:{}", listener.local().port().unwrap());
            env.process(async move {
                let mut stream = listener.accept().await.unwrap();
                let mut data = Vec::new();
                stream.read_to_end(&mut data).await.unwrap();
                stream.write_all(&data).await.unwrap();
                stream.close(Duration::from_secs(60)).await.unwrap();
            });
            let mut stream = net.connect(&to.parse().unwrap()).await.unwrap();
            assert!(stream.tls().is_some());
            stream.write_all(&[9; 300_000]).await.unwrap();
            stream.shutdown().await.unwrap();
            let mut back = Vec::new();
            stream.read_to_end(&mut back).await.unwrap();
            assert_eq!(back, [9; 300_000]);
        }
    });
}

fn d23_a_server_that_nobody_vouches_for_is_refused(poller: Poller) {
    let env = real(poller);
    let (tls_server, _) = trusting();
    let (_, stranger) = trusting();
    let net = env.net().with_server_tls(tls_server).with_client_tls(stranger);
    run(&env, {
        let env = env.clone();
        async move {
            let mut listener = net.bind(&"tls://127.0.0.1:0".parse().unwrap()).await.unwrap();
            let to = format!("tls://localhost:{}", listener.local().port().unwrap());
            env.process(async move {
                // Its handshake fails too.
                if let Ok(mut stream) = listener.accept().await {
                    let _ = stream.read(&mut [0]).await;
                }
            });
            let error = net.connect(&to.parse().unwrap()).await.unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::Tls(_)), "{error}");
        }
    });
}
