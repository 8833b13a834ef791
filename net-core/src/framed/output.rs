//! The writing side: what has gathered goes out in one write.

use std::fmt;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::AsyncWrite;

use super::FramedLimits;
use super::buffers;
use super::sender::Shared;
use crate::framing::Framing;
use crate::timer::Alarm;
use crate::{Error, ErrorKind, Instant, Net, Operation, Result, Stream, TimeoutKind};

#[repr(C)]
pub(super) struct Writer {
    /// What broke the connection; told to each later call.
    failed: Option<Error>,
    /// What other tasks send; there is none until somebody asks for a [`Sender`](super::Sender).
    shared: Option<Ending>,
    /// What is being written or about to be, and how far. The connection's own task gathers here, without a lock, as
    /// long as nobody else has sent anything that is still to be fetched.
    writing: Vec<u8>,
    written: usize,
    high_water: usize,
    max: usize,
    /// Bytes written in all.
    sent: u64,
    /// TLS may hold back what it was given until it is told to flush.
    unflushed: bool,
    /// Reading is paused for the writing's sake, and the event that says so has been told.
    paused: bool,
    /// Since when the peer has taken nothing.
    stuck: Option<Instant>,
    stream: Stream,
    net: Net,
    timeout: Duration,
    alarm: Alarm,
}

impl Writer {
    pub(super) fn new(stream: Stream, limits: &FramedLimits) -> Self {
        Self {
            net: stream.net(),
            stream,
            shared: None,
            writing: Vec::new(),
            written: 0,
            sent: 0,
            unflushed: false,
            high_water: limits.pause_at(),
            max: limits.max_output,
            timeout: limits.write_timeout,
            stuck: None,
            alarm: Alarm::default(),
            paused: false,
            failed: None,
        }
    }

    pub(super) fn set_limits(&mut self, limits: &FramedLimits) {
        self.high_water = limits.pause_at();
        self.timeout = limits.write_timeout;
        // A broken connection takes nothing, whatever the limits.
        if self.failed.is_none() {
            self.max = limits.max_output;
        }
        if let Some(shared) = &self.shared {
            shared.0.set_max(limits.max_output);
        }
    }

    pub(super) fn stream(&self) -> &Stream {
        &self.stream
    }

    pub(super) fn stream_mut(&mut self) -> &mut Stream {
        &mut self.stream
    }

    pub(super) fn into_stream(mut self) -> Stream {
        self.stream.set_in_frames(false);
        self.stream
    }

    pub(super) fn net(&self) -> &Net {
        &self.net
    }

    /// The buffer that other tasks send through.
    pub(super) fn share(&mut self) -> &Arc<Shared> {
        let max = self.max;
        &self.shared.get_or_insert_with(|| Ending(Shared::new(max))).0
    }

    /// Bytes of other tasks that wait to be fetched.
    #[inline(always)]
    fn level(&self) -> usize {
        self.shared.as_ref().map_or(0, |shared| shared.0.level())
    }

    pub(super) fn sent(&self) -> u64 {
        self.sent
    }

    /// Bytes that have gathered and are not written yet.
    #[inline(always)]
    pub(super) fn unsent(&self) -> usize {
        self.writing.len() - self.written + self.level()
    }

    /// Whether so much has gathered that it must be written before anything else is read.
    #[inline(always)]
    pub(super) fn is_high(&self) -> bool {
        self.unsent() >= self.high_water
    }

    #[inline]
    pub(super) fn push<F: Framing>(&mut self, framing: &F, content: &[u8]) -> Result<()> {
        let level = self.level();
        let own = self.writing.len() - self.written;
        if level > 0 || own >= self.max {
            return self.push_behind(framing, content, own);
        }
        if self.writing.capacity() == 0 {
            self.writing = buffers::take_write();
        }
        framing.encode(content, &mut self.writing)
    }

    /// Behind frames of other tasks, so that whoever uses both ways sees its frames in order.
    #[cold]
    fn push_behind<F: Framing>(&mut self, framing: &F, content: &[u8], own: usize) -> Result<()> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        self.share().push(framing, &[content], own)
    }

    /// Takes over what other tasks have sent; false if that is nothing. In any case the next of them wakes this task.
    fn fetch(&mut self, cx: &Context<'_>) -> bool {
        match &self.shared {
            Some(shared) => shared.0.fetch(&mut self.writing, cx),
            None => false,
        }
    }

    pub(super) async fn flush(&mut self) -> Result<()> {
        poll_fn(|cx| self.poll_flush(cx)).await
    }

    /// Writes everything, and tells when that keeps the connection from reading.
    pub(super) fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        let outcome = self.poll_flush(cx);
        if outcome.is_pending() != self.paused {
            self.paused = !self.paused;
            let paused = self.paused;
            self.stream_mut().track().backpressure(paused);
        }
        outcome
    }

    /// Writes everything. While the peer takes nothing, the write timeout runs.
    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        self.awake();
        // What is sent while this writes is seen, or wakes the task.
        let mut told = false;
        loop {
            while self.written < self.writing.len() {
                match Pin::new(&mut self.stream).poll_write(cx, &self.writing[self.written..]) {
                    Poll::Ready(Ok(0)) => {
                        return Poll::Ready(Err(Error::new(ErrorKind::BrokenPipe, Operation::Write)));
                    }
                    Poll::Ready(Ok(n)) => {
                        self.written += n;
                        self.sent += n as u64;
                        self.stuck = None;
                        self.unflushed = true;
                    }
                    Poll::Ready(Err(error)) => return Poll::Ready(Err(Error::from_io(Operation::Write, error))),
                    Poll::Pending => {
                        // It is fetched once the peer has taken this: until then it need not wake the task.
                        self.awake();
                        return self.poll_stuck(cx);
                    }
                }
            }
            self.writing.clear();
            self.written = 0;
            let may_be_more = !std::mem::replace(&mut told, true) || self.level() > 0;
            if may_be_more && self.fetch(cx) {
                continue;
            }
            if self.unflushed {
                match Pin::new(self.stream_mut()).poll_flush(cx) {
                    Poll::Ready(Ok(())) => {
                        self.unflushed = false;
                        self.stuck = None;
                    }
                    Poll::Ready(Err(error)) => return Poll::Ready(Err(Error::from_io(Operation::Write, error))),
                    Poll::Pending => return self.poll_stuck(cx),
                }
            }
            buffers::give_write(std::mem::take(&mut self.writing));
            return Poll::Ready(Ok(()));
        }
    }

    #[cold]
    fn poll_stuck(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        // What is written is dropped now and then, even if the rest never becomes empty.
        if self.written >= self.high_water && self.written >= self.writing.len() / 2 {
            self.writing.drain(..self.written);
            self.written = 0;
        }
        let since = *self.stuck.get_or_insert_with(|| self.net.now());
        ready!(self.alarm.poll(&self.net, since + self.timeout, cx));
        let left = self.unsent();
        Poll::Ready(Err(Error::new(
            ErrorKind::Timeout(TimeoutKind::Write),
            Operation::Write,
        )
        .detail(format!("{left} bytes not taken within {:?}", self.timeout))))
    }

    /// The connection's task runs; see [`Shared::awake`].
    #[inline]
    pub(super) fn awake(&self) {
        if let Some(shared) = &self.shared {
            shared.0.awake();
        }
    }

    /// What broke the connection, if anything has.
    #[inline(always)]
    pub(super) fn failed(&self) -> Option<&Error> {
        self.failed.as_ref()
    }

    /// Breaks the connection; gives the first reason, which stays.
    #[cold]
    pub(super) fn fail(&mut self, error: Error) -> Error {
        let error = error.at(self.stream.peer());
        let first = self.failed.get_or_insert(error).clone();
        self.stream.fault(&first);
        // Sends every push the cold way, where it is refused.
        self.max = 0;
        self.end(first.clone());
        first
    }

    /// Takes no more from other tasks; what they have sent comes with the rest.
    pub(super) fn end(&mut self, reason: Error) {
        if let Some(shared) = &self.shared {
            let rest = shared.0.end(reason);
            self.writing.extend_from_slice(&rest);
            buffers::give_write(rest);
        }
    }

    /// The same because the connection is closed here.
    pub(super) fn end_closed(&mut self) {
        self.end(Error::new(ErrorKind::Closed, Operation::Write).at(self.stream.peer()));
    }

    #[cfg(all(test, feature = "os"))]
    pub(super) fn holds_buffer(&self) -> bool {
        self.writing.capacity() > 0
    }
}

/// Ends the sending, for whoever still has a [`Sender`](super::Sender), when the connection is dropped.
struct Ending(Arc<Shared>);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.end(Error::new(ErrorKind::Closed, Operation::Write));
    }
}

/// Where answers go; borrowed from the [`Framed`](super::Framed) connection apart from the frame.
pub struct Output<'a, F> {
    writer: &'a mut Writer,
    framing: &'a F,
}

impl<'a, F: Framing> Output<'a, F> {
    #[inline]
    pub(super) fn new(writer: &'a mut Writer, framing: &'a F) -> Self {
        Self { writer, framing }
    }

    /// The same output for a shorter time, for whoever wants one to keep.
    #[inline]
    pub fn reborrow(&mut self) -> Output<'_, F> {
        Output {
            writer: self.writer,
            framing: self.framing,
        }
    }

    /// Gathers one frame; it leaves when the next frame has to be waited for.
    ///
    /// # Errors
    /// What the framing refuses; [`ErrorKind::Limit`] when
    /// [`max_output`](super::FramedLimits::max_output) bytes have gathered: [`flush`](Self::flush) in between.
    #[inline]
    pub fn push(&mut self, content: &[u8]) -> Result<()> {
        self.writer.push(self.framing, content)
    }

    /// Writes everything that has gathered. Cancel safe.
    ///
    /// # Errors
    /// As [`Framed::flush`](super::Framed::flush).
    pub async fn flush(&mut self) -> Result<()> {
        let outcome = self.writer.flush().await;
        outcome.map_err(|error| self.writer.fail(error))
    }

    /// Runs a future to its end; whenever it waits, what has gathered goes out, and what a
    /// [`Sender`](super::Sender) adds meanwhile too. So a handler that has to wait holds up no answer before it.
    ///
    /// # Errors
    /// [`TimeoutKind::Write`] and whatever breaks the writing; the future is dropped then.
    #[inline]
    pub async fn run<T>(&mut self, work: impl Future<Output = T>) -> Result<T> {
        let mut work = pin!(work);
        poll_fn(|cx| {
            self.writer.awake();
            if let Poll::Ready(value) = work.as_mut().poll(cx) {
                return Poll::Ready(Ok(value));
            }
            if let Poll::Ready(Err(error)) = self.writer.poll_flush(cx) {
                return Poll::Ready(Err(self.writer.fail(error)));
            }
            Poll::Pending
        })
        .await
    }
}

impl<F> fmt::Debug for Output<'_, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Output")
            .field("unsent", &self.writer.unsent())
            .finish_non_exhaustive()
    }
}
