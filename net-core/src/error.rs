//! What went wrong, in which operation, on which endpoint, and why.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::sync::Arc;

use crate::Endpoint;

/// The result of everything that this crate does.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong ([`ErrorKind`]), in which [`Operation`], on which [`Endpoint`], and why (`source`).
///
/// Cloning is cheap, so the same error reaches the caller, the event that tells of the closed connection, and the log.
/// `{}` prints operation, endpoint, kind and detail on one line; `{:#}` adds the chain of sources.
///
/// ```
/// use net_core::{Error, ErrorKind, Operation};
///
/// let error = Error::new(ErrorKind::Refused, Operation::Connect).at(&"tcp://127.0.0.1:5000".parse()?);
/// assert_eq!(error.to_string(), "connect tcp://127.0.0.1:5000: refused, nothing accepts connections there");
/// # Ok::<(), net_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Error(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    operation: Operation,
    endpoint: Option<Endpoint>,
    detail: Option<Cow<'static, str>>,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

/// The class of an [`Error`]: what a program decides by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The host name has no address, or the name service did not answer.
    Resolve,
    /// The peer's system answered that nothing listens there, or a Unix or memory name does not exist.
    Refused,
    /// No route to the host or network, or the interface is down.
    Unreachable,
    /// Another socket already has the address.
    AddrInUse,
    /// The local address does not belong to this machine.
    AddrNotAvailable,
    /// The system forbids it: a port below 1024, or a Unix path without the right to it.
    Permission,
    /// The caller asked for what cannot be: a bad endpoint, a bad option, a missing certificate.
    InvalidInput,
    /// The backend or the build does not offer this: Unix sockets on it, or TLS without the feature.
    Unsupported,
    /// A time limit ran out; which one says the [`TimeoutKind`].
    Timeout(TimeoutKind),
    /// The peer broke the connection off (RST).
    Reset,
    /// The connection was already closed for writing when something was written.
    BrokenPipe,
    /// The connection is closed, in order, and nothing more comes of it.
    Closed,
    /// The connection ended inside a frame, or without TLS's close_notify: the tail is missing.
    Truncated,
    /// A frame is longer than the limit.
    FrameTooLong,
    /// The peer's bytes break the framing, or the bytes to send do not fit it.
    BadFrame,
    /// TLS failed; why says the [`TlsFault`].
    Tls(TlsFault),
    /// One of our own limits was reached: connections, handshakes, buffered bytes.
    Limit,
    /// The system ran out of something: file descriptors, buffers, memory.
    Resource,
    /// The work was stopped here, by an abort or a shutdown.
    Cancelled,
    /// The call does not fit the state of the socket, for example `accept` before `listen`.
    WrongState,
    /// The id or handle names nothing that exists.
    BadHandle,
    /// A caught panic or a broken invariant: a bug, not the network.
    Internal,
    /// Everything else that the operating system reports; the source carries its error.
    Io,
}

/// Which time limit ran out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TimeoutKind {
    /// Making the connection, name look-up included.
    Connect,
    /// The TLS handshake or the protocol's own greeting.
    Handshake,
    /// No frame came for the idle time.
    Idle,
    /// A frame began and did not become whole in time.
    Frame,
    /// A frame began, and its next byte did not come in time.
    InterByte,
    /// The peer did not take what was written: it reads too slowly, or not at all.
    Write,
    /// An answer did not come in time.
    Request,
    /// The peer did not close its side in time after ours was closed.
    Close,
    /// The peer's system answers no more, neither to keepalive probes nor to data: it is off, or the network is cut.
    Keepalive,
}

/// Why TLS failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TlsFault {
    /// The certificate is not signed by a trusted issuer.
    UnknownIssuer,
    /// The certificate's time has passed.
    Expired,
    /// The certificate's time has not begun.
    NotYetValid,
    /// The certificate is for other names than the one connected to.
    WrongName,
    /// The certificate is bad in another way.
    BadCertificate,
    /// The server asks for a client certificate and there is none.
    CertificateRequired,
    /// The two sides share no application protocol (ALPN).
    NoApplicationProtocol,
    /// What the peer speaks is not TLS.
    NotTls,
    /// The peer refused with an alert.
    Alert,
    /// Anything else in the handshake or in a record.
    Protocol,
}

/// What was being done when the error came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// Reading an endpoint or an option.
    Parse,
    /// Looking a name up.
    Resolve,
    /// Creating a socket.
    Create,
    /// Connecting.
    Connect,
    /// Binding an address.
    Bind,
    /// Beginning to listen.
    Listen,
    /// Accepting a connection.
    Accept,
    /// Making TLS out of a plain connection.
    Handshake,
    /// Reading from a connection, or receiving a datagram.
    Read,
    /// Writing to a connection, or sending a datagram.
    Write,
    /// Closing the writing side.
    Shutdown,
    /// Closing.
    Close,
    /// Setting a socket option.
    Configure,
    /// Running a task.
    Run,
    /// Waiting for an answer.
    Request,
}

impl Error {
    /// An error of this kind in this operation.
    pub fn new(kind: ErrorKind, operation: Operation) -> Self {
        Self(Arc::new(Inner {
            kind,
            operation,
            endpoint: None,
            detail: None,
            source: None,
        }))
    }

    /// The same error, naming the endpoint that it happened on; one that it already names stays.
    #[must_use]
    pub fn at(mut self, endpoint: &Endpoint) -> Self {
        if self.0.endpoint.is_none() {
            Arc::make_mut(&mut self.0).endpoint = Some(endpoint.clone());
        }
        self
    }

    /// The same error with a sentence about this case: the thing's name, and the way out.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<Cow<'static, str>>) -> Self {
        Arc::make_mut(&mut self.0).detail = Some(detail.into());
        self
    }

    /// The same error with what caused it.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Arc::make_mut(&mut self.0).source = Some(Arc::from(source.into()));
        self
    }

    /// An operating system's error, classified. An [`Error`] that travelled inside the [`io::Error`] comes out again.
    pub fn from_io(operation: Operation, error: io::Error) -> Self {
        if error.get_ref().is_some_and(|inner| inner.is::<Self>()) {
            if let Some(Ok(own)) = error.into_inner().map(|inner| inner.downcast::<Self>()) {
                return *own;
            }
            return Self::new(ErrorKind::Internal, operation);
        }
        #[cfg(feature = "tls")]
        if let Some(tls) = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            return Self::new(ErrorKind::Tls(TlsFault::from_rustls(tls)), operation).because(error);
        }
        let kind = match (classify(&error), operation) {
            // ETIMEDOUT on what was connected once.
            (
                ErrorKind::Timeout(_),
                Operation::Handshake | Operation::Read | Operation::Write | Operation::Shutdown | Operation::Close,
            ) => ErrorKind::Timeout(TimeoutKind::Keepalive),
            (kind, _) => kind,
        };
        let told = Self::new(kind, operation);
        // Whoever refuses an operation in words of his own says how it can be had: that belongs into the message.
        let told = match error.get_ref() {
            Some(words) if kind == ErrorKind::Unsupported => told.detail(words.to_string()),
            _ => told,
        };
        told.because(error)
    }

    /// What went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// What was being done.
    pub fn operation(&self) -> Operation {
        self.0.operation
    }

    /// Whether the transport still works after it: the fault is in what was said, or in how long it took.
    pub(crate) fn leaves_transport(&self) -> bool {
        matches!(
            self.kind(),
            ErrorKind::FrameTooLong
                | ErrorKind::BadFrame
                | ErrorKind::Truncated
                | ErrorKind::Timeout(TimeoutKind::Idle | TimeoutKind::Frame | TimeoutKind::InterByte)
        )
    }

    /// Where, if that is known.
    pub fn endpoint(&self) -> Option<&Endpoint> {
        self.0.endpoint.as_ref()
    }

    /// The sentence about this case, if there is one.
    pub fn detail_text(&self) -> Option<&str> {
        self.0.detail.as_deref()
    }

    /// The operating system's error number, if the error came from there.
    pub fn errno(&self) -> Option<i32> {
        let mut source = self.source();
        while let Some(error) = source {
            if let Some(io) = error.downcast_ref::<io::Error>() {
                return io.raw_os_error();
            }
            source = error.source();
        }
        None
    }
}

/// The kind that an operating system's error has.
pub(crate) fn classify(error: &io::Error) -> ErrorKind {
    use io::ErrorKind as K;
    match error.kind() {
        K::ConnectionRefused | K::NotFound => ErrorKind::Refused,
        K::ConnectionReset | K::ConnectionAborted => ErrorKind::Reset,
        K::BrokenPipe | K::NotConnected | K::WriteZero => ErrorKind::BrokenPipe,
        K::AddrInUse => ErrorKind::AddrInUse,
        K::AddrNotAvailable => ErrorKind::AddrNotAvailable,
        K::PermissionDenied => ErrorKind::Permission,
        K::HostUnreachable | K::NetworkUnreachable | K::NetworkDown => ErrorKind::Unreachable,
        K::TimedOut => ErrorKind::Timeout(TimeoutKind::Connect),
        K::UnexpectedEof => ErrorKind::Truncated,
        K::InvalidInput => ErrorKind::InvalidInput,
        K::Unsupported => ErrorKind::Unsupported,
        K::OutOfMemory | K::StorageFull => ErrorKind::Resource,
        // Too many descriptors here (EMFILE) or on the whole system (ENFILE), no buffers (ENOBUFS): std has no kind.
        _ => match error.raw_os_error() {
            Some(23 | 24 | 105) => ErrorKind::Resource,
            _ => ErrorKind::Io,
        },
    }
}

impl PartialEq for Error {
    /// Equal in kind, operation and endpoint; details and sources are for people.
    fn eq(&self, other: &Self) -> bool {
        self.0.kind == other.0.kind && self.0.operation == other.0.operation && self.0.endpoint == other.0.endpoint
    }
}

impl Eq for Error {}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.operation)?;
        if let Some(endpoint) = &self.0.endpoint {
            write!(f, " {endpoint}")?;
        }
        let known = match (self.0.kind, self.0.operation, &self.0.detail) {
            (ErrorKind::Refused, Operation::Connect, None) => Some("refused, nothing accepts connections there"),
            (ErrorKind::Refused, Operation::Bind, None) => Some("the folder of that path does not exist"),
            // What is invalid about it is all that matters.
            (ErrorKind::InvalidInput, _, Some(detail)) => Some(&**detail),
            _ => None,
        };
        match (known, &self.0.detail) {
            (Some(text), _) => write!(f, ": {text}"),
            (None, None) => write!(f, ": {}", self.0.kind),
            (None, Some(detail)) => write!(f, ": {}: {detail}", self.0.kind),
        }?;
        if f.alternate() {
            let mut source = self.source();
            while let Some(error) = source {
                write!(f, ": {error}")?;
                source = error.source();
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Error({self:#})")
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0
            .source
            .as_deref()
            .map(|source| source as &(dyn StdError + 'static))
    }
}

impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        use io::ErrorKind as K;
        let kind = match error.kind() {
            ErrorKind::Refused => K::ConnectionRefused,
            ErrorKind::Unreachable => K::HostUnreachable,
            ErrorKind::AddrInUse => K::AddrInUse,
            ErrorKind::AddrNotAvailable => K::AddrNotAvailable,
            ErrorKind::Permission => K::PermissionDenied,
            ErrorKind::InvalidInput | ErrorKind::WrongState | ErrorKind::BadHandle => K::InvalidInput,
            ErrorKind::Unsupported => K::Unsupported,
            ErrorKind::Timeout(_) => K::TimedOut,
            ErrorKind::Reset => K::ConnectionReset,
            ErrorKind::BrokenPipe | ErrorKind::Closed => K::BrokenPipe,
            ErrorKind::Truncated => K::UnexpectedEof,
            ErrorKind::FrameTooLong | ErrorKind::BadFrame | ErrorKind::Tls(_) => K::InvalidData,
            _ => K::Other,
        };
        Self::new(kind, error)
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Resolve => "the name has no address",
            Self::Refused => "refused",
            Self::Unreachable => "no route to that host",
            Self::AddrInUse => "address in use, another socket has it",
            Self::AddrNotAvailable => "that address does not belong to this machine",
            Self::Permission => "the system forbids it",
            Self::InvalidInput => "invalid",
            Self::Unsupported => "not supported here",
            Self::Timeout(kind) => return write!(f, "{kind}"),
            Self::Reset => "reset by the peer",
            Self::BrokenPipe => "the connection is closed for writing",
            Self::Closed => "closed",
            Self::Truncated => "the connection ended inside a frame",
            Self::FrameTooLong => "frame too long",
            Self::BadFrame => "bad frame",
            Self::Tls(fault) => return write!(f, "{fault}"),
            Self::Limit => "limit reached",
            Self::Resource => "the system is out of resources",
            Self::Cancelled => "cancelled",
            Self::WrongState => "wrong state",
            Self::BadHandle => "no such handle",
            Self::Internal => "internal error",
            Self::Io => "I/O error",
        })
    }
}

impl fmt::Display for TimeoutKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "timed out connecting",
            Self::Handshake => "timed out in the handshake",
            Self::Idle => "idle for too long",
            Self::Frame => "timed out inside a frame",
            Self::InterByte => "timed out between two bytes of a frame",
            Self::Write => "timed out writing, the peer does not read",
            Self::Request => "timed out waiting for an answer",
            Self::Close => "timed out waiting for the peer to close",
            Self::Keepalive => "timed out, the peer no longer answers",
        })
    }
}

impl fmt::Display for TlsFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnknownIssuer => "TLS: the certificate's issuer is not trusted",
            Self::Expired => "TLS: the certificate has expired",
            Self::NotYetValid => "TLS: the certificate is not valid yet",
            Self::WrongName => "TLS: the certificate is for another name",
            Self::BadCertificate => "TLS: bad certificate",
            Self::CertificateRequired => "TLS: a client certificate is required",
            Self::NoApplicationProtocol => "TLS: no common application protocol",
            Self::NotTls => "TLS: the peer does not speak TLS",
            Self::Alert => "TLS: the peer refused",
            Self::Protocol => "TLS: protocol error",
        })
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Parse => "parse",
            Self::Resolve => "resolve",
            Self::Create => "create",
            Self::Connect => "connect",
            Self::Bind => "bind",
            Self::Listen => "listen",
            Self::Accept => "accept",
            Self::Handshake => "handshake",
            Self::Read => "read",
            Self::Write => "write",
            Self::Shutdown => "shutdown",
            Self::Close => "close",
            Self::Configure => "configure",
            Self::Run => "run",
            Self::Request => "request",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_survives_the_way_through_io() {
        let endpoint: Endpoint = "tcp://h:1".parse().unwrap();
        let error = Error::new(ErrorKind::Timeout(TimeoutKind::Write), Operation::Write)
            .at(&endpoint)
            .detail("d");
        let io: io::Error = error.clone().into();
        assert_eq!(io.kind(), io::ErrorKind::TimedOut);
        let back = Error::from_io(Operation::Read, io);
        assert_eq!(back, error);
        assert_eq!(back.detail_text(), Some("d"));
    }

    #[test]
    fn system_errors_are_classified_and_keep_their_number() {
        for (number, kind) in [
            (24, ErrorKind::Resource),
            (23, ErrorKind::Resource),
            (98, ErrorKind::AddrInUse),
            (104, ErrorKind::Reset),
            (111, ErrorKind::Refused),
            (113, ErrorKind::Unreachable),
            (32, ErrorKind::BrokenPipe),
            (13, ErrorKind::Permission),
        ] {
            let error = Error::from_io(Operation::Connect, io::Error::from_raw_os_error(number));
            assert_eq!(error.kind(), kind);
            assert_eq!(error.errno(), Some(number));
        }
    }

    #[test]
    fn a_system_that_gives_a_connection_up_is_no_time_out_of_connecting() {
        let timed_out = |operation| Error::from_io(operation, io::Error::from_raw_os_error(110));
        for operation in [Operation::Read, Operation::Write] {
            let error = timed_out(operation);
            assert_eq!(error.kind(), ErrorKind::Timeout(TimeoutKind::Keepalive));
            assert_eq!(error.errno(), Some(110));
            assert_eq!(
                error.to_string(),
                format!("{operation}: timed out, the peer no longer answers")
            );
        }
        assert_eq!(
            timed_out(Operation::Connect).kind(),
            ErrorKind::Timeout(TimeoutKind::Connect)
        );
    }

    #[test]
    fn the_alternate_form_prints_the_chain() {
        let error = Error::from_io(Operation::Read, io::Error::from_raw_os_error(104));
        assert_eq!(error.to_string(), "read: reset by the peer");
        assert!(format!("{error:#}").contains("os error 104"));
    }
}
