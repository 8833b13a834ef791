//! How a connection ended: what it tells its creator and everybody else.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use net_core::{Endpoint, Error, ErrorKind, TimeoutKind};

use crate::{Failure, Notify, ProducerFinished, Signal};

/// Why a connection ended: Kamaelia's `howDied`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum HowDied {
    /// The peer ended first, and everything of both sides arrived.
    PeerClosed,
    /// A [`ProducerFinished`](Signal::ProducerFinished) came, and everything was sent.
    ProducerFinished,
    /// A [`ShutdownMicroprocess`](Signal::ShutdownMicroprocess) came.
    Shutdown,
    /// No byte moved for the [idle timeout](crate::AdapterOptions::idle_timeout).
    IdleTimeout,
    /// The connection was to end, and no byte moved for the [linger limit](crate::AdapterOptions::linger): the peer did not
    /// read, did not close, or nobody took what was received.
    LingerExpired,
    /// The peer broke the connection off.
    Reset(Error),
    /// Nobody listens there.
    Refused(Error),
    /// No answer while connecting.
    ConnectTimeout(Error),
    /// The peer could not be trusted, or does not speak TLS.
    TlsFailed(Error),
    /// Anything else.
    Io(Error),
}

impl HowDied {
    pub(crate) fn by(error: Error) -> Self {
        match error.kind() {
            ErrorKind::Reset | ErrorKind::BrokenPipe => Self::Reset(error),
            ErrorKind::Refused => Self::Refused(error),
            ErrorKind::Timeout(TimeoutKind::Connect) => Self::ConnectTimeout(error),
            ErrorKind::Tls(_) | ErrorKind::Timeout(TimeoutKind::Handshake) => Self::TlsFailed(error),
            _ => Self::Io(error),
        }
    }

    /// The error behind it, if there is one.
    pub fn error(&self) -> Option<&Error> {
        match self {
            Self::Reset(error)
            | Self::Refused(error)
            | Self::ConnectTimeout(error)
            | Self::TlsFailed(error)
            | Self::Io(error) => Some(error),
            Self::PeerClosed | Self::ProducerFinished | Self::Shutdown | Self::IdleTimeout | Self::LingerExpired => {
                None
            }
        }
    }

    /// Whether the connection ended as somebody wanted it to.
    pub fn is_clean(&self) -> bool {
        matches!(
            self,
            Self::PeerClosed | Self::ProducerFinished | Self::Shutdown | Self::IdleTimeout
        )
    }
}

impl fmt::Display for HowDied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PeerClosed => f.write_str("peer closed"),
            Self::ProducerFinished => f.write_str("producer finished"),
            Self::Shutdown => f.write_str("shutdown microprocess"),
            Self::IdleTimeout => f.write_str("idle for too long"),
            Self::LingerExpired => f.write_str("silent for too long while it was to end"),
            Self::Reset(error)
            | Self::Refused(error)
            | Self::ConnectTimeout(error)
            | Self::TlsFailed(error)
            | Self::Io(error) => error.fmt(f),
        }
    }
}

/// A connection is closed: Kamaelia's `socketShutdown`. It tells how, and what was lost.
///
/// It travels inside of a [`ProducerFinished`](Signal::ProducerFinished); [`of`](Self::of) finds it there.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SocketShutdown {
    /// Our end; `None` if there never was a connection.
    pub local: Option<Endpoint>,
    /// The other end, or where one was sought.
    pub peer: Endpoint,
    /// Why it ended.
    pub how: HowDied,
    /// Bytes that were handed to the system for sending.
    pub sent: u64,
    /// Bytes that were received.
    pub received: u64,
    /// Bytes that were in the inbox and never handed to the system: lost.
    pub unsent: u64,
    /// Bytes that were received and that nobody took: lost.
    pub undelivered: u64,
}

impl SocketShutdown {
    /// What a signal tells of the end of a connection, if it does.
    pub fn of(signal: &Signal) -> Option<&Self> {
        if let Some(closed) = signal.message::<ShutdownCsa>() {
            return Some(&closed.socket);
        }
        signal
            .message()
            .or_else(|| signal.failure()?.error().downcast_ref::<Self>())
    }

    /// Whether it ended as somebody wanted it to, and nothing that is known of was lost.
    pub fn is_clean(&self) -> bool {
        self.how.is_clean() && self.unsent == 0 && self.undelivered == 0
    }

    /// The signal for whoever waits for the end.
    pub(crate) fn signal(&self, caller: &Arc<str>) -> Signal {
        Signal::ProducerFinished(ProducerFinished {
            caller: Some(Arc::clone(caller)),
            failure: (!self.is_clean()).then(|| Failure::from(self.clone())),
            message: Some(Notify::new(Arc::clone(caller), self.clone())),
        })
    }
}

impl fmt::Display for SocketShutdown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the connection to {} ended: {}", self.peer, self.how)?;
        if self.unsent > 0 {
            write!(f, "; {} bytes were not sent", self.unsent)?;
        }
        if self.undelivered > 0 {
            write!(f, "; {} bytes were received and not taken", self.undelivered)?;
        }
        Ok(())
    }
}

impl StdError for SocketShutdown {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.how.error().map(|error| error as _)
    }
}

/// A connection's component has shut down: Kamaelia's `shutdownCSA`, for everybody else than its creator.
///
/// It travels inside of a [`Notify`](Signal::Notify).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ShutdownCsa {
    /// The component's name.
    pub csa: Arc<str>,
    /// How its connection ended.
    pub socket: SocketShutdown,
}
