//! The HTTP echo server as a program, with thousands of clients on the operating system's sockets. A process of its own,
//! so that its threads are the server's alone.
#![cfg(target_os = "linux")]

use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Arc;

use net_core::{Net, Stream};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::Barrier;

/// The workers of the server.
const WORKERS: usize = 3;
/// The main thread, which starts them, and the one that reads standard input.
const OTHERS: usize = 2;
/// Connections in all, if so many files may be open.
const CONNECTIONS: usize = 10_000;
/// Those that talk while the others do nothing.
const TALKERS: usize = 1_000;
/// Bytes of the server's memory that a connection may take, after a talk too.
const MOST_MEMORY: usize = 6_000;

/// The server's process.
struct Server {
    process: Child,
    port: u16,
    /// As long as it is open the server goes on.
    _input: ChildStdin,
}

impl Server {
    fn start() -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_statechart"))
            .args(["run", "--sockets", "-p", "address=127.0.0.1", "-p", "port=0"])
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/models/http_echo_server.xml"))
            .env("TOKIO_WORKER_THREADS", WORKERS.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program is there");
        let input = process.stdin.take().expect("a pipe");
        let mut output = BufReader::new(process.stdout.take().expect("a pipe"));
        let mut line = String::new();
        output.read_line(&mut line).expect("a line");
        let port = line
            .strip_prefix("listening on port ")
            .and_then(|port| port.trim().parse().ok())
            .unwrap_or_else(|| panic!("{line}"));
        // It prints each request, and would wait for us.
        std::thread::spawn(move || std::io::copy(&mut output, &mut std::io::sink()));
        Self {
            process,
            port,
            _input: input,
        }
    }

    /// Its resident memory, in bytes.
    fn memory(&self) -> usize {
        let file = format!("/proc/{}/smaps_rollup", self.process.id());
        let lines = std::fs::read_to_string(file).expect("it runs");
        let line = lines
            .lines()
            .find_map(|line| line.strip_prefix("Rss:"))
            .expect("the line is there");
        let kilobytes = line
            .split_whitespace()
            .next()
            .and_then(|word| word.parse::<usize>().ok());
        kilobytes.expect("a number") * 1024
    }

    /// Looks at its threads.
    fn has_few_threads(&self) {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.process.id()));
        let (threads, most) = (tasks.expect("it runs").count(), WORKERS + OTHERS);
        assert!(threads <= most, "{threads} threads, expected at most {most}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself, which the test has seen then.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// How many files a process may have open.
fn open_files() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").expect("Linux tells");
    let line = limits
        .lines()
        .find(|line| line.starts_with("Max open files"))
        .expect("the line is there");
    let word = line.split_whitespace().nth(3).unwrap_or_default();
    word.parse().unwrap_or(usize::MAX)
}

/// One request on a connection, and the answer with its body.
async fn echoes(stream: &mut Stream, body: &str) {
    let request = format!("POST / HTTP/1.1\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    stream.write_all(request.as_bytes()).await.expect("it takes a request");
    let answer = format!(
        "HTTP/1.0 200 OK\r\nContent-Length: {}\r\nContent-Type: text/plain; charset=UTF-8\r\n\r\n{body}",
        body.len()
    );
    let mut came = vec![0; answer.len()];
    stream.read_exact(&mut came).await.expect("it answers");
    assert_eq!(String::from_utf8_lossy(&came), answer);
}

#[test]
fn a_thousand_clients_talk_among_ten_thousand_and_no_thread_comes() {
    let connections = open_files().saturating_sub(100).min(CONNECTIONS);
    let talkers = connections.min(TALKERS);
    println!("{connections} connections, as the limit of open files allows, and {talkers} of them talk");
    let server = Arc::new(Server::start());
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
        .block_on(crowd(&server, connections, talkers));
}

/// All connect; some talk at once; in the end those that did nothing are served too.
async fn crowd(server: &Arc<Server>, connections: usize, talkers: usize) {
    let net = Net::os();
    let address = format!("tcp://127.0.0.1:{}", server.port).parse().expect("an endpoint");
    // What the first one brings up is not the others'.
    let mut first = net.connect(&address).await.expect("it takes connections");
    echoes(&mut first, "the first").await;
    let before = server.memory();
    let mut streams = Vec::with_capacity(connections);
    for _ in 0..connections {
        streams.push(net.connect(&address).await.expect("it takes connections"));
    }
    server.has_few_threads();
    let idle = streams.split_off(talkers);
    let ready = Arc::new(Barrier::new(talkers));
    let talks: Vec<_> = (0..)
        .zip(streams)
        .map(|(number, mut stream): (usize, _)| {
            let (server, ready) = (Arc::clone(server), Arc::clone(&ready));
            let talk = async move {
                for round in 0..3 {
                    ready.wait().await;
                    echoes(&mut stream, &format!("client {number}, round {round}")).await;
                    server.has_few_threads();
                }
                stream
            };
            net.spawn(talk).expect("a task")
        })
        .collect();
    let mut talked = Vec::with_capacity(talkers);
    for talk in talks {
        talked.push(talk.await.expect("a talk"));
    }
    for (number, mut stream) in idle.into_iter().enumerate() {
        if number % 9 == 0 {
            echoes(&mut stream, &format!("idle until now: {number}")).await;
        }
        talked.push(stream);
    }
    server.has_few_threads();
    let memory = (server.memory() - before) / connections;
    println!("{memory} bytes for each connection");
    // Of few the server's own would be a part.
    assert!(
        memory < MOST_MEMORY || connections < CONNECTIONS,
        "{memory} bytes for each connection"
    );
}
