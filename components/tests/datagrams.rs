//! UDP peers and multicast.

mod net_common;

use std::net::SocketAddr;

use bytes::Bytes;
use components::{
    EndReason, Endpoint, Handle, MulticastReceiver, MulticastSender, MulticastTransceiver, PostboxPeer, Signal,
    SimplePeer, System, TargettedPeer, link,
};
use net_common::{Sides, on_both, on_os, on_simulated};
use sim_io::network::Link;

fn udp(text: &str) -> Endpoint {
    text.parse().unwrap()
}

/// Where a peer on that side listens, and how the other side reaches it.
async fn bound(sides: &Sides, system: &System, name: &str) -> (PostboxPeer, Endpoint) {
    let any = if sides.is_simulated() {
        "udp://0.0.0.0:0"
    } else {
        "udp://127.0.0.1:0"
    };
    let peer = PostboxPeer::bind(system, &udp(any)).await.unwrap();
    let port = peer.local().port().unwrap();
    let host = if sides.is_simulated() { name } else { "127.0.0.1" };
    (peer, udp(&format!("udp://{host}:{port}")))
}

#[test]
fn simple_and_targetted_peers_reach_a_postbox_that_answers() {
    on_both(|sides| async move {
        let (servers, clients) = (System::new(&sides.server), System::new(&sides.client));
        let (postbox, there) = bound(&sides, &servers, "server").await;
        let mut postbox = servers.activate_with_handle(postbox).unwrap();
        let any = if sides.is_simulated() {
            "udp://0.0.0.0:0"
        } else {
            "udp://127.0.0.1:0"
        };

        let simple = SimplePeer::bind(&clients, &udp(any), &there).await.unwrap();
        let mut simple = clients.activate_with_handle(simple).unwrap();
        // More than the original's 1024 bytes arrives whole.
        simple.put(Bytes::from(vec![7; 3000])).await.unwrap();
        let (data, from) = postbox.get().await.unwrap();
        assert_eq!(data.len(), 3000);
        postbox.put((Bytes::from("answer"), from)).await.unwrap();
        assert_eq!(simple.get().await.unwrap().0, "answer");

        let targetted = TargettedPeer::bind(&clients, &udp(any), None).await.unwrap();
        let mut target = components::Outbox::<SocketAddr>::new();
        link(&target, &targetted.target).unwrap();
        let mut targetted = clients.activate_with_handle(targetted).unwrap();
        targetted.put("nowhere".into()).await.unwrap();
        let told = targetted.signal.recv().await.unwrap();
        assert!(matches!(told, Signal::ErrorInformation { .. }), "{told}");
        let to = sides.client.resolve(&there).await.unwrap()[0];
        target.send(to).await.unwrap();
        targetted.put("somewhere".into()).await.unwrap();
        assert_eq!(postbox.get().await.unwrap().0, "somewhere");

        // Told to finish, they send what they have, and end.
        simple.put("last".into()).await.unwrap();
        simple.component.finish();
        assert_eq!(postbox.get().await.unwrap().0, "last");
        assert!(matches!(simple.component.clone().await.reason, EndReason::Finished));
        for component in [&targetted.component, &postbox.component] {
            component.stop();
            assert!(component.clone().await.reason.is_clean());
        }
    });
}

#[test]
fn d06_a_datagram_port_in_use_is_an_error_of_starting() {
    on_both(|sides| async move {
        let system = System::new(&sides.server);
        let (first, _) = bound(&sides, &system, "server").await;
        let error = PostboxPeer::bind(&system, first.local()).await.unwrap_err();
        assert_eq!(error.kind(), net_core::ErrorKind::AddrInUse);
    });
}

#[test]
fn an_oversized_datagram_is_told_and_the_peer_goes_on() {
    on_both(|sides| async move {
        let system = System::new(&sides.server);
        let (peer, at) = bound(&sides, &system, "server").await;
        let to = sides.server.resolve(&at).await.unwrap()[0];
        let mut peer: Handle<_, _> = system.activate_with_handle(peer).unwrap();
        peer.put((Bytes::from(vec![0; 70_000]), to)).await.unwrap();
        let told = peer.signal.recv().await.unwrap();
        assert!(matches!(told, Signal::ErrorInformation { .. }), "{told}");
        peer.put((Bytes::from("fits"), to)).await.unwrap();
        assert_eq!(peer.get().await.unwrap().0, "fits");
        peer.component.stop();
        peer.component.clone().await;
    });
}

#[test]
fn a_group_gets_what_is_sent_to_it() {
    // Not on the operating system's network: it would leave the machine.
    on_simulated(1, Link::default(), |sides| async move {
        let (servers, clients) = (System::new(&sides.server), System::new(&sides.client));
        let group = udp("udp://239.1.2.3:5000");
        let one = MulticastReceiver::bind(&servers, &group).await.unwrap();
        let mut one = servers.activate_with_handle(one).unwrap();
        let other = MulticastTransceiver::bind(&clients, &udp("udp://0.0.0.0:5000"), &group)
            .await
            .unwrap();
        let mut other = clients.activate_with_handle(other).unwrap();
        let sender = MulticastSender::bind(&clients, &udp("udp://0.0.0.0:0"), &group)
            .await
            .unwrap();
        let mut sender = clients.activate_with_handle(sender).unwrap();
        sender.put("to all".into()).await.unwrap();
        assert_eq!(one.get().await.unwrap().0, "to all");
        assert_eq!(other.get().await.unwrap().0, "to all");
        for component in [&one.component, &other.component, &sender.component] {
            component.stop();
            component.clone().await;
        }
    });
}

#[test]
fn a_group_has_to_be_a_group() {
    on_os(|sides| async move {
        let system = System::new(&sides.server);
        let error = MulticastReceiver::bind(&system, &udp("udp://10.0.0.1:5000"))
            .await
            .unwrap_err();
        assert!(error.to_string().contains("no multicast address"), "{error}");
    });
}
