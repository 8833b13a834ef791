//! Sockets as components: connections, servers, datagrams.

/// Implements [`Boxes`](crate::Boxes) for components whose boxes are fields. The derive macro is a feature; this is not.
macro_rules! boxes {
    ($component:ident $(<$($generic:ident),*>)? as $name:expr => { $($(#[$attribute:meta])* $kind:ident $field:ident: $box_name:literal, $text:literal;)* }) => {
        impl $(<$($generic: 'static),*>)? $crate::Boxes for $component $(<$($generic),*>)? {
            fn boxes(&self, list: &mut $crate::BoxList) {
                $($(#[$attribute])* list.$kind($box_name, $text, &self.$field);)*
            }

            fn name(&self) -> ::std::borrow::Cow<'static, str> {
                $name.into()
            }
        }
    };
}

mod adapter;
mod connection;
mod explicit;
mod multicast;
mod options;
mod scratch;
mod selector;
mod server;
mod single_server;
mod socket_end;
#[cfg(feature = "tls")]
mod ssl;
mod tcp_client;
mod tcp_server;
mod udp;

pub use adapter::ConnectedSocketAdapter;
pub use multicast::{MulticastReceiver, MulticastSender, MulticastTransceiver};
pub use options::{AdapterOptions, DEFAULT_CHUNK, DEFAULT_LINGER, HalfClose};
pub use selector::{Readiness, Selector, SelectorRequest, Watch};
pub use server::{Connected, FastRestartServer, ServerCore, SimpleServer};
pub use single_server::SingleServer;
pub use socket_end::{HowDied, ShutdownCsa, SocketShutdown};
#[cfg(feature = "tls")]
pub use ssl::{MakeSsl, SslReady};
pub use tcp_client::TcpClient;
pub use tcp_server::{HandlerSignal, TcpServer};
pub use udp::{PostboxPeer, SimplePeer, TargettedPeer, UdpReceiver, UdpSender};
