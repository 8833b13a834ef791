//! What a network consists of, and how a `Send` handle finds it: by a number, among those of this thread.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::rc::{Rc, Weak};
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Waker;

use net_core::UnixName;

use super::bandwidth::{Downlink, Uplink};
use super::link::Link;
use super::path::Path;
use super::tap::Packet;
use super::tcp::{Conn, Listening, TimeWait};
use super::udp::Socket;
use crate::Process;
use crate::environment::core::Core;
use crate::environment::queue::Slot;
use crate::environment::table::Table;

/// One network of one environment.
pub(super) struct World {
    pub(super) id: u64,
    /// For events, which keep no network alive.
    pub(super) own: Weak<Self>,
    pub(super) core: Rc<Core>,
    pub(super) state: RefCell<State>,
    pub(super) watchers: RefCell<Vec<Watcher>>,
}

pub(super) type Watcher = Box<dyn FnMut(&Packet)>;

/// What changes while it runs.
pub(super) struct State {
    pub(super) fabric: Fabric,
    pub(super) conns: Table<Conn>,
    pub(super) listeners: Table<Listening>,
    pub(super) sockets: Table<Socket>,
}

/// The hosts and what lies between them.
pub(super) struct Fabric {
    pub(super) hosts: Vec<HostState>,
    pub(super) by_name: BTreeMap<String, usize>,
    pub(super) by_address: BTreeMap<IpAddr, usize>,
    pub(super) default_link: Rc<Link>,
    pub(super) loopback: Rc<Link>,
    /// Some host has a line of its own with a limit.
    pub(super) limited: bool,
    /// Who goes on once the state is free again.
    pub(super) woken: Vec<Waiter>,
    pub(super) settings: super::TcpSettings,
    pub(super) stats: super::Stats,
    /// Somebody looks at the packets; what was seen since the state was last free.
    pub(super) watched: bool,
    pub(super) seen: Vec<Packet>,
}

pub(super) struct HostState {
    pub(super) name: Rc<str>,
    pub(super) addresses: Vec<IpAddr>,
    pub(super) up: bool,
    /// What it can send and receive in all; none: no limit.
    pub(super) up_line: Option<Uplink>,
    pub(super) down_line: Option<Downlink>,
    /// To the host of that number.
    paths: Vec<Option<Box<Path>>>,
    pub(super) tcp: BTreeMap<u16, Vec<Slot>>,
    pub(super) udp: BTreeMap<u16, Vec<Slot>>,
    pub(super) unix: BTreeMap<UnixName, Slot>,
    /// Our port and their address, of each connection that began here.
    pub(super) outgoing: BTreeSet<(u16, SocketAddr)>,
    pub(super) time_wait: TimeWait,
    next_port: u16,
    pub(super) tasks: BTreeMap<u64, Process<()>>,
    pub(super) next_task: u64,
}

/// Linux's default range of ports for those who ask for none.
const EPHEMERAL: std::ops::RangeInclusive<u16> = 32_768..=60_999;

thread_local! {
    static WORLDS: RefCell<Vec<Rc<World>>> = const { RefCell::new(Vec::new()) };
}

/// The network of that number, if it is alive and of this thread.
#[inline]
pub(super) fn find(id: u64) -> io::Result<Rc<World>> {
    let found = WORLDS.try_with(|worlds| {
        let worlds = worlds.borrow();
        worlds.iter().rev().find(|world| world.id == id).map(Rc::clone)
    });
    found.ok().flatten().ok_or_else(gone)
}

#[cold]
fn gone() -> io::Error {
    io::Error::other("this belongs to a simulated network that has ended, or that lives on another thread")
}

/// Who is to go on when something has happened.
#[derive(Debug)]
pub(super) enum Waiter {
    /// A process of the environment: resumed without a detour.
    Process(Slot),
    /// Something that a process runs with a waker of its own, as sets of futures do.
    Other(Waker),
}

impl Waiter {
    /// Whether both are the same one.
    pub(super) fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Process(one), Self::Process(two)) => one == two,
            (Self::Other(one), Self::Other(two)) => one.will_wake(two),
            _ => false,
        }
    }
}

impl World {
    pub(super) fn new(core: &Rc<Core>) -> Rc<Self> {
        static IDS: AtomicU64 = AtomicU64::new(0);
        let id = IDS.fetch_add(1, Ordering::Relaxed);
        let world = Rc::new_cyclic(|own| Self {
            id,
            own: Weak::clone(own),
            core: Rc::clone(core),
            watchers: RefCell::default(),
            state: RefCell::new(State {
                fabric: Fabric {
                    hosts: Vec::new(),
                    by_name: BTreeMap::new(),
                    by_address: BTreeMap::new(),
                    default_link: Rc::new(Link::default()),
                    loopback: Rc::new(Link::loopback()),
                    limited: false,
                    woken: Vec::new(),
                    settings: super::TcpSettings::default(),
                    stats: super::Stats::default(),
                    watched: false,
                    seen: Vec::new(),
                },
                conns: Table::default(),
                listeners: Table::default(),
                sockets: Table::default(),
            }),
        });
        // The environment's end is the network's end: handles on either keep nothing alive for ever.
        core.at_end(move || {
            let ended = WORLDS.try_with(|worlds| {
                let mut worlds = worlds.borrow_mut();
                let index = worlds.iter().position(|world| world.id == id)?;
                Some(worlds.remove(index))
            });
            // A watcher may hold a handle on the network that holds it.
            if let Ok(Some(world)) = ended {
                let watchers = std::mem::take(&mut *world.watchers.borrow_mut());
                drop(watchers);
            }
        });
        WORLDS.with(|worlds| worlds.borrow_mut().push(Rc::clone(&world)));
        world
    }

    /// Changes the state; who was woken by that goes on after what is due already.
    #[inline]
    pub(super) fn with<R>(&self, change: impl FnOnce(&mut State, &Rc<Core>) -> R) -> R {
        let (result, woken) = {
            let state = &mut *self.state.borrow_mut();
            let result = change(state, &self.core);
            if state.fabric.woken.is_empty() && !state.fabric.watched {
                return result;
            }
            (result, std::mem::take(&mut state.fabric.woken))
        };
        self.tell();
        self.each_woken(woken, |process| self.core.wake(process));
        result
    }

    /// The same, for events: who was woken goes on at once.
    pub(super) fn with_event(&self, change: impl FnOnce(&mut State, &Rc<Core>)) {
        let (woken, seen) = {
            let mut borrowed = self.state.borrow_mut();
            let state = &mut *borrowed;
            change(state, &self.core);
            let fabric = &mut state.fabric;
            let seen = !fabric.seen.is_empty();
            if !seen && let [Waiter::Process(process)] = *fabric.woken {
                // The storage stays.
                fabric.woken.clear();
                drop(borrowed);
                self.core.resume(process);
                return;
            }
            (std::mem::take(&mut fabric.woken), seen)
        };
        if seen {
            self.tell();
        }
        self.each_woken(woken, |process| self.core.resume(process));
    }

    /// Shows what was sent to those who watch. They may look at the network meanwhile.
    #[inline]
    fn tell(&self) {
        let seen = {
            let fabric = &mut self.state.borrow_mut().fabric;
            if fabric.seen.is_empty() {
                return;
            }
            std::mem::take(&mut fabric.seen)
        };
        let mut watchers = std::mem::take(&mut *self.watchers.borrow_mut());
        for packet in &seen {
            watchers.iter_mut().for_each(|watcher| watcher(packet));
        }
        let mut all = self.watchers.borrow_mut();
        watchers.append(&mut all);
        *all = watchers;
    }

    fn each_woken(&self, mut woken: Vec<Waiter>, wake: impl Fn(Slot)) {
        for waiter in woken.drain(..) {
            match waiter {
                Waiter::Process(process) => wake(process),
                Waiter::Other(waker) => waker.wake(),
            }
        }
        // The storage is used again.
        let state = &mut *self.state.borrow_mut();
        if state.fabric.woken.capacity() == 0 {
            state.fabric.woken = woken;
        }
    }
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("World").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Fabric {
    /// Adds a host. Without addresses it gets the next one of 10.0.0.0/8.
    pub(super) fn add_host(&mut self, name: &str, addresses: &[IpAddr]) -> io::Result<usize> {
        let key = name.to_lowercase();
        let allowed = |c: char| c.is_alphanumeric() || matches!(c, '-' | '.' | '_');
        if key.is_empty() || key.len() > 253 || !key.chars().all(allowed) || key.parse::<IpAddr>().is_ok() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("{name:?} is no host name: it needs 1 to 253 letters, digits, `-`, `.` and `_`"),
            ));
        }
        if key == "localhost" || self.by_name.contains_key(&key) {
            return Err(io::Error::new(
                io::ErrorKind::AlreadyExists,
                format!("there is a host {name} already"),
            ));
        }
        for address in addresses {
            if address.is_unspecified() || address.is_loopback() || address.is_multicast() {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidInput,
                    format!("{address} can't be the address of host {name}"),
                ));
            }
            if let Some(other) = self.by_address.get(address).and_then(|other| self.hosts.get(*other)) {
                return Err(io::Error::new(
                    io::ErrorKind::AddrInUse,
                    format!("host {} has the address {address} already", other.name),
                ));
            }
        }
        let id = self.hosts.len();
        let mut addresses = addresses.to_vec();
        if addresses.is_empty() {
            addresses.push(self.free_address(id)?);
        }
        for address in &addresses {
            self.by_address.insert(*address, id);
        }
        self.by_name.insert(key, id);
        self.hosts.push(HostState {
            name: name.into(),
            addresses,
            up: true,
            up_line: None,
            down_line: None,
            paths: Vec::new(),
            tcp: BTreeMap::new(),
            udp: BTreeMap::new(),
            unix: BTreeMap::new(),
            outgoing: BTreeSet::new(),
            time_wait: TimeWait::default(),
            next_port: *EPHEMERAL.start(),
            tasks: BTreeMap::new(),
            next_task: 0,
        });
        Ok(id)
    }

    fn free_address(&self, id: usize) -> io::Result<IpAddr> {
        // From 10.0.0.1; the given addresses may be in the way.
        let start = u32::try_from(id).unwrap_or(u32::MAX).saturating_add(1);
        (start..1 << 24)
            .map(|number| IpAddr::V4(Ipv4Addr::from_bits((10 << 24) | number)))
            .find(|address| !self.by_address.contains_key(address))
            .ok_or_else(|| io::ErrorKind::AddrNotAvailable.into())
    }

    /// The path between two hosts; made when it is first needed.
    #[inline]
    pub(super) fn path(&mut self, from: usize, to: usize) -> Option<&mut Path> {
        let link = if from == to { &self.loopback } else { &self.default_link };
        let paths = &mut self.hosts.get_mut(from)?.paths;
        if paths.len() <= to {
            paths.resize_with(to + 1, || None);
        }
        let slot = paths.get_mut(to)?;
        Some(slot.get_or_insert_with(|| Box::new(Path::new(Rc::clone(link), false))))
    }

    /// Gives the default link to all paths without one of their own.
    pub(super) fn set_default_link(&mut self, link: Link) {
        self.default_link = Rc::new(link);
        for (from, host) in self.hosts.iter_mut().enumerate() {
            for (to, path) in host.paths.iter_mut().enumerate() {
                if let Some(path) = path
                    && !path.own
                    && from != to
                {
                    path.link = Rc::clone(&self.default_link);
                }
            }
        }
    }

    pub(super) fn is_up(&self, host: usize) -> bool {
        self.hosts.get(host).is_some_and(|host| host.up)
    }

    /// The host that an address means, seen from a host.
    pub(super) fn route(&self, from: usize, to: IpAddr) -> Option<usize> {
        if to.is_loopback() || to.is_unspecified() {
            return Some(from);
        }
        self.by_address.get(&to.to_canonical()).copied()
    }

    /// The address that a host sends from.
    pub(super) fn source(&self, from: usize, to: IpAddr) -> Option<IpAddr> {
        if to.is_loopback() {
            return Some(to);
        }
        let host = self.hosts.get(from)?;
        if host.addresses.contains(&to) {
            return Some(to);
        }
        host.addresses
            .iter()
            .find(|address| address.is_ipv4() == to.is_ipv4())
            .copied()
    }

    /// Whether a host has that address itself.
    pub(super) fn owns(&self, host: usize, address: IpAddr) -> bool {
        address.is_loopback()
            || address.is_unspecified()
            || self
                .hosts
                .get(host)
                .is_some_and(|host| host.addresses.contains(&address.to_canonical()))
    }
}

impl HostState {
    /// A port from the range that is given to those who ask for none, tried in turn.
    pub(super) fn ephemeral(&mut self, is_free: impl Fn(&Self, u16) -> bool) -> Option<u16> {
        for _ in EPHEMERAL {
            let port = self.next_port;
            self.next_port = if port >= *EPHEMERAL.end() {
                *EPHEMERAL.start()
            } else {
                port + 1
            };
            if is_free(self, port) {
                return Some(port);
            }
        }
        None
    }
}
