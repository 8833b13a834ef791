//! A connection as a component.

use std::fmt;
use std::future::{Future, poll_fn};

use bytes::Bytes;
use net_core::{Endpoint, Stream};

use super::connection::{Connection, Ports};
use super::options::AdapterOptions;
use super::selector::SelectorRequest;
#[cfg(feature = "tls")]
use super::ssl::{MakeSsl, SslReady};
use super::tcp_server::Open;
use crate::{BoxOptions, Component, Context, HasInbox, HasOutbox, Inbox, LinkError, Outbox, Outcome, Service, Signal};

/// Messages that wait to be sent, unless the box is given another size.
pub(super) const SEND_CAPACITY: usize = 16;

/// A connection as a component: what comes to its inbox is sent, what is received leaves by its outbox.
///
/// Most programs use a [`TcpClient`](crate::TcpClient) or a [`SimpleServer`](crate::SimpleServer), which make these. Its
/// boxes are fields until it is started, and have the names of Kamaelia's:
///
/// | box | |
/// |---|---|
/// | `inbox` | bytes to be sent; 16 messages wait |
/// | `control` | [`ProducerFinished`](Signal::ProducerFinished), [`ShutdownMicroprocess`](Signal::ShutdownMicroprocess) |
/// | `ReadReady`, `SendReady` | any message: the socket is ready. Only heeded in the [explicit form](Self::with_selector) |
/// | `makessl` | the order to encrypt the connection from here on, as client or server |
/// | `outbox` | bytes received, up to [`AdapterOptions::chunk`] in a message |
/// | `CreatorFeedback` | a [`SocketShutdown`](crate::SocketShutdown), once, when the socket is closed |
/// | `signal` | a [`ShutdownCsa`](crate::ShutdownCsa), once, right after that; and the usual end of a producer: when the peer's data have ended, or else at the end |
/// | `sslready` | how the handshake went |
/// | `_selectorSignal` | requests to the selector, in the explicit form |
///
/// # Ending
/// After a [`ProducerFinished`](Signal::ProducerFinished) everything is sent that was in the inbox, TLS is closed, then our
/// side of the connection; what the peer still sends is delivered until it ends too. All of this may take any time as long
/// as bytes move, and [`linger`](AdapterOptions::linger) in silence. After a
/// [`ShutdownMicroprocess`](Signal::ShutdownMicroprocess) the connection ends at once, overtaking data. What was lost is told
/// as a number of bytes; if some were never sent the peer sees a reset, not a clean end.
///
/// If the peer ends first, `signal` tells so by a [`ProducerFinished`](Signal::ProducerFinished), and sending goes on until
/// we are told to finish, or until nobody can send or tell us anything any more:
/// [`HalfClose::Allow`](crate::HalfClose::Allow).
///
/// # Bounds
/// While nobody takes what was received nothing more is read, so that the peer has to wait; memory is bounded by the sizes
/// of boxes.
pub struct ConnectedSocketAdapter {
    /// Bytes to be sent.
    pub inbox: Inbox<Bytes>,
    /// Tells it to end.
    pub control: Inbox<Signal>,
    /// There is something to be read.
    pub read_ready: Inbox<Signal>,
    /// There is room to send.
    pub send_ready: Inbox<Signal>,
    /// Has the connection encrypted.
    #[cfg(feature = "tls")]
    pub makessl: Inbox<MakeSsl>,
    /// Bytes received.
    pub outbox: Outbox<Bytes>,
    /// Tells its creator that the socket is closed.
    pub creator_feedback: Outbox<Signal>,
    /// Tells everybody else.
    pub signal: Outbox<Signal>,
    /// Tells how the handshake went.
    #[cfg(feature = "tls")]
    pub sslready: Outbox<SslReady>,
    /// Requests to the selector.
    pub selector_signal: Outbox<SelectorRequest>,
    stream: Stream,
    options: AdapterOptions,
    explicit: bool,
    /// For the server that made it.
    open: Option<Open>,
}

boxes!(ConnectedSocketAdapter as "ConnectedSocketAdapter" => {
    inbox inbox: "inbox", "Bytes to be sent.";
    inbox control: "control", "Tells it to end: when everything is sent, or at once.";
    inbox read_ready: "ReadReady", "There is something to be read.";
    inbox send_ready: "SendReady", "There is room to send.";
    #[cfg(feature = "tls")]
    inbox makessl: "makessl", "Has the connection encrypted from here on.";
    outbox outbox: "outbox", "Bytes received.";
    outbox creator_feedback: "CreatorFeedback", "Tells its creator, once, that the socket is closed.";
    outbox signal: "signal", "Tells everybody else, once, that it shuts down.";
    #[cfg(feature = "tls")]
    outbox sslready: "sslready", "Tells how the handshake went.";
    outbox selector_signal: "_selectorSignal", "Requests to the selector.";
});

impl ConnectedSocketAdapter {
    /// An adapter that finds out itself when its socket is ready.
    pub fn new(stream: Stream) -> Self {
        Self {
            inbox: Inbox::with(BoxOptions::new().capacity(SEND_CAPACITY)),
            control: Inbox::new(),
            read_ready: Inbox::new(),
            send_ready: Inbox::new(),
            #[cfg(feature = "tls")]
            makessl: Inbox::new(),
            outbox: Outbox::new(),
            creator_feedback: Outbox::new(),
            signal: Outbox::new(),
            #[cfg(feature = "tls")]
            sslready: Outbox::new(),
            selector_signal: Outbox::new(),
            stream,
            options: AdapterOptions::default(),
            explicit: false,
            open: None,
        }
    }

    /// One that a server counts.
    pub(super) fn counted(stream: Stream, open: Open) -> Self {
        Self {
            open: Some(open),
            ..Self::new(stream)
        }
    }

    /// The explicit form: an adapter that tries once, and then again whenever it is told at `ReadReady` or `SendReady`. It
    /// asks for that at `_selectorSignal`, which is linked to `selector`: the service of a
    /// [`Selector`](crate::Selector), or of whoever takes its place.
    ///
    /// # Errors
    /// As [`Service::link`].
    pub fn with_selector(stream: Stream, selector: &Service<SelectorRequest>) -> Result<Self, LinkError> {
        let adapter = Self::explicit(stream);
        selector.link(&adapter.selector_signal)?;
        Ok(adapter)
    }

    /// The explicit form, with everything still to be linked.
    pub fn explicit(stream: Stream) -> Self {
        Self {
            explicit: true,
            ..Self::new(stream)
        }
    }

    /// Sets how the connection is run.
    #[must_use]
    pub fn options(mut self, options: AdapterOptions) -> Self {
        self.options = options;
        self
    }

    /// Our end of the connection.
    pub fn local(&self) -> &Endpoint {
        self.stream.local()
    }

    /// The other end.
    pub fn peer(&self) -> &Endpoint {
        self.stream.peer()
    }
}

impl HasInbox for ConnectedSocketAdapter {
    type In = Bytes;

    fn inbox(&self) -> &Inbox<Bytes> {
        &self.inbox
    }
}

impl HasOutbox for ConnectedSocketAdapter {
    type Out = Bytes;

    fn outbox(&self) -> &Outbox<Bytes> {
        &self.outbox
    }
}

impl Component for ConnectedSocketAdapter {
    fn main(self, context: Context) -> impl Future<Output = Outcome> + Send {
        let ports = Ports {
            inbox: self.inbox,
            control: self.control,
            outbox: self.outbox.into_sink(),
            #[cfg(feature = "tls")]
            makessl: self.makessl,
            #[cfg(feature = "tls")]
            sslready: self.sslready,
            ready: self.explicit.then(|| Box::new((self.read_ready, self.send_ready))),
        };
        let selector = self.explicit.then_some(self.selector_signal);
        let (mut feedback, open) = (self.creator_feedback, self.open);
        let mut connection = Connection::new(self.stream, ports, self.options, selector, context);
        // Not an async function, which would hold all of it twice.
        async move {
            let end = poll_fn(|cx| connection.poll(cx)).await;
            // A box of signals takes everything.
            let _ = feedback.try_send(end.signal(connection.context().name()));
            connection.say_shut_down(&end);
            drop(open);
            Ok(())
        }
    }
}

impl fmt::Debug for ConnectedSocketAdapter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectedSocketAdapter")
            .field("stream", &self.stream)
            .field("options", &self.options)
            .field("explicit", &self.explicit)
            .finish_non_exhaustive()
    }
}
