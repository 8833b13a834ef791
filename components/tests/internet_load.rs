//! Connections in number and size: what the original loses or dies of.

mod net_common;

use std::time::Duration;

use bytes::Bytes;
use components::util::EchoProtocol;
use components::{
    Connected, Context, Inbox, Outbox, ServerCore, SimpleServer, SocketShutdown, System, TcpClient, from_fn,
};
use net_common::{Sides, on_both, on_os_within, on_simulated, pattern};
use sim_io::network::Link;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// A server's handler queues this much and ends; a client reads slowly; whether all of it came, so many times.
async fn queue_and_finish(sides: Sides, times: usize, size: usize, pause: Duration) {
    let system = System::new(&sides.server);
    let data = Bytes::from(pattern(size));
    let to_send = data.clone();
    let server = ServerCore::bind(&system, &sides.listen, move |_: &Connected| {
        let data = to_send.clone();
        from_fn(
            "Sender",
            |_: Inbox<Bytes>, mut outbox: Outbox<Bytes>, _: Context| async move {
                for part in data.chunks(100_000) {
                    outbox.send(data.slice_ref(part)).await?;
                }
                Ok(())
            },
        )
    })
    .await
    .unwrap();
    let at = sides.reach(server.local());
    let server = system.activate(server).unwrap();
    let mut part = vec![0; 60_000];
    for _ in 0..times {
        let mut client = sides.client.connect(&at).await.unwrap();
        let mut got = 0;
        loop {
            let count = client.read(&mut part).await.unwrap();
            if count == 0 {
                break;
            }
            assert!(data[got..got + count] == part[..count], "at {got}");
            got += count;
            if pause.is_zero() {
                tokio::task::yield_now().await;
            } else {
                sides.client.sleep(pause).await;
            }
        }
        assert_eq!(got, size);
    }
    server.finish();
    assert!(server.await.reason.is_clean());
}

/// Longer than any machine should take for five gigabytes: only against hanging.
const LIMIT: Duration = Duration::from_secs(1800);

#[test]
fn d01_fifty_megabytes_then_producer_finished_arrive_whole_a_hundred_times() {
    on_os_within(LIMIT, |sides| queue_and_finish(sides, 100, 50_000_000, Duration::ZERO));
}

#[test]
fn d01_a_hundred_of_a_hundred_arrive_whole_over_a_bad_link() {
    for seed in 0..100 {
        let link = Link::default()
            .latency(Duration::from_millis(20))
            .jitter(Duration::from_millis(10))
            .loss(0.01);
        on_simulated(seed, link, |sides| {
            // The reader's pauses are longer than the time to live of a silent connection would be in all.
            queue_and_finish(sides, 1, 250_000, Duration::from_secs(1))
        });
    }
}

/// How many connections with both ends in this process its descriptors allow.
fn allowed() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits.lines().find(|line| line.starts_with("Max open files"));
    let soft = line.and_then(|line| line.split_whitespace().nth(3)?.parse::<usize>().ok());
    soft.unwrap_or(1024).saturating_sub(200) / 2
}

#[test]
fn d05_ten_thousand_connections() {
    let test = |sides: Sides| async move {
        let many = if sides.is_simulated() {
            10_000
        } else {
            allowed().min(10_000)
        };
        let system = System::new(&sides.server);
        let server = SimpleServer::bind(&system, &sides.listen, EchoProtocol::new)
            .await
            .unwrap();
        let at = sides.reach(server.local());
        let server = system.activate(server).unwrap();
        let mut clients = Vec::new();
        for n in 0..many {
            let mut client = sides.client.connect(&at).await.unwrap();
            client.write_all(&n.to_be_bytes()).await.unwrap();
            clients.push(client);
        }
        for (n, client) in clients.iter_mut().enumerate() {
            let mut back = [0; size_of::<usize>()];
            client.read_exact(&mut back).await.unwrap();
            assert_eq!(usize::from_be_bytes(back), n);
        }
        // All of them are here at once.
        assert_eq!(system.counts().started - system.counts().ended, 2 + 2 * many as u64);
        drop(clients);
        server.finish();
        assert!(server.await.reason.is_clean());
        assert_eq!(system.counts().started, system.counts().ended);
    };
    on_both(test);
}

#[test]
fn d07_connecting_in_vain_ends_after_the_limit() {
    let link = Link::default().loss(1.0);
    on_simulated(1, link, |sides| async move {
        let system = System::new(&sides.client);
        let client = TcpClient::new("tcp://server:1".parse().unwrap()).connect_timeout(Duration::from_secs(7));
        let mut client = system.activate_with_handle(client).unwrap();
        let before = sides.client.now();
        let signal = client.signal.recv().await.unwrap();
        let end = SocketShutdown::of(&signal).unwrap();
        assert!(matches!(end.how, components::HowDied::ConnectTimeout(_)), "{end}");
        assert_eq!(sides.client.now() - before, Duration::from_secs(7));
    });
}
