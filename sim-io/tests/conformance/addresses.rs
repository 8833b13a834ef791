//! Addresses of listeners: taken, free again, shared, and chosen by the system.

use net_core::{BindOptions, ErrorKind, SocketOptions};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::common::{Place, at, on_each_socket, on_tcp};

on_each_socket!(
    an_address_in_use_is_an_error_that_names_it,
    a_closed_listeners_address_is_free_at_once,
    an_address_is_free_while_its_connections_live,
);

on_tcp!(
    port_zero_is_a_port_of_the_systems_choice,
    several_listeners_share_a_port_if_all_say_so,
    a_foreign_address_is_not_available,
    any_address_takes_those_for_each,
);

async fn an_address_in_use_is_an_error_that_names_it(place: Place) {
    let mut listener = place.listen().await;
    let taken = listener.local().clone();
    let error = place.net.bind(&taken).await.unwrap_err();
    assert_eq!((error.kind(), error.endpoint()), (ErrorKind::AddrInUse, Some(&taken)));
    // The first is none the worse.
    place.pair_at(&mut listener).await;
}

async fn a_closed_listeners_address_is_free_at_once(place: Place) {
    let mut listener = place.listen().await;
    let at = listener.local().clone();
    for _ in 0..5 {
        let (mut client, mut server) = place.pair_at(&mut listener).await;
        // This end closes first: it is the one for which TCP remembers the connection a while.
        server.shutdown().await.unwrap();
        assert_eq!(client.read(&mut [0; 1]).await.unwrap(), 0);
        client.shutdown().await.unwrap();
        assert_eq!(server.read(&mut [0; 1]).await.unwrap(), 0);
        drop((client, server, listener));
        listener = place.net.bind(&at).await.unwrap();
    }
}

async fn an_address_is_free_while_its_connections_live(place: Place) {
    let mut listener = place.listen().await;
    let at = listener.local().clone();
    let (mut client, mut server) = place.pair_at(&mut listener).await;
    drop(listener);
    let mut listener = place.net.bind(&at).await.unwrap();
    let (other_client, other_server) = place.pair_at(&mut listener).await;
    client.write_all(b"old").await.unwrap();
    let mut old = [0; 3];
    server.read_exact(&mut old).await.unwrap();
    assert_eq!(&old, b"old");
    drop((other_client, other_server));
}

async fn port_zero_is_a_port_of_the_systems_choice(place: Place) {
    let mut listeners = Vec::new();
    for _ in 0..10 {
        listeners.push(place.listen().await);
    }
    let mut ports: Vec<u16> = listeners
        .iter()
        .map(|listener| listener.local().port().unwrap())
        .collect();
    ports.sort_unstable();
    ports.dedup();
    assert_eq!(ports.len(), 10);
    assert!(ports[0] > 1023);
}

async fn several_listeners_share_a_port_if_all_say_so(place: Place) {
    let share = SocketOptions::default().reuse_port(true);
    let first = place.listen_with(share.clone()).await;
    let options = BindOptions::default().socket(share);
    let second = place.net.bind_with(first.local(), &options).await.unwrap();
    assert_eq!(first.local(), second.local());
    let error = place.net.bind(first.local()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AddrInUse);
}

async fn a_foreign_address_is_not_available(place: Place) {
    let error = place.net.bind(&at("tcp://192.0.2.1:0")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AddrNotAvailable);
}

async fn any_address_takes_those_for_each(place: Place) {
    let mut listener = place.net.bind(&at("tcp://0.0.0.0:0")).await.unwrap();
    let port = listener.local().port().unwrap();
    for host in ["127.0.0.1", "127.0.0.2"] {
        let to = at(&format!("tcp://{host}:{port}"));
        let client = place.net.connect(&to).await.unwrap();
        let server = listener.accept().await.unwrap();
        assert_eq!((server.local(), server.peer()), (&to, client.local()));
    }
    let taken = at(&format!("tcp://127.0.0.1:{port}"));
    assert_eq!(place.net.bind(&taken).await.unwrap_err().kind(), ErrorKind::AddrInUse);
}
