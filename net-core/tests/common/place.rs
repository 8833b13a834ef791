//! The same test on every transport of every backend: where to listen and connect.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use net_core::{Endpoint, Listener, Net, Stream};

use super::backend::net;

/// A network, and an endpoint of one transport on it that nobody else uses.
pub(crate) struct Place {
    pub(crate) net: Net,
    pub(crate) endpoint: Endpoint,
    pub(crate) directory: Option<Directory>,
}

/// The transports that a test runs on.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Transport {
    Tcp,
    UnixPath,
    UnixAbstract,
    Memory,
    #[cfg(feature = "tls")]
    Tls,
}

impl Place {
    pub(crate) fn new(transport: Transport) -> Self {
        let net = net();
        let at = |text: &str| text.parse().expect("an endpoint");
        match transport {
            Transport::Tcp => Self::at(net, at("tcp://127.0.0.1:0")),
            Transport::UnixAbstract => Self::at(net, at(&format!("unix:@{}", unique()))),
            Transport::Memory => Self::at(net, at("mem:test")),
            Transport::UnixPath => {
                let directory = Directory::new();
                let endpoint = at(&format!("unix:{}", directory.path().join("socket").display()));
                Self {
                    net,
                    endpoint,
                    directory: Some(directory),
                }
            }
            #[cfg(feature = "tls")]
            Transport::Tls => {
                let (server, client) = super::certificates::trusting();
                let net = net.with_server_tls(server).with_client_tls(client);
                Self::at(net, at("tls://127.0.0.1:0"))
            }
        }
    }

    fn at(net: Net, endpoint: Endpoint) -> Self {
        Self {
            net,
            endpoint,
            directory: None,
        }
    }

    pub(crate) async fn listen(&self) -> Listener {
        self.net.bind(&self.endpoint).await.expect("a listener")
    }

    /// Two ends that are connected: the connecting one and the accepted one.
    pub(crate) async fn pair(&self) -> (Stream, Stream) {
        let mut listener = self.listen().await;
        let address = listener.local().clone();
        let accepting = self
            .net
            .spawn(async move {
                let mut stream = listener.accept().await?;
                // Over TLS the client is connected only after the handshake, which needs both.
                stream.handshake().await?;
                Ok::<_, net_core::Error>(stream)
            })
            .expect("a task");
        let client = self.net.connect(&address).await.expect("a connection");
        (
            client,
            accepting.await.expect("a task").expect("an accepted connection"),
        )
    }
}

/// A name that no other test has.
pub(crate) fn unique() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("net-core-test-{}-{count}", std::process::id())
}

/// A directory that goes away with its test.
pub(crate) struct Directory(PathBuf);

impl Directory {
    pub(crate) fn new() -> Self {
        let path = std::env::temp_dir().join(unique());
        std::fs::create_dir(&path).expect("a directory");
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Makes a test of each function named, for each transport of each backend: the function takes a [`Place`].
///
/// Unix sockets and pipes in memory have no link that could be bad.
macro_rules! on_each_transport {
    ($($test:ident),+ $(,)?) => {
        mod on_each_transport {
            mod tokio {
                $crate::common::place::on_transport!(tcp, Tokio Tcp, $($test),+);
                $crate::common::place::on_transport!(unix_path, Tokio UnixPath, $($test),+);
                $crate::common::place::on_transport!(unix_abstract, Tokio UnixAbstract, $($test),+);
                $crate::common::place::on_transport!(memory, Tokio Memory, $($test),+);
                #[cfg(feature = "tls")]
                $crate::common::place::on_transport!(tls, Tokio Tls, $($test),+);
            }
            mod virtual_network {
                $crate::common::place::on_transport!(tcp, VirtualNetwork Tcp, $($test),+);
                $crate::common::place::on_transport!(unix_path, VirtualNetwork UnixPath, $($test),+);
                $crate::common::place::on_transport!(unix_abstract, VirtualNetwork UnixAbstract, $($test),+);
                $crate::common::place::on_transport!(memory, VirtualNetwork Memory, $($test),+);
                #[cfg(feature = "tls")]
                $crate::common::place::on_transport!(tls, VirtualNetwork Tls, $($test),+);
            }
            mod reactor {
                $crate::common::place::on_transport!(tcp, Mio Tcp, $($test),+);
                $crate::common::place::on_transport!(unix_path, Mio UnixPath, $($test),+);
                $crate::common::place::on_transport!(unix_abstract, Mio UnixAbstract, $($test),+);
                $crate::common::place::on_transport!(memory, Mio Memory, $($test),+);
                #[cfg(feature = "tls")]
                $crate::common::place::on_transport!(tls, Mio Tls, $($test),+);
            }
            mod bad_link {
                $crate::common::place::on_transport!(tcp, BadLink Tcp, $($test),+);
                #[cfg(feature = "tls")]
                $crate::common::place::on_transport!(tls, BadLink Tls, $($test),+);
            }
        }
    };
}

/// The same for resets, but on the bad link: TCP sends a reset once, and whoever only reads misses one that is lost.
macro_rules! where_no_reset_is_lost {
    ($($test:ident),+ $(,)?) => {
        mod where_no_reset_is_lost {
            mod tokio {
                $crate::common::place::on_transport!(tcp, Tokio Tcp, $($test),+);
                $crate::common::place::on_transport!(unix_path, Tokio UnixPath, $($test),+);
                $crate::common::place::on_transport!(memory, Tokio Memory, $($test),+);
                #[cfg(feature = "tls")]
                $crate::common::place::on_transport!(tls, Tokio Tls, $($test),+);
            }
            mod virtual_network {
                $crate::common::place::on_transport!(tcp, VirtualNetwork Tcp, $($test),+);
                $crate::common::place::on_transport!(unix_path, VirtualNetwork UnixPath, $($test),+);
                $crate::common::place::on_transport!(memory, VirtualNetwork Memory, $($test),+);
                #[cfg(feature = "tls")]
                $crate::common::place::on_transport!(tls, VirtualNetwork Tls, $($test),+);
            }
            mod reactor {
                $crate::common::place::on_transport!(tcp, Mio Tcp, $($test),+);
                $crate::common::place::on_transport!(unix_path, Mio UnixPath, $($test),+);
                $crate::common::place::on_transport!(memory, Mio Memory, $($test),+);
                #[cfg(feature = "tls")]
                $crate::common::place::on_transport!(tls, Mio Tls, $($test),+);
            }
        }
    };
}

macro_rules! on_transport {
    ($module:ident, $backend:ident $transport:ident, $($test:ident),+) => {
        mod $module {
            use $crate::common::backend::Backend;
            use $crate::common::place::{Place, Transport};
            $(
                #[test]
                fn $test() {
                    Backend::$backend.run(async { super::super::super::$test(Place::new(Transport::$transport)).await });
                }
            )+
        }
    };
}
pub(crate) use {on_each_transport, on_transport, where_no_reset_is_lost};
