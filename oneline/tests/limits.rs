//! Limits: of lines, replies, silence, slowness, and of the time that a command takes.

mod common;

use std::time::Duration;

use common::backend::{Backend, net, on_each_backend, running_on};
use common::{LIMIT, Raw, Record, connect, sample, serving, where_time_jumps};
use oneline::net_core::{FramedLimits, TimeoutKind};
use oneline::{ErrorKind, Fault, LongLine, Server};

on_each_backend!(
    a_line_up_to_the_limit_is_a_command_and_a_longer_one_an_error,
    the_default_limit_of_a_line_is_64_kib,
    a_too_long_line_may_end_the_connection,
    a_too_long_reply_is_an_error_of_its_command,
    error_replies_are_as_one_likes,
);

where_time_jumps!(
    an_idle_client_is_closed_a_busy_one_is_not,
    without_an_idle_limit_a_silent_client_stays,
    a_line_that_drips_is_cut_off,
    a_client_that_never_reads_is_closed_after_the_write_timeout,
    replies_to_one_command_are_bounded,
    a_command_may_have_a_time_limit,
);

const SECOND: Duration = Duration::from_secs(1);

async fn a_line_up_to_the_limit_is_a_command_and_a_longer_one_an_error() {
    let record = Record::default();
    let (net, running) = serving(&record.server().max_line(10)).await;
    let mut client = Raw::connect(&net, &running).await;
    assert_eq!(client.ask("0123456789").await.unwrap(), "ok");
    assert_eq!(
        client.ask("0123456789\r").await.unwrap(),
        "ok",
        "a CR of the terminator does not count"
    );
    assert_eq!(
        client.ask("0123456789a").await.unwrap(),
        "error: line too long: 11 bytes, the limit is 10"
    );
    client.send("x".repeat(100_000)).await;
    client.send("\nping\n").await;
    assert_eq!(
        client.line().await.unwrap(),
        "error: line too long: 100000 bytes, the limit is 10"
    );
    assert_eq!(client.line().await.unwrap(), "pong");
    assert_eq!(
        record.all(),
        ["+", "0123456789", "0123456789"],
        "no part of it ever is a command"
    );
}

async fn the_default_limit_of_a_line_is_64_kib() {
    let (net, running) = serving(&sample()).await;
    let mut client = Raw::connect(&net, &running).await;
    assert_eq!(client.ask(&"x".repeat(65_536)).await.unwrap(), "nak - unknown cmd");
    assert!(
        client
            .ask(&"x".repeat(65_537))
            .await
            .unwrap()
            .starts_with("error: line too long")
    );
}

async fn a_too_long_line_may_end_the_connection() {
    let (net, running) = serving(&sample().max_line(10).long_line(LongLine::Close)).await;
    let mut client = Raw::connect(&net, &running).await;
    client.send("0123456789abc\nping\n").await;
    assert_eq!(client.rest().await, "error: line too long: 13 bytes, the limit is 10\n");
    assert_eq!(Raw::connect(&net, &running).await.ask("ping").await.unwrap(), "pong");
}

async fn a_too_long_reply_is_an_error_of_its_command() {
    let server = Server::new(async |command| "x".repeat(command.text().parse().unwrap_or(0)));
    let (net, running) = serving(&server.max_reply(1000)).await;
    let mut client = Raw::connect(&net, &running).await;
    assert_eq!(client.ask("1000").await.unwrap().len(), 1000);
    assert!(
        client
            .ask("1001")
            .await
            .unwrap()
            .contains("1001 bytes to send, the limit is 1000")
    );
}

async fn an_idle_client_is_closed_a_busy_one_is_not() {
    let record = Record::default();
    let (net, running) = serving(&record.server().idle_timeout(SECOND * 10)).await;
    let mut client = Raw::connect(&net, &running).await;
    for _ in 0..5 {
        net.sleep(SECOND * 9).await;
        assert_eq!(client.ask("busy").await.unwrap(), "ok");
    }
    assert_eq!(client.line().await, None);
    let seen = record.all();
    let last = seen.last().unwrap();
    assert!(last.starts_with("- ") && last.contains("after 10s"), "{last}");
}

async fn without_an_idle_limit_a_silent_client_stays() {
    let (net, running) = serving(&sample()).await;
    let mut client = Raw::connect(&net, &running).await;
    net.sleep(Duration::from_secs(1_000_000)).await;
    assert_eq!(client.ask("ping").await.unwrap(), "pong");
}

async fn a_line_that_drips_is_cut_off() {
    let record = Record::default();
    let (net, running) = serving(&record.server().line_timeout(SECOND * 5)).await;
    let mut client = Raw::connect(&net, &running).await;
    for _ in 0..4 {
        client.send("x").await;
        net.sleep(SECOND).await;
    }
    client.send("\n").await;
    assert_eq!(client.line().await.unwrap(), "ok");
    for _ in 0..4 {
        client.send("x").await;
        net.sleep(SECOND).await;
    }
    net.sleep(SECOND * 2).await;
    assert_eq!(client.line().await, None);
    let seen = record.all();
    assert_eq!(seen[1], "xxxx");
    assert!(seen[2].starts_with("- ") && seen.len() == 3, "{seen:?}");
}

/// A client that sends and never reads: reading from it pauses, memory stays bounded, it is given up in the end.
async fn a_client_that_never_reads_is_closed_after_the_write_timeout() {
    let record = Record::default();
    let seen = record.clone();
    let big = "x".repeat(1000);
    let server = Server::with_handler(move || Big(big.clone(), seen.clone())).write_timeout(SECOND * 7);
    let (net, running) = serving(&server).await;
    let stream = net.connect(running.endpoint()).await.unwrap();
    let (reading, mut writing) = tokio::io::split(stream);
    let began = net.now();
    let mut sent = 0;
    let line = "x\n".repeat(1000);
    while net
        .timeout(
            LIMIT,
            tokio::io::AsyncWriteExt::write_all(&mut writing, line.as_bytes()),
        )
        .await
        .unwrap()
        .is_ok()
    {
        sent += 1;
    }
    assert!(sent < 1000, "it was slowed down");
    let took = (net.now() - began).as_secs();
    match running_on() {
        // The buffers fill slowly there, and the news of the end may be lost and asked for again.
        Backend::BadLink => assert!((7..60).contains(&took), "{took}"),
        _ => assert_eq!(took, 7),
    }
    assert_eq!(
        record.all(),
        ["write: took nothing"],
        "the handler was told nothing else"
    );
    assert!(net.stats().read_pauses > 0);
    assert_eq!(Raw::connect(&net, &running).await.ask("ping").await.unwrap(), "pong");
    drop(reading);
}

struct Big(String, Record);

impl oneline::Handler for Big {
    async fn command(
        &mut self,
        _: oneline::Command<'_>,
        replies: &mut oneline::Replies<'_>,
    ) -> Result<(), oneline::HandlerError> {
        Ok(replies.send(&self.0).await?)
    }

    fn disconnected(&mut self, end: &oneline::End) {
        let oneline::End::Failed(error) = end else { return };
        if error.kind() == ErrorKind::Timeout(TimeoutKind::Write) {
            self.1.add("write: took nothing");
        }
    }
}

/// One command with replies without end: `push` has a limit, `send` waits.
async fn replies_to_one_command_are_bounded() {
    let server = Server::with_handler(|| Endless).limits(FramedLimits::default().max_output(100_000));
    let (net, running) = serving(&server).await;
    let mut client = Raw::connect(&net, &running).await;
    client.send("go\n").await;
    let mut lines = 0;
    let last = loop {
        match client.line().await.unwrap() {
            line if line.starts_with("count") => break line,
            _ => lines += 1,
        }
    };
    assert!((10..=101).contains(&lines), "{lines}");
    assert_eq!(last, format!("count {lines}"));
}

struct Endless;

impl oneline::Handler for Endless {
    async fn command(
        &mut self,
        _: oneline::Command<'_>,
        replies: &mut oneline::Replies<'_>,
    ) -> Result<(), oneline::HandlerError> {
        let line = "x".repeat(1000);
        let error = loop {
            if let Err(error) = replies.push(&line) {
                break error;
            }
        };
        assert_eq!(error.kind(), ErrorKind::Limit);
        let count = replies.count();
        Ok(replies.send(format!("count {count}")).await?)
    }
}

async fn a_command_may_have_a_time_limit() {
    let server = Server::new(async |command| {
        net().sleep(SECOND * command.text().parse().unwrap_or(0)).await;
        "done"
    });
    let (net, running) = serving(&server.handler_timeout(SECOND * 10)).await;
    let mut client = Raw::connect(&net, &running).await;
    client.send("9\n11\n0\n").await;
    assert_eq!(client.line().await.unwrap(), "done");
    assert_eq!(client.line().await.unwrap(), "error: the command took longer than 10s");
    assert_eq!(client.line().await.unwrap(), "done");
}

async fn error_replies_are_as_one_likes() {
    let server = Server::new(async |command| match command.text() {
        "panic" => panic!("told to the server only"),
        "lines" => Err("one\r\ntwo\0"),
        "quiet" => Err("quiet"),
        _ => Ok("ok"),
    });
    let server = server.max_line(10).fault_reply(|fault| match fault {
        Fault::TooLong { limit, .. } => Some(format!("ERR at most {limit}")),
        Fault::Failed(error) if error.to_string() == "quiet" => None,
        Fault::Failed(error) => Some(format!("ERR {error}")),
        Fault::Panicked(message) => Some(format!("ERR {}", message.contains("server only"))),
        _ => None,
    });
    let (net, running) = serving(&server).await;
    let mut client = connect(&net, running.endpoint()).await.unwrap();
    assert_eq!(client.request("panic").await.unwrap(), "ERR true");
    assert_eq!(client.request("lines").await.unwrap(), "ERR one  two ");
    assert_eq!(client.request("far too long").await.unwrap(), "ERR at most 10");
    assert!(client.collect("quiet").await.unwrap().is_empty());
}
