//! Bodies of requests and responses, whole or in chunks.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::HeaderMap;
use hyper::body::{Body as HttpBody, Bytes, Frame, Incoming, SizeHint};
use net_core::{Net, Sleep};
use tokio::sync::mpsc;

use super::Error;
use super::drain::{Done, Drain};

/// The body of a request or a response.
///
/// One that came from the peer is read whole ([`bytes`](Self::bytes), [`text`](Self::text)), up to the limit of the server or
/// client, or chunk by chunk ([`chunk`](Self::chunk)), without a limit for the sum. What is not read is skipped.
///
/// One to be sent is made from a text or bytes, is [empty](Self::empty), or is [written bit by bit](Self::channel).
#[derive(Default)]
pub struct Body {
    kind: Kind,
    trailers: Option<HeaderMap>,
}

#[derive(Default)]
enum Kind {
    #[default]
    Empty,
    Whole(Bytes),
    Channel(mpsc::Receiver<Part>),
    Received(Box<Received>),
    /// Given up, with this.
    Failed(Error),
}

enum Part {
    Data(Bytes),
    End,
}

/// The limits of a body that comes from the peer.
#[derive(Clone, Debug)]
pub(super) struct Limits {
    pub(super) net: Net,
    pub(super) most: usize,
    pub(super) patience: Duration,
}

struct Received {
    incoming: Option<Incoming>,
    limits: Limits,
    /// Since when the peer is silent.
    silent: Option<Sleep>,
    drain: Arc<Drain>,
    done: Option<Done>,
}

impl Body {
    /// No body.
    pub fn empty() -> Self {
        Self::default()
    }

    /// A body that is written bit by bit. Its length is not known beforehand, so that it goes in chunks, unless the
    /// message has a `Content-Length`.
    pub fn channel() -> (BodySender, Self) {
        let (sender, receiver) = mpsc::channel(1);
        (BodySender(sender), Self::of(Kind::Channel(receiver)))
    }

    /// A body that comes from the peer.
    pub(super) fn received(incoming: Incoming, limits: Limits, drain: Arc<Drain>, done: Option<Done>) -> Self {
        let mut received = Received {
            incoming: Some(incoming),
            limits,
            silent: None,
            drain,
            done,
        };
        received.end_if_over();
        Self::of(Kind::Received(Box::new(received)))
    }

    fn of(kind: Kind) -> Self {
        Self { kind, trailers: None }
    }

    /// The next part of it, or `None` at its end. Cancel safe.
    ///
    /// # Errors
    /// If the connection breaks, ends before the body does, or nothing comes in time; each further call gives the same.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        loop {
            let next = poll_fn(|cx| Pin::new(&mut *self).poll_frame(cx)).await;
            match next.transpose()?.map(Frame::into_data) {
                Some(Ok(data)) if data.is_empty() => {}
                Some(Ok(data)) => return Ok(Some(data)),
                Some(Err(_)) => {}
                None => return Ok(None),
            }
        }
    }

    /// All the rest of it.
    ///
    /// # Errors
    /// [`Error::BodyTooLarge`] if that is more than the limit for whole bodies, and as [`chunk`](Self::chunk).
    pub async fn bytes(&mut self) -> Result<Bytes, Error> {
        let most = match &self.kind {
            Kind::Received(received) => received.limits.most,
            _ => usize::MAX,
        };
        let too_large = Error::BodyTooLarge { limit: most };
        if HttpBody::size_hint(self).lower() > most as u64 {
            return Err(too_large);
        }
        let Some(first) = self.chunk().await? else {
            return Ok(Bytes::new());
        };
        let Some(second) = self.chunk().await? else {
            return if first.len() > most { Err(too_large) } else { Ok(first) };
        };
        let mut all = Vec::with_capacity(first.len().saturating_add(second.len()));
        let mut next = Some(first);
        let mut after = Some(second);
        while let Some(data) = next {
            if data.len() > most.saturating_sub(all.len()) {
                return Err(too_large);
            }
            all.extend_from_slice(&data);
            next = match after.take() {
                Some(data) => Some(data),
                None => self.chunk().await?,
            };
        }
        Ok(all.into())
    }

    /// All the rest of it, as UTF-8 text.
    ///
    /// # Errors
    /// [`Error::NotText`], and as [`bytes`](Self::bytes).
    pub async fn text(&mut self) -> Result<String, Error> {
        let bytes = self.bytes().await?;
        String::from_utf8(bytes.into()).map_err(|_| Error::NotText)
    }

    /// The headers that followed a body in chunks; known at its end.
    pub fn trailers(&self) -> Option<&HeaderMap> {
        self.trailers.as_ref()
    }
}

impl Received {
    fn end_if_over(&mut self) {
        if self.incoming.as_ref().is_some_and(HttpBody::is_end_stream) {
            self.incoming = None;
            self.end();
        }
    }

    fn end(&mut self) {
        self.silent = None;
        if let Some(done) = self.done.take() {
            done();
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let Some(incoming) = &mut self.incoming else {
            return Poll::Ready(None);
        };
        match Pin::new(incoming).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => {
                self.silent = None;
                self.end_if_over();
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(error))) => {
                self.incoming = None;
                Poll::Ready(Some(Err(error.into())))
            }
            Poll::Ready(None) => {
                self.incoming = None;
                self.end();
                Poll::Ready(None)
            }
            Poll::Pending => {
                let limit = self.limits.patience;
                let net = &self.limits.net;
                let silent = self.silent.get_or_insert_with(|| net.sleep(limit));
                ready!(Pin::new(silent).poll(cx));
                self.incoming = None;
                let what = "part of the body";
                Poll::Ready(Some(Err(Error::Timeout { what, limit })))
            }
        }
    }
}

impl Drop for Received {
    fn drop(&mut self) {
        if let Some(incoming) = self.incoming.take() {
            self.drain.push(incoming, self.done.take());
        }
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let this = self.get_mut();
        let next = match &mut this.kind {
            Kind::Empty => None,
            Kind::Whole(data) => {
                let data = std::mem::take(data);
                this.kind = Kind::Empty;
                (!data.is_empty()).then(|| Ok(Frame::data(data)))
            }
            Kind::Channel(parts) => match ready!(parts.poll_recv(cx)) {
                Some(Part::Data(data)) => Some(Ok(Frame::data(data))),
                Some(Part::End) => {
                    this.kind = Kind::Empty;
                    None
                }
                None => Some(Err(Error::BrokenOff)),
            },
            Kind::Received(received) => ready!(received.poll(cx)),
            Kind::Failed(error) => Some(Err(error.clone())),
        };
        match &next {
            Some(Err(error)) => this.kind = Kind::Failed(error.clone()),
            Some(Ok(frame)) => {
                if let Some(trailers) = frame.trailers_ref() {
                    this.trailers = Some(trailers.clone());
                }
            }
            None => {}
        }
        Poll::Ready(next)
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Empty => true,
            Kind::Whole(data) => data.is_empty(),
            Kind::Received(received) => received.incoming.is_none(),
            Kind::Channel(_) | Kind::Failed(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::Empty => SizeHint::with_exact(0),
            Kind::Whole(data) => SizeHint::with_exact(data.len() as u64),
            Kind::Received(received) => match &received.incoming {
                Some(incoming) => incoming.size_hint(),
                None => SizeHint::with_exact(0),
            },
            Kind::Channel(_) | Kind::Failed(_) => SizeHint::default(),
        }
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Empty => f.write_str("Body(empty)"),
            Kind::Whole(data) => write!(f, "Body({} bytes)", data.len()),
            Kind::Channel(_) => f.write_str("Body(from a channel)"),
            Kind::Received(_) => f.write_str("Body(from the peer)"),
            Kind::Failed(error) => write!(f, "Body({error})"),
        }
    }
}

impl From<Bytes> for Body {
    fn from(data: Bytes) -> Self {
        Self::of(Kind::Whole(data))
    }
}

macro_rules! from {
    ($($type:ty),*) => {$(
        impl From<$type> for Body {
            fn from(data: $type) -> Self {
                Bytes::from(data).into()
            }
        }
    )*};
}

from!(&'static str, &'static [u8], String, Vec<u8>);

impl From<()> for Body {
    fn from((): ()) -> Self {
        Self::empty()
    }
}

/// Writes a body bit by bit; made by [`Body::channel`]. Dropping it before [`finish`](Self::finish) breaks the body off, and
/// with it the connection, so that nobody takes a part for the whole.
#[derive(Debug)]
pub struct BodySender(mpsc::Sender<Part>);

impl BodySender {
    /// Sends a part, when the one before it is on its way. Cancel safe: a part is sent whole or not at all.
    ///
    /// # Errors
    /// [`Error::NotRead`] if the message was dropped, or the connection is gone.
    pub async fn send(&mut self, data: impl Into<Bytes>) -> Result<(), Error> {
        self.0.send(Part::Data(data.into())).await.map_err(|_| Error::NotRead)
    }

    /// The body is complete.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub async fn finish(self) -> Result<(), Error> {
        self.0.send(Part::End).await.map_err(|_| Error::NotRead)
    }
}
