//! What a connection costs: a server of components beside one of tokio alone, in one run.
//!
//! ```text
//! cargo run --release -p components --example connection_costs
//! ```
//!
//! Each server runs on a thread of its own, whose time on the processor is taken from Linux; its clients run on another one.
//! Memory is what the server's thread has allocated for connections that wait, without what the system holds for them.
#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "tokio alone is what it is measured against"
)]

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use components::util::EchoProtocol;
use components::{Net, SimpleServer, System};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

type Error = Box<dyn std::error::Error>;

const ROUNDS: u32 = 40_000;
const BULK: usize = 512 << 20;
const IDLE: usize = 1000;

/// What a thread has used of the processor.
fn used() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = text.split_whitespace().next().and_then(|word| word.parse().ok());
    Duration::from_nanos(nanoseconds.unwrap_or(0))
}

async fn tokio_alone(listener: TcpListener) {
    while let Ok((mut stream, _)) = listener.accept().await {
        // As one writes it: each connection holds its buffer.
        tokio::spawn(async move {
            let mut buffer = vec![0; 64 * 1024];
            stream.set_nodelay(true)?;
            loop {
                let count = stream.read(&mut buffer).await?;
                if count == 0 {
                    return Ok::<_, std::io::Error>(());
                }
                stream.write_all(&buffer[..count]).await?;
            }
        });
    }
}

async fn of_components(listen: mpsc::Sender<SocketAddr>) {
    let system = System::new(&Net::os());
    let any = "tcp://127.0.0.1:0".parse().expect("an endpoint");
    let server = SimpleServer::bind(&system, &any, EchoProtocol::new)
        .await
        .expect("a port");
    let address = server.local().socket_addr().expect("an address");
    listen.send(address).expect("somebody waits for it");
    system.activate(server).expect("a runtime").await;
}

type Serve = fn(mpsc::Sender<SocketAddr>) -> Pin<Box<dyn Future<Output = ()>>>;

/// What the server's thread answers.
enum Ask {
    Used(mpsc::Sender<Duration>),
    /// Bytes that it holds, from here to the next time.
    Held(mpsc::Sender<i64>),
}

/// A server on its own thread.
struct Server {
    address: SocketAddr,
    ask: tokio::sync::mpsc::UnboundedSender<Ask>,
}

impl Server {
    fn start(serve: Serve) -> Self {
        let (listen, listening) = mpsc::channel();
        let (ask, mut asked) = tokio::sync::mpsc::unbounded_channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let runtime = runtime.expect("a runtime");
            let local = tokio::task::LocalSet::new();
            local.spawn_local(serve(listen));
            let mut held = 0;
            loop {
                let mut next = None;
                let count = allocation_counter::measure(|| {
                    next = runtime.block_on(local.run_until(asked.recv()));
                });
                held += count.bytes_current;
                match next {
                    Some(Ask::Used(answer)) => answer.send(used()).unwrap_or(()),
                    Some(Ask::Held(answer)) => answer.send(held).unwrap_or(()),
                    None => return,
                }
            }
        });
        Self {
            address: listening.recv().expect("a server"),
            ask,
        }
    }

    fn used(&self) -> Duration {
        let (answer, answered) = mpsc::channel();
        let _ = self.ask.send(Ask::Used(answer));
        answered.recv().expect("an answer")
    }

    fn held(&self) -> i64 {
        let (answer, answered) = mpsc::channel();
        let _ = self.ask.send(Ask::Held(answer));
        answered.recv().expect("an answer")
    }
}

/// The processor's time for one round trip of 64 bytes, and how many there were in a second.
async fn round_trips(server: &Server) -> Result<(Duration, f64), Error> {
    let mut stream = TcpStream::connect(server.address).await?;
    stream.set_nodelay(true)?;
    let mut message = [7; 64];
    for _ in 0..1000 {
        stream.write_all(&message).await?;
        stream.read_exact(&mut message).await?;
    }
    let (before, began) = (server.used(), Instant::now());
    for _ in 0..ROUNDS {
        stream.write_all(&message).await?;
        stream.read_exact(&mut message).await?;
    }
    let each = (server.used() - before) / ROUNDS;
    Ok((each, f64::from(ROUNDS) / began.elapsed().as_secs_f64()))
}

/// Megabytes in a second each way, and the processor's time for each byte, in nanoseconds.
async fn bulk(server: &Server) -> Result<(f64, f64), Error> {
    let stream = TcpStream::connect(server.address).await?;
    let (mut reads, mut writes) = stream.into_split();
    let (before, began) = (server.used(), Instant::now());
    let writing = tokio::spawn(async move {
        let data = vec![5; 256 * 1024];
        for _ in 0..BULK / data.len() {
            writes.write_all(&data).await?;
        }
        writes.shutdown().await
    });
    let mut buffer = vec![0; 256 * 1024];
    let mut got = 0;
    loop {
        let count = reads.read(&mut buffer).await?;
        if count == 0 {
            break;
        }
        got += count;
    }
    writing.await??;
    if got != BULK {
        return Err(format!("{got} of {BULK} bytes came back").into());
    }
    let seconds = began.elapsed().as_secs_f64();
    let nanoseconds = (server.used() - before).as_nanos() as f64;
    Ok((BULK as f64 / 1e6 / seconds, nanoseconds / BULK as f64))
}

/// Bytes for each connection that has been used and waits.
async fn idle(server: &Server) -> Result<i64, Error> {
    let before = server.held();
    let mut streams = Vec::with_capacity(IDLE);
    for _ in 0..IDLE {
        let mut stream = TcpStream::connect(server.address).await?;
        stream.write_all(b"once").await?;
        stream.read_exact(&mut [0; 4]).await?;
        streams.push(stream);
    }
    Ok((server.held() - before) / IDLE as i64)
}

fn main() -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let serve: [(&str, Serve); 2] = [
        ("tokio alone", |listen| {
            Box::pin(async move {
                let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
                listen
                    .send(listener.local_addr().expect("an address"))
                    .expect("somebody waits");
                tokio_alone(listener).await;
            })
        }),
        ("components", |listen| Box::pin(of_components(listen))),
    ];
    println!("server       CPU per round trip  round trips/s  bulk MB/s  bulk CPU ns/byte  idle bytes");
    for _ in 0..3 {
        for (name, serve) in serve {
            let server = Server::start(serve);
            let (each, rate) = runtime.block_on(round_trips(&server))?;
            let (speed, cost) = runtime.block_on(bulk(&server))?;
            let idle = runtime.block_on(idle(&server))?;
            println!("{name:<12} {each:>18.2?}  {rate:>13.0}  {speed:>9.0}  {cost:>16.3}  {idle:>10}");
        }
    }
    Ok(())
}
