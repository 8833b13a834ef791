//! What a host gives to `net_core::Net`: handles that are numbers, and so are `Send`.

use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use net_core::{
    Address, Backend, BoxFuture, Endpoint, Instant, MulticastInterface, Plain, RawDatagram, RawListener, SocketOptions,
    Timer, Transport, UnixName,
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::tcp::{CLIENT, ListenAddress, SERVER, Which};
use super::world::{HostState, Waiter, World, find};
use crate::Environment;
use crate::environment::alarm::Alarm;
use crate::environment::core::{Core, WaitsFor};
use crate::environment::queue::Slot;

/// The backend of one host.
#[derive(Debug)]
pub(super) struct HostBackend {
    pub(super) world: u64,
    pub(super) host: usize,
}

/// Who polls, with what it waits for told to the environment.
fn waiter(core: &Core, cx: &Context<'_>, what: &'static str, name: Option<Rc<str>>) -> Waiter {
    core.waits_for(WaitsFor::Thing(what, name));
    match core.asking(cx) {
        Some(process) => Waiter::Process(process),
        None => Waiter::Other(cx.waker().clone()),
    }
}

impl Backend for HostBackend {
    fn resolve<'a>(&'a self, host: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        Box::pin(async move {
            let world = find(self.world)?;
            let name = host.to_lowercase();
            if name == "localhost" {
                return Ok(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]);
            }
            world.with(|state, _| {
                let id = state.fabric.by_name.get(&name);
                match id.and_then(|id| state.fabric.hosts.get(*id)) {
                    Some(host) => Ok(host.addresses.clone()),
                    None => Err(io::Error::new(
                        io::ErrorKind::NotFound,
                        format!("the simulated network has no host {host:?}"),
                    )),
                }
            })
        })
    }

    fn connect<'a>(
        &'a self,
        to: &'a Address,
        from: Option<SocketAddr>,
        options: &'a SocketOptions,
    ) -> BoxFuture<'a, io::Result<Plain>> {
        Box::pin(async move {
            let connecting = match to {
                Address::Ip(to) => self.connect_ip(*to, from, options)?,
                Address::Unix(name) => self.connect_unix(name, options)?,
                _ => return Err(io::ErrorKind::Unsupported.into()),
            };
            connecting.await
        })
    }

    fn bind<'a>(
        &'a self,
        at: &'a Address,
        options: &'a SocketOptions,
    ) -> BoxFuture<'a, io::Result<Box<dyn RawListener>>> {
        Box::pin(async move {
            let world = find(self.world)?;
            let (slot, local) = match at {
                Address::Ip(at) => {
                    let (slot, at) = world.with(|state, core| state.bind_tcp(self.host, *at, options, core.now()))?;
                    (slot, Endpoint::tcp(at))
                }
                Address::Unix(name) => {
                    let slot = world.with(|state, _| state.bind_unix(self.host, name, options))?;
                    (slot, Endpoint::Unix(name.clone()))
                }
                _ => return Err(io::ErrorKind::Unsupported.into()),
            };
            let listener: Box<dyn RawListener> = Box::new(Listener {
                world: self.world,
                slot,
                local,
            });
            Ok(listener)
        })
    }

    fn datagram<'a>(
        &'a self,
        at: SocketAddr,
        options: &'a SocketOptions,
    ) -> BoxFuture<'a, io::Result<Box<dyn RawDatagram>>> {
        Box::pin(async move {
            let (slot, local) = find(self.world)?.with(|state, _| state.bind_udp(self.host, at, options))?;
            let datagram: Box<dyn RawDatagram> = Box::new(Datagram {
                world: self.world,
                slot,
                local,
            });
            Ok(datagram)
        })
    }

    fn now(&self) -> Instant {
        find(self.world).map_or(Instant::ZERO, |world| world.core.now())
    }

    fn sleep_until(&self, at: Instant) -> Box<dyn Timer> {
        Box::new(Alarm::new(self.world, |id| Ok(Rc::clone(&find(id)?.core)), at))
    }

    fn spawn(&self, task: BoxFuture<'static, ()>) -> io::Result<()> {
        let world = find(self.world)?;
        let (id, name) = world.with(|state, _| {
            let host = state.fabric.hosts.get_mut(self.host).filter(|host| host.up);
            let host = host.ok_or(io::ErrorKind::NetworkDown)?;
            host.next_task += 1;
            Ok::<_, io::Error>((host.next_task, format!("{} task {}", host.name, host.next_task)))
        })?;
        let (world_id, host) = (self.world, self.host);
        let process = Environment::handle(&world.core).named_process(&name, async move {
            task.await;
            if let Ok(world) = find(world_id) {
                let done = world.with(|state, _| state.fabric.hosts.get_mut(host)?.tasks.remove(&id));
                drop(done);
            }
        });
        world.with(|state, _| {
            if let Some(host) = state.fabric.hosts.get_mut(self.host) {
                host.tasks.insert(id, process);
            }
        });
        Ok(())
    }

    fn random(&self) -> u64 {
        find(self.world).map_or(0, |world| world.core.random())
    }
}

impl HostBackend {
    fn connect_ip(&self, to: SocketAddr, from: Option<SocketAddr>, options: &SocketOptions) -> io::Result<Connecting> {
        let world = &find(self.world)?;
        let slot = world.with(|state, core| {
            let fabric = &mut state.fabric;
            if !fabric.is_up(self.host) {
                return Err(io::ErrorKind::NetworkDown.into());
            }
            let mut to = SocketAddr::new(to.ip().to_canonical(), to.port());
            // Linux takes "any address" as a destination for this host.
            match to.ip() {
                IpAddr::V4(ip) if ip.is_unspecified() => to.set_ip(Ipv4Addr::LOCALHOST.into()),
                IpAddr::V6(ip) if ip.is_unspecified() => to.set_ip(Ipv6Addr::LOCALHOST.into()),
                _ => {}
            }
            let there = fabric.route(self.host, to.ip()).ok_or(io::ErrorKind::HostUnreachable)?;
            let ip = match from.map(|from| from.ip()).filter(|ip| !ip.is_unspecified()) {
                Some(ip) if fabric.owns(self.host, ip) => ip,
                Some(_) => return Err(io::ErrorKind::AddrNotAvailable.into()),
                None => fabric
                    .source(self.host, to.ip())
                    .ok_or(io::ErrorKind::NetworkUnreachable)?,
            };
            let owner = fabric.hosts.get_mut(self.host).ok_or(io::ErrorKind::NetworkDown)?;
            let is_free = |owner: &HostState, port| {
                let here = SocketAddr::new(ip, port);
                !owner.outgoing.contains(&(port, to)) && !owner.time_wait.holds(core.now(), here, to)
            };
            let port = match from.map_or(0, |from| from.port()) {
                0 => owner.ephemeral(|owner, port| is_free(owner, port) && !owner.tcp.contains_key(&port)),
                port => Some(port).filter(|port| is_free(owner, *port)),
            };
            let port = port.ok_or(io::ErrorKind::AddrNotAvailable)?;
            let here = SocketAddr::new(ip, port);
            Ok::<_, io::Error>(state.connect(
                world,
                [self.host, there],
                [here, to],
                [Endpoint::tcp(here), Endpoint::tcp(to)],
                options,
                None,
            ))
        })?;
        Ok(Connecting(Some(Handle {
            world: self.world,
            slot,
            which: CLIENT,
            reset: true,
        })))
    }

    fn connect_unix(&self, name: &UnixName, options: &SocketOptions) -> io::Result<Connecting> {
        let world = &find(self.world)?;
        let slot = world.with(|state, _| {
            let host = state.fabric.hosts.get_mut(self.host).filter(|host| host.up);
            let host = host.ok_or(io::ErrorKind::NetworkDown)?;
            let listener = *host.unix.get(name).ok_or(io::ErrorKind::ConnectionRefused)?;
            let nowhere = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 0);
            let endpoint = Endpoint::Unix(name.clone());
            Ok::<_, io::Error>(state.connect(
                world,
                [self.host; 2],
                [nowhere; 2],
                [endpoint.clone(), endpoint],
                options,
                Some(listener),
            ))
        })?;
        Ok(Connecting(Some(Handle {
            world: self.world,
            slot,
            which: CLIENT,
            reset: true,
        })))
    }
}

/// A program's hold on one end of a connection: dropping it closes the end.
#[derive(Debug)]
struct Handle {
    world: u64,
    slot: Slot,
    which: Which,
    reset: bool,
}

impl Drop for Handle {
    fn drop(&mut self) {
        if let Ok(world) = find(self.world) {
            world.with(|state, core| state.close(core, self.slot, self.which, self.reset));
        }
    }
}

impl Handle {
    fn into_plain(mut self, world: &World) -> Plain {
        self.reset = false;
        let [local, peer] = world.with(|state, _| {
            let ends = state.conns.get(self.slot).map(|conn| &conn.ends);
            [self.which, 1 - self.which].map(|which| match ends {
                Some(ends) => ends[which].endpoint.clone(),
                None => Endpoint::tcp((Ipv4Addr::UNSPECIFIED, 0)),
            })
        });
        Plain::new(Connection {
            handle: self,
            local,
            peer,
        })
    }
}

/// A connection that is being made; dropping it gives up.
struct Connecting(Option<Handle>);

impl Future for Connecting {
    type Output = io::Result<Plain>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(handle) = &self.0 else { return Poll::Pending };
        let world = find(handle.world)?;
        let slot = handle.slot;
        let outcome =
            world.with(|state, core| state.poll_connect(slot, || waiter(core, cx, "an answer to connecting", None)));
        match outcome {
            None => Poll::Pending,
            Some(Err(error)) => {
                self.0 = None;
                Poll::Ready(Err(error))
            }
            Some(Ok(())) => match self.0.take() {
                Some(handle) => Poll::Ready(Ok(handle.into_plain(&world))),
                None => Poll::Pending,
            },
        }
    }
}

/// One end of a connection, as a transport.
#[derive(Debug)]
struct Connection {
    handle: Handle,
    local: Endpoint,
    peer: Endpoint,
}

impl Transport for Connection {
    fn local(&self) -> Endpoint {
        self.local.clone()
    }

    fn peer(&self) -> Endpoint {
        self.peer.clone()
    }

    fn reset_on_drop(&mut self) {
        // A Unix socket has no reset.
        self.handle.reset = !matches!(self.local, Endpoint::Unix(_));
    }
}

impl Connection {
    fn write(&self, cx: &Context<'_>, slices: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let Handle { world, slot, which, .. } = self.handle;
        let written = find(world)?.with(|state, core| {
            state.write(core, slot, which, slices, |name| {
                waiter(core, cx, "room to write on", Some(Rc::clone(name)))
            })
        });
        written.map_or(Poll::Pending, Poll::Ready)
    }
}

impl AsyncRead for Connection {
    #[inline]
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let Handle { world, slot, which, .. } = self.handle;
        let read = find(world)?.with(|state, core| {
            state.read(core, slot, which, into, |name| {
                waiter(core, cx, "data on", Some(Rc::clone(name)))
            })
        });
        read.map_or(Poll::Pending, Poll::Ready)
    }
}

impl AsyncWrite for Connection {
    #[inline]
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        self.write(cx, &[io::IoSlice::new(data)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.write(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Handle { world, slot, which, .. } = self.handle;
        Poll::Ready(find(world)?.with(|state, core| state.shutdown(core, slot, which)))
    }
}

#[derive(Debug)]
struct Listener {
    world: u64,
    slot: Slot,
    local: Endpoint,
}

impl RawListener for Listener {
    fn listen(&mut self, backlog: u32) -> io::Result<()> {
        find(self.world)?.with(|state, _| match state.listeners.get_mut(self.slot) {
            Some(listener) => {
                listener.backlog = Some(backlog as usize);
                Ok(())
            }
            None => Err(io::ErrorKind::NetworkDown.into()),
        })
    }

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Plain>> {
        let world = find(self.world)?;
        let accepted = world.with(|state, core| {
            let Some(listener) = state.listeners.get_mut(self.slot) else {
                // The host has crashed; what was bound there is gone for good.
                return Some(Err(io::Error::new(io::ErrorKind::InvalidInput, "the host has crashed")));
            };
            if listener.backlog.is_none() {
                return Some(Err(io::Error::new(io::ErrorKind::InvalidInput, "accept before listen")));
            }
            match listener.pending.pop_front() {
                Some(slot) => Some(Ok(slot)),
                None => {
                    let name = match &listener.address {
                        ListenAddress::Ip(at) => at.to_string(),
                        ListenAddress::Unix(name) => name.to_string(),
                    };
                    listener.waiter = Some(waiter(core, cx, "a connection to", Some(name.into())));
                    None
                }
            }
        });
        match accepted {
            None => Poll::Pending,
            Some(Err(error)) => Poll::Ready(Err(error)),
            Some(Ok(slot)) => {
                let handle = Handle {
                    world: self.world,
                    slot,
                    which: SERVER,
                    reset: true,
                };
                Poll::Ready(Ok(handle.into_plain(&world)))
            }
        }
    }

    fn local(&self) -> Endpoint {
        self.local.clone()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Ok(world) = find(self.world) {
            world.with(|state, core| state.close_listener(core, self.slot));
        }
    }
}

#[derive(Debug)]
struct Datagram {
    world: u64,
    slot: Slot,
    local: SocketAddr,
}

impl RawDatagram for Datagram {
    fn poll_receive(&self, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<SocketAddr>> {
        let received = find(self.world)?.with(|state, core| {
            state.receive(self.slot, buffer, |at| {
                waiter(core, cx, "a datagram to", Some(at.to_string().into()))
            })
        });
        received.map_or(Poll::Pending, Poll::Ready)
    }

    fn poll_send(&self, _: &mut Context<'_>, data: &[u8], to: SocketAddr) -> Poll<io::Result<usize>> {
        let world = find(self.world)?;
        Poll::Ready(world.with(|state, _| state.send(&world, self.slot, data, to)))
    }

    fn local(&self) -> io::Result<SocketAddr> {
        Ok(self.local)
    }

    fn multicast(&self, group: IpAddr, interface: MulticastInterface, join: bool) -> io::Result<()> {
        if let (IpAddr::V4(_), MulticastInterface::Index(_)) | (IpAddr::V6(_), MulticastInterface::Address(_)) =
            (group, interface)
        {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "an IPv4 group goes with an interface address, an IPv6 group with an index",
            ));
        }
        find(self.world)?.with(|state, _| state.multicast(self.slot, group, join))
    }

    fn set_broadcast(&self, on: bool) -> io::Result<()> {
        find(self.world)?.with(|state, _| state.set_broadcast(self.slot, on))
    }
}

impl Drop for Datagram {
    fn drop(&mut self) {
        if let Ok(world) = find(self.world) {
            world.with(|state, _| state.close_udp(self.slot));
        }
    }
}
