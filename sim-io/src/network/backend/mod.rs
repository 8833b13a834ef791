//! What a host gives to `net_core::Net`: handles that are numbers, and so are `Send`.

mod datagram;
mod listener;
mod stream;

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::rc::Rc;
use std::task::Context;

use net_core::{
    Address, Backend, BoxFuture, Endpoint, Instant, Plain, RawDatagram, RawListener, SocketOptions, Timer, UnixName,
};

use self::datagram::Datagram;
use self::listener::Listener;
use self::stream::{Connecting, Handle};
use super::tcp::CLIENT;
use super::world::{HostState, Waiter, find};
use crate::Environment;
use crate::environment::alarm::Alarm;
use crate::environment::core::{Core, WaitsFor};

/// The backend of one host.
#[derive(Debug)]
pub(super) struct HostBackend {
    pub(super) world: u64,
    pub(super) host: usize,
}

/// Who polls, with what it waits for told to the environment.
fn waiter(core: &Core, cx: &Context<'_>, what: &'static str, name: Option<&Rc<str>>) -> Waiter {
    match name {
        Some(name) => core.waits_for_named(what, name),
        None => core.waits_for(WaitsFor::Thing(what, None)),
    }
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
