//! Multicast: one datagram for all who have joined a group.

use std::net::SocketAddr;

use bytes::Bytes;
use net_core::{Datagram, Endpoint, Error, ErrorKind, MulticastInterface, Operation, Result, SocketOptions};

use super::udp::{Peer, address, datagrams};
use crate::{Component, Context, HasInbox, HasOutbox, Inbox, Outbox, Outcome, Signal, System};

datagrams! {
    /// Sends datagrams to a multicast group; else as a [`SimplePeer`](crate::SimplePeer).
    MulticastSender, Bytes, "Datagrams for the group."
}

datagrams! {
    /// Gives what is sent to a multicast group, and from whom. Its inbox is of no use.
    MulticastReceiver, Bytes, "Nothing: it only receives."
}

datagrams! {
    /// Sends datagrams to a multicast group, and gives what is sent to it, and from whom.
    MulticastTransceiver, Bytes, "Datagrams for the group."
}

impl MulticastSender {
    /// A sender with an address of its own (`udp://0.0.0.0:0`: any).
    ///
    /// # Errors
    /// As [`Net::datagram`](net_core::Net::datagram); [`ErrorKind::InvalidInput`] if `group` is no multicast address.
    pub async fn bind(system: &System, local: &Endpoint, group: &Endpoint) -> Result<Self> {
        let group = group_address(system, group).await?;
        Ok(Self::on(system.net().datagram(local).await?, Some(group)))
    }
}

impl MulticastReceiver {
    /// A receiver of what is sent to this group and port: `udp://239.1.2.3:5000`. Several may share the port.
    ///
    /// # Errors
    /// As [`MulticastSender::bind`], and if the group can't be joined.
    pub async fn bind(system: &System, group: &Endpoint) -> Result<Self> {
        let group = group_address(system, group).await?;
        let local = SocketAddr::new(any(group), group.port());
        Ok(Self::on(joined(system, &Endpoint::udp(local), group).await?, None))
    }
}

impl MulticastTransceiver {
    /// A peer with an address of its own whose port others may share; it sends to `group` and receives what is sent there,
    /// if the ports are the same.
    ///
    /// # Errors
    /// As [`MulticastReceiver::bind`].
    pub async fn bind(system: &System, local: &Endpoint, group: &Endpoint) -> Result<Self> {
        let group = group_address(system, group).await?;
        Ok(Self::on(joined(system, local, group).await?, Some(group)))
    }
}

async fn group_address(system: &System, group: &Endpoint) -> Result<SocketAddr> {
    let found = address(system, group).await?;
    if found.ip().is_multicast() {
        return Ok(found);
    }
    Err(Error::new(ErrorKind::InvalidInput, Operation::Configure)
        .at(group)
        .detail("it is no multicast address: those are 224.0.0.0 to 239.255.255.255, and ff00::/8"))
}

/// The address of all interfaces, of the same family.
fn any(group: SocketAddr) -> std::net::IpAddr {
    match group {
        SocketAddr::V4(_) => std::net::Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => std::net::Ipv6Addr::UNSPECIFIED.into(),
    }
}

async fn joined(system: &System, local: &Endpoint, group: SocketAddr) -> Result<Datagram> {
    let options = SocketOptions::default().reuse_port(true);
    let socket = system.net().datagram_with(local, &options).await?;
    socket.join(group.ip(), MulticastInterface::Any)?;
    Ok(socket)
}

macro_rules! runs {
    ($($peer:ident)*) => {$(
        impl Component for $peer {
            async fn main(self, context: Context) -> Outcome {
                let peer = Peer {
                    socket: self.socket,
                    outbox: self.outbox.into_sink(),
                    control: self.control,
                    targets: None,
                    target: self.receiver,
                };
                peer.run(self.inbox, context, |data, to| Some((data, to?))).await
            }
        }
    )*};
}
runs!(MulticastSender MulticastReceiver MulticastTransceiver);
