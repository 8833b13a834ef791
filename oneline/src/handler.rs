//! Who answers commands: closures, or handlers with a state for each client.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use net_core::{ConnectionId, Endpoint, Error};

use crate::{Command, IntoReplies, OwnedCommand, Replies};

/// Why a command failed; every error converts into it, and so does text. The client gets it as an error reply.
pub type HandlerError = Box<dyn std::error::Error + Send + Sync>;

/// Answers the commands of one client; made for each by the factory given to
/// [`Server::with_handler`](crate::Server::with_handler).
///
/// ```
/// use oneline::{Command, Handler, HandlerError, Replies, Server};
///
/// #[derive(Default)]
/// struct Counter(u64);
///
/// impl Handler for Counter {
///     async fn command(&mut self, command: Command<'_>, replies: &mut Replies<'_>) -> Result<(), HandlerError> {
///         match command.text() {
///             "more" => self.0 += 1, // no reply
///             "count" => replies.push(self.0.to_string())?,
///             other => return Err(format!("unknown command {other:?}").into()),
///         }
///         Ok(())
///     }
/// }
///
/// let server = Server::with_handler(Counter::default); // each client counts for itself
/// # drop(server);
/// ```
pub trait Handler: Send {
    /// Answers one command with none, one or many replies.
    ///
    /// A panic in it is caught: the client gets an error reply, and the connection goes on with the same handler. It is
    /// dropped where it waits when the server is aborted, the client taken over, or the
    /// [time limit](crate::Server::handler_timeout) runs out.
    ///
    /// # Errors
    /// Whatever should become an error reply.
    fn command(
        &mut self,
        command: Command<'_>,
        replies: &mut Replies<'_>,
    ) -> impl Future<Output = Result<(), HandlerError>> + Send;

    /// Answers a command that needs no waiting, quicker than [`command`](Self::command) can; `None` leaves it to that one,
    /// and then no reply may have been given. By default it is always `None`.
    fn at_once(&mut self, command: &Command<'_>, replies: &mut Replies<'_>) -> Option<Result<(), HandlerError>> {
        let _ = (command, replies);
        None
    }

    /// A client is there; its commands follow.
    fn connected(&mut self, peer: &Peer) {
        let _ = peer;
    }

    /// The client is gone, or about to be; no command follows.
    fn disconnected(&mut self, end: &End) {
        let _ = end;
    }
}

/// Who the client is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Peer {
    /// Where it comes from. Clients of a Unix or memory endpoint bear the listener's name.
    pub endpoint: Endpoint,
    /// The connection's name in events and logs.
    pub id: ConnectionId,
    /// Facts about the encryption, with the client's certificate if it showed one.
    #[cfg(feature = "tls")]
    pub tls: Option<net_core::TlsInfo>,
}

/// Why a client's session ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum End {
    /// It sent `disconnect`.
    Disconnected,
    /// It sent `shutdown`.
    Shutdown,
    /// It closed its side, after a whole line.
    Closed,
    /// It closed its side inside a line, which was dropped, not run.
    Truncated(Error),
    /// It sent too long a line, and [`LongLine::Close`](crate::LongLine::Close) is set.
    TooLong,
    /// Another client took its place.
    TakenOver,
    /// The server stopped.
    Stopped,
    /// The connection broke, or a time limit ran out.
    Failed(Error),
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Disconnected => f.write_str("it sent `disconnect`"),
            Self::Shutdown => f.write_str("it sent `shutdown`"),
            Self::Closed => f.write_str("it closed the connection"),
            Self::Truncated(error) | Self::Failed(error) => write!(f, "{error}"),
            Self::TooLong => f.write_str("it sent too long a line"),
            Self::TakenOver => f.write_str("another client took its place"),
            Self::Stopped => f.write_str("the server stopped"),
        }
    }
}

/// What went wrong with one command; its client gets a reply that says so.
///
/// As text it is what the client should know: a panic's message stays on the server.
#[derive(Debug)]
#[non_exhaustive]
pub enum Fault {
    /// The line was longer than [`max_line`](crate::Server::max_line).
    TooLong {
        /// The limit, in bytes.
        limit: usize,
        /// How long it was, in bytes.
        length: usize,
    },
    /// The handler returned this error.
    Failed(HandlerError),
    /// The handler panicked, with this message.
    Panicked(String),
    /// The handler took longer than this.
    TimedOut(Duration),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { limit, length } => write!(f, "line too long: {length} bytes, the limit is {limit}"),
            Self::Failed(error) => write!(f, "{error}"),
            Self::Panicked(_) => f.write_str("internal error, see the server's log"),
            Self::TimedOut(limit) => write!(f, "the command took longer than {limit:?}"),
        }
    }
}

/// A closure as the handler of each client.
pub(crate) struct FromClosure<F>(pub(crate) Arc<F>);

impl<F, W, R> Handler for FromClosure<F>
where
    F: Fn(OwnedCommand) -> W + Send + Sync,
    W: Future<Output = R> + Send,
    R: IntoReplies + Send,
{
    async fn command(&mut self, command: Command<'_>, replies: &mut Replies<'_>) -> Result<(), HandlerError> {
        let answer = (self.0)(command.into_owned()).await;
        answer.into_replies(replies)
    }
}
