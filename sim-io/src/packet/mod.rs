//! Packets: a length of four bytes, big-endian, and then so many bytes.
//!
//! ```
//! use sim_io::Environment;
//! use sim_io::network::Network;
//! use sim_io::packet::Packet;
//!
//! let env = Environment::new();
//! let network = Network::new(&env);
//! let (server, client) = (network.host("server")?.net(), network.host("client")?.net());
//! env.try_process(async move {
//!     let mut listener = server.bind(&"tcp://server:5556".parse()?).await?;
//!     let mut packets = Packet::new(listener.accept().await?);
//!     while let Some(packet) = packets.read().await? {
//!         packets.write(&packet).await?;
//!     }
//!     Ok::<_, net_core::Error>(())
//! });
//! let client = env.try_process(async move {
//!     let mut packets = Packet::new(client.connect(&"tcp://server:5556".parse()?).await?);
//!     packets.write("ohai").await?;
//!     assert_eq!(packets.read().await?.as_deref(), Some(&b"ohai"[..]));
//!     Ok::<_, net_core::Error>(())
//! });
//! env.run_until(&client)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The format is that of simpy.io: `ohai` is `00 00 00 04 6f 68 61 69`. An empty packet is legal. Both sides limit the
//! size, to 16,384 bytes unless told otherwise ([`PacketOptions`]).

mod halves;
mod options;
mod payload;

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use bytes::Bytes;
use net_core::framing::LengthPrefix;
use net_core::{CloseReport, Endpoint, Framed, Result, Stream};

pub use halves::{PacketReader, PacketWriter};
pub use options::PacketOptions;
pub use payload::Payload;

/// Packets of bytes.
pub type Packet = Packets<Bytes>;

/// Packets of text, in UTF-8.
pub type PacketUtf8 = Packets<String>;

/// A connection that carries packets of `P`: [`Packet`] or [`PacketUtf8`].
///
/// A packet that breaks the rules (its length is over the limit, its text is no UTF-8, the connection ends inside it)
/// fails that read, closes the connection, and is told again by each later call. Nothing else is touched by it.
pub struct Packets<P: Payload> {
    link: Link,
    local: Endpoint,
    peer: Endpoint,
    payload: PhantomData<fn() -> P>,
}

/// The connection, or what broke it.
#[derive(Debug)]
enum Link {
    Open(Box<Framed<LengthPrefix>>),
    Broken(net_core::Error),
}

impl Link {
    fn framed(&mut self) -> Result<&mut Framed<LengthPrefix>> {
        match self {
            Self::Open(framed) => Ok(framed),
            Self::Broken(error) => Err(error.clone()),
        }
    }

    /// Closes the connection at once; the first error stays.
    #[cold]
    fn break_off(&mut self, error: net_core::Error) -> net_core::Error {
        match self {
            Self::Open(_) => {
                *self = Self::Broken(error.clone());
                error
            }
            Self::Broken(first) => first.clone(),
        }
    }
}

impl<P: Payload> Packets<P> {
    /// Packets over a connection, with the default [`PacketOptions`].
    pub fn new(stream: Stream) -> Self {
        Self::with_options(stream, PacketOptions::default())
    }

    /// Packets over a connection.
    pub fn with_options(stream: Stream, options: PacketOptions) -> Self {
        Self {
            local: stream.local().clone(),
            peer: stream.peer().clone(),
            link: Link::Open(Box::new(options.framed(stream))),
            payload: PhantomData,
        }
    }

    /// The next packet; `None` at the peer's end. Cancel safe: a packet is never lost.
    ///
    /// # Errors
    /// [`ErrorKind::FrameTooLong`](net_core::ErrorKind::FrameTooLong) for a length over the limit,
    /// [`BadFrame`](net_core::ErrorKind::BadFrame) for text that is no UTF-8,
    /// [`Truncated`](net_core::ErrorKind::Truncated) if the connection ends inside a packet, and whatever breaks the
    /// connection. It is closed then.
    #[inline]
    pub async fn read(&mut self) -> Result<Option<P>> {
        let taken = match self.link.framed()?.next().await {
            Ok(Some((frame, _))) => P::take(frame).map(Some),
            Ok(None) => Ok(None),
            Err(error) => Err(error),
        };
        taken.map_err(|error| self.break_off(error))
    }

    /// Shows the next packet to `look` where it lies in the read buffer, so that nothing is copied or allocated; `None`
    /// at the peer's end. Cancel safe.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    #[inline]
    pub async fn read_with<T>(&mut self, look: impl FnOnce(&P::Lent) -> T) -> Result<Option<T>> {
        let seen = match self.link.framed()?.next().await {
            Ok(Some((frame, _))) => P::lend(&frame).map(|packet| Some(look(packet))),
            Ok(None) => Ok(None),
            Err(error) => Err(error),
        };
        seen.map_err(|error| self.break_off(error))
    }

    /// Writes a packet, with all that has gathered before it. Cancel safe: what is left goes out with the next call
    /// that reads or writes.
    ///
    /// While it waits nothing is read. Two ends that write much to each other should each use two processes and the
    /// [halves](Self::split).
    ///
    /// # Errors
    /// [`ErrorKind::FrameTooLong`](net_core::ErrorKind::FrameTooLong) if it is over the limit: nothing is sent then and
    /// the connection lives on. Otherwise whatever breaks the connection.
    #[inline]
    pub async fn write(&mut self, packet: impl AsRef<P::Lent>) -> Result<()> {
        self.push(packet)?;
        self.flush().await
    }

    /// Gathers a packet. It leaves with the next [`read`](Self::read) that waits, or [`flush`](Self::flush): all that
    /// has gathered, in one write.
    ///
    /// # Errors
    /// As [`write`](Self::write), and [`ErrorKind::Limit`](net_core::ErrorKind::Limit) if too much has gathered.
    #[inline]
    pub fn push(&mut self, packet: impl AsRef<P::Lent>) -> Result<()> {
        self.link.framed()?.push(P::bytes(packet.as_ref()))
    }

    /// Writes what has gathered. Cancel safe.
    ///
    /// # Errors
    /// Whatever breaks the connection.
    pub async fn flush(&mut self) -> Result<()> {
        self.link.framed()?.flush().await
    }

    /// A reader and a writer for two processes. The connection closes when both are dropped.
    pub fn split(self) -> (PacketReader<P>, PacketWriter<P>) {
        halves::split(self)
    }

    /// Our end.
    pub fn local_address(&self) -> &Endpoint {
        &self.local
    }

    /// The other end.
    pub fn peer_address(&self) -> &Endpoint {
        &self.peer
    }

    /// The connection again, after all that has gathered was written; bytes read too far go back into it.
    ///
    /// # Errors
    /// Whatever breaks, or broke, the connection.
    pub async fn into_stream(self) -> Result<Stream> {
        match self.link {
            Link::Open(framed) => framed.into_stream().await,
            Link::Broken(error) => Err(error),
        }
    }

    /// Closes in order: writes what has gathered, then tells the peer the end and waits for its, all within `limit`.
    ///
    /// # Errors
    /// What broke the connection before.
    pub async fn close(self, limit: Duration) -> Result<CloseReport> {
        match self.link {
            Link::Open(framed) => Ok(framed.close(limit).await),
            Link::Broken(error) => Err(error),
        }
    }

    #[cold]
    fn break_off(&mut self, error: net_core::Error) -> net_core::Error {
        self.link.break_off(error.at(&self.peer))
    }
}

impl<P: Payload> fmt::Debug for Packets<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Packets")
            .field("local", &self.local)
            .field("peer", &self.peer)
            .finish_non_exhaustive()
    }
}
