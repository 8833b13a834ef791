//! Servers for protocols: a handler for each connection.

use std::any::Any;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use bytes::Bytes;
use net_core::{BindOptions, Endpoint, Result, catch_panic_in};

use super::adapter::ConnectedSocketAdapter;
use super::options::AdapterOptions;
use super::tcp_server::{HandlerSignal, TcpServer};
use crate::boxes::{Direction, Node};
use crate::component::Prepared;
use crate::{Active, Component, Context, Failure, HasInbox, HasOutbox, Inbox, Outbox, Outcome, Signal, System, link};

/// Whom a protocol handler is made for.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Connected {
    /// The client.
    pub peer: Endpoint,
    /// Our end.
    pub local: Endpoint,
}

/// A server: makes a component, the protocol handler, for each connection, and links the two.
///
/// The handler gets the client's bytes at its `inbox`, and what it sends by its `outbox` goes to the client. When it ends, in
/// whatever way, what it has sent is delivered, and the connection is closed. When the client has ended its side, the handler
/// gets a [`ProducerFinished`](Signal::ProducerFinished) at its `control`, after everything that the client sent; the way to
/// the client stays open until the handler ends too.
///
/// Boxes of a handler that have one of these names, and the right type of messages, are linked too: the outboxes `makessl`
/// (to the connection's) and `serversignal` (to the server's own `control`), and the inbox `sslready`.
///
/// After a [`ProducerFinished`](Signal::ProducerFinished) the server accepts nothing more, has its handlers finish what they
/// were sent, and ends with the last connection. After a [`ShutdownMicroprocess`](Signal::ShutdownMicroprocess) all ends at
/// once. A handler that fails or panics ends its own connection only.
#[doc(alias = "MoreComplexServer")]
pub struct ServerCore<F> {
    /// Tells it to end.
    pub control: Inbox<Signal>,
    /// What the listening component tells.
    pub socket_activity: Inbox<HandlerSignal>,
    /// Leads to the listening component.
    pub server_signal: Outbox<Signal>,
    /// Tells how the server ended, and meanwhile of connections that got no handler.
    pub signal: Outbox<Signal>,
    server: TcpServer,
    protocol: F,
}

boxes!(ServerCore<F> as "ServerCore" => {
    inbox control: "control", "Tells it to end: with the last connection, or at once.";
    inbox socket_activity: "_socketactivity", "What the listening component tells.";
    outbox server_signal: "_serversignal", "Leads to the listening component.";
    outbox signal: "signal", "Tells how the server ended.";
});

impl<F> ServerCore<F> {
    /// Listens at an endpoint (`tcp://`, `tls://`, `unix:` or `mem:`). `protocol` makes the handler of a connection: a component
    /// with an `inbox` and an `outbox` of [`Bytes`], also if it uses only one of them. A source such as
    /// [`from_iter`](crate::from_iter), which has no inbox, is none; [`from_fn`](crate::from_fn) gives one that only sends both
    /// boxes.
    ///
    /// # Errors
    /// As [`Net::bind`](net_core::Net::bind): the port is in use, for example.
    pub async fn bind<C>(system: &System, at: &Endpoint, protocol: F) -> Result<Self>
    where
        F: FnMut(&Connected) -> C + Send + 'static,
        C: Component + HasInbox<In = Bytes> + HasOutbox<Out = Bytes>,
    {
        Ok(Self::on(TcpServer::bind(system, at).await?, protocol))
    }

    /// A server on a component that listens already: with options of its own, for example.
    pub fn on<C>(server: TcpServer, protocol: F) -> Self
    where
        F: FnMut(&Connected) -> C + Send + 'static,
        C: Component + HasInbox<In = Bytes> + HasOutbox<Out = Bytes>,
    {
        Self {
            control: Inbox::new(),
            socket_activity: Inbox::new(),
            server_signal: Outbox::new(),
            signal: Outbox::new(),
            server,
            protocol,
        }
    }

    /// Sets how its connections are run.
    #[must_use]
    pub fn options(mut self, options: AdapterOptions) -> Self {
        self.server = self.server.options(options);
        self
    }

    /// Where it listens, with the real port.
    pub fn local(&self) -> &Endpoint {
        self.server.local()
    }
}

impl<F> fmt::Debug for ServerCore<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerCore")
            .field("server", &self.server)
            .finish_non_exhaustive()
    }
}

/// [`ServerCore`] for handlers that need not know whom they serve.
///
/// ```
/// use components::{Net, SimpleServer, System, map};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let system = System::new(&Net::os());
/// let server = SimpleServer::bind(&system, &"tcp://127.0.0.1:0".parse()?, || map(|bytes| bytes)).await?;
/// println!("listening on {}", server.local());
/// let server = system.activate(server)?;
/// server.finish(); // or: let it run
/// server.await;
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct SimpleServer;

impl SimpleServer {
    /// Listens at an endpoint. `protocol` makes the handler of a connection, with an `inbox` and an `outbox` of [`Bytes`]: see
    /// [`ServerCore::bind`].
    ///
    /// # Errors
    /// As [`ServerCore::bind`].
    pub async fn bind<C, P>(
        system: &System,
        at: &Endpoint,
        mut protocol: P,
    ) -> Result<ServerCore<impl FnMut(&Connected) -> C + Send + 'static + use<C, P>>>
    where
        P: FnMut() -> C + Send + 'static,
        C: Component + HasInbox<In = Bytes> + HasOutbox<Out = Bytes>,
    {
        ServerCore::bind(system, at, move |_: &Connected| protocol()).await
    }
}

/// A [`SimpleServer`] that gets its port back at once after a restart: with `SO_REUSEADDR`, which others here have too unless
/// they are told otherwise.
#[derive(Clone, Copy, Debug)]
pub struct FastRestartServer;

impl FastRestartServer {
    /// Listens at an endpoint. `protocol` makes the handler of a connection, with an `inbox` and an `outbox` of [`Bytes`]: see
    /// [`ServerCore::bind`].
    ///
    /// # Errors
    /// As [`ServerCore::bind`].
    pub async fn bind<C, P>(
        system: &System,
        at: &Endpoint,
        mut protocol: P,
    ) -> Result<ServerCore<impl FnMut(&Connected) -> C + Send + 'static + use<C, P>>>
    where
        P: FnMut() -> C + Send + 'static,
        C: Component + HasInbox<In = Bytes> + HasOutbox<Out = Bytes>,
    {
        let mut options = BindOptions::default();
        options.socket.reuse_address = true;
        let server = TcpServer::bind_with(system, at, &options).await?;
        Ok(ServerCore::on(server, move |_: &Connected| protocol()))
    }
}

enum Happened {
    Told(Signal),
    Activity(HandlerSignal),
    /// The listening component has ended.
    Deaf(Option<Failure>),
}

/// Adapters and handlers that were started. Those that have ended go when there are twice as many as last time.
#[derive(Default)]
struct Children {
    all: Vec<Active>,
    look_at: usize,
}

impl Children {
    fn add(&mut self, child: Active) {
        if self.all.len() >= self.look_at {
            self.all.retain(|child| child.end().is_none());
            self.look_at = (2 * self.all.len()).max(64);
        }
        self.all.push(child);
    }

    /// Tells handlers to end. Adapters follow theirs, and are told only if all is to end at once.
    fn end(&self, handlers: &Self, signal: &Signal) {
        let adapters = self.all.iter().filter(|_| signal.is_shutdown());
        for child in adapters.chain(&handlers.all) {
            child.tell(signal.clone());
        }
    }
}

impl<F, C> Component for ServerCore<F>
where
    F: FnMut(&Connected) -> C + Send + 'static,
    C: Component + HasInbox<In = Bytes> + HasOutbox<Out = Bytes>,
{
    async fn main(mut self, mut context: Context) -> Outcome {
        link(&self.server_signal, &self.server.control)?;
        link(&self.server.protocol_handler_signal, &self.socket_activity)?;
        let listening = context.spawn(self.server)?;
        let mut deaf = Box::pin(listening.into_future());
        let (mut adapters, mut handlers) = (Children::default(), Children::default());
        let mut ending: Option<Signal> = None;
        let failure = loop {
            let happened = poll_fn(|cx| {
                if let Poll::Ready(Some(signal)) = self.control.poll_alone(cx) {
                    return Poll::Ready(Happened::Told(signal));
                }
                if let Poll::Ready(Some(activity)) = self.socket_activity.poll_recv(cx) {
                    return Poll::Ready(Happened::Activity(activity));
                }
                let ended = Pin::new(&mut deaf).poll(cx);
                ended.map(|end| Happened::Deaf(end.reason.failure().cloned()))
            })
            .await;
            match happened {
                Happened::Told(signal) if signal.is_end() => {
                    // A box of signals takes everything.
                    let _ = self.server_signal.try_send(signal.clone());
                    adapters.end(&handlers, &signal);
                    if signal.is_shutdown() {
                        context.signal(signal.clone());
                    }
                    ending = Some(signal);
                }
                Happened::Told(_) | Happened::Activity(HandlerSignal::ShutdownCsa(_)) => {}
                Happened::Activity(HandlerSignal::NewCsa(adapter)) => {
                    match serve(*adapter, &mut self.protocol, &context) {
                        Ok((adapter, handler)) => {
                            if let Some(signal) = &ending {
                                handler.tell(signal.clone());
                            }
                            adapters.add(adapter);
                            handlers.add(handler);
                        }
                        Err(error) => context.signal(Signal::ErrorInformation {
                            caller: Arc::clone(context.name()),
                            error,
                        }),
                    }
                }
                Happened::Deaf(failure) => break failure,
            }
        };
        if failure.is_some() {
            adapters.end(&handlers, &Signal::producer_finished());
        }
        let last = (adapters.all.iter().chain(&handlers.all)).cloned().collect::<Vec<_>>();
        let mut gone = Box::pin(async move {
            for child in last {
                child.await;
            }
        });
        poll_fn(|cx| {
            while let Poll::Ready(Some(signal)) = self.control.poll_alone(cx) {
                if signal.is_shutdown() {
                    adapters.end(&handlers, &signal);
                    context.signal(signal);
                }
            }
            gone.as_mut().poll(cx)
        })
        .await;
        failure.map_or(Ok(()), Err)
    }
}

/// Makes the handler, links and starts the two.
fn serve<C>(
    adapter: ConnectedSocketAdapter,
    protocol: &mut impl FnMut(&Connected) -> C,
    context: &Context,
) -> std::result::Result<(Active, Active), Failure>
where
    C: Component + HasInbox<In = Bytes> + HasOutbox<Out = Bytes>,
{
    let connected = Connected {
        peer: adapter.peer().clone(),
        local: adapter.local().clone(),
    };
    let handler = catch_panic_in(|| protocol(&connected)).map_err(Failure::from)?;
    link(&adapter.outbox, handler.inbox())?;
    link(handler.outbox(), &adapter.inbox)?;
    let handler = Prepared::new(handler);
    handler.signal.link(&adapter.control.node, None, false)?;
    adapter.signal.node.link(&handler.control, None, false)?;
    #[cfg(feature = "tls")]
    {
        if let Some(from) = named(&handler, Direction::Out, "makessl") {
            from.link(&adapter.makessl.node, None, false)?;
        }
        if let Some(to) = named(&handler, Direction::In, "sslready") {
            adapter.sslready.node.link(&to, None, false)?;
        }
    }
    if let Some(from) = named(&handler, Direction::Out, "serversignal") {
        context.link_to_control(&from)?;
    }
    let adapter = context.spawn(adapter)?;
    match context.launch(handler, false) {
        Ok(handler) => Ok((adapter, handler)),
        Err(error) => {
            adapter.stop();
            Err(error.into())
        }
    }
}

/// A box of a handler, if it has one of that name and type.
fn named<T: Send + 'static>(handler: &Prepared, direction: Direction, name: &str) -> Option<Arc<Node<T>>> {
    let node = handler.find("", direction, name).ok()?;
    let node: Arc<dyn Any + Send + Sync> = node.as_any();
    node.downcast().ok()
}
