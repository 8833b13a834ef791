//! Addresses: which port one gets, whom a listener hears, how a name is looked up; on each backend.
#![cfg(feature = "os")]

mod common;

use std::net::IpAddr;

use common::backend::{net, on_each_backend};
use net_core::{BindOptions, ConnectOptions, Endpoint, ErrorKind, Net, SocketOptions};

on_each_backend!(
    port_zero_becomes_a_real_port_that_can_be_connected_to,
    a_listener_on_all_addresses_tells_which_one_a_connection_came_to,
    a_name_is_looked_up_and_tried_address_by_address,
    ipv6_only_is_an_option,
    a_local_address_can_be_chosen_and_must_be_ours,
    several_listeners_share_a_port_only_if_all_say_so,
);

fn at(text: &str) -> Endpoint {
    text.parse().unwrap()
}

/// Whether this machine has IPv6 at all; a container may not.
async fn has_ipv6(net: &Net) -> bool {
    net.bind(&at("tcp://[::1]:0")).await.is_ok()
}

async fn port_zero_becomes_a_real_port_that_can_be_connected_to() {
    let net = net();
    for text in ["tcp://127.0.0.1:0", "tcp://[::1]:0", "tcp://localhost:0"] {
        if text.contains("::1") && !has_ipv6(&net).await {
            continue;
        }
        let mut listener = net.bind(&at(text)).await.unwrap();
        let local = listener.local().clone();
        assert_ne!(local.port(), Some(0));
        let client = net.connect(&local).await.unwrap();
        let server = listener.accept().await.unwrap();
        assert_eq!((client.peer(), server.local()), (&local, &local));
        assert_eq!(client.local(), server.peer());
    }
}

async fn a_listener_on_all_addresses_tells_which_one_a_connection_came_to() {
    let net = net();
    let mut listener = net.bind(&at("tcp://0.0.0.0:0")).await.unwrap();
    let port = listener.local().port().unwrap();
    let to = at(&format!("tcp://127.0.0.1:{port}"));
    let _client = net.connect(&to).await.unwrap();
    assert_eq!(listener.accept().await.unwrap().local(), &to);
}

async fn a_name_is_looked_up_and_tried_address_by_address() {
    let net = net();
    // Only IPv4 listens; `localhost` may well be IPv6 first.
    let mut listener = net.bind(&at("tcp://127.0.0.1:0")).await.unwrap();
    let port = listener.local().port().unwrap();
    let client = net.connect(&at(&format!("tcp://localhost:{port}"))).await.unwrap();
    assert_eq!(client.peer(), listener.local());
    assert_eq!(listener.accept().await.unwrap().peer(), client.local());
    let addresses = net.resolve(&at("tcp://localhost:7")).await.unwrap();
    assert!(
        addresses
            .iter()
            .all(|address| address.ip().is_loopback() && address.port() == 7)
    );
}

async fn ipv6_only_is_an_option() {
    let net = net();
    if !has_ipv6(&net).await {
        return;
    }
    for (only, reachable) in [(true, false), (false, true)] {
        let options = BindOptions::default().socket(SocketOptions::default().v6_only(only));
        let listener = net.bind_with(&at("tcp://[::]:0"), &options).await.unwrap();
        let port = listener.local().port().unwrap();
        let outcome = net.connect(&at(&format!("tcp://127.0.0.1:{port}"))).await;
        assert_eq!(outcome.is_ok(), reachable);
    }
}

async fn a_local_address_can_be_chosen_and_must_be_ours() {
    let net = net();
    let mut listener = net.bind(&at("tcp://127.0.0.1:0")).await.unwrap();
    let options = ConnectOptions::default().local("127.0.0.2:0".parse().unwrap());
    let client = net.connect_with(listener.local(), &options).await.unwrap();
    assert_eq!(client.local().socket_addr().unwrap().ip(), IpAddr::from([127, 0, 0, 2]));
    assert_eq!(listener.accept().await.unwrap().peer(), client.local());
    let foreign = at("tcp://192.0.2.1:0");
    let error = net.bind(&foreign).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.endpoint()),
        (ErrorKind::AddrNotAvailable, Some(&foreign))
    );
}

async fn several_listeners_share_a_port_only_if_all_say_so() {
    let net = net();
    let shared = BindOptions::default().socket(SocketOptions::default().reuse_port(true));
    let first = net.bind_with(&at("tcp://127.0.0.1:0"), &shared).await.unwrap();
    let second = net.bind_with(first.local(), &shared).await.unwrap();
    assert_eq!(first.local(), second.local());
    assert_eq!(net.bind(first.local()).await.unwrap_err().kind(), ErrorKind::AddrInUse);
}
