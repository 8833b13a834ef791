//! The work of one connection: between its boxes and its socket, in one task.

#[cfg(feature = "tls")]
mod encrypting;
mod receiving;
mod sending;

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::task::{Context as Task, Poll};
use std::time::Duration;

use bytes::Bytes;
use net_core::{Alarm, Endpoint, Error, Instant, Operation, Stream};

use super::explicit::Explicit;
use super::options::AdapterOptions;
use super::selector::SelectorRequest;
use super::socket_end::{HowDied, ShutdownCsa, SocketShutdown};
#[cfg(feature = "tls")]
use super::ssl::{MakeSsl, SslReady};
use crate::{Context, Inbox, Notify, Outbox, OutboxSink, ShutdownMicroprocess, Signal};

/// Rounds of reading and writing before other tasks run. Few, so that what was read is still in the processor's cache when
/// the next component gets it.
const ROUNDS: usize = 4;

/// The boxes of whoever runs a connection.
pub(super) struct Ports {
    pub(super) inbox: Inbox<Bytes>,
    pub(super) control: Inbox<Signal>,
    pub(super) outbox: OutboxSink<Bytes>,
    #[cfg(feature = "tls")]
    pub(super) makessl: Inbox<MakeSsl>,
    #[cfg(feature = "tls")]
    pub(super) sslready: Outbox<SslReady>,
    /// `ReadReady` and `SendReady`, in the explicit form.
    pub(super) ready: Option<Box<(Inbox<Signal>, Inbox<Signal>)>>,
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
    /// The socket was asked in this turn and had nothing to read: it wakes the task when it has.
    dry: bool,
    /// Bytes of the message that waits for room behind the outbox.
    held: usize,
    /// Told to finish: how many messages were in the inbox by then and are there still.
    finishing: Option<usize>,
    /// Other connections follow, by the same boxes.
    others_follow: bool,
    /// Don't finish when told so: wait for the peer's end.
    deaf: bool,
    /// Told to finish, or to end at once.
    told: bool,
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
            dry: false,
            held: 0,
            finishing: None,
            others_follow: false,
            deaf: false,
            told: false,
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

    /// Its boxes go on to be used when it has ended.
    pub(super) fn others_follow(&mut self) {
        self.others_follow = true;
    }

    pub(super) fn context(&self) -> &Context {
        &self.context
    }

    pub(super) fn context_mut(&mut self) -> &mut Context {
        &mut self.context
    }

    /// Whether somebody told it to end, and it was not only the peer.
    pub(super) fn was_told_to_end(&self) -> bool {
        self.told
    }

    /// Gives back what it was made with, for the next connection.
    pub(super) fn take_apart(self) -> (Ports, Context) {
        let mut ports = self.ports;
        ports.outbox.forget();
        (ports, self.context)
    }

    /// Whether `signal` has told that nothing more will come.
    pub(super) fn peer_has_ended(&self) -> bool {
        self.reading == Reading::Ended
    }

    /// Ready when the connection is closed.
    pub(super) fn poll(&mut self, cx: &mut Task<'_>) -> Poll<SocketShutdown> {
        self.dry = false;
        for _ in 0..ROUNDS {
            while let Poll::Ready(Some(signal)) = self.ports.control.poll_alone(cx) {
                if signal.is_shutdown() {
                    self.told = true;
                    return Poll::Ready(self.close(HowDied::Shutdown));
                }
                if signal.is_finished() && !self.deaf {
                    self.tell_to_finish();
                }
            }
            self.hear_readiness(cx);
            let mut moved = self.poll_io(cx);
            if let Some(how) = self.over() {
                return Poll::Ready(self.close(how));
            }
            if !moved && self.is_left_alone() {
                self.finish(HowDied::PeerClosed);
                moved = true;
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

    /// Nothing more will come to the inbox: what is in it is sent, then it ends.
    pub(super) fn tell_to_finish(&mut self) {
        self.told = true;
        self.finish(HowDied::ProducerFinished);
    }

    /// Told to finish: what is in the inbox now is sent, then our side is closed.
    fn finish(&mut self, why: HowDied) {
        if self.finishing.is_none() {
            self.finishing = Some(self.ports.inbox.len());
            self.moved = self.context.net().now();
            self.how.get_or_insert(why);
        }
    }

    /// Whether the peer has ended its side, and nobody can send anything or tell us to end: no outbox leads to our boxes, nor
    /// is one offered to all.
    fn is_left_alone(&self) -> bool {
        if self.reading != Reading::Ended || self.is_ending() {
            return false;
        }
        let services = self.context.services();
        let may_get = |fed: bool, number: u64| fed || services.offers(number);
        let (data, control) = (&self.ports.inbox.node, &self.ports.control.node);
        #[cfg(feature = "tls")]
        let orders = may_get(self.ports.makessl.node.is_fed_now(), self.ports.makessl.node.number());
        #[cfg(not(feature = "tls"))]
        let orders = false;
        !orders && !may_get(data.is_fed_now(), data.number()) && !may_get(control.is_fed_now(), control.number())
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

    /// `ReadReady` and `SendReady`: any message counts.
    fn hear_readiness(&mut self, cx: &mut Task<'_>) {
        let Some((read, send)) = self.ports.ready.as_deref_mut() else {
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
