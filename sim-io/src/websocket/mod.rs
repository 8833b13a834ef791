//! WebSockets (RFC 6455), client and server, by [tungstenite](tokio_tungstenite), on any [`Net`](net_core::Net).
//!
//! ```
//! use sim_io::Environment;
//! use sim_io::http::{About, Reply, Request, Response, Server};
//! use sim_io::network::Network;
//! use sim_io::websocket::{self, Message, Options};
//!
//! async fn echo(mut request: Request) -> Response {
//!     let net = About::of(&request).expect("from a server").net().clone();
//!     match websocket::upgrade(&mut request, Options::default()) {
//!         Ok((response, pending)) => {
//!             let work = net.spawn(async move {
//!                 let mut socket = pending.await?;
//!                 while let Some(message) = socket.recv().await? {
//!                     socket.send(message).await?;
//!                 }
//!                 Ok::<_, websocket::Error>(())
//!             });
//!             work.map_or_else(|error| error.to_string().into_response(), |_| response)
//!         }
//!         Err(rejection) => rejection.into_response(),
//!     }
//! }
//!
//! let env = Environment::new();
//! let network = Network::new(&env);
//! let (server, client) = (network.host("server")?.net(), network.host("client")?.net());
//! let client = env.try_process::<_, sim_io::Failure>(async move {
//!     let _running = Server::new(echo).start(&server, &"tcp://server:80".parse()?).await?;
//!     let mut socket = websocket::connect(&client, "ws://server/").await?;
//!     socket.send("hello").await?;
//!     let answer = socket.recv().await?;
//!     socket.close().await?;
//!     Ok(answer)
//! });
//! assert_eq!(env.run_until(&client)?, Some(Message::from("hello")));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A [`WebSocket`] sends and receives whole messages, texts and bytes; [`split`](WebSocket::split) makes two halves of it
//! for two processes. While somebody receives, pings are answered, fragments joined, and a peer that is silent for long is
//! asked whether it is there. A peer that breaks the protocol is told so with the code that RFC 6455 has for it.

mod error;
mod handshake;
mod message;
mod options;
mod reader;
mod shared;
mod writer;

pub use error::Error;
pub use handshake::{Rejection, Upgrading, accept, connect, connect_with, upgrade};
pub use message::{CloseReason, Message, Text};
pub use options::Options;
pub use reader::Reader;
pub use writer::Writer;

use net_core::Endpoint;

/// A connection that carries messages both ways.
#[derive(Debug)]
pub struct WebSocket {
    reader: Reader,
    writer: Writer,
    protocol: Option<String>,
}

impl WebSocket {
    /// The next message; `None` after the peer has closed. See [`Reader::recv`].
    ///
    /// # Errors
    /// As [`Reader::recv`].
    pub async fn recv(&mut self) -> Result<Option<Message>, Error> {
        self.reader.recv().await
    }

    /// Sends a message. See [`Writer::send`].
    ///
    /// # Errors
    /// As [`Writer::send`].
    pub async fn send(&mut self, message: impl Into<Message>) -> Result<(), Error> {
        self.writer.send(message).await
    }

    /// Closes in order: says so, drops what the peer still sends, and waits for its answer.
    ///
    /// # Errors
    /// [`Error::Timeout`] if that is not there within [`Options::close_timeout`]; the connection is closed in any case.
    pub async fn close(self) -> Result<(), Error> {
        self.close_with(CloseReason::NORMAL, "").await
    }

    /// Closes in order, with a code and a reason of no more than 123 bytes.
    ///
    /// # Errors
    /// As [`close`](Self::close).
    pub async fn close_with(mut self, code: u16, reason: &str) -> Result<(), Error> {
        match self.writer.close(code, reason).await {
            Ok(()) | Err(Error::Closed) => {}
            Err(error) => return Err(error),
        }
        while self.reader.recv().await?.is_some() {}
        Ok(())
    }

    /// Why the peer has closed, once it has.
    pub fn close_reason(&self) -> Option<&CloseReason> {
        self.reader.close_reason()
    }

    /// The subprotocol that both sides agreed on.
    pub fn protocol(&self) -> Option<&str> {
        self.protocol.as_deref()
    }

    /// The other end.
    pub fn peer_address(&self) -> &Endpoint {
        self.reader.peer_address()
    }

    /// Two halves, for two processes. The connection ends when both are gone.
    pub fn split(self) -> (Reader, Writer) {
        (self.reader, self.writer)
    }
}
