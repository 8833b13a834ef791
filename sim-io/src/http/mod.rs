//! HTTP/1.1, client and server, by [hyper], on any [`Net`](net_core::Net): real sockets, or a simulated network in virtual
//! time.
//!
//! ```
//! use sim_io::Environment;
//! use sim_io::http::{Client, Method, Request, Server, StatusCode};
//! use sim_io::network::Network;
//!
//! async fn greet(mut request: Request) -> Result<String, StatusCode> {
//!     match (request.method(), request.uri().path()) {
//!         (&Method::GET, "/") => Ok("Hi".into()),
//!         (&Method::POST, "/greet") => Ok(format!("Hi {}", request.body_mut().text().await?)),
//!         _ => Err(StatusCode::NOT_FOUND),
//!     }
//! }
//!
//! let env = Environment::new();
//! let network = Network::new(&env);
//! let (server, client) = (network.host("server")?.net(), network.host("client")?.net());
//! let client = env.try_process::<_, sim_io::Failure>(async move {
//!     let running = Server::new(greet).start(&server, &"tcp://server:80".parse()?).await?;
//!     let client = Client::new(&client);
//!     let mut response = client.post("http://server/greet", "Ann").await?;
//!     assert_eq!(response.status(), 200);
//!     let text = response.body_mut().text().await?;
//!     running.stop(std::time::Duration::from_secs(5)).await;
//!     Ok(text)
//! });
//! assert_eq!(env.run_until(&client)?, "Hi Ann");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! * A [`Server`] calls a handler for each request; what the handler gives is a [`Reply`]. [`Server::start`] runs it in the
//!   background, [`Server::serve`] as a future for handlers that stay on their thread, as processes of an
//!   [`Environment`](crate::Environment) do.
//! * A [`Client`] keeps connections open and uses them again. `https://` goes over TLS with the settings of the
//!   [`Net`](net_core::Net).
//! * A [`Body`] is read whole, up to a limit, or chunk by chunk; it is written whole or through a [`BodySender`].
//! * Bodies that nobody reads are skipped, so that the next message is found.
//! * [`Functions`] are called by their path, as in simpy.io's RPC over HTTP.
//! * [`upgrade`] takes a connection over from HTTP, for other protocols; WebSocket (feature `websocket`) does.
//!
//! # What a server does by itself
//! It answers `Expect: 100-continue`, sends no body in answer to HEAD or with 204 and 304, ends the connection after
//! `Connection: close`, answers pipelined requests in order, refuses bad or ambiguous framing and requests without `Host`
//! with 400, codings of transfer other than `chunked` with 501, large headers with 431, and bodies that are larger than the
//! limit with 413. Ambiguous is whatever two readers could understand in two ways: different lengths, or
//! `Content-Length` beside `Transfer-Encoding`. The client refuses such responses too. There is no `Date` in its responses unless it is [asked for](ServerOptions::date_header):
//! it would be the wall's, and different in each run.

mod about;
mod body;
mod client;
mod drain;
mod error;
mod follow;
mod framing;
mod functions;
mod io;
mod options;
mod reply;
mod running;
mod server;
mod timer;
mod upgrade;

pub use about::About;
pub use body::{Body, BodySender};
pub use client::{Client, ClientOptions};
#[cfg(feature = "websocket")]
pub(crate) use client::{endpoint_of, handshake, name_host};
pub use error::Error;
pub use functions::Functions;
pub use hyper::http::{Extensions, HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, Version};
pub use hyper::{body::Bytes, header};
pub use options::ServerOptions;
pub use reply::Reply;
pub use running::Running;
pub use server::Server;
#[cfg(feature = "websocket")]
pub(crate) use upgrade::stream as upgraded_stream;
pub use upgrade::{Upgrade, upgrade};

/// A request: the `http` crate's, with a [`Body`].
pub type Request = hyper::Request<Body>;

/// A response: the `http` crate's, with a [`Body`].
pub type Response = hyper::Response<Body>;

/// Nothing of the user's runs under such a lock.
fn lock<T>(mutex: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
