//! The server ends: one file per way to write a server.
//!
//! A server runs on a thread of its own, serves a known number of connections until each has ended, and returns what it
//! counted, so that both ends can compare.

use crate::Outcome;
use crate::framing::Framing;
use crate::sockets;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

pub mod blocking;
pub mod components;
pub mod hsms;
pub mod http;
pub mod mio_loop;
pub mod net_core;
pub mod oneline;
pub mod tokio_framed;
pub mod tokio_loop;

/// What an echo server has to do.
#[derive(Clone, Copy, Debug)]
pub struct Job {
    /// How many connections to serve.
    pub connections: usize,
    /// How the stream is cut into frames.
    pub framing: Framing,
}

/// An echo server: returns how many frames it answered.
pub type Echo = fn(Door, Job) -> Outcome<u64>;

/// An echo server on a Unix socket, named in the abstract namespace.
pub type UnixEcho = fn(Door<String>, Job) -> Outcome<u64>;

/// An echo server for many connections, which may end in whatever way: it tells how far it is.
pub type Crowd = fn(Door, Job, Arc<Progress>) -> Outcome<u64>;

/// How far a server is.
#[derive(Debug, Default)]
pub struct Progress {
    /// Connections accepted.
    pub accepted: AtomicU64,
    /// Connections that have ended.
    pub ended: AtomicU64,
}

/// Bytes of a connection's read buffer, where a server has one of a fixed size.
pub const READ: usize = 16 * 1024;

/// Where a server tells its address.
#[derive(Debug)]
pub struct Door<A = SocketAddr> {
    address: SyncSender<A>,
}

impl Door {
    /// Listens on a free port, blocking, and tells it.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn listen(&self) -> Outcome<TcpListener> {
        let listener = sockets::listen()?;
        self.announce(listener.local_addr()?)?;
        Ok(listener)
    }

    /// Listens on a free port, non-blocking, and tells it.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn listen_nonblocking(&self) -> Outcome<TcpListener> {
        let listener = sockets::listen_nonblocking()?;
        self.announce(listener.local_addr()?)?;
        Ok(listener)
    }
}

impl<A: Send + Sync + 'static> Door<A> {
    /// Tells where the server listens, when it bound by itself.
    ///
    /// # Errors
    /// If nobody waits for it any more.
    pub fn announce(&self, address: A) -> Outcome<()> {
        Ok(self.address.send(address)?)
    }
}

/// A server that runs.
#[derive(Debug)]
pub struct Running<T, A = SocketAddr> {
    /// Where it listens.
    pub address: A,
    thread: JoinHandle<Outcome<T>>,
}

impl<T: Send + 'static, A: Send + 'static> Running<T, A> {
    /// Starts a server and waits until it listens.
    ///
    /// # Errors
    /// If it fails before it listens.
    pub fn start(serve: impl FnOnce(Door<A>) -> Outcome<T> + Send + 'static) -> Outcome<Self> {
        let (sender, receiver) = sync_channel(1);
        let thread = thread::spawn(move || serve(Door { address: sender }));
        match receiver.recv() {
            Ok(address) => Ok(Self { address, thread }),
            Err(_) => Err(join(thread)
                .err()
                .unwrap_or_else(|| "the server ended without listening".into())),
        }
    }

    /// Waits until the server has ended, which it does when its connections have. Not to be called if the load failed:
    /// the server may then wait for connections that never come.
    ///
    /// # Errors
    /// Those of the server.
    pub fn finish(self) -> Outcome<T> {
        join(self.thread)
    }
}

fn join<T>(thread: JoinHandle<Outcome<T>>) -> Outcome<T> {
    thread.join().map_err(|_| "the server panicked")?
}

/// Compares what both ends counted.
///
/// # Errors
/// If they differ.
pub fn agree(what: &str, load: u64, server: u64) -> Outcome<()> {
    if load == server {
        Ok(())
    } else {
        Err(format!("the load counted {load} {what}, the server {server}").into())
    }
}
