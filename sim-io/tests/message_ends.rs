//! How channels of messages end, and who hears of it.
#![cfg(all(feature = "json", feature = "python-json", feature = "msgpack", feature = "cbor"))]

mod message_common;
mod protocol_common;

use std::sync::Arc;
use std::time::Duration;

use message_common::{Reply, json};
use net_core::{ErrorKind, Stream, TimeoutKind};
use protocol_common::{everywhere, on_virtual, read_to_end};
use serde_json::Value;
use sim_io::Environment;
use sim_io::codec::Json;
use sim_io::message::{ChannelError, Message, MessageOptions, RequestError};
use sim_io::network::Network;
use sim_io::packet::{Packet, PacketUtf8};
use tokio::io::AsyncWriteExt;

#[test]
fn a_channel_whose_task_never_begins_ends_for_all_who_wait() {
    let env = Environment::new();
    let network = Network::new(&env);
    let (server, client) = (network.host("server").unwrap(), network.host("client").unwrap());
    let waits = env.process(async move {
        let mut listener = server.net().bind(&"tcp://server:9000".parse().unwrap()).await.unwrap();
        let near = client.net().connect(listener.local()).await.unwrap();
        let _far = listener.accept().await.unwrap();
        let message = json(near);
        let reply = message.send("?");
        // Its task has not had its turn yet.
        client.crash();
        Reply::err(reply.await)
    });
    let error = env.run_until(&waits).unwrap();
    assert!(matches!(error, RequestError::Channel(_)), "{error}");
}

#[test]
fn d07_a_bad_message_fails_the_channel_on_both_sides() {
    for (bad, why) in [
        ("{", "expected `[type, id, content]`"),
        ("[0, 0]", "expected `[type, id, content]`"),
        ("[0, 0, 1, 2]", "three items"),
        ("[3, 0, null]", "no message type 3"),
        ("[\"a\", 0, null]", "no message type"),
        ("[1, 7, null]", "the request 7, which is not open"),
        ("[2, \"x\", null]", "which is not open"),
        ("[0, 0, nul]", "expected a value"),
        ("[0, 0, \"\u{1}\"]", "the end of the string"),
        ("", "where the text ends"),
    ] {
        everywhere(move |near, far| async move {
            let message = json(near);
            let mut wire = PacketUtf8::new(far);
            // Whoever waits hears why: a request, a receiver, a watcher.
            let (pending, receiving) = (message.send("?"), message.recv());
            let peer = async {
                wire.read().await.unwrap().unwrap();
                wire.write(bad).await.unwrap();
                // The connection is closed.
                assert_eq!(wire.read().await.unwrap(), None, "{bad}");
            };
            let (pending, received, ended, ()) = tokio::join!(pending, receiving, message.closed(), peer);
            assert!(
                matches!(&ended, ChannelError::Protocol(error) if error.to_string().contains(why)),
                "{bad}: {ended}"
            );
            assert_eq!(Reply::err(pending), RequestError::Channel(ended.clone()));
            assert_eq!(received.unwrap_err(), ended);
            assert_eq!(Reply::err(message.send("late").await), RequestError::Channel(ended));
        });
    }
}

#[test]
fn d08_the_cause_is_in_the_connections_events_too() {
    let causes = Arc::new(std::sync::Mutex::new(Vec::new()));
    let told = Arc::clone(&causes);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async move {
        let net = net_core::Net::os().observed(move |event| {
            if let net_core::EventKind::Closed { cause: Some(cause), .. } = &event.kind {
                told.lock().unwrap().push(cause.to_string());
            }
        });
        let (near, mut far) = Stream::pair(&net);
        let message = json(near);
        far.write_all(b"\0\0\0\x02{}").await.unwrap();
        message.closed().await;
        read_to_end(&mut far).await;
        drop(far);
    });
    // The connection is closed at the latest now.
    drop(runtime);
    let causes = causes.lock().unwrap();
    assert!(
        causes
            .iter()
            .any(|cause| cause.contains("expected `[type, id, content]`")),
        "{causes:?}"
    );
}

#[test]
fn bad_packets_end_the_channel() {
    everywhere(async |near, mut far| {
        let message = json(near);
        far.write_all(b"\xff\0\0\0").await.unwrap();
        let ChannelError::Net(error) = message.closed().await else {
            panic!()
        };
        assert_eq!(error.kind(), ErrorKind::FrameTooLong);
        read_to_end(&mut far).await;
    });
    everywhere(async |near, mut far| {
        let message = json(near);
        far.write_all(b"\0\0\0\x03[\"\xff").await.unwrap();
        let ChannelError::Protocol(error) = message.closed().await else {
            panic!()
        };
        assert!(error.to_string().contains("no UTF-8"), "{error}");
    });
    everywhere(async |near, mut far| {
        let message = json(near);
        let pending = message.send("?");
        far.write_all(b"\0\0\0\x10[1,0").await.unwrap();
        far.shutdown().await.unwrap();
        let RequestError::Channel(ChannelError::Net(error)) = Reply::err(pending.await) else {
            panic!()
        };
        assert_eq!(error.kind(), ErrorKind::Truncated);
    });
}

#[test]
fn a_peer_that_goes_ends_the_channel_for_all_who_wait() {
    everywhere(async |near, far| {
        let message = json(near);
        let (pending, receiving) = (message.send("?"), message.recv());
        let peer = async {
            let mut wire = Packet::new(far);
            wire.read().await.unwrap();
        };
        let (pending, received, ()) = tokio::join!(pending, receiving, peer);
        assert_eq!(Reply::err(pending), RequestError::Channel(ChannelError::PeerClosed));
        assert!(received.unwrap().is_none());
        assert_eq!(message.closed().await, ChannelError::PeerClosed);
    });
}

#[test]
fn a_peer_that_closes_its_side_still_gets_its_replies() {
    everywhere(async |near, mut far| {
        let server = json(near);
        far.write_all(b"\0\0\0\x0c[0, 0, null]\0\0\0\x0c[0, 1, null]")
            .await
            .unwrap();
        far.shutdown().await.unwrap();
        let first = server.recv().await.unwrap().unwrap();
        let second = server.recv().await.unwrap().unwrap();
        assert!(server.recv().await.unwrap().is_none());
        second.succeed(&2).unwrap();
        first.succeed(&1).unwrap();
        assert_eq!(read_to_end(&mut far).await, b"\0\0\0\x07[1,1,2]\0\0\0\x07[1,0,1]");
        assert_eq!(server.closed().await, ChannelError::PeerClosed);
    });
}

#[test]
fn closing_sends_what_was_accepted_and_tells_whoever_waits() {
    everywhere(async |near, mut far| {
        let message = json(near);
        let pending = message.send("?");
        message.close();
        assert_eq!(Reply::err(pending.await), RequestError::Channel(ChannelError::Closed));
        assert!(message.recv().await.unwrap().is_none());
        assert_eq!(read_to_end(&mut far).await, b"\0\0\0\x09[0,0,\"?\"]");
    });
}

#[test]
fn the_last_handle_closes_the_channel_but_not_before_requests_are_answered() {
    everywhere(async |near, far| {
        let server = json(near);
        let mut wire = PacketUtf8::new(far);
        wire.write("[0,0,1]").await.unwrap();
        let request = server.recv().await.unwrap().unwrap();
        let other = server.clone();
        drop(server);
        drop(other);
        request.succeed(&2).unwrap();
        assert_eq!(wire.read().await.unwrap().unwrap(), "[1,0,2]");
        assert_eq!(wire.read().await.unwrap(), None);
    });
}

#[test]
fn a_slow_reader_is_given_up_and_the_simulation_goes_on() {
    on_virtual(async |near, far| {
        let net = near.net();
        let options = MessageOptions::default().max_packet_size(1 << 20);
        let message = Message::with_options(near, Json, options).unwrap();
        let long = "x".repeat(1 << 19);
        // The last ones wait for room.
        let replies: Vec<_> = (0..64).map(|_| message.send::<_, Value>(&long)).collect();
        let start = net.now();
        for reply in replies {
            let error = Reply::err(reply.await);
            let RequestError::Channel(ChannelError::Net(error)) = &error else {
                panic!("{error}")
            };
            assert_eq!(error.kind(), ErrorKind::Timeout(TimeoutKind::Write));
        }
        assert!(net.now() - start >= Duration::from_secs(30));
        drop(far);
    });
}
