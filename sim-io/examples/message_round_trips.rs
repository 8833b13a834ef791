//! How fast packets and messages are: round trips, one after the other and 64 in flight, simulated and real.
//!
//! `cargo run --release -p sim-io --example message_round_trips`, with `--quick` for a hundredth of the work.

use std::time::Duration;

use net_core::Stream;
use sim_io::codec::Json;
use sim_io::message::Message;
use sim_io::network::{Link, Network};
use sim_io::packet::Packet;
use sim_io::{Environment, Failure};

#[expect(
    clippy::disallowed_methods,
    reason = "the simulation is measured by the clock on the wall"
)]
fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = std::time::Instant::now();
    let value = work();
    (value, start.elapsed())
}

/// Runs both ends until the client is done; the time that took.
fn world<S, C>(real: bool, server: S, client: C) -> Result<Duration, Failure>
where
    S: AsyncFnOnce(Stream) -> Result<(), Failure> + 'static,
    C: AsyncFnOnce(Stream) -> Result<(), Failure> + 'static,
{
    let (env, near, far);
    if real {
        env = Environment::in_real_time();
        (near, far) = (env.net(), env.net());
    } else {
        env = Environment::new();
        let network = Network::new(&env);
        network.set_default_link(Link::default().latency(Duration::from_millis(1)));
        (near, far) = (network.host("client")?.net(), network.host("server")?.net());
    }
    let address = env.event();
    let told = address.clone();
    env.try_process::<_, Failure>(async move {
        let at = if real { "tcp://127.0.0.1:0" } else { "tcp://server:1" };
        let mut listener = far.bind(&at.parse()?).await?;
        told.succeed(listener.local().clone())?;
        server(listener.accept().await?).await
    });
    let client = env.try_process::<_, Failure>(async move { client(near.connect(&address.await?).await?).await });
    let (outcome, time) = timed(|| env.run_until(&client));
    outcome?;
    Ok(time)
}

async fn packet_echo(stream: Stream) -> Result<(), Failure> {
    let mut packets = Packet::new(stream);
    let mut last = Vec::new();
    while packets
        .read_with(|packet| {
            last.clear();
            last.extend_from_slice(packet);
        })
        .await?
        .is_some()
    {
        packets.push(&last)?;
    }
    Ok(())
}

async fn message_echo(stream: Stream) -> Result<(), Failure> {
    let message = Message::new(stream, Json)?;
    while let Some(request) = message.recv().await? {
        let content: String = request.content()?;
        request.succeed(&content)?;
    }
    Ok(())
}

/// Packets there and back, `flight` at a time.
fn packets(real: bool, count: u32, flight: u32) -> Result<Duration, Failure> {
    world(real, packet_echo, async move |stream: Stream| {
        let mut packets = Packet::new(stream);
        for round in 0..count / flight {
            for _ in 0..flight {
                packets.push(round.to_be_bytes())?;
            }
            for _ in 0..flight {
                let same = packets.read_with(|packet| packet == round.to_be_bytes()).await?;
                if same != Some(true) {
                    return Err(Failure::text("another packet came back"));
                }
            }
        }
        Ok(())
    })
}

/// Requests and their replies, `flight` at a time.
fn messages(real: bool, count: u32, flight: u32) -> Result<Duration, Failure> {
    world(real, message_echo, async move |stream: Stream| {
        let message = Message::new(stream, Json)?;
        for _ in 0..count / flight {
            let replies: Vec<_> = (0..flight).map(|_| message.send::<_, String>("ohai")).collect();
            for reply in replies {
                if reply.await? != "ohai" {
                    return Err(Failure::text("another message came back"));
                }
            }
        }
        Ok(())
    })
}

/// A measurement: real sockets or not, how many round trips, how many at a time.
type Measured = fn(bool, u32, u32) -> Result<Duration, Failure>;

/// By how much the work is divided: `--quick` only shows that it works.
fn part() -> u32 {
    if std::env::args().any(|argument| argument == "--quick") {
        100
    } else {
        1
    }
}

fn main() -> Result<(), Failure> {
    for (place, real, count) in [("simulated", false, 400_000), ("real", true, 60_000)] {
        for (what, measured) in [("packets", packets as Measured), ("messages", messages)] {
            for flight in [1, 64] {
                let count = if flight > 1 { 400_000 } else { count } / part();
                let mut best = 0.0_f64;
                for _ in 0..3 {
                    let time = measured(real, count, flight)?;
                    best = best.max(f64::from(count) / time.as_secs_f64());
                }
                println!("{best:9.0} round trips/s  {place} {what}, {flight} in flight");
            }
        }
    }
    Ok(())
}
