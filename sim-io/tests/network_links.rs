//! Links: latency, bandwidth and queues give exact times.

mod network_common;

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use net_core::Instant;
use network_common::{Pair, ms};
use sim_io::network::{Latency, Link, Loss, TcpSettings};
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

/// The largest segments that a transfer of 14,600 bytes is cut to, and how long it takes.
fn with_mtu(mtu: usize) -> (usize, Duration) {
    let link = Link::default().latency(ms(10)).bandwidth(8_000_000).mtu(mtu);
    let pair = Pair::linked(1, link);
    let segment = Rc::new(Cell::new(0));
    let seen = Rc::clone(&segment);
    pair.network.watch(move |packet| seen.set(packet.segment));
    let time = transfer(&pair, 14_600);
    (segment.get(), time)
}

#[test]
fn the_mtu_cuts_segments_and_costs_headers() {
    let end = Duration::from_micros(40);
    for (mtu, segment, segments) in [(576, 536, 28), (1500, 1460, 10), (9000, 8960, 2)] {
        let (cut, time) = with_mtu(mtu);
        assert_eq!(cut, segment);
        let expected = Duration::from_micros(14_600 + segments * 40) + ms(10);
        assert!(time == expected || time == expected + end, "{mtu}: {time:?}");
    }
    // Outside of what IP allows it is the nearest that is.
    assert_eq!(with_mtu(1), with_mtu(576));
    assert_eq!(with_mtu(1 << 20), with_mtu(65_535));
}

#[test]
fn a_stream_repeats_what_was_damaged() {
    let pair = Pair::linked(1, Link::default().latency(ms(10)).corrupt(0.02));
    let time = transfer(&pair, 1_000_000);
    let stats = pair.network.stats();
    assert!(stats.corrupt > 5 && stats.corrupt == stats.lost, "{stats:?}");
    assert!(stats.retransmissions >= stats.corrupt - 3, "{stats:?}");
    assert!(time > ms(100), "{time:?}");
}

#[test]
fn losses_and_damage_are_told_apart() {
    let pair = Pair::linked(1, Link::default().latency(ms(10)).loss(0.02).corrupt(0.01));
    transfer(&pair, 5_000_000);
    let stats = pair.network.stats();
    assert!(
        stats.corrupt * 4 > stats.lost && stats.corrupt * 2 < stats.lost,
        "{stats:?}"
    );
}

#[test]
fn a_stream_waits_for_what_was_overtaken() {
    let pair = Pair::linked(1, Link::default().latency(ms(10)).reorder(1.0, ms(7)));
    assert_eq!(transfer(&pair, 1000), ms(17));
    let stats = pair.network.stats();
    assert_eq!((stats.lost, stats.retransmissions), (0, 0));
}

#[test]
fn a_stream_discards_copies() {
    let pair = Pair::linked(1, Link::default().latency(ms(10)).duplicate(1.0));
    assert_eq!(transfer(&pair, 100_000), ms(10));
}

#[test]
fn loss_in_bursts_hits_several_in_a_row() {
    let loss = Loss::Bursts {
        worsen: 0.01,
        mend: 0.2,
        good: 0.0,
        bad: 1.0,
    };
    let pair = Pair::linked(5, Link::default().losses(loss));
    let (server, client) = (pair.server.net(), pair.client.net());
    let received = pair.env.process(async move {
        let socket = server.datagram(&"udp://0.0.0.0:7".parse().unwrap()).await.unwrap();
        let mut numbers = Vec::new();
        while let Ok(received) = server.timeout(ms(100), socket.receive()).await {
            numbers.push(u32::from_be_bytes(received.unwrap().0[..].try_into().unwrap()));
        }
        numbers
    });
    pair.env.process(async move {
        let socket = client.datagram(&"udp://0.0.0.0:0".parse().unwrap()).await.unwrap();
        for number in 0..5000_u32 {
            let to = "udp://server:7".parse().unwrap();
            socket.send_to(&number.to_be_bytes(), &to).await.unwrap();
            client.sleep(ms(1)).await;
        }
    });
    let numbers = pair.env.run_until(&received).unwrap();
    let gaps: Vec<u32> = numbers
        .windows(2)
        .map(|two| two[1] - two[0] - 1)
        .filter(|gap| *gap > 0)
        .collect();
    let mean = f64::from(gaps.iter().sum::<u32>()) / gaps.len() as f64;
    // One in a hundred begins a burst of five on average.
    assert!((25..75).contains(&gaps.len()), "{} bursts", gaps.len());
    assert!((3.0..7.0).contains(&mean), "{mean}");
}

#[test]
fn settings_that_make_no_sense_do_no_harm() {
    for number in [f64::NAN, f64::INFINITY, -1.0, 2.0] {
        let bursts = Loss::Bursts {
            worsen: number,
            mend: number,
            good: number,
            bad: number,
        };
        for link in [
            Link::default().loss(number),
            Link::default().losses(bursts),
            Link::default().corrupt(number),
            Link::default().duplicate(number),
            Link::default().reorder(number, Duration::MAX),
        ] {
            reaches_an_end(link);
        }
    }
    let (min, max) = (Duration::MAX, Duration::ZERO);
    for link in [
        Link::default().jitter(Duration::MAX),
        Link::default().bandwidth(0).queue(0),
        Link::default().latencies(Latency::Uniform { min, max }),
        Link::default().latencies(Latency::Uniform { min: max, max: min }),
        Link::default().latencies(Latency::Exponential { min, mean: max }),
        Link::default().latencies(Latency::Exponential { min: max, mean: min }),
        Link::default().latencies(Latency::Normal {
            mean: min,
            deviation: min,
            min,
        }),
        Link::default().latencies(Latency::Normal {
            mean: max,
            deviation: min,
            min: max,
        }),
    ] {
        reaches_an_end(link);
    }
}

/// A stream and a datagram do what they can; nothing goes on for ever.
fn reaches_an_end(link: Link) {
    let pair = Pair::linked(1, link);
    let (client, server) = (pair.client.net(), pair.server.net());
    pair.env.process(async move {
        let mut listener = server.bind(&"tcp://0.0.0.0:80".parse().unwrap()).await.unwrap();
        let mut stream = listener.accept().await.unwrap();
        let _ = stream.read_to_end(&mut Vec::new()).await;
    });
    pair.env.process(async move {
        let socket = client.datagram(&"udp://0.0.0.0:0".parse().unwrap()).await.unwrap();
        let _ = socket.send_to(&[1; 3000], &"udp://server:7".parse().unwrap()).await;
        if let Ok(mut stream) = client.connect(&"tcp://server:80".parse().unwrap()).await {
            let _ = stream.write_all(&[1; 10_000]).await;
        }
    });
    pair.env.run().unwrap();
    assert!(pair.env.steps() < 2000, "{} steps", pair.env.steps());
}
