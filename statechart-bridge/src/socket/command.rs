//! Commands: what models raise on `socket_out`.

use std::sync::Arc;

use net_core::Endpoint;

use super::address;
use super::data::SocketData;
use super::error::SocketError;
use super::handle::SocketHandle;
use super::option::SocketOption;
use crate::{Event, Value};

/// The outport on which models raise commands.
pub const SOCKET_OUT: &str = "socket_out";

/// A command to the socket service, typed. By name it is an event on [`SOCKET_OUT`]; both forms mean the same.
///
/// Addresses are `(host, port)` or an endpoint as text: `tls://host:port`, `unix:/path`, `unix:@name`. The commands after
/// `Stop` are additions to the original's.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum SocketCommand {
    /// `create_socket`, or `create_socket(id)`: a stream socket. The id comes back with the answer.
    Create {
        /// Whatever the model likes.
        id: Option<Value>,
    },
    /// `bind_socket(socket, address)`; an empty host is all interfaces, port 0 lets the system choose.
    Bind {
        /// The socket.
        socket: SocketHandle,
        /// Where.
        address: Endpoint,
    },
    /// `listen_socket(socket)`.
    Listen {
        /// The socket.
        socket: SocketHandle,
    },
    /// `accept_socket(socket)`: one connection.
    Accept {
        /// The listening socket.
        socket: SocketHandle,
    },
    /// `connect_socket(socket, address)`.
    Connect {
        /// The socket.
        socket: SocketHandle,
        /// Where to.
        address: Endpoint,
    },
    /// `recv_socket(socket)`: at most 65,536 bytes, once.
    Recv {
        /// The socket.
        socket: SocketHandle,
    },
    /// `send_socket(socket, data)`: all of it.
    Send {
        /// The socket.
        socket: SocketHandle,
        /// Text or bytes.
        data: SocketData,
    },
    /// `close_socket(socket)`: sends what is queued, then the end; ends what is pending.
    Close {
        /// The socket.
        socket: SocketHandle,
    },
    /// `stop`: closes every socket and ends the service.
    Stop,
    /// `shutdown_socket(socket)`: sends what is queued, then the end; the peer's data still come.
    Shutdown {
        /// The socket.
        socket: SocketHandle,
    },
    /// `start_tls_socket(socket, "client", server_name)` or `start_tls_socket(socket, "server")`: sends what is queued, then
    /// encrypts the connection, as after a STARTTLS. What is received from then on was encrypted.
    StartTls {
        /// The connected socket.
        socket: SocketHandle,
        /// Which end of TLS it is.
        role: TlsRole,
    },
    /// `cancel_socket(socket)`: gives pending accepts and receives up.
    Cancel {
        /// The socket.
        socket: SocketHandle,
    },
    /// `configure_socket(socket, name, value)`.
    Configure {
        /// The socket.
        socket: SocketHandle,
        /// What is set.
        option: SocketOption,
    },
    /// `create_datagram_socket`, or `create_datagram_socket(id)`: a UDP socket.
    CreateDatagram {
        /// Whatever the model likes.
        id: Option<Value>,
    },
    /// `send_to_socket(socket, data, address)`: one datagram.
    SendTo {
        /// The UDP socket.
        socket: SocketHandle,
        /// Text or bytes.
        data: SocketData,
        /// Where to.
        address: Endpoint,
    },
    /// `recv_from_socket(socket)`: one datagram, and who sent it.
    RecvFrom {
        /// The UDP socket.
        socket: SocketHandle,
    },
}

/// Which end of TLS a socket becomes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TlsRole {
    /// Verifies the server.
    Client {
        /// The name or address that the server's certificate must be for.
        server_name: Arc<str>,
    },
    /// Has the certificate of the [`Net`](net_core::Net).
    Server,
}

/// A command that can't be carried out as it stands: a missing, unknown or wrong parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct BadCommand {
    /// What was passed where the socket belongs; nil if nothing was.
    pub socket: Value,
    /// What is wrong with it.
    pub error: SocketError,
}

/// The parameters of an event, while a command is made of them.
struct Parameters<'a> {
    op: &'a str,
    event: &'a Event,
}

impl Parameters<'_> {
    fn bad(&self, message: String) -> BadCommand {
        BadCommand {
            socket: self.event.parameter(0).clone(),
            error: SocketError::invalid(self.op, message),
        }
    }

    fn socket(&self) -> Result<SocketHandle, BadCommand> {
        let value = self.event.parameter(0);
        SocketHandle::from_value(value).ok_or_else(|| {
            let name = self.event.name();
            self.bad(format!(
                "{name}: the first parameter must be a socket, not {}",
                value.kind()
            ))
        })
    }

    fn data(&self) -> Result<SocketData, BadCommand> {
        let value = self.event.parameter(1);
        SocketData::from_value(value).ok_or_else(|| {
            let name = self.event.name();
            self.bad(format!(
                "{name}: the data must be a string or bytes, not {}",
                value.kind()
            ))
        })
    }

    fn address(&self, index: usize) -> Result<Endpoint, BadCommand> {
        address::from_value(self.event.parameter(index))
            .map_err(|message| self.bad(format!("{}: {message}", self.event.name())))
    }

    fn option(&self) -> Result<SocketOption, BadCommand> {
        let failed = |message| self.bad(format!("{}: {message}", self.event.name()));
        let name = self.event.parameter(1);
        let text = name
            .as_str()
            .ok_or_else(|| failed(format!("the option's name must be a string, not {}", name.kind())))?;
        SocketOption::new(text, self.event.parameter(2)).map_err(failed)
    }

    fn tls_role(&self) -> Result<TlsRole, BadCommand> {
        match (self.event.parameter(1).as_str(), self.event.parameter(2)) {
            (Some("server"), _) => Ok(TlsRole::Server),
            (Some("client"), Value::Str(server_name)) if !server_name.is_empty() => Ok(TlsRole::Client {
                server_name: Arc::clone(server_name),
            }),
            (Some("client"), other) => Err(self.bad(format!(
                "{}: a client needs the name of its server as the third parameter, not {}",
                self.event.name(),
                other.kind()
            ))),
            _ => Err(self.bad(format!(
                "{}: the second parameter must be \"client\" or \"server\", not {}",
                self.event.name(),
                self.event.parameter(1)
            ))),
        }
    }

    /// An id, if there is exactly one parameter.
    fn id(&self) -> Option<Value> {
        match &**self.event.parameters() {
            [id] => Some(id.clone()),
            _ => None,
        }
    }
}

impl SocketCommand {
    /// The names of all commands.
    pub const NAMES: [&str; 16] = [
        "create_socket",
        "bind_socket",
        "listen_socket",
        "accept_socket",
        "connect_socket",
        "recv_socket",
        "send_socket",
        "close_socket",
        "stop",
        "shutdown_socket",
        "start_tls_socket",
        "cancel_socket",
        "configure_socket",
        "create_datagram_socket",
        "send_to_socket",
        "recv_from_socket",
    ];

    /// The command in an event; `None` if its name is none of a command's. The port isn't looked at.
    ///
    /// # Errors
    /// [`BadCommand`], which is what `unknown_error_socket` tells.
    pub fn from_event(event: &Event) -> Result<Option<Self>, BadCommand> {
        let name = &**event.name();
        let parameters = Parameters {
            op: name.strip_suffix("_socket").unwrap_or(name),
            event,
        };
        let socket = || parameters.socket();
        Ok(Some(match name {
            "create_socket" => Self::Create { id: parameters.id() },
            "bind_socket" => Self::Bind {
                socket: socket()?,
                address: parameters.address(1)?,
            },
            "listen_socket" => Self::Listen { socket: socket()? },
            "accept_socket" => Self::Accept { socket: socket()? },
            "connect_socket" => Self::Connect {
                socket: socket()?,
                address: parameters.address(1)?,
            },
            "recv_socket" => Self::Recv { socket: socket()? },
            "send_socket" => Self::Send {
                socket: socket()?,
                data: parameters.data()?,
            },
            "close_socket" => Self::Close { socket: socket()? },
            "stop" => Self::Stop,
            "shutdown_socket" => Self::Shutdown { socket: socket()? },
            "start_tls_socket" => Self::StartTls {
                socket: socket()?,
                role: parameters.tls_role()?,
            },
            "cancel_socket" => Self::Cancel { socket: socket()? },
            "configure_socket" => Self::Configure {
                socket: socket()?,
                option: parameters.option()?,
            },
            "create_datagram_socket" => Self::CreateDatagram { id: parameters.id() },
            "send_to_socket" => Self::SendTo {
                socket: socket()?,
                data: parameters.data()?,
                address: address::as_datagram(parameters.address(2)?),
            },
            "recv_from_socket" => Self::RecvFrom { socket: socket()? },
            _ => return Ok(None),
        }))
    }

    /// The event's name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Create { .. } => "create_socket",
            Self::Bind { .. } => "bind_socket",
            Self::Listen { .. } => "listen_socket",
            Self::Accept { .. } => "accept_socket",
            Self::Connect { .. } => "connect_socket",
            Self::Recv { .. } => "recv_socket",
            Self::Send { .. } => "send_socket",
            Self::Close { .. } => "close_socket",
            Self::Stop => "stop",
            Self::Shutdown { .. } => "shutdown_socket",
            Self::StartTls { .. } => "start_tls_socket",
            Self::Cancel { .. } => "cancel_socket",
            Self::Configure { .. } => "configure_socket",
            Self::CreateDatagram { .. } => "create_datagram_socket",
            Self::SendTo { .. } => "send_to_socket",
            Self::RecvFrom { .. } => "recv_from_socket",
        }
    }

    /// The event, on [`SOCKET_OUT`].
    pub fn to_event(&self) -> Event {
        let parameters = match self {
            Self::Create { id } | Self::CreateDatagram { id } => id.iter().cloned().collect(),
            Self::Stop => Vec::new(),
            Self::Listen { socket }
            | Self::Accept { socket }
            | Self::Recv { socket }
            | Self::Close { socket }
            | Self::Shutdown { socket }
            | Self::Cancel { socket }
            | Self::RecvFrom { socket } => vec![socket.clone().into()],
            Self::Bind { socket, address } | Self::Connect { socket, address } => {
                vec![socket.clone().into(), address::to_value(address)]
            }
            Self::Send { socket, data } => vec![socket.clone().into(), data.clone().into()],
            Self::Configure { socket, option } => {
                vec![socket.clone().into(), option.name.clone().into(), option.value.clone()]
            }
            Self::StartTls {
                socket,
                role: TlsRole::Server,
            } => vec![socket.clone().into(), "server".into()],
            Self::StartTls {
                socket,
                role: TlsRole::Client { server_name },
            } => vec![socket.clone().into(), "client".into(), server_name.clone().into()],
            Self::SendTo { socket, data, address } => {
                vec![
                    socket.clone().into(),
                    data.clone().into(),
                    address::datagram_to_value(address),
                ]
            }
        };
        Event::new(self.name()).on(SOCKET_OUT).with(parameters)
    }
}
