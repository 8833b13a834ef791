//! Certificates made for one test.

use net_core::{TlsClient, TlsServer};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};

/// A certificate authority of our own.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// A certificate and its key, as PEM text.
pub(crate) struct Identity {
    pub(crate) certificate: Vec<u8>,
    pub(crate) key: Vec<u8>,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("parameters");
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        Self {
            issuer: CertifiedIssuer::self_signed(params, key).expect("a certificate authority"),
        }
    }

    /// Its own certificate, for those who trust it.
    pub(crate) fn pem(&self) -> Vec<u8> {
        self.issuer.pem().into_bytes()
    }

    /// A certificate for these names.
    pub(crate) fn issue(&self, names: &[&str]) -> Identity {
        self.issue_with(names, |_| {})
    }

    /// A certificate whose time passed long ago.
    pub(crate) fn issue_expired(&self, names: &[&str]) -> Identity {
        self.issue_with(names, |params| {
            params.not_before = date_time_ymd(2001, 1, 1);
            params.not_after = date_time_ymd(2002, 1, 1);
        })
    }

    /// A certificate whose time comes in a far future.
    pub(crate) fn issue_early(&self, names: &[&str]) -> Identity {
        self.issue_with(names, |params| {
            params.not_before = date_time_ymd(4001, 1, 1);
            params.not_after = date_time_ymd(4002, 1, 1);
        })
    }

    fn issue_with(&self, names: &[&str], change: impl FnOnce(&mut CertificateParams)) -> Identity {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).expect("names");
        change(&mut params);
        let key = KeyPair::generate().expect("a key");
        Identity {
            certificate: params
                .signed_by(&key, &self.issuer)
                .expect("a certificate")
                .pem()
                .into_bytes(),
            key: key.serialize_pem().into_bytes(),
        }
    }

    /// A client that trusts this authority.
    pub(crate) fn client(&self) -> TlsClient {
        TlsClient::builder().root_pem(&self.pem()).build().expect("a client")
    }
}

impl Identity {
    /// A server with this certificate.
    pub(crate) fn server(&self) -> TlsServer {
        TlsServer::builder()
            .identity_pem(&self.certificate, &self.key)
            .build()
            .expect("a server")
    }
}

/// A server for `localhost` and a client that trusts it.
pub(crate) fn trusting() -> (TlsServer, TlsClient) {
    let authority = Authority::new("test");
    (
        authority.issue(&["localhost", "127.0.0.1"]).server(),
        authority.client(),
    )
}
