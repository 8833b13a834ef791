//! The end of a server: by command, by the program, in order, by force; and its next start.

mod common;

use std::time::Duration;

use common::backend::{Backend, net, on_each_backend, running_on};
use common::{LIMIT, Raw, Record, connect, sample, serving, where_time_jumps};
use oneline::{Admission, ErrorKind, Server, StopReason};

on_each_backend!(
    an_idle_client_sees_the_end_at_once,
    shutdown_by_one_of_several_ends_all,
    shutdown_may_be_forbidden,
    all_who_wait_hear_of_the_end_and_a_second_stop_does_no_harm,
    dropping_the_handle_lets_the_server_run,
    a_server_starts_again_and_again,
);

where_time_jumps!(
    the_command_under_way_finishes_and_is_answered,
    what_takes_too_long_is_dropped_at_the_deadline,
    bytes_that_nobody_takes_are_counted,
    shutdown_by_command_is_bounded_too,
);

const SECOND: Duration = Duration::from_secs(1);

/// Takes as many seconds as the command says.
fn slow() -> Server {
    Server::new(async |command| {
        net().sleep(SECOND * command.text().parse().unwrap_or(0)).await;
        format!("{} s", command.text())
    })
}

async fn the_command_under_way_finishes_and_is_answered() {
    let (net, running) = serving(&slow()).await;
    let mut client = Raw::connect(&net, &running).await;
    client.send("3\n1\n").await;
    net.sleep(SECOND).await;
    let stopped = running.stop(SECOND * 10).await;
    assert_eq!(stopped.reason, StopReason::Stopped);
    assert_eq!(
        (
            stopped.report.finished,
            stopped.report.aborted,
            stopped.report.bytes_lost
        ),
        (1, 0, 0)
    );
    assert_eq!(client.rest().await, "3 s\n", "and nothing after it");
}

async fn what_takes_too_long_is_dropped_at_the_deadline() {
    let (net, running) = serving(&slow()).await;
    let mut client = Raw::connect(&net, &running).await;
    client.send("0\n3600\n").await;
    net.sleep(SECOND).await;
    let began = net.now();
    let stopped = running.stop(SECOND * 10).await;
    assert_eq!((net.now() - began).as_secs(), 10);
    assert_eq!((stopped.report.finished, stopped.report.aborted), (0, 1));
    assert_eq!(client.rest().await, "0 s\n");
}

async fn bytes_that_nobody_takes_are_counted() {
    let server = Server::new(async |_| "x".repeat(1 << 20)).write_timeout(SECOND * 1000);
    let (net, running) = serving(&server).await;
    let mut client = Raw::connect(&net, &running).await;
    client.send("big\n").await;
    net.sleep(SECOND).await;
    let stopped = running.stop(SECOND * 10).await;
    assert_eq!(stopped.report.aborted, 1);
    let taken = (1 << 20) + 1 - stopped.report.bytes_lost;
    match running_on() {
        Backend::JumpingTokio | Backend::JumpingMio => assert_eq!(taken, 64 * 1024, "what the pipe holds"),
        _ => assert_eq!(taken, 512 * 1024, "what the buffers of TCP hold"),
    }
}

async fn an_idle_client_sees_the_end_at_once() {
    let (net, running) = serving(&sample()).await;
    let mut client = Raw::connect(&net, &running).await;
    assert_eq!(client.ask("ping").await.unwrap(), "pong");
    let (stopped, end) = tokio::join!(running.stop(LIMIT), async {
        let end = client.line().await;
        drop(client);
        end
    });
    assert_eq!(end, None);
    assert_eq!((stopped.report.finished, stopped.report.aborted), (1, 0));
}

async fn shutdown_by_one_of_several_ends_all() {
    let record = Record::default();
    let (net, running) = serving(&record.server().admission(Admission::Concurrent { max: 8 })).await;
    let mut clients = Vec::new();
    for _ in 0..4 {
        let mut client = Raw::connect(&net, &running).await;
        assert_eq!(client.ask("here").await.unwrap(), "ok");
        clients.push(client);
    }
    clients[2].send("shutdown\n").await;
    for mut client in clients {
        assert_eq!(client.line().await, None);
    }
    let stopped = running.wait().await;
    assert_eq!(stopped.reason, StopReason::Command);
    assert_eq!(stopped.report.finished, 4);
    let ends: Vec<_> = record.all().into_iter().filter(|seen| seen.starts_with('-')).collect();
    assert_eq!(ends.iter().filter(|end| *end == "- it sent `shutdown`").count(), 1);
    assert_eq!(ends.iter().filter(|end| *end == "- the server stopped").count(), 3);
}

async fn shutdown_may_be_forbidden() {
    let record = Record::default();
    let (net, running) = serving(&record.server().allow_shutdown(false)).await;
    let mut client = Raw::connect(&net, &running).await;
    assert_eq!(client.ask("shutdown").await.unwrap(), "ok");
    assert_eq!(client.ask("ping").await.unwrap(), "pong");
    assert_eq!(record.all(), ["+", "shutdown"]);
}

async fn all_who_wait_hear_of_the_end_and_a_second_stop_does_no_harm() {
    let (_, running) = serving(&sample()).await;
    let (a, b, c) = tokio::join!(running.wait(), running.stop(LIMIT), running.stop(LIMIT));
    assert_eq!((&a, &b), (&b, &c));
    assert_eq!(running.stop(LIMIT).await, a);
    assert!(!running.is_running());
}

async fn dropping_the_handle_lets_the_server_run() {
    let server = sample();
    let (net, running) = serving(&server).await;
    let at = running.endpoint().clone();
    drop(running);
    let mut client = connect(&net, &at).await.unwrap();
    assert_eq!(client.request("cmd01").await.unwrap(), "ack");
    assert!(server.is_running());
    client.shutdown().await.unwrap();
    common::eventually(&net, || !server.is_running()).await;
}

async fn a_server_starts_again_and_again() {
    // The client that is still there at the end is not waited for.
    let server = sample().linger(Duration::from_millis(1));
    let (net, first) = serving(&server).await;
    let at = first.endpoint().clone();
    first.stop(LIMIT).await;
    for _ in 0..20 {
        let running = server.start(&net, &at).await.unwrap();
        assert_eq!(server.start(&net, &at).await.unwrap_err().kind(), ErrorKind::WrongState);
        let mut client = connect(&net, &at).await.unwrap();
        assert_eq!(client.request("cmd01").await.unwrap(), "ack");
        assert_eq!(running.stop(LIMIT).await.reason, StopReason::Stopped);
    }
}

/// A client that never takes its replies can't hold the end up.
async fn shutdown_by_command_is_bounded_too() {
    let server = slow().admission(Admission::Concurrent { max: 2 }).drain(SECOND * 7);
    let (net, running) = serving(&server).await;
    let mut hanging = Raw::connect(&net, &running).await;
    hanging.send("3600\n").await;
    net.sleep(SECOND).await;
    let mut client = Raw::connect(&net, &running).await;
    let began = net.now();
    client.send("shutdown\n").await;
    let stopped = running.wait().await;
    assert_eq!((net.now() - began).as_secs(), 7);
    assert_eq!((stopped.report.finished, stopped.report.aborted), (1, 1));
}
