//! One socket of an environment: what it is ready for, and who waits for it.

use std::io;
use std::os::fd::AsFd;
use std::rc::Rc;
use std::task::Waker;

use net_core::Endpoint;
use net_core::sockets::Socket;

use super::poller::{Ready, Wanted};
use crate::environment::queue::Slot;

pub(super) struct Source {
    pub(super) socket: Socket,
    /// It is with the poller.
    pub(super) registered: bool,
    pub(super) read: Side,
    pub(super) write: Side,
    /// What it is called in reports.
    endpoint: Endpoint,
    name: Option<Rc<str>>,
}

/// Reading or writing.
#[derive(Default)]
pub(super) struct Side {
    /// The system call is worth trying: it is not known that it would have to wait.
    pub(super) ready: bool,
    /// Nothing will change any more, so a poller that tells changes only will stay silent.
    closed: bool,
    pub(super) waiter: Option<Waiter>,
}

/// Who goes on when it is ready.
#[derive(Debug)]
pub(super) enum Waiter {
    /// A process: resumed without a detour.
    Process(Slot),
    /// Something that a process runs with a waker of its own, as sets of futures do.
    Other(Waker),
}

impl Side {
    fn tried() -> Self {
        Self {
            ready: true,
            ..Self::default()
        }
    }

    /// A read or write was short, so the next one would have to wait.
    pub(super) fn was_short(&mut self, edge_triggered: bool) {
        // Data and the end of it may have come as one change: what follows is found out by trying.
        if !(edge_triggered && self.closed) {
            self.ready = false;
        }
    }

    fn tell(&mut self, ready: bool, closed: bool) -> Option<Waiter> {
        self.ready |= ready;
        self.closed |= closed;
        if ready { self.waiter.take() } else { None }
    }
}

impl Source {
    /// A socket that reading and writing are tried on at once.
    pub(super) fn new(socket: Socket, endpoint: Endpoint) -> Self {
        Self {
            socket,
            registered: false,
            read: Side::tried(),
            write: Side::tried(),
            endpoint,
            name: None,
        }
    }

    /// A socket that is on its way to a peer: writable once it is there.
    pub(super) fn connecting(socket: Socket, endpoint: Endpoint) -> Self {
        Self {
            write: Side::default(),
            ..Self::new(socket, endpoint)
        }
    }

    /// What people know it by.
    pub(super) fn name(&mut self) -> Rc<str> {
        let endpoint = &self.endpoint;
        Rc::clone(self.name.get_or_insert_with(|| endpoint.to_string().into()))
    }

    pub(super) fn wanted(&self, place: u32) -> Option<Wanted<'_>> {
        let (read, write) = (self.read.waiter.is_some(), self.write.waiter.is_some());
        (read || write).then(|| Wanted {
            place,
            socket: self.socket.as_fd(),
            read,
            write,
        })
    }

    /// Takes in what the poller says; who waited for it goes on.
    pub(super) fn tell(&mut self, ready: Ready) -> [Option<Waiter>; 2] {
        [
            self.read.tell(ready.read, ready.read_closed),
            self.write.tell(ready.write, ready.write_closed),
        ]
    }

    /// Takes out who waits for it.
    pub(super) fn take_waiters(&mut self) -> [Option<Waiter>; 2] {
        [self.read.waiter.take(), self.write.waiter.take()]
    }

    /// Whether the connection that was begun is there; None: not yet.
    pub(super) fn connected(&self) -> Option<io::Result<()>> {
        match self.socket.take_error() {
            Ok(Some(error)) | Err(error) => return Some(Err(error)),
            Ok(None) => {}
        }
        // Writable without a peer: it was told too early.
        match self.socket.peer_addr() {
            Ok(_) => Some(Ok(())),
            Err(error) if error.kind() == io::ErrorKind::NotConnected => None,
            Err(error) => Some(Err(error)),
        }
    }
}
