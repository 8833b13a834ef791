//! What the tests share: networks, pairs of connections, delegates that write down what happens, peers that send bytes.

#![allow(
    dead_code,
    unused_imports,
    unused_macros,
    reason = "each test file uses a part of it"
)]

#[path = "../../../net-core/tests/common/backend.rs"]
pub(crate) mod backend;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use hsms::net_core::{Endpoint, Net, Stream};
use hsms::{
    ActiveConnection, Connection, ConnectionOptions, Delegate, Header, Linktest, Message, PassiveConnection,
    SessionOptions, StreamFunction, Timers, frame,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Notify;

/// Longer than anything takes, on the slowest machine.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);
pub(crate) const SECOND: Duration = Duration::from_secs(1);
pub(crate) const S1F1: StreamFunction = StreamFunction::new(1, 1);
pub(crate) const S2F25: StreamFunction = StreamFunction::new(2, 25);

pub(crate) fn tcp() -> Endpoint {
    "tcp://127.0.0.1:0".parse().unwrap()
}

/// Settings with timers that no machine is too slow for, and no time between two tries to connect.
pub(crate) fn patient() -> ConnectionOptions {
    let timers = Timers::default()
        .t3(LIMIT)
        .t5(Duration::ZERO)
        .t6(LIMIT)
        .t7(LIMIT)
        .t8(LIMIT);
    ConnectionOptions::from(SessionOptions::new(0).timers(timers).linktest(None)).close_timeout(LIMIT)
}

/// Writes down what it is told, and answers with the text that came.
#[derive(Clone, Default)]
pub(crate) struct Recorder(Arc<Mutex<Vec<String>>>, Arc<Notify>);

impl Recorder {
    pub(crate) fn add(&self, what: impl Into<String>) {
        self.0.lock().unwrap().push(what.into());
        self.1.notify_waiters();
    }

    pub(crate) fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    pub(crate) fn count(&self, what: &str) -> usize {
        self.all().iter().filter(|line| *line == what).count()
    }

    /// Waits until it has written down so many lines.
    pub(crate) async fn lines(&self, net: &Net, count: usize) -> Vec<String> {
        self.until(net, || self.all().len() >= count).await;
        self.all()
    }

    /// Waits until this line is there so many times.
    pub(crate) async fn times(&self, net: &Net, what: &str, count: usize) {
        self.until(net, || self.count(what) >= count).await;
        assert_eq!(self.count(what), count, "{what}");
    }

    async fn until(&self, net: &Net, so: impl Fn() -> bool) {
        let wait = async {
            loop {
                let mut added = std::pin::pin!(self.1.notified());
                added.as_mut().enable();
                if so() {
                    return;
                }
                added.await;
            }
        };
        let waited = net.timeout(LIMIT, wait).await;
        waited.unwrap_or_else(|_| panic!("what was waited for never came: {:#?}", self.all()));
    }
}

impl Delegate for Recorder {
    async fn on_connection_established(&self, _: &Connection) {
        self.add("Connection established");
    }

    async fn on_connection_message_received(&self, connection: &Connection, message: Message) {
        self.add(format!("Packet received {message}"));
        if message.header.is_data() && message.header.w() {
            let _ = connection.reply(&message.header, message.text).await;
        }
    }

    async fn on_connection_before_closed(&self, _: &Connection) {
        self.add("Connection about to be terminated");
    }

    async fn on_connection_closed(&self, _: &Connection) {
        self.add("Connection terminated");
    }
}

/// Answers with the text that came.
#[derive(Clone, Copy, Default)]
pub(crate) struct Echo;

impl Delegate for Echo {
    async fn on_connection_message_received(&self, connection: &Connection, message: Message) {
        if message.header.w() {
            let _ = connection.reply(&message.header, message.text).await;
        }
    }
}

/// A passive connection with a delegate, and an active one that is selected.
pub(crate) async fn pair(
    net: &Net,
    options: &ConnectionOptions,
    delegate: impl Delegate,
) -> (PassiveConnection, ActiveConnection) {
    let passive = PassiveConnection::new(net, tcp(), options.clone(), delegate);
    let at = passive.enable().await.unwrap();
    let active = ActiveConnection::new(net, at, options.clone(), ());
    active.enable().unwrap();
    active.selected(LIMIT).await.unwrap();
    (passive, active)
}

/// A peer that knows nothing of sessions.
pub(crate) struct Peer {
    net: Net,
    pub(crate) stream: Stream,
}

impl Peer {
    pub(crate) async fn connect(net: &Net, to: &Endpoint) -> Self {
        Self::of(net, net.connect(to).await.unwrap())
    }

    pub(crate) fn of(net: &Net, stream: Stream) -> Self {
        Self {
            net: net.clone(),
            stream,
        }
    }

    pub(crate) async fn bytes(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    pub(crate) async fn send(&mut self, header: Header, text: &[u8]) {
        let mut bytes = Vec::new();
        frame::encode(&header, text, &mut bytes).unwrap();
        self.bytes(&bytes).await;
    }

    /// The next message; `None` at the end, however it came.
    pub(crate) async fn receive(&mut self) -> Option<Message> {
        let read = async {
            let mut length = [0; 4];
            self.stream.read_exact(&mut length).await.ok()?;
            let mut content = vec![0; u32::from_be_bytes(length) as usize];
            self.stream.read_exact(&mut content).await.ok()?;
            let (header, text) = frame::split(&content).unwrap();
            Some(Message::new(header, text.to_vec()))
        };
        let read = self.net.timeout(LIMIT * 60, read).await;
        read.expect("neither a message nor an end came")
    }

    /// Selects, and checks that it worked.
    pub(crate) async fn select(&mut self) {
        self.send(Header::select_req(Header::CONTROL, 1), &[]).await;
        let answer = self.receive().await.expect("an answer").header;
        assert_eq!((answer.s_type().into(), answer.byte3()), (2_u8, 0), "{answer}");
    }

    /// Whether it is closed from the other side now, with nothing more to read.
    pub(crate) async fn is_closed(&mut self) -> bool {
        self.receive().await.is_none()
    }
}

/// Waits until something holds of a connection, looking again at each of its events; fails if it never does.
pub(crate) async fn until(connection: &Connection, so: impl Fn(&Connection) -> bool) {
    let mut events = connection.events();
    let wait = async {
        while !so(connection) {
            let event = events.next().await;
            assert!(event.is_some() || so(connection), "{connection:?} has ended");
        }
    };
    let waited = connection.net().timeout(LIMIT, wait).await;
    waited.unwrap_or_else(|_| panic!("it never came to be: {connection:?}"));
}

/// Waits until something is so that no event tells; fails if it never is.
pub(crate) async fn eventually(net: &Net, mut so: impl FnMut() -> bool) {
    let give_up = net.now() + LIMIT;
    while !so() {
        assert!(net.now() < give_up, "it never came to be");
        net.sleep(Duration::from_millis(2)).await;
    }
}

pub(crate) fn linktest(seconds: u64) -> Linktest {
    Linktest::every(Duration::from_secs(seconds))
}
