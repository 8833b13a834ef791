//! Who is told what happens on a connection.

use std::future::Future;

use super::Connection;
use crate::Message;

/// What a connection tells its user, by calling. All four methods may be left out.
///
/// For each connection that is established they are called in this order, one after the other: `established` once, then
/// the messages as they came, then `before_closed` once, then `closed` once. They run within the connection's own task,
/// which reads, answers and sends on while one of them waits: so each may make requests on the same connection, and
/// [`disable`](Connection::disable) it. One that panics is logged and hurts nobody else; a message with the W-bit that it
/// did not answer is aborted then.
///
/// On a raw connection *established* means connected, and every frame is a message, control messages too. On all others
/// it means selected for the first time, and the messages are the primary ones.
///
/// ```
/// use hsms::{Connection, Delegate, Message};
///
/// struct Sample;
///
/// impl Delegate for Sample {
///     async fn on_connection_established(&self, _: &Connection) {
///         println!("Connection established");
///     }
///
///     async fn on_connection_message_received(&self, _: &Connection, message: Message) {
///         println!("Packet received {message}");
///     }
///
///     async fn on_connection_before_closed(&self, _: &Connection) {
///         println!("Connection about to be terminated");
///     }
///
///     async fn on_connection_closed(&self, _: &Connection) {
///         println!("Connection terminated");
///     }
/// }
/// ```
pub trait Delegate: Send + Sync + 'static {
    /// The connection is there and may be used.
    fn on_connection_established(&self, connection: &Connection) -> impl Future<Output = ()> + Send {
        let _ = connection;
        async {}
    }

    /// A message has come. One with the W-bit is answered by [`Connection::reply`].
    fn on_connection_message_received(
        &self,
        connection: &Connection,
        message: Message,
    ) -> impl Future<Output = ()> + Send {
        let _ = (connection, message);
        async {}
    }

    /// The connection is about to be closed. If it is closed from this side it still works, and may be used to say so. It
    /// has to be done within [`ConnectionOptions::close_timeout`](super::ConnectionOptions::close_timeout).
    fn on_connection_before_closed(&self, connection: &Connection) -> impl Future<Output = ()> + Send {
        let _ = connection;
        async {}
    }

    /// The connection is closed.
    fn on_connection_closed(&self, connection: &Connection) -> impl Future<Output = ()> + Send {
        let _ = connection;
        async {}
    }
}

/// Listens to nothing.
impl Delegate for () {}

impl<D: Delegate> Delegate for std::sync::Arc<D> {
    fn on_connection_established(&self, connection: &Connection) -> impl Future<Output = ()> + Send {
        D::on_connection_established(self, connection)
    }

    fn on_connection_message_received(
        &self,
        connection: &Connection,
        message: Message,
    ) -> impl Future<Output = ()> + Send {
        D::on_connection_message_received(self, connection, message)
    }

    fn on_connection_before_closed(&self, connection: &Connection) -> impl Future<Output = ()> + Send {
        D::on_connection_before_closed(self, connection)
    }

    fn on_connection_closed(&self, connection: &Connection) -> impl Future<Output = ()> + Send {
        D::on_connection_closed(self, connection)
    }
}
