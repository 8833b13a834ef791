//! The limits of messages: their size, and how many requests are open.
#![cfg(all(feature = "json", feature = "python-json", feature = "msgpack", feature = "cbor"))]

mod message_common;
mod protocol_common;

use std::time::Duration;

use message_common::{Reply, json, python};
use net_core::ErrorKind;
use protocol_common::everywhere;
use sim_io::codec::PythonJson;
use sim_io::message::{FailureForm, Fault, Message, MessageOptions, RequestError};
use sim_io::packet::PacketUtf8;

#[test]
fn messages_over_the_limit_fail_alone() {
    everywhere(async |near, far| {
        let (client, server) = (json(near), json(far));
        let long = "x".repeat(20_000);
        let RequestError::TooLarge(error) = Reply::err(client.send(&long).await) else {
            panic!()
        };
        assert_eq!(error.kind(), ErrorKind::FrameTooLong);
        let reply = client.send("give me much");
        let error = server.recv().await.unwrap().unwrap().succeed(&long).unwrap_err();
        assert!(matches!(error, RequestError::TooLarge(_)));
        let RequestError::Remote(fault) = Reply::err(reply.await) else {
            panic!()
        };
        assert!(fault.message().contains("the limit is 16384"), "{fault}");
        // A failure that is too long is cut.
        let reply = client.send("fail");
        server
            .recv()
            .await
            .unwrap()
            .unwrap()
            .fail(Fault::new("E", &long).with_traceback(&long))
            .unwrap();
        assert!(matches!(Reply::err(reply.await), RequestError::Remote(_)));
    });
}

/// What is written of them is far longer than what they say: escapes take six bytes for one.
#[test]
fn a_failure_reaches_the_peer_however_small_the_packets_are() {
    let forms = [FailureForm::Text, FailureForm::List];
    for (size, form) in [24, 100, 1000, 16_384].into_iter().zip(forms.into_iter().cycle()) {
        everywhere(move |near, far| async move {
            let client = python(near);
            let options = MessageOptions::default().max_packet_size(size).failures(form);
            let server = Message::with_options(far, PythonJson::new(), options).unwrap();
            let reply = client.send("?");
            let long = "\u{1}".repeat(5000);
            let fault = Fault::new(&long, &long).with_traceback(&long);
            server.recv().await.unwrap().unwrap().fail(fault).unwrap();
            let limited = reply.timeout(Duration::from_secs(5)).await;
            assert!(matches!(Reply::err(limited), RequestError::Remote(_)));
        });
    }
}

#[test]
fn more_than_1024_open_requests_are_refused_here() {
    everywhere(async |near, far| {
        let (client, server) = (json(near), json(far));
        let replies: Vec<_> = (0..2000).map(|n| client.send::<_, u32>(&n)).collect();
        let serving = async {
            for _ in 0..1024 {
                let request = server.recv().await.unwrap().unwrap();
                let n: u32 = request.content().unwrap();
                request.succeed(&n).unwrap();
            }
        };
        let waiting = async {
            let mut refused = 0;
            for (n, reply) in (0..2000).zip(replies) {
                match reply.await {
                    Ok(reply) => assert_eq!(reply, n),
                    Err(RequestError::TooMany { limit: 1024 }) => refused += 1,
                    Err(error) => panic!("{error}"),
                }
            }
            assert_eq!(refused, 2000 - 1024);
        };
        tokio::join!(serving, waiting);
        // Answered ones count no more.
        let (reply, ()) = tokio::join!(client.send::<_, u32>("x"), async {
            server.recv().await.unwrap().unwrap().succeed(&1).unwrap();
        });
        assert_eq!(reply.unwrap(), 1);
    });
}

#[test]
fn more_than_1024_open_requests_of_the_peer_are_answered_with_failures() {
    everywhere(async |near, far| {
        let server = json(near);
        let (mut reader, mut writer) = PacketUtf8::new(far).split();
        let flood = async {
            for n in 0..2000 {
                writer.write(format!("[0,{n},null]")).await.unwrap();
            }
        };
        let refusals = async {
            for n in 1024..2000 {
                let packet = reader.read().await.unwrap().unwrap();
                assert!(
                    packet.starts_with(&format!("[2,{n},\"MessageOverflowError: 1024 requests are open")),
                    "{packet}"
                );
            }
        };
        tokio::join!(flood, refusals);
        assert_eq!(server.open_requests(), 1024);
        for _ in 0..1024 {
            server.recv().await.unwrap().unwrap().succeed(&1).unwrap();
        }
        for n in 0..1024 {
            assert_eq!(reader.read().await.unwrap().unwrap(), format!("[1,{n},1]"));
        }
    });
}
