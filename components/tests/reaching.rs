//! How a server is reached: at any kind of address, after a pause, or not at all.

mod net_common;

use std::time::Duration;

use components::util::EchoProtocol;
use components::{HowDied, Net, SimpleServer, SocketShutdown, System, TcpClient, UdpReceiver, UdpSender, link};
use components::{Inbox, Outbox};
use net_common::{on_both, on_os, on_simulated};
use net_core::ErrorKind;
use sim_io::network::Link;

async fn echoes(net: &Net, listen: &str) {
    let system = System::new(net);
    let server = SimpleServer::bind(&system, &listen.parse().unwrap(), EchoProtocol::new)
        .await
        .unwrap();
    let client = TcpClient::new(server.local().clone());
    let server = system.activate(server).unwrap();
    let mut client = system.activate_with_handle(client).unwrap();
    client.put("hello".into()).await.unwrap();
    assert_eq!(client.get().await.unwrap(), "hello", "{listen}");
    client.component.finish();
    assert!(client.component.clone().await.reason.is_clean(), "{listen}");
    server.finish();
    assert!(server.await.reason.is_clean(), "{listen}");
}

#[test]
fn d14_a_server_listens_at_any_kind_of_address() {
    on_os(|sides| async move {
        let name = format!("unix:@components-{}", std::process::id());
        for listen in ["tcp://127.0.0.1:0", "tcp://localhost:0", "mem:echo", &name] {
            echoes(&sides.server, listen).await;
        }
        // A container may have no IPv6.
        let six = "tcp://[::1]:0";
        match sides.server.bind(&six.parse().unwrap()).await {
            Ok(_) => echoes(&sides.server, six).await,
            Err(error) => println!("no IPv6 here: {error}"),
        }
    });
}

#[test]
fn d13_a_client_waits_before_it_connects_and_heeds_its_control_box_meanwhile() {
    on_simulated(1, Link::default(), |sides| async move {
        let mut listener = sides.server.bind(&sides.listen).await.unwrap();
        let at = sides.reach(listener.local());
        let system = System::new(&sides.client);
        let pause = Duration::from_secs(3);
        let began = sides.client.now();
        let client = system.activate(TcpClient::new(at.clone()).delay(pause)).unwrap();
        drop(listener.accept().await.unwrap());
        assert!(sides.client.now() - began >= pause);
        client.finish();
        client.await;

        let began = sides.client.now();
        let client = system.activate(TcpClient::new(at).delay(pause)).unwrap();
        client.stop();
        assert!(client.await.reason.is_clean());
        assert!(sides.client.now() - began < pause);
    });
}

#[test]
fn d07_an_unknown_name_is_told() {
    on_simulated(1, Link::default(), |sides| async move {
        let system = System::new(&sides.client);
        let nowhere = "tcp://nobody:1".parse().unwrap();
        let mut client = system.activate_with_handle(TcpClient::new(nowhere)).unwrap();
        let signal = client.signal.recv().await.unwrap();
        let end = SocketShutdown::of(&signal).unwrap();
        assert!(
            matches!(&end.how, HowDied::Io(error) if error.kind() == ErrorKind::Resolve),
            "{end}"
        );
        assert!(end.to_string().contains("nobody"), "{end}");
    });
}

#[test]
fn a_udp_sender_reaches_a_udp_receiver() {
    on_both(|sides| async move {
        let (here, there) = (System::new(&sides.client), System::new(&sides.server));
        let listen = match sides.is_simulated() {
            true => "udp://server:0",
            false => "udp://127.0.0.1:0",
        };
        let receiver = UdpReceiver::bind(&there, &listen.parse().unwrap()).await.unwrap();
        let at = match sides.is_simulated() {
            true => format!("udp://server:{}", receiver.local().port().unwrap())
                .parse()
                .unwrap(),
            false => receiver.local().clone(),
        };
        let sender = UdpSender::bind(&here, &at).await.unwrap();
        let (mut datagrams, mut received) = (Outbox::new(), Inbox::new());
        link(&datagrams, &sender.inbox).unwrap();
        link(&receiver.outbox, &received).unwrap();
        let (sender, receiver) = (here.activate(sender).unwrap(), there.activate(receiver).unwrap());
        datagrams.send("one".into()).await.unwrap();
        // Told to finish, it sends what waits first.
        sender.finish();
        assert!(sender.await.reason.is_clean());
        let (data, _) = received.recv().await.unwrap();
        assert_eq!(data, "one");
        receiver.stop();
        assert!(receiver.await.reason.is_clean());
    });
}
