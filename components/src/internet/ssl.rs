//! Encrypting a connection that runs already.

use bytes::Bytes;
use net_core::{Error, TlsClient, TlsInfo, TlsServer};

/// The order to encrypt a connection from here on, for a `makessl` box.
///
/// What waits in the inbox by then is sent first, in plain, and so are the [last words](Self::saying); reading stops at
/// once. After the handshake `sslready` tells how it went. Send what is secret only after that.
///
/// A server answers a request to begin TLS by `saying`, not by its outbox: otherwise the client might hear the answer and
/// begin before the order is here.
#[derive(Clone, Debug)]
pub struct MakeSsl {
    pub(super) role: Role,
    pub(super) last_words: Bytes,
}

#[derive(Clone, Debug)]
pub(super) enum Role {
    Client { tls: TlsClient, server_name: String },
    Server { tls: TlsServer },
}

impl MakeSsl {
    /// As the client: the server has to show a certificate for this name that `tls` trusts.
    pub fn client(tls: TlsClient, server_name: impl Into<String>) -> Self {
        Self {
            role: Role::Client {
                tls,
                server_name: server_name.into(),
            },
            last_words: Bytes::new(),
        }
    }

    /// As the server, with the certificate of `tls`.
    pub fn server(tls: TlsServer) -> Self {
        Self {
            role: Role::Server { tls },
            last_words: Bytes::new(),
        }
    }

    /// Sets the last bytes in plain: `220 go ahead`, for example.
    #[must_use]
    pub fn saying(mut self, bytes: impl Into<Bytes>) -> Self {
        self.last_words = bytes.into();
        self
    }
}

/// How a handshake went, at an `sslready` box.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SslReady {
    /// The peer's certificate, the protocol and so on, or why the connection is not encrypted. Unless it was encrypted
    /// already, a connection whose handshake failed ends.
    pub outcome: Result<TlsInfo, Error>,
}
