//! Errors as models see them: a map of kind, errno, message and op.

use std::fmt;
use std::sync::Arc;

use net_core::{ErrorKind, Operation, TimeoutKind};

use crate::Value;

/// What went wrong with a command. In events it is a map with the keys `kind`, `errno`, `message` and `op`.
///
/// | kind | errno | when |
/// |---|---|---|
/// | `refused` | 111 | nothing listens there |
/// | `unreachable` | 113 | no route |
/// | `resolve` | nil | the host name has no address |
/// | `address_in_use` | 98 | another socket has it |
/// | `address_not_available` | 99 | not an address of this machine |
/// | `permission` | 13 | a port below 1024, a protected path |
/// | `timeout` | 110 | connecting, sending or a handshake took too long |
/// | `reset` | 104 | the peer broke the connection off |
/// | `broken_pipe` | 32 | sent to what is closed |
/// | `truncated` | nil | TLS ended without its goodbye |
/// | `tls` | nil | the handshake failed; the message says why |
/// | `limit` | 105 | one of the service's limits |
/// | `resource` | 24 | the system has no more descriptors or memory |
/// | `cancelled` | 125 | given up here: by close, cancel or stop |
/// | `wrong_state` | 107, 106, 22 | not connected, connected already, anything else |
/// | `closed` | 9 | the socket was closed before |
/// | `unsupported` | 95 | not on this network, or not for this socket |
/// | `invalid` | nil | a bad parameter |
/// | `internal` | nil | a bug in the service |
/// | `io` | as the system says | everything else |
///
/// The number is the system's where it told one, and Linux's usual one otherwise, so that models see the same on
/// real and on simulated sockets.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SocketError {
    /// The class; see the table.
    pub kind: Arc<str>,
    /// The number of the operating system's error.
    pub errno: Option<i32>,
    /// A sentence for people.
    pub message: Arc<str>,
    /// The command without its `_socket`: `bind`, `send`, …
    pub op: Arc<str>,
}

impl SocketError {
    pub(super) fn new(kind: &str, errno: Option<i32>, op: &str, message: impl Into<Arc<str>>) -> Self {
        Self {
            kind: kind.into(),
            errno,
            message: message.into(),
            op: op.into(),
        }
    }

    /// A bad parameter.
    pub(super) fn invalid(op: &str, message: impl Into<Arc<str>>) -> Self {
        Self::new("invalid", None, op, message)
    }

    /// A command for a socket that was closed before.
    pub(super) fn closed(op: &str) -> Self {
        Self::new(
            "closed",
            Some(9),
            op,
            format!("can't {op}: the socket is closed; create another"),
        )
    }

    /// A command that was given up.
    pub(super) fn cancelled(op: &str, by: &str) -> Self {
        Self::new("cancelled", Some(125), op, format!("{op} was given up by {by}"))
    }

    /// One of the service's limits.
    pub(super) fn limit(op: &str, message: String) -> Self {
        Self::new("limit", Some(105), op, message)
    }

    /// What the transport reports.
    pub(super) fn of(op: &str, error: &net_core::Error) -> Self {
        let (kind, usual) = classify(error.kind(), error.operation());
        Self::new(kind, error.errno().or(usual), op, format!("{error:#}"))
    }

    /// Whether it is no error of sockets: a bad command or a bug, told by `unknown_error_socket`.
    pub fn is_unknown(&self) -> bool {
        matches!(&*self.kind, "internal") || (&*self.kind == "invalid" && self.errno.is_none())
    }

    /// The map.
    pub fn to_value(&self) -> Value {
        Value::map([
            (Value::from("kind"), Value::from(self.kind.clone())),
            (Value::from("errno"), Value::from(self.errno)),
            (Value::from("message"), Value::from(self.message.clone())),
            (Value::from("op"), Value::from(self.op.clone())),
        ])
    }

    /// The error in such a map.
    pub fn from_value(value: &Value) -> Option<Self> {
        let Value::Map(map) = value else { return None };
        let text = |key: &str| match map.get(&Value::from(key)) {
            Some(Value::Str(text)) => Some(text.clone()),
            _ => None,
        };
        let errno = match map.get(&Value::from("errno"))? {
            Value::Nil => None,
            Value::Int(number) => Some(i32::try_from(*number).ok()?),
            _ => return None,
        };
        Some(Self {
            kind: text("kind")?,
            errno,
            message: text("message")?,
            op: text("op")?,
        })
    }
}

impl fmt::Display for SocketError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for SocketError {}

/// The kind's name, and the number that Linux has for it.
fn classify(kind: ErrorKind, operation: Operation) -> (&'static str, Option<i32>) {
    match kind {
        ErrorKind::Resolve => ("resolve", None),
        ErrorKind::Refused => ("refused", Some(111)),
        ErrorKind::Unreachable => ("unreachable", Some(113)),
        ErrorKind::AddrInUse => ("address_in_use", Some(98)),
        ErrorKind::AddrNotAvailable => ("address_not_available", Some(99)),
        ErrorKind::Permission => ("permission", Some(13)),
        ErrorKind::InvalidInput => ("invalid", None),
        ErrorKind::Unsupported => ("unsupported", Some(95)),
        ErrorKind::Timeout(TimeoutKind::Handshake) => ("timeout", None),
        ErrorKind::Timeout(_) => ("timeout", Some(110)),
        ErrorKind::Reset => ("reset", Some(104)),
        ErrorKind::BrokenPipe => ("broken_pipe", Some(32)),
        ErrorKind::Closed | ErrorKind::BadHandle => ("closed", Some(9)),
        ErrorKind::Truncated => ("truncated", None),
        ErrorKind::Tls(_) => ("tls", None),
        ErrorKind::Limit => ("limit", Some(105)),
        ErrorKind::Resource => ("resource", Some(24)),
        ErrorKind::Cancelled => ("cancelled", Some(125)),
        ErrorKind::WrongState => match operation {
            Operation::Read | Operation::Write | Operation::Shutdown => ("wrong_state", Some(107)),
            Operation::Connect => ("wrong_state", Some(106)),
            _ => ("wrong_state", Some(22)),
        },
        ErrorKind::Internal => ("internal", None),
        _ => ("io", None),
    }
}
