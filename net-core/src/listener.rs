//! Accepting connections, with limits, and without spinning when the system runs out of something.

use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::backend::{Plain, RawListener};
use crate::limits::Gate;
use crate::net::Core;
use crate::timer::Sleep;
use crate::{BindOptions, Endpoint, Error, ErrorKind, EventKind, Net, Operation, Result, Stream, WhenFull};

/// The first pause after the system ran out of something; doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(10);
/// The longest pause between two tries.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Accepts connections; made by [`Net::bind`]. Dropping it closes the listening socket at once.
///
/// ```
/// use net_core::Net;
/// use tokio::io::AsyncWriteExt;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> net_core::Result<()> {
/// let net = Net::os();
/// let mut listener = net.bind(&"tcp://127.0.0.1:0".parse()?).await?;
/// let mut client = net.connect(listener.local()).await?;
/// let server = listener.accept().await?;
/// assert_eq!(server.peer(), client.local());
/// # client.shutdown().await.unwrap();
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Listener {
    raw: Box<dyn RawListener>,
    core: Arc<Core>,
    local: Endpoint,
    gate: Option<Arc<Gate>>,
    options: BindOptions,
    pause: Duration,
    paused: Option<Sleep>,
    #[cfg(feature = "tls")]
    tls: Option<(crate::TlsServer, Arc<tokio::sync::Semaphore>)>,
}

impl Listener {
    pub(crate) fn new(raw: Box<dyn RawListener>, net: &Net, asked: &Endpoint, options: &BindOptions) -> Result<Self> {
        #[cfg(feature = "tls")]
        let tls = match asked {
            Endpoint::Tls(..) => {
                let server = options
                    .tls
                    .clone()
                    .or_else(|| net.0.server_tls().cloned())
                    .ok_or_else(|| {
                        Error::new(ErrorKind::InvalidInput, Operation::Bind).at(asked).detail(
                            "a tls:// listener needs a certificate: set BindOptions::tls or Net::with_server_tls",
                        )
                    })?;
                Some((
                    server,
                    Arc::new(tokio::sync::Semaphore::new(options.max_handshakes.max(1))),
                ))
            }
            _ => None,
        };
        let local = raw.local().with_scheme_of(asked);
        Ok(Self {
            raw,
            core: Arc::clone(&net.0),
            local,
            gate: Gate::new(options.max_connections, options.max_per_peer),
            options: options.clone(),
            pause: FIRST_PAUSE,
            paused: None,
            #[cfg(feature = "tls")]
            tls,
        })
    }

    pub(crate) fn listen(&mut self) -> Result<()> {
        self.raw
            .listen(self.options.socket.backlog)
            .map_err(|error| Error::from_io(Operation::Listen, error).at(&self.local))
    }

    /// The address that is bound, with the real port where 0 was asked for.
    pub fn local(&self) -> &Endpoint {
        &self.local
    }

    /// The next connection. Cancel safe.
    ///
    /// The handshake of a `tls://` connection runs later, in whichever task first reads, writes or calls
    /// [`Stream::handshake`]; so a slow or silent client holds up nobody else.
    ///
    /// # Errors
    /// Only those that end the listener. A connection that died in the backlog is passed over; when the system is out
    /// of descriptors or memory, accepting pauses for 10 ms, doubling to 1 s, and tells
    /// [`EventKind::AcceptPaused`].
    pub async fn accept(&mut self) -> Result<Stream> {
        poll_fn(|cx| self.poll_accept(cx)).await
    }

    /// [`accept`](Self::accept) for hand-written futures.
    pub fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<Result<Stream>> {
        loop {
            if let Some(sleep) = &mut self.paused {
                std::task::ready!(std::pin::Pin::new(sleep).poll(cx));
                self.paused = None;
            }
            if let (Some(gate), WhenFull::Queue) = (&self.gate, self.options.when_full) {
                std::task::ready!(gate.poll_room(cx));
            }
            match std::task::ready!(self.raw.poll_accept(cx)) {
                Ok(plain) => {
                    self.pause = FIRST_PAUSE;
                    if let Some(stream) = self.admit(plain)? {
                        return Poll::Ready(Ok(stream));
                    }
                }
                Err(error) => match accept_error(&error) {
                    AcceptError::Connection => {}
                    AcceptError::Resource => {
                        let until = self.core.now() + self.pause;
                        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
                        self.core.counters().accept_pauses.add(1);
                        let cause = Error::from_io(Operation::Accept, error).at(&self.local);
                        self.core.emit(None, || EventKind::AcceptPaused { until, cause });
                        self.paused = Some(Net(Arc::clone(&self.core)).sleep_until(until));
                    }
                    AcceptError::Final => {
                        return Poll::Ready(Err(Error::from_io(Operation::Accept, error).at(&self.local)));
                    }
                },
            }
        }
    }

    /// Makes a stream of an accepted connection, or turns it away.
    fn admit(&self, plain: Plain) -> Result<Option<Stream>> {
        let permit = match &self.gate {
            None => None,
            Some(gate) => match gate.enter(plain.peer().socket_addr().map(|address| address.ip())) {
                Ok(permit) => Some(permit),
                Err(why) => {
                    let peer = plain.peer().with_scheme_of(&self.local);
                    let cause = Error::new(ErrorKind::Limit, Operation::Accept)
                        .at(&self.local)
                        .detail(why);
                    self.core.counters().rejected.add(1);
                    self.core.emit(None, || EventKind::Rejected { peer, cause });
                    return Ok(None);
                }
            },
        };
        let mut stream = Stream::open(&self.core, plain, &self.local, true);
        if let Some(permit) = permit {
            stream.hold(permit);
        }
        #[cfg(feature = "tls")]
        if let Some((tls, slots)) = &self.tls {
            let (tls, slots, limit) = (tls.clone(), Arc::clone(slots), self.options.handshake_timeout);
            stream.begin_handshake(tls.lenient(), |net, plain| {
                crate::tls::accept(net, plain, tls, limit, Some(slots))
            })?;
        }
        Ok(Some(stream))
    }
}

enum AcceptError {
    /// That connection is dead; the next may be fine.
    Connection,
    /// The system is out of something: try again later.
    Resource,
    /// The listening socket itself is broken.
    Final,
}

fn accept_error(error: &io::Error) -> AcceptError {
    use io::ErrorKind as K;
    match crate::error::classify(error) {
        ErrorKind::Resource => return AcceptError::Resource,
        ErrorKind::InvalidInput => return AcceptError::Final,
        _ => {}
    }
    // Linux reports errors of the new connection, pending on it, as the result of accept.
    match error.kind() {
        K::ConnectionAborted
        | K::ConnectionReset
        | K::ConnectionRefused
        | K::Interrupted
        | K::TimedOut
        | K::HostUnreachable
        | K::NetworkUnreachable
        | K::NetworkDown
        | K::PermissionDenied => AcceptError::Connection,
        // EPROTO and ENOPROTOOPT, likewise.
        _ if matches!(error.raw_os_error(), Some(71 | 92)) => AcceptError::Connection,
        _ => AcceptError::Final,
    }
}
