//! UDP: datagrams that may be lost, doubled or reordered.

use std::io;
use std::net::{IpAddr, SocketAddr};

use bytes::{Bytes, BytesMut};
use tokio::io::ReadBuf;

use crate::backend::RawDatagram;
use crate::backend::waiting::Waiting;
use crate::{Endpoint, Error, ErrorKind, MulticastInterface, Net, Operation, Result};

/// The largest datagram that UDP carries, in bytes.
const LARGEST: usize = 65_535;

/// A UDP socket; made by [`Net::datagram`]. All calls take `&self`, so that one task may send while another receives, and
/// several may receive: each datagram goes to one of them.
///
/// ```
/// use net_core::Net;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> net_core::Result<()> {
/// let net = Net::os();
/// let server = net.datagram(&"udp://127.0.0.1:0".parse()?).await?;
/// let client = net.datagram(&"udp://127.0.0.1:0".parse()?).await?;
/// client.send_to(b"ping", server.local()).await?;
/// let (data, from) = server.receive().await?;
/// assert_eq!((&data[..], &from), (&b"ping"[..], client.local()));
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Datagram {
    raw: Box<dyn RawDatagram>,
    net: Net,
    local: Endpoint,
    receiving: Waiting,
    sending: Waiting,
}

impl Datagram {
    pub(crate) fn new(raw: Box<dyn RawDatagram>, net: &Net) -> Result<Self> {
        let local = raw.local().map_err(|error| Error::from_io(Operation::Bind, error))?;
        Ok(Self {
            raw,
            net: net.clone(),
            local: Endpoint::udp(local),
            receiving: Waiting::new(),
            sending: Waiting::new(),
        })
    }

    /// The address that is bound, with its real port.
    pub fn local(&self) -> &Endpoint {
        &self.local
    }

    /// Sends one datagram. Cancel safe: it is sent whole or not at all. A name is looked up at each call.
    ///
    /// # Errors
    /// What the system reports; [`ErrorKind::Limit`] if the data are more than one datagram carries.
    pub async fn send_to(&self, data: &[u8], to: &Endpoint) -> Result<()> {
        let address = match to.socket_addr() {
            Some(address) => address,
            None => self
                .net
                .resolve(to)
                .await?
                .first()
                .copied()
                .ok_or_else(|| Error::new(ErrorKind::Resolve, Operation::Write).at(to))?,
        };
        self.send_to_addr(data, address).await.map_err(|error| error.at(to))
    }

    /// Sends one datagram to an address that needs no look-up. Cancel safe.
    ///
    /// # Errors
    /// As [`send_to`](Self::send_to).
    pub async fn send_to_addr(&self, data: &[u8], to: SocketAddr) -> Result<()> {
        let sent = self.sending.wait(|cx| self.raw.poll_send(cx, data, to)).await;
        match sent {
            Ok(_) => Ok(()),
            // EMSGSIZE
            Err(error) if error.raw_os_error() == Some(90) => Err(Error::new(ErrorKind::Limit, Operation::Write)
                .at(&Endpoint::udp(to))
                .detail(format!("{} bytes are more than one datagram carries", data.len()))
                .because(error)),
            Err(error) => Err(Error::from_io(Operation::Write, error).at(&Endpoint::udp(to))),
        }
    }

    /// Receives one datagram, whole, and says from whom. Cancel safe. A sender on an IPv6 link-local address can be
    /// answered only with its scope, which [`receive_from`](Self::receive_from) tells.
    ///
    /// # Errors
    /// What the system reports; a port that refused an earlier datagram of ours shows as
    /// [`ErrorKind::Refused`], and receiving can go on.
    pub async fn receive(&self) -> Result<(Bytes, Endpoint)> {
        let mut data = BytesMut::zeroed(LARGEST);
        let (n, from) = self.receive_into(&mut data).await?;
        // Most datagrams are small: a copy of the used part frees the rest.
        Ok((Bytes::copy_from_slice(&data[..n]), from))
    }

    /// Receives one datagram into a buffer; what does not fit is cut off. Cancel safe.
    ///
    /// # Errors
    /// As [`receive`](Self::receive).
    pub async fn receive_into(&self, buffer: &mut [u8]) -> Result<(usize, Endpoint)> {
        let (n, from) = self.receive_from(buffer).await?;
        Ok((n, Endpoint::udp(from)))
    }

    /// [`receive_into`](Self::receive_into) with the sender's address as the backend tells it: that of an IPv6 sender
    /// has its scope, so that [`send_to_addr`](Self::send_to_addr) answers a link-local one too. Cancel safe.
    ///
    /// # Errors
    /// As [`receive`](Self::receive).
    pub async fn receive_from(&self, buffer: &mut [u8]) -> Result<(usize, SocketAddr)> {
        let mut buffer = ReadBuf::new(buffer);
        let from = self
            .receiving
            .wait(|cx| self.raw.poll_receive(cx, &mut buffer))
            .await
            .map_err(|error| Error::from_io(Operation::Read, error).at(&self.local))?;
        Ok((buffer.filled().len(), from))
    }

    /// Joins a multicast group.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] if the interface is of the other family, and what the system reports.
    pub fn join(&self, group: IpAddr, interface: MulticastInterface) -> Result<()> {
        self.configured(self.raw.multicast(group, interface, true))
    }

    /// Leaves a multicast group.
    ///
    /// # Errors
    /// As [`join`](Self::join).
    pub fn leave(&self, group: IpAddr, interface: MulticastInterface) -> Result<()> {
        self.configured(self.raw.multicast(group, interface, false))
    }

    /// Allows sending to broadcast addresses; off at first.
    ///
    /// # Errors
    /// What the system reports.
    pub fn set_broadcast(&self, on: bool) -> Result<()> {
        self.configured(self.raw.set_broadcast(on))
    }

    fn configured(&self, outcome: io::Result<()>) -> Result<()> {
        outcome.map_err(|error| Error::from_io(Operation::Configure, error).at(&self.local))
    }
}
