//! TLS by rustls with ring, over whatever the backend connects.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, ServerConfig, SignatureScheme};
use tokio::sync::Semaphore;
use tokio_rustls::{TlsAcceptor, TlsConnector, TlsStream};

use crate::backend::{BoxFuture, Plain};
use crate::{Error, ErrorKind, Net, Operation, Result, TimeoutKind, TlsFault};

/// A plain stream under TLS.
pub(crate) type Encrypted = TlsStream<Plain>;

/// TLS for connecting: whom to trust, who we are, which protocols we speak.
///
/// The server's certificate is always verified, against the system's trusted issuers unless
/// [`roots`](TlsClientBuilder::root_pem) are given. Nothing process-wide is installed or relied on.
#[derive(Clone)]
pub struct TlsClient {
    config: Arc<ClientConfig>,
    server_name: Option<ServerName<'static>>,
    lenient: bool,
}

/// TLS for listening: certificate and key, whether clients must have a certificate, which protocols we speak.
#[derive(Clone)]
pub struct TlsServer {
    config: Arc<ServerConfig>,
    lenient: bool,
}

/// Builds a [`TlsClient`].
#[derive(Debug, Default)]
pub struct TlsClientBuilder {
    roots: Vec<CertificateDer<'static>>,
    system_roots: bool,
    identity: Option<Identity>,
    alpn: Vec<Vec<u8>>,
    server_name: Option<String>,
    unverified: bool,
    lenient: bool,
    first_error: Option<Error>,
}

/// Builds a [`TlsServer`].
#[derive(Debug, Default)]
pub struct TlsServerBuilder {
    identity: Option<Identity>,
    client_roots: Vec<CertificateDer<'static>>,
    alpn: Vec<Vec<u8>>,
    lenient: bool,
    first_error: Option<Error>,
}

type Identity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

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

impl TlsClient {
    /// Trusts the system's issuers; no client certificate.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] if the system has no trusted issuers.
    pub fn new() -> Result<Self> {
        Self::builder().build()
    }

    /// Starts building one.
    pub fn builder() -> TlsClientBuilder {
        TlsClientBuilder::default()
    }

    /// Uses a configuration of rustls as it is.
    pub fn from_rustls(config: Arc<ClientConfig>) -> Self {
        Self {
            config,
            server_name: None,
            lenient: false,
        }
    }

    /// The name to verify: the configured one, or the endpoint's host.
    pub(crate) fn name_for(&self, host: &str) -> Result<ServerName<'static>> {
        match &self.server_name {
            Some(name) => Ok(name.clone()),
            None => server_name(host),
        }
    }

    pub(crate) fn lenient(&self) -> bool {
        self.lenient
    }
}

impl TlsServer {
    /// Starts building one.
    pub fn builder() -> TlsServerBuilder {
        TlsServerBuilder::default()
    }

    /// Uses a configuration of rustls as it is.
    pub fn from_rustls(config: Arc<ServerConfig>) -> Self {
        Self { config, lenient: false }
    }

    pub(crate) fn lenient(&self) -> bool {
        self.lenient
    }
}

fn bad(what: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidInput, Operation::Configure).detail(what.into())
}

fn server_name(host: &str) -> Result<ServerName<'static>> {
    ServerName::try_from(host.to_owned())
        .map_err(|error| bad(format!("{host:?} can't be the name in a certificate")).because(error))
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match found {
        Ok(found) if found.is_empty() => Err(bad("there is no certificate in the PEM text")),
        Ok(found) => Ok(found),
        Err(error) => Err(bad("the PEM text of the certificates can't be read").because(error)),
    }
}

fn identity(certificate_pem: &[u8], key_pem: &[u8]) -> Result<Identity> {
    let key = PrivateKeyDer::from_pem_slice(key_pem)
        .map_err(|error| bad("there is no private key in the PEM text of the key").because(error))?;
    Ok((certificates(certificate_pem)?, key))
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|error| bad(format!("can't read {}", path.display())).because(error))
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

fn refused(error: rustls::Error) -> Error {
    Error::new(ErrorKind::Tls(TlsFault::from_rustls(&error)), Operation::Configure).because(error)
}

/// Keeps the first error of a builder's step, so that the steps chain and `build` tells it.
fn keep<T>(slot: &mut Option<Error>, outcome: Result<T>) -> Option<T> {
    match outcome {
        Ok(value) => Some(value),
        Err(error) => {
            slot.get_or_insert(error);
            None
        }
    }
}

impl TlsClientBuilder {
    /// Trusts the issuers in a PEM text, and no others unless [`system_roots`](Self::system_roots) is called too.
    #[must_use]
    pub fn root_pem(mut self, pem: &[u8]) -> Self {
        let found = keep(&mut self.first_error, certificates(pem));
        self.roots.extend(found.into_iter().flatten());
        self
    }

    /// [`root_pem`](Self::root_pem) from a file.
    #[must_use]
    pub fn root_file(mut self, path: impl AsRef<Path>) -> Self {
        let found = keep(
            &mut self.first_error,
            read(path.as_ref()).and_then(|pem| certificates(&pem)),
        );
        self.roots.extend(found.into_iter().flatten());
        self
    }

    /// Trusts the system's issuers beside those given.
    #[must_use]
    pub fn system_roots(mut self) -> Self {
        self.system_roots = true;
        self
    }

    /// Shows this certificate to servers that ask for one; chain and key as PEM text.
    #[must_use]
    pub fn identity_pem(mut self, certificate: &[u8], key: &[u8]) -> Self {
        self.identity = keep(&mut self.first_error, identity(certificate, key));
        self
    }

    /// [`identity_pem`](Self::identity_pem) from two files.
    #[must_use]
    pub fn identity_files(mut self, certificate: impl AsRef<Path>, key: impl AsRef<Path>) -> Self {
        let read = read(certificate.as_ref()).and_then(|cert| identity(&cert, &read(key.as_ref())?));
        self.identity = keep(&mut self.first_error, read);
        self
    }

    /// Offers application protocols (ALPN), the preferred first.
    #[must_use]
    pub fn alpn(mut self, protocols: &[&[u8]]) -> Self {
        self.alpn = protocols.iter().map(|protocol| protocol.to_vec()).collect();
        self
    }

    /// Verifies the certificate for, and asks the server for (SNI), this name instead of the endpoint's host.
    #[must_use]
    pub fn server_name(mut self, name: impl Into<String>) -> Self {
        self.server_name = Some(name.into());
        self
    }

    /// Accepts any certificate. Whoever can reach the connection can then read and change it: for a bench on a private
    /// cable, never beyond.
    #[must_use]
    pub fn dangerously_accept_any_certificate(mut self) -> Self {
        self.unverified = true;
        self
    }

    /// Takes an end without close_notify for a clean one. Only safe for protocols that tell the length of everything.
    #[must_use]
    pub fn tolerate_missing_close_notify(mut self) -> Self {
        self.lenient = true;
        self
    }

    /// The finished setting.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] for the first unreadable file or PEM text, or if nobody is trusted;
    /// [`ErrorKind::Tls`] if key and certificate don't fit.
    pub fn build(self) -> Result<TlsClient> {
        if let Some(error) = self.first_error {
            return Err(error);
        }
        let provider = provider();
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(refused)?;
        let builder = if self.unverified {
            builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(AcceptAny(provider)))
        } else {
            builder.with_root_certificates(roots(self.roots, self.system_roots)?)
        };
        let mut config = match self.identity {
            Some((chain, key)) => builder.with_client_auth_cert(chain, key).map_err(refused)?,
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = self.alpn;
        let server_name = self.server_name.as_deref().map(server_name).transpose()?;
        Ok(TlsClient {
            config: Arc::new(config),
            server_name,
            lenient: self.lenient,
        })
    }
}

fn roots(given: Vec<CertificateDer<'static>>, system: bool) -> Result<RootCertStore> {
    let mut store = RootCertStore::empty();
    let only_system = given.is_empty();
    for root in given {
        store
            .add(root)
            .map_err(|error| bad("a trusted certificate can't be used").because(error))?;
    }
    if system || only_system {
        // One odd certificate among the system's hundreds must not break all of TLS.
        store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    }
    if store.is_empty() {
        return Err(bad(
            "nobody is trusted: the system has no trusted issuers, and none were given (root_file)",
        ));
    }
    Ok(store)
}

impl TlsServerBuilder {
    /// Our certificate chain, our own first, and its key; as PEM text. Required.
    #[must_use]
    pub fn identity_pem(mut self, certificate: &[u8], key: &[u8]) -> Self {
        self.identity = keep(&mut self.first_error, identity(certificate, key));
        self
    }

    /// [`identity_pem`](Self::identity_pem) from two files.
    #[must_use]
    pub fn identity_files(mut self, certificate: impl AsRef<Path>, key: impl AsRef<Path>) -> Self {
        let read = read(certificate.as_ref()).and_then(|cert| identity(&cert, &read(key.as_ref())?));
        self.identity = keep(&mut self.first_error, read);
        self
    }

    /// Demands of clients a certificate by one of the issuers in this PEM text.
    #[must_use]
    pub fn client_root_pem(mut self, pem: &[u8]) -> Self {
        let found = keep(&mut self.first_error, certificates(pem));
        self.client_roots.extend(found.into_iter().flatten());
        self
    }

    /// [`client_root_pem`](Self::client_root_pem) from a file.
    #[must_use]
    pub fn client_root_file(mut self, path: impl AsRef<Path>) -> Self {
        let found = keep(
            &mut self.first_error,
            read(path.as_ref()).and_then(|pem| certificates(&pem)),
        );
        self.client_roots.extend(found.into_iter().flatten());
        self
    }

    /// Offers application protocols (ALPN), the preferred first.
    #[must_use]
    pub fn alpn(mut self, protocols: &[&[u8]]) -> Self {
        self.alpn = protocols.iter().map(|protocol| protocol.to_vec()).collect();
        self
    }

    /// Takes an end without close_notify for a clean one. Only safe for protocols that tell the length of everything.
    #[must_use]
    pub fn tolerate_missing_close_notify(mut self) -> Self {
        self.lenient = true;
        self
    }

    /// The finished setting.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] for the first unreadable file or PEM text, or without an identity;
    /// [`ErrorKind::Tls`] if key and certificate don't fit.
    pub fn build(self) -> Result<TlsServer> {
        if let Some(error) = self.first_error {
            return Err(error);
        }
        let (chain, key) = self
            .identity
            .ok_or_else(|| bad("a TLS server needs a certificate and its key: call identity_files"))?;
        let provider = provider();
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(refused)?;
        let builder = if self.client_roots.is_empty() {
            builder.with_no_client_auth()
        } else {
            let roots = Arc::new(roots(self.client_roots, false)?);
            let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider)
                .build()
                .map_err(|error| bad("the issuers of client certificates can't be used").because(error))?;
            builder.with_client_cert_verifier(verifier)
        };
        let mut config = builder.with_single_cert(chain, key).map_err(refused)?;
        config.alpn_protocols = self.alpn;
        Ok(TlsServer {
            config: Arc::new(config),
            lenient: self.lenient,
        })
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
        let handshake = TlsConnector::from(tls.config).connect(name, plain);
        let encrypted = within(&net, limit, handshake).await?;
        Ok(Box::new(TlsStream::Client(encrypted)))
    })
}

/// The server's handshake, when there is a slot for it; a client that sends nothing gives its slot up at the limit.
pub(crate) fn accept(
    net: Net,
    plain: Plain,
    tls: TlsServer,
    limit: Duration,
    slots: Option<Arc<Semaphore>>,
) -> BoxFuture<'static, Result<Box<Encrypted>>> {
    Box::pin(async move {
        let _slot = match &slots {
            Some(slots) => slots.acquire().await.ok(),
            None => None,
        };
        let encrypted = within(&net, limit, TlsAcceptor::from(tls.config).accept(plain)).await?;
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

impl TlsFault {
    pub(crate) fn from_rustls(error: &rustls::Error) -> Self {
        use rustls::Error as E;
        match error {
            E::InvalidCertificate(certificate) => match certificate {
                CertificateError::UnknownIssuer => Self::UnknownIssuer,
                CertificateError::Expired | CertificateError::ExpiredContext { .. } => Self::Expired,
                CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => Self::NotYetValid,
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => Self::WrongName,
                _ => Self::BadCertificate,
            },
            E::NoCertificatesPresented => Self::CertificateRequired,
            E::NoApplicationProtocol => Self::NoApplicationProtocol,
            E::InvalidMessage(_) => Self::NotTls,
            E::AlertReceived(alert) => match alert {
                rustls::AlertDescription::CertificateRequired => Self::CertificateRequired,
                rustls::AlertDescription::NoApplicationProtocol => Self::NoApplicationProtocol,
                _ => Self::Alert,
            },
            _ => Self::Protocol,
        }
    }
}

/// Takes every certificate, but still checks that the server holds its key.
#[derive(Debug)]
struct AcceptAny(Arc<CryptoProvider>);

impl ServerCertVerifier for AcceptAny {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(
            message,
            certificate,
            signature,
            &self.0.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(
            message,
            certificate,
            signature,
            &self.0.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

impl fmt::Debug for TlsClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsClient")
            .field("server_name", &self.server_name)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for TlsServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsServer").finish_non_exhaustive()
    }
}
