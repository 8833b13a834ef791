//! What every connection promises, on every transport: data, half close, reset, close, facts; and pipes in memory.
#![cfg(feature = "os")]

mod common;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf, Bytes};
use common::backend::{net, where_nothing_is_lost, where_time_jumps};
use common::events::Events;
use common::place::{Place, on_each_transport, where_no_reset_is_lost};
use common::{pattern, poll_once, settle};
use net_core::framing::{LengthPrefix, Line};
use net_core::{
    Address, Backend, BindOptions, BoxFuture, ClosedBy, Endpoint, ErrorKind, Framed, Net, Operation, Plain,
    RawDatagram, RawListener, SocketOptions, Stream, TimeoutKind, Timer, Transport,
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};

where_nothing_is_lost!(a_backend_around_another_passes_everything_on_even_a_reset);

where_time_jumps!(
    closing_a_stream_waits_no_longer_than_asked,
    a_pipe_holds_so_much_and_no_more,
    a_reset_pipe_drops_what_was_on_its_way,
    a_full_backlog_of_a_memory_listener_lets_connecting_wait,
    memory_names_belong_to_one_network_and_its_clones,
    bytes_that_were_given_back_are_freed_once_they_are_read,
);

on_each_transport!(
    bytes_arrive_whole_both_ways_at_once,
    each_end_knows_the_other,
    after_a_half_close_the_answer_still_comes,
    an_orderly_close_delivers_everything_even_if_the_peer_still_sends,
    frames_go_both_ways,
    the_reading_side_learns_of_a_peer_that_is_gone,
    writing_to_a_peer_that_is_gone_fails_and_goes_on_failing,
    nobody_listens_means_refused_with_the_endpoint,
    a_taken_name_is_in_use,
    a_listener_that_is_dropped_frees_its_name,
    many_connections_wait_in_the_backlog,
);

where_no_reset_is_lost!(a_reset_is_no_orderly_end);

async fn bytes_arrive_whole_both_ways_at_once(place: Place) {
    let (client, server) = place.pair().await;
    let data = pattern(1_000_000);
    let exchange = |stream: Stream| {
        let (mut reader, mut writer) = tokio::io::split(stream);
        let data = &data;
        async move {
            let writing = async {
                writer.write_all(data).await.unwrap();
                writer.shutdown().await.unwrap();
            };
            let mut received = Vec::new();
            let (read, ()) = tokio::join!(reader.read_to_end(&mut received), writing);
            read.unwrap();
            assert!(received == *data);
        }
    };
    tokio::join!(exchange(client), exchange(server));
    let stats = place.net.stats();
    assert_eq!((stats.bytes_in, stats.bytes_out), (2_000_000, 2_000_000));
    assert_eq!((stats.opened, stats.closed, stats.faults), (2, 2, 0));
}

async fn each_end_knows_the_other(place: Place) {
    let (client, server) = place.pair().await;
    assert_eq!(client.local(), server.peer());
    assert_eq!(client.peer(), server.local());
    assert_ne!(client.id(), server.id());
    assert_eq!(client.peer().is_tls(), place.endpoint.is_tls());
    assert_ne!(client.peer().port(), Some(0));
    let shown = format!("{client:?}");
    assert!(shown.contains(&client.peer().to_string()), "{shown}");
}

async fn after_a_half_close_the_answer_still_comes(place: Place) {
    let (mut client, mut server) = place.pair().await;
    client.write_all(b"question").await.unwrap();
    client.shutdown().await.unwrap();
    let mut question = String::new();
    server.read_to_string(&mut question).await.unwrap();
    assert_eq!(question, "question");
    server.write_all(b"answer").await.unwrap();
    server.shutdown().await.unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    assert_eq!(answer, "answer");
}

async fn an_orderly_close_delivers_everything_even_if_the_peer_still_sends(place: Place) {
    let (mut client, mut server) = place.pair().await;
    let data = pattern(200_000);
    server.write_all(b"never read").await.unwrap();
    let sent = data.clone();
    let closing = place
        .net
        .spawn(async move {
            client.write_all(&sent).await.unwrap();
            client.close(Duration::from_secs(60)).await
        })
        .unwrap();
    let mut received = Vec::new();
    server.read_to_end(&mut received).await.unwrap();
    assert!(received == data);
    server.shutdown().await.unwrap();
    closing.await.unwrap().unwrap();
}

async fn frames_go_both_ways(place: Place) {
    let (client, server) = place.pair().await;
    place
        .net
        .spawn(async move {
            let mut frames = Framed::new(server, LengthPrefix::default());
            while let Some((frame, mut out)) = frames.next().await? {
                out.push(&frame)?;
            }
            Ok::<_, net_core::Error>(frames.close(Duration::from_secs(60)).await)
        })
        .unwrap();
    let mut frames = Framed::new(client, LengthPrefix::default());
    for length in [0, 1, 100, 10_000, 70_000] {
        frames.push(&pattern(length)).unwrap();
    }
    frames.flush().await.unwrap();
    for length in [0, 1, 100, 10_000, 70_000] {
        assert!(*frames.next().await.unwrap().unwrap().0 == pattern(length));
    }
}

async fn the_reading_side_learns_of_a_peer_that_is_gone(place: Place) {
    let (mut client, mut server) = place.pair().await;
    server.write_all(b"last").await.unwrap();
    server.shutdown().await.unwrap();
    drop(server);
    let mut last = String::new();
    client.read_to_string(&mut last).await.unwrap();
    assert_eq!(last, "last");
}

async fn writing_to_a_peer_that_is_gone_fails_and_goes_on_failing(place: Place) {
    let (client, server) = place.pair().await;
    drop(server);
    let mut lines = Framed::new(client, Line::default());
    // The system may take some before it knows.
    let error = loop {
        if let Err(error) = lines.send(&[b'x'; 1000]).await {
            break error;
        }
    };
    assert!(
        matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::Reset),
        "{error}"
    );
    assert_eq!(
        (error.operation(), error.endpoint()),
        (Operation::Write, Some(lines.peer()))
    );
    assert_eq!(lines.send(b"x").await.unwrap_err(), error);
    assert_eq!(lines.next().await.unwrap_err(), error);
}

async fn nobody_listens_means_refused_with_the_endpoint(place: Place) {
    let listener = place.listen().await;
    let to = listener.local().clone();
    drop(listener);
    let error = place.net.connect(&to).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.operation(), error.endpoint()),
        (ErrorKind::Refused, Operation::Connect, Some(&to))
    );
    assert!(error.is_transient());
}

async fn a_taken_name_is_in_use(place: Place) {
    let listener = place.listen().await;
    let at = listener.local().clone();
    let error = place.net.bind(&at).await.unwrap_err();
    assert_eq!((error.kind(), error.endpoint()), (ErrorKind::AddrInUse, Some(&at)));
    assert!(!error.is_transient());
    // The first is none the worse.
    let mut listener = listener;
    let (accepted, connected) = tokio::join!(listener.accept(), async {
        place
            .net
            .connect_with(
                &at,
                &net_core::ConnectOptions::default().handshake_timeout(Duration::ZERO),
            )
            .await
    });
    drop((accepted.unwrap(), connected));
}

async fn a_listener_that_is_dropped_frees_its_name(place: Place) {
    let listener = place.listen().await;
    let at = listener.local().clone();
    drop(listener);
    let listener = place.net.bind(&at).await.unwrap();
    assert_eq!(listener.local(), &at);
}

async fn a_reset_is_no_orderly_end(place: Place) {
    let (net, events) = Events::of(&place.net);
    let place = Place { net, ..place };
    let (client, mut server) = place.pair().await;
    let (reset, victim) = (client.id(), server.id());
    client.reset();
    let error = server.read(&mut [0; 10]).await;
    assert_eq!(events.end_of(reset), Some((ClosedBy::Local, None)));
    match place.endpoint {
        // A Unix socket has no reset: the peer sees the end.
        Endpoint::Unix(_) => assert_eq!(error.unwrap(), 0),
        _ => {
            let error = net_core::Error::from_io(Operation::Write, error.unwrap_err());
            assert_eq!((error.kind(), error.operation()), (ErrorKind::Reset, Operation::Read));
            drop(server);
            assert_eq!(events.end_of(victim), Some((ClosedBy::Error, Some(error))));
            events.check_all_closed(&place.net);
        }
    }
}

async fn many_connections_wait_in_the_backlog(place: Place) {
    if place.endpoint.is_tls() {
        return; // Connecting over TLS is over only after the handshake, which needs an accept.
    }
    let mut listener = place.listen().await;
    let mut clients = Vec::new();
    for number in 0..1000_u32 {
        let mut client = place.net.connect(listener.local()).await.unwrap();
        client.write_all(&number.to_be_bytes()).await.unwrap();
        clients.push(client);
    }
    let mut numbers = Vec::new();
    for _ in 0..1000 {
        numbers.push(listener.accept().await.unwrap().read_u32().await.unwrap());
    }
    // In the order in which their handshakes were done, which loss changes.
    numbers.sort_unstable();
    assert!(numbers.into_iter().eq(0..1000));
}

async fn closing_a_stream_waits_no_longer_than_asked() {
    let net = net();
    let (here, _there) = Stream::pair(&net);
    let error = here.close(Duration::from_secs(3)).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.operation()),
        (ErrorKind::Timeout(TimeoutKind::Close), Operation::Close)
    );
    assert_eq!(net.now().as_nanos(), 3_000_000_000);
    assert_eq!(net.stats().open(), 1);
}

async fn a_pipe_holds_so_much_and_no_more() {
    let net = net();
    let (mut here, mut there) = Stream::pair_with_capacity(&net, 10);
    assert_eq!(here.write(&[1; 100]).await.unwrap(), 10);
    assert!(poll_once(&mut Box::pin(here.write(&[1; 100]))).await.is_none());
    // The other direction has its own room.
    assert_eq!(there.write(&[1; 100]).await.unwrap(), 10);
    there.read_exact(&mut [0; 4]).await.unwrap();
    assert_eq!(here.write(&[1; 100]).await.unwrap(), 4);
    // Nothing to write is no wait, and nothing to read into is no end.
    assert_eq!(here.write(&[]).await.unwrap(), 0);
    assert_eq!(here.read(&mut []).await.unwrap(), 0);
    let (mut here, _there) = Stream::pair_with_capacity(&net, 0);
    assert_eq!(here.write(&[1; 100]).await.unwrap(), 1);
}

async fn a_reset_pipe_drops_what_was_on_its_way() {
    let net = net();
    let (mut here, mut there) = Stream::pair(&net);
    here.write_all(b"lost").await.unwrap();
    there.write_all(b"lost").await.unwrap();
    let mut reading = Box::pin(async {
        let mut some = [0; 100];
        assert_eq!(there.read(&mut some).await.unwrap(), 4);
        there.read(&mut some).await
    });
    assert!(poll_once(&mut reading).await.is_none());
    here.reset();
    assert_eq!(reading.await.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
    let write = there.write(b"x").await;
    assert_eq!(write.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
}

async fn a_full_backlog_of_a_memory_listener_lets_connecting_wait() {
    let net = net();
    let at: Endpoint = "mem:busy".parse().unwrap();
    let options = BindOptions::default().socket(SocketOptions::default().backlog(2));
    let mut listener = net.bind_with(&at, &options).await.unwrap();
    let _first = net.connect(&at).await.unwrap();
    let _second = net.connect(&at).await.unwrap();
    let third = {
        let (net, at) = (net.clone(), at.clone());
        net.clone().spawn(async move { net.connect(&at).await }).unwrap()
    };
    let fourth = {
        let (net, at) = (net.clone(), at.clone());
        net.clone().spawn(async move { net.connect(&at).await }).unwrap()
    };
    settle().await;
    assert!(!third.is_finished());
    listener.accept().await.unwrap();
    third.await.unwrap().unwrap();
    assert!(!fourth.is_finished());
    // Whoever still waits when the listener goes is refused.
    drop(listener);
    assert_eq!(fourth.await.unwrap().unwrap_err().kind(), ErrorKind::Refused);
}

async fn memory_names_belong_to_one_network_and_its_clones() {
    let (net, other) = (net(), net());
    let at: Endpoint = "mem:name".parse().unwrap();
    let mut listener = net.bind(&at).await.unwrap();
    assert_eq!(other.connect(&at).await.unwrap_err().kind(), ErrorKind::Refused);
    let _same_name = other.bind(&at).await.unwrap();
    let (clone, _) = Events::of(&net.clone());
    let client = clone.connect(&at).await.unwrap();
    assert_eq!(listener.accept().await.unwrap().peer(), client.local());
    assert_eq!(net.stats(), clone.stats());
}

async fn bytes_that_were_given_back_are_freed_once_they_are_read() {
    struct Owner(Arc<AtomicBool>);
    impl AsRef<[u8]> for Owner {
        fn as_ref(&self) -> &[u8] {
            b"given back"
        }
    }
    impl Drop for Owner {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }
    let (mut here, _there) = Stream::pair(&net());
    let freed = Arc::new(AtomicBool::new(false));
    here.unread(Bytes::from_owner(Owner(Arc::clone(&freed))));
    here.read_exact(&mut [0; 9]).await.unwrap();
    assert!(!freed.load(Ordering::Relaxed));
    here.read_exact(&mut [0; 1]).await.unwrap();
    assert!(freed.load(Ordering::Relaxed));

    // An empty rest keeps nothing at all.
    let freed = Arc::new(AtomicBool::new(false));
    let mut all = Bytes::from_owner(Owner(Arc::clone(&freed)));
    all.advance(10);
    here.unread(all);
    assert!(freed.load(Ordering::Relaxed));
}

/// A network that passes everything on to another one, through transports of its own around the other's.
#[derive(Debug)]
struct Around(Net);

#[derive(Debug)]
struct Wrapped(Plain);

impl Backend for Around {
    fn resolve<'a>(&'a self, host: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        self.0.backend().resolve(host)
    }
    fn connect<'a>(
        &'a self,
        to: &'a Address,
        from: Option<SocketAddr>,
        options: &'a SocketOptions,
    ) -> BoxFuture<'a, io::Result<Plain>> {
        Box::pin(async move {
            let inner = self.0.backend().connect(to, from, options).await?;
            Ok(Plain::new(Wrapped(inner)))
        })
    }
    fn bind<'a>(
        &'a self,
        at: &'a Address,
        options: &'a SocketOptions,
    ) -> BoxFuture<'a, io::Result<Box<dyn RawListener>>> {
        self.0.backend().bind(at, options)
    }
    fn datagram<'a>(
        &'a self,
        at: SocketAddr,
        options: &'a SocketOptions,
    ) -> BoxFuture<'a, io::Result<Box<dyn RawDatagram>>> {
        self.0.backend().datagram(at, options)
    }
    fn now(&self) -> net_core::Instant {
        self.0.now()
    }
    fn sleep_until(&self, at: net_core::Instant) -> Box<dyn Timer> {
        self.0.backend().sleep_until(at)
    }
    fn spawn(&self, task: BoxFuture<'static, ()>) -> io::Result<()> {
        self.0.backend().spawn(task)
    }
    fn random(&self) -> u64 {
        self.0.random()
    }
}

impl Transport for Wrapped {
    fn local(&self) -> Endpoint {
        self.0.local()
    }
    fn peer(&self) -> Endpoint {
        self.0.peer()
    }
    fn reset_on_drop(&mut self) {
        self.0.reset_on_drop();
    }
}

impl AsyncRead for Wrapped {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Wrapped {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, data)
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

async fn a_backend_around_another_passes_everything_on_even_a_reset() {
    let around = Net::new(Arc::new(Around(net())));
    let mut listener = around.bind(&"tcp://127.0.0.1:0".parse().unwrap()).await.unwrap();
    let mut client = around.connect(listener.local()).await.unwrap();
    let mut server = listener.accept().await.unwrap();
    assert_eq!((client.local(), client.peer()), (server.peer(), server.local()));
    client.write_all(b"through").await.unwrap();
    server.read_exact(&mut [0; 7]).await.unwrap();
    client.reset();
    let error = server.read(&mut [0; 1]).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
}
