//! The defects of the original that this one must not have; each test's name begins with the defect's number.

mod common;

use std::sync::atomic::Ordering;
use std::time::Duration;

use common::backend::{net, on_each_backend, where_nothing_is_lost};
use common::{
    LIMIT, Raw, Record, connect, counting, endpoint, eventually, mirror, sample, serving, somewhere, where_time_jumps,
};
use oneline::net_core::TimeoutKind;
use oneline::{Admission, Client, ClientOptions, ErrorKind, HandlerError, Replies, Server, StopReason};

on_each_backend!(
    d01_an_end_without_disconnect_is_the_end_of_that_client,
    d03_an_error_or_a_panic_of_the_handler_becomes_a_reply,
    d04_replying_to_a_vanished_client_is_an_error_value,
    d05_a_port_in_use_is_an_error_with_address_and_cause,
    d06_a_server_starts_again_after_shutdown,
    d07_a_start_while_running_is_refused,
    d08_the_real_port_is_told,
    d09_the_listener_is_closed_at_once_after_shutdown,
    d11_a_closed_link_is_told_at_once,
    d14_controls_inside_a_line_are_refused,
    d15_a_damaged_line_is_no_built_in_command,
    d17_a_wrong_address_is_an_error_that_names_it,
);

where_nothing_is_lost!(
    d18_one_read_and_one_write_for_a_batch,
    d02_a_reset_ends_that_client_only,
    the_compatible_mode_keeps_the_mends,
);

where_time_jumps!(
    d10_stopping_is_bounded_and_runs_no_fragment,
    d12_results_are_told_apart_and_text_is_exact,
    d13_a_partial_reply_is_kept_and_a_failed_handshake_closes,
    d16_everything_has_a_limit,
);

const SHORT: Duration = Duration::from_millis(50);

/// The original spins for ever, and serves nobody else.
async fn d01_an_end_without_disconnect_is_the_end_of_that_client() {
    let (net, running) = serving(&sample()).await;
    let mut first = Raw::connect(&net, &running).await;
    first.send("cmd01\nping\n").await;
    first.finish().await;
    assert_eq!(first.rest().await, "ack\npong\n", "what was received is answered");
    assert_eq!(Raw::connect(&net, &running).await.ask("ping").await.unwrap(), "pong");
}

/// The original stops serving.
async fn d02_a_reset_ends_that_client_only() {
    let (net, running) = serving(&sample()).await;
    let mut first = Raw::connect(&net, &running).await;
    assert_eq!(first.ask("ping").await.unwrap(), "pong");
    first.reset();
    assert_eq!(Raw::connect(&net, &running).await.ask("ping").await.unwrap(), "pong");
}

/// The original's thread dies.
async fn d03_an_error_or_a_panic_of_the_handler_becomes_a_reply() {
    let server = Server::new(async |command| match command.text() {
        "panic" => panic!("a secret of the server"),
        "fail" => Err("no such tool"),
        other => Ok(other.to_owned()),
    });
    let (net, running) = serving(&server).await;
    let mut client = Raw::connect(&net, &running).await;
    assert_eq!(
        client.ask("panic").await.unwrap(),
        "error: internal error, see the server's log"
    );
    assert_eq!(client.ask("fail").await.unwrap(), "error: no such tool");
    assert_eq!(client.ask("fine").await.unwrap(), "fine");
}

/// The original's `send` raises inside the callback, and that kills the thread.
async fn d04_replying_to_a_vanished_client_is_an_error_value() {
    let record = Record::default();
    let outcomes = record.clone();
    let server = Server::with_handler(move || Flooder(outcomes.clone()));
    let (net, running) = serving(&server).await;
    let mut first = Raw::connect(&net, &running).await;
    first.send("flood\n").await;
    assert_eq!(first.line().await.unwrap(), "x".repeat(1000));
    first.reset();
    eventually(&net, || !record.all().is_empty()).await;
    assert!(
        ["Reset", "BrokenPipe"].contains(&record.all()[0].as_str()),
        "{:?}",
        record.all()
    );
    assert_eq!(Raw::connect(&net, &running).await.ask("ping").await.unwrap(), "pong");
}

struct Flooder(Record);

impl oneline::Handler for Flooder {
    async fn command(&mut self, _: oneline::Command<'_>, replies: &mut Replies<'_>) -> Result<(), HandlerError> {
        let line = "x".repeat(1000);
        loop {
            replies.send(&line).await?;
        }
    }

    fn disconnected(&mut self, end: &oneline::End) {
        if let oneline::End::Failed(error) = end {
            self.0.add(format!("{:?}", error.kind()));
        }
    }
}

/// The original says True, and does not run.
async fn d05_a_port_in_use_is_an_error_with_address_and_cause() {
    let (net, running) = serving(&sample()).await;
    let second = sample();
    let error = second.start(&net, running.endpoint()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AddrInUse);
    assert!(error.to_string().contains(&running.endpoint().to_string()), "{error}");
    assert!(std::error::Error::source(&error).is_some(), "{error:#}");
    assert!(!second.is_running());
    running.stop(LIMIT).await;
    second.start(&net, running.endpoint()).await.unwrap();
}

/// The original says True, and never runs again.
async fn d06_a_server_starts_again_after_shutdown() {
    let server = sample();
    let (net, mut running) = serving(&server).await;
    for _ in 0..3 {
        let mut client = connect(&net, running.endpoint()).await.unwrap();
        assert_eq!(client.request("cmd01").await.unwrap(), "ack");
        client.shutdown().await.unwrap();
        assert_eq!(running.wait().await.reason, StopReason::Command);
        // The very same port, at once.
        running = server.start(&net, running.endpoint()).await.unwrap();
    }
    assert_eq!(Raw::connect(&net, &running).await.ask("ping").await.unwrap(), "pong");
}

/// The original ends both, a second later.
async fn d07_a_start_while_running_is_refused() {
    let server = sample();
    let (net, running) = serving(&server).await;
    let error = server.start(&net, &endpoint("tcp://127.0.0.1:0")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WrongState);
    let text = error.to_string();
    assert!(
        text.contains("already running on") && text.contains(&running.endpoint().to_string()),
        "{text}"
    );
    assert_eq!(Raw::connect(&net, &running).await.ask("ping").await.unwrap(), "pong");
    assert!(running.is_running() && server.is_running());
}

/// The original says 0.
async fn d08_the_real_port_is_told() {
    let (net, running) = serving(&sample()).await;
    assert_ne!(running.endpoint().port().unwrap(), 0);
    net.connect(running.endpoint()).await.unwrap();
}

/// With the original clients connect, and hang.
async fn d09_the_listener_is_closed_at_once_after_shutdown() {
    let (net, running) = serving(&sample()).await;
    let mut first = Raw::connect(&net, &running).await;
    // One that waits for its turn sees its end, too.
    let mut waiting = Raw::connect(&net, &running).await;
    first.send("shutdown\n").await;
    assert_eq!(first.line().await, None);
    assert_eq!(waiting.line().await, None);
    assert_eq!(
        net.connect(running.endpoint()).await.unwrap_err().kind(),
        ErrorKind::Refused
    );
}

/// The original takes 1.6 s, closes nothing, and runs the first letter of what comes then.
async fn d10_stopping_is_bounded_and_runs_no_fragment() {
    let record = Record::default();
    let (net, running) = serving(&record.server()).await;
    let mut idle = Raw::connect(&net, &running).await;
    assert_eq!(idle.ask("one").await.unwrap(), "ok");
    idle.send("l").await;
    let (stopped, end) = tokio::join!(running.stop(Duration::from_secs(5)), idle.line());
    assert_eq!(end, None, "the client sees the end");
    assert!(stopped.report.took <= Duration::from_secs(5) && stopped.report.aborted == 0);
    assert_eq!(record.all(), ["+", "one", "- the server stopped"]);
}

/// The original spins for three seconds, and is still connected.
async fn d11_a_closed_link_is_told_at_once() {
    let (net, running) = serving(&sample()).await;
    let mut client = connect(&net, running.endpoint()).await.unwrap();
    client.send_raw("disconnect").await.unwrap();
    assert_eq!(client.recv_within(LIMIT).await.unwrap_err().kind(), ErrorKind::Closed);
    assert!(!client.is_connected());
    assert_eq!(client.recv_within(LIMIT).await.unwrap_err().kind(), ErrorKind::Closed);
}

/// The original has `''` for all of these, and strips white space.
async fn d12_results_are_told_apart_and_text_is_exact() {
    let server = Server::new(async |command| match command.text() {
        "empty" => Some(String::new()),
        "spaces" => Some("  kept as sent\t ".to_owned()),
        _ => None,
    });
    let (net, running) = serving(&server).await;
    let mut client = Client::connect(&net, running.endpoint()).await.unwrap();
    assert_eq!(client.request("empty").await.unwrap(), "");
    assert_eq!(client.request("spaces").await.unwrap(), "  kept as sent\t ");
    let nothing = client.request("nothing").await.unwrap_err();
    assert_eq!(nothing.kind(), ErrorKind::Timeout(TimeoutKind::Request));
    assert!(client.is_connected());
    client.send_raw("disconnect").await.unwrap();
    assert_eq!(client.recv().await.unwrap_err().kind(), ErrorKind::Closed);
}

/// The original returns `par` and then `tial`; and a stale `pong` after a connect that failed.
async fn d13_a_partial_reply_is_kept_and_a_failed_handshake_closes() {
    let net = net();
    let mut listener = net.bind(&somewhere()).await.unwrap();
    let options = ClientOptions::default().handshake(false);
    let mut client = Client::connect_with(&net, listener.local(), options).await.unwrap();
    let mut server = listener.accept().await.unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut server, b"par").await.unwrap();
    let late = client.recv_within(SHORT).await.unwrap_err();
    assert_eq!(late.kind(), ErrorKind::Timeout(TimeoutKind::Request));
    tokio::io::AsyncWriteExt::write_all(&mut server, b"tial\n")
        .await
        .unwrap();
    assert_eq!(client.recv().await.unwrap(), "partial");

    let (net, running) = serving(&sample()).await;
    let mut first = Raw::connect(&net, &running).await;
    assert_eq!(first.ask("ping").await.unwrap(), "pong");
    let error = Client::connect(&net, running.endpoint()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout(TimeoutKind::Handshake));
    assert!(error.to_string().contains("another client"), "{error}");
    // What failed to connect is closed: only the first is open, at both of its ends, and what waits unaccepted.
    first.send("disconnect\n").await;
    let mut third = Client::connect(&net, running.endpoint()).await.unwrap();
    assert_eq!(third.request("cmd01").await.unwrap(), "ack");
}

/// With the original a line feed inside a text makes two commands, or two replies.
async fn d14_controls_inside_a_line_are_refused() {
    let server = Server::with_handler(|| Injector);
    let (net, running) = serving(&server).await;
    let mut client = connect(&net, running.endpoint()).await.unwrap();
    for (bad, name) in [("a\nb", "LF"), ("a\rb", "CR"), ("a\0b", "NUL")] {
        let error = client.send(bad).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BadFrame);
        assert!(error.to_string().contains(name), "{error}");
    }
    let reply = client.request("inject").await.unwrap();
    assert!(reply.text().starts_with("error: write: "), "{reply}");
    assert!(reply.text().contains("must not contain LF"), "{reply}");
    // The explicit ways.
    client.send_raw("raw\nping").await.unwrap();
    for wanted in ["one", "two", "pong"] {
        assert_eq!(client.recv().await.unwrap(), wanted);
    }
    client.disconnect().await.unwrap();
    running.stop(LIMIT).await;
    let running = server.compatible().start(&net, running.endpoint()).await.unwrap();
    let options = ClientOptions::default().compatible();
    let mut client = Client::connect_with(&net, running.endpoint(), options).await.unwrap();
    client.send("inject\nping").await.unwrap();
    for wanted in ["one", "two", "pong"] {
        assert_eq!(client.recv().await.unwrap(), wanted);
    }
}

struct Injector;

impl oneline::Handler for Injector {
    async fn command(&mut self, command: oneline::Command<'_>, replies: &mut Replies<'_>) -> Result<(), HandlerError> {
        match command.text() {
            "raw" => replies.push_raw("one\ntwo")?,
            _ => replies.push("one\ntwo")?,
        }
        Ok(())
    }
}

/// With the original `\x80shut\xffdown` stops the server.
async fn d15_a_damaged_line_is_no_built_in_command() {
    for server in [mirror(), mirror().compatible()] {
        let (net, running) = serving(&server).await;
        let mut client = Raw::connect(&net, &running).await;
        for damaged in [
            &b"pi\xffng\n"[..],
            b"\x80shut\xffdown\n",
            b"dis\xc3connect\n",
            "pi\u{e9}ng\n".as_bytes(),
        ] {
            client.send(damaged).await;
            let reply = client.line().await.unwrap();
            assert!(reply.contains('"') && reply != "pong", "{reply}");
        }
        assert!(running.is_running());
    }
    let record = Record::default();
    let raw = record.clone();
    let server = Server::new(move |command| {
        raw.add(format!("{:?}", command.raw()));
        async {}
    });
    let (net, running) = serving(&server.compatible()).await;
    let mut client = Raw::connect(&net, &running).await;
    client.send(b"a\xff\nping\n").await;
    assert_eq!(client.line().await.unwrap(), "pong");
    assert_eq!(record.all(), ["[97, 255]"], "the bytes are at hand");
}

/// The original has no limits at all.
async fn d16_everything_has_a_limit() {
    let (net, running) = serving(&sample().max_line(100).idle_timeout(Duration::from_secs(20))).await;
    let mut client = Raw::connect(&net, &running).await;
    let reply = client.ask(&"x".repeat(101)).await.unwrap();
    assert_eq!(reply, "error: line too long: 101 bytes, the limit is 100");
    assert_eq!(client.line().await, None, "idle for too long");

    let mut slow = Raw::connect(&net, &running).await;
    slow.send("half a li").await;
    assert_eq!(slow.line().await, None, "a line that does not end");

    let listener = net.bind(&somewhere()).await.unwrap();
    let error = Client::connect(&net, listener.local()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout(TimeoutKind::Handshake));
}

/// With the original they surface in `connect`, as exceptions.
async fn d17_a_wrong_address_is_an_error_that_names_it() {
    let net = net();
    let error = connect(&net, &endpoint("tcp://no-such-host.invalid:5001"))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Resolve);
    assert!(error.to_string().contains("no-such-host.invalid:5001"), "{error}");
    assert!("tcp://127.0.0.1:port".parse::<oneline::Endpoint>().is_err());
}

/// The original reads each byte with a system call of its own.
async fn d18_one_read_and_one_write_for_a_batch() {
    let (net, counts) = counting::net();
    let running = sample().start(&net, &endpoint("tcp://127.0.0.1:0")).await.unwrap();
    let mut client = Raw::connect(&net, &running).await;
    assert_eq!(client.ask("cmd01").await.unwrap(), "ack");
    let before = (
        counts.reads.load(Ordering::SeqCst),
        counts.writes.load(Ordering::SeqCst),
    );
    client.send("cmd01\n".repeat(500)).await;
    for _ in 0..500 {
        assert_eq!(client.line().await.unwrap(), "ack");
    }
    // On this one thread the 3000 bytes are all there when the server looks.
    let reads = counts.reads.load(Ordering::SeqCst) - before.0;
    let writes = counts.writes.load(Ordering::SeqCst) - before.1;
    assert_eq!((reads, writes), (1, 1));
}

/// Defects 1, 2, 3, 8, 9 and 13 stay mended where the original's rules are kept.
async fn the_compatible_mode_keeps_the_mends() {
    let server = Server::new(async |command| if command.text() == "panic" { panic!("now") } else { "ok" });
    let server = server.compatible().admission(Admission::queue());
    let (net, running) = serving(&server).await;
    let mut first = Raw::connect(&net, &running).await;
    assert!(first.ask("panic").await.unwrap().starts_with("error"));
    assert_eq!(first.ask("ping\r").await.unwrap(), "ok", "CR belongs to the text");
    first.finish().await;
    assert_eq!(first.rest().await, "");
    let mut second = Raw::connect(&net, &running).await;
    assert_eq!(second.ask("ping").await.unwrap(), "pong");
    second.reset();
    let mut third = Raw::connect(&net, &running).await;
    third.send("shutdown\n").await;
    assert_eq!(third.line().await, None);
    assert_eq!(
        net.connect(running.endpoint()).await.unwrap_err().kind(),
        ErrorKind::Refused
    );
}
