//! What becomes of a client that comes while another is served.

mod common;

use std::time::Duration;

use common::backend::{net, on_each_backend};
use common::{LIMIT, Raw, Record, connect, eventually, sample, serving, where_time_jumps};
use oneline::net_core::TimeoutKind;
use oneline::{Admission, ErrorKind, Server};

on_each_backend!(
    a_queue_serves_each_in_turn,
    what_a_queued_client_sent_is_run_even_if_it_has_gone,
    a_rejected_client_gets_a_line_and_the_end,
    a_rejected_client_that_only_sends_holds_nobody_up,
    a_rejection_line_that_looks_like_admission_is_refused,
    the_newcomer_takes_over,
    several_clients_at_once,
    a_client_that_does_not_close_holds_nobody_up,
);

where_time_jumps!(a_full_queue_lets_nobody_connect, a_taken_over_client_has_its_grace_time,);

async fn a_queue_serves_each_in_turn() {
    let record = Record::default();
    let (net, running) = serving(&record.server()).await;
    let mut first = Raw::connect(&net, &running).await;
    assert_eq!(first.ask("1").await.unwrap(), "ok");
    let mut others = Vec::new();
    for number in 2..=4 {
        let mut other = Raw::connect(&net, &running).await;
        other.send(format!("{number}\n")).await;
        others.push(other);
    }
    assert_eq!(first.ask("1").await.unwrap(), "ok");
    first.send("disconnect\n").await;
    for mut other in others {
        assert_eq!(other.line().await.unwrap(), "ok");
        other.finish().await;
    }
    eventually(&net, || record.all().len() == 13).await;
    let commands: Vec<_> = record
        .all()
        .into_iter()
        .filter(|seen| !seen.starts_with(['+', '-']))
        .collect();
    assert_eq!(commands, ["1", "1", "2", "3", "4"]);
}

async fn what_a_queued_client_sent_is_run_even_if_it_has_gone() {
    let record = Record::default();
    let (net, running) = serving(&record.server()).await;
    let mut first = Raw::connect(&net, &running).await;
    assert_eq!(first.ask("first").await.unwrap(), "ok");
    let mut impatient = Raw::connect(&net, &running).await;
    impatient.send("left behind\n").await;
    impatient.finish().await;
    drop(impatient);
    first.send("disconnect\n").await;
    record.wait_for(&net, "left behind").await;
    assert_eq!(Raw::connect(&net, &running).await.ask("next").await.unwrap(), "ok");
}

/// The backlog is the queue: with room for one or two, a further connection waits as long as its own limit.
async fn a_full_queue_lets_nobody_connect() {
    let (net, running) = serving(&sample().admission(Admission::Queue { max: 2 })).await;
    let mut first = Raw::connect(&net, &running).await;
    assert_eq!(first.ask("ping").await.unwrap(), "pong");
    let mut waiting = Vec::new();
    let error = loop {
        match net.connect(running.endpoint()).await {
            Ok(stream) => waiting.push(stream),
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), ErrorKind::Timeout(TimeoutKind::Connect));
    // TCP has room for one more than it was told.
    assert!((2..=3).contains(&waiting.len()), "{}", waiting.len());
}

async fn a_rejected_client_gets_a_line_and_the_end() {
    let (net, running) = serving(&sample().admission(Admission::reject())).await;
    let mut first = Raw::connect(&net, &running).await;
    assert_eq!(first.ask("ping").await.unwrap(), "pong");
    let mut second = Raw::connect(&net, &running).await;
    assert_eq!(second.rest().await, "error: busy, another client is connected\n");
    let error = connect(&net, running.endpoint()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert!(
        error.to_string().contains("busy, another client is connected"),
        "{error}"
    );
    assert_eq!(first.ask("cmd01").await.unwrap(), "ack", "the first is not disturbed");
    first.send("disconnect\n").await;
    assert_eq!(first.line().await, None);
    drop(first);
    let mut third = Raw::connect(&net, &running).await;
    let mut reply = third.ask("ping").await;
    while reply.as_deref() != Some("pong") {
        // The place is free a moment after the first has seen its end.
        third = Raw::connect(&net, &running).await;
        reply = third.ask("ping").await;
    }
}

async fn a_rejected_client_that_only_sends_holds_nobody_up() {
    let (net, running) = serving(&sample().admission(Admission::reject())).await;
    let mut first = Raw::connect(&net, &running).await;
    assert_eq!(first.ask("ping").await.unwrap(), "pong");
    let mut silent = Vec::new();
    for _ in 0..400 {
        silent.push(Raw::connect(&net, &running).await);
    }
    assert_eq!(first.ask("cmd01").await.unwrap(), "ack");
    // Whether told or, beyond the limit of those that are told at once, only closed: each sees its end.
    for client in &mut silent {
        let rest = client.rest().await;
        assert!(rest.is_empty() || rest.starts_with("error: busy"), "{rest}");
    }
}

async fn a_rejection_line_that_looks_like_admission_is_refused() {
    for (line, why) in [("pong", "taken for admission"), ("a\nb", "one line")] {
        let server = sample().admission(Admission::Reject { line: line.to_owned() });
        let error = server.start(&net(), &common::endpoint("mem:x")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.to_string().contains(why), "{error}");
    }
}

async fn the_newcomer_takes_over() {
    let record = Record::default();
    let (net, running) = serving(&record.server().admission(Admission::Takeover)).await;
    let mut first = Raw::connect(&net, &running).await;
    assert_eq!(first.ask("1").await.unwrap(), "ok");
    let mut second = Raw::connect(&net, &running).await;
    assert_eq!(second.ask("2").await.unwrap(), "ok");
    assert_eq!(first.line().await, None);
    assert_eq!(second.ask("2").await.unwrap(), "ok");
    let seen = ["+", "1", "- another client took its place", "+", "2", "2"];
    assert_eq!(record.all(), seen, "never two at a time");
}

/// The command under way finishes, and its reply is sent; one that takes too long is dropped.
async fn a_taken_over_client_has_its_grace_time() {
    let server = Server::new(async |command| {
        let seconds: u64 = command.text().parse().unwrap_or(0);
        pause(Duration::from_secs(seconds)).await;
        "done"
    });
    let (net, running) = serving(
        &server
            .admission(Admission::Takeover)
            .takeover_grace(Duration::from_secs(10)),
    )
    .await;
    let mut first = Raw::connect(&net, &running).await;
    first.send("5\n5\n").await;
    net.sleep(Duration::from_secs(1)).await;
    let mut second = Raw::connect(&net, &running).await;
    second.send("3600\n").await;
    assert_eq!(first.rest().await, "done\n", "the command under way, and no other");
    net.sleep(Duration::from_secs(1)).await;
    let mut third = Raw::connect(&net, &running).await;
    assert_eq!(third.ask("0").await.unwrap(), "done");
    assert_eq!(second.rest().await, "");
}

/// A handler's own wait, on the network's clock.
async fn pause(duration: Duration) {
    net().sleep(duration).await;
}

async fn several_clients_at_once() {
    let (net, running) = serving(&sample().admission(Admission::Concurrent { max: 3 })).await;
    let mut clients = Vec::new();
    for _ in 0..3 {
        clients.push(connect(&net, running.endpoint()).await.unwrap());
    }
    let mut fourth = Raw::connect(&net, &running).await;
    fourth.send("cmd01\n").await;
    for client in &mut clients {
        assert_eq!(client.request("cmd01").await.unwrap(), "ack");
    }
    assert_eq!(running.clients(), 3, "the fourth waits");
    clients[1].disconnect().await.unwrap();
    assert_eq!(fourth.line().await.unwrap(), "ack");
    for client in [0, 2] {
        assert_eq!(clients[client].request("junk").await.unwrap(), "nak - unknown cmd");
    }
}

/// The next client's turn comes although the one before never closes its side.
async fn a_client_that_does_not_close_holds_nobody_up() {
    let (net, running) = serving(&sample().linger(LIMIT * 10)).await;
    let mut first = Raw::connect(&net, &running).await;
    first.send("disconnect\n").await;
    assert_eq!(first.line().await, None);
    assert_eq!(Raw::connect(&net, &running).await.ask("ping").await.unwrap(), "pong");
    drop(first);
}
