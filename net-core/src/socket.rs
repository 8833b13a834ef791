//! Sockets as the BSD calls know them: create, bind, listen, accept, connect, recv, send, shutdown, close.
//!
//! Statecharts and simulated processes speak in these steps, one command at a time. Each step is checked against a
//! small state machine, so that a call in the wrong state is a typed error and never a surprise of the system.

use std::fmt;
use std::future::{Future, poll_fn};
use std::mem::MaybeUninit;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::{
    BindOptions, ConnectOptions, Endpoint, Error, ErrorKind, Listener, Net, Operation, Result, Stream, TimeoutKind,
};

/// The most that one [`Socket::recv`] takes: the order of the system's own buffer.
const MOST_AT_ONCE: usize = 64 * 1024;

/// The states of a socket's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SocketState {
    /// Made, and nothing else.
    Created,
    /// Has a local address.
    Bound,
    /// Takes connections.
    Listening,
    /// Has a peer; data flow both ways.
    Connected,
    /// Our writing side is closed; the peer's data still come.
    ShutDown,
    /// Over.
    Closed,
}

impl SocketState {
    /// The state after an operation that succeeds.
    ///
    /// # Errors
    /// [`ErrorKind::WrongState`] if the operation does not fit the state; the text says what would.
    pub fn after(self, operation: Operation) -> Result<Self> {
        use Operation as O;
        match (self, operation) {
            (Self::Created, O::Bind) => Ok(Self::Bound),
            (Self::Bound, O::Listen) => Ok(Self::Listening),
            (Self::Listening, O::Listen | O::Accept) => Ok(Self::Listening),
            (Self::Created | Self::Bound, O::Connect) => Ok(Self::Connected),
            (Self::Connected, O::Read | O::Write | O::Handshake) => Ok(Self::Connected),
            (Self::Connected | Self::ShutDown, O::Shutdown) | (Self::ShutDown, O::Read) => Ok(Self::ShutDown),
            (_, O::Close) => Ok(Self::Closed),
            _ => Err(Error::new(ErrorKind::WrongState, operation).detail(self.way_out(operation))),
        }
    }

    fn way_out(self, operation: Operation) -> String {
        let next = match self {
            Self::Created => "bind or connect it first",
            Self::Bound => "listen or connect first",
            Self::Listening => "accept, and use the accepted socket",
            Self::Connected => "it has a peer already; make another socket",
            Self::ShutDown => "its writing side is shut down; only recv and close are left",
            Self::Closed => "make another socket",
        };
        format!("can't {operation} a socket that is {self}: {next}")
    }
}

impl fmt::Display for SocketState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Created => "created",
            Self::Bound => "bound",
            Self::Listening => "listening",
            Self::Connected => "connected",
            Self::ShutDown => "shut down",
            Self::Closed => "closed",
        })
    }
}

/// A stream socket that is used step by step, in the manner of BSD's calls.
///
/// ```
/// use net_core::{Net, Socket};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> net_core::Result<()> {
/// let net = Net::os();
/// let mut server = Socket::new(&net);
/// server.bind(&"tcp://127.0.0.1:0".parse()?).await?;
/// server.listen()?;
///
/// let mut client = Socket::new(&net);
/// client.connect(server.local().unwrap()).await?;
/// client.send(b"hello").await?;
///
/// let mut accepted = server.accept().await?;
/// assert_eq!(accepted.recv(65_536).await?, "hello");
/// client.close().await?;
/// assert_eq!(accepted.recv(65_536).await?, ""); // the peer's end
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Socket {
    net: Net,
    inner: Inner,
    connect: ConnectOptions,
    bind: BindOptions,
    linger: Duration,
}

#[derive(Debug)]
enum Inner {
    Created,
    Bound(Listener),
    /// Bound, to an address that was let go for a connecting socket to take, and is not taken back yet.
    Released(Endpoint),
    Listening(Listener),
    Connected(Stream),
    ShutDown(Stream),
    Closed,
}

impl Socket {
    /// A socket with the default options.
    pub fn new(net: &Net) -> Self {
        Self::with_options(net, ConnectOptions::default(), BindOptions::default())
    }

    /// A socket with these options for connecting and for listening.
    pub fn with_options(net: &Net, connect: ConnectOptions, bind: BindOptions) -> Self {
        Self {
            net: net.clone(),
            inner: Inner::Created,
            connect,
            bind,
            linger: Duration::from_secs(5),
        }
    }

    /// How long [`close`](Self::close) waits for the peer to close its side too, and [`shutdown`](Self::shutdown) for a
    /// peer that doesn't read. Default: 5 s.
    #[must_use]
    pub fn linger(mut self, limit: Duration) -> Self {
        self.linger = limit;
        self
    }

    /// Where in its life the socket is.
    pub fn state(&self) -> SocketState {
        match &self.inner {
            Inner::Created => SocketState::Created,
            Inner::Bound(_) | Inner::Released(_) => SocketState::Bound,
            Inner::Listening(_) => SocketState::Listening,
            Inner::Connected(_) => SocketState::Connected,
            Inner::ShutDown(_) => SocketState::ShutDown,
            Inner::Closed => SocketState::Closed,
        }
    }

    /// Our address, once there is one.
    pub fn local(&self) -> Option<&Endpoint> {
        match &self.inner {
            Inner::Bound(listener) | Inner::Listening(listener) => Some(listener.local()),
            Inner::Released(local) => Some(local),
            Inner::Connected(stream) | Inner::ShutDown(stream) => Some(stream.local()),
            Inner::Created | Inner::Closed => None,
        }
    }

    /// The peer's address, once there is one.
    pub fn peer(&self) -> Option<&Endpoint> {
        match &self.inner {
            Inner::Connected(stream) | Inner::ShutDown(stream) => Some(stream.peer()),
            _ => None,
        }
    }

    /// Gives the socket a local address. Cancel safe.
    ///
    /// # Errors
    /// [`ErrorKind::WrongState`], [`ErrorKind::AddrInUse`] and the like.
    pub async fn bind(&mut self, at: &Endpoint) -> Result<()> {
        self.state().after(Operation::Bind)?;
        self.inner = Inner::Bound(self.net.bind_quietly(at, &self.bind).await?);
        Ok(())
    }

    /// Begins to take connections; doing so again is harmless.
    ///
    /// # Errors
    /// [`ErrorKind::WrongState`], and what the system reports; the socket is closed then. After a
    /// [`connect`](Self::connect) that was given up: what taking the address again reports; the socket stays bound then.
    pub fn listen(&mut self) -> Result<()> {
        self.state().after(Operation::Listen)?;
        if let Inner::Released(local) = &self.inner {
            self.inner = Inner::Bound(self.take_again(local)?);
        }
        match std::mem::replace(&mut self.inner, Inner::Closed) {
            Inner::Bound(mut listener) => {
                listener.listen()?;
                self.inner = Inner::Listening(listener);
            }
            other => self.inner = other,
        }
        Ok(())
    }

    /// Binds again what was let go. Binding an address that needs no look-up waits for nothing.
    fn take_again(&self, local: &Endpoint) -> Result<Listener> {
        let mut binding = pin!(self.net.bind_quietly(local, &self.bind));
        match binding.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(outcome) => outcome,
            Poll::Pending => Err(Error::new(ErrorKind::AddrInUse, Operation::Listen)
                .at(local)
                .detail("it was let go for a connect that was given up, and can't be taken again at once")),
        }
    }

    /// The next connection, as a socket of its own. Cancel safe.
    ///
    /// # Errors
    /// [`ErrorKind::WrongState`], and what ends the listening.
    pub async fn accept(&mut self) -> Result<Self> {
        poll_fn(|cx| self.poll_accept(cx)).await
    }

    /// [`accept`](Self::accept) for hand-written futures.
    pub fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<Result<Self>> {
        self.state().after(Operation::Accept)?;
        let Inner::Listening(listener) = &mut self.inner else {
            return Poll::Pending;
        };
        let stream = ready!(listener.poll_accept(cx))?;
        let mut socket = Self::with_options(&self.net, self.connect.clone(), self.bind.clone()).linger(self.linger);
        socket.inner = Inner::Connected(stream);
        Poll::Ready(Ok(socket))
    }

    /// Connects; a bound socket keeps its local address. Cancel safe: the attempt is given up.
    ///
    /// # Errors
    /// [`ErrorKind::WrongState`], and as [`Net::connect`]; the socket may try again, and is bound as it was before.
    pub async fn connect(&mut self, to: &Endpoint) -> Result<()> {
        self.state().after(Operation::Connect)?;
        let mut options = self.connect.clone();
        if let Inner::Bound(listener) = &self.inner {
            // The address must be free for the connecting socket to take it.
            self.inner = Inner::Released(listener.local().clone());
        }
        if let Inner::Released(local) = &self.inner {
            options.local = local.socket_addr();
        }
        match self.net.connect_with(to, &options).await {
            Ok(stream) => {
                self.inner = Inner::Connected(stream);
                Ok(())
            }
            Err(error) => {
                if let Inner::Released(local) = &self.inner
                    && let Ok(listener) = self.net.bind_quietly(local, &self.bind).await
                {
                    self.inner = Inner::Bound(listener);
                }
                Err(error)
            }
        }
    }

    /// Receives at most `limit` bytes (and at most 64 KiB at once), as soon as there are any; empty at the peer's end,
    /// and then each time again. A limit of 0 is empty at once and says nothing. Cancel safe.
    ///
    /// # Errors
    /// [`ErrorKind::WrongState`], and what breaks the connection.
    pub async fn recv(&mut self, limit: usize) -> Result<Bytes> {
        poll_fn(|cx| self.poll_recv(cx, limit)).await
    }

    /// [`recv`](Self::recv) for hand-written futures.
    pub fn poll_recv(&mut self, cx: &mut Context<'_>, limit: usize) -> Poll<Result<Bytes>> {
        self.state().after(Operation::Read)?;
        let (Inner::Connected(stream) | Inner::ShutDown(stream)) = &mut self.inner else {
            return Poll::Pending;
        };
        if limit == 0 {
            return Poll::Ready(Ok(Bytes::new()));
        }
        // On the stack: a socket that waits holds no memory, and what comes takes no more than its length.
        let mut scratch = [const { MaybeUninit::uninit() }; MOST_AT_ONCE];
        let mut data = ReadBuf::uninit(&mut scratch[..limit.min(MOST_AT_ONCE)]);
        ready!(Pin::new(stream).poll_read(cx, &mut data)).map_err(|error| Error::from_io(Operation::Read, error))?;
        Poll::Ready(Ok(Bytes::copy_from_slice(data.filled())))
    }

    /// Sends all the data, and says how many bytes that were. Not cancel safe: part of the data may have gone.
    ///
    /// # Errors
    /// [`ErrorKind::WrongState`], and what breaks the connection.
    pub async fn send(&mut self, data: &[u8]) -> Result<usize> {
        let mut sent = 0;
        while sent < data.len() {
            sent += poll_fn(|cx| self.poll_send(cx, &data[sent..])).await?;
        }
        poll_fn(|cx| self.poll_flush(cx)).await?;
        Ok(sent)
    }

    /// Sends what the system takes at once, and says how many bytes that were.
    pub fn poll_send(&mut self, cx: &mut Context<'_>, data: &[u8]) -> Poll<Result<usize>> {
        self.state().after(Operation::Write)?;
        let Inner::Connected(stream) = &mut self.inner else {
            return Poll::Pending;
        };
        Pin::new(stream)
            .poll_write(cx, data)
            .map_err(|error| Error::from_io(Operation::Write, error))
    }

    /// Lets what was sent leave TLS's buffer; nothing to do on a plain connection.
    pub fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        self.state().after(Operation::Write)?;
        let Inner::Connected(stream) = &mut self.inner else {
            return Poll::Pending;
        };
        Pin::new(stream)
            .poll_flush(cx)
            .map_err(|error| Error::from_io(Operation::Write, error))
    }

    /// Encrypts the connection from here on, as the client, with the TLS of its options or of its [`Net`] (or else the
    /// system's trusted issuers): what protocols with a STARTTLS do. Cancel safe: going on to read or write finishes it.
    ///
    /// # Errors
    /// [`ErrorKind::WrongState`] if it isn't connected or is encrypted already, and those of
    /// [`Stream::upgrade_tls_client`]; after a failed handshake it can only be closed.
    #[cfg(feature = "tls")]
    pub async fn start_tls_client(&mut self, server_name: &str) -> Result<()> {
        self.state().after(Operation::Handshake)?;
        let tls = match self.connect.tls.as_ref().or_else(|| self.net.0.client_tls()) {
            Some(tls) => tls.clone(),
            None => crate::TlsClient::new()?,
        };
        match &mut self.inner {
            Inner::Connected(stream) => stream.upgrade_tls_client(&tls, server_name).await,
            _ => Ok(()),
        }
    }

    /// The same as the server, with the certificate of its options or of its [`Net`].
    ///
    /// # Errors
    /// As [`start_tls_client`](Self::start_tls_client), and [`ErrorKind::InvalidInput`] without a certificate.
    #[cfg(feature = "tls")]
    pub async fn start_tls_server(&mut self) -> Result<()> {
        self.state().after(Operation::Handshake)?;
        let tls = self.bind.tls.as_ref().or_else(|| self.net.0.server_tls());
        let tls = tls.cloned().ok_or_else(|| {
            Error::new(ErrorKind::InvalidInput, Operation::Handshake)
                .detail("a server needs a certificate: set BindOptions::tls or Net::with_server_tls")
        })?;
        match &mut self.inner {
            Inner::Connected(stream) => stream.upgrade_tls_server(&tls).await,
            _ => Ok(()),
        }
    }

    /// Closes our writing side: the peer gets everything and then the end; its data still come. Cancel safe.
    ///
    /// A plain connection's end goes out at once. Over TLS it may have to wait for a peer that reads, which it does for
    /// at most the [`linger`](Self::linger) time.
    ///
    /// # Errors
    /// [`ErrorKind::WrongState`], [`TimeoutKind::Write`] after the linger time, and what breaks the connection; the
    /// socket stays connected then.
    pub async fn shutdown(&mut self) -> Result<()> {
        self.state().after(Operation::Shutdown)?;
        if let Inner::Connected(stream) = &mut self.inner {
            let shutdown = poll_fn(|cx| Pin::new(&mut *stream).poll_shutdown(cx));
            match self.net.within(self.linger, shutdown).await {
                Some(outcome) => outcome.map_err(|error| Error::from_io(Operation::Shutdown, error))?,
                None => {
                    let timeout = ErrorKind::Timeout(TimeoutKind::Write);
                    return Err(Error::new(timeout, Operation::Shutdown).at(stream.peer()));
                }
            }
        }
        self.inner = match std::mem::replace(&mut self.inner, Inner::Closed) {
            Inner::Connected(stream) => Inner::ShutDown(stream),
            other => other,
        };
        Ok(())
    }

    /// Closes, in any state and as often as one likes; a listening socket at once. A connected one sends its FIN at once
    /// too; what can't be sent yet (over TLS, to a peer that doesn't read), and the wait for the peer's own end, which
    /// makes sure that nothing is lost, go on in the background for at most the [`linger`](Self::linger) time.
    ///
    /// # Errors
    /// What breaks the sending of the end; the socket is closed all the same.
    pub async fn close(&mut self) -> Result<()> {
        let closing = match std::mem::replace(&mut self.inner, Inner::Closed) {
            Inner::Connected(mut stream) => {
                let first_try = poll_fn(|cx| Poll::Ready(Pin::new(&mut stream).poll_shutdown(cx))).await;
                if let Poll::Ready(outcome) = first_try {
                    outcome.map_err(|error| Error::from_io(Operation::Close, error))?;
                }
                stream
            }
            Inner::ShutDown(stream) => stream,
            Inner::Created | Inner::Bound(_) | Inner::Released(_) | Inner::Listening(_) | Inner::Closed => {
                return Ok(());
            }
        };
        let linger = self.linger;
        self.net.spawn(async move {
            // The peer's own fault, if it never closes: the descriptor goes after the linger time.
            let _ = closing.close(linger).await;
        })?;
        Ok(())
    }
}
