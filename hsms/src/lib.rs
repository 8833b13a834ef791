//! HSMS (SEMI E37) connections and SECS-II (SEMI E5) messages, for semiconductor equipment and the hosts that run it.
//!
//! A message is a header of ten bytes and a text, which is empty or one SECS-II item. On the wire a length goes before
//! it:
//!
//! ```
//! use hsms::{Header, StreamFunction, frame};
//!
//! let header = Header::data(0, StreamFunction::new(1, 1), true, 7); // S1F1 W: are you there?
//! let mut wire = Vec::new();
//! frame::encode(&header, b"", &mut wire)?;
//! assert_eq!(wire, [0, 0, 0, 10, 0, 0, 0x81, 1, 0, 0, 0, 0, 0, 7]);
//!
//! let (decoded, text) = frame::split(&wire[4..])?;
//! assert_eq!((decoded, text), (header, &b""[..]));
//! assert_eq!(header.secondary().stream_function().to_string(), "S1F2");
//! # Ok::<(), hsms::Error>(())
//! ```
//!
//! # What is here
//! * [`ActiveConnection`], [`PassiveConnection`] and [`MultiPassiveServer`], which tell a [`Delegate`] what happens;
//!   [`Connection`], their common handle, which makes requests and gives messages and events as streams.
//! * [`session`]: all that E37 decides, without I/O.
//! * [`Header`] and its parts: [`SType`], [`StreamFunction`], the status and reason codes; [`Message`], a header with
//!   its text.
//! * [`frame`]: messages on the wire.
//! * [`item`]: SECS-II items, read from a buffer without copies and kept byte for byte, with typed access.
//! * [`sml`]: items and messages as text.
//!
//! # Features
//! | feature | default | brings |
//! |---|---|---|
//! | `os` | yes | the operating system's sockets: `Net::os` |
//! | `tls` | no | connections inside TLS |
//! | `capture` | no | messages from hex dumps, pcap and pcapng files |
//! | `derive` | no | `#[derive(ToItem, FromItem, SecsMessage)]` |
//! | `gem` | no | the messages that most equipment has, as Rust types, and what every equipment and host does |
//! | `serde` | no | any value of serde as an item, items as JSON and the like |
//! | `cli` | yes | the program `hsms`: equipment, host, ping, decoder, tap |
//! | `tracing` | yes | spans and events of connections |

#![cfg_attr(docsrs, feature(doc_cfg))]

// The derives write `::hsms`, in this crate too.
#[cfg(feature = "derive")]
extern crate self as hsms;

#[cfg(feature = "capture")]
#[cfg_attr(docsrs, doc(cfg(feature = "capture")))]
pub mod capture;
mod client;
mod codes;
mod connection;
pub mod frame;
#[cfg(feature = "gem")]
#[cfg_attr(docsrs, doc(cfg(feature = "gem")))]
pub mod gem;
mod header;
pub mod item;
mod lock;
mod message;
#[cfg(feature = "serde")]
#[cfg_attr(docsrs, doc(cfg(feature = "serde")))]
pub mod serde;
pub mod session;
pub mod sml;
mod stream_function;
mod typed;

pub use client::{ConnectionEvent, Events, Primaries, Primary, RequestError, RequestOptions};
pub use codes::{DeselectStatus, RejectReason, SType, SelectStatus};
pub use connection::{
    ActiveConnection, Connection, ConnectionOptions, Delegate, ExtraPeer, MultiPassiveServer, PassiveConnection,
};
pub use header::Header;
pub use item::{FromItem, Item, ItemRef, ToItem};
pub use message::Message;
pub use session::{Device, Linktest, SessionOptions, Timer, Timers};
pub use stream_function::{InvalidStreamFunction, StreamFunction};
pub use typed::{ContentError, SecsMessage, SecsRequest};

#[cfg(feature = "derive")]
#[cfg_attr(docsrs, doc(cfg(feature = "derive")))]
pub use hsms_derive::{FromItem, SecsMessage, ToItem};

pub use bytes::Bytes;
pub use net_core;
pub use net_core::{Endpoint, Error, ErrorKind, Net, Result};

/// The snippets of the README are tests.
#[cfg(all(doctest, feature = "os", feature = "gem"))]
#[doc = include_str!("../README.md")]
struct Readme;
