//! Messages: their bytes, replies in any order, failures, limits, and what a bad peer can do.
#![cfg(all(feature = "json", feature = "python-json", feature = "msgpack", feature = "cbor"))]

mod protocol_common;

use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use net_core::{ErrorKind, Stream, TimeoutKind};
use proptest::prelude::*;
use protocol_common::{everywhere, in_memory, on_virtual, read_to_end};
use serde_json::{Value, json};
use sim_io::Environment;
use sim_io::codec::{Cbor, Codec, Decode, Encode, Id, Json, Kind, MessagePack, PythonJson};
use sim_io::message::{ChannelError, FailureForm, Fault, Message, MessageOptions, RequestError};
use sim_io::network::{Network, PacketKind};
use sim_io::packet::{Packet, PacketUtf8};
use tokio::io::AsyncWriteExt;

fn json(stream: Stream) -> Message<Json> {
    Message::new(stream, Json).unwrap()
}

fn python(stream: Stream) -> Message<PythonJson> {
    Message::new(stream, PythonJson::new()).unwrap()
}

/// Answers each request with what it asks.
async fn echo<C: Encode<Value> + Decode<Value>>(message: Message<C>) {
    while let Ok(Some(request)) = message.recv().await {
        let content: Value = request.content().unwrap();
        // The client may be gone.
        let _ = request.succeed(&content);
    }
}

#[test]
fn the_bytes_are_pythons() {
    everywhere(async |near, far| {
        let (message, mut wire) = (python(near), PacketUtf8::new(far));
        let reply = message.send("ohai");
        assert_eq!(wire.read().await.unwrap().unwrap(), r#"[0, 0, "ohai"]"#);
        wire.write(r#"[1, 0, "cya"]"#).await.unwrap();
        let reply: String = reply.await.unwrap();
        assert_eq!(reply, "cya");

        let reply = message.send(&json!({"\u{e4}": [1, 2.5, null, true]}));
        assert_eq!(
            wire.read().await.unwrap().unwrap(),
            r#"[0, 1, {"\u00e4": [1, 2.5, null, true]}]"#
        );
        wire.write(r#"[2, 1, "ValueError: nope\n"]"#).await.unwrap();
        let error = Reply::err(reply.await);
        assert_eq!(error, RequestError::Remote(Fault::new("ValueError", "nope")));

        // The other direction counts for itself.
        wire.write(r#"[0, 0, "ohai"]"#).await.unwrap();
        message.recv().await.unwrap().unwrap().succeed("cya").unwrap();
        assert_eq!(wire.read().await.unwrap().unwrap(), r#"[1, 0, "cya"]"#);
        wire.write(r#"[0, 1, "ohai"]"#).await.unwrap();
        message
            .recv()
            .await
            .unwrap()
            .unwrap()
            .fail(Fault::new("ValueError", "nope"))
            .unwrap();
        assert_eq!(wire.read().await.unwrap().unwrap(), r#"[2, 1, "ValueError: nope\n"]"#);
    });
}

#[test]
fn a_request_fails_with_a_text_an_error_or_a_fault() {
    everywhere(|near, far| async move {
        let (asks, answers) = (Message::new(near, Json).unwrap(), Message::new(far, Json).unwrap());
        let replies: Vec<_> = (0..5).map(|_| asks.send::<_, Value>("?")).collect();
        let next = async || answers.recv().await.unwrap().unwrap();
        next().await.fail("text").unwrap();
        next().await.fail(format!("text {}", 2)).unwrap();
        next().await.fail("x".parse::<i32>().unwrap_err()).unwrap();
        next().await.fail(sim_io::Failure::text("failed")).unwrap();
        next().await.fail(Fault::new("KeyError", "'x'")).unwrap();
        let mut heard = Vec::new();
        for reply in replies {
            let RequestError::Remote(fault) = reply.await.unwrap_err() else {
                panic!("the channel is up");
            };
            heard.push(fault.to_string());
        }
        let expected = [
            "RuntimeError: text",
            "RuntimeError: text 2",
            "ParseIntError: invalid digit found in string",
            "RuntimeError: failed",
            "KeyError: 'x'",
        ];
        assert_eq!(heard, expected);
    });
}

/// Says which type a reply would have had, had it not failed.
struct Reply;

impl Reply {
    #[track_caller]
    fn err(reply: Result<Value, RequestError>) -> RequestError {
        reply.unwrap_err()
    }
}

#[test]
fn each_codec_has_its_bytes() {
    fn packet<C: Encode<str>>(codec: &C, kind: Kind, id: u64, content: &str) -> Vec<u8> {
        let mut out = Vec::new();
        codec.begin(kind, &Id::Number(id), &mut out);
        codec.encode(content, &mut out).unwrap();
        codec.end(&mut out);
        out
    }
    assert_eq!(
        packet(&PythonJson::new(), Kind::Request, 0, "ohai"),
        br#"[0, 0, "ohai"]"#
    );
    assert_eq!(packet(&Json, Kind::Success, 1024, "cya"), br#"[1,1024,"cya"]"#);
    assert_eq!(packet(&MessagePack, Kind::Request, 0, "ohai"), b"\x93\0\0\xa4ohai");
    assert_eq!(
        packet(&MessagePack, Kind::Failure, 300, "no"),
        b"\x93\x02\xcd\x01\x2c\xa2no"
    );
    assert_eq!(packet(&Cbor, Kind::Request, 0, "ohai"), b"\x83\0\0\x64ohai");
    assert_eq!(packet(&Cbor, Kind::Success, 300, "no"), b"\x83\x01\x19\x01\x2c\x62no");
}

#[test]
fn every_codec_carries_messages() {
    async fn exchange<C: Codec + Encode<Value> + Decode<Value> + Clone>(near: Stream, far: Stream, codec: C) {
        let client = Message::new(near, codec.clone()).unwrap();
        let server = Message::new(far, codec).unwrap();
        let content = json!({"a": [1, -2, 2.5, null, true, "\u{e4}"], "b": {}});
        let asking = async {
            let reply: Value = client.send(&content).await.unwrap();
            assert_eq!(reply, content);
            let error = Reply::err(client.send(&json!("fail")).await);
            assert_eq!(error, RequestError::Remote(Fault::new("ValueError", "nope")));
        };
        let answering = async {
            let request = server.recv().await.unwrap().unwrap();
            let content: Value = request.content().unwrap();
            request.succeed(&content).unwrap();
            let request = server.recv().await.unwrap().unwrap();
            request.fail(Fault::new("ValueError", "nope")).unwrap();
        };
        tokio::join!(asking, answering);
    }
    everywhere(|near, far| exchange(near, far, Json));
    everywhere(|near, far| exchange(near, far, PythonJson::new()));
    everywhere(|near, far| exchange(near, far, MessagePack));
    everywhere(|near, far| exchange(near, far, Cbor));
}

#[test]
fn json_and_pythons_json_understand_each_other() {
    in_memory(async |near, far| {
        let (client, server) = (json(near), python(far));
        let (reply, ()) = tokio::join!(client.send::<_, Value>(&json!([1, "\u{e4}"])), async {
            let request = server.recv().await.unwrap().unwrap();
            let content: sim_io::codec::python::Value = request.content().unwrap();
            request.succeed(&content).unwrap();
        });
        assert_eq!(reply.unwrap(), json!([1, "\u{e4}"]));
    });
}

#[test]
fn replies_find_their_requests_in_any_order() {
    everywhere(async |near, far| {
        let (client, server) = (json(near), json(far));
        let replies: Vec<_> = (0..64).map(|n| client.send::<_, u32>(&n)).collect();
        let mut requests = Vec::new();
        for _ in 0..64 {
            requests.push(server.recv().await.unwrap().unwrap());
        }
        assert_eq!(server.open_requests(), 64);
        for request in requests.into_iter().rev() {
            let n: u32 = request.content().unwrap();
            request.succeed(&(n * n)).unwrap();
        }
        for (n, reply) in (0..64).zip(replies) {
            assert_eq!(reply.await.unwrap(), n * n);
        }
        assert_eq!(server.open_requests(), 0);
    });
}

#[test]
fn failures_have_two_forms_and_both_are_understood() {
    everywhere(async |near, far| {
        let options = MessageOptions::default().failures(FailureForm::List);
        let message = Message::with_options(near, PythonJson::new(), options).unwrap();
        let mut wire = PacketUtf8::new(far);
        wire.write(r#"[0, 0, null]"#).await.unwrap();
        let fault = Fault::new("ValueError", "nope").with_traceback("line 1\nline 2\n");
        message.recv().await.unwrap().unwrap().fail(fault.clone()).unwrap();
        assert_eq!(
            wire.read().await.unwrap().unwrap(),
            r#"[2, 0, ["ValueError", "nope", "line 1", "line 2"]]"#
        );
        for content in [
            r#"["ValueError", "nope", "line 1\n", "line 2"]"#,
            r#""line 1\nline 2\nValueError: nope\n""#,
        ] {
            let reply = message.send(&json!(null));
            let sent = wire.read().await.unwrap().unwrap();
            wire.write(format!("[2{}, {content}]", &sent[2..sent.len() - 7]))
                .await
                .unwrap();
            assert_eq!(Reply::err(reply.await), RequestError::Remote(fault.clone()));
        }
        // Whatever else a peer sends there is shown as it is.
        let reply = message.send(&json!(null));
        let sent = wire.read().await.unwrap().unwrap();
        wire.write(format!("[2{}, {{\"why\": 1}}]", &sent[2..sent.len() - 7]))
            .await
            .unwrap();
        let RequestError::Remote(fault) = Reply::err(reply.await) else {
            panic!()
        };
        assert_eq!((fault.kind(), fault.message()), ("", "{\"why\": 1}"));
    });
}

#[test]
fn errors_become_failures() {
    let fault = Fault::from("x".parse::<f32>().unwrap_err());
    assert_eq!(
        (fault.kind(), fault.message()),
        ("ParseFloatError", "invalid float literal")
    );
    for text in [
        "Traceback (most recent call last):\n  File \"a\"\nKeyError: 'b'\n",
        "E\n",
        "no text of Python's",
        "",
    ] {
        assert_eq!(Fault::from_text(text).text(), text);
    }
}

#[test]
fn a_request_that_is_dropped_is_answered_with_a_failure() {
    everywhere(async |near, far| {
        let (client, server) = (json(near), json(far));
        let reply = client.send("?");
        drop(server.recv().await.unwrap().unwrap());
        let RequestError::Remote(fault) = Reply::err(reply.await) else {
            panic!()
        };
        assert!(fault.message().contains("dropped without an answer"), "{fault}");
        // One that was not understood says so.
        let reply = client.send("text");
        let request = server.recv().await.unwrap().unwrap();
        request.content::<u32>().unwrap_err();
        drop(request);
        let RequestError::Remote(fault) = Reply::err(reply.await) else {
            panic!()
        };
        assert!(fault.message().contains("not understood"), "{fault}");
    });
}

#[test]
fn a_content_of_another_type_is_that_messages_matter_alone() {
    everywhere(async |near, far| {
        let (client, server) = (json(near), python(far));
        let serving = async {
            server.recv().await.unwrap().unwrap().succeed(&f64::NAN).unwrap();
            server.recv().await.unwrap().unwrap().succeed(&2).unwrap();
            // What can't be encoded is a failure for the peer.
            let bad = std::collections::BTreeMap::from([(vec![1], 1)]);
            let error = server.recv().await.unwrap().unwrap().succeed(&bad).unwrap_err();
            assert!(matches!(error, RequestError::Codec(_)));
        };
        let asking = async {
            // serde_json knows no NaN.
            assert!(matches!(Reply::err(client.send("a").await), RequestError::Codec(_)));
            let number: u32 = client.send("b").await.unwrap();
            assert_eq!(number, 2);
            let RequestError::Remote(fault) = Reply::err(client.send("c").await) else {
                panic!()
            };
            assert!(fault.message().contains("can't be encoded"), "{fault}");
        };
        tokio::join!(serving, asking);
    });
}

/// Panics where it is written.
struct Broken;

impl serde::Serialize for Broken {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        panic!("this type can't be written")
    }
}

#[test]
fn a_content_that_panics_while_it_is_written_leaves_nothing_open() {
    fn caught(work: impl FnOnce()) {
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).unwrap_err();
    }
    everywhere(async |near, far| {
        let options = MessageOptions::default().limit(1);
        let client = Message::with_options(near, Json, options).unwrap();
        let server = json(far);
        caught(|| drop(client.send::<_, Value>(&Broken)));
        // It does not count as open, and the reply is a failure.
        let reply = client.send("?");
        let request = server.recv().await.unwrap().unwrap();
        caught(|| drop(request.succeed(&Broken)));
        let RequestError::Remote(fault) = Reply::err(reply.await) else {
            panic!()
        };
        assert!(fault.message().contains("dropped without an answer"), "{fault}");
        assert_eq!(server.open_requests(), 0);
    });
}

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

#[test]
fn a_reply_that_does_not_come_is_a_timeout_and_a_late_one_is_dropped() {
    on_virtual(async |near, far| {
        let options = MessageOptions::default().timeout(Duration::from_secs(3));
        let client = Message::with_options(near, Json, options).unwrap();
        let server = json(far);
        let net = client.net().clone();
        let start = net.now();
        assert_eq!(
            Reply::err(client.send("?").await),
            RequestError::Timeout(Duration::from_secs(3))
        );
        assert_eq!(net.now() - start, Duration::from_secs(3));
        let limit = Duration::from_millis(500);
        assert_eq!(
            Reply::err(client.send("?").timeout(limit).await),
            RequestError::Timeout(limit)
        );
        for _ in 0..2 {
            server.recv().await.unwrap().unwrap().succeed("late").unwrap();
        }
        let (reply, ()) = tokio::join!(client.send::<_, String>("!"), async {
            server.recv().await.unwrap().unwrap().succeed("in time").unwrap();
        });
        assert_eq!(reply.unwrap(), "in time");
        assert_eq!(client.ended(), None);
    });
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
fn odd_messages_are_taken_unless_the_channel_is_strict() {
    everywhere(async |near, far| {
        let (message, mut wire) = (json(near), PacketUtf8::new(far));
        for (odd, answer) in [
            (r#"[0, "one", 1]"#, r#"[1,"one",null]"#),
            (r#"[0.0, -1, 1]"#, r#"[1,-1,null]"#),
            (r#"[false, [2, {}], "\ud800"]"#, r#"[1,[2, {}],null]"#),
            (r#" [0 , 1.0 , NaN ] "#, r#"[1,1.0,null]"#),
        ] {
            wire.write(odd).await.unwrap();
            message.recv().await.unwrap().unwrap().succeed(&()).unwrap();
            assert_eq!(wire.read().await.unwrap().unwrap(), answer);
        }
        let reply = message.send("?");
        wire.read().await.unwrap();
        wire.write("[true, 0.0, 5]").await.unwrap();
        let reply: u32 = reply.await.unwrap();
        assert_eq!(reply, 5);
    });
    everywhere(async |near, far| {
        let strict = MessageOptions::default().strict(true);
        let message = Message::with_options(near, Json, strict).unwrap();
        let mut wire = PacketUtf8::new(far);
        wire.write(r#"[0, "one", 1]"#).await.unwrap();
        assert!(matches!(message.closed().await, ChannelError::Protocol(_)));
    });
}

#[test]
fn a_side_that_takes_no_requests_says_so() {
    everywhere(async |near, far| {
        let options = MessageOptions::default().take_requests(false);
        let _client = Message::with_options(near, Json, options).unwrap();
        let other = json(far);
        let RequestError::Remote(fault) = Reply::err(other.send("?").await) else {
            panic!()
        };
        assert!(fault.message().contains("takes no requests"), "{fault}");
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

#[test]
fn several_processes_receive_and_one_that_gives_up_loses_nothing() {
    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn poll<F: Future>(future: &mut Pin<Box<F>>, count: &Arc<Count>) -> Poll<F::Output> {
        let waker = Waker::from(Arc::clone(count));
        future.as_mut().poll(&mut Context::from_waker(&waker))
    }

    everywhere(async |near, far| {
        let (client, server) = (json(near), json(far));
        let counts = [0; 3].map(|_| Arc::new(Count::default()));
        let mut receivers: Vec<_> = (0..3).map(|_| Box::pin(server.recv())).collect();
        for (receiver, count) in receivers.iter_mut().zip(&counts) {
            assert!(poll(receiver, count).is_pending());
        }
        let woken = || counts.each_ref().map(|count| count.0.load(Ordering::SeqCst));
        let reply = client.send::<_, u32>("?");
        while server.open_requests() == 0 {
            server.net().sleep(Duration::from_millis(1)).await;
        }
        // Those who came first, one for each request. One that gives up before its turn leaves it to the next.
        assert_eq!(woken(), [1, 0, 0]);
        drop(receivers.remove(0));
        assert_eq!(woken(), [1, 1, 0]);
        let Poll::Ready(Ok(Some(request))) = poll(&mut receivers[0], &counts[1]) else {
            panic!()
        };
        request.succeed(&7).unwrap();
        assert_eq!(reply.await.unwrap(), 7);
        // One that gives up without having been woken takes nobody's turn.
        drop(receivers);
        assert_eq!(woken(), [1, 1, 0]);
    });
}

/// The original writes each message by itself, without TCP_NODELAY: the peer's system holds them up.
#[test]
fn d06_messages_of_one_instant_leave_in_one_write_without_delay() {
    assert!(net_core::SocketOptions::default().nodelay);
    let env = Environment::new();
    let network = Network::new(&env);
    let (server, client) = (
        network.host("server").unwrap().net(),
        network.host("client").unwrap().net(),
    );
    let bursts = Rc::new(RefCell::new(Vec::new()));
    network.watch({
        let bursts = Rc::clone(&bursts);
        move |packet| {
            if packet.kind == PacketKind::Data {
                bursts.borrow_mut().push(packet.data.len());
            }
        }
    });
    let done = env.process(async move {
        let mut listener = server.bind(&"tcp://server:9000".parse().unwrap()).await.unwrap();
        let client = json(client.connect(listener.local()).await.unwrap());
        let server = json(listener.accept().await.unwrap());
        let replies: Vec<_> = (0..64).map(|_| client.send::<_, Value>("?")).collect();
        let requests = async {
            let mut requests = Vec::new();
            for _ in 0..64 {
                requests.push(server.recv().await.unwrap().unwrap());
            }
            requests.into_iter().for_each(|request| request.succeed("!").unwrap());
        };
        tokio::join!(requests, async {
            for reply in replies {
                assert_eq!(reply.await.unwrap(), "!");
            }
        });
    });
    env.run_until(&done).unwrap();
    let one_way = |kind: u8| {
        (0..64)
            .map(|id| 4 + format!("[{kind},{id},\"?\"]").len())
            .sum::<usize>()
    };
    assert_eq!(*bursts.borrow(), [one_way(0), one_way(1)]);
}

#[test]
fn channels_can_be_moved_to_other_threads() {
    fn sendable<T: Send>(_: &T) {}
    in_memory(async |near, far| {
        let (client, server) = (json(near), json(far));
        sendable(&client);
        sendable(&client.recv());
        sendable(&client.send::<_, u32>("?"));
        drop(server);
    });
}

fn contents() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from)
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(any::<String>(), inner, 0..5).prop_map(|map| json!(map)),
        ]
    })
}

fn survives<C: Encode<Value> + Decode<Value>>(codec: &C, id: u64, content: &Value) {
    for kind in [Kind::Request, Kind::Success, Kind::Failure] {
        let mut packet = Vec::new();
        codec.begin(kind, &Id::Number(id), &mut packet);
        codec.encode(content, &mut packet).unwrap();
        codec.end(&mut packet);
        let envelope = codec.open(&packet).unwrap();
        assert_eq!(
            (envelope.kind, &envelope.id, envelope.odd),
            (kind, &Id::Number(id), false)
        );
        assert_eq!(&codec.decode(envelope.content).unwrap(), content);
        // No part of it is a message.
        for end in 0..packet.len() {
            assert!(codec.open(&packet[..end]).is_err(), "{end} of {packet:?}");
        }
    }
}

fn tries<C: Decode<Value>>(codec: &C, bytes: &[u8]) {
    if let Ok(envelope) = codec.open(bytes) {
        let _ = codec.decode(envelope.content);
        codec.decode_fault(envelope.content);
    }
    let _ = codec.decode(bytes);
    codec.decode_fault(bytes);
}

proptest! {
    #[test]
    fn messages_survive_the_round_trip(id: u64, content in contents()) {
        survives(&Json, id, &content);
        survives(&PythonJson::new(), id, &content);
        survives(&MessagePack, id, &content);
        survives(&Cbor, id, &content);
    }

    #[test]
    fn arbitrary_bytes_never_panic(
        start in prop::sample::select(vec![&b""[..], b"[0,0,", b"[2, 1, ", b"\x93\0\0", b"\x93\x02\x01", b"\x83\0\0", b"\x83\x02\x01"]),
        bytes in prop::collection::vec(any::<u8>(), 0..60),
    ) {
        let bytes = [start, &bytes].concat();
        tries(&Json, &bytes);
        tries(&PythonJson::new(), &bytes);
        tries(&MessagePack, &bytes);
        tries(&Cbor, &bytes);
    }

    #[test]
    fn faults_survive_the_round_trip(kind in "[A-Z][a-z]{0,9}", message in "[ -~]{1,40}", lines in prop::collection::vec("[ -~]{1,20}", 0..4)) {
        let fault = Fault::new(kind, message).with_traceback(lines.join("\n"));
        for form in [FailureForm::Text, FailureForm::List] {
            let mut out = Vec::new();
            PythonJson::new().encode_fault(&fault, form, &mut out).unwrap();
            prop_assert_eq!(&PythonJson::new().decode_fault(&out), &fault);
        }
    }
}

#[test]
fn claims_of_huge_lengths_allocate_nothing() {
    for bytes in [
        &b"\x93\0\0\xdd\xff\xff\xff\xff"[..],
        b"\x93\0\0\xdb\xff\xff\xff\xff",
        b"\x93\0\0\xdf\xff\xff\xff\xff",
        b"\x83\0\0\x9b\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\x83\0\0\x7b\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\x83\0\0\x5b\0\0\0\x7f\xff\xff\xff\xff",
    ] {
        let used = allocation_counter::measure(|| {
            tries(&MessagePack, bytes);
            tries(&Cbor, bytes);
        });
        assert!(used.bytes_max < 1 << 20, "{bytes:?}: {used:?}");
    }
}

#[test]
fn an_echo_serves_many() {
    everywhere(async |near, far| {
        let (client, server) = (json(near), json(far));
        let asking = async move {
            for n in 0..100 {
                let reply: Value = client.send(&json!(n)).await.unwrap();
                assert_eq!(reply, n);
            }
        };
        tokio::join!(asking, echo(server));
    });
}
