//! Listening: makes an adapter of each connection and gives it to whoever makes protocol handlers.

use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context as Task, Poll};

use futures_sink::Sink;
use net_core::{BindOptions, Endpoint, Listener, Result, Stream};

use super::adapter::ConnectedSocketAdapter;
use super::options::AdapterOptions;
use super::socket_end::{ShutdownCsa, SocketShutdown};
use crate::waiting::Waiting;
use crate::{Component, Context, Inbox, Outbox, OutboxSink, Outcome, Signal, System};

/// What a [`TcpServer`] tells about its connections.
#[derive(Debug)]
#[non_exhaustive]
pub enum HandlerSignal {
    /// A connection was accepted: Kamaelia's `newCSA`. Its adapter is to be linked and started.
    NewCsa(Box<ConnectedSocketAdapter>),
    /// A connection is closed: Kamaelia's `shutdownCSA`.
    ShutdownCsa(ShutdownCsa),
}

/// Listens, and makes an adapter of each connection. Who wants a server for a protocol uses
/// [`SimpleServer`](crate::SimpleServer) or [`ServerCore`](crate::ServerCore), which are made with it.
///
/// The adapters leave by `protocolHandlerSignal`; no further connection is accepted while nobody takes them. Whoever gets one
/// links its boxes and starts it; its `CreatorFeedback` is linked here already.
///
/// After a [`ProducerFinished`](Signal::ProducerFinished) it accepts nothing more and ends when its last connection is
/// closed; after a [`ShutdownMicroprocess`](Signal::ShutdownMicroprocess) it ends at once. The port is free from then on.
#[doc(alias = "TCPServer")]
pub struct TcpServer {
    /// Tells it to end.
    pub control: Inbox<Signal>,
    /// Where adapters tell that their sockets are closed.
    pub feedback_from_csa: Inbox<Signal>,
    /// New and closed connections.
    pub protocol_handler_signal: Outbox<HandlerSignal>,
    /// Tells how it ended.
    pub signal: Outbox<Signal>,
    listener: Listener,
    adapter: AdapterOptions,
}

boxes!(TcpServer as "TCPServer" => {
    inbox control: "control", "Tells it to end: with its last connection, or at once.";
    inbox feedback_from_csa: "_feedbackFromCSA", "Where adapters tell that their sockets are closed.";
    outbox protocol_handler_signal: "protocolHandlerSignal", "New and closed connections.";
    outbox signal: "signal", "Tells how it ended.";
});

impl TcpServer {
    /// Listens at an endpoint: `tcp://`, `tls://`, `unix:` or `mem:`.
    ///
    /// # Errors
    /// As [`Net::bind`](net_core::Net::bind): the port is in use, for example.
    pub async fn bind(system: &System, at: &Endpoint) -> Result<Self> {
        Self::bind_with(system, at, &BindOptions::default()).await
    }

    /// Listens with options: those of the sockets, limits of connections, TLS.
    ///
    /// # Errors
    /// As [`bind`](Self::bind).
    pub async fn bind_with(system: &System, at: &Endpoint, options: &BindOptions) -> Result<Self> {
        Ok(Self::on(system.net().bind_with(at, options).await?))
    }

    /// A server on a listener.
    pub fn on(listener: Listener) -> Self {
        Self {
            control: Inbox::new(),
            feedback_from_csa: Inbox::new(),
            protocol_handler_signal: Outbox::new(),
            signal: Outbox::new(),
            listener,
            adapter: AdapterOptions::default(),
        }
    }

    /// Sets how its connections are run.
    #[must_use]
    pub fn options(mut self, options: AdapterOptions) -> Self {
        self.adapter = options;
        self
    }

    /// Where it listens, with the real port.
    pub fn local(&self) -> &Endpoint {
        self.listener.local()
    }
}

enum Happened {
    Told(Signal),
    Closed(Signal),
    Accepted(Result<Box<Stream>>),
    /// Nothing is left.
    Done,
}

/// How many adapters there are, started or not: each holds one of these.
#[derive(Debug)]
pub(super) struct Open(Arc<Opened>);

#[derive(Debug, Default)]
struct Opened {
    adapters: AtomicUsize,
    none: Waiting,
}

impl Opened {
    fn one_more(self: &Arc<Self>) -> Open {
        self.adapters.fetch_add(1, Ordering::AcqRel);
        Open(Arc::clone(self))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        if self.0.adapters.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.none.wake();
        }
    }
}

/// What is still to be told, in order.
struct Telling {
    outbox: OutboxSink<HandlerSignal>,
    waiting: VecDeque<HandlerSignal>,
}

impl Telling {
    fn poll(&mut self, cx: &mut Task<'_>) -> Poll<()> {
        loop {
            // A box that refuses has no use for it.
            let _ = std::task::ready!(Pin::new(&mut self.outbox).poll_flush(cx));
            let Some(next) = self.waiting.pop_front() else {
                return Poll::Ready(());
            };
            // It was flushed before.
            let _ = Pin::new(&mut self.outbox).start_send(next);
        }
    }
}

impl Component for TcpServer {
    async fn main(mut self, mut context: Context) -> Outcome {
        let mut telling = Telling {
            outbox: self.protocol_handler_signal.into_sink(),
            waiting: VecDeque::new(),
        };
        let mut listener = Some(self.listener);
        let opened = Arc::new(Opened::default());
        loop {
            let mut none = opened.none.wait();
            let happened = poll_fn(|cx| {
                if let Poll::Ready(Some(signal)) = self.control.poll_alone(cx) {
                    return Poll::Ready(Happened::Told(signal));
                }
                if let Poll::Ready(Some(signal)) = self.feedback_from_csa.poll_alone(cx) {
                    return Poll::Ready(Happened::Closed(signal));
                }
                // First somebody has to take those who are here.
                std::task::ready!(telling.poll(cx));
                match &mut listener {
                    Some(listener) => listener
                        .poll_accept(cx)
                        .map(|accepted| Happened::Accepted(accepted.map(Box::new))),
                    None => {
                        none.register(cx.waker());
                        match opened.adapters.load(Ordering::Acquire) {
                            // What they had to tell came before.
                            0 if self.feedback_from_csa.is_empty() => Poll::Ready(Happened::Done),
                            0 => {
                                cx.waker().wake_by_ref();
                                Poll::Pending
                            }
                            _ => Poll::Pending,
                        }
                    }
                }
            })
            .await;
            drop(none);
            match happened {
                Happened::Told(signal) if signal.is_shutdown() => {
                    drop(listener);
                    context.signal(signal);
                    return Ok(());
                }
                Happened::Told(signal) => {
                    if signal.is_finished() {
                        listener = None;
                    }
                }
                Happened::Closed(signal) => {
                    if let (Some(csa), Some(socket)) = (signal.caller(), SocketShutdown::of(&signal)) {
                        let closed = ShutdownCsa {
                            csa: csa.into(),
                            socket: socket.clone(),
                        };
                        telling.waiting.push_back(HandlerSignal::ShutdownCsa(closed));
                    }
                }
                Happened::Done => return Ok(()),
                Happened::Accepted(stream) => {
                    let adapter = ConnectedSocketAdapter::counted(*stream?, opened.one_more()).options(self.adapter);
                    crate::link(&adapter.creator_feedback, &self.feedback_from_csa)?;
                    telling.waiting.push_back(HandlerSignal::NewCsa(Box::new(adapter)));
                }
            }
        }
    }
}

impl fmt::Debug for TcpServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TcpServer")
            .field("listener", &self.listener)
            .field("adapter", &self.adapter)
            .finish_non_exhaustive()
    }
}
