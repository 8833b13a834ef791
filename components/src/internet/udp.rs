//! UDP peers.

use std::future::poll_fn;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;

use bytes::Bytes;
use futures_sink::Sink;
use net_core::{Datagram, Endpoint, Result, SocketOptions};

use crate::{
    Component, Context, Failure, HasInbox, HasOutbox, Inbox, Outbox, OutboxSink, Outcome, Received, Signal, System,
};

/// A datagram, and where it goes or where it came from.
type Packet = (Bytes, SocketAddr);

enum Step<I> {
    Send(I),
    Target(SocketAddr),
    Received(Result<(Bytes, Endpoint)>),
    Told(Option<Signal>),
    Done,
}

/// A socket and who gets what it receives.
pub(super) struct Peer {
    pub(super) socket: Datagram,
    pub(super) outbox: OutboxSink<Packet>,
    pub(super) control: Inbox<Signal>,
    pub(super) targets: Option<Inbox<SocketAddr>>,
    pub(super) target: Option<SocketAddr>,
}

impl Peer {
    /// Sends what comes to the inbox, delivers what is received, until it is told to end. `aim` makes a datagram of a message
    /// of the inbox and the target; none if there is no target.
    pub(super) async fn run<I: Send + 'static>(
        mut self,
        mut inbox: Inbox<I>,
        mut context: Context,
        aim: impl Fn(I, Option<SocketAddr>) -> Option<Packet>,
    ) -> Outcome {
        let mut finishing = false;
        loop {
            let step = {
                let mut receiving = pin!(self.socket.receive());
                poll_fn(|cx| {
                    if let Some(targets) = &mut self.targets
                        && let Poll::Ready(Some(to)) = targets.poll_recv(cx)
                    {
                        return Poll::Ready(Step::Target(to));
                    }
                    match inbox.poll_recv_or(&mut self.control, cx) {
                        Poll::Ready(Received::Message(message)) => return Poll::Ready(Step::Send(message)),
                        Poll::Ready(Received::Control(signal)) => return Poll::Ready(Step::Told(Some(signal))),
                        Poll::Ready(Received::Ended) => return Poll::Ready(Step::Told(None)),
                        Poll::Pending => {}
                    }
                    // While nobody takes what was received the system keeps what comes, as far as it has room. A box that
                    // refuses has lost a datagram, which is what may happen to datagrams.
                    let _ = std::task::ready!(Pin::new(&mut self.outbox).poll_flush(cx));
                    if finishing {
                        return Poll::Ready(Step::Done);
                    }
                    receiving.as_mut().poll(cx).map(Step::Received)
                })
                .await
            };
            match step {
                Step::Send(message) => match aim(message, self.target) {
                    Some((data, to)) => {
                        if let Err(error) = self.socket.send_to_addr(&data, to).await {
                            tell(&mut context, error.into());
                        }
                    }
                    None => tell(
                        &mut context,
                        Failure::new("a message had no receiver: set a target first"),
                    ),
                },
                Step::Target(to) => self.target = Some(to),
                Step::Received(Ok((data, from))) => {
                    if let Some(from) = from.socket_addr() {
                        // It was flushed before.
                        let _ = Pin::new(&mut self.outbox).start_send((data, from));
                    }
                }
                // Somebody refused an earlier datagram, for example.
                Step::Received(Err(error)) => tell(&mut context, error.into()),
                Step::Told(Some(signal)) if signal.is_shutdown() => {
                    context.signal(signal);
                    return Ok(());
                }
                Step::Told(Some(signal)) => finishing |= signal.is_finished(),
                Step::Told(None) => finishing = true,
                Step::Done => return Ok(()),
            }
        }
    }
}

fn tell(context: &mut Context, error: Failure) {
    let caller = Arc::clone(context.name());
    context.signal(Signal::ErrorInformation { caller, error });
}

/// The address of an endpoint, looked up if it is a name.
pub(super) async fn address(system: &System, endpoint: &Endpoint) -> Result<SocketAddr> {
    let addresses = system.net().resolve(endpoint).await?;
    addresses
        .first()
        .copied()
        .ok_or_else(|| net_core::Error::new(net_core::ErrorKind::Resolve, net_core::Operation::Resolve).at(endpoint))
}

/// Declares a component with a socket: its boxes, and where it listens.
macro_rules! datagrams {
    ($(#[$attribute:meta])* $peer:ident, $input:ty, $text:literal $(, $target:ident: $target_text:literal)?) => {
        $(#[$attribute])*
        #[derive(Debug)]
        pub struct $peer {
            #[doc = $text]
            pub inbox: Inbox<$input>,
            $(#[doc = $target_text] pub $target: Inbox<SocketAddr>,)?
            /// Tells it to end.
            pub control: Inbox<Signal>,
            /// Datagrams received, and from whom.
            pub outbox: Outbox<(Bytes, SocketAddr)>,
            /// Tells what could not be sent, and the end.
            pub signal: Outbox<Signal>,
            pub(super) socket: Datagram,
            pub(super) receiver: Option<SocketAddr>,
        }

        boxes!($peer as stringify!($peer) => {
            inbox inbox: "inbox", $text;
            $(inbox $target: "target", $target_text;)?
            inbox control: "control", "Tells it to end.";
            outbox outbox: "outbox", "Datagrams received, and from whom.";
            outbox signal: "signal", "Tells what could not be sent, and the end.";
        });

        impl $peer {
            pub(super) fn on(socket: Datagram, receiver: Option<SocketAddr>) -> Self {
                Self {
                    inbox: Inbox::new(),
                    $($target: Inbox::new(),)?
                    control: Inbox::new(),
                    outbox: Outbox::new(),
                    signal: Outbox::new(),
                    socket,
                    receiver,
                }
            }

            /// Where it receives, with the real port.
            pub fn local(&self) -> &Endpoint {
                self.socket.local()
            }
        }

        impl HasInbox for $peer {
            type In = $input;

            fn inbox(&self) -> &Inbox<$input> {
                &self.inbox
            }
        }

        impl HasOutbox for $peer {
            type Out = (Bytes, SocketAddr);

            fn outbox(&self) -> &Outbox<(Bytes, SocketAddr)> {
                &self.outbox
            }
        }
    };
}
pub(super) use datagrams;

datagrams! {
    /// Sends datagrams to one receiver, and gives what it gets from anybody.
    ///
    /// After a [`ProducerFinished`](Signal::ProducerFinished) it sends and delivers what it has and ends; after a
    /// [`ShutdownMicroprocess`](Signal::ShutdownMicroprocess) at once. What can't be sent is told by `signal`, as an
    /// [`ErrorInformation`](Signal::ErrorInformation). Datagrams are whole, up to 65 507 bytes.
    SimplePeer, Bytes, "Datagrams to be sent."
}

datagrams! {
    /// Sends datagrams to the receiver that was named last at its box `target`; else as a [`SimplePeer`].
    TargettedPeer, Bytes, "Datagrams to be sent.", target: "Where later datagrams go."
}

datagrams! {
    /// Sends datagrams to the receiver that each of them names; else as a [`SimplePeer`].
    PostboxPeer, (Bytes, SocketAddr), "Datagrams to be sent, and where to."
}

datagrams! {
    /// Sends datagrams to one receiver, and gives what comes back; else as a [`SimplePeer`], but that the system chooses its
    /// port.
    UdpSender, Bytes, "Datagrams to be sent."
}

datagrams! {
    /// Gives the datagrams that come to its address, and from whom. Its inbox is of no use.
    UdpReceiver, Bytes, "Nothing: it only receives."
}

impl UdpSender {
    /// A sender to that address.
    ///
    /// # Errors
    /// As [`SimplePeer::bind`].
    pub async fn bind(system: &System, receiver: &Endpoint) -> Result<Self> {
        let receiver = address(system, receiver).await?;
        let any: IpAddr = match receiver {
            SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        let local = Endpoint::udp(SocketAddr::new(any, 0));
        Ok(Self::on(socket(system, &local).await?, Some(receiver)))
    }
}

impl UdpReceiver {
    /// A receiver at an address of its own.
    ///
    /// # Errors
    /// As [`Net::datagram`](net_core::Net::datagram): the port is in use, for example.
    pub async fn bind(system: &System, local: &Endpoint) -> Result<Self> {
        Ok(Self::on(socket(system, local).await?, None))
    }
}

impl SimplePeer {
    /// A peer with an address of its own (`udp://0.0.0.0:0`: any) that sends to `receiver`.
    ///
    /// # Errors
    /// As [`Net::datagram`](net_core::Net::datagram): the port is in use, the name is not known.
    pub async fn bind(system: &System, local: &Endpoint, receiver: &Endpoint) -> Result<Self> {
        let receiver = address(system, receiver).await?;
        Ok(Self::on(socket(system, local).await?, Some(receiver)))
    }
}

impl TargettedPeer {
    /// A peer with an address of its own that sends to `receiver`, if there is one, until a target is named.
    ///
    /// # Errors
    /// As [`SimplePeer::bind`].
    pub async fn bind(system: &System, local: &Endpoint, receiver: Option<&Endpoint>) -> Result<Self> {
        let receiver = match receiver {
            Some(receiver) => Some(address(system, receiver).await?),
            None => None,
        };
        Ok(Self::on(socket(system, local).await?, receiver))
    }
}

impl PostboxPeer {
    /// A peer with an address of its own.
    ///
    /// # Errors
    /// As [`Net::datagram`](net_core::Net::datagram).
    pub async fn bind(system: &System, local: &Endpoint) -> Result<Self> {
        Ok(Self::on(socket(system, local).await?, None))
    }
}

async fn socket(system: &System, local: &Endpoint) -> Result<Datagram> {
    system.net().datagram_with(local, &SocketOptions::default()).await
}

/// Runs peers whose datagrams all go to one receiver.
macro_rules! runs {
    ($($peer:ident)*) => {$(
        impl $crate::Component for $peer {
            async fn main(self, context: $crate::Context) -> $crate::Outcome {
                let peer = Peer {
                    socket: self.socket,
                    outbox: self.outbox.into_sink(),
                    control: self.control,
                    targets: None,
                    target: self.receiver,
                };
                peer.run(self.inbox, context, |data, to| Some((data, to?))).await
            }
        }
    )*};
}
pub(super) use runs;

runs!(SimplePeer UdpReceiver UdpSender);

impl Component for TargettedPeer {
    async fn main(self, context: Context) -> Outcome {
        let peer = Peer {
            socket: self.socket,
            outbox: self.outbox.into_sink(),
            control: self.control,
            targets: Some(self.target),
            target: self.receiver,
        };
        peer.run(self.inbox, context, |data, to| Some((data, to?))).await
    }
}

impl Component for PostboxPeer {
    async fn main(self, context: Context) -> Outcome {
        let peer = Peer {
            socket: self.socket,
            outbox: self.outbox.into_sink(),
            control: self.control,
            targets: None,
            target: self.receiver,
        };
        peer.run(self.inbox, context, |packet, _| Some(packet)).await
    }
}
