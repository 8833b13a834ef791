//! Messages: their bytes, replies in any order, failures, and who receives them.
#![cfg(all(feature = "json", feature = "python-json", feature = "msgpack", feature = "cbor"))]

mod message_common;
mod protocol_common;

use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use message_common::{Reply, echo, json, python};
use protocol_common::{everywhere, in_memory, on_virtual};
use serde_json::{Value, json};
use sim_io::Environment;
use sim_io::codec::{Json, PythonJson};
use sim_io::message::{ChannelError, FailureForm, Fault, Message, MessageOptions, RequestError};
use sim_io::network::{Network, PacketKind};
use sim_io::packet::PacketUtf8;

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
