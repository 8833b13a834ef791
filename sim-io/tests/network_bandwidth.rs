//! Hosts' own lines: what a host sends and receives in all.

mod network_common;

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use net_core::Instant;
use network_common::ms;
use sim_io::Environment;
use sim_io::network::{Host, Link, Network};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// A byte each microsecond.
const MEGABYTE: u64 = 8_000_000;

struct Star {
    env: Environment,
    network: Network,
    centre: Host,
    others: Vec<Host>,
}

fn star(others: usize) -> Star {
    let env = Environment::with_seed(1);
    let network = Network::new(&env);
    network.set_default_link(Link::default().latency(ms(10)));
    let centre = network.host("centre").unwrap();
    let others = (0..others)
        .map(|n| network.host(&format!("other-{n}")).unwrap())
        .collect();
    Star {
        env,
        network,
        centre,
        others,
    }
}

/// Each of the others sends a megabyte to the centre, or gets one; when each transfer was over.
fn transfers(star: &Star, to_the_centre: bool) -> Vec<Duration> {
    const BYTES: usize = 1_000_000;
    let ends = Rc::new(RefCell::new(Vec::new()));
    let (env, net) = (star.env.clone(), star.centre.net());
    star.env.process(async move {
        let mut listener = net.bind(&"tcp://0.0.0.0:80".parse().unwrap()).await.unwrap();
        while let Ok(mut stream) = listener.accept().await {
            env.process(async move {
                if to_the_centre {
                    stream.read_to_end(&mut Vec::new()).await.unwrap();
                } else {
                    stream.write_all(&vec![1; BYTES]).await.unwrap();
                }
            });
        }
    });
    for other in &star.others {
        let (net, ends) = (other.net(), Rc::clone(&ends));
        star.env.process(async move {
            let mut stream = net.connect(&"tcp://centre:80".parse().unwrap()).await.unwrap();
            if to_the_centre {
                stream.write_all(&vec![1; BYTES]).await.unwrap();
                stream.shutdown().await.unwrap();
            }
            let mut data = Vec::new();
            stream.read_to_end(&mut data).await.unwrap();
            assert_eq!(data.len(), if to_the_centre { 0 } else { BYTES });
            ends.borrow_mut().push(net.now() - Instant::ZERO);
        });
    }
    star.env.run_until(Duration::from_secs(60)).unwrap();
    let ends = ends.take();
    assert_eq!(ends.len(), star.others.len());
    ends
}

/// Whether that many transfers took as long as the line needs for them, headers included, and hardly longer.
#[track_caller]
fn fills_the_line(ends: &[Duration]) {
    let wire = ends.len() as f64 * 1.028;
    let last = ends.iter().max().unwrap().as_secs_f64();
    assert!(last > wire && last < wire * 1.05 + 0.05, "{last} s instead of {wire} s");
    // They share it: none is done long before the others.
    let first = ends.iter().min().unwrap().as_secs_f64();
    assert!(first > wire * 0.6 || ends.len() == 1, "{first} s of {last} s");
}

#[test]
fn an_uplink_is_shared() {
    for others in [1, 4] {
        let star = star(others);
        star.centre.set_uplink(MEGABYTE);
        fills_the_line(&transfers(&star, false));
    }
}

#[test]
fn a_downlink_is_shared() {
    for others in [1, 4] {
        let star = star(others);
        star.centre.set_downlink(MEGABYTE);
        fills_the_line(&transfers(&star, true));
    }
}

#[test]
fn the_narrowest_line_counts() {
    // One after the other, not one in addition to the other.
    let star = star(1);
    star.network
        .set_default_link(Link::default().latency(ms(10)).bandwidth(2 * MEGABYTE));
    star.centre.set_uplink(3 * MEGABYTE);
    star.others[0].set_downlink(MEGABYTE);
    fills_the_line(&transfers(&star, false));
}

#[test]
fn a_limit_can_be_taken_away_and_is_not_for_the_host_itself() {
    let star = star(1);
    star.centre.set_uplink(1);
    star.centre.set_uplink(None);
    let end = transfers(&star, false)[0];
    assert!(end < Duration::from_millis(200), "{end:?}");

    let star = self::star(0);
    star.centre.set_uplink(1);
    star.centre.set_downlink(1);
    let net = star.centre.net();
    let done = star.env.process(async move {
        let mut listener = net.bind(&"tcp://127.0.0.1:0".parse().unwrap()).await.unwrap();
        let mut near = net.connect(listener.local()).await.unwrap();
        let mut far = listener.accept().await.unwrap();
        near.write_all(&[1; 1000]).await.unwrap();
        far.read_exact(&mut [0; 1000]).await.unwrap();
    });
    star.env.run_until(&done).unwrap();
    assert_eq!(star.env.now(), Instant::ZERO);
}

#[test]
fn what_comes_from_afar_does_not_hold_back_what_comes_before_it() {
    let star = star(2);
    star.network
        .set_link(&star.centre, &star.others[0], Link::default().latency(ms(500)));
    star.centre.set_downlink(MEGABYTE);
    let (far, near, net) = (star.others[0].net(), star.others[1].net(), star.centre.net());
    let arrivals = star.env.process(async move {
        let socket = net.datagram(&"udp://0.0.0.0:7".parse().unwrap()).await.unwrap();
        let to = "udp://centre:7".parse().unwrap();
        for (net, count) in [(far, 1), (near, 2)] {
            let from = net.datagram(&"udp://0.0.0.0:0".parse().unwrap()).await.unwrap();
            for _ in 0..count {
                from.send_to(&[0; 972], &to).await.unwrap();
            }
        }
        let mut arrivals = Vec::new();
        for _ in 0..3 {
            socket.receive().await.unwrap();
            arrivals.push(net.now() - Instant::ZERO);
        }
        arrivals
    });
    // A thousand bytes with their headers: a millisecond each.
    assert_eq!(star.env.run_until(&arrivals).unwrap(), [ms(11), ms(12), ms(501)]);
}

#[test]
fn a_flood_of_datagrams_overflows_the_queue() {
    for up in [false, true] {
        let star = star(1);
        if up {
            star.others[0].set_uplink(MEGABYTE);
        } else {
            star.centre.set_downlink(MEGABYTE);
        }
        let (net, client) = (star.centre.net(), star.others[0].net());
        let received = star.env.process(async move {
            let socket = net.datagram(&"udp://0.0.0.0:7".parse().unwrap()).await.unwrap();
            let from = client.datagram(&"udp://0.0.0.0:0".parse().unwrap()).await.unwrap();
            for _ in 0..1000 {
                from.send_to(&[0; 972], &"udp://centre:7".parse().unwrap())
                    .await
                    .unwrap();
            }
            let mut count = 0;
            while net.timeout(ms(100), socket.receive()).await.is_ok() {
                count += 1;
            }
            count
        });
        // 256 KiB wait, and one is on the line.
        let count = star.env.run_until(&received).unwrap();
        assert!((262..=264).contains(&count), "{count}");
        assert_eq!(star.network.stats().lost, 1000 - count);
    }
}
