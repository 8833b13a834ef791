//! Line commands over TCP, TLS and Unix sockets, one client at a time: a server, a client, and the program `oneline`.
//!
//! A client sends a line, the command; the server answers with none, one or many lines, and never speaks unasked.
//!
//! ```
//! use oneline::{Client, Net, Server};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> oneline::Result<()> {
//! let net = Net::os();
//! let server = Server::new(async |command| match command.text() {
//!     "cmd01" => "ack",
//!     _ => "nak - unknown cmd",
//! });
//! let running = server.start(&net, &"tcp://127.0.0.1:0".parse()?).await?;
//!
//! let mut client = Client::connect(&net, running.endpoint()).await?; // `ping` → `pong`
//! assert_eq!(client.request("cmd01").await?, "ack");
//! assert_eq!(client.request("junk").await?, "nak - unknown cmd");
//! client.shutdown().await?;
//! running.wait().await;
//! # Ok(()) }
//! ```
//!
//! # The protocol
//! A line ends with LF; one CR before it is taken off. Three commands are built in and matched exactly:
//!
//! | command | the server |
//! |---|---|
//! | `ping` | answers `pong` |
//! | `disconnect` | closes the connection; the next client's turn |
//! | `shutdown` | closes the connection and the listener, and stops |
//!
//! Everything else goes to the handler: an empty line, and an invalid one too ([`Command::is_invalid`] tells). Bytes
//! after the last LF are never run. A client may close its writing side at once (`printf 'ping\n' | nc …`): everything
//! that it has sent is answered first.
//!
//! # What is here
//! * [`Server`]: a closure or a [`Handler`] answers; [`Admission`] says what becomes of a second client; [`Charset`] what
//!   is text; limits for all that could grow or last. [`Running`] stops it, with a report.
//! * [`Client`]: connects with a handshake, sends, receives with a time limit.
//! * [`Router`]: commands of words with typed arguments, and a `help` made of them.
//! * [`Protocol`] and [`Decoder`]: the rules, without I/O.
//!
//! All I/O, time and tasks come from [`Net`]: real sockets, or a simulated network.
//!
//! # Features
//! | feature | default | brings |
//! |---|---|---|
//! | `os` | yes | the operating system's sockets: `Net::os` |
//! | `tls` | yes | `tls://` endpoints |
//! | `tracing` | yes | a span for each client, and events |
//! | `cli` | yes | the program `oneline`; a library user says `default-features = false` |

#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(
    not(feature = "tracing"),
    allow(unused_variables, reason = "some values are only logged")
)]

#[macro_use]
mod log;
mod admission;
mod charset;
mod client;
mod command;
mod handler;
mod line;
mod reply;
pub mod router;
mod server;
pub mod words;

pub use admission::Admission;
pub use charset::Charset;
pub use client::{Client, ClientOptions, Reply};
pub use command::{Command, OwnedCommand};
pub use handler::{End, Fault, Handler, HandlerError, Peer};
pub use line::{Decoder, Meaning, Protocol};
pub use reply::{IntoReplies, Replies};
pub use router::Router;
pub use server::{LongLine, Running, Server, StopReason, Stopped};

pub use net_core;
pub use net_core::framing::Terminator;
pub use net_core::{Endpoint, Error, ErrorKind, Net, Result};

// The program's own; named here so that nobody takes them for unused.
#[cfg(feature = "cli")]
use {clap as _, rustyline as _, tracing_subscriber as _};
