//! A controller that is only a queue, and what tests do with it.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use net_core::{Endpoint, Net, Stream};
use statechart_bridge::socket::{
    SOCKET_IN, SOCKET_OUT, SocketError, SocketHandle, SocketService, SocketServiceBuilder,
};
use statechart_bridge::{Controller, Event, Hold, InputError, InstanceId, Output, OutputListener, Value};
use tokio::sync::Notify;

use crate::backend;

/// The instance that raises what tests raise.
pub(crate) const ME: InstanceId = InstanceId::new(1);

/// Takes events in, and gives raised ones to the listeners.
#[derive(Default)]
pub(crate) struct Queue {
    listeners: Mutex<Vec<Arc<dyn OutputListener>>>,
    events: Mutex<VecDeque<(Event, Option<InstanceId>)>>,
    /// Refuses events beyond this many, if it is not 0.
    pub(crate) limit: AtomicUsize,
    pub(crate) started: AtomicBool,
    pub(crate) stopped: AtomicBool,
    pub(crate) holds: Arc<AtomicUsize>,
    came: Notify,
}

impl Controller for Queue {
    fn add_input(&self, event: Event, to: Option<InstanceId>) -> Result<(), InputError> {
        if self.stopped.load(Ordering::Relaxed) {
            return Err(InputError::Stopped);
        }
        let mut events = self.events.lock().unwrap();
        let limit = self.limit.load(Ordering::Relaxed);
        if limit > 0 && events.len() >= limit {
            return Err(InputError::Full { limit });
        }
        assert_eq!(&**event.port(), SOCKET_IN);
        events.push_back((event, to));
        drop(events);
        self.came.notify_one();
        Ok(())
    }

    fn add_output_listener(&self, ports: &[&str], listener: Arc<dyn OutputListener>) {
        assert_eq!(ports, [SOCKET_OUT]);
        self.listeners.lock().unwrap().push(listener);
    }

    fn is_started(&self) -> bool {
        self.started.load(Ordering::Relaxed)
    }

    fn hold(&self) -> Hold {
        Hold::new(Arc::clone(&self.holds), || {})
    }
}

impl Queue {
    /// Raises an event on `socket_out`, as this instance.
    pub(crate) fn raise_as(&self, source: InstanceId, name: &str, parameters: impl IntoIterator<Item = Value>) {
        let output = Output {
            event: Event::new(name).on(SOCKET_OUT).with(parameters),
            source,
            time: Duration::ZERO,
        };
        let listeners = self.listeners.lock().unwrap().clone();
        listeners.iter().for_each(|listener| listener.output(&output));
    }

    /// The next event, and to whom it goes.
    pub(crate) async fn next_to(&self) -> (Event, Option<InstanceId>) {
        loop {
            if let Some(event) = self.try_next() {
                return event;
            }
            self.came.notified().await;
        }
    }

    pub(crate) fn try_next(&self) -> Option<(Event, Option<InstanceId>)> {
        self.events.lock().unwrap().pop_front()
    }

    pub(crate) fn waiting(&self) -> usize {
        self.events.lock().unwrap().len()
    }
}

/// A booted service on a queue.
pub(crate) struct Rig {
    pub(crate) net: Net,
    pub(crate) queue: Arc<Queue>,
    pub(crate) service: SocketService,
}

impl Rig {
    pub(crate) fn new() -> Self {
        Self::with(SocketServiceBuilder::new())
    }

    pub(crate) fn with(builder: SocketServiceBuilder) -> Self {
        Self::on(backend::net(), builder)
    }

    pub(crate) fn on(net: Net, builder: SocketServiceBuilder) -> Self {
        let queue = Arc::new(Queue::default());
        let service = builder.boot(&queue, &net).expect("a service");
        Self { net, queue, service }
    }

    pub(crate) fn raise(&self, name: &str, parameters: impl IntoIterator<Item = Value>) {
        self.queue.raise_as(ME, name, parameters);
    }

    pub(crate) async fn next(&self) -> Event {
        self.queue.next_to().await.0
    }

    /// The next event, which must have this name and be about this socket.
    pub(crate) async fn expect(&self, name: &str, socket: &Value) -> Event {
        let event = self.next().await;
        assert_eq!(&**event.name(), name, "{event}");
        assert_eq!(event.parameter(0), socket, "{event}");
        event
    }

    /// The next event, which must be an error of this kind and operation.
    pub(crate) async fn expect_error(&self, socket: &Value, kind: &str, op: &str) -> SocketError {
        let event = self.expect("error_socket", socket).await;
        error(&event, kind, op)
    }

    pub(crate) async fn expect_unknown_error(&self, socket: &Value, kind: &str, op: &str) -> SocketError {
        let event = self.expect("unknown_error_socket", socket).await;
        error(&event, kind, op)
    }

    pub(crate) async fn create(&self) -> Value {
        self.raise("create_socket", []);
        let event = self.next().await;
        assert_eq!(&**event.name(), "created_socket", "{event}");
        assert_eq!(event.parameters().len(), 1);
        assert!(SocketHandle::from_value(event.parameter(0)).is_some());
        event.parameter(0).clone()
    }

    /// A listening socket, and its port.
    pub(crate) async fn listen(&self) -> (Value, u16) {
        let server = self.create().await;
        self.raise("bind_socket", [server.clone(), ("127.0.0.1", 0).into()]);
        self.raise("listen_socket", [server.clone()]);
        let bound = self.expect("bound_socket", &server).await;
        self.expect("listened_socket", &server).await;
        let port = bound.parameter(1).as_int().expect("a port");
        (server, u16::try_from(port).expect("a port"))
    }

    pub(crate) async fn connect(&self, port: u16) -> Stream {
        let at = endpoint(port);
        self.net.connect(&at).await.expect("a connection")
    }

    /// A connection of the service, and its other end.
    pub(crate) async fn connection(&self) -> (Value, Stream) {
        let (server, port) = self.listen().await;
        self.raise("accept_socket", [server.clone()]);
        let peer = self.connect(port).await;
        let accepted = self.expect("accepted_socket", &server).await;
        self.raise("close_socket", [server.clone()]);
        self.expect("closed_socket", &server).await;
        (accepted.parameter(1).clone(), peer)
    }
}

pub(crate) fn endpoint(port: u16) -> Endpoint {
    format!("tcp://127.0.0.1:{port}").parse().expect("an endpoint")
}

pub(crate) fn error(event: &Event, kind: &str, op: &str) -> SocketError {
    let error = SocketError::from_value(event.parameter(1)).expect("an error map");
    assert_eq!((&*error.kind, &*error.op), (kind, op), "{error}");
    assert_eq!(event.parameter(2).as_str(), Some(kind));
    assert!(!error.message.is_empty());
    error
}
