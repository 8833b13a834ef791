//! Bound and listening sockets.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;

use net_core::{Instant, SocketOptions, UnixName};

use super::SERVER;
use crate::environment::core::Core;
use crate::environment::queue::Slot;
use crate::network::world::{HostState, State, Waiter};

/// A bound socket that may listen.
pub(in crate::network) struct Listening {
    pub(in crate::network) host: usize,
    pub(in crate::network) address: ListenAddress,
    pub(in crate::network) options: SocketOptions,
    /// None: it is only bound.
    pub(in crate::network) backlog: Option<usize>,
    pub(super) half_open: usize,
    pub(in crate::network) pending: VecDeque<Slot>,
    pub(in crate::network) waiter: Option<Waiter>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::network) enum ListenAddress {
    Ip(SocketAddr),
    Unix(UnixName),
}

impl Listening {
    fn new(host: usize, address: ListenAddress, options: &SocketOptions) -> Self {
        Self {
            host,
            address,
            options: options.clone(),
            backlog: None,
            half_open: 0,
            pending: VecDeque::new(),
            waiter: None,
        }
    }
}

impl State {
    /// The listener that a connection to this address is for; the one that is bound to the address itself comes first.
    pub(super) fn listener_for(&self, host: usize, to: SocketAddr) -> Option<Slot> {
        let slots = self.fabric.hosts.get(host)?.tcp.get(&to.port())?;
        let mut best = None;
        for slot in slots {
            let Some(listener) = self.listeners.get(*slot) else {
                continue;
            };
            let ListenAddress::Ip(at) = listener.address else {
                continue;
            };
            if at.ip() == to.ip() {
                return Some(*slot);
            }
            let both = at.is_ipv6() && listener.options.v6_only != Some(true);
            if at.ip().is_unspecified() && (at.is_ipv4() == to.is_ipv4() || both) {
                best.get_or_insert(*slot);
            }
        }
        best
    }

    pub(in crate::network) fn bind_tcp(
        &mut self,
        host: usize,
        mut at: SocketAddr,
        options: &SocketOptions,
        now: Instant,
    ) -> io::Result<(Slot, SocketAddr)> {
        if !self.fabric.is_up(host) {
            return Err(io::ErrorKind::NetworkDown.into());
        }
        if !self.fabric.owns(host, at.ip()) {
            return Err(io::ErrorKind::AddrNotAvailable.into());
        }
        if at.port() != 0 && self.is_kept_from(now, host, at, options.reuse_address) {
            return Err(io::ErrorKind::AddrInUse.into());
        }
        let Self { fabric, listeners, .. } = self;
        let owner = fabric.hosts.get_mut(host).ok_or(io::ErrorKind::NetworkDown)?;
        let collides = |owner: &HostState, at: SocketAddr| {
            let slots = owner.tcp.get(&at.port()).into_iter().flatten();
            slots.filter_map(|slot| listeners.get(*slot)).any(|other| {
                let ListenAddress::Ip(there) = other.address else {
                    return false;
                };
                let same = there.ip() == at.ip()
                    || (there.is_ipv4() == at.is_ipv4() && (there.ip().is_unspecified() || at.ip().is_unspecified()))
                    || (there.ip().is_unspecified() && there.is_ipv6() && other.options.v6_only != Some(true))
                    || (at.ip().is_unspecified() && at.is_ipv6() && options.v6_only != Some(true));
                same && !(other.options.reuse_port && options.reuse_port)
            })
        };
        if at.port() == 0 {
            let port = owner
                .ephemeral(|owner, port| !collides(owner, SocketAddr::new(at.ip(), port)))
                .ok_or(io::ErrorKind::AddrInUse)?;
            at.set_port(port);
        } else if collides(owner, at) {
            return Err(io::ErrorKind::AddrInUse.into());
        }
        let slot = listeners.insert(Listening::new(host, ListenAddress::Ip(at), options));
        owner.tcp.entry(at.port()).or_default().push(slot);
        Ok((slot, at))
    }

    pub(in crate::network) fn bind_unix(
        &mut self,
        host: usize,
        name: &UnixName,
        options: &SocketOptions,
    ) -> io::Result<Slot> {
        let Self { fabric, listeners, .. } = self;
        let owner = fabric.hosts.get_mut(host).filter(|owner| owner.up);
        let owner = owner.ok_or(io::ErrorKind::NetworkDown)?;
        if owner.unix.contains_key(name) {
            return Err(io::ErrorKind::AddrInUse.into());
        }
        let slot = listeners.insert(Listening::new(host, ListenAddress::Unix(name.clone()), options));
        owner.unix.insert(name.clone(), slot);
        Ok(slot)
    }

    pub(in crate::network) fn close_listener(&mut self, core: &Rc<Core>, slot: Slot) {
        let Some(listener) = self.listeners.remove(slot) else {
            return;
        };
        if let Some(host) = self.fabric.hosts.get_mut(listener.host) {
            match &listener.address {
                ListenAddress::Ip(at) => {
                    if let Some(slots) = host.tcp.get_mut(&at.port()) {
                        slots.retain(|other| *other != slot);
                        if slots.is_empty() {
                            host.tcp.remove(&at.port());
                        }
                    }
                }
                ListenAddress::Unix(name) => drop(host.unix.remove(name)),
            }
        }
        // Who was not accepted must not wait for ever.
        for pending in listener.pending {
            self.close(core, pending, SERVER, true);
        }
    }
}
