//! Datagrams: they may be lost, doubled and reordered, and never arrive damaged or in part.

use std::collections::{BTreeSet, VecDeque};
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::rc::{Rc, Weak};

use net_core::SocketOptions;

use super::path::Fate;
use super::tap::{Packet as Seen, PacketKind};
use super::tcp::Parked;
use super::world::{State, Waiter, World};
use crate::environment::core::{Core, Fire, Fired};
use crate::environment::queue::{Priority, Slot};

/// A datagram on its way.
#[derive(Clone, Debug)]
pub(super) struct Packet {
    pub(super) from_host: usize,
    pub(super) to_host: usize,
    pub(super) from: SocketAddr,
    pub(super) to: SocketAddr,
    pub(super) data: Rc<[u8]>,
}

/// A bound datagram socket.
pub(super) struct Socket {
    host: usize,
    address: SocketAddr,
    options: SocketOptions,
    broadcast: bool,
    groups: BTreeSet<IpAddr>,
    received: VecDeque<(SocketAddr, Rc<[u8]>)>,
    /// Bytes in `received`, with what Linux counts besides.
    held: usize,
    /// Several tasks may wait.
    waiters: Vec<Waiter>,
}

/// The most that a datagram carries over IPv4.
const LARGEST: usize = 65_507;
/// Linux's default of what waits for a receiver, and about what it counts for each datagram besides its bytes.
const RECEIVE_BUFFER: usize = 212_992;
const OVERHEAD: usize = 512;
/// EMSGSIZE, for which std has no kind.
const TOO_LONG: i32 = 90;

/// The arrival of a datagram.
struct Arrival {
    world: Weak<World>,
    packet: Packet,
}

impl Fire for Arrival {
    fn fire(self: Rc<Self>, _: &Rc<Core>) -> Fired {
        if let Some(world) = self.world.upgrade() {
            world.with_event(|state, _| state.receive_packet(&self.packet));
        }
        Fired::On
    }

    fn name(&self) -> Option<Rc<str>> {
        Some(format!("datagram {} > {}", self.packet.from, self.packet.to).into())
    }
}

impl Socket {
    fn takes(&self, to: SocketAddr) -> bool {
        let ip = to.ip();
        if is_broadcast(ip) {
            return self.address.is_ipv4();
        }
        if ip.is_multicast() {
            return self.groups.contains(&ip);
        }
        let both = self.address.is_ipv6() && self.options.v6_only != Some(true);
        self.address.ip() == ip
            || self.address.ip().is_unspecified() && (self.address.is_ipv4() == ip.is_ipv4() || both)
    }
}

fn is_broadcast(ip: IpAddr) -> bool {
    ip == IpAddr::V4(Ipv4Addr::BROADCAST)
}

impl State {
    pub(super) fn bind_udp(
        &mut self,
        host: usize,
        mut at: SocketAddr,
        options: &SocketOptions,
    ) -> io::Result<(Slot, SocketAddr)> {
        if !self.fabric.is_up(host) {
            return Err(io::ErrorKind::NetworkDown.into());
        }
        if !self.fabric.owns(host, at.ip()) && !at.ip().is_multicast() {
            return Err(io::ErrorKind::AddrNotAvailable.into());
        }
        let Self { fabric, sockets, .. } = self;
        let owner = fabric.hosts.get_mut(host).ok_or(io::ErrorKind::NetworkDown)?;
        let collides = |owner: &super::world::HostState, at: SocketAddr| {
            let slots = owner.udp.get(&at.port()).into_iter().flatten();
            slots.filter_map(|slot| sockets.get(*slot)).any(|other: &Socket| {
                let same = other.address.ip() == at.ip()
                    || other.address.is_ipv4() == at.is_ipv4()
                        && (other.address.ip().is_unspecified() || at.ip().is_unspecified());
                same && !(other.options.reuse_port && options.reuse_port)
            })
        };
        if at.port() == 0 {
            let port = owner.ephemeral(|owner, port| !collides(owner, SocketAddr::new(at.ip(), port)));
            at.set_port(port.ok_or(io::ErrorKind::AddrInUse)?);
        } else if collides(owner, at) {
            return Err(io::ErrorKind::AddrInUse.into());
        }
        let slot = sockets.insert(Socket {
            host,
            address: at,
            options: options.clone(),
            broadcast: false,
            groups: BTreeSet::new(),
            received: VecDeque::new(),
            held: 0,
            waiters: Vec::new(),
        });
        owner.udp.entry(at.port()).or_default().push(slot);
        Ok((slot, at))
    }

    pub(super) fn close_udp(&mut self, slot: Slot) {
        let Some(socket) = self.sockets.remove(slot) else {
            return;
        };
        if let Some(host) = self.fabric.hosts.get_mut(socket.host)
            && let Some(slots) = host.udp.get_mut(&socket.address.port())
        {
            slots.retain(|other| *other != slot);
            if slots.is_empty() {
                host.udp.remove(&socket.address.port());
            }
        }
    }

    /// Whoever waits for a datagram hears that the host is down.
    pub(super) fn crash_udp(&mut self, slot: Slot) {
        if let Some(socket) = self.sockets.remove(slot) {
            self.fabric.woken.extend(socket.waiters);
        }
    }

    fn socket(&mut self, slot: Slot) -> io::Result<&mut Socket> {
        // Its host has crashed meanwhile.
        self.sockets
            .get_mut(slot)
            .ok_or_else(|| io::ErrorKind::NetworkDown.into())
    }

    pub(super) fn set_broadcast(&mut self, slot: Slot, on: bool) -> io::Result<()> {
        self.socket(slot)?.broadcast = on;
        Ok(())
    }

    pub(super) fn multicast(&mut self, slot: Slot, group: IpAddr, join: bool) -> io::Result<()> {
        let socket = self.socket(slot)?;
        if !group.is_multicast() {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let changed = if join {
            socket.groups.insert(group)
        } else {
            socket.groups.remove(&group)
        };
        match (changed, join) {
            (true, _) => Ok(()),
            (false, true) => Err(io::ErrorKind::AddrInUse.into()),
            (false, false) => Err(io::ErrorKind::AddrNotAvailable.into()),
        }
    }

    pub(super) fn receive(
        &mut self,
        slot: Slot,
        into: &mut tokio::io::ReadBuf<'_>,
        waiter: impl FnOnce(&SocketAddr) -> Waiter,
    ) -> Option<io::Result<SocketAddr>> {
        let socket = match self.socket(slot) {
            Ok(socket) => socket,
            Err(error) => return Some(Err(error)),
        };
        let Some((from, data)) = socket.received.pop_front() else {
            let waiter = waiter(&socket.address);
            if !socket.waiters.iter().any(|other| other.is(&waiter)) {
                socket.waiters.push(waiter);
            }
            return None;
        };
        socket.held = socket.held.saturating_sub(data.len() + OVERHEAD);
        let n = data.len().min(into.remaining());
        into.put_slice(&data[..n]);
        Some(Ok(from))
    }

    pub(super) fn send(&mut self, world: &World, slot: Slot, data: &[u8], to: SocketAddr) -> io::Result<usize> {
        let socket = self.socket(slot)?;
        let (host, mut from, broadcast) = (socket.host, socket.address, socket.broadcast);
        let to = SocketAddr::new(to.ip().to_canonical(), to.port());
        if data.len() > LARGEST {
            return Err(io::Error::from_raw_os_error(TOO_LONG));
        }
        if to.port() == 0 {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let everybody = is_broadcast(to.ip());
        if everybody && !broadcast {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        let data: Rc<[u8]> = data.into();
        let hosts: Vec<usize> = if everybody || to.ip().is_multicast() {
            (0..self.fabric.hosts.len()).collect()
        } else {
            match self.fabric.route(host, to.ip()) {
                Some(there) => vec![there],
                None => return Err(io::ErrorKind::HostUnreachable.into()),
            }
        };
        if from.ip().is_unspecified() {
            let towards = if to.ip().is_multicast() || everybody {
                let addresses = self.fabric.hosts.get(host).map(|host| host.addresses.as_slice());
                let own = addresses.unwrap_or_default().iter();
                own.copied().find(|own| own.is_ipv4() == to.is_ipv4())
            } else {
                self.fabric.source(host, to.ip())
            };
            from.set_ip(towards.ok_or(io::ErrorKind::NetworkUnreachable)?);
        }
        for there in hosts {
            self.send_packet(
                world,
                Packet {
                    from_host: host,
                    to_host: there,
                    from,
                    to,
                    data: Rc::clone(&data),
                },
            );
        }
        Ok(data.len())
    }

    pub(super) fn send_packet(&mut self, world: &World, packet: Packet) {
        let core = &world.core;
        let fabric = &mut self.fabric;
        let Some(path) = fabric.path(packet.from_host, packet.to_host) else {
            return;
        };
        let header = if packet.from.is_ipv4() { 20 } else { 40 };
        let room = path.link.largest_packet() - header;
        let fragments = (packet.data.len() + 8).div_ceil(room);
        let bytes = packet.data.len() + 8 + fragments * header;
        let fate = fabric.send([packet.from_host, packet.to_host], bytes, fragments, core);
        if fabric.watched {
            let [from_host, to_host] = fabric.names(packet.from_host, packet.to_host);
            fabric.seen.push(Seen {
                at: core.now(),
                from_host,
                to_host,
                from: packet.from,
                to: packet.to,
                kind: PacketKind::Datagram,
                sequence: 0,
                acknowledgement: 0,
                window: 0,
                data: Rc::clone(&packet.data),
                segment: room,
                outcome: fate.into(),
            });
        }
        match fate {
            Fate::Held => {
                if let Some(path) = fabric.path(packet.from_host, packet.to_host) {
                    path.parked.push(Parked::Datagram(Box::new(packet)));
                }
            }
            Fate::Lost | Fate::Corrupt => {
                fabric.stats.packets += 1;
                fabric.stats.lost += 1;
                fabric.stats.corrupt += u64::from(fate == Fate::Corrupt);
            }
            Fate::Arrives(at, copy) => {
                fabric.stats.packets += 1;
                fabric.stats.duplicates += u64::from(copy.is_some());
                let arrival = Rc::new(Arrival {
                    world: Weak::clone(&world.own),
                    packet,
                });
                if let Some(copy) = copy {
                    let again: Rc<dyn Fire> = Rc::<Arrival>::clone(&arrival);
                    core.schedule(again, copy, Priority::NORMAL);
                }
                core.schedule(arrival, at, Priority::NORMAL);
            }
        }
    }

    fn receive_packet(&mut self, packet: &Packet) {
        let Self { fabric, sockets, .. } = self;
        if !fabric.is_up(packet.to_host) {
            fabric.stats.lost += 1;
            return;
        }
        let Some(host) = fabric.hosts.get(packet.to_host) else {
            return;
        };
        let several = packet.to.ip().is_multicast() || is_broadcast(packet.to.ip());
        // The socket that is bound to the address itself comes first, as on Linux.
        let mut slots: Vec<Slot> = host.udp.get(&packet.to.port()).cloned().unwrap_or_default();
        slots.retain(|slot| {
            sockets
                .get(*slot)
                .is_some_and(|socket: &Socket| socket.takes(packet.to))
        });
        if !several {
            let exact = |slot: &Slot| {
                sockets
                    .get(*slot)
                    .is_some_and(|socket| socket.address.ip() == packet.to.ip())
            };
            let chosen = slots.iter().copied().find(exact).or(slots.first().copied());
            slots = chosen.into_iter().collect();
        }
        for slot in slots {
            let Some(socket) = sockets.get_mut(slot) else { continue };
            let cost = packet.data.len() + OVERHEAD;
            let limit = socket.options.receive_buffer.unwrap_or(RECEIVE_BUFFER);
            if socket.held + cost > limit && !socket.received.is_empty() {
                fabric.stats.overflows += 1;
                continue;
            }
            socket.held += cost;
            socket.received.push_back((packet.from, Rc::clone(&packet.data)));
            fabric.woken.append(&mut socket.waiters);
        }
    }
}
