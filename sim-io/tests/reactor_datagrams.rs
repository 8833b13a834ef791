//! UDP over the operating system's sockets, on each poller.
#![cfg(feature = "reactor")]

mod reactor_common;

use net_core::{ErrorKind, MulticastInterface};
use reactor_common::{real, run};
use sim_io::reactor::Poller;

on_each_poller!(
    datagrams_arrive_whole_with_their_senders,
    one_that_is_too_large_is_an_error_and_one_for_little_room_is_cut_off,
    a_multicast_group_is_joined_and_left,
    two_processes_receive_on_one_socket,
);

fn datagrams_arrive_whole_with_their_senders(poller: Poller) {
    let env = real(poller);
    let net = env.net();
    run(&env, async move {
        let a = net.datagram(&"udp://127.0.0.1:0".parse().unwrap()).await.unwrap();
        let b = net.datagram(&"udp://127.0.0.1:0".parse().unwrap()).await.unwrap();
        for size in [0, 1, 1000, 60_000] {
            a.send_to(&vec![size as u8; size], b.local()).await.unwrap();
            let (data, from) = b.receive().await.unwrap();
            assert_eq!(data, vec![size as u8; size]);
            assert_eq!(&from, a.local());
        }
    });
}

fn one_that_is_too_large_is_an_error_and_one_for_little_room_is_cut_off(poller: Poller) {
    let env = real(poller);
    let net = env.net();
    run(&env, async move {
        let a = net.datagram(&"udp://127.0.0.1:0".parse().unwrap()).await.unwrap();
        assert!(a.send_to(&[0; 70_000], a.local()).await.is_err());
        a.send_to(b"hello", a.local()).await.unwrap();
        let mut two = [0; 2];
        let (n, _) = a.receive_into(&mut two).await.unwrap();
        assert_eq!((n, &two), (2, b"he"));
    });
}

fn a_multicast_group_is_joined_and_left(poller: Poller) {
    let env = real(poller);
    let net = env.net();
    run(&env, async move {
        let group = "239.255.43.21".parse().unwrap();
        let here = MulticastInterface::Address("127.0.0.1".parse().unwrap());
        let a = net.datagram(&"udp://127.0.0.1:0".parse().unwrap()).await.unwrap();
        a.join(group, here).unwrap();
        a.leave(group, here).unwrap();
        let wrong = a.join(group, MulticastInterface::Index(1)).unwrap_err();
        assert_eq!(wrong.kind(), ErrorKind::InvalidInput);
        a.set_broadcast(true).unwrap();
    });
}

fn two_processes_receive_on_one_socket(poller: Poller) {
    let env = real(poller);
    let net = env.net();
    run(&env, {
        let env = env.clone();
        async move {
            let socket = net.datagram(&"udp://127.0.0.1:0".parse().unwrap()).await.unwrap();
            let socket = std::rc::Rc::new(socket);
            let receivers: Vec<_> = (0..2)
                .map(|_| {
                    let socket = std::rc::Rc::clone(&socket);
                    env.process(async move { socket.receive().await.unwrap().0.len() })
                })
                .collect();
            env.timeout(std::time::Duration::from_millis(1)).await;
            socket.send_to(b"a", socket.local()).await.unwrap();
            socket.send_to(b"bc", socket.local()).await.unwrap();
            let mut sizes = Vec::new();
            for receiver in receivers {
                sizes.push(receiver.await.unwrap());
            }
            sizes.sort_unstable();
            assert_eq!(sizes, [1, 2]);
        }
    });
}
