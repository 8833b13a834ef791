//! Links: latency, bandwidth and queues give exact times.

mod network_common;

use std::time::Duration;

use net_core::Instant;
use network_common::{Pair, ms};
use sim_io::network::{Latency, Link, TcpSettings};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// How long a transfer takes, from the first write to the reader's end.
fn transfer(pair: &Pair, bytes: usize) -> Duration {
    let (mut near, mut far) = pair.connected();
    let start = pair.env.now();
    pair.env.process(async move {
        near.write_all(&vec![1; bytes]).await.unwrap();
        near.shutdown().await.unwrap();
        let mut rest = Vec::new();
        near.read_to_end(&mut rest).await.unwrap();
    });
    let end = pair.run(async move {
        let net = far.net();
        let mut data = Vec::new();
        far.read_to_end(&mut data).await?;
        assert_eq!(data.len(), bytes);
        Ok(net.now())
    });
    end - start
}

#[test]
fn latency_alone() {
    let pair = Pair::new(1, ms(35));
    assert_eq!(transfer(&pair, 1000), ms(35));
}

#[test]
fn each_direction_has_its_own() {
    let pair = Pair::new(1, ms(1));
    pair.network
        .set_link_one_way(&pair.client, &pair.server, Link::default().latency(ms(10)));
    pair.network
        .set_link_one_way(&pair.server, &pair.client, Link::default().latency(ms(200)));
    let client = pair.client.net();
    pair.run(async move {
        // Refused: there and back.
        assert!(client.connect(&"tcp://server:1".parse()?).await.is_err());
        assert_eq!(client.now(), Instant::ZERO + ms(210));
        Ok(())
    });
}

#[test]
fn bandwidth_counts_headers() {
    // 8 Mbit/s: a byte each microsecond. Ten full segments of 1460 bytes, each with 40 bytes of headers, then a FIN.
    let link = Link::default().latency(ms(10)).bandwidth(8_000_000);
    let pair = Pair::linked(1, link);
    let expected = Duration::from_micros(10 * 1500) + ms(10);
    let time = transfer(&pair, 14_600);
    assert!(
        time == expected || time == expected + Duration::from_micros(40),
        "{time:?}"
    );
}

#[test]
fn bandwidth_is_used_up_when_the_window_allows() {
    // 10 Mbit/s and 40 ms of round trip: 50 KB on the way, less than the window.
    let link = Link::default().latency(ms(20)).bandwidth(10_000_000);
    let pair = Pair::linked(1, link);
    let bytes = 5_000_000;
    let wire = (bytes + bytes / 1460 * 40) as f64 * 8.0 / 1e7;
    let time = transfer(&pair, bytes).as_secs_f64();
    assert!(
        time > wire && time < wire * 1.02,
        "{time} s, the wire alone takes {wire} s"
    );
}

#[test]
fn the_window_limits_a_long_path() {
    let pair = Pair::new(1, ms(50));
    pair.network
        .set_tcp(TcpSettings::default().receive_buffer(100_000).send_buffer(1_000_000));
    // A window each round trip: the tenth begins after nine of them.
    assert_eq!(transfer(&pair, 1_000_000), ms(9 * 100 + 50));
}

#[test]
fn the_send_buffer_holds_the_writer_back() {
    let pair = Pair::new(1, ms(50));
    pair.network.set_tcp(TcpSettings::default().send_buffer(10_000));
    let (mut near, far) = pair.connected();
    let net = near.net();
    pair.run(async move {
        let start = net.now();
        near.write_all(&[0; 10_000]).await?;
        assert_eq!(net.now(), start);
        near.write_all(&[0; 1]).await?;
        assert_eq!(net.now(), start + ms(100));
        drop(far);
        Ok(())
    });
}

#[test]
fn a_small_queue_slows_a_stream_but_loses_nothing() {
    let link = Link::default().latency(ms(1)).bandwidth(8_000_000).queue(3000);
    let pair = Pair::linked(1, link);
    let time = transfer(&pair, 1_000_000).as_secs_f64();
    assert!((1.02..1.1).contains(&time), "{time}");
    assert_eq!(pair.network.stats().lost, 0);
}

#[test]
fn distributions_keep_their_bounds() {
    let (min, max) = (ms(10), ms(30));
    for latency in [
        Latency::Uniform { min, max },
        Latency::Exponential { min, mean: ms(15) },
        Latency::Normal {
            mean: ms(20),
            deviation: ms(5),
            min,
        },
    ] {
        let pair = Pair::linked(5, Link::default().latencies(latency));
        let client = pair.client.net();
        let times = pair.run(async move {
            let mut times = Vec::new();
            for _ in 0..300 {
                let start = client.now();
                assert!(client.connect(&"tcp://server:1".parse()?).await.is_err());
                times.push(client.now() - start);
            }
            Ok(times)
        });
        assert!(times.iter().all(|time| *time >= min * 2), "{latency:?}");
        let mean = times.iter().sum::<Duration>() / 300;
        assert!((ms(28)..ms(42)).contains(&mean), "{latency:?}: {mean:?}");
        assert!(times.iter().any(|time| *time != times[0]));
    }
}

#[test]
fn within_a_host_there_is_no_time() {
    let pair = Pair::new(1, ms(50));
    let net = pair.server.net();
    for address in [
        "tcp://127.0.0.1:7",
        "tcp://localhost:7",
        "tcp://server:7",
        "tcp://0.0.0.0:7",
    ] {
        let net = net.clone();
        pair.run(async move {
            let start = net.now();
            let mut listener = net.bind(&"tcp://0.0.0.0:7".parse()?).await?;
            let mut near = net.connect(&address.parse()?).await?;
            let mut far = listener.accept().await?;
            near.write_all(b"x").await?;
            assert_eq!(far.read_u8().await?, b'x');
            assert_eq!(net.now(), start);
            Ok(())
        });
    }
}
