//! A server for one client at a time, as a component with two ends.

use std::fmt;
use std::future::poll_fn;
use std::task::Poll;

use bytes::Bytes;
use net_core::{BindOptions, Endpoint, Listener, Result};

use super::adapter::SEND_CAPACITY;
use super::connection::{Connection, Ports};
use super::options::{AdapterOptions, HalfClose};
#[cfg(feature = "tls")]
use super::ssl::MakeSsl;
use crate::{BoxOptions, Component, Context, HasInbox, HasOutbox, Inbox, Outbox, Outcome, Signal, System};

/// Clients that are turned away before other tasks run.
const AT_ONCE: usize = 16;

/// Listens, and serves one client at a time through its own boxes: what comes to its inbox is sent to the client that is
/// there, what the client sends leaves by its outbox. Who comes meanwhile is accepted and turned away at once.
///
/// When the client has left, `signal` tells so as a [`ConnectedSocketAdapter`](crate::ConnectedSocketAdapter) does: a
/// [`ShutdownCsa`](crate::ShutdownCsa), and a [`ProducerFinished`](Signal::ProducerFinished) for each client; then the next
/// one may come. What comes to the inbox while there is no client waits for one. As in Kamaelia the connection is over when
/// the client has ended its side, and what waits in the inbox by then is still sent;
/// [`options`](Self::options) can change that.
///
/// After a [`ProducerFinished`](Signal::ProducerFinished) everything is sent to the client, then the server ends: if there is
/// none and something waits in the inbox, it goes on to listen, without a limit, until one has come for it. After a
/// [`ShutdownMicroprocess`](Signal::ShutdownMicroprocess) it ends at once.
#[doc(alias = "FastRestartSingleServer")]
pub struct SingleServer {
    /// Bytes to be sent; 16 messages wait.
    pub inbox: Inbox<Bytes>,
    /// Tells it to end.
    pub control: Inbox<Signal>,
    /// Bytes received.
    pub outbox: Outbox<Bytes>,
    /// Tells how each connection ended.
    pub signal: Outbox<Signal>,
    listener: Listener,
    adapter: AdapterOptions,
}

boxes!(SingleServer as "SingleServer" => {
    inbox inbox: "inbox", "Bytes to be sent to the client.";
    inbox control: "control", "Tells it to end: when everything is sent, or at once.";
    outbox outbox: "outbox", "Bytes received from the client.";
    outbox signal: "signal", "Tells how each connection ended.";
});

impl SingleServer {
    /// Listens at an endpoint: `tcp://`, `tls://`, `unix:` or `mem:`.
    ///
    /// # Errors
    /// As [`Net::bind`](net_core::Net::bind): the port is in use, for example.
    pub async fn bind(system: &System, at: &Endpoint) -> Result<Self> {
        Self::bind_with(system, at, &BindOptions::default()).await
    }

    /// Listens with options: those of the sockets, TLS.
    ///
    /// # Errors
    /// As [`bind`](Self::bind).
    pub async fn bind_with(system: &System, at: &Endpoint, options: &BindOptions) -> Result<Self> {
        Ok(Self {
            inbox: Inbox::with(BoxOptions::new().capacity(SEND_CAPACITY)),
            control: Inbox::new(),
            outbox: Outbox::new(),
            signal: Outbox::new(),
            listener: system.net().bind_with(at, options).await?,
            adapter: AdapterOptions::new().half_close(HalfClose::Close),
        })
    }

    /// Sets how its connections are run. Default: [`AdapterOptions::new`], with [`HalfClose::Close`].
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

impl HasInbox for SingleServer {
    type In = Bytes;

    fn inbox(&self) -> &Inbox<Bytes> {
        &self.inbox
    }
}

impl HasOutbox for SingleServer {
    type Out = Bytes;

    fn outbox(&self) -> &Outbox<Bytes> {
        &self.outbox
    }
}

impl Component for SingleServer {
    async fn main(self, mut context: Context) -> Outcome {
        let mut listener = self.listener;
        let mut ports = Ports {
            inbox: self.inbox,
            control: self.control,
            outbox: self.outbox.into_sink(),
            #[cfg(feature = "tls")]
            makessl: Inbox::<MakeSsl>::new(),
            #[cfg(feature = "tls")]
            sslready: Outbox::new(),
            ready: None,
        };
        loop {
            let mut finishing = false;
            let client = poll_fn(|cx| {
                while let Poll::Ready(Some(signal)) = ports.control.poll_alone(cx) {
                    if signal.is_shutdown() {
                        return Poll::Ready(Err(Some(signal)));
                    }
                    finishing |= signal.is_finished();
                }
                if finishing && ports.inbox.is_empty() {
                    return Poll::Ready(Err(None));
                }
                listener.poll_accept(cx).map(Ok)
            })
            .await;
            let stream = match client {
                Ok(stream) => stream?,
                Err(shutdown) => {
                    if let Some(signal) = shutdown {
                        context.signal(signal);
                    }
                    return Ok(());
                }
            };
            let mut connection = Connection::new(stream, ports, self.adapter, None, context);
            connection.others_follow();
            if finishing {
                connection.tell_to_finish();
            }
            let mut broken = None;
            let end = poll_fn(|cx| {
                for turn in 1..=AT_ONCE {
                    match listener.poll_accept(cx) {
                        Poll::Ready(Ok(other)) => drop(other),
                        Poll::Ready(Err(error)) => {
                            broken.get_or_insert(error);
                            break;
                        }
                        Poll::Pending => break,
                    }
                    if turn == AT_ONCE {
                        cx.waker().wake_by_ref();
                    }
                }
                connection.poll(cx)
            })
            .await;
            connection.say_shut_down(&end);
            let told = connection.was_told_to_end();
            (ports, context) = connection.take_apart();
            if let Some(error) = broken {
                return Err(error.into());
            }
            if told {
                return Ok(());
            }
        }
    }
}

impl fmt::Debug for SingleServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SingleServer")
            .field("listener", &self.listener)
            .field("adapter", &self.adapter)
            .finish_non_exhaustive()
    }
}
