//! TLS over the simulated network: the same layer as over real sockets.

mod network_common;

use std::time::Duration;

use net_core::{ErrorKind, TlsClient, TlsServer};
use network_common::{Pair, ms};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use sim_io::network::Link;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// A server for `server`, and a client that trusts it.
fn trusting() -> (TlsServer, TlsClient) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["server".to_owned()])
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

#[test]
fn a_handshake_and_data_under_loss() {
    let link = Link::default().latency(ms(20)).bandwidth(50_000_000).loss(0.02);
    let pair = Pair::linked(4, link);
    let (tls_server, tls_client) = trusting();
    let server = pair.server.net().with_server_tls(tls_server);
    let client = pair.client.net().with_client_tls(tls_client);
    pair.env.process(async move {
        let mut listener = server.bind(&"tls://0.0.0.0:443".parse().unwrap()).await.unwrap();
        let mut stream = listener.accept().await.unwrap();
        let mut data = Vec::new();
        stream.read_to_end(&mut data).await.unwrap();
        stream.write_all(&data).await.unwrap();
        stream.close(Duration::from_secs(60)).await.unwrap();
    });
    pair.run(async move {
        let mut stream = client.connect(&"tls://server:443".parse()?).await?;
        assert!(stream.tls().is_some());
        // Connecting takes a round trip, and the handshake another.
        assert!(client.now().as_nanos() >= 80_000_000);
        stream.write_all(&[9; 300_000]).await?;
        stream.shutdown().await?;
        let mut back = Vec::new();
        stream.read_to_end(&mut back).await?;
        assert_eq!(back, [9; 300_000]);
        Ok(())
    });
}

#[test]
fn a_silent_server_is_given_up_in_virtual_time() {
    let pair = Pair::new(1, ms(20));
    let (_, tls_client) = trusting();
    let server = pair.server.net();
    let client = pair.client.net().with_client_tls(tls_client);
    pair.run(async move {
        let mut listener = server.bind(&"tcp://0.0.0.0:443".parse()?).await?;
        let error = client.connect(&"tls://server:443".parse()?).await.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Timeout(_)), "{error}");
        assert_eq!(client.now().as_nanos(), 40_000_000 + 10_000_000_000);
        drop(listener.accept().await?);
        Ok(())
    });
}
