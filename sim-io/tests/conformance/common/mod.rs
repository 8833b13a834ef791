//! Where the tests listen and connect.

#[allow(
    dead_code,
    unused_imports,
    unused_macros,
    reason = "other tests use other parts of it"
)]
#[path = "../../../../net-core/tests/common/backend.rs"]
pub(crate) mod backend;
#[allow(dead_code, reason = "other tests use other parts of it")]
#[path = "../../../../net-core/tests/common/certificates.rs"]
pub(crate) mod certificates;

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;

use net_core::{BindOptions, Endpoint, Listener, Net, SocketOptions, Stream, Task};

use backend::net;

/// Longer than anything takes that is to come.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// What a test connects through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    Tcp,
    Tls,
    Unix,
}

/// A network, and an endpoint on it that nobody else uses.
pub(crate) struct Place {
    pub(crate) net: Net,
    pub(crate) transport: Transport,
    pub(crate) endpoint: Endpoint,
}

impl Place {
    pub(crate) fn new(transport: Transport) -> Self {
        let net = net();
        let (net, endpoint) = match transport {
            Transport::Tcp => (net, at("tcp://127.0.0.1:0")),
            Transport::Unix => (net, at(&format!("unix:@{}", unique()))),
            Transport::Tls => {
                let (server, client) = certificates::trusting();
                let net = net.with_server_tls(server).with_client_tls(client);
                (net, at("tls://127.0.0.1:0"))
            }
        };
        Self {
            net,
            transport,
            endpoint,
        }
    }

    pub(crate) async fn listen(&self) -> Listener {
        self.net.bind(&self.endpoint).await.unwrap()
    }

    pub(crate) async fn listen_with(&self, options: SocketOptions) -> Listener {
        let options = BindOptions::default().socket(options);
        self.net.bind_with(&self.endpoint, &options).await.unwrap()
    }

    /// Begins to connect.
    pub(crate) fn connecting(&self, to: &Endpoint) -> Task<net_core::Result<Stream>> {
        let (net, to) = (self.net.clone(), to.clone());
        let task = self.net.spawn(async move { net.connect(&to).await });
        task.unwrap()
    }

    /// A connection to a listener: the connecting end and the accepted one.
    pub(crate) async fn pair_at(&self, listener: &mut Listener) -> (Stream, Stream) {
        let connecting = self.connecting(listener.local());
        let mut accepted = listener.accept().await.unwrap();
        // Over TLS the client is connected only after the handshake, which needs both.
        accepted.handshake().await.unwrap();
        (connecting.await.unwrap().unwrap(), accepted)
    }

    pub(crate) async fn pair(&self) -> (Stream, Stream) {
        let mut listener = self.listen().await;
        self.pair_at(&mut listener).await
    }

    /// A pause that lets everything come that is on its way. Nothing depends on its being long enough on a slow machine:
    /// what a test asserts holds without it too, but would be less of a test.
    pub(crate) async fn pause(&self) {
        self.net.sleep(Duration::from_millis(50)).await;
    }
}

pub(crate) fn at(text: &str) -> Endpoint {
    text.parse().unwrap()
}

/// A name that no other test has.
fn unique() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("sim-io-conformance-{}-{count}", std::process::id())
}

/// Bytes that differ from place to place, so that a mix-up shows.
pub(crate) fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|i| (i ^ (i >> 8) ^ (i >> 16)) as u8).collect()
}

/// Polls a future once.
pub(crate) async fn poll_once<T>(work: &mut (impl Future<Output = T> + Unpin)) -> Option<T> {
    poll_fn(|cx| {
        Poll::Ready(match Pin::new(&mut *work).poll(cx) {
            Poll::Ready(value) => Some(value),
            Poll::Pending => None,
        })
    })
    .await
}

/// Makes a test of each function named, for each transport of each backend: the function takes a [`Place`].
macro_rules! on_each_socket {
    ($($test:ident),+ $(,)?) => {
        mod each_socket {
            $crate::common::on_each_backend_over!(tcp Tcp, $($test),+);
            $crate::common::on_each_backend_over!(tls Tls, $($test),+);
            $crate::common::on_each_backend_over!(unix Unix, $($test),+);
        }
    };
}

/// The same without TLS, for what it hides.
macro_rules! on_plain_sockets {
    ($($test:ident),+ $(,)?) => {
        mod plain_sockets {
            $crate::common::on_each_backend_over!(tcp Tcp, $($test),+);
            $crate::common::on_each_backend_over!(unix Unix, $($test),+);
        }
    };
}

/// The same for what only TCP shows.
macro_rules! on_tcp {
    ($($test:ident),+ $(,)?) => {
        mod over_tcp {
            $crate::common::on_each_backend_over!(tcp Tcp, $($test),+);
        }
    };
}

/// The same for resets of TCP, but on the bad link: TCP sends a reset once, and whoever only reads misses one that is lost.
macro_rules! where_no_reset_is_lost {
    ($($test:ident),+ $(,)?) => {
        mod where_no_reset_is_lost {
            $crate::common::on_each_good_backend_over!(tcp Tcp, $($test),+);
            $crate::common::on_each_good_backend_over!(tls Tls, $($test),+);
        }
    };
}

macro_rules! on_each_backend_over {
    ($module:ident Unix, $($test:ident),+) => {
        $crate::common::on_each_good_backend_over!($module Unix, $($test),+);
    };
    ($module:ident $transport:ident, $($test:ident),+) => {
        $crate::common::on_each_good_backend_over!($module $transport, $($test),+);
        $crate::common::on_bad_link!($transport, $($test),+);
    };
}

macro_rules! on_each_good_backend_over {
    ($module:ident $transport:ident, $($test:ident),+) => {
        mod $module {
            $crate::common::on_socket!(tokio Tokio, $transport, $($test),+);
            $crate::common::on_socket!(virtual_network VirtualNetwork, $transport, $($test),+);
            $crate::common::on_socket!(mio Mio, $transport, $($test),+);
            $crate::common::on_socket!(poll Poll, $transport, $($test),+);
            $crate::common::on_socket!(select Select, $transport, $($test),+);
        }
    };
}

macro_rules! on_bad_link {
    (Tcp, $($test:ident),+) => {
        mod tcp_on_a_bad_link {
            $crate::common::on_socket!(virtual_network BadLink, Tcp, $($test),+);
        }
    };
    (Tls, $($test:ident),+) => {
        mod tls_on_a_bad_link {
            $crate::common::on_socket!(virtual_network BadLink, Tls, $($test),+);
        }
    };
}

macro_rules! on_socket {
    ($backend_module:ident $backend:ident, $transport:ident, $($test:ident),+) => {
        mod $backend_module {
            use $crate::common::backend::Backend;
            use $crate::common::{Place, Transport};
            $(
                #[test]
                fn $test() {
                    Backend::$backend.run(async {
                        super::super::super::$test(Place::new(Transport::$transport)).await;
                    });
                }
            )+
        }
    };
}
pub(crate) use {
    on_bad_link, on_each_backend_over, on_each_good_backend_over, on_each_socket, on_plain_sockets, on_socket, on_tcp,
    where_no_reset_is_lost,
};
