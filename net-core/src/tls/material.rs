//! What both sides of TLS are built of: certificates, keys and trusted issuers, out of PEM text and files.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::RootCertStore;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::{Error, ErrorKind, Operation, Result, TlsFault};

/// A certificate chain, our own first, and its key.
pub(super) type Identity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

/// What a builder has gathered. The first thing that can't be read is kept, so that the steps chain and the last tells it.
#[derive(Debug)]
pub(super) struct Material {
    pub(super) identity: Option<Identity>,
    pub(super) roots: Vec<CertificateDer<'static>>,
    pub(super) alpn: Vec<Vec<u8>>,
    pub(super) lenient: bool,
    pub(super) handshake_timeout: Duration,
    first_error: Option<Error>,
}

impl Default for Material {
    fn default() -> Self {
        Self {
            identity: None,
            roots: Vec::new(),
            alpn: Vec::new(),
            lenient: false,
            handshake_timeout: super::HANDSHAKE_TIMEOUT,
            first_error: None,
        }
    }
}

impl Material {
    pub(super) fn root_pem(&mut self, pem: &[u8]) {
        let found = self.keep(certificates(pem));
        self.roots.extend(found.into_iter().flatten());
    }

    pub(super) fn root_file(&mut self, path: &Path) {
        let found = self.keep(read(path).and_then(|pem| certificates(&pem)));
        self.roots.extend(found.into_iter().flatten());
    }

    pub(super) fn identity_pem(&mut self, certificate: &[u8], key: &[u8]) {
        self.identity = self.keep(identity(certificate, key));
    }

    pub(super) fn identity_files(&mut self, certificate: &Path, key: &Path) {
        let found = read(certificate).and_then(|certificate| identity(&certificate, &read(key)?));
        self.identity = self.keep(found);
    }

    pub(super) fn alpn(&mut self, protocols: &[&[u8]]) {
        self.alpn = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    }

    /// The same, unless something could not be read.
    pub(super) fn checked(mut self) -> Result<Self> {
        match self.first_error.take() {
            Some(error) => Err(error),
            None => Ok(self),
        }
    }

    fn keep<T>(&mut self, outcome: Result<T>) -> Option<T> {
        match outcome {
            Ok(value) => Some(value),
            Err(error) => {
                self.first_error.get_or_insert(error);
                None
            }
        }
    }
}

/// The issuers given, and the system's where they are asked for or none are given.
pub(super) fn root_store(given: Vec<CertificateDer<'static>>, system: bool) -> Result<RootCertStore> {
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

/// ring, taken explicitly: nothing process-wide is installed or relied on.
pub(super) fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

pub(super) fn bad(what: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidInput, Operation::Configure).detail(what.into())
}

pub(super) fn refused(error: rustls::Error) -> Error {
    Error::new(ErrorKind::Tls(TlsFault::from_rustls(&error)), Operation::Configure).because(error)
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
