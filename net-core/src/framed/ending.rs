//! How it ends to speak in frames: closed, as a plain stream again, or on under TLS.

use std::time::Duration;

use super::Framed;
use crate::framing::Framing;
use crate::{Error, ErrorKind, Operation, Result, Stream, TimeoutKind};

/// How [`Framed::close`] went.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CloseReport {
    /// Bytes that were accepted for sending and never reached the system.
    pub lost: usize,
    /// What kept the closing from being in order.
    pub error: Option<Error>,
}

impl CloseReport {
    /// Whether everything was sent and both sides closed in order.
    pub fn is_clean(&self) -> bool {
        self.lost == 0 && self.error.is_none()
    }
}

impl<F: Framing> Framed<F> {
    /// Closes in order: writes what has gathered, then as [`Stream::close`] does, all within `limit`. Always closes; says
    /// what was lost.
    ///
    /// After an error that is not the transport's (a frame too long, idle for too long) the answers before it still get
    /// to the peer.
    pub async fn close(mut self, limit: Duration) -> CloseReport {
        self.writer.end_closed();
        let failed = self.writer.failed().cloned();
        if let Some(error) = &failed
            && !error.leaves_transport()
        {
            return CloseReport {
                lost: self.writer.unsent(),
                error: failed,
            };
        }
        let net = self.writer.net().clone();
        let deadline = net.now() + limit;
        let flushed = match net.within(limit, self.writer.flush()).await {
            Some(flushed) => flushed,
            None => Err(Error::new(ErrorKind::Timeout(TimeoutKind::Close), Operation::Close).at(self.peer())),
        };
        let lost = self.writer.unsent();
        if let Err(error) = flushed {
            let error = self.fail(error);
            return CloseReport {
                lost,
                error: Some(error),
            };
        }
        let left = deadline - net.now();
        let closed = self.writer.into_stream().close(left).await;
        CloseReport {
            lost,
            error: failed.or(closed.err()),
        }
    }

    /// The stream again, after everything gathered has been written; bytes read too far go back into it.
    ///
    /// # Errors
    /// As [`flush`](Self::flush).
    pub async fn into_stream(mut self) -> Result<Stream> {
        self.writer.end_closed();
        self.flush().await?;
        let mut stream = self.writer.into_stream();
        stream.unread(self.input.into_unread());
        Ok(stream)
    }

    /// Encrypts the connection from here on, as the server, after writing what has gathered. What the framing
    /// remembered is forgotten. Not cancel safe.
    ///
    /// # Errors
    /// [`ErrorKind::WrongState`] if bytes of the peer are buffered already: they came before the encryption. The
    /// connection is broken then. Otherwise as [`Stream::upgrade_tls_server`].
    #[cfg(feature = "tls")]
    pub async fn upgrade_tls_server(&mut self, tls: &crate::TlsServer) -> Result<()> {
        self.before_upgrade().await?;
        let outcome = self.writer.stream_mut().upgrade_tls_server(tls).await;
        outcome.map_err(|error| self.fail(error))
    }

    /// Encrypts the connection from here on, as the client; see [`upgrade_tls_server`](Self::upgrade_tls_server).
    ///
    /// # Errors
    /// As [`upgrade_tls_server`](Self::upgrade_tls_server).
    #[cfg(feature = "tls")]
    pub async fn upgrade_tls_client(&mut self, tls: &crate::TlsClient, server_name: &str) -> Result<()> {
        self.before_upgrade().await?;
        let outcome = self.writer.stream_mut().upgrade_tls_client(tls, server_name).await;
        outcome.map_err(|error| self.fail(error))
    }

    #[cfg(feature = "tls")]
    async fn before_upgrade(&mut self) -> Result<()> {
        self.flush().await?;
        let early = self.input.unread().len();
        if early > 0 || !self.input.at_boundary() {
            let error = Error::new(ErrorKind::WrongState, Operation::Handshake)
                .at(self.peer())
                .detail(format!("{early} bytes came before TLS began; they can't be part of it"));
            return Err(self.fail(error));
        }
        self.input.forget();
        Ok(())
    }
}
