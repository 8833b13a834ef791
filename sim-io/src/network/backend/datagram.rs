//! Datagram sockets, as handles.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::task::{Context, Poll};

use net_core::{MulticastInterface, RawDatagram};
use tokio::io::ReadBuf;

use super::waiter;
use crate::environment::queue::Slot;
use crate::network::world::find;

#[derive(Debug)]
pub(super) struct Datagram {
    pub(super) world: u64,
    pub(super) slot: Slot,
    pub(super) local: SocketAddr,
}

impl RawDatagram for Datagram {
    fn poll_receive(&self, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<SocketAddr>> {
        let received = find(self.world)?.with(|state, core| {
            state.receive(self.slot, buffer, |at| {
                waiter(core, cx, "a datagram to", Some(&at.to_string().into()))
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
