//! Multicast: one datagram for all who have joined a group.

use std::net::SocketAddr;

use bytes::Bytes;
use net_core::{Datagram, Endpoint, Error, ErrorKind, MulticastInterface, Operation, Result, SocketOptions};

use super::udp::{Peer, address, datagrams, runs};
use crate::{HasInbox, HasOutbox, Inbox, Outbox, Signal, System};

/// How far a sender's datagrams go, as in Kamaelia.
const SENDER_TTL: u8 = 10;

datagrams! {
    /// Sends datagrams to a multicast group; else as a [`SimplePeer`](crate::SimplePeer). They pass up to 9 routers, as in
    /// Kamaelia, unless [`bind_with`](Self::bind_with) says otherwise.
    MulticastSender, Bytes, "Datagrams for the group."
}

datagrams! {
    /// Gives what is sent to a multicast group, and from whom. Its inbox is of no use.
    MulticastReceiver, Bytes, "Nothing: it only receives."
}

datagrams! {
    /// Sends datagrams to a multicast group, and gives what is sent to it, and from whom. They pass any number of routers, as
    /// in Kamaelia, unless [`bind_with`](Self::bind_with) says otherwise.
    MulticastTransceiver, Bytes, "Datagrams for the group."
}

impl MulticastSender {
    /// A sender with an address of its own (`udp://0.0.0.0:0`: any).
    ///
    /// # Errors
    /// As [`Net::datagram`](net_core::Net::datagram); [`ErrorKind::InvalidInput`] if `group` is no multicast address.
    pub async fn bind(system: &System, local: &Endpoint, group: &Endpoint) -> Result<Self> {
        Self::bind_with(
            system,
            local,
            group,
            &SocketOptions::default().multicast_ttl(SENDER_TTL),
        )
        .await
    }

    /// The same with options: how far the datagrams go ([`multicast_ttl`](SocketOptions::multicast_ttl)), the sizes of buffers.
    ///
    /// # Errors
    /// As [`bind`](Self::bind).
    pub async fn bind_with(
        system: &System,
        local: &Endpoint,
        group: &Endpoint,
        options: &SocketOptions,
    ) -> Result<Self> {
        let group = group_address(system, group).await?;
        Ok(Self::on(system.net().datagram_with(local, options).await?, Some(group)))
    }
}

impl MulticastReceiver {
    /// A receiver of what is sent to this group and port: `udp://239.1.2.3:5000`. Several may share the port.
    ///
    /// # Errors
    /// As [`MulticastSender::bind`], and if the group can't be joined.
    pub async fn bind(system: &System, group: &Endpoint) -> Result<Self> {
        Self::bind_with(system, group, &SocketOptions::default()).await
    }

    /// The same with options: the sizes of buffers.
    ///
    /// # Errors
    /// As [`bind`](Self::bind).
    pub async fn bind_with(system: &System, group: &Endpoint, options: &SocketOptions) -> Result<Self> {
        let group = group_address(system, group).await?;
        let local = SocketAddr::new(any(group), group.port());
        Ok(Self::on(
            joined(system, &Endpoint::udp(local), group, options).await?,
            None,
        ))
    }
}

impl MulticastTransceiver {
    /// A peer with an address of its own whose port others may share; it sends to `group` and receives what is sent there,
    /// if the ports are the same.
    ///
    /// # Errors
    /// As [`MulticastReceiver::bind`].
    pub async fn bind(system: &System, local: &Endpoint, group: &Endpoint) -> Result<Self> {
        Self::bind_with(system, local, group, &SocketOptions::default().multicast_ttl(u8::MAX)).await
    }

    /// The same with options: how far the datagrams go ([`multicast_ttl`](SocketOptions::multicast_ttl)), the sizes of buffers.
    ///
    /// # Errors
    /// As [`bind`](Self::bind).
    pub async fn bind_with(
        system: &System,
        local: &Endpoint,
        group: &Endpoint,
        options: &SocketOptions,
    ) -> Result<Self> {
        let group = group_address(system, group).await?;
        Ok(Self::on(joined(system, local, group, options).await?, Some(group)))
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

async fn joined(system: &System, local: &Endpoint, group: SocketAddr, options: &SocketOptions) -> Result<Datagram> {
    let options = options.clone().reuse_port(true);
    let socket = system.net().datagram_with(local, &options).await?;
    socket.join(group.ip(), MulticastInterface::Any)?;
    Ok(socket)
}

runs!(MulticastSender MulticastReceiver MulticastTransceiver);
