//! A connection as hyper needs it: its writes have a time limit, it closes in order, and a server's tells which request
//! is ambiguous.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use net_core::{Error, ErrorKind, Operation, Sleep, Stream, TimeoutKind};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::follow::{Ambiguity, Follower};

/// A stream for hyper.
pub(crate) struct Timed {
    stream: Stream,
    write_limit: Duration,
    linger: Duration,
    /// Since when a write waits.
    writing: Option<Sleep>,
    /// Our side is closed; until when the peer's end is waited for.
    closing: Option<Sleep>,
    /// Looks at what is read.
    follower: Option<(Follower, Arc<Ambiguity>)>,
}

impl Timed {
    pub(super) fn new(stream: Stream, write_limit: Duration, linger: Duration) -> Self {
        Self {
            stream,
            write_limit,
            linger,
            writing: None,
            closing: None,
            follower: None,
        }
    }

    /// Tells which request is ambiguous.
    pub(super) fn followed(mut self, told: Arc<Ambiguity>) -> Self {
        self.follower = Some((Follower::new(), told));
        self
    }

    pub(super) fn into_stream(self) -> Stream {
        self.stream
    }

    /// Lets a write through that is ready, and ends one that waits for too long.
    fn limited<T>(&mut self, cx: &mut Context<'_>, progress: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if progress.is_ready() {
            self.writing = None;
            return progress;
        }
        let limit = self.write_limit;
        let stream = &self.stream;
        let sleep = self.writing.get_or_insert_with(|| stream.net().sleep(limit));
        ready!(Pin::new(sleep).poll(cx));
        let error = Error::new(ErrorKind::Timeout(TimeoutKind::Write), Operation::Write).at(self.stream.peer());
        self.stream.fault(&error);
        Poll::Ready(Err(error.into()))
    }
}

impl AsyncRead for Timed {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        if let Some((follower, told)) = &mut self.follower
            && let Some(head) = follower.look(buffer.filled().get(before..).unwrap_or_default())
        {
            told.tell(head);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Timed {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        let progress = Pin::new(&mut self.stream).poll_write(cx, data);
        self.limited(cx, progress)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let progress = Pin::new(&mut self.stream).poll_write_vectored(cx, parts);
        self.limited(cx, progress)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let progress = Pin::new(&mut self.stream).poll_flush(cx);
        self.limited(cx, progress)
    }

    /// Closes our side, then reads what the peer still sends until its end: a socket that is dropped with unread data
    /// makes the system send a reset, and the peer would lose the tail of what it was sent.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.closing.is_none() {
            let progress = Pin::new(&mut this.stream).poll_shutdown(cx);
            ready!(this.limited(cx, progress))?;
        }
        let (stream, linger) = (&this.stream, this.linger);
        let closing = this.closing.get_or_insert_with(|| stream.net().sleep(linger));
        if Pin::new(closing).poll(cx).is_ready() {
            return Poll::Ready(Ok(()));
        }
        let mut scratch = [0; 2048];
        loop {
            let mut buffer = ReadBuf::new(&mut scratch);
            match ready!(Pin::new(&mut this.stream).poll_read(cx, &mut buffer)) {
                Ok(()) if !buffer.filled().is_empty() => {}
                // The peer has ended, in whichever way.
                _ => return Poll::Ready(Ok(())),
            }
        }
    }
}
