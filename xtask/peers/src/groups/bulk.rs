//! A lot of bytes one way, bare and over TLS.

use crate::Outcome;
use crate::harness::{Comparison, Measure, Row};
use crate::load::bulk::{self, Volume};
use crate::servers::{Door, Running, agree, blocking, tokio_loop};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use std::sync::Arc;

const LARGE: usize = 256 * 1024;
/// The buffer of `tokio::io::copy`.
const COPY: usize = 8 * 1024;

/// A receiver: the size of its reads is the third argument.
type Receive = fn(Door, Volume, usize, Option<Arc<ServerConfig>>) -> Outcome<u64>;

/// Makes the tables.
///
/// # Errors
/// If the certificate can't be made.
pub fn build() -> Outcome<Vec<Comparison>> {
    let tls = Tls::new()?;
    let about = "3 x 192 MB one way in writes of 1 MiB, blocking sender; both ends on one core; CPU is the receiver's, \
                 allocations are those of both ends.";
    Ok(vec![
        Comparison {
            name: "bulk/bare".into(),
            operation: "MB",
            measure: Measure::Rate,
            about: about.into(),
            rows: vec![
                row("raw blocking, 256 KiB reads", blocking::bulk, LARGE, None),
                row("tokio, 256 KiB reads", tokio_loop::bulk, LARGE, None),
                row("tokio, 8 KiB reads (as io::copy)", tokio_loop::bulk, COPY, None),
            ],
        },
        Comparison {
            name: "bulk/tls".into(),
            operation: "MB",
            measure: Measure::Rate,
            about: format!("{about} TLS 1.3, ring, AES-128-GCM at both ends."),
            rows: vec![
                row("tokio-rustls, 256 KiB reads", tokio_loop::bulk, LARGE, Some(&tls)),
                row("rustls, blocking, 256 KiB reads", blocking::bulk, LARGE, Some(&tls)),
            ],
        },
    ])
}

fn row(name: &str, receive: Receive, size: usize, tls: Option<&Tls>) -> Row {
    let tls = tls.cloned();
    Row::new(name, move |effort| {
        let volume = Volume::of(effort);
        let (client, server) = tls.clone().map(|tls| (tls.client, tls.server)).unzip();
        let running = Running::start(move |door| receive(door, volume, size, server))?;
        let sample = bulk::run(running.address, volume, client)?;
        agree("bytes", volume.total(), running.finish()?)?;
        Ok(sample)
    })
}

/// The two ends of TLS, with one suite and a certificate of their own.
#[derive(Clone, Debug)]
pub struct Tls {
    /// The client's end; it trusts the server's certificate, for `localhost`.
    pub client: Arc<ClientConfig>,
    /// The server's end.
    pub server: Arc<ServerConfig>,
}

impl Tls {
    /// Makes a certificate and both ends.
    ///
    /// # Errors
    /// If the certificate is refused.
    pub fn new() -> Outcome<Self> {
        let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()])?;
        let provider = Arc::new(CryptoProvider {
            cipher_suites: vec![ring::cipher_suite::TLS13_AES_128_GCM_SHA256],
            ..ring::default_provider()
        });
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(signing_key.serialize_der()));
        let server = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key)?;
        let mut roots = RootCertStore::empty();
        roots.add(cert.der().clone())?;
        let client = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self {
            client: Arc::new(client),
            server: Arc::new(server),
        })
    }
}
