//! What only the operating system has: socket files, kernel tables, and descriptors that must not be left behind.
#![cfg(feature = "os")]
#![expect(
    clippy::disallowed_types,
    reason = "a foreign peer: the Unix sockets that a crashed server leaves behind are made without this crate"
)]

mod common;

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::time::Duration;

use common::backend::{Backend, on_backend};
use common::place::{Directory, Place, Transport, unique};
use net_core::{BindOptions, ConnectOptions, Endpoint, ErrorKind, Keepalive, Net, Operation, Socket, SocketOptions};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

mod files {
    super::on_backend!(on_tokio Tokio,
        a_unix_sockets_file_lives_as_long_as_its_listener,
        a_socket_file_that_a_crashed_server_left_behind_is_replaced,
        a_file_that_is_in_use_or_no_socket_is_left_alone,
        a_unix_path_that_is_bound_is_in_use_before_it_listens,
        a_listener_does_not_remove_the_file_of_its_successor,
        a_unix_socket_has_the_mode_that_was_asked_for,
        a_thousand_connects_at_once_are_all_accepted
    );
}

fn at(text: &str) -> Endpoint {
    text.parse().unwrap()
}

/// The timer column of the kernel's table for a connection: 2 while keepalive waits, 0 if there is none.
fn keepalive_timer(local: &Endpoint, peer: &Endpoint) -> Option<String> {
    let hex = |endpoint: &Endpoint| {
        let (IpAddr::V4(ip), port) = (endpoint.socket_addr().unwrap().ip(), endpoint.port().unwrap()) else {
            panic!("IPv4 only");
        };
        format!("{:08X}:{port:04X}", u32::from_ne_bytes(ip.octets()))
    };
    let (local, peer) = (hex(local), hex(peer));
    let table = std::fs::read_to_string("/proc/self/net/tcp").ok()?;
    let row = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let row = row
        .into_iter()
        .find(|row| row.len() > 5 && row[1] == local && row[2] == peer)?;
    Some(row[5].split(':').next().unwrap_or_default().to_owned())
}

/// TCP_NODELAY does not show in the kernel's table; the backend's own tests look at the sockets themselves.
#[tokio::test]
async fn keepalive_is_set_on_both_ends_and_on_neither_by_default() {
    let net = Net::os();
    for (socket, expected) in [
        (SocketOptions::default(), "00"),
        (
            SocketOptions::default().keepalive(Keepalive::after(Duration::from_secs(1000))),
            "02",
        ),
    ] {
        let bind = BindOptions::default().socket(socket.clone());
        let mut listener = net.bind_with(&at("tcp://127.0.0.1:0"), &bind).await.unwrap();
        let connect = ConnectOptions::default().socket(socket);
        let client = net.connect_with(listener.local(), &connect).await.unwrap();
        let server = listener.accept().await.unwrap();
        for (local, peer) in [(client.local(), client.peer()), (server.local(), server.peer())] {
            let Some(timer) = keepalive_timer(local, peer) else {
                return; // No such table on this system.
            };
            assert_eq!(timer, expected, "{local} to {peer}");
        }
    }
}

async fn a_unix_sockets_file_lives_as_long_as_its_listener() {
    let place = Place::new(Transport::UnixPath);
    let path = place.endpoint.to_string().replace("unix:", "");
    let mut listener = place.listen().await;
    assert!(std::fs::symlink_metadata(&path).is_ok());
    let _client = place.net.connect(&place.endpoint).await.unwrap();
    let server = listener.accept().await.unwrap();
    assert_eq!((server.local(), server.peer()), (&place.endpoint, &place.endpoint));
    drop(listener);
    assert!(std::fs::symlink_metadata(&path).is_err());
    let error = place.net.connect(&place.endpoint).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.endpoint()),
        (ErrorKind::Refused, Some(&place.endpoint))
    );
}

async fn a_socket_file_that_a_crashed_server_left_behind_is_replaced() {
    let place = Place::new(Transport::UnixPath);
    let path = place.endpoint.to_string().replace("unix:", "");
    // Dropping std's listener leaves its file, as a crash does.
    drop(UnixListener::bind(&path).unwrap());
    let stale = std::fs::symlink_metadata(&path).unwrap().ino();
    let mut listener = place.listen().await;
    let _client = place.net.connect(&place.endpoint).await.unwrap();
    listener.accept().await.unwrap();
    drop(listener);
    assert!(
        std::fs::symlink_metadata(&path).is_err(),
        "the file {stale} is still there"
    );
}

async fn a_file_that_is_in_use_or_no_socket_is_left_alone() {
    let place = Place::new(Transport::UnixPath);
    let path = place.endpoint.to_string().replace("unix:", "");
    let live = UnixListener::bind(&path).unwrap();
    let error = place.net.bind(&place.endpoint).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.endpoint()),
        (ErrorKind::AddrInUse, Some(&place.endpoint))
    );
    drop(live);
    std::fs::remove_file(&path).unwrap();
    std::fs::write(&path, "precious").unwrap();
    assert_eq!(
        place.net.bind(&place.endpoint).await.unwrap_err().kind(),
        ErrorKind::AddrInUse
    );
    assert_eq!(std::fs::read(&path).unwrap(), b"precious");
}

async fn a_unix_path_that_is_bound_is_in_use_before_it_listens() {
    let place = Place::new(Transport::UnixPath);
    let mut first = Socket::new(&place.net);
    first.bind(&place.endpoint).await.unwrap();
    // Another network of the same process is no stranger either.
    for net in [&place.net, &Net::os()] {
        let error = net.bind(&place.endpoint).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.endpoint()),
            (ErrorKind::AddrInUse, Some(&place.endpoint))
        );
    }
    first.listen().unwrap();
    place.net.connect(&place.endpoint).await.unwrap();
    drop(first);
    let mut second = Socket::new(&place.net);
    second.bind(&place.endpoint).await.unwrap();
}

async fn a_listener_does_not_remove_the_file_of_its_successor() {
    let place = Place::new(Transport::UnixPath);
    let path = place.endpoint.to_string().replace("unix:", "");
    let first = place.listen().await;
    std::fs::remove_file(&path).unwrap();
    let _second = place.listen().await;
    drop(first);
    place.net.connect(&place.endpoint).await.unwrap();
}

async fn a_unix_socket_has_the_mode_that_was_asked_for() {
    let place = Place::new(Transport::UnixPath);
    let path = place.endpoint.to_string().replace("unix:", "");
    for mode in [0o600, 0o666] {
        let options = BindOptions::default().socket(SocketOptions::default().unix_mode(mode));
        let _listener = place.net.bind_with(&place.endpoint, &options).await.unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, mode);
    }
}

#[tokio::test]
async fn a_unix_path_in_a_directory_that_is_not_there_is_an_error_that_names_it() {
    let directory = Directory::new();
    let nowhere = at(&format!("unix:{}", directory.path().join("missing/socket").display()));
    let error = Net::os().bind(&nowhere).await.unwrap_err();
    assert_eq!(
        (error.operation(), error.endpoint(), error.errno()),
        (Operation::Bind, Some(&nowhere), Some(2))
    );
}

#[tokio::test]
async fn an_abstract_name_leaves_no_file() {
    let name = unique();
    let endpoint = at(&format!("unix:@{name}"));
    let net = Net::os();
    let mut listener = net.bind(&endpoint).await.unwrap();
    let client = net.connect(&endpoint).await.unwrap();
    assert_eq!(client.peer(), &endpoint);
    listener.accept().await.unwrap();
    assert!(std::fs::symlink_metadata(&name).is_err() && std::fs::symlink_metadata(format!("@{name}")).is_err());
}

async fn a_thousand_connects_at_once_are_all_accepted() {
    for transport in [Transport::Tcp, Transport::UnixPath] {
        let place = Place::new(transport);
        let mut listener = place.listen().await;
        let to = listener.local().clone();
        let mut clients = Vec::new();
        for number in 0..1000_u32 {
            let (net, to) = (place.net.clone(), to.clone());
            let task = place.net.spawn(async move {
                let mut stream = net.connect(&to).await?;
                stream.write_all(&number.to_be_bytes()).await.unwrap();
                Ok::<_, net_core::Error>(stream)
            });
            clients.push(task.unwrap());
        }
        let mut numbers = BTreeSet::new();
        for _ in 0..1000 {
            numbers.insert(listener.accept().await.unwrap().read_u32().await.unwrap());
        }
        assert!(numbers.into_iter().eq(0..1000));
        for client in clients {
            client.await.unwrap().unwrap();
        }
    }
}

/// Tests of one process share its descriptors, so the one that counts them runs in a process of its own.
#[test]
fn a_thousand_connections_leave_no_descriptor_behind() {
    const CHILD: &str = "NET_CORE_COUNTS_DESCRIPTORS";
    const NAME: &str = "a_thousand_connections_leave_no_descriptor_behind";
    if std::env::var_os(CHILD).is_none() {
        let this = std::env::current_exe().unwrap();
        let child = std::process::Command::new(this)
            .args(["--exact", NAME, "--nocapture"])
            .env(CHILD, "1")
            .output();
        let child = child.unwrap();
        assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stderr));
        return;
    }
    let open = || {
        std::fs::read_dir("/proc/self/fd")
            .map(Iterator::count)
            .unwrap_or_default()
    };
    Backend::Tokio.run(async move {
        let alive = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
        for transport in [
            Transport::Tcp,
            Transport::UnixPath,
            Transport::UnixAbstract,
            Transport::Memory,
        ] {
            // What the runtime itself needs is there after the first.
            drop(Place::new(transport).pair().await);
            let before = (open(), alive());
            let place = Place::new(transport);
            let mut listener = place.listen().await;
            for round in 0..1000 {
                let mut client = place.net.connect(listener.local()).await.unwrap();
                let mut server = listener.accept().await.unwrap();
                client.write_all(b"x").await.unwrap();
                server.read_exact(&mut [0; 1]).await.unwrap();
                match round % 3 {
                    0 => client.reset(),
                    1 => drop(server),
                    _ => {
                        client.shutdown().await.unwrap();
                        server.close(Duration::from_secs(60)).await.unwrap();
                    }
                }
            }
            assert_eq!(place.net.stats().open(), 0);
            drop((listener, place));
            assert_eq!((open(), alive()), before);
        }
    });
}

#[test]
fn multicast_goes_as_far_as_it_is_told() {
    let reach = |options: SocketOptions| {
        let socket = net_core::sockets::datagram("127.0.0.1:0".parse().unwrap(), &options).unwrap();
        socket.multicast_ttl_v4().unwrap()
    };
    let told = |hops| reach(SocketOptions::default().multicast_ttl(hops));
    assert_eq!((reach(SocketOptions::default()), told(10), told(0)), (1, 10, 0));
}
