//! TLS for listening.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use rustls::server::WebPkiClientVerifier;

use super::material::{Material, bad, provider, refused, root_store};
use crate::Result;

/// TLS for listening: certificate and key, whether clients must have a certificate, which protocols we speak.
#[derive(Clone)]
pub struct TlsServer {
    config: Arc<ServerConfig>,
    lenient: bool,
    handshake_timeout: Duration,
}

/// Builds a [`TlsServer`].
#[derive(Debug, Default)]
pub struct TlsServerBuilder {
    material: Material,
}

impl TlsServer {
    /// Starts building one.
    pub fn builder() -> TlsServerBuilder {
        TlsServerBuilder::default()
    }

    /// Uses a configuration of rustls as it is.
    pub fn from_rustls(config: Arc<ServerConfig>) -> Self {
        Self {
            config,
            lenient: false,
            handshake_timeout: super::HANDSHAKE_TIMEOUT,
        }
    }

    pub(crate) fn lenient(&self) -> bool {
        self.lenient
    }

    pub(crate) fn handshake_timeout(&self) -> Duration {
        self.handshake_timeout
    }

    pub(super) fn into_config(self) -> Arc<ServerConfig> {
        self.config
    }
}

impl TlsServerBuilder {
    /// Our certificate chain, our own first, and its key; as PEM text. Required.
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

    /// Demands of clients a certificate by one of the issuers in this PEM text.
    #[must_use]
    pub fn client_root_pem(mut self, pem: &[u8]) -> Self {
        self.material.root_pem(pem);
        self
    }

    /// [`client_root_pem`](Self::client_root_pem) from a file.
    #[must_use]
    pub fn client_root_file(mut self, path: impl AsRef<Path>) -> Self {
        self.material.root_file(path.as_ref());
        self
    }

    /// Offers application protocols (ALPN), the preferred first.
    #[must_use]
    pub fn alpn(mut self, protocols: &[&[u8]]) -> Self {
        self.material.alpn(protocols);
        self
    }

    /// Takes an end without close_notify for a clean one. Only safe for protocols that tell the length of everything.
    #[must_use]
    pub fn tolerate_missing_close_notify(mut self) -> Self {
        self.material.lenient = true;
        self
    }

    /// Limit for the handshake of a connection that is upgraded in place
    /// ([`Stream::upgrade_tls_server`](crate::Stream::upgrade_tls_server)). Default: 10 s.
    /// [`BindOptions::handshake_timeout`](crate::BindOptions::handshake_timeout) is the one for `tls://`
    /// endpoints.
    #[must_use]
    pub fn handshake_timeout(mut self, limit: Duration) -> Self {
        self.material.handshake_timeout = limit;
        self
    }

    /// The finished setting.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for the first unreadable file or PEM text, or without an identity;
    /// [`ErrorKind::Tls`](crate::ErrorKind::Tls) if key and certificate don't fit.
    pub fn build(self) -> Result<TlsServer> {
        let material = self.material.checked()?;
        let (chain, key) = material
            .identity
            .ok_or_else(|| bad("a TLS server needs a certificate and its key: call identity_files"))?;
        let provider = provider();
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(refused)?;
        let builder = if material.roots.is_empty() {
            builder.with_no_client_auth()
        } else {
            let roots = Arc::new(root_store(material.roots, false)?);
            let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider)
                .build()
                .map_err(|error| bad("the issuers of client certificates can't be used").because(error))?;
            builder.with_client_cert_verifier(verifier)
        };
        let mut config = builder.with_single_cert(chain, key).map_err(refused)?;
        config.alpn_protocols = material.alpn;
        Ok(TlsServer {
            config: Arc::new(config),
            lenient: material.lenient,
            handshake_timeout: material.handshake_timeout,
        })
    }
}

impl fmt::Debug for TlsServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsServer").finish_non_exhaustive()
    }
}
