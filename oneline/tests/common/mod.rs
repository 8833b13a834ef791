//! What the tests share: servers at hand, and a client that sends raw bytes.

#![allow(dead_code, reason = "each test file uses a part of it")]

#[allow(unused_imports, unused_macros, reason = "each test file uses a part of it")]
#[path = "../../../net-core/tests/common/backend.rs"]
pub(crate) mod backend;
pub(crate) mod counting;

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use backend::{Backend, net, running_on};
use oneline::net_core::{ConnectOptions, Instant, Stream};
use oneline::{
    Client, ClientOptions, Command, End, Endpoint, Handler, HandlerError, Net, Peer, Replies, Running, Server,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Longer than anything takes, on the slowest machine.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

pub(crate) fn endpoint(text: &str) -> Endpoint {
    text.parse().unwrap()
}

/// A server as in the original's sample.
pub(crate) fn sample() -> Server {
    Server::new(async |command| match command.text() {
        "cmd01" => "ack",
        _ => "nak - unknown cmd",
    })
}

/// Answers each command with what the handler saw of it.
pub(crate) fn mirror() -> Server {
    Server::new(async |command| {
        let mark = if command.is_invalid() { "!" } else { "" };
        format!("{mark}{:?}", command.text())
    })
}

/// Where a server can be had: on a TCP port of the system's choice; in memory where time jumps past real sockets.
pub(crate) fn somewhere() -> Endpoint {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    match running_on() {
        Backend::JumpingTokio | Backend::JumpingMio => {
            endpoint(&format!("mem:somewhere-{}", COUNT.fetch_add(1, Ordering::Relaxed)))
        }
        _ => endpoint("tcp://127.0.0.1:0"),
    }
}

/// Starts it there.
pub(crate) async fn serving(server: &Server) -> (Net, Running) {
    let net = net();
    let running = server.start(&net, &somewhere()).await.unwrap();
    (net, running)
}

/// A client with time limits that no machine is too slow for.
pub(crate) async fn connect(net: &Net, endpoint: &Endpoint) -> oneline::Result<Client> {
    let connect = ConnectOptions::default().timeout(LIMIT).handshake_timeout(LIMIT);
    let options = ClientOptions::default()
        .connect(connect)
        .handshake_timeout(LIMIT)
        .reply_timeout(LIMIT);
    Client::connect_with(net, endpoint, options).await
}

/// A client that knows nothing of lines.
pub(crate) struct Raw {
    net: Net,
    stream: Stream,
    buffer: Vec<u8>,
}

impl Raw {
    pub(crate) async fn connect(net: &Net, running: &Running) -> Self {
        Self::to(net, running.endpoint()).await
    }

    pub(crate) async fn to(net: &Net, endpoint: &Endpoint) -> Self {
        Self {
            net: net.clone(),
            stream: net.connect(endpoint).await.unwrap(),
            buffer: Vec::new(),
        }
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.unwrap();
    }

    /// Closes the writing side.
    pub(crate) async fn finish(&mut self) {
        self.stream.shutdown().await.unwrap();
    }

    pub(crate) fn reset(self) {
        self.stream.reset();
    }

    /// The next line without its LF; `None` at the end of the connection, however it came.
    pub(crate) async fn line(&mut self) -> Option<String> {
        loop {
            if let Some(at) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.buffer.drain(..=at).collect();
                return Some(String::from_utf8_lossy(&line[..at]).into_owned());
            }
            let mut chunk = [0; 4096];
            let read = self.net.timeout(LIMIT, self.stream.read(&mut chunk)).await;
            match read.expect("neither a line nor an end came") {
                Ok(n) if n > 0 => self.buffer.extend_from_slice(&chunk[..n]),
                _ => return None,
            }
        }
    }

    pub(crate) async fn ask(&mut self, line: &str) -> Option<String> {
        self.send(format!("{line}\n")).await;
        self.line().await
    }

    /// Everything until the end of the connection.
    pub(crate) async fn rest(&mut self) -> String {
        let mut rest = std::mem::take(&mut self.buffer);
        let read = self.net.timeout(LIMIT, self.stream.read_to_end(&mut rest)).await;
        let _ = read.expect("the connection did not end");
        String::from_utf8_lossy(&rest).into_owned()
    }
}

/// What a [`Recorder`] has seen, over all clients.
#[derive(Clone, Default)]
pub(crate) struct Record(Arc<Mutex<Vec<String>>>);

impl Record {
    pub(crate) fn add(&self, what: impl Into<String>) {
        self.0.lock().unwrap().push(what.into());
    }

    pub(crate) fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    /// A server that writes down what happens and answers `ok`.
    pub(crate) fn server(&self) -> Server {
        let record = self.clone();
        Server::with_handler(move || Recorder(record.clone()))
    }

    /// Waits until something has been written down.
    pub(crate) async fn wait_for(&self, net: &Net, what: &str) {
        eventually(net, || self.all().iter().any(|seen| seen == what)).await;
    }
}

pub(crate) struct Recorder(Record);

impl Handler for Recorder {
    async fn command(&mut self, command: Command<'_>, replies: &mut Replies<'_>) -> Result<(), HandlerError> {
        let mark = if command.is_invalid() { "!" } else { "" };
        self.0.add(format!("{mark}{}", command.text()));
        replies.push("ok")?;
        Ok(())
    }

    fn connected(&mut self, _: &Peer) {
        self.0.add("+");
    }

    fn disconnected(&mut self, end: &End) {
        self.0.add(format!("- {end}"));
    }
}

/// Waits until something is so; fails if it never is.
pub(crate) async fn eventually(net: &Net, mut so: impl FnMut() -> bool) {
    let give_up: Instant = net.now() + LIMIT;
    while !so() {
        assert!(net.now() < give_up, "it never came to be");
        net.sleep(Duration::from_millis(2)).await;
    }
}

/// Makes a test of each function named, which waits for long, for each backend whose time jumps.
#[allow(unused_macros, reason = "each test file uses a part of it")]
macro_rules! where_time_jumps {
    ($($test:ident),+ $(,)?) => {
        mod where_time_jumps {
            $crate::common::backend::on_backend!(tokio JumpingTokio, $($test),+);
            $crate::common::backend::on_backend!(virtual_network VirtualNetwork, $($test),+);
            $crate::common::backend::on_backend!(bad_link BadLink, $($test),+);
            $crate::common::backend::on_backend!(reactor JumpingMio, $($test),+);
        }
    };
}
#[allow(unused_imports, reason = "each test file uses a part of it")]
pub(crate) use where_time_jumps;
