//! A lot of bytes one way, bare and over TLS.

use crate::Outcome;
use crate::harness::{Comparison, Measure, Row};
use crate::load::bulk::{self, Volume};
use crate::servers::{Door, Running, agree, blocking, net_core, tokio_loop};
use crate::target::Bound::AtLeast;
use crate::target::Target;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use std::sync::Arc;

const LARGE: usize = 256 * 1024;
/// The buffer of `tokio::io::copy`.
const COPY: usize = 8 * 1024;

/// A receiver, or a sender. The size of a receiver's reads is the third argument.
type Bulk = fn(Door, Volume, usize, Option<Arc<ServerConfig>>) -> Outcome<u64>;

/// Which way the bytes go.
#[derive(Clone, Copy, Debug)]
enum Way {
    ToServer,
    FromServer,
}
use Way::{FromServer, ToServer};

/// Makes the tables.
///
/// # Errors
/// If the certificate can't be made.
pub fn build() -> Outcome<Vec<Comparison>> {
    let tls = Some(Tls::new()?);
    let receiving = "3 x 192 MB one way to the server, in blocking writes of 1 MiB. Both ends on one core; CPU is the \
                     server's, allocations are those of both ends.";
    let sending = "3 x 192 MB one way from the server, in writes of 1 MiB, to blocking reads of 256 KiB. Both ends on \
                   one core; CPU is the server's, allocations are those of both ends.";
    let over_tls = "TLS 1.3, ring, AES-128-GCM at both ends.";
    let enough = || Target::ratio(AtLeast(0.95));
    Ok(vec![
        table(
            "bulk/receive",
            receiving.into(),
            vec![
                row("raw blocking, 256 KiB reads", ToServer, blocking::bulk, LARGE, None),
                row(
                    "net-core Stream, 256 KiB reads",
                    ToServer,
                    net_core::bulk_stream,
                    LARGE,
                    None,
                )
                .target(enough()),
                row("net-core Framed<Raw>", ToServer, net_core::bulk_framed, 0, None).target(enough()),
                row("tokio, 256 KiB reads", ToServer, tokio_loop::bulk, LARGE, None),
                row(
                    "tokio, 8 KiB reads (as io::copy)",
                    ToServer,
                    tokio_loop::bulk,
                    COPY,
                    None,
                ),
            ],
        ),
        table(
            "bulk/send",
            sending.into(),
            vec![
                row("raw blocking", FromServer, blocking::bulk_send, 0, None),
                row("net-core Stream", FromServer, net_core::send_stream, 0, None).target(enough()),
                row("net-core Framed<Raw>", FromServer, net_core::send_framed, 0, None),
                row("tokio", FromServer, tokio_loop::bulk_send, 0, None),
            ],
        ),
        table(
            "bulk/receive-tls",
            format!("{receiving} {over_tls}"),
            vec![
                row(
                    "tokio-rustls, 256 KiB reads",
                    ToServer,
                    tokio_loop::bulk,
                    LARGE,
                    tls.as_ref(),
                ),
                row(
                    "net-core Stream, 256 KiB reads",
                    ToServer,
                    net_core::bulk_stream,
                    LARGE,
                    tls.as_ref(),
                )
                .target(enough()),
                row("net-core Framed<Raw>", ToServer, net_core::bulk_framed, 0, tls.as_ref()).target(enough()),
                row(
                    "rustls, blocking, 256 KiB reads",
                    ToServer,
                    blocking::bulk,
                    LARGE,
                    tls.as_ref(),
                ),
            ],
        ),
        table(
            "bulk/send-tls",
            format!("{sending} {over_tls}"),
            vec![
                row("tokio-rustls", FromServer, tokio_loop::bulk_send, 0, tls.as_ref()),
                row("net-core Stream", FromServer, net_core::send_stream, 0, tls.as_ref()).target(enough()),
                row(
                    "net-core Framed<Raw>",
                    FromServer,
                    net_core::send_framed,
                    0,
                    tls.as_ref(),
                ),
                row("rustls, blocking", FromServer, blocking::bulk_send, 0, tls.as_ref()),
            ],
        ),
    ])
}

fn table(name: &str, about: String, rows: Vec<Row>) -> Comparison {
    Comparison {
        name: name.into(),
        operation: "MB",
        measure: Measure::Rate,
        about,
        rows,
    }
}

fn row(name: &str, way: Way, server: Bulk, size: usize, tls: Option<&Tls>) -> Row {
    let tls = tls.cloned();
    Row::new(name, move |effort| {
        let volume = Volume::of(effort);
        let (client_tls, server_tls) = tls.clone().map(|tls| (tls.client, tls.server)).unzip();
        let running = Running::start(move |door| server(door, volume, size, server_tls))?;
        let sample = match way {
            ToServer => bulk::run(running.address, volume, client_tls)?,
            FromServer => bulk::run_back(running.address, volume, client_tls)?,
        };
        agree("bytes", volume.total(), running.finish()?)?;
        Ok(sample)
    })
}

/// The two ends of TLS, with one suite and a certificate of their own.
#[derive(Clone, Debug)]
pub struct Tls {
    /// The client's end; it trusts the server's certificate, for `localhost` and `server`.
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
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(["localhost".to_owned(), "server".to_owned()])?;
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
