//! tokio-rustls, unmodified, over the simulated network.

mod network_common;

use std::sync::Arc;
use std::time::Duration;

use net_core::Net;
use network_common::{Pair, ms};
use rcgen::{CertificateParams, CertifiedIssuer, KeyPair};
use sim_io::network::Link;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// Ed25519: its signatures have one length. ECDSA's vary by a byte or two, which bandwidth turns into time.
fn key() -> KeyPair {
    KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap()
}

fn trusting() -> (TlsAcceptor, TlsConnector) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    // Numbers that are not drawn have one length.
    params.serial_number = Some(1_u64.into());
    let issuer = CertifiedIssuer::self_signed(params, key()).unwrap();
    let own = key();
    let mut params = CertificateParams::new(vec!["server".to_owned()]).unwrap();
    params.serial_number = Some(2_u64.into());
    let certificate = params.signed_by(&own, &issuer).unwrap();
    let server = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::Pkcs8(own.serialize_der().into()),
        )
        .unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(issuer.der().clone()).unwrap();
    let client = ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    (
        TlsAcceptor::from(Arc::new(server)),
        TlsConnector::from(Arc::new(client)),
    )
}

async fn echo(net: Net, acceptor: TlsAcceptor) -> Result<(), Box<dyn std::error::Error>> {
    let mut listener = net.bind(&"tcp://0.0.0.0:443".parse()?).await?;
    let mut stream = acceptor.accept(listener.accept().await?).await?;
    let mut buffer = vec![0; 10_000];
    loop {
        let n = stream.read(&mut buffer).await?;
        if n == 0 {
            break;
        }
        stream.write_all(&buffer[..n]).await?;
        stream.flush().await?;
    }
    stream.shutdown().await?;
    Ok(())
}

/// A handshake, and data there and back, over a bad link that is cut for a while.
fn run(seed: u64) -> u64 {
    let link = Link::default()
        .latency(ms(20))
        .jitter(ms(5))
        .bandwidth(20_000_000)
        .loss(0.02);
    let pair = Pair::linked(seed, link);
    let (acceptor, connector) = trusting();
    let server = pair.server.net();
    let served = pair.env.process(async move {
        if let Err(error) = echo(server, acceptor).await {
            panic!("{error}");
        }
    });
    let (env, network, client, host) = (
        pair.env.clone(),
        pair.network.clone(),
        pair.client.clone(),
        pair.server.clone(),
    );
    pair.env.process(async move {
        env.timeout(ms(200)).await;
        network.partition(&client, &host);
        env.timeout(Duration::from_secs(2)).await;
        network.heal(&client, &host);
    });
    let net = pair.client.net();
    pair.run(async move {
        let stream = net.connect(&"tcp://server:443".parse()?).await?;
        let stream = connector.connect(ServerName::try_from("server")?, stream).await?;
        let (mut reader, mut writer) = tokio::io::split(stream);
        let sends = async {
            writer.write_all(&[9; 300_000]).await?;
            writer.shutdown().await
        };
        let mut back = Vec::new();
        let (sent, received) = futures_util::future::join(sends, reader.read_to_end(&mut back)).await;
        sent?;
        received?;
        assert_eq!(back, [9; 300_000]);
        assert!(net.now().as_nanos() > 2_000_000_000);
        Ok(())
    });
    pair.env.run_until(&served).unwrap();
    assert!(pair.network.stats().retransmissions > 0);
    pair.env.trace_hash()
}

#[test]
fn a_handshake_and_data_survive_loss_and_a_cut_and_the_same_seed_gives_the_same_run() {
    // Keys and nonces are drawn anew each time; what is sent when is the same.
    let hash = run(1);
    assert_eq!(run(1), hash);
    assert_ne!(run(2), hash);
}
