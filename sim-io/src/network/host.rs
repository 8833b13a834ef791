//! Hosts: where programs run.

use std::fmt;
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;

use net_core::Net;

use super::backend::HostBackend;
use super::bandwidth::{Downlink, Uplink};
use super::world::{HostState, World};

/// A host of a [`Network`](super::Network). Clones are handles on the same one.
#[derive(Clone)]
pub struct Host {
    world: Rc<World>,
    pub(super) id: usize,
}

impl Host {
    pub(super) fn new(world: &Rc<World>, id: usize) -> Self {
        Self {
            world: Rc::clone(world),
            id,
        }
    }

    /// What programs on this host get everything from. Each call gives one with counters and `mem:` names of its own;
    /// clone it where they are to be shared.
    pub fn net(&self) -> Net {
        Net::new(Arc::new(HostBackend {
            world: self.world.id,
            host: self.id,
        }))
    }

    /// Its name.
    pub fn name(&self) -> Rc<str> {
        self.world.with(|state, _| {
            let host = state.fabric.hosts.get(self.id);
            host.map_or_else(|| "".into(), |host| Rc::clone(&host.name))
        })
    }

    /// Its addresses, best first.
    pub fn addresses(&self) -> Vec<IpAddr> {
        self.world.with(|state, _| {
            let host = state.fabric.hosts.get(self.id);
            host.map_or_else(Vec::new, |host| host.addresses.clone())
        })
    }

    /// Whether it runs.
    pub fn is_up(&self) -> bool {
        self.world.with(|state, _| state.fabric.is_up(self.id))
    }

    /// Limits what it can send to all other hosts together, in bits per second, headers included; 0 means 1, and `None`
    /// no limit, which is the default. It comes before the bandwidth of the links, with a queue of 256 KiB: TCP waits for
    /// room in it, other packets that find none are lost.
    pub fn set_uplink(&self, bits_per_second: impl Into<Option<u64>>) {
        let line = bits_per_second.into().map(Uplink::new);
        self.change(|host| host.up_line = line);
    }

    /// Limits what it can receive from all other hosts together, in bits per second, headers included; 0 means 1, and
    /// `None` no limit, which is the default. Streams share it and wait; other packets that would wait behind more than
    /// 256 KiB are lost.
    pub fn set_downlink(&self, bits_per_second: impl Into<Option<u64>>) {
        let line = bits_per_second.into().map(Downlink::new);
        self.change(|host| host.down_line = line);
    }

    fn change(&self, change: impl FnOnce(&mut HostState)) {
        self.world.with(|state, _| {
            state.fabric.limited = true;
            if let Some(host) = state.fabric.hosts.get_mut(self.id) {
                change(host);
            }
        });
    }

    /// It loses power: the tasks that were spawned through its [`Net`] are dropped where they wait, and its connections,
    /// listeners and sockets are gone. The other ends hear nothing of it, until they send something and wait in vain,
    /// or the host is back and answers with a reset.
    pub fn crash(&self) {
        let tasks = self.world.with(|state, core| {
            state.crash(core, self.id);
            let host = state.fabric.hosts.get_mut(self.id);
            host.map_or_else(Default::default, |host| std::mem::take(&mut host.tasks))
        });
        for task in tasks.into_values() {
            task.kill();
        }
    }

    /// It runs again, with nothing of what was; does nothing if it runs already.
    pub fn restart(&self) {
        self.world.with(|state, _| {
            if let Some(host) = state.fabric.hosts.get_mut(self.id) {
                host.up = true;
            }
        });
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host").field("id", &self.id).finish_non_exhaustive()
    }
}
