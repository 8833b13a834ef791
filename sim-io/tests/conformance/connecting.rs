//! Connecting: who is met, and what refuses.

use net_core::{ConnectOptions, ErrorKind, Operation, Socket};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::common::{LIMIT, Place, Transport, at, on_each_socket, on_plain_sockets, on_tcp, poll_once};

on_each_socket!(
    both_ends_know_each_other,
    nobody_listens_is_refused,
    a_refused_connect_can_be_tried_again,
    a_connect_that_is_given_up_hurts_nobody_else,
);

on_plain_sockets!(bound_is_not_listening);

on_tcp!(
    a_name_is_looked_up,
    a_name_that_nobody_has_is_an_error_of_its_own,
    the_own_address_can_be_chosen,
    a_foreign_own_address_is_not_available,
    two_connections_from_one_port_to_one_address_there_can_not_be,
);

async fn both_ends_know_each_other(place: Place) {
    let mut listener = place.listen().await;
    let (client, server) = place.pair_at(&mut listener).await;
    assert_eq!((client.peer(), server.local()), (listener.local(), listener.local()));
    assert_eq!(client.local(), server.peer());
    if place.transport != Transport::Unix {
        assert_ne!(client.local().port(), Some(0));
        assert_ne!(client.local(), client.peer());
    }
}

async fn nobody_listens_is_refused(place: Place) {
    let listener = place.listen().await;
    let to = listener.local().clone();
    drop(listener);
    let error = place.net.connect(&to).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.operation(), error.endpoint()),
        (ErrorKind::Refused, Operation::Connect, Some(&to))
    );
}

async fn a_refused_connect_can_be_tried_again(place: Place) {
    let to = place.listen().await.local().clone();
    let mut socket = Socket::new(&place.net);
    for _ in 0..3 {
        assert_eq!(socket.connect(&to).await.unwrap_err().kind(), ErrorKind::Refused);
    }
    let mut listener = place.net.bind(&to).await.unwrap();
    let accepting = place
        .net
        .spawn(async move { listener.accept().await?.handshake().await });
    socket.connect(&to).await.unwrap();
    accepting.unwrap().await.unwrap().unwrap();
}

async fn a_connect_that_is_given_up_hurts_nobody_else(place: Place) {
    let mut listener = place.listen().await;
    let to = listener.local().clone();
    for _ in 0..10 {
        // As far as one poll brings it.
        let _ = poll_once(&mut Box::pin(place.net.connect(&to))).await;
    }
    let net = place.net.clone();
    let serving = place.net.spawn(async move {
        while let Ok(mut accepted) = listener.accept().await {
            let answering = net.spawn(async move {
                if accepted.write_all(b"here").await.is_ok() {
                    let _ = accepted.close(LIMIT).await;
                }
            });
            drop(answering);
        }
    });
    let mut client = place.net.connect(&to).await.unwrap();
    let mut here = String::new();
    client.read_to_string(&mut here).await.unwrap();
    assert_eq!(here, "here");
    serving.unwrap().abort();
}

async fn bound_is_not_listening(place: Place) {
    let mut server = Socket::new(&place.net);
    server.bind(&place.endpoint).await.unwrap();
    let to = server.local().unwrap().clone();
    let error = place.net.connect(&to).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.operation()),
        (ErrorKind::Refused, Operation::Connect)
    );
    server.listen().unwrap();
    place.net.connect(&to).await.unwrap();
}

async fn a_name_is_looked_up(place: Place) {
    let mut listener = place.listen().await;
    let port = listener.local().port().unwrap();
    let client = place.net.connect(&at(&format!("tcp://localhost:{port}"))).await;
    let client = client.unwrap();
    assert_eq!(client.peer(), listener.local());
    assert_eq!(listener.accept().await.unwrap().peer(), client.local());
}

async fn a_name_that_nobody_has_is_an_error_of_its_own(place: Place) {
    let error = place.net.connect(&at("tcp://no-such-host.invalid:1")).await;
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Resolve);
}

async fn the_own_address_can_be_chosen(place: Place) {
    let mut listener = place.listen().await;
    let from = ConnectOptions::default().local("127.0.0.3:0".parse().unwrap());
    let client = place.net.connect_with(listener.local(), &from).await.unwrap();
    assert!(client.local().to_string().starts_with("tcp://127.0.0.3:"));
    assert_eq!(listener.accept().await.unwrap().peer(), client.local());
}

async fn a_foreign_own_address_is_not_available(place: Place) {
    let listener = place.listen().await;
    let from = ConnectOptions::default().local("192.0.2.1:0".parse().unwrap());
    let error = place.net.connect_with(listener.local(), &from).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AddrNotAvailable);
}

async fn two_connections_from_one_port_to_one_address_there_can_not_be(place: Place) {
    let listener = place.listen().await;
    let client = place.net.connect(listener.local()).await.unwrap();
    let from = ConnectOptions::default().local(client.local().socket_addr().unwrap());
    let error = place.net.connect_with(listener.local(), &from).await.unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::AddrInUse | ErrorKind::AddrNotAvailable),
        "{error}"
    );
}
