//! The work of one connection: between its boxes and its socket, in one task.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::pin::Pin;
#[cfg(feature = "tls")]
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context as Task, Poll, ready};
use std::time::Duration;

use bytes::{Buf, Bytes};
use futures_sink::Sink;
use net_core::{Alarm, Endpoint, Error, Instant, Operation, Stream};
use tokio::io::AsyncWrite;

use super::explicit::Explicit;
use super::options::{AdapterOptions, HalfClose};
use super::scratch;
use super::selector::SelectorRequest;
use super::socket_end::{HowDied, ShutdownCsa, SocketShutdown};
#[cfg(feature = "tls")]
use super::ssl::{MakeSsl, Role, SslReady};
use crate::{Context, Inbox, Notify, Outbox, OutboxSink, ShutdownMicroprocess, Signal};

/// Rounds of reading and writing before other tasks run. Few, so that what was read is still in the processor's cache when
/// the next component gets it.
const ROUNDS: usize = 4;

/// The most messages, and about the most bytes, that are written at once.
const GATHERED: usize = 32;
const GATHERED_BYTES: usize = 256 * 1024;

/// The boxes of whoever runs a connection.
pub(super) struct Ports {
    pub(super) inbox: Inbox<Bytes>,
    pub(super) control: Inbox<Signal>,
    pub(super) outbox: OutboxSink<Bytes>,
    #[cfg(feature = "tls")]
    pub(super) makessl: Inbox<MakeSsl>,
    #[cfg(feature = "tls")]
    pub(super) sslready: Outbox<SslReady>,
    /// `ReadReady` and `SendReady`.
    pub(super) ready: Option<(Inbox<Signal>, Inbox<Signal>)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reading {
    Open,
    /// The peer has ended its side.
    Ended,
    Failed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Writing {
    Open,
    /// Everything is written; our side is being closed.
    Closing,
    Closed,
    Failed,
}

/// How far an upgrade to TLS is.
#[cfg(feature = "tls")]
enum Upgrade {
    No,
    /// What is to be sent in plain goes out first.
    Clearing(Box<MakeSsl>),
    Handshake,
}

pub(super) struct Connection {
    stream: Option<Stream>,
    ports: Ports,
    context: Context,
    options: AdapterOptions,
    explicit: Option<Box<Explicit>>,
    reading: Reading,
    writing: Writing,
    #[cfg(feature = "tls")]
    upgrade: Upgrade,
    /// What was taken from the inbox and not written yet.
    out: VecDeque<Bytes>,
    /// Written since the last flush.
    dirty: bool,
    /// Bytes of the message that waits for room behind the outbox.
    held: usize,
    /// Told to finish: how many messages were in the inbox by then and are there still.
    finishing: Option<usize>,
    /// Don't finish when told so: wait for the peer's end.
    deaf: bool,
    how: Option<HowDied>,
    sent: u64,
    received: u64,
    unsent: u64,
    undelivered: u64,
    /// When a byte last moved, as far as there is a limit.
    moved: Instant,
    alarm: Alarm,
}

impl Connection {
    pub(super) fn new(
        stream: Stream,
        ports: Ports,
        options: AdapterOptions,
        selector: Option<Outbox<SelectorRequest>>,
        context: Context,
    ) -> Self {
        let moved = context.net().now();
        Self {
            stream: Some(stream),
            ports,
            options,
            explicit: selector.map(|selector| Box::new(Explicit::new(selector, Arc::clone(context.name())))),
            context,
            reading: Reading::Open,
            writing: Writing::Open,
            #[cfg(feature = "tls")]
            upgrade: Upgrade::No,
            out: VecDeque::new(),
            dirty: false,
            held: 0,
            finishing: None,
            deaf: false,
            how: None,
            sent: 0,
            received: 0,
            unsent: 0,
            undelivered: 0,
            moved,
            alarm: Alarm::default(),
        }
    }

    /// Lets only the peer and a shutdown end it.
    pub(super) fn wait_for_peer(&mut self) {
        self.deaf = true;
    }

    pub(super) fn context(&self) -> &Context {
        &self.context
    }

    pub(super) fn context_mut(&mut self) -> &mut Context {
        &mut self.context
    }

    /// Whether `signal` has told that nothing more will come.
    pub(super) fn peer_has_ended(&self) -> bool {
        self.reading == Reading::Ended
    }

    /// Ready when the connection is closed.
    pub(super) fn poll(&mut self, cx: &mut Task<'_>) -> Poll<SocketShutdown> {
        for _ in 0..ROUNDS {
            while let Poll::Ready(Some(signal)) = self.ports.control.poll_alone(cx) {
                if signal.is_shutdown() {
                    return Poll::Ready(self.close(HowDied::Shutdown));
                }
                if signal.is_finished() && !self.deaf {
                    self.finish(HowDied::ProducerFinished);
                }
            }
            self.hear_readiness(cx);
            let mut moved = self.poll_io(cx);
            if let Some(how) = self.over() {
                return Poll::Ready(self.close(how));
            }
            if !moved {
                match self.poll_silence(cx) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(()) if self.is_ending() => return Poll::Ready(self.close(HowDied::LingerExpired)),
                    Poll::Ready(()) => {
                        self.finish(HowDied::IdleTimeout);
                        moved = true;
                    }
                }
            }
            if moved && self.limit().is_some() {
                self.moved = self.context.net().now();
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    #[cfg(feature = "tls")]
    fn poll_io(&mut self, cx: &mut Task<'_>) -> bool {
        if matches!(self.upgrade, Upgrade::No)
            && let Poll::Ready(Some(order)) = self.ports.makessl.poll_alone(cx)
        {
            self.clear_for(order);
        }
        match &self.upgrade {
            Upgrade::No => self.poll_send(true, cx) | self.poll_receive(true, cx),
            Upgrade::Clearing(_) => {
                let moved = self.poll_send(false, cx) | self.poll_receive(false, cx);
                let clear = self.out.is_empty() && !self.dirty && self.held == 0;
                if clear && self.writing == Writing::Open {
                    self.begin_handshake(cx);
                    return true;
                }
                moved
            }
            Upgrade::Handshake => self.poll_handshake(cx),
        }
    }

    #[cfg(not(feature = "tls"))]
    fn poll_io(&mut self, cx: &mut Task<'_>) -> bool {
        self.poll_send(true, cx) | self.poll_receive(true, cx)
    }

    /// Told to finish: what is in the inbox now is sent, then our side is closed.
    fn finish(&mut self, why: HowDied) {
        if self.finishing.is_none() {
            self.finishing = Some(self.ports.inbox.len());
            self.moved = self.context.net().now();
            self.how.get_or_insert(why);
        }
    }

    fn is_ending(&self) -> bool {
        self.finishing.is_some() || self.writing == Writing::Failed
    }

    /// How long it may be silent.
    fn limit(&self) -> Option<Duration> {
        if self.is_ending() {
            return Some(self.options.linger);
        }
        #[cfg(feature = "tls")]
        if !matches!(self.upgrade, Upgrade::No) {
            // The handshake has a limit of its own.
            return matches!(self.upgrade, Upgrade::Clearing(_)).then_some(self.options.linger);
        }
        self.options.idle_timeout
    }

    fn poll_silence(&mut self, cx: &mut Task<'_>) -> Poll<()> {
        match self.limit() {
            Some(limit) => self.alarm.poll(self.context.net(), self.moved + limit, cx),
            None => Poll::Pending,
        }
    }

    /// Why it is over, if it is.
    fn over(&mut self) -> Option<HowDied> {
        let over = match (self.reading, self.writing) {
            (Reading::Failed, _) => true,
            (Reading::Ended, Writing::Closed | Writing::Failed) => self.held == 0,
            _ => false,
        };
        over.then(|| self.how.take().unwrap_or(HowDied::PeerClosed))
    }

    /// An error on the connection is its end, whatever was meant to be.
    fn broke(&mut self, operation: Operation, error: io::Error) {
        let error = Error::from_io(operation, error);
        if self.how.as_ref().is_none_or(|how| how.error().is_none()) {
            self.how = Some(HowDied::by(error));
        }
        self.moved = self.context.net().now();
    }

    /// Closes the socket and counts what is lost.
    fn close(&mut self, how: HowDied) -> SocketShutdown {
        self.unsent += self.out.drain(..).map(|bytes| bytes.len() as u64).sum::<u64>();
        for _ in 0..self.ports.inbox.len() {
            let Some(bytes) = self.ports.inbox.try_recv() else {
                break;
            };
            self.unsent += bytes.len() as u64;
        }
        self.undelivered += self.held as u64;
        let mut ends = (None, Endpoint::Mem("".into()));
        if let Some(mut stream) = self.stream.take() {
            ends = (Some(stream.local().clone()), stream.peer().clone());
            if let Some(error) = how.error() {
                stream.fault(error);
            }
            if self.unsent > 0 {
                // The peer must not take what it got for everything.
                stream.reset();
            }
        }
        if let Some(explicit) = &mut self.explicit {
            explicit.forget();
        }
        SocketShutdown {
            local: ends.0,
            peer: ends.1,
            how,
            sent: self.sent,
            received: self.received,
            unsent: self.unsent,
            undelivered: self.undelivered,
        }
    }

    /// Tells everybody but the creator: first that the adapter shuts down, then the usual.
    pub(super) fn say_shut_down(&mut self, end: &SocketShutdown) {
        let name = Arc::clone(self.context.name());
        let closed = ShutdownCsa {
            csa: Arc::clone(&name),
            socket: end.clone(),
        };
        self.context
            .signal(Signal::Notify(Notify::new(Arc::clone(&name), closed)));
        if matches!(end.how, HowDied::Shutdown) {
            self.context.signal(Signal::ShutdownMicroprocess(ShutdownMicroprocess {
                message: Some(Notify::new(Arc::clone(&name), end.clone())),
                caller: Some(name),
            }));
        } else if self.reading != Reading::Ended {
            self.context.signal(end.signal(&name));
        }
    }

    /// Takes from the inbox.
    fn take(&mut self, cx: &mut Task<'_>) {
        let mut bytes = 0;
        while self.out.len() < GATHERED && bytes < GATHERED_BYTES {
            let message = match &mut self.finishing {
                Some(0) => break,
                Some(left) => match self.ports.inbox.try_recv() {
                    Some(message) => {
                        *left -= 1;
                        message
                    }
                    None => {
                        *left = 0;
                        break;
                    }
                },
                None => match self.ports.inbox.poll_recv(cx) {
                    Poll::Ready(Some(message)) => message,
                    Poll::Ready(None) | Poll::Pending => break,
                },
            };
            if !message.is_empty() {
                bytes += message.len();
                self.out.push_back(message);
            }
        }
    }

    /// Writes what there is; whether anything moved.
    fn poll_send(&mut self, take: bool, cx: &mut Task<'_>) -> bool {
        let mut moved = false;
        loop {
            match self.writing {
                Writing::Open => {}
                Writing::Closing => match self.write_with(cx, |stream, cx| stream.poll_shutdown(cx)) {
                    Poll::Ready(Ok(())) => {
                        self.writing = Writing::Closed;
                        return true;
                    }
                    Poll::Ready(Err(error)) => {
                        self.write_failed(error);
                        return true;
                    }
                    Poll::Pending => return moved,
                },
                Writing::Closed => return moved,
                Writing::Failed => {
                    // So that nobody waits for room here.
                    while let Poll::Ready(Some(bytes)) = self.ports.inbox.poll_recv(cx) {
                        self.unsent += bytes.len() as u64;
                    }
                    return moved;
                }
            }
            if self.out.is_empty() {
                if take {
                    self.take(cx);
                }
                if self.out.is_empty() {
                    if self.dirty {
                        match self.write_with(cx, |stream, cx| stream.poll_flush(cx)) {
                            Poll::Ready(Ok(())) => self.dirty = false,
                            Poll::Ready(Err(error)) => self.write_failed(error),
                            Poll::Pending => return moved,
                        }
                        continue;
                    }
                    if take && self.finishing == Some(0) {
                        self.writing = Writing::Closing;
                        continue;
                    }
                    if self.out.capacity() > 4 {
                        // An idle connection holds as little as it can.
                        self.out = VecDeque::new();
                    }
                    return moved;
                }
            }
            match self.poll_write(cx) {
                Poll::Ready(Ok(0)) => self.write_failed(io::ErrorKind::WriteZero.into()),
                Poll::Ready(Ok(count)) => {
                    self.wrote(count);
                    moved = true;
                }
                Poll::Ready(Err(error)) => self.write_failed(error),
                Poll::Pending => return moved,
            }
        }
    }

    fn write_failed(&mut self, error: io::Error) {
        self.writing = Writing::Failed;
        self.unsent += self.out.drain(..).map(|bytes| bytes.len() as u64).sum::<u64>();
        self.broke(Operation::Write, error);
    }

    fn poll_write(&mut self, cx: &mut Task<'_>) -> Poll<io::Result<usize>> {
        let out = std::mem::take(&mut self.out);
        let outcome = self.write_with(cx, |stream, cx| match out.front() {
            Some(only) if out.len() == 1 => stream.poll_write(cx, only),
            _ => {
                let mut slices = [IoSlice::new(&[]); GATHERED];
                for (slice, bytes) in slices.iter_mut().zip(&out) {
                    *slice = IoSlice::new(bytes);
                }
                let count = out.len().min(GATHERED);
                stream.poll_write_vectored(cx, slices.get(..count).unwrap_or(&[]))
            }
        });
        self.out = out;
        outcome
    }

    fn wrote(&mut self, count: usize) {
        self.dirty = true;
        self.sent += count as u64;
        let mut left = count;
        while let Some(first) = self.out.front_mut() {
            if left < first.len() {
                first.advance(left);
                return;
            }
            left -= first.len();
            self.out.pop_front();
        }
    }

    /// Has the socket do something for the writing side, with the waker of whoever watches it.
    fn write_with<T>(
        &mut self,
        cx: &mut Task<'_>,
        work: impl FnOnce(Pin<&mut Stream>, &mut Task<'_>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        let Some(stream) = &mut self.stream else {
            return Poll::Pending;
        };
        match &mut self.explicit {
            None => work(Pin::new(stream), cx),
            Some(explicit) => explicit.write(&self.ports, |cx| work(Pin::new(stream), cx)),
        }
    }

    /// Delivers what is held and reads; whether anything moved.
    fn poll_receive(&mut self, read: bool, cx: &mut Task<'_>) -> bool {
        let held = self.held > 0;
        if held && self.poll_deliver(cx).is_pending() {
            return false;
        }
        if self.reading != Reading::Open || !read {
            return held;
        }
        match self.poll_read(cx) {
            Poll::Pending => held,
            Poll::Ready(Ok(bytes)) if bytes.is_empty() => {
                self.reading = Reading::Ended;
                self.how.get_or_insert(HowDied::PeerClosed);
                let name = Arc::clone(self.context.name());
                self.context.signal(Signal::finished_by(name));
                if self.options.half_close == HalfClose::Close {
                    self.finish(HowDied::PeerClosed);
                }
                true
            }
            Poll::Ready(Ok(bytes)) => {
                self.received += bytes.len() as u64;
                self.held = bytes.len();
                // It was flushed before.
                if Pin::new(&mut self.ports.outbox).start_send(bytes).is_ok() {
                    let _ = self.poll_deliver(cx);
                }
                true
            }
            Poll::Ready(Err(error)) => {
                self.reading = Reading::Failed;
                self.broke(Operation::Read, error);
                true
            }
        }
    }

    fn poll_deliver(&mut self, cx: &mut Task<'_>) -> Poll<()> {
        let outcome = ready!(Pin::new(&mut self.ports.outbox).poll_flush(cx));
        if outcome.is_err() {
            // Refused by the box's policy.
            self.undelivered += self.held as u64;
        }
        self.held = 0;
        Poll::Ready(())
    }

    fn poll_read(&mut self, cx: &mut Task<'_>) -> Poll<io::Result<Bytes>> {
        let Some(stream) = &mut self.stream else {
            return Poll::Pending;
        };
        let chunk = self.options.chunk;
        match &mut self.explicit {
            None => scratch::poll_read(stream, chunk, cx),
            Some(explicit) => explicit.read(&self.ports, |cx| scratch::poll_read(stream, chunk, cx)),
        }
    }

    /// `ReadReady` and `SendReady`: any message counts.
    fn hear_readiness(&mut self, cx: &mut Task<'_>) {
        let Some((read, send)) = &mut self.ports.ready else {
            return;
        };
        while read.poll_alone(cx).is_ready() {
            if let Some(explicit) = &mut self.explicit {
                explicit.may_read();
            }
        }
        while send.poll_alone(cx).is_ready() {
            if let Some(explicit) = &mut self.explicit {
                explicit.may_write();
            }
        }
    }
}

#[cfg(feature = "tls")]
impl Connection {
    /// What waits in the inbox is sent in plain.
    fn clear_for(&mut self, mut order: MakeSsl) {
        for _ in 0..self.ports.inbox.len() {
            let Some(bytes) = self.ports.inbox.try_recv() else {
                break;
            };
            if let Some(left) = &mut self.finishing {
                *left = left.saturating_sub(1);
            }
            if !bytes.is_empty() {
                self.out.push_back(bytes);
            }
        }
        let last = std::mem::take(&mut order.last_words);
        if !last.is_empty() {
            self.out.push_back(last);
        }
        self.moved = self.context.net().now();
        self.upgrade = Upgrade::Clearing(Box::new(order));
    }

    fn begin_handshake(&mut self, cx: &mut Task<'_>) {
        let Upgrade::Clearing(order) = std::mem::replace(&mut self.upgrade, Upgrade::Handshake) else {
            return;
        };
        let Some(stream) = &mut self.stream else { return };
        // It goes on where it was dropped: see `poll_handshake`.
        let outcome = match order.role {
            Role::Client { tls, server_name } => {
                let handshake = pin!(stream.upgrade_tls_client(&tls, &server_name));
                handshake.poll(cx)
            }
            Role::Server { tls } => pin!(stream.upgrade_tls_server(&tls)).poll(cx),
        };
        if let Poll::Ready(outcome) = outcome {
            self.upgraded(outcome);
        }
    }

    fn poll_handshake(&mut self, cx: &mut Task<'_>) -> bool {
        let outcome = match &mut self.stream {
            Some(stream) => pin!(stream.handshake()).poll(cx),
            None => return false,
        };
        match outcome {
            Poll::Ready(outcome) => {
                self.upgraded(outcome);
                true
            }
            Poll::Pending => false,
        }
    }

    fn upgraded(&mut self, outcome: Result<(), Error>) {
        self.upgrade = Upgrade::No;
        let info = self.stream.as_ref().and_then(Stream::tls);
        let outcome = match (outcome, info) {
            (Ok(()), Some(info)) => Ok(info),
            (Ok(()), None) => Err(Error::new(net_core::ErrorKind::Internal, Operation::Handshake)),
            (Err(error), _) => Err(error),
        };
        if let Err(error) = &outcome
            && error.kind() != net_core::ErrorKind::WrongState
        {
            self.reading = Reading::Failed;
            self.how = Some(match error.kind() {
                net_core::ErrorKind::Reset => HowDied::Reset(error.clone()),
                _ => HowDied::TlsFailed(error.clone()),
            });
        }
        if let Some(explicit) = &mut self.explicit {
            // Who waited for readiness has waited for another layer.
            explicit.may_read();
            explicit.may_write();
        }
        // Nobody upgrades often enough to fill a box.
        let _ = self.ports.sslready.try_send(SslReady { outcome });
    }
}
