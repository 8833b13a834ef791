//! TLS by rustls with ring, over whatever the backend connects.

mod client;
mod fault;
mod material;
mod server;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use tokio::sync::Semaphore;
use tokio_rustls::{TlsAcceptor, TlsConnector, TlsStream};

pub use client::{TlsClient, TlsClientBuilder};
pub use server::{TlsServer, TlsServerBuilder};

use crate::backend::{BoxFuture, Plain};
use crate::{Error, ErrorKind, Net, Operation, Result, TimeoutKind, TlsFault};

/// The limit of a handshake where nothing else is set.
pub(crate) const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// A plain stream under TLS.
pub(crate) type Encrypted = TlsStream<Plain>;

/// Facts about a connection's encryption; see [`Stream::tls`](crate::Stream::tls).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TlsInfo {
    /// The protocol's version, for example `TLSv1_3`.
    pub version: Option<String>,
    /// The cipher suite, for example `TLS13_AES_256_GCM_SHA384`.
    pub cipher_suite: Option<String>,
    /// The application protocol (ALPN) that the two sides chose.
    pub application_protocol: Option<Vec<u8>>,
    /// The name that the client asked for (SNI); known to servers.
    pub server_name: Option<String>,
    /// The peer's certificates in DER form, its own first; empty where it showed none.
    pub peer_certificates: Vec<Vec<u8>>,
}

impl TlsInfo {
    pub(crate) fn of(encrypted: &Encrypted) -> Self {
        let (_, connection) = encrypted.get_ref();
        Self {
            version: connection.protocol_version().map(|version| format!("{version:?}")),
            cipher_suite: connection
                .negotiated_cipher_suite()
                .map(|suite| format!("{:?}", suite.suite())),
            application_protocol: connection.alpn_protocol().map(<[u8]>::to_vec),
            server_name: match encrypted {
                TlsStream::Server(server) => server.get_ref().1.server_name().map(str::to_owned),
                TlsStream::Client(_) => None,
            },
            peer_certificates: connection
                .peer_certificates()
                .unwrap_or_default()
                .iter()
                .map(|certificate| certificate.as_ref().to_vec())
                .collect(),
        }
    }
}

pub(crate) fn connect(
    net: Net,
    plain: Plain,
    tls: TlsClient,
    name: ServerName<'static>,
    limit: Duration,
) -> BoxFuture<'static, Result<Box<Encrypted>>> {
    Box::pin(async move {
        let handshake = TlsConnector::from(tls.into_config()).connect(name, plain);
        let encrypted = within(&net, limit, handshake).await?;
        Ok(Box::new(TlsStream::Client(encrypted)))
    })
}

/// The server's handshake, when there is a slot for it. The limit counts from the first poll, the wait for the slot
/// included; a client that sends nothing gives its slot up then.
pub(crate) fn accept(
    net: Net,
    plain: Plain,
    tls: TlsServer,
    limit: Duration,
    slots: Option<Arc<Semaphore>>,
) -> BoxFuture<'static, Result<Box<Encrypted>>> {
    Box::pin(async move {
        let began = net.now();
        // How long the slot has been waited for; `None` while it still is.
        let mut waited = Some(Duration::ZERO);
        let handshake = async {
            let _slot = match slots.as_deref().map(|slots| (slots, slots.try_acquire())) {
                Some((slots, Err(_))) => {
                    waited = None;
                    let slot = slots.acquire().await.ok();
                    waited = Some(net.now() - began);
                    slot
                }
                Some((_, Ok(slot))) => Some(slot),
                None => None,
            };
            TlsAcceptor::from(tls.into_config()).accept(plain).await
        };
        let outcome = within(&net, limit, handshake).await;
        let encrypted = outcome.map_err(|error| match (error.kind(), waited) {
            (ErrorKind::Timeout(TimeoutKind::Handshake), None) => error.detail(format!(
                "not begun after {limit:?}: max_handshakes others were under way all that time"
            )),
            (ErrorKind::Timeout(TimeoutKind::Handshake), Some(waited)) if !waited.is_zero() => error.detail(format!(
                "not done after {limit:?}; for {waited:?} of them max_handshakes others were under way"
            )),
            _ => error,
        })?;
        Ok(Box::new(TlsStream::Server(encrypted)))
    })
}

async fn within<T>(net: &Net, limit: Duration, handshake: impl Future<Output = std::io::Result<T>>) -> Result<T> {
    match net.within(limit, handshake).await {
        Some(outcome) => outcome.map_err(|error| match Error::from_io(Operation::Handshake, error) {
            // The end of the connection in mid-handshake is no truncated frame; the peer just went away.
            error if error.kind() == ErrorKind::Truncated => {
                Error::new(ErrorKind::Tls(TlsFault::Protocol), Operation::Handshake)
                    .detail("the peer closed the connection during the handshake")
                    .because(error)
            }
            error => error,
        }),
        None => Err(
            Error::new(ErrorKind::Timeout(TimeoutKind::Handshake), Operation::Handshake)
                .detail(format!("not done after {limit:?}")),
        ),
    }
}
