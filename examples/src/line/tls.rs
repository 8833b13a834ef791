//! A certificate for this run, and trust in it.

use net_core::{Net, TlsClient, TlsServer};
use rcgen::{CertificateParams, KeyPair, PKCS_ED25519};

use super::Outcome;

/// Both ends' settings for a server of this name or address. The kind of key is one whose signatures are all of the same
/// length, so that packets are, in each run.
pub(crate) struct Settings {
    server: TlsServer,
    client: TlsClient,
}

impl Settings {
    pub(crate) fn new(name: String) -> Outcome<Self> {
        let key = KeyPair::generate_for(&PKCS_ED25519)?;
        let mut params = CertificateParams::new(vec![name])?;
        params.serial_number = Some(1.into());
        let certificate = params.self_signed(&key)?.pem();
        let server = TlsServer::builder().identity_pem(certificate.as_bytes(), key.serialize_pem().as_bytes());
        Ok(Self {
            server: server.build()?,
            client: TlsClient::builder().root_pem(certificate.as_bytes()).build()?,
        })
    }

    /// A network with them.
    pub(crate) fn on(&self, net: &Net) -> Net {
        net.with_server_tls(self.server.clone())
            .with_client_tls(self.client.clone())
    }
}
