//! What a component that does nothing weighs, and what a connection does.

mod common;

use std::sync::mpsc;

use allocation_counter::{AllocationInfo, measure};
use common::system;
use components::util::EchoProtocol;
use components::{Active, Context, Inbox, Net, Outbox, SimpleServer, System, from_fn};

/// Components that are started, and all wait for a message that does not come.
const MANY: u64 = 1000;

fn start(system: &System) -> Active {
    let echo = from_fn(
        "Echo",
        |mut inbox: Inbox<u64>, mut outbox: Outbox<u64>, _: Context| async move {
            while let Some(message) = inbox.recv().await {
                outbox.send(message).await?;
            }
            Ok(())
        },
    );
    system.activate(echo).unwrap()
}

#[test]
fn an_idle_component_takes_two_kilobytes_and_gives_them_back() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let system = system();
    let round = || {
        let mut active = Vec::with_capacity(MANY as usize);
        let kept = measure(|| {
            runtime.block_on(async {
                active.extend((0..MANY).map(|_| start(&system)));
                // All of them run, and wait.
                for _ in 0..100 {
                    tokio::task::yield_now().await;
                }
            });
        });
        let back = measure(|| {
            runtime.block_on(async {
                for one in active {
                    one.stop();
                    one.await;
                }
            });
        });
        (kept, back)
    };
    // Queues of the runtime that grow once.
    round();
    let (kept, back) = round();
    let (bytes, blocks) = (kept.bytes_current / MANY as i64, kept.count_current / MANY as i64);
    assert!(bytes <= 2048 && blocks <= 16, "{bytes} bytes in {blocks} blocks");
    println!("{bytes} bytes in {blocks} blocks");
    let left = kept.bytes_current + back.bytes_current;
    assert!(left < 10_000, "{left} bytes are left of {MANY}");
}

/// Connections that have echoed something once, and wait.
const CONNECTIONS: usize = 200;

/// Many clients, one after another, each of which has one message echoed. They live in the calling thread, whose memory is
/// not counted.
#[allow(
    clippy::disallowed_types,
    reason = "what counts is the server's memory, in another thread"
)]
fn clients(at: std::net::SocketAddr, count: usize) -> Vec<std::net::TcpStream> {
    use std::io::{Read, Write};
    let connect = |_| {
        let mut stream = std::net::TcpStream::connect(at).unwrap();
        stream.write_all(b"once").unwrap();
        stream.read_exact(&mut [0; 4]).unwrap();
        stream
    };
    (0..count).map(connect).collect()
}

#[test]
fn an_idle_connection_with_its_handler_takes_six_kilobytes() {
    let (address, listening) = mpsc::channel();
    let (go_on, mut told) = tokio::sync::mpsc::channel::<mpsc::Sender<AllocationInfo>>(1);
    let server = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let (runtime, system) = (runtime.unwrap(), System::new(&Net::os()));
        let any = "tcp://127.0.0.1:0".parse().unwrap();
        let server = runtime
            .block_on(SimpleServer::bind(&system, &any, EchoProtocol::new))
            .unwrap();
        address.send(server.local().socket_addr().unwrap()).unwrap();
        let server = runtime.block_on(async { system.activate(server) }).unwrap();
        // What was allocated since somebody asked last.
        loop {
            let mut asked = None;
            let since = measure(|| asked = runtime.block_on(told.recv()));
            match asked {
                Some(answer) => answer.send(since).unwrap(),
                None => break,
            }
        }
        server.finish();
        let end = runtime.block_on(server.into_future());
        assert!(end.reason.is_clean(), "{end}");
        system.counts()
    });
    let at = listening.recv().unwrap();
    let since_last = || {
        let (answer, answered) = mpsc::channel();
        go_on.blocking_send(answer).unwrap();
        answered.recv().unwrap()
    };
    // Everything that grows once does so now.
    let mut all = clients(at, CONNECTIONS);
    since_last();
    all.extend(clients(at, CONNECTIONS));
    let kept = since_last();
    let connections = CONNECTIONS as i64;
    let (bytes, blocks) = (kept.bytes_current / connections, kept.count_current / connections);
    println!("{bytes} bytes in {blocks} blocks");
    assert!(bytes <= 6 * 1024, "{bytes} bytes in {blocks} blocks");
    drop(all);
    drop(go_on);
    let counts = server.join().unwrap();
    assert_eq!(counts.started, counts.ended);
    assert_eq!(counts.started, 2 + 2 * 2 * CONNECTIONS as u64);
}
