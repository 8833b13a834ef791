//! Length-prefixed frames over TLS, with a certificate authority that is made on the spot.
//!
//! ```text
//! cargo run -p net-core --example tls
//! ```

use std::time::Duration;

use net_core::framing::LengthPrefix;
use net_core::{Endpoint, Framed, Net, TlsClient, TlsServer};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (root, certificate, key) = certificates()?;
    let net = Net::os()
        .with_server_tls(
            TlsServer::builder()
                .identity_pem(certificate.as_bytes(), key.as_bytes())
                .build()?,
        )
        .with_client_tls(TlsClient::builder().root_pem(root.as_bytes()).build()?);

    let mut listener = net.bind(&"tls://127.0.0.1:0".parse()?).await?;
    let port = listener.local().port().unwrap_or_default();
    let server = net.spawn(async move {
        let mut frames = Framed::new(listener.accept().await?, LengthPrefix::default());
        while let Some((frame, mut out)) = frames.next().await? {
            let sum: u32 = frame.iter().map(|byte| u32::from(*byte)).sum();
            out.push(&sum.to_be_bytes())?;
        }
        Ok::<_, net_core::Error>(frames.close(Duration::from_secs(5)).await)
    })?;

    // The certificate is for this name, so that is the one to connect to.
    let to: Endpoint = format!("tls://localhost:{port}").parse()?;
    let mut frames = Framed::new(net.connect(&to).await?, LengthPrefix::default());
    if let Some(tls) = frames.stream().tls() {
        println!("connected with {:?}, {:?}", tls.version, tls.cipher_suite);
    }
    for length in [0, 10, 100_000] {
        frames.send(&vec![7; length]).await?;
        if let Some((sum, _)) = frames.next().await? {
            println!(
                "{length} bytes, sum {}",
                sum.iter().fold(0, |sum, byte| sum << 8 | u32::from(*byte))
            );
        }
    }
    println!("client: {:?}", frames.close(Duration::from_secs(5)).await);
    println!("server: {:?}", server.await??);
    Ok(())
}

/// A root, and a certificate by it with its key, as PEM texts.
fn certificates() -> Result<(String, String, String), rcgen::Error> {
    let mut root = CertificateParams::new(Vec::new())?;
    root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root = CertifiedIssuer::self_signed(root, KeyPair::generate()?)?;
    let key = KeyPair::generate()?;
    let certificate = CertificateParams::new(vec!["localhost".to_owned()])?.signed_by(&key, &root)?;
    Ok((root.pem(), certificate.pem(), key.serialize_pem()))
}
