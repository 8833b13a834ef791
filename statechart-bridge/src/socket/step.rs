//! One command for one socket: as it was raised, and while it is under way.

use bytes::Bytes;
use net_core::Endpoint;

use super::command::TlsRole;
use super::data::SocketData;
use super::error::SocketError;
use super::option::SocketOption;
use crate::InstanceId;

/// A command for one socket.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Step {
    Control(Control),
    Recv,
    RecvFrom,
    Accept,
    Send(SocketData, Option<Endpoint>),
    Cancel,
    Close,
    /// A command with a wrong parameter, answered in its place.
    Bad(SocketError),
}

/// What changes the socket itself.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Control {
    Bind(Endpoint),
    Listen,
    Connect(Endpoint),
    Shutdown,
    StartTls(TlsRole),
    Configure(SocketOption),
}

impl Step {
    /// The command without its `_socket`.
    pub(super) fn op(&self) -> &str {
        match self {
            Self::Bad(error) => &error.op,
            Self::Control(control) => control.op(),
            Self::Recv => "recv",
            Self::RecvFrom => "recv_from",
            Self::Accept => "accept",
            Self::Send(_, None) => "send",
            Self::Send(_, Some(_)) => "send_to",
            Self::Cancel => "cancel",
            Self::Close => "close",
        }
    }
}

impl Control {
    pub(super) fn op(&self) -> &'static str {
        match self {
            Self::Bind(_) => "bind",
            Self::Listen => "listen",
            Self::Connect(_) => "connect",
            Self::Shutdown => "shutdown",
            Self::StartTls(_) => "start_tls",
            Self::Configure(_) => "configure",
        }
    }
}

/// A receive that waits, and whether it wants to know who sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Receiving {
    pub(super) raiser: InstanceId,
    pub(super) from: bool,
}

impl Receiving {
    pub(super) fn op(self) -> &'static str {
        if self.from { "recv_from" } else { "recv" }
    }
}

#[derive(Debug)]
pub(super) struct Sending {
    pub(super) data: SocketData,
    pub(super) to: Option<Endpoint>,
    pub(super) sent: usize,
    pub(super) raiser: InstanceId,
    /// What is wrong with it, instead of data.
    pub(super) bad: Option<SocketError>,
}

impl Sending {
    pub(super) fn new(data: SocketData, to: Option<Endpoint>, raiser: InstanceId) -> Self {
        Self {
            data,
            to,
            sent: 0,
            raiser,
            bad: None,
        }
    }

    pub(super) fn bad(error: SocketError, raiser: InstanceId) -> Self {
        let bad = Some(error);
        Self {
            bad,
            ..Self::new(SocketData::Bytes(Bytes::new()), None, raiser)
        }
    }

    pub(super) fn op(&self) -> &'static str {
        if self.to.is_some() { "send_to" } else { "send" }
    }
}
