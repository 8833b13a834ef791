//! TLS for connecting.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};

use super::material::{Material, bad, provider, refused, root_store};
use crate::Result;

/// TLS for connecting: whom to trust, who we are, which protocols we speak.
///
/// The server's certificate is always verified, against the system's trusted issuers unless
/// [`roots`](TlsClientBuilder::root_pem) are given. Nothing process-wide is installed or relied on.
#[derive(Clone)]
pub struct TlsClient {
    config: Arc<ClientConfig>,
    server_name: Option<ServerName<'static>>,
    lenient: bool,
    handshake_timeout: Duration,
}

/// Builds a [`TlsClient`].
#[derive(Debug, Default)]
pub struct TlsClientBuilder {
    material: Material,
    system_roots: bool,
    server_name: Option<String>,
    unverified: bool,
}

impl TlsClient {
    /// Trusts the system's issuers; no client certificate.
    ///
    /// The issuers are read from the system's files once in the life of the program, by the first call that finds any;
    /// [`builder`](Self::builder) reads them anew.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) if the system has no trusted issuers.
    pub fn new() -> Result<Self> {
        static SYSTEM: OnceLock<TlsClient> = OnceLock::new();
        match SYSTEM.get() {
            Some(client) => Ok(client.clone()),
            // If two threads come first at once, both read, and one of the two is kept.
            None => Self::builder()
                .build()
                .map(|client| SYSTEM.get_or_init(|| client).clone()),
        }
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
            handshake_timeout: super::HANDSHAKE_TIMEOUT,
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

    pub(crate) fn handshake_timeout(&self) -> Duration {
        self.handshake_timeout
    }

    pub(super) fn into_config(self) -> Arc<ClientConfig> {
        self.config
    }
}

impl TlsClientBuilder {
    /// Trusts the issuers in a PEM text, and no others unless [`system_roots`](Self::system_roots) is called too.
    #[must_use]
    pub fn root_pem(mut self, pem: &[u8]) -> Self {
        self.material.root_pem(pem);
        self
    }

    /// [`root_pem`](Self::root_pem) from a file.
    #[must_use]
    pub fn root_file(mut self, path: impl AsRef<Path>) -> Self {
        self.material.root_file(path.as_ref());
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
        self.material.identity_pem(certificate, key);
        self
    }

    /// [`identity_pem`](Self::identity_pem) from two files.
    #[must_use]
    pub fn identity_files(mut self, certificate: impl AsRef<Path>, key: impl AsRef<Path>) -> Self {
        self.material.identity_files(certificate.as_ref(), key.as_ref());
        self
    }

    /// Offers application protocols (ALPN), the preferred first.
    #[must_use]
    pub fn alpn(mut self, protocols: &[&[u8]]) -> Self {
        self.material.alpn(protocols);
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
        self.material.lenient = true;
        self
    }

    /// Limit for the handshake of a connection that is upgraded in place
    /// ([`Stream::upgrade_tls_client`](crate::Stream::upgrade_tls_client)). Default: 10 s.
    /// [`ConnectOptions::handshake_timeout`](crate::ConnectOptions::handshake_timeout) is the one for `tls://`
    /// endpoints.
    #[must_use]
    pub fn handshake_timeout(mut self, limit: Duration) -> Self {
        self.material.handshake_timeout = limit;
        self
    }

    /// The finished setting.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for the first unreadable file or PEM text, or if nobody is trusted;
    /// [`ErrorKind::Tls`](crate::ErrorKind::Tls) if key and certificate don't fit.
    pub fn build(self) -> Result<TlsClient> {
        let material = self.material.checked()?;
        let provider = provider();
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(refused)?;
        let builder = if self.unverified {
            builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(AcceptAny(provider)))
        } else {
            builder.with_root_certificates(root_store(material.roots, self.system_roots)?)
        };
        let mut config = match material.identity {
            Some((chain, key)) => builder.with_client_auth_cert(chain, key).map_err(refused)?,
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = material.alpn;
        let server_name = self.server_name.as_deref().map(server_name).transpose()?;
        Ok(TlsClient {
            config: Arc::new(config),
            server_name,
            lenient: material.lenient,
            handshake_timeout: material.handshake_timeout,
        })
    }
}

fn server_name(host: &str) -> Result<ServerName<'static>> {
    ServerName::try_from(host.to_owned())
        .map_err(|error| bad(format!("{host:?} can't be the name in a certificate")).because(error))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_systems_issuers_are_read_once() {
        match (TlsClient::new(), TlsClient::new()) {
            (Ok(first), Ok(second)) => assert!(Arc::ptr_eq(&first.config, &second.config)),
            // A machine without issuers: that is found out each time.
            (first, second) => assert!(first.is_err() && second.is_err()),
        }
    }
}
