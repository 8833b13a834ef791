//! A connection that speaks in frames: decode all that came, answer into one buffer, write once.

mod buffers;
mod ending;
mod frame;
mod input;
mod limits;
mod output;
mod sender;
#[cfg(all(test, feature = "os"))]
mod tests;

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

pub use ending::CloseReport;
pub use frame::Frame;
pub use limits::FramedLimits;
pub use output::Output;
pub use sender::Sender;

use crate::framing::{Decoded, FrameFault, Framing};
use crate::timer::Alarm;
use crate::{Endpoint, Error, ErrorKind, Instant, Operation, Result, Stream, TimeoutKind};
use input::Input;
use output::Writer;

/// A [`Stream`] cut into frames by a [`Framing`].
///
/// * A frame is lent: [`Frame`] is a slice of the read buffer, until [`Frame::into_bytes`] splits it off.
/// * With each frame comes the [`Output`], borrowed apart from it, so that an answer can be made while the question is
///   still at hand.
/// * Answers gather in one buffer. It is written when a read would wait, or above the high-water mark: one pipelined
///   batch costs one system call each way, and nobody has to remember to flush.
/// * Other tasks send through a [`Sender`] on the same buffer.
/// * While the peer doesn't take what is written, reading pauses; a peer that takes nothing for the write timeout is
///   given up.
/// * An idle connection holds no buffer.
///
/// ```
/// use net_core::framing::Line;
/// use net_core::{Framed, Net, Stream};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> net_core::Result<()> {
/// let net = Net::os();
/// let (here, there) = Stream::pair(&net);
/// net.spawn(async move {
///     let mut lines = Framed::new(there, Line::default());
///     while let Some((line, mut out)) = lines.next().await? {
///         out.push(&line)?; // an echo: written when the next line has to be waited for
///     }
///     Ok::<_, net_core::Error>(())
/// })?;
///
/// let mut lines = Framed::new(here, Line::default());
/// lines.send(b"hello").await?;
/// let (reply, _) = lines.next().await?.expect("an answer");
/// assert_eq!(&*reply, b"hello");
/// # Ok(()) }
/// ```
// In this order, as its parts: with many connections each has left the caches when it is its turn again, so what every turn
// needs lies together.
#[repr(C)]
pub struct Framed<F: Framing> {
    waiting: Waiting,
    /// The peer has ended its side.
    ended: bool,
    /// The framing has given up, and what was answered before is still to be written.
    last_words: bool,
    input: Input<F>,
    writer: Writer,
    limits: FramedLimits,
}

/// Since when the connection waits, for the time limits of reading.
#[derive(Debug, Default)]
#[repr(C)]
struct Waiting {
    alarm: Alarm,
    idle: Option<Instant>,
    frame: Option<Instant>,
    byte: Option<Instant>,
}

impl Waiting {
    /// A frame has come.
    #[inline(always)]
    fn over(&mut self) {
        self.idle = None;
        self.frame = None;
    }
}

impl<F: Framing> Framed<F> {
    /// Frames over a stream, with the default [`FramedLimits`].
    pub fn new(stream: Stream, framing: F) -> Self {
        Self::with_limits(stream, framing, FramedLimits::default())
    }

    /// Frames over a stream, with these limits.
    pub fn with_limits(mut stream: Stream, framing: F, limits: FramedLimits) -> Self {
        stream.set_in_frames(F::TELLS_LENGTH);
        Self {
            input: Input::new(framing, &stream.net().0),
            writer: Writer::new(stream, &limits),
            limits,
            ended: false,
            last_words: false,
            waiting: Waiting::default(),
        }
    }

    /// The next frame, lent, and the output to answer into; `None` at the peer's end, after everything gathered has
    /// been written. Cancel safe: a frame is never lost.
    ///
    /// # Errors
    /// [`ErrorKind::Truncated`] if the stream ends inside a frame, [`TimeoutKind::Idle`], [`TimeoutKind::Frame`],
    /// [`TimeoutKind::InterByte`] and [`TimeoutKind::Write`], what the framing can't survive, and whatever breaks the
    /// connection. The same error comes again at each later call.
    #[inline]
    #[expect(
        clippy::should_implement_trait,
        reason = "frames are lent, which an iterator's items can't be"
    )]
    pub fn next(&mut self) -> Next<'_, F> {
        Next(Some(self))
    }

    /// The next frame if it has been read already; never waits and never reads.
    ///
    /// `None` also when something else comes first, which [`next`](Self::next) does or tells: output that must be
    /// written, or an error.
    #[inline(always)]
    pub fn next_buffered(&mut self) -> Option<(Frame<'_>, Output<'_, F>)> {
        if self.found() { Some(self.lend()) } else { None }
    }

    /// Gathers one frame for sending; it goes out with the next [`next`](Self::next) that waits, or
    /// [`flush`](Self::flush).
    ///
    /// # Errors
    /// If the content can't be a frame, more than the limit has gathered, or the connection is broken.
    pub fn push(&mut self, content: &[u8]) -> Result<()> {
        self.writer.push(&self.input.framing, content)
    }

    /// Writes everything that has gathered. Cancel safe: what is left goes out with the next call that writes.
    ///
    /// # Errors
    /// [`TimeoutKind::Write`], and whatever breaks the connection.
    pub async fn flush(&mut self) -> Result<()> {
        poll_fn(|cx| match self.poll_failed(cx) {
            Poll::Ready(None) => self.writer.poll_flush(cx).map_err(|error| self.fail(error)),
            Poll::Ready(Some(error)) => Poll::Ready(Err(error)),
            Poll::Pending => Poll::Pending,
        })
        .await
    }

    /// [`push`](Self::push) and [`flush`](Self::flush).
    ///
    /// # Errors
    /// As those two.
    pub async fn send(&mut self, content: &[u8]) -> Result<()> {
        self.push(content)?;
        self.flush().await
    }

    /// A handle through which other tasks send on this connection.
    pub fn sender(&mut self) -> Sender<F> {
        let failed = self.writer.failed().cloned();
        let shared = self.writer.share();
        if let Some(error) = failed {
            shared.end(error);
        }
        Sender::new(shared, self.input.framing.clone())
    }

    /// The limits in force.
    pub fn limits(&self) -> &FramedLimits {
        &self.limits
    }

    /// Sets other limits, for example a longer idle time once the peer has said who it is. Waits that have begun count:
    /// a peer that is silent for longer than a new idle time is given up at the next call.
    pub fn set_limits(&mut self, limits: FramedLimits) {
        self.writer.set_limits(&limits);
        self.limits = limits;
    }

    /// The stream below.
    pub fn stream(&self) -> &Stream {
        self.writer.stream()
    }

    /// The other end.
    pub fn peer(&self) -> &Endpoint {
        self.stream().peer()
    }

    /// Bytes that were gathered for sending and have not reached the system yet.
    pub fn unsent(&self) -> usize {
        self.writer.unsent()
    }

    /// Bytes that have reached the system so far. With [`unsent`](Self::unsent) added, a position in what is sent: what was
    /// gathered up to then has left once this has come there.
    pub fn sent(&self) -> u64 {
        self.writer.sent()
    }

    /// Says that the task which polls this runs, and will write or ask for the next frame before it waits: what it sends by
    /// a [`Sender`] of its own meanwhile need not wake it.
    pub fn awake(&mut self) {
        self.writer.awake();
    }

    /// Whether a part of a frame has been read, and the rest is to come.
    pub fn is_mid_frame(&self) -> bool {
        !self.input.at_boundary()
    }

    /// Frames decoded so far.
    pub fn frames(&self) -> u64 {
        self.input.frames
    }

    /// A frame that is here already, unless output has to be written first.
    ///
    /// Always inlined, as all that is done for each frame: what passes between the steps then stays in registers.
    #[inline(always)]
    fn found(&mut self) -> bool {
        if self.writer.failed().is_some() || self.writer.is_high() {
            return false;
        }
        loop {
            match self.input.decode() {
                Ok(Decoded::Frame(located)) => {
                    self.waiting.over();
                    self.input.consume(&located);
                    return true;
                }
                Ok(Decoded::Fault { fault, consumed }) => {
                    self.waiting.over();
                    self.survived(fault);
                    self.input.consume_fault(fault, consumed);
                    return true;
                }
                Ok(Decoded::Discard(n)) if n > 0 => self.input.discard(n),
                Ok(Decoded::Discard(_) | Decoded::More(_)) => return false,
                Err(error) => {
                    self.give_up(error);
                    return false;
                }
            }
        }
    }

    /// The framing can't go on: an error, but not before what was answered to earlier frames has been written.
    #[cold]
    fn give_up(&mut self, error: Error) {
        self.fail(error);
        self.last_words = self.writer.unsent() > 0;
    }

    /// What broke the connection, once the last words are written; they have the write timeout, as all has.
    fn poll_failed(&mut self, cx: &mut Context<'_>) -> Poll<Option<Error>> {
        if self.last_words {
            // If they can't be written, the first error is still the one to tell.
            let _ = ready!(self.writer.poll_flush(cx));
            self.last_words = false;
        }
        Poll::Ready(self.writer.failed().cloned())
    }

    #[inline(always)]
    fn lend(&mut self) -> (Frame<'_>, Output<'_, F>) {
        let (frame, framing) = self.input.lend();
        (frame, Output::new(&mut self.writer, framing))
    }

    #[inline(never)]
    fn poll_found(&mut self, cx: &mut Context<'_>) -> Poll<Result<bool>> {
        self.writer.awake();
        // Whoever calls this has looked for a frame, as far as it may be looked for.
        let mut looked = !self.writer.is_high();
        loop {
            if self.writer.failed().is_some()
                && let Some(error) = ready!(self.poll_failed(cx))
            {
                return Poll::Ready(Err(error));
            }
            if self.writer.is_high() {
                // Reading pauses until the peer takes what it asked for.
                if let Err(error) = ready!(self.writer.poll_drain(cx)) {
                    return Poll::Ready(Err(self.fail(error)));
                }
            }
            if !std::mem::take(&mut looked) && self.found() {
                return Poll::Ready(Ok(true));
            }
            if self.writer.failed().is_none() && !self.writer.is_high() {
                match ready!(self.poll_more(cx)) {
                    Ok(true) => {}
                    Ok(false) => return Poll::Ready(Ok(false)),
                    Err(error) => return Poll::Ready(Err(self.fail(error))),
                }
            }
        }
    }

    /// Reads more; false at the peer's end. What has gathered is written before waiting.
    fn poll_more(&mut self, cx: &mut Context<'_>) -> Poll<Result<bool>> {
        if self.ended {
            ready!(self.writer.poll_flush(cx))?;
            return Poll::Ready(self.at_end());
        }
        if self.input.unflushed >= self.limits.high_water.max(input::LARGEST_CHUNK) {
            // A peer that sends without pause gets its answers all the same.
            self.input.unflushed = 0;
            if let Poll::Ready(outcome) = self.writer.poll_flush(cx) {
                outcome?;
            }
        }
        match self.input.poll_read(self.writer.stream_mut(), cx) {
            Poll::Ready(Ok(0)) => {
                self.ended = true;
                Poll::Ready(Ok(true))
            }
            Poll::Ready(Ok(_)) => {
                self.waiting.byte = None;
                Poll::Ready(Ok(true))
            }
            Poll::Ready(Err(error)) => {
                let error = Error::from_io(Operation::Read, error);
                // A frame that tells its length was complete even if TLS was not closed as it should be.
                if error.kind() == ErrorKind::Truncated && F::TELLS_LENGTH && self.input.at_boundary() {
                    self.writer.stream_mut().track().peer_ended();
                    self.ended = true;
                    return Poll::Ready(Ok(true));
                }
                Poll::Ready(Err(error))
            }
            Poll::Pending => {
                self.input.unflushed = 0;
                if let Poll::Ready(outcome) = self.writer.poll_flush(cx) {
                    outcome?;
                }
                self.poll_limits(cx)
            }
        }
    }

    fn at_end(&self) -> Result<bool> {
        if self.input.at_boundary() {
            return Ok(false);
        }
        Err(Error::new(ErrorKind::Truncated, Operation::Read)
            .detail(format!("{} bytes of an unfinished frame", self.input.unread().len())))
    }

    /// The time limits of waiting; only ever pending or an error.
    fn poll_limits(&mut self, cx: &mut Context<'_>) -> Poll<Result<bool>> {
        let net = self.writer.net();
        let Waiting {
            idle,
            frame,
            byte,
            alarm,
        } = &mut self.waiting;
        let FramedLimits {
            frame_timeout,
            byte_timeout,
            idle_timeout,
            ..
        } = self.limits;
        let partial = !self.input.at_boundary();
        if !partial && idle_timeout.is_none() {
            return Poll::Pending;
        }
        let deadline = |since: &mut Option<Instant>, limit: Option<Duration>, kind| {
            let limit = limit?;
            Some((*since.get_or_insert_with(|| net.now()) + limit, limit, kind))
        };
        let whole = match frame_timeout {
            Some(_) if partial => deadline(frame, frame_timeout, TimeoutKind::Frame),
            _ => deadline(idle, idle_timeout, TimeoutKind::Idle),
        };
        let next = match partial {
            true => deadline(byte, byte_timeout, TimeoutKind::InterByte),
            false => None,
        };
        let earliest = whole.into_iter().chain(next).min_by_key(|(at, ..)| *at);
        let Some((at, limit, kind)) = earliest else {
            return Poll::Pending;
        };
        ready!(alarm.poll(net, at, cx));
        Poll::Ready(Err(
            Error::new(ErrorKind::Timeout(kind), Operation::Read).detail(format!("after {limit:?}"))
        ))
    }

    #[cold]
    fn survived(&mut self, fault: FrameFault) {
        let kind = match fault {
            FrameFault::TooLong { .. } => ErrorKind::FrameTooLong,
        };
        let error = Error::new(kind, Operation::Read)
            .at(self.peer())
            .detail(fault.to_string());
        self.writer.stream_mut().track().survived(error);
    }

    #[cold]
    fn fail(&mut self, error: Error) -> Error {
        self.writer.fail(error)
    }
}

impl<F: Framing> fmt::Debug for Framed<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Framed")
            .field("stream", self.stream())
            .field("framing", &self.input.framing)
            .field("frames", &self.frames())
            .field("failed", &self.writer.failed())
            .finish_non_exhaustive()
    }
}

/// Waits for the next frame; made by [`Framed::next`].
///
/// A future of its own, because that of an `async fn` is never inlined into the loop around it.
#[must_use = "futures do nothing unless awaited"]
pub struct Next<'a, F: Framing>(Option<&'a mut Framed<F>>);

impl<'a, F: Framing> Future for Next<'a, F> {
    type Output = Result<Option<(Frame<'a>, Output<'a, F>)>>;

    #[inline(always)]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // Polled again after its end, which no `await` does.
        let Some(framed) = self.0.take() else {
            return Poll::Pending;
        };
        if framed.found() {
            return Poll::Ready(Ok(Some(framed.lend())));
        }
        match framed.poll_found(cx) {
            Poll::Ready(Ok(true)) => Poll::Ready(Ok(Some(framed.lend()))),
            Poll::Ready(Ok(false)) => Poll::Ready(Ok(None)),
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => {
                self.0 = Some(framed);
                Poll::Pending
            }
        }
    }
}

impl<F: Framing> fmt::Debug for Next<'_, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Next").field(&self.0).finish()
    }
}
