//! Sockets by events: the service that turns what models raise on `socket_out` into socket operations, and tells the
//! results on `socket_in`. For any [`Controller`](crate::Controller).
//!
//! ```
//! use net_core::Net;
//! use statechart_bridge::socket::boot_translation_service;
//! use statechart_bridge::{Chart, Class, Expression, Model, Raise, Runtime, State, Transition};
//!
//! # #[cfg(feature = "os")]
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let caught = |event: &str| Transition::on(event).port("socket_in");
//! let command = |name: &str| Raise::output("socket_out", name).with(Expression::Parameter(0));
//! let bind = command("bind_socket").with(("127.0.0.1", 0));
//! let chart = Chart::new()
//!     .state(State::new("init").entering(Raise::output("socket_out", "create_socket"))
//!         .transition(caught("created_socket").to("/binding").raise(bind)))
//!     .state(State::new("binding")
//!         .transition(caught("bound_socket").to("/bound").raise(Raise::output("out", "port").with(Expression::Parameter(1)))))
//!     .state(State::new("bound"));
//! let class = Class::new("Server").chart(chart);
//! let model = Model::builder().inport("socket_in").outport("socket_out").outport("out").class(class).build()?;
//!
//! let net = Net::os();
//! let runtime = Runtime::new(&model, &net)?;
//! let outputs = runtime.output_queue(&["out"]);
//! let service = boot_translation_service(&runtime, &net)?; // before the start: the first commands come with it
//! runtime.start()?;
//! println!("{}", outputs.next().await.expect("a port")); // 0.000 #1 out.port(40123)
//! service.stop().await;
//! # Ok(()) }
//! # #[cfg(not(feature = "os"))] fn main() {}
//! ```
//!
//! # Commands and answers
//! | command on `socket_out` | answer on `socket_in` |
//! |---|---|
//! | `create_socket`, `create_socket(id)` | `created_socket(socket)`, `created_socket(socket, id)` |
//! | `bind_socket(socket, (host, port))` | `bound_socket(socket, port, address)` |
//! | `listen_socket(socket)` | `listened_socket(socket, port, address)` |
//! | `accept_socket(socket)` | `accepted_socket(socket, connection, peer)` |
//! | `connect_socket(socket, (host, port))` | `connected_socket(socket, peer, port)` |
//! | `recv_socket(socket)` | `received_socket(socket, data)`; empty data is the peer's end |
//! | `send_socket(socket, data)` | `sent_socket(socket, n)`: all of it |
//! | `close_socket(socket)` | `closed_socket(socket)` |
//! | `stop` | `stopped` |
//! | `shutdown_socket(socket)` | `shut_down_socket(socket)` |
//! | `start_tls_socket(socket, "client", server_name)`, `start_tls_socket(socket, "server")` | `started_tls_socket(socket)` |
//! | `cancel_socket(socket)` | `cancelled_socket(socket, n)` |
//! | `configure_socket(socket, name, value)` | `configured_socket(socket, name, value)` |
//! | `create_datagram_socket`, `create_datagram_socket(id)` | `created_socket(…)` |
//! | `send_to_socket(socket, data, (host, port))` | `sent_socket(socket, n)` |
//! | `recv_from_socket(socket)` | `received_from_socket(socket, data, (host, port))` |
//!
//! Instead of its answer a command may get `error_socket(socket, error, kind)`, when the network or the system says no,
//! or `unknown_error_socket(socket, error, kind)`, when the command is wrong; see [`SocketError`]. Other events are ignored.
//!
//! An address may also be text: `"tls://host:port"`, `"unix:/path"`, `"unix:@name"`, `"mem:name"`. TLS takes its
//! certificates from the [`Net`](net_core::Net). `start_tls_socket` encrypts a connection in mid-stream: what was sent before
//! goes out first, and what is received after it was encrypted, by receives that were pending too. If the handshake fails,
//! the socket is good for `close_socket` only.
//!
//! # What is promised
//! * Each command is answered exactly once. Those of one socket are carried out in the order in which they were raised;
//!   receives, accepts and sends go on beside each other, and are answered in order each. Only what a limit refuses is
//!   answered out of turn, at once.
//! * A send is whole: `n` is the length of the data, in characters for text.
//! * A close lets queued sends out, then sends the end, and answers what was pending with an error of kind `cancelled`.
//! * Each socket has one task, no thread, and no buffer while it is idle. What is received is what was asked for:
//!   a peer that floods waits.
//! * A bad command hurts nobody but itself.
//! * While sockets are open the controller is held ([`Controller::hold`](crate::Controller::hold)).

mod address;
mod boot;
mod command;
mod data;
mod deliver;
mod driver;
mod entry;
mod error;
mod event;
mod handle;
mod machine;
mod option;
mod service;
mod step;
mod transport;

use std::sync::{Mutex, MutexGuard, PoisonError};

pub use boot::{BootError, Routing, SocketServiceBuilder, boot_translation_service};
pub use command::{BadCommand, SOCKET_OUT, SocketCommand, TlsRole};
pub use data::SocketData;
pub use error::SocketError;
pub use event::{SOCKET_IN, SocketEvent};
pub use handle::SocketHandle;
pub use option::SocketOption;
pub use service::SocketService;

/// Locks even after a panic elsewhere: the data are queues and flags, never half changed.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
