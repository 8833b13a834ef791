//! The loop that carries one connection from its beginning to its end: it moves bytes, and the session decides.

use std::any::TypeId;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use net_core::framing::LengthPrefix;
use net_core::{Alarm, ErrorKind, Frame, Framed, FramedLimits, Instant, Stream, TimeoutKind, catch_panic};

use super::shared::{Shared, State};
use super::{Connection, ConnectionOptions, Delegate};
use crate::session::{CloseReason, Received, SessionEvent, State as SessionState, Timer};
use crate::{Message, frame};

/// Texts up to this are copied, so that a message that is kept does not keep the read buffer.
const COPIED: usize = 512;

/// Carries a connection to its end, in a span of its own.
///
/// Boxed, as is all within that is short-lived: an idle connection holds no room for what is not running.
pub(super) fn drive<'a, D: Delegate>(
    connection: &'a Connection,
    stream: Stream,
    delegate: &'a D,
) -> Pin<Box<impl Future<Output = ()> + use<'a, D>>> {
    #[cfg(feature = "tracing")]
    let span = {
        let (role, session_id) = (
            if connection.is_active() { "active" } else { "passive" },
            connection.session_id(),
        );
        tracing::debug_span!(target: "hsms", "session", role, session_id, peer = %stream.peer())
    };
    let work = carry(connection, Box::new(stream), delegate);
    #[cfg(feature = "tracing")]
    let work = tracing::Instrument::instrument(work, span);
    Box::pin(work)
}

async fn carry<D: Delegate>(connection: &Connection, mut stream: Box<Stream>, delegate: &D) {
    let shared = &connection.shared;
    let ready = tokio::select! {
        biased;
        ready = Box::pin(stream.handshake()) => ready,
        () = shared.stopping() => return,
    };
    if let Err(error) = ready {
        return shared.with_session(|state| state.session.connect_failed(error, shared.net.now()));
    }
    let mut driver = Box::new(Driver::begin(shared, *stream));
    let mut established = false;
    loop {
        match poll_fn(|cx| driver.poll_news(established, cx)).await {
            News::Established => {
                established = true;
                driver.run(delegate.on_connection_established(connection)).await;
            }
            News::Message(message) => {
                let asks = message.header;
                shared.with(|state| state.unanswered = Some(asks).filter(|asks| !driver.raw && asks.w()));
                let calm = driver
                    .run(delegate.on_connection_message_received(connection, message))
                    .await;
                // A delegate that listens to nothing answers nothing.
                if !calm || TypeId::of::<D>() == TypeId::of::<()>() {
                    driver.abort_unanswered();
                }
            }
            News::Ended => break,
        }
    }
    if established {
        driver.deaf();
        driver.run(delegate.on_connection_before_closed(connection)).await;
    }
    Box::pin(driver.finish()).await;
    if established {
        let closed = catch_panic(delegate.on_connection_closed(connection));
        log_panic(Box::pin(shared.net.timeout(shared.options.close_timeout, closed)).await);
    }
}

/// What the user of a connection is to be told.
enum News {
    Established,
    Message(Message),
    Ended,
}

// In this order because of the caches, as [`Shared`] is.
#[repr(C)]
struct Driver {
    shared: Arc<Shared>,
    alarm: Alarm,
    /// How many control transactions of ours are open, for which the alarm may be set.
    controls: usize,
    /// The last of them has left when so many bytes are sent.
    asked: u64,
    /// It waits for room.
    blocked: bool,
    raw: bool,
    /// Why no more is read.
    ended: Option<CloseReason>,
    framed: Framed<LengthPrefix>,
    /// When the user's last calls must be done; set with the end.
    last_call: Option<Instant>,
    last_alarm: Alarm,
}

impl Driver {
    fn begin(shared: &Arc<Shared>, stream: Stream) -> Self {
        let options = &shared.options;
        let limits = FramedLimits::default()
            // Both ends send at will: neither may wait for the other to read.
            .high_water(usize::MAX)
            .max_output(options.max_output)
            .write_timeout(options.write_timeout)
            .byte_timeout(options.session.timers.t8)
            .frame_timeout(None);
        let (local, peer) = (stream.local().clone(), stream.peer().clone());
        let mut framed = Framed::with_limits(stream, frame::framing(options.max_text), limits);
        let sender = framed.sender();
        let now = shared.net.now();
        shared.with_session(|state| {
            state.sender = Some(sender);
            state.epoch += 1;
            (state.local, state.peer) = (Some(local), Some(peer));
            (state.ending, state.deaf, state.close) = (false, false, None);
            if options.raw {
                state.subscribers.tell(&SessionEvent::Connected, &shared.net);
            } else {
                state.session.connected(now);
            }
        });
        Self {
            shared: Arc::clone(shared),
            framed,
            alarm: Alarm::default(),
            controls: 0,
            asked: 0,
            blocked: false,
            raw: options.raw,
            ended: None,
            last_call: None,
            last_alarm: Alarm::default(),
        }
    }

    /// Ends the reading; the first reason counts.
    fn end(&mut self, reason: CloseReason) {
        if self.ended.is_none() {
            self.ended = Some(reason);
            self.shared.with(|state| state.ending = true);
            self.last_call = Some(self.shared.net.now() + self.shared.options.close_timeout);
        }
    }

    /// The next thing to tell the user.
    fn poll_news(&mut self, established: bool, cx: &mut Context<'_>) -> Poll<News> {
        loop {
            let shared = &self.shared;
            let mut look = Look::On;
            let news = shared.with(|state| {
                let news = news(state, self.raw, established, &shared.options);
                if news.is_none() && self.ended.is_none() {
                    look = Look::new(state, &shared.options, cx);
                }
                news
            });
            if let Some(news) = news {
                return Poll::Ready(news);
            }
            if self.ended.is_some() {
                return Poll::Ready(News::Ended);
            }
            ready!(self.poll_pump_from(look, cx));
        }
    }

    /// Lets the user work while the connection goes on. False if the work panicked.
    async fn run(&mut self, work: impl Future<Output = ()>) -> bool {
        let mut work = pin!(catch_panic(work));
        poll_fn(|cx| {
            if let Poll::Ready(done) = work.as_mut().poll(cx) {
                return Poll::Ready(log_panic(Ok(done)));
            }
            while self.poll_pump(cx).is_ready() {}
            if let Some(at) = self.last_call
                && self.last_alarm.poll(&self.shared.net, at, cx).is_ready()
            {
                #[cfg(feature = "tracing")]
                tracing::warn!(target: "hsms", "a delegate took longer than the close timeout");
                return Poll::Ready(true);
            }
            Poll::Pending
        })
        .await
    }

    /// Reads, sends and keeps the time. Ready when there may be news.
    fn poll_pump(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.ended.is_some() {
            return self.poll_flush(cx);
        }
        let shared = &self.shared;
        let look = shared.with(|state| Look::new(state, &shared.options, cx));
        self.poll_pump_from(look, cx)
    }

    /// The same, when the state has just been looked at, and there is more to read.
    fn poll_pump_from(&mut self, mut look: Look, cx: &mut Context<'_>) -> Poll<()> {
        let shared = &self.shared;
        let mut now = None;
        loop {
            match look {
                Look::On => {}
                Look::End => {
                    // If the session has no reason, it is the user who wants it.
                    let reason = shared.with(|state| state.close.take());
                    self.end(reason.unwrap_or(CloseReason::Local));
                    return Poll::Ready(());
                }
                Look::Full => {
                    if self.poll_flush(cx).is_ready() {
                        return Poll::Ready(());
                    }
                    break;
                }
            }
            match Pin::new(&mut self.framed.next()).poll(cx) {
                Poll::Ready(Ok(Some((frame, _)))) => {
                    let now = *now.get_or_insert_with(|| shared.net.now());
                    match receive(shared, self.raw, frame, now, cx) {
                        Some(after) => look = after,
                        None => return Poll::Ready(()),
                    }
                }
                Poll::Ready(Ok(None)) => {
                    self.end(CloseReason::PeerClosed);
                    return Poll::Ready(());
                }
                Poll::Ready(Err(error)) => {
                    self.end(match error.kind() {
                        ErrorKind::Timeout(TimeoutKind::InterByte) => CloseReason::TimedOut(Timer::T8),
                        _ => CloseReason::Failed(error),
                    });
                    return Poll::Ready(());
                }
                Poll::Pending => break,
            }
        }
        self.poll_timers(cx)
    }

    fn poll_timers(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            let (deadline, controls, blocked) = self.shared.with(|state| {
                let session = &state.session;
                let controls = session.open() - session.open_data();
                (session.deadline(), controls, state.is_blocked())
            });
            if blocked {
                // Before those who wait for room.
                self.shared.with_session(|_| ());
            }
            if controls > self.controls || blocked || self.blocked {
                self.asked = self.framed.sent() + self.framed.unsent() as u64;
                self.blocked = blocked;
            }
            let Some(at) = deadline else {
                return Poll::Pending;
            };
            if self.controls > 0 && controls == 0 {
                // A Linktest was answered: what is due next is far off, and T6 would ring for nothing.
                self.alarm.defer(at);
            }
            self.controls = controls;
            if self.alarm.poll(&self.shared.net, at, cx).is_pending() {
                return Poll::Pending;
            }
            let now = self.shared.net.now();
            let half = self.framed.is_mid_frame();
            let underway = half || self.framed.unsent() > 0;
            let hindered = half || self.framed.sent() < self.asked;
            // What the session sends now is written below: it need not wake this task.
            self.framed.awake();
            let close = self.shared.with_session(|state| {
                if underway {
                    state.session.underway(hindered, now);
                }
                state.session.expire(now);
                state.close.take()
            });
            if let Some(reason) = close {
                self.end(reason);
                return Poll::Ready(());
            }
            // What it sends goes out at once.
            if self.poll_flush(cx).is_ready() {
                return Poll::Ready(());
            }
        }
    }

    /// Ready if the connection is broken.
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let flushed = pin!(self.framed.flush()).poll(cx);
        match flushed {
            Poll::Ready(Err(error)) if self.ended.is_none() => {
                self.end(CloseReason::Failed(error));
                Poll::Ready(())
            }
            _ => Poll::Pending,
        }
    }
}

impl Driver {
    /// From now on messages are for nobody; but if the end is ours, the delegate's last requests are still answered.
    fn deaf(&mut self) {
        let waiting = self.shared.with(|state| {
            state.deaf = true;
            state.drop_inbound()
        });
        let now = self.shared.net.now();
        self.shared.with_session(|state| {
            for primary in waiting {
                state.session.abort(&primary, now);
            }
        });
        if self.ended == Some(CloseReason::Local) {
            self.ended = None;
        }
    }

    fn abort_unanswered(&mut self) {
        let now = self.shared.net.now();
        self.shared.with_session(|state| {
            if let Some(primary) = state.unanswered.take() {
                state.session.abort(&primary, now);
            }
        });
    }

    /// Separates, sends what is left, and closes.
    async fn finish(self: Box<Self>) {
        let this = *self;
        let shared = this.shared;
        let reason = this.ended.unwrap_or(CloseReason::Local);
        let now = shared.net.now();
        shared.with_session(|state| {
            if reason == CloseReason::Local {
                state.session.end(now);
            }
            state.deaf = true;
        });
        let broken = matches!(reason, CloseReason::Failed(_));
        if !broken {
            let _ = this.framed.close(shared.options.linger).await;
        } else {
            drop(this.framed);
        }
        let now = shared.net.now();
        shared.with_session(|state| {
            if this.raw {
                state.session.begin_t5(now);
                state.subscribers.tell(&SessionEvent::Disconnected(reason), &shared.net);
            } else {
                state.session.disconnected(reason, now);
            }
            (state.sender, state.peer, state.driver, state.close) = (None, None, None, None);
            state.drop_inbound();
        });
        shared.changed.notify_waiters();
    }
}

/// What is to be told to the user, if there is anything.
fn news(state: &mut State, raw: bool, established: bool, options: &ConnectionOptions) -> Option<News> {
    if !established {
        let selected = raw || state.session.state() == SessionState::Selected;
        // One that was selected and has ended since was established, if there is something to tell.
        return selected.then_some(News::Established);
    }
    if state.listeners > 0 {
        return None;
    }
    state.take(options).map(News::Message)
}

/// How the connection's task is to go on.
#[derive(Clone, Copy)]
enum Look {
    On,
    /// No more is to be read for now.
    Full,
    End,
}

impl Look {
    #[inline]
    fn new(state: &mut State, options: &ConnectionOptions, cx: &Context<'_>) -> Self {
        state.watch(cx);
        if state.close.is_some() || state.is_stopping() && !state.deaf {
            Self::End
        } else if state.is_full(options) {
            Self::Full
        } else {
            Self::On
        }
    }
}

/// Gives a frame to the session. None if there is news for the user.
#[inline]
fn receive(shared: &Shared, raw: bool, frame: Frame<'_>, now: Instant, cx: &Context<'_>) -> Option<Look> {
    let mut listened = false;
    let take = |state: &mut State| {
        let Ok((header, text)) = frame::split(frame.bytes()) else {
            // The framing lets no such frame through.
            return false;
        };
        if raw {
            state.deliver(header, own(frame));
            return true;
        }
        let before = state.session.state();
        match state.session.received(&header, text, now) {
            Received::Handled => state.session.state() != before,
            Received::Reply(ticket) => {
                // Whoever asked may have gone.
                let _ = ticket.send(Ok(Message {
                    header,
                    text: own(frame),
                }));
                false
            }
            Received::Primary if state.deaf => {
                if header.w() {
                    state.session.abort(&header, now);
                }
                false
            }
            Received::Primary => {
                state.deliver(header, own(frame));
                listened = state.listeners > 0;
                true
            }
        }
    };
    let look = shared.with_session_then(take, |news, state| {
        (!news).then(|| Look::new(state, &shared.options, cx))
    });
    if listened {
        shared.arrived.notify_one();
    }
    look
}

/// The text of a frame, owned.
#[inline]
fn own(frame: Frame<'_>) -> Bytes {
    const HEAD: usize = crate::Header::LENGTH;
    match frame.bytes().len() {
        HEAD => Bytes::new(),
        length if length <= HEAD + COPIED => Bytes::copy_from_slice(&frame.bytes()[HEAD..]),
        _ => frame.into_bytes().slice(HEAD..),
    }
}

impl State {
    /// Remembers the connection's task.
    #[inline]
    fn watch(&mut self, cx: &Context<'_>) {
        match &self.driver {
            Some(driver) if driver.will_wake(cx.waker()) => {}
            _ => self.driver = Some(cx.waker().clone()),
        }
    }
}

/// False if it panicked.
fn log_panic(done: Result<Result<(), net_core::Error>, net_core::Error>) -> bool {
    match done {
        Ok(Ok(())) => true,
        Ok(Err(panic)) | Err(panic) => {
            #[cfg(feature = "tracing")]
            tracing::error!(target: "hsms", %panic, "a delegate failed");
            let _ = panic;
            false
        }
    }
}
