//! Boxes of bytes as a byte stream.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use futures_sink::Sink;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::{Inbox, Outbox, OutboxSink, SendError, Unsent};

/// An inbox and an outbox of bytes as one byte stream, for libraries that want [`AsyncRead`] and [`AsyncWrite`].
///
/// What is read are the messages of the inbox, one after another; its end is the stream's. Each write becomes a message of
/// at most 64 KiB; it waits while the box at the end is full. Shutting the stream down takes the outbox away.
#[derive(Debug)]
pub struct ByteStream {
    inbox: Inbox<Bytes>,
    /// What of a message was not read yet.
    rest: Bytes,
    outbox: Option<OutboxSink<Bytes>>,
}

/// The largest message that a write becomes.
const LARGEST: usize = 64 * 1024;

impl ByteStream {
    /// Reads from `inbox` and writes to `outbox`.
    pub fn new(inbox: Inbox<Bytes>, outbox: Outbox<Bytes>) -> Self {
        Self {
            inbox,
            rest: Bytes::new(),
            outbox: Some(outbox.into_sink()),
        }
    }
}

impl AsyncRead for ByteStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        while this.rest.is_empty() {
            match ready!(this.inbox.poll_recv(cx)) {
                Some(bytes) => this.rest = bytes,
                None => return Poll::Ready(Ok(())),
            }
        }
        let count = this.rest.len().min(buffer.remaining());
        if let Some(part) = this.rest.get(..count) {
            buffer.put_slice(part);
        }
        this.rest.advance(count);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for ByteStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        let Some(outbox) = &mut self.outbox else {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        };
        ready!(Pin::new(&mut *outbox).poll_ready(cx)).map_err(failed)?;
        let data = data.get(..LARGEST).unwrap_or(data);
        if !data.is_empty() {
            Pin::new(outbox)
                .start_send(Bytes::copy_from_slice(data))
                .map_err(failed)?;
        }
        Poll::Ready(Ok(data.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.outbox {
            Some(outbox) => Pin::new(outbox).poll_flush(cx).map_err(failed),
            None => Poll::Ready(Ok(())),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.as_mut().poll_flush(cx))?;
        self.outbox = None;
        Poll::Ready(Ok(()))
    }
}

fn failed(error: SendError<Bytes>) -> io::Error {
    let kind = match error.reason() {
        Unsent::NoSpaceInBox { .. } => io::ErrorKind::WouldBlock,
        Unsent::Stopped => io::ErrorKind::Interrupted,
        Unsent::NotReady => io::ErrorKind::InvalidInput,
    };
    io::Error::new(kind, error.reason())
}
