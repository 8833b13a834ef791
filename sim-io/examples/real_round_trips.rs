//! How fast real sockets are under an environment, on each poller, beside the same program under tokio: round trips of
//! 4 bytes with both ends in one thread, bulk, and how late timers are. The best of five rounds each.
//!
//! `cargo run --release -p sim-io --example real_round_trips` (pinned to one core, if the figures are to compare),
//! with `--quick` for a hundredth of the work.

use std::time::{Duration, Instant};

use net_core::{Net, Stream};
use sim_io::Environment;
use sim_io::reactor::Poller;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// By how much the work is divided: `--quick` only shows that it works.
fn part() -> u32 {
    if std::env::args().any(|argument| argument == "--quick") {
        100
    } else {
        1
    }
}

const ROUNDS: usize = 5;
const ROUND_TRIPS: u32 = 20_000;
const BULK: usize = 256 << 20;
const PIECE: usize = 1 << 20;
const TIMERS: u32 = 100;

#[expect(clippy::disallowed_methods, reason = "this is measured by the clock on the wall")]
fn wall() -> Instant {
    Instant::now()
}

async fn connected(net: &Net) -> net_core::Result<(Stream, Stream)> {
    let mut listener = net.bind(&"tcp://127.0.0.1:0".parse()?).await?;
    let near = net.connect(listener.local()).await?;
    Ok((near, listener.accept().await?))
}

/// Round trips per second.
async fn round_trips(net: Net) -> Outcome<f64> {
    let (mut near, mut far) = connected(&net).await?;
    net.spawn(async move {
        let mut bytes = [0; 4];
        while far.read_exact(&mut bytes).await.is_ok() && far.write_all(&bytes).await.is_ok() {}
    })?;
    let start = wall();
    let mut bytes = [0; 4];
    let count = ROUND_TRIPS / part();
    for round in 0..count {
        near.write_all(&round.to_be_bytes()).await?;
        near.read_exact(&mut bytes).await?;
        assert_eq!(u32::from_be_bytes(bytes), round);
    }
    Ok(f64::from(count) / start.elapsed().as_secs_f64())
}

/// Bytes per second.
async fn bulk(net: Net) -> Outcome<f64> {
    let (mut near, mut far) = connected(&net).await?;
    let pieces = BULK / PIECE / part() as usize;
    let start = wall();
    net.spawn(async move {
        let data = vec![7; PIECE];
        for _ in 0..pieces {
            if near.write_all(&data).await.is_err() {
                break;
            }
        }
    })?;
    let mut data = vec![0; 256 << 10];
    let mut count = 0;
    loop {
        match far.read(&mut data).await? {
            0 => break,
            n => count += n,
        }
    }
    assert_eq!(count, pieces * PIECE);
    Ok(count as f64 / start.elapsed().as_secs_f64())
}

/// How late timers are: the median, and the latest but one in a hundred. `sync` sets both clocks side by side.
async fn lateness(net: Net, sync: impl Fn()) -> Outcome<[f64; 2]> {
    // Somebody waits for a socket meanwhile.
    let (near, mut far) = connected(&net).await?;
    net.spawn(async move { far.read_u8().await })?;
    let mut late = Vec::new();
    for step in 0..TIMERS {
        // Off the grid of milliseconds, on purpose.
        let wait = Duration::from_micros(1100 + u64::from(step) * 7);
        sync();
        let start = wall();
        net.sleep(wait).await;
        late.push(start.elapsed().saturating_sub(wait));
    }
    drop(near);
    late.sort_unstable();
    let at = |percent: usize| late.get(late.len() * percent / 100).copied().unwrap_or_default();
    Ok([at(50), at(99)].map(|late| late.as_secs_f64() * 1e6))
}

/// Runs a program under an environment.
fn real<T: Clone + 'static>(
    poller: Poller,
    program: impl AsyncFnOnce(Net, Environment) -> Outcome<T> + 'static,
) -> Outcome<T> {
    let env = Environment::in_real_time();
    env.use_poller(poller)?;
    let handle = env.clone();
    let process = env.process(async move {
        let outcome = program(handle.net(), handle).await;
        outcome.map_err(|error| error.to_string())
    });
    env.sync();
    Ok(env.run_until(&process)??)
}

/// Runs a program under tokio.
fn tokio<T>(program: impl Future<Output = Outcome<T>>) -> Outcome<T> {
    let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    tokio.block_on(program)
}

/// The best of several rounds of one way.
struct Best {
    name: String,
    trips: f64,
    bulk: f64,
    late: [f64; 2],
}

fn main() -> Outcome<()> {
    let pollers = [None, Some(Poller::Mio), Some(Poller::Poll), Some(Poller::Select)];
    let mut best = pollers.map(|poller| Best {
        name: poller.map_or_else(|| "tokio".to_owned(), |poller| format!("{poller:?}")),
        trips: 0.0,
        bulk: 0.0,
        late: [f64::MAX; 2],
    });
    for _ in 0..ROUNDS {
        for (poller, best) in pollers.into_iter().zip(&mut best) {
            let (trips, bytes, late) = match poller {
                None => (
                    tokio(round_trips(Net::os()))?,
                    tokio(bulk(Net::os()))?,
                    tokio(lateness(Net::os(), || ()))?,
                ),
                Some(poller) => (
                    real(poller, async |net, _| round_trips(net).await)?,
                    real(poller, async |net, _| bulk(net).await)?,
                    real(poller, async |net, env: Environment| lateness(net, || env.sync()).await)?,
                ),
            };
            best.trips = best.trips.max(trips);
            best.bulk = best.bulk.max(bytes);
            best.late = [0, 1].map(|i| best.late[i].min(late[i]));
        }
    }
    for Best {
        name,
        trips,
        bulk,
        late: [median, most],
    } in best
    {
        let bulk = bulk / 1e6;
        println!(
            "{name:6} {trips:7.0} round trips/s  {bulk:5.0} MB/s  timers late by {median:4.0} us (99 %: {most:4.0} us)"
        );
    }
    Ok(())
}
