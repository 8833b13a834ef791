//! Listeners, as handles.

use std::io;
use std::task::{Context, Poll};

use net_core::{Endpoint, Plain, RawListener};

use super::stream::Handle;
use super::waiter;
use crate::environment::queue::Slot;
use crate::network::tcp::{ListenAddress, SERVER};
use crate::network::world::find;

#[derive(Debug)]
pub(super) struct Listener {
    pub(super) world: u64,
    pub(super) slot: Slot,
    pub(super) local: Endpoint,
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
                    listener.waiter = Some(waiter(core, cx, "a connection to", Some(&name.into())));
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
