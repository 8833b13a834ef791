//! hyper, unmodified, over the simulated network: HTTP/1.1 with its own time limits in virtual time.

mod network_common;

use std::cell::RefCell;
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::SendRequest;
use hyper::rt::{Sleep, Timer};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use net_core::Net;
use network_common::{Pair, ms};
use sim_io::Environment;
use sim_io::network::Link;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// hyper's timer: the time of a `Net`. It counts in std's instants, of which the first one means time zero.
#[derive(Clone)]
struct NetTimer {
    net: Net,
    zero: std::time::Instant,
}

struct NetSleep(net_core::Sleep);

impl NetTimer {
    fn new(net: Net) -> Self {
        #[expect(clippy::disallowed_methods, reason = "only distances from it are used")]
        let zero = std::time::Instant::now();
        Self { net, zero }
    }
}

impl Timer for NetTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        Box::pin(NetSleep(self.net.sleep(duration)))
    }

    fn sleep_until(&self, deadline: std::time::Instant) -> Pin<Box<dyn Sleep>> {
        self.sleep(deadline.saturating_duration_since(self.now()))
    }

    fn now(&self) -> std::time::Instant {
        self.zero + Duration::from_nanos(self.net.now().as_nanos())
    }
}

impl Future for NetSleep {
    type Output = ();
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.get_mut().0).poll(cx)
    }
}

impl Sleep for NetSleep {}

type Reply = Result<Response<Full<Bytes>>, Infallible>;

/// Gives back what it gets.
async fn echo(request: Request<Incoming>) -> Reply {
    let path = request.uri().path().to_owned();
    let body = request.into_body().collect().await;
    let body = body.map_or_else(|error| error.to_string().into(), |body| body.to_bytes());
    Ok(Response::builder()
        .header("x-path", path)
        .body(Full::new(body))
        .unwrap())
}

/// Serves each connection in a process of its own.
fn serve(pair: &Pair) {
    let (env, net) = (pair.env.clone(), pair.server.net());
    pair.env.named_process("server", async move {
        let mut listener = net.bind(&"tcp://0.0.0.0:80".parse().unwrap()).await.unwrap();
        while let Ok(stream) = listener.accept().await {
            let connection = hyper::server::conn::http1::Builder::new()
                .timer(NetTimer::new(net.clone()))
                .header_read_timeout(Duration::from_secs(30))
                // The date would be the one on the wall.
                .auto_date_header(false)
                .serve_connection(TokioIo::new(stream), hyper::service::service_fn(echo));
            env.process(async move { drop(connection.await) });
        }
    });
}

async fn connect(env: &Environment, net: &Net) -> Result<SendRequest<Full<Bytes>>, Box<dyn std::error::Error>> {
    let stream = net.connect(&"tcp://server:80".parse()?).await?;
    let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    env.process(async move { drop(connection.await) });
    Ok(sender)
}

async fn post(
    sender: &mut SendRequest<Full<Bytes>>,
    path: &str,
    body: Vec<u8>,
) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
    let request = Request::post(path)
        .header("host", "server")
        .body(Full::new(body.into()))?;
    let response = sender.send_request(request).await?;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["x-path"], path);
    assert!(!response.headers().contains_key("date"));
    Ok(response.into_body().collect().await?.to_bytes().to_vec())
}

fn bad_link() -> Link {
    Link::default()
        .latency(ms(20))
        .jitter(ms(5))
        .bandwidth(50_000_000)
        .loss(0.02)
}

/// Several clients at once over a bad link that is cut for a while; what they saw, and the trace.
fn run(seed: u64) -> (u64, Vec<String>) {
    let pair = Pair::linked(seed, bad_link());
    serve(&pair);
    let log = Rc::new(RefCell::new(Vec::new()));
    for client in 0..4_usize {
        let (env, net, log) = (pair.env.clone(), pair.client.net(), Rc::clone(&log));
        pair.env.try_process(async move {
            let failed = |error: Box<dyn std::error::Error>| sim_io::Failure::text(error.to_string());
            let mut sender = connect(&env, &net).await.map_err(failed)?;
            for round in 0..5_usize {
                let body = vec![client as u8; 10_000 * (client + round)];
                let back = post(&mut sender, &format!("/{client}/{round}"), body.clone())
                    .await
                    .map_err(failed)?;
                assert_eq!(back, body);
                log.borrow_mut().push(format!("{client} {round} at {}", env.now()));
            }
            Ok::<_, sim_io::Failure>(())
        });
    }
    let (env, network, client, server) = (
        pair.env.clone(),
        pair.network.clone(),
        pair.client.clone(),
        pair.server.clone(),
    );
    pair.env.process(async move {
        env.timeout(ms(150)).await;
        network.partition(&client, &server);
        env.timeout(Duration::from_secs(3)).await;
        network.heal(&client, &server);
    });
    pair.env.run_until(Duration::from_secs(120)).unwrap();
    assert!(pair.network.stats().retransmissions > 0);
    (pair.env.trace_hash(), log.take())
}

#[test]
fn requests_survive_loss_and_a_cut_and_the_same_seed_gives_the_same_run() {
    let (hash, log) = run(1);
    assert_eq!(log.len(), 20, "{log:?}");
    assert_eq!(run(1), (hash, log));
    assert_ne!(run(2).0, hash);
}

#[test]
fn its_time_limits_run_in_virtual_time() {
    let pair = Pair::linked(1, Link::default().latency(ms(20)));
    serve(&pair);
    let net = pair.client.net();
    pair.run(async move {
        let mut slow = net.connect(&"tcp://server:80".parse()?).await?;
        slow.write_all(b"GET / HTTP/1.1\r\nhost: ser").await?;
        let mut answer = String::new();
        slow.read_to_string(&mut answer).await?;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{answer}");
        assert!(net.now().as_nanos() >= 30_000_000_000);
        assert!(net.now().as_nanos() < 31_000_000_000);
        Ok(())
    });
}

#[test]
fn a_crash_of_the_server_ends_a_request_with_an_error() {
    let pair = Pair::linked(1, Link::default().latency(ms(20)));
    serve(&pair);
    let (env, net, server) = (pair.env.clone(), pair.client.net(), pair.server.clone());
    pair.run(async move {
        let mut sender = connect(&env, &net).await?;
        assert_eq!(post(&mut sender, "/", b"all is well".to_vec()).await?, b"all is well");
        server.crash();
        server.restart();
        let error = post(&mut sender, "/", vec![1; 1000]).await.unwrap_err();
        let error = error.downcast::<hyper::Error>()?;
        let mut cause: Option<&dyn std::error::Error> = std::error::Error::source(&*error);
        let mut reset = false;
        while let Some(error) = cause {
            let io = error.downcast_ref::<std::io::Error>();
            reset |= io.is_some_and(|io| io.kind() == std::io::ErrorKind::ConnectionReset);
            cause = error.source();
        }
        assert!(reset, "{error:?}");
        Ok(())
    });
}
