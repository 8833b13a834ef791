//! What goes wrong: partitions, holds, crashes, dead peers.

mod network_common;

use std::io;
use std::time::Duration;

use net_core::{ConnectOptions, ErrorKind, Instant, Keepalive, SocketOptions};
use network_common::{Pair, ms};
use sim_io::network::TcpSettings;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[test]
fn connecting_through_a_partition_times_out() {
    let pair = Pair::new(1, ms(10));
    pair.network.partition(&pair.client, &pair.server);
    let client = pair.client.net();
    pair.run(async move {
        let endless = ConnectOptions::default().timeout(Duration::from_secs(3600));
        let error = client
            .connect_with(&"tcp://server:1".parse()?, &endless)
            .await
            .unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Timeout(_)));
        // 1 + 2 + 4 + ... + 64 seconds, as on Linux.
        assert_eq!(client.now(), Instant::ZERO + Duration::from_secs(127));
        Ok(())
    });
    assert_eq!(pair.env.peek(), None);
}

#[test]
fn a_healed_partition_delays_a_stream() {
    let pair = Pair::new(1, ms(10));
    let (mut near, mut far) = pair.connected();
    let (network, a, b) = (pair.network.clone(), pair.client.clone(), pair.server.clone());
    pair.run(async move {
        let net = near.net();
        network.partition(&a, &b);
        near.write_all(b"late").await?;
        let start = net.now();
        net.sleep(ms(500)).await;
        network.heal(&a, &b);
        let mut data = [0; 4];
        far.read_exact(&mut data).await?;
        // Sent again after 200 ms, and 400 ms after that.
        assert_eq!(net.now() - start, ms(200 + 400 + 10));
        Ok(())
    });
}

#[test]
fn a_lasting_partition_ends_a_connection_with_unacknowledged_data() {
    for one_way in [false, true] {
        let pair = Pair::new(1, ms(10));
        pair.network
            .set_tcp(TcpSettings::default().give_up(Duration::from_secs(60)));
        let (mut near, mut far) = pair.connected();
        if one_way {
            // The data arrive, their acknowledgement does not.
            pair.network.partition_one_way(&pair.server, &pair.client);
        } else {
            pair.network.partition(&pair.client, &pair.server);
        }
        pair.run(async move {
            let net = near.net();
            let start = net.now();
            near.write_all(b"x").await?;
            if one_way {
                assert_eq!(far.read_u8().await?, b'x');
            }
            assert_eq!(near.read_u8().await.unwrap_err().kind(), io::ErrorKind::TimedOut);
            assert!((60..180).contains(&(net.now() - start).as_secs()));
            drop(far);
            Ok(())
        });
        pair.env.run().unwrap();
    }
}

#[test]
fn a_host_that_stays_down_ends_a_connection_with_unacknowledged_data() {
    let pair = Pair::new(1, ms(10));
    pair.network
        .set_tcp(TcpSettings::default().give_up(Duration::from_secs(60)));
    let (mut near, far) = pair.connected();
    pair.server.crash();
    let network = pair.network.clone();
    pair.run(async move {
        let net = near.net();
        let start = net.now();
        near.write_all(b"x").await?;
        assert_eq!(near.read_u8().await.unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert!((60..180).contains(&(net.now() - start).as_secs()));
        // Each try waits for twice as long as the one before.
        assert!(network.stats().retransmissions < 15);
        drop(far);
        Ok(())
    });
    pair.env.run().unwrap();
}

#[test]
fn an_idle_connection_survives_any_partition_without_keepalive() {
    let pair = Pair::new(1, ms(10));
    let (mut near, mut far) = pair.connected();
    let (network, a, b) = (pair.network.clone(), pair.client.clone(), pair.server.clone());
    let steps = pair.env.steps();
    pair.run(async move {
        let net = near.net();
        network.partition(&a, &b);
        net.sleep(Duration::from_secs(100_000)).await;
        network.heal(&a, &b);
        near.write_all(b"x").await?;
        assert_eq!(far.read_u8().await?, b'x');
        Ok(())
    });
    assert!(pair.env.steps() - steps < 10);
}

#[test]
fn keepalive_finds_a_dead_peer() {
    let pair = Pair::new(1, ms(10));
    let (client, server) = (pair.client.net(), pair.server.net());
    let (network, a, b) = (pair.network.clone(), pair.client.clone(), pair.server.clone());
    pair.run(async move {
        let mut listener = server.bind(&"tcp://0.0.0.0:80".parse()?).await?;
        let keepalive = Keepalive::after(Duration::from_secs(30));
        let options = ConnectOptions::default().socket(SocketOptions::default().keepalive(keepalive));
        let mut near = client.connect_with(&"tcp://server:80".parse()?, &options).await?;
        let far = listener.accept().await?;
        client.sleep(Duration::from_secs(1000)).await;
        let start = client.now();
        network.partition(&a, &b);
        assert_eq!(near.read_u8().await.unwrap_err().kind(), io::ErrorKind::TimedOut);
        // Within an idle time, and six probes of ten seconds.
        assert!((60..=90).contains(&(client.now() - start).as_secs()));
        drop(far);
        Ok(())
    });
}

#[test]
fn what_is_held_comes_when_it_is_released() {
    let pair = Pair::new(1, ms(10));
    let (mut near, mut far) = pair.connected();
    let (network, a, b) = (pair.network.clone(), pair.client.clone(), pair.server.clone());
    pair.run(async move {
        let net = near.net();
        let start = net.now();
        network.hold(&a, &b);
        let socket = net.datagram(&"udp://0.0.0.0:0".parse()?).await?;
        let receiver = far.net().datagram(&"udp://0.0.0.0:7".parse()?).await?;
        socket.send_to(b"held", &"udp://server:7".parse()?).await?;
        near.write_all(b"held").await?;
        net.sleep(Duration::from_secs(100)).await;
        network.release(&a, &b);
        let mut data = [0; 4];
        far.read_exact(&mut data).await?;
        assert_eq!(receiver.receive().await?.0.len(), 4);
        assert_eq!(net.now() - start, Duration::from_secs(100) + ms(10));
        Ok(())
    });
}

#[test]
fn a_crash_ends_tasks_and_a_restarted_host_answers_with_a_reset() {
    let pair = Pair::new(1, ms(10));
    let (mut near, far) = pair.connected();
    let server = pair.server.net();
    let flag = std::sync::Arc::new(());
    let held = std::sync::Arc::clone(&flag);
    let task = server
        .spawn({
            let server = server.clone();
            async move {
                let _held = held;
                server.sleep(Duration::from_secs(1 << 30)).await;
            }
        })
        .unwrap();
    let host = pair.server.clone();
    pair.run(async move {
        let net = near.net();
        host.crash();
        assert!(!host.is_up());
        assert_eq!(std::sync::Arc::strong_count(&flag), 1);
        assert_eq!(task.await.unwrap_err().kind(), ErrorKind::Cancelled);
        assert!(server.bind(&"tcp://0.0.0.0:1".parse()?).await.is_err());
        assert!(server.spawn(async {}).is_err());
        near.write_all(b"anybody?").await?;
        net.sleep(ms(5000)).await;
        host.restart();
        assert_eq!(near.read_u8().await.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
        let mut listener = server.bind(&"tcp://0.0.0.0:9000".parse()?).await?;
        net.connect(&"tcp://server:9000".parse()?).await?;
        listener.accept().await?;
        drop(far);
        Ok(())
    });
}
