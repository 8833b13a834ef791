//! Clients that break off, dawdle, flood and crowd; handlers that panic: the server goes on.

mod common;

use std::time::Duration;

use common::backend::{net, on_backend, on_each_backend, where_nothing_is_lost};
use common::{LIMIT, Raw, Record, connect, endpoint, eventually, sample, serving, where_time_jumps};
use oneline::{Admission, ErrorKind, Net, Running, Server};

on_each_backend!(
    an_end_without_disconnect_at_any_moment,
    a_port_in_use,
    handlers_that_panic_or_fail_again_and_again,
    hooks_that_panic_end_their_client_alone,
);

where_nothing_is_lost!(ten_thousand_connects, a_reset_at_any_moment_ends_that_client_alone,);

/// Simulated hosts have no folders.
mod files {
    super::on_backend!(tokio Tokio, a_folder_that_is_not_there);
    super::on_backend!(reactor Mio, a_folder_that_is_not_there);
}

where_time_jumps!(
    half_a_line_then_silence,
    a_flood_from_a_client_that_never_reads,
    a_client_that_leaves_while_its_command_waits,
);

async fn alive(net: &Net, running: &Running) {
    let mut client = Raw::connect(net, running).await;
    assert_eq!(client.ask("ping").await.unwrap(), "pong");
    client.send("disconnect\n").await;
    assert_eq!(client.line().await, None);
}

async fn a_reset_at_any_moment_ends_that_client_alone() {
    let record = Record::default();
    let (net, running) = serving(&record.server()).await;
    for said in ["", "half a li", "whole\n", "one\ntwo\nthree\nhalf"] {
        let mut client = Raw::connect(&net, &running).await;
        client.send(said).await;
        client.reset();
        alive(&net, &running).await;
    }
    assert!(
        !record.all().iter().any(|seen| seen.starts_with("half")),
        "{:?}",
        record.all()
    );
}

async fn an_end_without_disconnect_at_any_moment() {
    let record = Record::default();
    let (net, running) = serving(&record.server()).await;
    for (said, wanted) in [
        ("", ""),
        ("half a li", ""),
        ("whole\n", "ok\n"),
        ("a\nb\nhalf", "ok\nok\n"),
    ] {
        let mut client = Raw::connect(&net, &running).await;
        client.send(said).await;
        client.finish().await;
        assert_eq!(client.rest().await, wanted);
        alive(&net, &running).await;
    }
    assert!(!record.all().iter().any(|seen| seen.starts_with("half")));
    let truncated = record
        .all()
        .into_iter()
        .filter(|seen| seen.contains("unfinished frame"))
        .count();
    assert_eq!(truncated, 2, "the handler hears of each half line: {:?}", record.all());
}

async fn half_a_line_then_silence() {
    let record = Record::default();
    let (net, running) = serving(&record.server()).await;
    let mut client = Raw::connect(&net, &running).await;
    client.send("shutdo").await;
    let mut next = Raw::connect(&net, &running).await;
    next.send("next\n").await;
    assert_eq!(client.line().await, None, "cut off at the line's time limit");
    assert_eq!(next.line().await.unwrap(), "ok");
    assert!(running.is_running());
}

async fn a_flood_from_a_client_that_never_reads() {
    let (net, running) = serving(&sample()).await;
    let mut flood = net.connect(running.endpoint()).await.unwrap();
    let lines = "cmd01\n".repeat(10_000);
    let mut rounds = 0;
    // Whether it waits or fails in the end, it gets no more through than the buffers on its way hold.
    while let Ok(Ok(())) = net
        .timeout(
            Duration::from_secs(3600),
            tokio::io::AsyncWriteExt::write_all(&mut flood, lines.as_bytes()),
        )
        .await
    {
        rounds += 1;
        assert!(rounds < 100, "the server takes without end");
    }
    alive(&net, &running).await;
}

async fn ten_thousand_connects() {
    let (net, running) = serving(&sample().admission(Admission::Concurrent { max: 64 })).await;
    let server = running.endpoint().clone();
    let mut tasks = Vec::new();
    for _ in 0..50 {
        let (net, server) = (net.clone(), server.clone());
        let task = net.clone().spawn(async move {
            for round in 0..200 {
                let mut client = Raw::to(&net, &server).await;
                match round % 4 {
                    0 => drop(client),
                    1 => client.reset(),
                    2 => {
                        assert_eq!(client.ask("ping").await.unwrap(), "pong");
                        client.reset();
                    }
                    _ => {
                        assert_eq!(client.ask("cmd01").await.unwrap(), "ack");
                        client.finish().await;
                        assert_eq!(client.line().await, None);
                    }
                }
            }
        });
        tasks.push(task.unwrap());
    }
    for task in tasks {
        task.await.unwrap();
    }
    alive(&net, &running).await;
    eventually(&net, || net.stats().open() == 0).await;
    assert!(net.stats().opened >= 2 * 10_000);
}

async fn a_port_in_use() {
    let (net, running) = serving(&sample()).await;
    let error = sample().start(&net, running.endpoint()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AddrInUse);
    alive(&net, &running).await;
}

async fn a_folder_that_is_not_there() {
    let at = endpoint("unix:/no/such/folder/s");
    let error = sample().start(&net(), &at).await.unwrap_err();
    assert!(error.to_string().contains("unix:/no/such/folder/s"), "{error}");
}

async fn handlers_that_panic_or_fail_again_and_again() {
    let server = Server::with_handler(|| Fragile(0));
    let (net, running) = serving(&server).await;
    let mut client = connect(&net, running.endpoint()).await.unwrap();
    for round in 0..100 {
        assert_eq!(
            client.request("panic").await.unwrap(),
            "error: internal error, see the server's log"
        );
        assert_eq!(
            client.request("late").await.unwrap(),
            "error: internal error, see the server's log"
        );
        assert_eq!(client.request("fail").await.unwrap(), "error: round failed");
        // What was answered before stays, and so does the handler's state.
        client.send("half").await.unwrap();
        assert_eq!(client.recv().await.unwrap(), "first");
        assert!(client.recv().await.unwrap().text().starts_with("error: "));
        assert_eq!(
            client.request("count").await.unwrap(),
            (round * 5 + 5).to_string().as_str()
        );
    }
}

struct Fragile(u32);

impl oneline::Handler for Fragile {
    async fn command(
        &mut self,
        command: oneline::Command<'_>,
        replies: &mut oneline::Replies<'_>,
    ) -> Result<(), oneline::HandlerError> {
        self.0 += 1;
        match command.text() {
            "panic" => panic!("at once"),
            "late" => {
                net().sleep(Duration::from_micros(1)).await;
                panic!("after a while");
            }
            "fail" => Err("round failed".into()),
            "half" => {
                replies.push("first")?;
                panic!("in the middle");
            }
            _ => Ok(replies.push(self.0.to_string())?),
        }
    }
}

async fn hooks_that_panic_end_their_client_alone() {
    let server = Server::with_handler(|| Hooks);
    let (net, running) = serving(&server).await;
    assert_eq!(Raw::connect(&net, &running).await.line().await, None);
    assert_eq!(Raw::connect(&net, &running).await.line().await, None);
    assert!(running.is_running());
    assert_eq!(running.stop(LIMIT).await.report.aborted, 0);
}

struct Hooks;

impl oneline::Handler for Hooks {
    async fn command(
        &mut self,
        _: oneline::Command<'_>,
        _: &mut oneline::Replies<'_>,
    ) -> Result<(), oneline::HandlerError> {
        Ok(())
    }

    fn connected(&mut self, _: &oneline::Peer) {
        panic!("in a hook");
    }
}

/// The client is gone while its command waits: the next one's turn comes when the command is done.
async fn a_client_that_leaves_while_its_command_waits() {
    let server = Server::new(async |_| {
        net().sleep(Duration::from_secs(10)).await;
        "done"
    });
    let (net, running) = serving(&server).await;
    let mut client = Raw::connect(&net, &running).await;
    client.send("slow\n").await;
    net.sleep(Duration::from_secs(1)).await;
    client.reset();
    alive(&net, &running).await;
}
