//! The HTTP echo models, server and client, on real and simulated networks.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use net_core::{Net, Stream};
use statechart_bridge::socket::{SocketService, boot_translation_service};
use statechart_bridge::{Document, Runtime, Value};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::backend::{net, on_each_backend, where_nothing_is_lost};
use crate::http_echo_chart;
use crate::rig::endpoint;

on_each_backend!(
    many_clients_are_not_mixed_up,
    a_client_that_closes_its_side_at_once_is_answered
);
where_nothing_is_lost!(
    a_thousand_clients_at_once_lose_nothing,
    a_thousand_clients_of_the_server_built_in_rust_lose_nothing,
    rude_clients_leave_nothing_behind,
    rude_clients_of_the_server_built_in_rust_leave_nothing_behind,
);

/// The client asks once a second.
mod in_virtual_time {
    use crate::backend::on_backend;
    on_backend!(virtual_network VirtualNetwork, the_client_prints_the_counter_and_the_replies);
    on_backend!(bad_link BadLink, the_client_prints_the_counter_and_the_replies);
}

/// A model that runs with the socket service.
pub(crate) struct Model {
    pub(crate) runtime: Runtime,
    pub(crate) service: SocketService,
    printed: UnboundedReceiver<String>,
    faults: Arc<Mutex<Vec<String>>>,
}

impl Model {
    fn start(net: &Net, file: &str, arguments: &[(&str, &str)]) -> Self {
        let document = Document::open(format!("{}/models/{file}", env!("CARGO_MANIFEST_DIR"))).unwrap();
        let arguments = document.arguments(arguments.iter().copied()).unwrap();
        Self::run(net, document.model(), arguments)
    }

    fn run(net: &Net, model: &statechart_bridge::Model, arguments: Vec<Value>) -> Self {
        let (print, printed) = unbounded_channel();
        let faults = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::clone(&faults);
        let runtime = Runtime::builder(model, net)
            .arguments(arguments)
            .on_log(move |line| drop(print.send(line.text.to_string())))
            .on_fault(move |fault| told.lock().unwrap().push(fault.to_string()))
            .build()
            .unwrap();
        let service = boot_translation_service(&runtime, net).unwrap();
        runtime.start().unwrap();
        Self {
            runtime,
            service,
            printed,
            faults,
        }
    }

    async fn line(&mut self) -> String {
        self.printed.recv().await.expect("a line")
    }

    /// The echo server on a free port, which it prints.
    pub(crate) async fn server(net: &Net) -> (Self, u16) {
        let server = Self::start(net, "http_echo_server.xml", &[("address", "127.0.0.1"), ("port", "0")]);
        server.listening().await
    }

    /// The same server, built in Rust.
    async fn built(net: &Net) -> (Self, u16) {
        let model = http_echo_chart::model().unwrap();
        Self::run(net, &model, vec!["127.0.0.1".into(), 0.into()])
            .listening()
            .await
    }

    async fn listening(mut self) -> (Self, u16) {
        let line = self.line().await;
        let port = line
            .strip_prefix("listening on port ")
            .and_then(|port| port.parse().ok());
        (self, port.unwrap_or_else(|| panic!("{line}")))
    }

    /// When no connection is left: no socket, and no instance for one.
    pub(crate) async fn is_alone(&self, net: &Net) {
        // The last commands of a connection follow what its client saw.
        let left = || {
            let instances = self.runtime.with_engine(|engine| engine.instances().count());
            (self.service.open_sockets(), instances)
        };
        let is_alone = async {
            while !matches!(left(), (..=1, ..=2)) {
                net.sleep(Duration::from_millis(1)).await;
            }
        };
        if net.timeout(Duration::from_secs(60), is_alone).await.is_err() {
            let (sockets, instances) = left();
            panic!("after a minute {sockets} sockets are open, expected 1, and {instances} instances live, expected 2");
        }
        assert_eq!(*self.faults.lock().unwrap(), Vec::<String>::new());
    }
}

/// One request on a connection, and the body that comes back.
pub(crate) async fn post(stream: &mut Stream, body: &str) -> String {
    let request = format!(
        "POST / HTTP/1.1\r\nHost: here\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    response(stream, body.len()).await
}

/// A response with a body of this length.
async fn response(stream: &mut Stream, length: usize) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    let head = String::from_utf8(head).unwrap();
    assert!(head.starts_with("HTTP/1.0 200 OK\r\n"), "{head}");
    assert!(head.contains(&format!("\r\nContent-Length: {length}\r\n")), "{head}");
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.unwrap();
    String::from_utf8(body).unwrap()
}

async fn the_client_prints_the_counter_and_the_replies() {
    let net = net();
    let (mut server, port) = Model::server(&net).await;
    let port = port.to_string();
    let mut client = Model::start(
        &net,
        "http_echo_client.xml",
        &[("address", "127.0.0.1"), ("port", &port)],
    );
    for number in 0..20 {
        assert_eq!(client.line().await, format!("Sending request: {number}"));
        assert_eq!(server.line().await, format!("Echo: {number}"));
        assert_eq!(client.line().await, format!("Got response: {number}"));
    }
    // The server goes, and the client tells it.
    server.runtime.stop();
    loop {
        let line = client.line().await;
        if line.starts_with("The connection failed:") {
            break;
        }
        assert!(line.starts_with("Sending request:"), "{line}");
    }
    client.runtime.stop();
    client.runtime.ended().await;
}

async fn many_clients_are_not_mixed_up() {
    let net = net();
    let (server, port) = Model::server(&net).await;
    let clients: Vec<_> = (0..20)
        .map(|number| {
            let clock = net.clone();
            let client = async move {
                let mut stream = clock.connect(&endpoint(port)).await.unwrap();
                for round in 0..5 {
                    let body = format!("{number}/{round} ").repeat(1 + 200 * round);
                    assert_eq!(post(&mut stream, &body).await, body);
                }
            };
            net.spawn(client).unwrap()
        })
        .collect();
    for client in clients {
        client.await.unwrap();
    }
    server.is_alone(&net).await;
}

async fn a_client_that_closes_its_side_at_once_is_answered() {
    let net = net();
    let (server, port) = Model::server(&net).await;
    let mut stream = net.connect(&endpoint(port)).await.unwrap();
    // Two requests in one piece; the second has no length, so that the end of the data is its end.
    let requests = "POST / HTTP/1.0\r\nContent-Length: 3\r\n\r\nonePOST / HTTP/1.0\r\n\r\nand two";
    stream.write_all(requests.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    assert_eq!(response(&mut stream, 3).await, "one");
    assert_eq!(response(&mut stream, 7).await, "and two");
    assert_eq!(stream.read(&mut [0; 8]).await.unwrap(), 0);
    server.is_alone(&net).await;
}

/// All are connected before the first sends anything.
async fn a_thousand_clients_at_once_lose_nothing() {
    let net = net();
    let (server, port) = Model::server(&net).await;
    a_thousand_clients(&net, server, port).await;
}

async fn a_thousand_clients_of_the_server_built_in_rust_lose_nothing() {
    let net = net();
    let (server, port) = Model::built(&net).await;
    a_thousand_clients(&net, server, port).await;
}

async fn a_thousand_clients(net: &Net, server: Model, port: u16) {
    const CLIENTS: usize = 1000;
    let all_there = Arc::new(tokio::sync::Semaphore::new(0));
    let connected = Arc::new(tokio::sync::Semaphore::new(0));
    let clients: Vec<_> = (0..CLIENTS)
        .map(|number| {
            let (clock, connected, all_there) = (net.clone(), Arc::clone(&connected), Arc::clone(&all_there));
            let client = async move {
                let mut stream = clock.connect(&endpoint(port)).await.unwrap();
                connected.add_permits(1);
                let _go = all_there.acquire().await.unwrap();
                let body = format!("client {number}");
                assert_eq!(post(&mut stream, &body).await, body);
            };
            net.spawn(client).unwrap()
        })
        .collect();
    let count = u32::try_from(CLIENTS).unwrap();
    let _all = connected.acquire_many(count).await.unwrap();
    all_there.add_permits(CLIENTS);
    for client in clients {
        client.await.unwrap();
    }
    server.is_alone(net).await;
}

async fn rude_clients_leave_nothing_behind() {
    let net = net();
    let (server, port) = Model::server(&net).await;
    rude_clients(&net, server, port).await;
}

async fn rude_clients_of_the_server_built_in_rust_leave_nothing_behind() {
    let net = net();
    let (server, port) = Model::built(&net).await;
    rude_clients(&net, server, port).await;
}

async fn rude_clients(net: &Net, server: Model, port: u16) {
    for (said, answer) in [
        ("", ""),
        ("GET", ""),
        ("POST / HTTP/1.0\r\nContent-Length: 10\r\n\r\nhalf", ""),
        ("GET / HTTP/1.0\r\n\r\n", "HTTP/1.0 405 "),
        ("POST / HTTP/1.0\r\nContent-Length: ten\r\n\r\n", "HTTP/1.0 400 "),
        ("nonsense\r\n\r\n", "HTTP/1.0 400 "),
        ("POST / HTTP/1.0\r\nContent-Length: 99999999\r\n\r\n", "HTTP/1.0 413 "),
    ] {
        let mut stream = net.connect(&endpoint(port)).await.unwrap();
        stream.write_all(said.as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut all = String::new();
        stream.read_to_string(&mut all).await.unwrap();
        assert!(
            all.starts_with(answer) && all.is_empty() == answer.is_empty(),
            "{said:?}: {all:?}"
        );
    }
    for said in ["", "POST / HT", "POST / HTTP/1.0\r\nContent-Length: 3\r\n\r\none"] {
        let mut stream = net.connect(&endpoint(port)).await.unwrap();
        stream.write_all(said.as_bytes()).await.unwrap();
        stream.reset();
    }
    server.is_alone(net).await;
    let mut stream = net.connect(&endpoint(port)).await.unwrap();
    assert_eq!(post(&mut stream, "all the same").await, "all the same");
}
