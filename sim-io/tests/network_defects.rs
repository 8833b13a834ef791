//! What went wrong with the original's sockets, and must not here; the others of its defects are where their subject is.

mod network_common;

use std::io;
use std::time::Duration;

use net_core::{ConnectOptions, ErrorKind, Instant};
use network_common::{Pair, ms};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[test]
fn d05_an_end_and_a_reset_are_different() {
    for reset in [false, true] {
        let pair = Pair::new(1, ms(10));
        let (mut near, mut far) = pair.connected();
        pair.run(async move {
            far.write_all(b"bye").await?;
            if reset {
                far.reset();
            } else {
                // Only their side is closed: ours still works.
                far.shutdown().await?;
            }
            near.read_exact(&mut [0; 3]).await?;
            match near.read(&mut [0; 1]).await {
                Ok(0) => assert!(!reset && near.write_all(b"x").await.is_ok()),
                Err(error) => assert!(reset && error.kind() == io::ErrorKind::ConnectionReset),
                Ok(n) => panic!("{n} bytes"),
            }
            Ok(())
        });
    }
}

#[test]
fn d12_connecting_holds_nobody_else_up_and_has_a_limit() {
    let pair = Pair::new(1, ms(10));
    pair.network.partition(&pair.client, &pair.server);
    let env = pair.env.clone();
    let ticks = pair.env.process(async move {
        let mut ticks = 0;
        while env.now() < Instant::ZERO + Duration::from_secs(3) {
            env.timeout(ms(100)).await;
            ticks += 1;
        }
        ticks
    });
    let client = pair.client.net();
    pair.run(async move {
        let options = ConnectOptions::default().timeout(Duration::from_secs(5));
        let error = client
            .connect_with(&"tcp://server:1".parse()?, &options)
            .await
            .unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Timeout(_)));
        assert_eq!(client.now(), Instant::ZERO + Duration::from_secs(5));
        Ok(())
    });
    assert_eq!(pair.env.run_until(&ticks).unwrap(), 30);
}

#[test]
fn d19_reads_writes_and_accepts_that_are_given_up_lose_nothing() {
    let pair = Pair::new(1, ms(10));
    let (client, server) = (pair.client.net(), pair.server.net());
    pair.run(async move {
        let mut listener = server.bind(&"tcp://0.0.0.0:80".parse()?).await?;
        // Nobody comes in time; who comes later is there.
        assert!(server.timeout(ms(5), listener.accept()).await.is_err());
        let mut near = client.connect(&"tcp://server:80".parse()?).await?;
        let mut far = listener.accept().await?;
        let data: Vec<u8> = (0..2_000_000).map(|n| (n % 251) as u8).collect();
        let (mut sent, mut received) = (0, Vec::new());
        while received.len() < data.len() {
            // Each is given up again and again.
            if sent < data.len()
                && let Ok(n) = client
                    .timeout(Duration::from_micros(700), near.write(&data[sent..]))
                    .await
            {
                sent += n?;
            }
            let mut part = [0; 50_000];
            if let Ok(n) = server.timeout(Duration::from_micros(700), far.read(&mut part)).await {
                received.extend_from_slice(&part[..n?]);
            }
        }
        assert_eq!(received, data);
        Ok(())
    });
}
