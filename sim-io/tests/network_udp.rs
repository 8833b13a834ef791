//! Datagrams: arrival, loss, doubling, reordering, sizes, and who gets them.

mod network_common;

use std::collections::BTreeSet;
use std::time::Duration;

use net_core::{ErrorKind, Instant, MulticastInterface, SocketOptions};
use network_common::{Pair, ms};
use sim_io::network::Link;

/// Sends numbered datagrams and gives the numbers that arrived, in order.
fn numbers(link: Link, count: u32) -> Vec<u32> {
    let pair = Pair::linked(7, link);
    let (server, client) = (pair.server.net(), pair.client.net());
    let receiver = pair.env.process(async move {
        let options = SocketOptions::default().receive_buffer(1 << 30);
        let at = "udp://0.0.0.0:4000".parse().unwrap();
        let socket = server.datagram_with(&at, &options).await.unwrap();
        let mut arrived = Vec::new();
        while let Ok(received) = server.timeout(Duration::from_secs(5), socket.receive()).await {
            let (data, _) = received.unwrap();
            arrived.push(u32::from_be_bytes(data[..].try_into().unwrap()));
        }
        arrived
    });
    pair.env.process(async move {
        let socket = client.datagram(&"udp://0.0.0.0:0".parse().unwrap()).await.unwrap();
        for number in 0..count {
            let to = "udp://server:4000".parse().unwrap();
            socket.send_to(&number.to_be_bytes(), &to).await.unwrap();
            client.sleep(ms(1)).await;
        }
    });
    pair.env.run_until(&receiver).unwrap()
}

#[test]
fn a_datagram_arrives_after_the_latency_and_is_answered() {
    let pair = Pair::new(1, ms(30));
    let (server, client) = (pair.server.net(), pair.client.net());
    pair.env.process(async move {
        let socket = server.datagram(&"udp://0.0.0.0:4000".parse().unwrap()).await.unwrap();
        let (data, from) = socket.receive().await.unwrap();
        socket.send_to(&data, &from).await.unwrap();
    });
    pair.run(async move {
        let socket = client.datagram(&"udp://0.0.0.0:0".parse()?).await?;
        socket.send_to(b"ping", &"udp://server:4000".parse()?).await?;
        let (data, from) = socket.receive().await?;
        assert_eq!(&data[..], b"ping");
        assert_eq!(from.to_string(), "udp://10.0.0.2:4000");
        assert_eq!(client.now(), Instant::ZERO + ms(60));
        Ok(())
    });
}

#[test]
fn a_good_link_keeps_all_in_order() {
    assert_eq!(numbers(Link::default(), 100), (0..100).collect::<Vec<_>>());
}

#[test]
fn some_are_lost() {
    let arrived = numbers(Link::default().loss(0.2), 1000);
    assert!((700..900).contains(&arrived.len()), "{}", arrived.len());
    assert!(arrived.is_sorted());
}

#[test]
fn some_arrive_twice() {
    let arrived = numbers(Link::default().duplicate(0.2), 1000);
    let distinct: BTreeSet<_> = arrived.iter().collect();
    assert_eq!(distinct.len(), 1000);
    assert!((1100..1300).contains(&arrived.len()), "{}", arrived.len());
}

#[test]
fn some_overtake_others() {
    let arrived = numbers(Link::default().reorder(0.1, ms(20)), 1000);
    assert_eq!(arrived.len(), 1000);
    assert!(!arrived.is_sorted());
}

#[test]
fn damaged_ones_do_not_arrive() {
    let arrived = numbers(Link::default().corrupt(0.2), 1000);
    assert!((700..900).contains(&arrived.len()), "{}", arrived.len());
}

#[test]
fn sizes_have_limits() {
    let pair = Pair::new(1, ms(1));
    let (server, client) = (pair.server.net(), pair.client.net());
    pair.run(async move {
        let to = "udp://server:4000".parse()?;
        let receiver = server.datagram(&"udp://0.0.0.0:4000".parse()?).await?;
        let socket = client.datagram(&"udp://0.0.0.0:0".parse()?).await?;
        let error = socket.send_to(&[0; 65_508], &to).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Limit);
        socket.send_to(&[1; 65_507], &to).await?;
        assert_eq!(receiver.receive().await?.0.len(), 65_507);
        // What does not fit the reader's buffer is cut off.
        socket.send_to(b"abcdef", &to).await?;
        let mut short = [0; 3];
        assert_eq!(receiver.receive_into(&mut short).await?.0, 3);
        socket.send_to(b"", &to).await?;
        assert_eq!(receiver.receive().await?.0.len(), 0);
        // A port that nobody has swallows them.
        socket.send_to(b"x", &"udp://server:4001".parse()?).await?;
        Ok(())
    });
}

#[test]
fn a_fragment_that_is_lost_loses_the_whole() {
    let pair = Pair::linked(3, Link::default().loss(0.1));
    let (server, client) = (pair.server.net(), pair.client.net());
    let received = pair.env.process(async move {
        let socket = server.datagram(&"udp://0.0.0.0:4000".parse().unwrap()).await.unwrap();
        let mut count = 0;
        while server.timeout(Duration::from_secs(1), socket.receive()).await.is_ok() {
            count += 1;
        }
        count
    });
    pair.env.process(async move {
        let socket = client.datagram(&"udp://0.0.0.0:0".parse().unwrap()).await.unwrap();
        for _ in 0..200 {
            let to = "udp://server:4000".parse().unwrap();
            socket.send_to(&[0; 15_000], &to).await.unwrap();
            client.sleep(ms(10)).await;
        }
    });
    // Eleven fragments: 0.9 to the 11th is a third.
    let count = pair.env.run_until(&received).unwrap();
    assert!((35..95).contains(&count), "{count}");
}

#[test]
fn addresses_are_taken_once() {
    let pair = Pair::new(1, ms(1));
    let net = pair.server.net();
    pair.run(async move {
        let first = net.datagram(&"udp://0.0.0.0:4000".parse()?).await?;
        let error = net.datagram(&"udp://127.0.0.1:4000".parse()?).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AddrInUse);
        let error = net.datagram(&"udp://10.9.9.9:4000".parse()?).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AddrNotAvailable);
        drop(first);
        net.datagram(&"udp://127.0.0.1:4000".parse()?).await?;
        Ok(())
    });
}

#[test]
fn broadcast_has_to_be_allowed_and_groups_joined() {
    let pair = Pair::new(1, ms(1));
    let (server, client) = (pair.server.net(), pair.client.net());
    pair.run(async move {
        let receiver = server.datagram(&"udp://0.0.0.0:4000".parse()?).await?;
        let socket = client.datagram(&"udp://0.0.0.0:0".parse()?).await?;
        let everybody = "udp://255.255.255.255:4000".parse()?;
        let error = socket.send_to(b"x", &everybody).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Permission);
        socket.set_broadcast(true)?;
        socket.send_to(b"to all", &everybody).await?;
        assert_eq!(&receiver.receive().await?.0[..], b"to all");

        let group = "udp://239.1.2.3:4000".parse()?;
        socket.send_to(b"nobody", &group).await?;
        client.sleep(ms(10)).await;
        receiver.join("239.1.2.3".parse()?, MulticastInterface::Any)?;
        socket.send_to(b"members", &group).await?;
        assert_eq!(&receiver.receive().await?.0[..], b"members");
        Ok(())
    });
}
