//! A connection: a byte stream that knows its two ends, may be encrypted, and tells how it ended.

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

#[cfg(feature = "tls")]
use crate::backend::BoxFuture;
#[cfg(feature = "tls")]
use crate::backend::waiting::Waiting;
use crate::backend::{Plain, Transport};
use crate::memory;
use crate::net::Core;
#[cfg(feature = "tls")]
use crate::tls::{self, Encrypted, TlsInfo};
use crate::track::Tracker;
use crate::{ConnectionId, Endpoint, Error, ErrorKind, Net, Operation, Result, TimeoutKind};

/// A connection, plain or encrypted, on whatever backend made it.
///
/// It implements tokio's [`AsyncRead`] and [`AsyncWrite`], which need no tokio runtime, so that hyper, tungstenite and
/// every codec run on it. `shutdown` closes the writing side only (close_notify, then FIN); reading then goes on until
/// the peer's end. Dropping closes both sides at once; [`close`](Self::close) first makes sure that the peer gets
/// everything. Errors of tokio's calls are [`io::Error`]s; [`Error::from_io`] gives back the one inside.
///
/// ```
/// use tokio::io::{AsyncReadExt, AsyncWriteExt};
/// use net_core::{Error, Net, Operation, Stream};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> net_core::Result<()> {
/// let (mut here, mut there) = Stream::pair(&Net::os());
/// here.write_all(b"hello").await.map_err(|error| Error::from_io(Operation::Write, error))?;
/// here.shutdown().await.map_err(|error| Error::from_io(Operation::Shutdown, error))?;
/// let mut text = String::new();
/// there.read_to_string(&mut text).await.map_err(|error| Error::from_io(Operation::Read, error))?;
/// assert_eq!(text, "hello");
/// # Ok(()) }
/// ```
pub struct Stream {
    inner: Inner,
    /// Bytes that were read and given back; see [`unread`](Self::unread).
    unread: Bytes,
    lenient: bool,
    /// Whether frames tell their length, so that their reader decides about an end without close_notify.
    in_frames: bool,
    track: Tracker,
}

enum Inner {
    Plain(Plain),
    #[cfg(feature = "tls")]
    Tls(Box<Encrypted>),
    #[cfg(feature = "tls")]
    Handshaking(Handshake, Waiting),
    /// The handshake failed, with this.
    #[cfg(feature = "tls")]
    Failed(Error),
}

#[cfg(feature = "tls")]
type Handshake = BoxFuture<'static, Result<Box<Encrypted>>>;

/// Which side of the stream polls. The two halves of a split stream may belong to two tasks, and a handshake concerns
/// both.
#[derive(Clone, Copy)]
enum Side {
    Read,
    Write,
}

impl Stream {
    /// A connection that was made with, or accepted by, the endpoint `asked`: one of `tls://` is told as such from the
    /// start.
    pub(crate) fn open(core: &std::sync::Arc<Core>, plain: Plain, asked: &Endpoint, accepted: bool) -> Self {
        let (local, peer) = (plain.local().with_scheme_of(asked), plain.peer().with_scheme_of(asked));
        let track = Tracker::open(core, local, peer, accepted);
        Self {
            inner: Inner::Plain(plain),
            unread: Bytes::new(),
            lenient: false,
            in_frames: false,
            track,
        }
    }

    /// Two ends of a pipe in memory, with room for 64 KiB each way.
    pub fn pair(net: &Net) -> (Self, Self) {
        Self::pair_with_capacity(net, memory::CAPACITY)
    }

    /// Two ends of a pipe in memory, with room for this many bytes each way.
    pub fn pair_with_capacity(net: &Net, bytes: usize) -> (Self, Self) {
        let name = Endpoint::Mem("pair".into());
        let (here, there) = memory::pipe(&name, bytes.max(1));
        (
            Self::open(&net.0, Plain::memory(here), &name, false),
            Self::open(&net.0, Plain::memory(there), &name, true),
        )
    }

    /// The connection's name in events and logs.
    pub fn id(&self) -> ConnectionId {
        self.track.id()
    }

    /// Our end. Both ends of a Unix or memory connection bear the listener's name.
    pub fn local(&self) -> &Endpoint {
        self.track.local()
    }

    /// The other end.
    pub fn peer(&self) -> &Endpoint {
        self.track.peer()
    }

    /// The [`Net`] that the connection lives on: for its clock and timers.
    pub fn net(&self) -> Net {
        Net(self.track.core().clone())
    }

    /// The span of the connection, with its id and peer: what an adapter's own events belong under.
    #[cfg(feature = "tracing")]
    pub fn span(&self) -> &tracing::Span {
        self.track.span()
    }

    /// Facts about the encryption, once the handshake is done; `None` on a plain connection.
    #[cfg(feature = "tls")]
    pub fn tls(&self) -> Option<TlsInfo> {
        match &self.inner {
            Inner::Tls(encrypted) => Some(TlsInfo::of(encrypted)),
            _ => None,
        }
    }

    /// Waits until the connection is ready for data: on an accepted `tls://` connection the handshake, otherwise
    /// nothing. Reading and writing do this by themselves. Cancel safe.
    ///
    /// # Errors
    /// [`ErrorKind::Tls`] with the reason, or [`TimeoutKind::Handshake`].
    pub async fn handshake(&mut self) -> Result<()> {
        poll_fn(|cx| self.poll_handshake(Side::Read, cx)).await
    }

    #[cfg(feature = "tls")]
    #[inline]
    fn poll_handshake(&mut self, side: Side, cx: &mut Context<'_>) -> Poll<Result<()>> {
        match &mut self.inner {
            Inner::Plain(_) | Inner::Tls(_) => Poll::Ready(Ok(())),
            Inner::Failed(error) => Poll::Ready(Err(error.clone())),
            Inner::Handshaking(handshake, waiting) => {
                let outcome = ready!(waiting.poll(side as u64, cx, |cx| handshake.as_mut().poll(cx)));
                // The other side waits for the same.
                waiting.wake();
                match outcome {
                    Ok(encrypted) => {
                        self.inner = Inner::Tls(encrypted);
                        self.track.upgraded();
                        Poll::Ready(Ok(()))
                    }
                    Err(error) => {
                        let error = error.at(self.track.peer());
                        self.track.fault(&error);
                        self.inner = Inner::Failed(error.clone());
                        Poll::Ready(Err(error))
                    }
                }
            }
        }
    }

    #[cfg(not(feature = "tls"))]
    #[inline]
    fn poll_handshake(&mut self, _: Side, _: &mut Context<'_>) -> Poll<Result<()>> {
        Poll::Ready(Ok(()))
    }

    /// Encrypts the connection from here on, as the client. Cancel safe: going on to read or write finishes it.
    ///
    /// # Errors
    /// [`ErrorKind::WrongState`] if bytes were already read ahead and given back with [`unread`](Self::unread): they
    /// came before the encryption, and taking them for part of it is how STARTTLS injection works.
    /// [`ErrorKind::Tls`] if the handshake fails, [`TimeoutKind::Handshake`] if it takes longer than
    /// [`TlsClientBuilder::handshake_timeout`](crate::TlsClientBuilder::handshake_timeout); the connection is then
    /// unusable.
    #[cfg(feature = "tls")]
    pub async fn upgrade_tls_client(&mut self, tls: &crate::TlsClient, server_name: &str) -> Result<()> {
        let name = tls.name_for(server_name)?;
        let lenient = tls.lenient();
        let limit = tls.handshake_timeout();
        self.begin_handshake(lenient, |net, plain| tls::connect(net, plain, tls.clone(), name, limit))?;
        self.handshake().await
    }

    /// Encrypts the connection from here on, as the server. Cancel safe, with the same errors as
    /// [`upgrade_tls_client`](Self::upgrade_tls_client).
    #[cfg(feature = "tls")]
    pub async fn upgrade_tls_server(&mut self, tls: &crate::TlsServer) -> Result<()> {
        let limit = tls.handshake_timeout();
        self.begin_handshake(tls.lenient(), |net, plain| {
            tls::accept(net, plain, tls.clone(), limit, None)
        })?;
        self.handshake().await
    }

    #[cfg(feature = "tls")]
    pub(crate) fn begin_handshake(&mut self, lenient: bool, begin: impl FnOnce(Net, Plain) -> Handshake) -> Result<()> {
        let refused = |text: String| {
            Err(Error::new(ErrorKind::WrongState, Operation::Handshake)
                .at(self.track.peer())
                .detail(text))
        };
        if !self.unread.is_empty() {
            return refused(format!(
                "{} bytes were read before TLS began; they can't be part of it",
                self.unread.len()
            ));
        }
        if !matches!(self.inner, Inner::Plain(_)) {
            return refused("the connection is encrypted already".to_owned());
        }
        let gone = Inner::Failed(Error::new(ErrorKind::Internal, Operation::Handshake));
        if let Inner::Plain(plain) = std::mem::replace(&mut self.inner, gone) {
            self.inner = Inner::Handshaking(begin(self.net(), plain), Waiting::new());
            self.lenient = lenient;
        }
        self.track.encrypted();
        Ok(())
    }

    /// Gives bytes back that were read too far: the next read gets them first.
    pub fn unread(&mut self, bytes: Bytes) {
        // An empty part of a buffer would keep all of it.
        if bytes.is_empty() {
            return;
        }
        if self.unread.is_empty() {
            self.unread = bytes;
        } else {
            self.unread = [bytes, std::mem::take(&mut self.unread)].concat().into();
        }
    }

    /// Closes in order: everything written is sent, then close_notify and FIN, then what the peer still sends is read
    /// and dropped until its end. Only so does the peer surely get the tail: a socket that is dropped with unread data
    /// makes the system send a reset.
    ///
    /// # Errors
    /// [`TimeoutKind::Close`] if the peer has not closed its side after `limit`, and whatever breaks the connection
    /// meanwhile; the connection is closed in any case.
    pub async fn close(mut self, limit: Duration) -> Result<()> {
        let net = self.net();
        let peer = self.peer().clone();
        self.track.closing();
        let closing = async {
            poll_fn(|cx| Pin::new(&mut self).poll_shutdown(cx))
                .await
                .map_err(|e| Error::from_io(Operation::Close, e))?;
            poll_fn(|cx| {
                // On the stack of the poll: in the future it would be there again in each future above.
                let mut scratch = [0; 2048];
                loop {
                    let mut buffer = ReadBuf::new(&mut scratch);
                    ready!(Pin::new(&mut self).poll_read(cx, &mut buffer))?;
                    if buffer.filled().is_empty() {
                        return Poll::Ready(Ok(()));
                    }
                }
            })
            .await
            .map_err(|e: io::Error| Error::from_io(Operation::Close, e))
        };
        match net.within(limit, closing).await {
            Some(outcome) => outcome,
            None => Err(Error::new(ErrorKind::Timeout(TimeoutKind::Close), Operation::Close).at(&peer)),
        }
    }

    /// Breaks the connection off: unsent data is discarded and the peer sees a reset. In the middle of a TLS handshake
    /// the peer sees a plain end instead.
    pub fn reset(mut self) {
        self.track.closing();
        match &mut self.inner {
            Inner::Plain(plain) => plain.reset_on_drop(),
            #[cfg(feature = "tls")]
            Inner::Tls(encrypted) => encrypted.get_mut().0.reset_on_drop(),
            #[cfg(feature = "tls")]
            Inner::Handshaking(..) | Inner::Failed(_) => {}
        }
    }

    /// Records why the connection is about to be closed from above, for its `Closed` event: a time limit, a broken
    /// frame. The first cause stays.
    pub fn fault(&mut self, error: &Error) {
        self.track.fault(error);
    }

    /// Ties the connection's end to something: dropped when the connection is.
    pub(crate) fn hold(&mut self, permit: crate::limits::Permit) {
        self.track.hold(permit);
    }

    /// Leaves it to the reader of frames whether an end without close_notify is a fault.
    pub(crate) fn set_in_frames(&mut self, on: bool) {
        self.in_frames = on;
    }

    /// Pending if it is certain that a read would wait now; see [`Transport::poll_readable`].
    #[inline]
    pub(crate) fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match &mut self.inner {
            Inner::Plain(plain) if self.unread.is_empty() => plain.poll_readable(cx),
            _ => Poll::Ready(()),
        }
    }

    pub(crate) fn track(&mut self) -> &mut Tracker {
        &mut self.track
    }

    fn failed(&mut self, operation: Operation, error: io::Error) -> io::Error {
        let error = Error::from_io(operation, error).at(self.track.peer());
        self.track.fault(&error);
        error.into()
    }
}

impl AsyncRead for Stream {
    #[inline]
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if buffer.remaining() == 0 {
            // As `read` does; what lies below may wait for data even so.
            return Poll::Ready(Ok(()));
        }
        if !this.unread.is_empty() {
            let n = this.unread.len().min(buffer.remaining());
            buffer.put_slice(&this.unread[..n]);
            this.unread.advance(n);
            if this.unread.is_empty() {
                this.unread = Bytes::new();
            }
            return Poll::Ready(Ok(()));
        }
        ready!(this.poll_handshake(Side::Read, cx))?;
        let before = buffer.filled().len();
        let outcome = match &mut this.inner {
            Inner::Plain(plain) => Pin::new(plain).poll_read(cx, buffer),
            #[cfg(feature = "tls")]
            Inner::Tls(encrypted) => Pin::new(&mut **encrypted).poll_read(cx, buffer),
            #[cfg(feature = "tls")]
            Inner::Handshaking(..) | Inner::Failed(_) => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        };
        match ready!(outcome) {
            Ok(()) => {
                let n = buffer.filled().len() - before;
                if n > 0 {
                    this.track.read(n);
                } else if buffer.remaining() > 0 {
                    this.track.peer_ended();
                }
                Poll::Ready(Ok(()))
            }
            Err(error) if this.lenient && error.kind() == io::ErrorKind::UnexpectedEof => {
                this.track.peer_ended();
                Poll::Ready(Ok(()))
            }
            Err(error) if this.in_frames && error.kind() == io::ErrorKind::UnexpectedEof => Poll::Ready(Err(error)),
            Err(error) => Poll::Ready(Err(this.failed(Operation::Read, error))),
        }
    }
}

macro_rules! write_side {
    ($this:ident, $stream:ident => $call:expr) => {
        match &mut $this.inner {
            Inner::Plain(plain) => {
                let $stream = Pin::new(plain);
                $call
            }
            #[cfg(feature = "tls")]
            Inner::Tls(encrypted) => {
                let $stream = Pin::new(&mut **encrypted);
                $call
            }
            #[cfg(feature = "tls")]
            Inner::Handshaking(..) | Inner::Failed(_) => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    };
}

impl AsyncWrite for Stream {
    #[inline]
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        ready!(this.poll_handshake(Side::Write, cx))?;
        match ready!(write_side!(this, stream => stream.poll_write(cx, data))) {
            Ok(n) => {
                this.track.wrote(n);
                Poll::Ready(Ok(n))
            }
            Err(error) => Poll::Ready(Err(this.failed(Operation::Write, error))),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_handshake(Side::Write, cx))?;
        match ready!(write_side!(this, stream => stream.poll_flush(cx))) {
            Ok(()) => Poll::Ready(Ok(())),
            Err(error) => Poll::Ready(Err(this.failed(Operation::Write, error))),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.track.closing();
        ready!(this.poll_handshake(Side::Write, cx))?;
        match ready!(write_side!(this, stream => stream.poll_shutdown(cx))) {
            // A peer that is gone already needs no FIN.
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Poll::Ready(Ok(())),
            Err(error) => Poll::Ready(Err(this.failed(Operation::Shutdown, error))),
            Ok(()) => Poll::Ready(Ok(())),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        ready!(this.poll_handshake(Side::Write, cx))?;
        match ready!(write_side!(this, stream => stream.poll_write_vectored(cx, slices))) {
            Ok(n) => {
                this.track.wrote(n);
                Poll::Ready(Ok(n))
            }
            Err(error) => Poll::Ready(Err(this.failed(Operation::Write, error))),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match &self.inner {
            Inner::Plain(plain) => plain.is_write_vectored(),
            #[cfg(feature = "tls")]
            Inner::Tls(encrypted) => encrypted.is_write_vectored(),
            #[cfg(feature = "tls")]
            Inner::Handshaking(..) | Inner::Failed(_) => false,
        }
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream")
            .field("id", &self.id())
            .field("local", &format_args!("{}", self.local()))
            .field("peer", &format_args!("{}", self.peer()))
            .finish_non_exhaustive()
    }
}
