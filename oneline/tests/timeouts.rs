//! An hour of timeouts: every limit that there is runs out, again and again, and what it is to end is ended, while what it
//! is not to touch goes on.

mod common;

use std::time::Duration;

use common::backend::net;
use common::{Raw, connect, sample, serving, somewhere, where_time_jumps};
use oneline::net_core::{BindOptions, ConnectOptions, SocketOptions, TimeoutKind};
use oneline::{Admission, Client, ClientOptions, ErrorKind, Net, Running, Server};

where_time_jumps!(
    an_hour_of_silent_and_dripping_clients,
    an_hour_of_commands_that_take_too_long,
    an_hour_of_servers_that_do_not_answer,
);

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);

async fn alive(net: &Net, running: &Running) {
    let mut client = connect(net, running.endpoint()).await.unwrap();
    assert_eq!(client.request("cmd01").await.unwrap(), "ack");
    client.disconnect().await.unwrap();
}

/// The idle time and the time for a line, of a server that serves one at a time.
async fn an_hour_of_silent_and_dripping_clients() {
    let server = sample().idle_timeout(SECOND * 20).line_timeout(SECOND * 10);
    let (net, running) = serving(&server).await;
    let began = net.now();
    let mut rounds = 0;
    while net.now() - began < HOUR {
        let mut silent = Raw::connect(&net, &running).await;
        assert_eq!(silent.ask("ping").await.unwrap(), "pong");
        let at = net.now();
        assert_eq!(silent.line().await, None);
        assert!(net.now() - at >= SECOND * 19, "{:?}", net.now() - at);

        let mut dripping = Raw::connect(&net, &running).await;
        assert_eq!(dripping.ask("ping").await.unwrap(), "pong");
        let at = net.now();
        dripping.send("half a li").await;
        assert_eq!(dripping.line().await, None);
        assert!(net.now() - at >= SECOND * 9, "{:?}", net.now() - at);

        alive(&net, &running).await;
        rounds += 1;
    }
    assert!((100..=120).contains(&rounds), "{rounds}");
    assert!(running.is_running());
}

/// The time for a command, and a client's own for a reply.
async fn an_hour_of_commands_that_take_too_long() {
    let server = Server::new(async |command| {
        let seconds = command.text().parse().unwrap_or(0);
        net().sleep(SECOND * seconds).await;
        "done"
    });
    let server = server
        .handler_timeout(SECOND * 15)
        .admission(Admission::Concurrent { max: 2 });
    let (net, running) = serving(&server).await;
    let began = net.now();
    let mut patient = connect(&net, running.endpoint()).await.unwrap();
    let options = ClientOptions::default().reply_timeout(SECOND * 5);
    let mut hasty = Client::connect_with(&net, running.endpoint(), options).await.unwrap();
    let mut rounds = 0;
    while net.now() - began < HOUR {
        let reply = patient.request("3600").await.unwrap();
        assert_eq!(reply, "error: the command took longer than 15s");
        assert_eq!(patient.request("10").await.unwrap(), "done");

        let late = hasty.request("8").await.unwrap_err();
        assert_eq!(late.kind(), ErrorKind::Timeout(TimeoutKind::Request));
        net.sleep(SECOND * 5).await;
        assert_eq!(hasty.resync().await.unwrap(), ["done"]);
        assert_eq!(hasty.request("1").await.unwrap(), "done");
        rounds += 1;
    }
    assert!((80..=110).contains(&rounds), "{rounds}");
}

/// The times for connecting and for the first `pong`.
async fn an_hour_of_servers_that_do_not_answer() {
    let net = net();
    let began = net.now();
    let options = BindOptions::default().socket(SocketOptions::default().backlog(1));
    let mute = net.bind_with(&somewhere(), &options).await.unwrap();
    let mut rounds = 0;
    let mut kinds = Vec::new();
    while net.now() - began < HOUR {
        let connect = ConnectOptions::default().timeout(SECOND * 30);
        let options = ClientOptions::default().connect(connect).handshake_timeout(SECOND * 10);
        // As long as the backlog has room it is the handshake that gets no answer.
        let error = Client::connect_with(&net, mute.local(), options).await.unwrap_err();
        kinds.push(error.kind());
        rounds += 1;
    }
    assert!((115..=130).contains(&rounds), "{rounds}");
    assert_eq!(kinds[0], ErrorKind::Timeout(TimeoutKind::Handshake));
    assert_eq!(kinds.last(), Some(&ErrorKind::Timeout(TimeoutKind::Connect)));
    assert_eq!(net.stats().open(), 0);
}
