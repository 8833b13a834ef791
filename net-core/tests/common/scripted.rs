//! A backend whose network follows a script, on the clock of the test's backend, and a transport that counts.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use net_core::{
    Address, Backend, BoxFuture, Endpoint, Instant, MulticastInterface, Net, Plain, RawDatagram, RawListener,
    SocketOptions, Stream, Timer, Transport,
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The script, and what happened.
#[derive(Debug)]
pub(crate) struct Scripted {
    clock: Net,
    state: Mutex<State>,
    accepts: Arc<Mutex<VecDeque<Accept>>>,
    /// How often a listener was asked for a connection.
    pub(crate) accept_polls: Arc<AtomicUsize>,
    accept_waker: Arc<Mutex<Option<Waker>>>,
    datagrams: Arc<Mutex<Datagrams>>,
}

/// What comes to the script's datagram socket, and what was sent from it.
#[derive(Debug, Default)]
struct Datagrams {
    waiting: VecDeque<(Vec<u8>, SocketAddr)>,
    sent: Vec<(Vec<u8>, SocketAddr)>,
    /// Datagrams that may still be sent.
    room: usize,
    /// The wakers of the last polls, as tokio keeps them.
    receiver: Option<Waker>,
    sender: Option<Waker>,
}

#[derive(Debug, Default)]
struct State {
    names: BTreeMap<String, Vec<IpAddr>>,
    connects: BTreeMap<SocketAddr, VecDeque<Connect>>,
    attempts: Vec<(Duration, SocketAddr)>,
    given_up: Vec<SocketAddr>,
}

/// What connecting to an address does.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Connect {
    /// It works, after a time.
    Works(Duration),
    /// It fails with this error number, after a time.
    Fails(Duration, i32),
    /// Nothing ever comes back.
    Hangs,
}

/// What accepting does.
#[derive(Debug)]
pub(crate) enum Accept {
    /// A connection from there.
    From(SocketAddr),
    /// An error of the system.
    Error(i32),
}

impl Scripted {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            clock: super::backend::net(),
            state: Mutex::default(),
            accepts: Arc::default(),
            accept_polls: Arc::default(),
            accept_waker: Arc::default(),
            datagrams: Arc::default(),
        })
    }

    /// A datagram comes from there.
    pub(crate) fn datagram_from(&self, from: &str, data: &[u8]) {
        let receiver = {
            let mut datagrams = self.datagrams.lock().unwrap();
            datagrams.waiting.push_back((data.to_vec(), from.parse().unwrap()));
            datagrams.receiver.take()
        };
        receiver.into_iter().for_each(Waker::wake);
    }

    /// So many more datagrams can be sent.
    pub(crate) fn room_for_datagrams(&self, count: usize) {
        let sender = {
            let mut datagrams = self.datagrams.lock().unwrap();
            datagrams.room += count;
            datagrams.sender.take()
        };
        sender.into_iter().for_each(Waker::wake);
    }

    /// The datagrams that were sent, and where to.
    pub(crate) fn datagrams_sent(&self) -> Vec<(Vec<u8>, String)> {
        let datagrams = self.datagrams.lock().unwrap();
        let shown = |(data, to): &(Vec<u8>, SocketAddr)| (data.clone(), to.to_string());
        datagrams.sent.iter().map(shown).collect()
    }

    pub(crate) fn net(self: &Arc<Self>) -> Net {
        Net::new(Arc::clone(self) as Arc<dyn Backend>)
    }

    /// The addresses of a name.
    pub(crate) fn name(&self, name: &str, addresses: &[&str]) {
        let addresses = addresses.iter().map(|address| address.parse().unwrap()).collect();
        self.state.lock().unwrap().names.insert(name.to_owned(), addresses);
    }

    /// What the next tries to connect there do; the last one counts for all further ones.
    pub(crate) fn connects(&self, address: &str, script: &[Connect]) {
        let script = script.iter().copied().collect();
        self.state
            .lock()
            .unwrap()
            .connects
            .insert(address.parse().unwrap(), script);
    }

    /// When each try began, and where to.
    pub(crate) fn attempts(&self) -> Vec<(Duration, String)> {
        let state = self.state.lock().unwrap();
        state.attempts.iter().map(|(at, to)| (*at, to.to_string())).collect()
    }

    /// Tries that were dropped before they were done.
    pub(crate) fn given_up(&self) -> Vec<String> {
        self.state
            .lock()
            .unwrap()
            .given_up
            .iter()
            .map(SocketAddr::to_string)
            .collect()
    }

    /// Adds to what listeners accept.
    pub(crate) fn accepts(&self, what: Accept) {
        self.accepts.lock().unwrap().push_back(what);
        if let Some(waker) = self.accept_waker.lock().unwrap().take() {
            waker.wake();
        }
    }
}

struct GivenUp<'a>(&'a Scripted, Option<SocketAddr>);

impl Drop for GivenUp<'_> {
    fn drop(&mut self) {
        if let Some(address) = self.1 {
            self.0.state.lock().unwrap().given_up.push(address);
        }
    }
}

impl Backend for Scripted {
    fn resolve<'a>(&'a self, host: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        Box::pin(async move {
            let state = self.state.lock().unwrap();
            state
                .names
                .get(host)
                .cloned()
                .ok_or_else(|| io::Error::other("no such name"))
        })
    }

    fn connect<'a>(
        &'a self,
        to: &'a Address,
        _: Option<SocketAddr>,
        _: &'a SocketOptions,
    ) -> BoxFuture<'a, io::Result<Plain>> {
        Box::pin(async move {
            let Address::Ip(to) = *to else {
                return Err(io::ErrorKind::Unsupported.into());
            };
            let step = {
                let mut state = self.state.lock().unwrap();
                let now = self.clock.now() - Instant::ZERO;
                state.attempts.push((now, to));
                let script = state.connects.get_mut(&to).expect("an address of the script");
                if script.len() > 1 {
                    script.pop_front()
                } else {
                    script.front().copied()
                }
            };
            let mut given_up = GivenUp(self, Some(to));
            let outcome = match step.expect("a step of the script") {
                Connect::Works(after) => {
                    self.clock.sleep(after).await;
                    Ok(Plain::new(Silent(Endpoint::tcp(to))))
                }
                Connect::Fails(after, number) => {
                    self.clock.sleep(after).await;
                    Err(io::Error::from_raw_os_error(number))
                }
                Connect::Hangs => std::future::pending().await,
            };
            given_up.1 = None;
            outcome
        })
    }

    fn bind<'a>(&'a self, _: &'a Address, _: &'a SocketOptions) -> BoxFuture<'a, io::Result<Box<dyn RawListener>>> {
        Box::pin(async move {
            let listener: Box<dyn RawListener> = Box::new(ScriptedListener {
                accepts: Arc::clone(&self.accepts),
                polls: Arc::clone(&self.accept_polls),
                waker: Arc::clone(&self.accept_waker),
            });
            Ok(listener)
        })
    }

    fn datagram<'a>(&'a self, _: SocketAddr, _: &'a SocketOptions) -> BoxFuture<'a, io::Result<Box<dyn RawDatagram>>> {
        Box::pin(async {
            let socket: Box<dyn RawDatagram> = Box::new(ScriptedDatagram(Arc::clone(&self.datagrams)));
            Ok(socket)
        })
    }

    fn now(&self) -> Instant {
        self.clock.now()
    }

    fn sleep_until(&self, at: Instant) -> Box<dyn Timer> {
        self.clock.backend().sleep_until(at)
    }

    fn spawn(&self, task: BoxFuture<'static, ()>) -> io::Result<()> {
        self.clock.backend().spawn(task)
    }

    /// No chance: pauses are as long as they can be.
    fn random(&self) -> u64 {
        0
    }
}

#[derive(Debug)]
struct ScriptedListener {
    accepts: Arc<Mutex<VecDeque<Accept>>>,
    polls: Arc<AtomicUsize>,
    waker: Arc<Mutex<Option<Waker>>>,
}

impl RawListener for ScriptedListener {
    fn listen(&mut self, _: u32) -> io::Result<()> {
        Ok(())
    }

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Plain>> {
        self.polls.fetch_add(1, Ordering::Relaxed);
        match self.accepts.lock().unwrap().pop_front() {
            Some(Accept::From(peer)) => Poll::Ready(Ok(Plain::new(Silent(Endpoint::tcp(peer))))),
            Some(Accept::Error(number)) => Poll::Ready(Err(io::Error::from_raw_os_error(number))),
            None => {
                *self.waker.lock().unwrap() = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    fn local(&self) -> Endpoint {
        "tcp://192.0.2.1:80".parse().unwrap()
    }
}

#[derive(Debug)]
struct ScriptedDatagram(Arc<Mutex<Datagrams>>);

impl RawDatagram for ScriptedDatagram {
    fn poll_receive(&self, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<SocketAddr>> {
        let mut datagrams = self.0.lock().unwrap();
        match datagrams.waiting.pop_front() {
            Some((data, from)) => {
                buffer.put_slice(&data[..data.len().min(buffer.remaining())]);
                Poll::Ready(Ok(from))
            }
            None => {
                datagrams.receiver = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    fn poll_send(&self, cx: &mut Context<'_>, data: &[u8], to: SocketAddr) -> Poll<io::Result<usize>> {
        let mut datagrams = self.0.lock().unwrap();
        if datagrams.room == 0 {
            datagrams.sender = Some(cx.waker().clone());
            return Poll::Pending;
        }
        datagrams.room -= 1;
        datagrams.sent.push((data.to_vec(), to));
        Poll::Ready(Ok(data.len()))
    }

    fn local(&self) -> io::Result<SocketAddr> {
        Ok(([192, 0, 2, 1], 80).into())
    }

    fn multicast(&self, _: IpAddr, _: MulticastInterface, _: bool) -> io::Result<()> {
        Ok(())
    }

    fn set_broadcast(&self, _: bool) -> io::Result<()> {
        Ok(())
    }
}

/// A connection on which nothing ever comes, and everything can be written.
#[derive(Debug)]
struct Silent(Endpoint);

impl Transport for Silent {
    fn local(&self) -> Endpoint {
        "tcp://192.0.2.1:80".parse().unwrap()
    }
    fn peer(&self) -> Endpoint {
        self.0.clone()
    }
    fn reset_on_drop(&mut self) {}
}

impl AsyncRead for Silent {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }
}

impl AsyncWrite for Silent {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(data.len()))
    }
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// How often a connection was read and written.
#[derive(Clone, Debug, Default)]
pub(crate) struct Calls(Arc<CallCounts>);

#[derive(Debug, Default)]
struct CallCounts {
    reads: AtomicUsize,
    writes: AtomicUsize,
}

impl Calls {
    /// Reads that gave bytes.
    pub(crate) fn reads(&self) -> usize {
        self.0.reads.load(Ordering::Relaxed)
    }

    /// Writes that took bytes.
    pub(crate) fn writes(&self) -> usize {
        self.0.writes.load(Ordering::Relaxed)
    }
}

/// Two connected ends of which the first counts its calls.
pub(crate) async fn counted_pair(net: &Net) -> (Stream, Stream, Calls) {
    let (one, there, calls) = one_connection(net);
    let here = one.connect(&"tcp://192.0.2.1:80".parse().unwrap()).await;
    (here.expect("the one connection"), there, calls)
}

/// A network on which connecting works once, to the other end that comes with it.
pub(crate) fn one_connection(net: &Net) -> (Net, Stream, Calls) {
    let (here, there) = Stream::pair(net);
    let calls = Calls::default();
    let counted = Plain::new(Counted {
        stream: here,
        calls: calls.clone(),
    });
    let backend = Arc::new(One {
        clock: net.clone(),
        plain: Arc::new(Mutex::new(Some(counted))),
    });
    (Net::new(backend), there, calls)
}

#[derive(Debug)]
struct Counted {
    stream: Stream,
    calls: Calls,
}

impl Transport for Counted {
    fn local(&self) -> Endpoint {
        self.stream.local().clone()
    }
    fn peer(&self) -> Endpoint {
        self.stream.peer().clone()
    }
    fn reset_on_drop(&mut self) {}
}

impl AsyncRead for Counted {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if outcome.is_ready() {
            self.calls.0.reads.fetch_add(1, Ordering::Relaxed);
        }
        outcome
    }
}

impl AsyncWrite for Counted {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write(cx, data);
        if outcome.is_ready() {
            self.calls.0.writes.fetch_add(1, Ordering::Relaxed);
        }
        outcome
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// A backend with one connection.
#[derive(Debug)]
struct One {
    clock: Net,
    plain: Arc<Mutex<Option<Plain>>>,
}

impl Backend for One {
    fn resolve<'a>(&'a self, _: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        Box::pin(async { Err(io::ErrorKind::Unsupported.into()) })
    }
    fn connect<'a>(
        &'a self,
        _: &'a Address,
        _: Option<SocketAddr>,
        _: &'a SocketOptions,
    ) -> BoxFuture<'a, io::Result<Plain>> {
        let plain = self.plain.lock().unwrap().take();
        Box::pin(async { plain.ok_or_else(|| io::ErrorKind::ConnectionRefused.into()) })
    }
    fn bind<'a>(&'a self, _: &'a Address, _: &'a SocketOptions) -> BoxFuture<'a, io::Result<Box<dyn RawListener>>> {
        Box::pin(async { Err(io::ErrorKind::Unsupported.into()) })
    }
    fn datagram<'a>(&'a self, _: SocketAddr, _: &'a SocketOptions) -> BoxFuture<'a, io::Result<Box<dyn RawDatagram>>> {
        Box::pin(async { Err(io::ErrorKind::Unsupported.into()) })
    }
    fn now(&self) -> Instant {
        self.clock.now()
    }
    fn sleep_until(&self, at: Instant) -> Box<dyn Timer> {
        self.clock.backend().sleep_until(at)
    }
    fn spawn(&self, task: BoxFuture<'static, ()>) -> io::Result<()> {
        self.clock.backend().spawn(task)
    }
    fn random(&self) -> u64 {
        0
    }
}
