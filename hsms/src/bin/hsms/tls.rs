//! The options for `tls://` endpoints.

use std::path::PathBuf;

use clap::Args;
use hsms::net_core::{TlsClient, TlsServer};
use hsms::{Endpoint, Net};

/// What the side that listens has.
#[derive(Debug, Args)]
pub(crate) struct Listening {
    /// The certificate of a tls:// endpoint, with its chain; PEM.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The certificate's private key; PEM.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Demand certificates of hosts, by an issuer in this file; PEM.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_client_ca: Option<PathBuf>,
}

/// What the side that connects has.
#[derive(Debug, Args)]
pub(crate) struct Connecting {
    /// Trust the issuers in this file, and no others; PEM.
    #[arg(long, value_name = "FILE", conflicts_with = "tls_insecure")]
    tls_ca: Option<PathBuf>,
    /// Accept any certificate: whoever can reach the connection can then read and change it.
    #[arg(long)]
    tls_insecure: bool,
    /// The certificate to show to equipment that asks for one, with its chain; PEM.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The certificate's private key; PEM.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
}

impl Listening {
    /// The network to listen with.
    pub(crate) fn net(&self, endpoint: &Endpoint) -> Result<Net, String> {
        let net = Net::os();
        let (Some(certificate), Some(key)) = (&self.tls_cert, &self.tls_key) else {
            if endpoint.is_tls() {
                return Err("a tls:// endpoint needs --tls-cert and --tls-key".to_owned());
            }
            return Ok(net);
        };
        let mut tls = TlsServer::builder().identity_files(certificate, key);
        if let Some(issuers) = &self.tls_client_ca {
            tls = tls.client_root_file(issuers);
        }
        let tls = tls.build().map_err(|error| format!("{error:#}"))?;
        Ok(net.with_server_tls(tls))
    }
}

impl Connecting {
    /// The network to connect with.
    pub(crate) fn net(&self, endpoint: &Endpoint) -> Result<Net, String> {
        let net = Net::os();
        if !endpoint.is_tls() {
            return Ok(net);
        }
        let mut tls = TlsClient::builder();
        if let Some(issuers) = &self.tls_ca {
            tls = tls.root_file(issuers);
        }
        if self.tls_insecure {
            tls = tls.dangerously_accept_any_certificate();
        }
        if let (Some(certificate), Some(key)) = (&self.tls_cert, &self.tls_key) {
            tls = tls.identity_files(certificate, key);
        }
        let tls = tls.build().map_err(|error| format!("{error:#}"))?;
        Ok(net.with_client_tls(tls))
    }
}
