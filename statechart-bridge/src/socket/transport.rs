//! What a socket is made of: a stream socket, or a datagram socket.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use net_core::{
    BoxFuture, Datagram, Endpoint, Error, ErrorKind, Host, Net, Operation, Result, Socket, SocketOptions, SocketState,
};

use super::address;
use super::command::TlsRole;
use super::option::{Options, SocketOption};

/// The most that one `recv_socket` brings.
const RECV_MOST: usize = 1 << 16;

pub(super) enum Transport {
    /// With its options, as long as they can still be changed.
    Stream(Box<Socket>, Option<Box<Options>>),
    Datagram(Box<DatagramSocket>),
}

impl Transport {
    pub(super) fn stream(net: &Net, options: Options) -> Self {
        let socket = Socket::with_options(net, options.connect.clone(), options.bind.clone());
        Self::Stream(Box::new(socket), Some(Box::new(options)))
    }

    pub(super) fn datagram(net: &Net) -> Self {
        Self::Datagram(Box::new(DatagramSocket {
            net: net.clone(),
            options: SocketOptions::default(),
            socket: None,
            peer: None,
            receiving: None,
            sending: None,
        }))
    }

    pub(super) fn local(&self) -> Option<&Endpoint> {
        match self {
            Self::Stream(socket, _) => socket.local(),
            Self::Datagram(datagram) => datagram.socket.as_ref().map(|socket| socket.local()),
        }
    }

    pub(super) fn peer(&self) -> Option<&Endpoint> {
        match self {
            Self::Stream(socket, _) => socket.peer(),
            Self::Datagram(datagram) => datagram.peer.as_ref(),
        }
    }

    pub(super) async fn bind(&mut self, at: Endpoint) -> Result<()> {
        match self {
            Self::Stream(socket, _) => socket.bind(&at).await,
            Self::Datagram(datagram) => datagram.bind(at).await,
        }
    }

    pub(super) fn listen(&mut self) -> Result<()> {
        match self {
            Self::Stream(socket, _) => socket.listen(),
            Self::Datagram(_) => Err(no_stream(Operation::Listen)),
        }
    }

    pub(super) async fn connect(&mut self, to: Endpoint) -> Result<()> {
        match self {
            Self::Stream(socket, _) => socket.connect(&to).await,
            Self::Datagram(datagram) => datagram.connect(to).await,
        }
    }

    pub(super) async fn shutdown(&mut self) -> Result<()> {
        match self {
            Self::Stream(socket, _) => socket.shutdown().await,
            Self::Datagram(_) => Err(no_stream(Operation::Shutdown)),
        }
    }

    #[cfg(feature = "tls")]
    pub(super) async fn start_tls(&mut self, role: TlsRole) -> Result<()> {
        match (self, role) {
            (Self::Stream(socket, _), TlsRole::Client { server_name }) => socket.start_tls_client(&server_name).await,
            (Self::Stream(socket, _), TlsRole::Server) => socket.start_tls_server().await,
            (Self::Datagram(_), _) => Err(no_stream(Operation::Handshake)),
        }
    }

    #[cfg(not(feature = "tls"))]
    pub(super) async fn start_tls(&mut self, _: TlsRole) -> Result<()> {
        Err(Error::new(ErrorKind::Unsupported, Operation::Handshake)
            .detail("statechart-bridge was built without its feature `tls`"))
    }

    pub(super) fn configure(&mut self, net: &Net, option: &SocketOption) -> Result<()> {
        match self {
            Self::Stream(socket, Some(options)) if socket.state() == SocketState::Created => {
                options.set(option.setting);
                **socket = Socket::with_options(net, options.connect.clone(), options.bind.clone());
                Ok(())
            }
            Self::Datagram(datagram) if datagram.socket.is_none() => {
                let mut options = Options::default();
                options.bind.socket = datagram.options.clone();
                options.set(option.setting);
                datagram.options = options.bind.socket;
                Ok(())
            }
            _ => Err(Error::new(ErrorKind::WrongState, Operation::Configure)
                .detail(format!("option {} must be set before bind and connect", option.name()))),
        }
    }

    pub(super) fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<Result<Socket>> {
        match self {
            Self::Stream(socket, _) => socket.poll_accept(cx),
            Self::Datagram(_) => Poll::Ready(Err(no_stream(Operation::Accept))),
        }
    }

    /// Receives once; `sender` if it must be known who sent.
    pub(super) fn poll_recv(&mut self, cx: &mut Context<'_>, sender: bool) -> Poll<Result<(Bytes, Option<Endpoint>)>> {
        match self {
            Self::Stream(..) if sender => Poll::Ready(Err(Error::new(ErrorKind::Unsupported, Operation::Read)
                .detail("only datagrams have a sender each: use recv_socket"))),
            Self::Stream(socket, _) => socket.poll_recv(cx, RECV_MOST).map_ok(|data| (data, None)),
            Self::Datagram(datagram) => datagram.poll_recv(cx).map_ok(|(data, from)| (data, Some(from))),
        }
    }

    /// Nobody wants to receive: lets buffers go.
    pub(super) fn rest(&mut self) {
        if let Self::Datagram(datagram) = self {
            datagram.receiving = None;
        }
    }

    pub(super) fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        data: &[u8],
        to: Option<&Endpoint>,
    ) -> Poll<Result<usize>> {
        match (self, to) {
            (Self::Stream(..), Some(_)) => Poll::Ready(Err(Error::new(ErrorKind::Unsupported, Operation::Write)
                .detail("only datagrams have an address each: connect the socket, and use send_socket"))),
            (Self::Stream(socket, _), None) => {
                if data.is_empty() && socket.state() == SocketState::Connected {
                    return Poll::Ready(Ok(0));
                }
                match ready!(socket.poll_send(cx, data)) {
                    Ok(0) => Poll::Ready(Err(Error::new(ErrorKind::BrokenPipe, Operation::Write))),
                    other => Poll::Ready(other),
                }
            }
            (Self::Datagram(datagram), to) => datagram.poll_send(cx, data, to),
        }
    }

    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match self {
            // What is wrong shows in the next command.
            Self::Stream(socket, _) => socket.poll_flush(cx).map(drop),
            Self::Datagram(_) => Poll::Ready(()),
        }
    }

    pub(super) async fn close(&mut self) {
        match self {
            // Closed it is in any case, and nothing is left to be told.
            Self::Stream(socket, _) => drop(socket.close().await),
            Self::Datagram(datagram) => {
                (datagram.receiving, datagram.sending) = (None, None);
                datagram.socket = None;
            }
        }
    }
}

fn no_stream(operation: Operation) -> Error {
    Error::new(ErrorKind::Unsupported, operation).detail("it is a datagram socket, which has no connections")
}

/// A UDP socket.
pub(super) struct DatagramSocket {
    net: Net,
    options: SocketOptions,
    socket: Option<Arc<Datagram>>,
    peer: Option<Endpoint>,
    receiving: Option<BoxFuture<'static, Result<(Bytes, Endpoint)>>>,
    sending: Option<BoxFuture<'static, Result<()>>>,
}

impl DatagramSocket {
    async fn bind(&mut self, at: Endpoint) -> Result<()> {
        if self.socket.is_some() {
            return Err(Error::new(ErrorKind::WrongState, Operation::Bind).detail("it is bound already"));
        }
        let at = address::as_datagram(at);
        self.socket = Some(Arc::new(self.net.datagram_with(&at, &self.options).await?));
        Ok(())
    }

    /// Names the one peer; takes any free port if it is not bound.
    async fn connect(&mut self, to: Endpoint) -> Result<()> {
        let to = address::as_datagram(to);
        let resolved = self.net.resolve(&to).await?;
        let Some(peer) = resolved.first() else {
            return Err(Error::new(ErrorKind::Resolve, Operation::Connect).at(&to));
        };
        if self.socket.is_none() {
            let any: IpAddr = if peer.is_ipv4() {
                Ipv4Addr::UNSPECIFIED.into()
            } else {
                Ipv6Addr::UNSPECIFIED.into()
            };
            self.bind(Endpoint::Udp(Host::Ip(any), 0)).await?;
        }
        self.peer = Some(Endpoint::udp(*peer));
        Ok(())
    }

    fn bound(&self, operation: Operation) -> Result<&Arc<Datagram>> {
        self.socket.as_ref().ok_or_else(|| {
            Error::new(ErrorKind::WrongState, operation).detail("it is not bound: port 0 lets the system choose")
        })
    }

    fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Result<(Bytes, Endpoint)>> {
        loop {
            let socket = Arc::clone(self.bound(Operation::Read)?);
            let receiving = self
                .receiving
                .get_or_insert_with(|| Box::pin(async move { socket.receive().await }));
            let outcome = ready!(receiving.as_mut().poll(cx));
            self.receiving = None;
            match (outcome, &self.peer) {
                // A stranger's.
                (Ok((_, from)), Some(peer)) if from != *peer => {}
                (outcome, _) => return Poll::Ready(outcome),
            }
        }
    }

    fn poll_send(&mut self, cx: &mut Context<'_>, data: &[u8], to: Option<&Endpoint>) -> Poll<Result<usize>> {
        let socket = Arc::clone(self.bound(Operation::Write)?);
        let Some(to) = to.or(self.peer.as_ref()).cloned() else {
            return Poll::Ready(Err(Error::new(ErrorKind::WrongState, Operation::Write)
                .detail("it has no peer: connect it, or use send_to_socket")));
        };
        let length = data.len();
        let sending = self.sending.get_or_insert_with(|| {
            let data = Bytes::copy_from_slice(data);
            Box::pin(async move { socket.send_to(&data, &to).await })
        });
        let outcome = ready!(sending.as_mut().poll(cx));
        self.sending = None;
        Poll::Ready(outcome.map(|()| length))
    }
}
