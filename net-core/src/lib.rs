//! The transport under five ways to program a network: streams, listeners, datagrams, TLS, framing, errors and time,
//! behind one seam.
//!
//! ```
//! use net_core::framing::Line;
//! use net_core::{Framed, Net};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> net_core::Result<()> {
//! let net = Net::os(); // or a host of a simulated network: the rest stays the same
//! let mut listener = net.bind(&"tcp://127.0.0.1:0".parse()?).await?;
//! let address = listener.local().clone();
//!
//! net.spawn(async move {
//!     let mut lines = Framed::new(listener.accept().await?, Line::default());
//!     while let Some((line, mut out)) = lines.next().await? {
//!         out.push(&line)?; // gathered, and written when the next line has to be waited for
//!     }
//!     Ok::<_, net_core::Error>(())
//! })?;
//!
//! let mut lines = Framed::new(net.connect(&address).await?, Line::default());
//! lines.send(b"hello").await?;
//! let (reply, _) = lines.next().await?.expect("an echo");
//! assert_eq!(&*reply, b"hello");
//! # Ok(()) }
//! ```
//!
//! # The seam
//! A program gets everything that touches the world from [`Net`]: connections, listeners, datagram sockets, the clock,
//! timers, tasks and randomness. Behind it is a [`Backend`]: the operating system ([`Net::os`]), or a simulated
//! network with virtual time. Code that uses nothing else runs unchanged on both.
//!
//! # The layers
//! * [`Endpoint`]: `tcp://`, `tls://`, `udp://`, `unix:` and `mem:` as text.
//! * [`Stream`] and [`Listener`]: plain types, for every backend, with TLS in place ([`TlsClient`], [`TlsServer`]).
//! * [`Framed`] with a [`framing`]: lent frames, one out-buffer, one write for each batch.
//! * [`Socket`]: the BSD calls, for models that think in them.
//! * [`Error`] says what, in which operation, where and why; [`NetEvent`]s tell the life of connections, with exactly
//!   one `Closed` for each `Opened`.
//! * [`Shutdown`] stops in three phases, [`Backoff`] tries again, [`race`] takes the first of two, [`Stats`] counts.
//!
//! # Features
//! | feature | default | brings |
//! |---|---|---|
//! | `os` | yes | the operating system's backend, on tokio |
//! | `sockets` | with `os` | making the operating system's sockets, for backends of other crates |
//! | `tls` | yes | TLS by rustls with ring |
//! | `tracing` | yes | spans and events of connections |
//! | `signals` | no | Ctrl-C and SIGTERM, with `os` |
//! | `tokio-codec` | no | [`framing`]s as codecs of tokio-util |

#![cfg_attr(docsrs, feature(doc_cfg))]

mod backend;
mod connect;
mod datagram;
mod endpoint;
mod error;
mod event;
mod framed;
pub mod framing;
mod instant;
mod lane;
mod limits;
mod listener;
mod lock;
mod memory;
mod net;
mod options;
mod race;
mod retry;
mod shutdown;
#[cfg(feature = "signals")]
mod signals;
mod socket;
#[cfg(feature = "sockets")]
pub mod sockets;
mod stats;
mod stream;
mod task;
mod timer;
#[cfg(feature = "tls")]
mod tls;
mod track;
mod wakers;

pub use backend::{Address, Backend, BoxFuture, MulticastInterface, Plain, RawDatagram, RawListener, Timer, Transport};
pub use datagram::Datagram;
pub use endpoint::{Endpoint, Host, UnixName};
pub use error::{Error, ErrorKind, Operation, Result, TimeoutKind, TlsFault};
pub use event::{ClosedBy, ConnectionId, EventKind, NetEvent};
pub use framed::{CloseReport, Frame, Framed, FramedLimits, Next, Output, Sender};
pub use instant::Instant;
pub use lane::Lane;
pub use listener::Listener;
pub use net::Net;
pub use options::{BindOptions, ConnectOptions, Keepalive, SocketOptions, WhenFull};
pub use race::race;
pub use retry::Backoff;
pub use shutdown::{Guard, Phase, Shutdown, ShutdownReport};
#[cfg(feature = "signals")]
pub use signals::{Signal, Signals};
pub use socket::{Socket, SocketState};
pub use stats::Stats;
pub use stream::Stream;
pub use task::{Task, catch_panic, catch_panic_in};
pub use timer::{Alarm, Sleep};
#[cfg(feature = "tls")]
pub use tls::{TlsClient, TlsClientBuilder, TlsInfo, TlsServer, TlsServerBuilder};
