//! How fast the simulated network itself is: round trips of 4 bytes, and bulk, over virtual TCP.
//!
//! `cargo run --release -p sim-io --example virtual_round_trips`, with `--quick` for a hundredth of the work.

use std::time::Duration;

use net_core::Stream;
use sim_io::Environment;
use sim_io::network::{Link, Network};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

#[expect(
    clippy::disallowed_methods,
    reason = "the simulation is measured by the clock on the wall"
)]
fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = std::time::Instant::now();
    let value = work();
    (value, start.elapsed())
}

/// Runs both ends until the client is done.
fn world<S, C>(link: Link, server: S, client: C) -> Outcome<Duration>
where
    S: AsyncFnOnce(Stream) -> Outcome<()> + 'static,
    C: AsyncFnOnce(Stream) -> Outcome<()> + 'static,
{
    let env = Environment::new();
    let network = Network::new(&env);
    network.set_default_link(link);
    let net = network.host("server")?.net();
    env.process(async move {
        let accepted = async {
            let mut listener = net.bind(&"tcp://server:1".parse()?).await?;
            server(listener.accept().await?).await
        };
        if let Err(error) = accepted.await {
            eprintln!("server: {error}");
        }
    });
    let net = network.host("client")?.net();
    let client = env.process(async move {
        let connected = async { client(net.connect(&"tcp://server:1".parse()?).await?).await };
        if let Err(error) = connected.await {
            eprintln!("client: {error}");
        }
    });
    let (outcome, time) = timed(|| env.run_until(&client));
    outcome?;
    Ok(time)
}

fn round_trips(link: Link, count: u32) -> Outcome<f64> {
    let time = world(
        link,
        async |mut stream: Stream| {
            let mut data = [0; 4];
            while stream.read(&mut data).await? == 4 {
                stream.write_all(&data).await?;
            }
            Ok(())
        },
        async move |mut stream: Stream| {
            let mut data = [0; 4];
            for number in 0..count {
                stream.write_all(&number.to_be_bytes()).await?;
                stream.read_exact(&mut data).await?;
            }
            Ok(())
        },
    )?;
    Ok(f64::from(count) / time.as_secs_f64())
}

fn bulk(link: Link, bytes: u64) -> Outcome<f64> {
    let time = world(
        link,
        async |mut stream: Stream| {
            let mut data = vec![0; 64 * 1024];
            while stream.read(&mut data).await? > 0 {}
            Ok(())
        },
        async move |mut stream: Stream| {
            let data = vec![7; 64 * 1024];
            let mut left = bytes;
            while left > 0 {
                stream.write_all(&data).await?;
                left = left.saturating_sub(data.len() as u64);
            }
            stream.shutdown().await?;
            // The other end closes when it has everything.
            stream.read_u8().await.map_or(Ok(()), |_| Ok(()))
        },
    )?;
    Ok(bytes as f64 / time.as_secs_f64())
}

/// By how much the work is divided: `--quick` only shows that it works.
fn part() -> u32 {
    if std::env::args().any(|argument| argument == "--quick") {
        100
    } else {
        1
    }
}

fn main() -> Outcome<()> {
    let far = Link::default().latency(Duration::from_millis(50));
    let jittery = far.clone().jitter(Duration::from_millis(50)).loss(0.001);
    let fast = Link::default()
        .latency(Duration::from_micros(50))
        .bandwidth(10_000_000_000);
    for (name, link) in [
        ("50 ms", &far),
        ("50-100 ms, 0.1 % loss", &jittery),
        ("10 Gbit/s", &fast),
    ] {
        let rate = (0..3).map(|_| round_trips(link.clone(), 500_000 / part()));
        println!("{:8.2} M round trips/s  {name}", best(rate)? / 1e6);
    }
    for (name, link) in [("50 ms", &far), ("10 Gbit/s", &fast)] {
        let rate = (0..3).map(|_| bulk(link.clone(), (4 << 30) / u64::from(part())));
        println!("{:8.2} GB/s             {name}", best(rate)? / 1e9);
    }
    Ok(())
}

fn best(rates: impl Iterator<Item = Outcome<f64>>) -> Outcome<f64> {
    let mut best = 0.0_f64;
    for rate in rates {
        best = best.max(rate?);
    }
    Ok(best)
}
