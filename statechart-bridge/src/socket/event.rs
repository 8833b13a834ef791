//! Answers: what models catch on `socket_in`.

use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use net_core::Endpoint;

use super::address;
use super::error::SocketError;
use super::handle::SocketHandle;
use crate::{Event, Value};

/// The inport on which models catch answers.
pub const SOCKET_IN: &str = "socket_in";

/// An answer of the socket service, typed. By name it is an event on [`SOCKET_IN`]; both forms mean the same.
///
/// Parameters after those of the original (a port, an address, the error's kind) come last, so that models which don't
/// know them see no difference. The answers after `Stopped` belong to additional commands.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum SocketEvent {
    /// `created_socket(socket)`, or `created_socket(socket, id)`.
    Created {
        /// The new socket.
        socket: SocketHandle,
        /// What the command gave.
        id: Option<Value>,
    },
    /// `bound_socket(socket, port, address)`: the real port where 0 was asked for; nil where there are no ports.
    Bound {
        /// The socket.
        socket: SocketHandle,
        /// Our address.
        local: Endpoint,
    },
    /// `listened_socket(socket, port, address)`.
    Listened {
        /// The socket.
        socket: SocketHandle,
        /// Our address.
        local: Endpoint,
    },
    /// `accepted_socket(socket, connection, peer)`.
    Accepted {
        /// The listening socket.
        socket: SocketHandle,
        /// The new connection.
        connection: SocketHandle,
        /// The other end.
        peer: Endpoint,
    },
    /// `connected_socket(socket, peer, port)`.
    Connected {
        /// The socket.
        socket: SocketHandle,
        /// The other end.
        peer: Endpoint,
        /// Our port, where there are ports.
        port: Option<u16>,
    },
    /// `received_socket(socket, data)`; empty data is the peer's end.
    Received {
        /// The socket.
        socket: SocketHandle,
        /// What came.
        data: Bytes,
    },
    /// `sent_socket(socket, n)`: everything went; n is the length of the data, in its own unit.
    Sent {
        /// The socket.
        socket: SocketHandle,
        /// Characters of text, or bytes.
        count: usize,
    },
    /// `closed_socket(socket)`.
    Closed {
        /// The socket.
        socket: SocketHandle,
    },
    /// `error_socket(socket, error, kind)`: the network or the system said no; see [`SocketError`].
    Error {
        /// The socket.
        socket: SocketHandle,
        /// What went wrong.
        error: SocketError,
    },
    /// `unknown_error_socket(socket, error, kind)`: a bad command, or a bug in the service.
    UnknownError {
        /// What the command had where the socket belongs.
        socket: Value,
        /// What went wrong.
        error: SocketError,
    },
    /// `stopped`.
    Stopped,
    /// `shut_down_socket(socket)`.
    ShutDown {
        /// The socket.
        socket: SocketHandle,
    },
    /// `started_tls_socket(socket)`.
    StartedTls {
        /// The socket.
        socket: SocketHandle,
    },
    /// `cancelled_socket(socket, n)`: after the errors of the n commands that were given up.
    Cancelled {
        /// The socket.
        socket: SocketHandle,
        /// How many there were.
        count: usize,
    },
    /// `configured_socket(socket, name, value)`.
    Configured {
        /// The socket.
        socket: SocketHandle,
        /// The option.
        name: Arc<str>,
        /// Its value.
        value: Value,
    },
    /// `received_from_socket(socket, data, address)`.
    ReceivedFrom {
        /// The UDP socket.
        socket: SocketHandle,
        /// One datagram.
        data: Bytes,
        /// Its sender.
        from: Endpoint,
    },
}

impl SocketEvent {
    /// The event's name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Created { .. } => "created_socket",
            Self::Bound { .. } => "bound_socket",
            Self::Listened { .. } => "listened_socket",
            Self::Accepted { .. } => "accepted_socket",
            Self::Connected { .. } => "connected_socket",
            Self::Received { .. } => "received_socket",
            Self::Sent { .. } => "sent_socket",
            Self::Closed { .. } => "closed_socket",
            Self::Error { .. } => "error_socket",
            Self::UnknownError { .. } => "unknown_error_socket",
            Self::Stopped => "stopped",
            Self::ShutDown { .. } => "shut_down_socket",
            Self::StartedTls { .. } => "started_tls_socket",
            Self::Cancelled { .. } => "cancelled_socket",
            Self::Configured { .. } => "configured_socket",
            Self::ReceivedFrom { .. } => "received_from_socket",
        }
    }

    /// The socket that it is about, if it is one.
    pub fn socket(&self) -> Option<&SocketHandle> {
        match self {
            Self::Created { socket, .. }
            | Self::Bound { socket, .. }
            | Self::Listened { socket, .. }
            | Self::Accepted { socket, .. }
            | Self::Connected { socket, .. }
            | Self::Received { socket, .. }
            | Self::Sent { socket, .. }
            | Self::Closed { socket }
            | Self::Error { socket, .. }
            | Self::ShutDown { socket }
            | Self::StartedTls { socket }
            | Self::Cancelled { socket, .. }
            | Self::Configured { socket, .. }
            | Self::ReceivedFrom { socket, .. } => Some(socket),
            Self::UnknownError { .. } | Self::Stopped => None,
        }
    }

    /// An error with a socket, under the name that its class has.
    pub(super) fn failed(socket: &SocketHandle, error: SocketError) -> Self {
        if error.is_unknown() {
            Self::UnknownError {
                socket: socket.clone().into(),
                error,
            }
        } else {
            Self::Error {
                socket: socket.clone(),
                error,
            }
        }
    }

    /// The event, on [`SOCKET_IN`].
    pub fn to_event(&self) -> Event {
        let parameters: Arc<[Value]> = match self {
            Self::Created { socket, id: None }
            | Self::Closed { socket }
            | Self::ShutDown { socket }
            | Self::StartedTls { socket } => [socket.clone().into()].into(),
            Self::Created { socket, id: Some(id) } => [socket.clone().into(), id.clone()].into(),
            Self::Bound { socket, local } | Self::Listened { socket, local } => {
                [socket.clone().into(), local.port().into(), address::to_value(local)].into()
            }
            Self::Accepted {
                socket,
                connection,
                peer,
            } => [
                socket.clone().into(),
                connection.clone().into(),
                address::to_value(peer),
            ]
            .into(),
            Self::Connected { socket, peer, port } => {
                [socket.clone().into(), address::to_value(peer), (*port).into()].into()
            }
            Self::Received { socket, data } => [socket.clone().into(), data.clone().into()].into(),
            Self::Sent { socket, count } | Self::Cancelled { socket, count } => {
                [socket.clone().into(), (*count).into()].into()
            }
            Self::Error { socket, error } => {
                [socket.clone().into(), error.to_value(), error.kind.clone().into()].into()
            }
            Self::UnknownError { socket, error } => {
                [socket.clone(), error.to_value(), error.kind.clone().into()].into()
            }
            Self::Stopped => Arc::default(),
            Self::Configured { socket, name, value } => {
                [socket.clone().into(), name.clone().into(), value.clone()].into()
            }
            Self::ReceivedFrom { socket, data, from } => [
                socket.clone().into(),
                data.clone().into(),
                address::datagram_to_value(from),
            ]
            .into(),
        };
        self.bare().with_shared(parameters)
    }

    /// The event without parameters. Those that come all the time are made once.
    fn bare(&self) -> Event {
        static RECEIVED: LazyLock<Event> = LazyLock::new(|| Event::new("received_socket").on(SOCKET_IN));
        static SENT: LazyLock<Event> = LazyLock::new(|| Event::new("sent_socket").on(SOCKET_IN));
        match self {
            Self::Received { .. } => RECEIVED.clone(),
            Self::Sent { .. } => SENT.clone(),
            _ => Event::new(self.name()).on(SOCKET_IN),
        }
    }

    /// The answer in an event; `None` if it is none, or not in the service's form. The port isn't looked at.
    pub fn from_event(event: &Event) -> Option<Self> {
        let name = &**event.name();
        let parameters = event.parameters();
        match name {
            "stopped" => return Some(Self::Stopped),
            "unknown_error_socket" => {
                return Some(Self::UnknownError {
                    socket: event.parameter(0).clone(),
                    error: SocketError::from_value(event.parameter(1))?,
                });
            }
            _ => {}
        }
        let socket = SocketHandle::from_value(event.parameter(0))?;
        let local = || address::from_value(event.parameter(2)).ok();
        let count = || usize::try_from(event.parameter(1).as_int()?).ok();
        let data = || match event.parameter(1) {
            Value::Bytes(data) => Some(data.clone()),
            _ => None,
        };
        Some(match name {
            "created_socket" => Self::Created {
                socket,
                id: parameters.get(1).cloned(),
            },
            "bound_socket" => Self::Bound {
                socket,
                local: local()?,
            },
            "listened_socket" => Self::Listened {
                socket,
                local: local()?,
            },
            "accepted_socket" => Self::Accepted {
                socket,
                connection: SocketHandle::from_value(event.parameter(1))?,
                peer: local()?,
            },
            "connected_socket" => Self::Connected {
                socket,
                peer: address::from_value(event.parameter(1)).ok()?,
                port: match event.parameter(2) {
                    Value::Nil => None,
                    port => Some(u16::try_from(port.as_int()?).ok()?),
                },
            },
            "received_socket" => Self::Received { socket, data: data()? },
            "sent_socket" => Self::Sent {
                socket,
                count: count()?,
            },
            "closed_socket" => Self::Closed { socket },
            "error_socket" => Self::Error {
                socket,
                error: SocketError::from_value(event.parameter(1))?,
            },
            "shut_down_socket" => Self::ShutDown { socket },
            "started_tls_socket" => Self::StartedTls { socket },
            "cancelled_socket" => Self::Cancelled {
                socket,
                count: count()?,
            },
            "configured_socket" => Self::Configured {
                socket,
                name: match event.parameter(1) {
                    Value::Str(name) => name.clone(),
                    _ => return None,
                },
                value: event.parameter(2).clone(),
            },
            "received_from_socket" => Self::ReceivedFrom {
                socket,
                data: data()?,
                from: address::as_datagram(local()?),
            },
            _ => return None,
        })
    }
}
