//! Connecting to a server.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use net_core::{ConnectOptions, Endpoint, Stream};

use super::adapter::SEND_CAPACITY;
use super::connection::{Connection, Ports};
use super::options::AdapterOptions;
use super::socket_end::{HowDied, SocketShutdown};
#[cfg(feature = "tls")]
use super::ssl::{MakeSsl, SslReady};
use crate::{
    BoxOptions, Component, Context, Failure, HasInbox, HasOutbox, Inbox, Notify, Outbox, Outcome, ShutdownMicroprocess,
    Signal,
};

/// How long connecting may take, if nobody says otherwise: as in Kamaelia.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(60);

/// Connects to a server; then it is a connection: what comes to its inbox is sent, what is received leaves by its outbox.
///
/// ```
/// use components::{Net, SimpleServer, System, TcpClient, map};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let system = System::new(&Net::os());
/// let server = SimpleServer::bind(&system, &"tcp://127.0.0.1:0".parse()?, || map(|bytes| bytes)).await?;
/// let client = TcpClient::new(server.local().clone());
/// system.activate(server)?;
///
/// let mut client = system.activate_with_handle(client)?;
/// client.put("hello".into()).await?;
/// client.component.finish();
/// assert_eq!(client.get().await.as_deref(), Some(&b"hello"[..]));
/// assert!(client.component.clone().await.reason.is_clean());
/// # Ok(()) }
/// ```
///
/// Any endpoint with a stream will do: `tcp://`, `tls://`, `unix:`, `mem:`. What comes to the inbox before there is a
/// connection waits. The rules of a [`ConnectedSocketAdapter`](crate::ConnectedSocketAdapter) hold for its options, its
/// bounds and its end; its `signal` tells the end once, with a [`SocketShutdown`] in it.
///
/// When the server has ended its side, a client to whose boxes nothing is linked ends too, for it can only read: at the head of
/// a pipeline, say. One that somebody can still send by stays half open until it is told to finish;
/// [`HalfClose::Close`](crate::HalfClose::Close) among its [`options`](Self::options) ends it in either case.
///
/// A [`ProducerFinished`](Signal::ProducerFinished) that comes while it connects does not stop it: what waits is sent first.
/// A [`ShutdownMicroprocess`](Signal::ShutdownMicroprocess) does. If it can't connect, if the connection breaks, or if
/// something was lost, the component fails, with a [`SocketShutdown`] as the cause; so
/// [`supervise`](crate::supervise) connects anew, with pauses that grow.
#[doc(alias = "TCPClient")]
#[derive(Debug)]
pub struct TcpClient {
    /// Bytes to be sent; 16 messages wait.
    pub inbox: Inbox<Bytes>,
    /// Tells it to end.
    pub control: Inbox<Signal>,
    /// Has the connection encrypted from here on.
    #[cfg(feature = "tls")]
    pub makessl: Inbox<MakeSsl>,
    /// Bytes received.
    pub outbox: Outbox<Bytes>,
    /// Tells how the connection ended.
    pub signal: Outbox<Signal>,
    /// Tells how the handshake went.
    #[cfg(feature = "tls")]
    pub sslready: Outbox<SslReady>,
    to: Endpoint,
    delay: Duration,
    connect: ConnectOptions,
    adapter: AdapterOptions,
    wait_for_serverclose: bool,
}

boxes!(TcpClient as "TCPClient" => {
    inbox inbox: "inbox", "Bytes to be sent.";
    inbox control: "control", "Tells it to end: when everything is sent, or at once.";
    #[cfg(feature = "tls")]
    inbox makessl: "makessl", "Has the connection encrypted from here on.";
    outbox outbox: "outbox", "Bytes received.";
    outbox signal: "signal", "Tells how the connection ended.";
    #[cfg(feature = "tls")]
    outbox sslready: "sslready", "Tells how the handshake went.";
});

impl TcpClient {
    /// A client that connects to this endpoint when it is started.
    pub fn new(to: Endpoint) -> Self {
        Self {
            inbox: Inbox::with(BoxOptions::new().capacity(SEND_CAPACITY)),
            control: Inbox::new(),
            #[cfg(feature = "tls")]
            makessl: Inbox::new(),
            outbox: Outbox::new(),
            signal: Outbox::new(),
            #[cfg(feature = "tls")]
            sslready: Outbox::new(),
            to,
            delay: Duration::ZERO,
            connect: ConnectOptions::default().timeout(CONNECT_TIMEOUT),
            adapter: AdapterOptions::default(),
            wait_for_serverclose: false,
        }
    }

    /// Waits before it connects. Default: not.
    #[must_use]
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Sets how long connecting may take. Default: 60 s.
    #[must_use]
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.connect.timeout = limit;
        self
    }

    /// Sets how it connects: the socket's options, the local address, TLS, and the time limit.
    #[must_use]
    pub fn connect_options(mut self, options: ConnectOptions) -> Self {
        self.connect = options;
        self
    }

    /// Sets how the connection is run.
    #[must_use]
    pub fn options(mut self, options: AdapterOptions) -> Self {
        self.adapter = options;
        self
    }

    /// Leaves it to the server to end: a [`ProducerFinished`](Signal::ProducerFinished) is ignored, and when the server has
    /// ended its side, what waits is sent and the client ends. Default: false.
    #[must_use]
    pub fn wait_for_serverclose(mut self, on: bool) -> Self {
        self.wait_for_serverclose = on;
        self
    }

    /// Connects, unless it is told to end at once. What else it is told meanwhile is given back.
    async fn connect(&mut self, context: &Context) -> (Result<Stream, HowDied>, Vec<Signal>) {
        let mut told = Vec::new();
        let net = context.net().clone();
        let (to, options, delay) = (&self.to, &self.connect, self.delay);
        let mut connecting = Box::pin(async move {
            if !delay.is_zero() {
                net.sleep(delay).await;
            }
            net.connect_with(to, options).await
        });
        let control = &mut self.control;
        let outcome = poll_fn(|cx| {
            while let Poll::Ready(Some(signal)) = control.poll_alone(cx) {
                if signal.is_shutdown() {
                    return Poll::Ready(Err(HowDied::Shutdown));
                }
                told.push(signal);
            }
            connecting.as_mut().poll(cx).map_err(HowDied::by)
        })
        .await;
        drop(connecting);
        (outcome, told)
    }

    /// The end of one that never had a connection.
    fn unconnected(mut self, how: HowDied) -> SocketShutdown {
        let mut unsent = 0;
        for _ in 0..self.inbox.len() {
            unsent += self.inbox.try_recv().map_or(0, |bytes| bytes.len() as u64);
        }
        SocketShutdown {
            local: None,
            peer: self.to,
            how,
            sent: 0,
            received: 0,
            unsent,
            undelivered: 0,
        }
    }
}

impl HasInbox for TcpClient {
    type In = Bytes;

    fn inbox(&self) -> &Inbox<Bytes> {
        &self.inbox
    }
}

impl HasOutbox for TcpClient {
    type Out = Bytes;

    fn outbox(&self) -> &Outbox<Bytes> {
        &self.outbox
    }
}

impl Component for TcpClient {
    async fn main(mut self, mut context: Context) -> Outcome {
        let (outcome, told) = self.connect(&context).await;
        let stream = match outcome {
            Ok(stream) => stream,
            Err(how) => {
                let end = self.unconnected(how);
                return finish(&mut context, end, false);
            }
        };
        // They end it, when what waits is sent.
        let mut to_itself = context.own_control();
        for signal in told {
            // A box of signals takes everything.
            let _ = to_itself.try_send(signal);
        }
        drop(to_itself);
        let ports = Ports {
            inbox: self.inbox,
            control: self.control,
            outbox: self.outbox.into_sink(),
            #[cfg(feature = "tls")]
            makessl: self.makessl,
            #[cfg(feature = "tls")]
            sslready: self.sslready,
            ready: None,
        };
        let mut connection = Connection::new(stream, ports, self.adapter, None, context);
        if self.wait_for_serverclose {
            connection.wait_for_peer();
        }
        let end = poll_fn(|cx| connection.poll(cx)).await;
        let told = connection.peer_has_ended();
        finish(connection.context_mut(), end, told)
    }
}

/// Says how it ended; `told`: that there is nothing more to come.
fn finish(context: &mut Context, end: SocketShutdown, told: bool) -> Outcome {
    let name = Arc::clone(context.name());
    if matches!(end.how, HowDied::Shutdown) {
        context.signal(Signal::ShutdownMicroprocess(ShutdownMicroprocess {
            message: Some(Notify::new(Arc::clone(&name), end)),
            caller: Some(name),
        }));
        return Ok(());
    }
    if end.is_clean() {
        context.signal(end.signal(&name));
        return Ok(());
    }
    if told {
        context.signal(end.signal(&name));
    }
    // Told by the component's end, unless that was told already or somebody starts it anew.
    Err(Failure::from(end))
}
