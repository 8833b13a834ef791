//! A simulated day of many sessions of HSMS that only ask whether the peer is there.

use crate::Outcome;
use crate::cpu::{Account, Meter, Spent};
use crate::harness::{Comparison, Extra, Measure, Row, Sample, Unit};
use crate::simulators::sim_io::run_until;
use crate::target::Bound::AtMost;
use crate::target::Target;
use hsms::{ActiveConnection, ConnectionOptions, Linktest, MultiPassiveServer, Net, SessionOptions};
use net_core::{Endpoint, Instant};
use sim_io::Environment;
use sim_io::network::{Link, Network};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const REAL: &str = "real time";
const SESSIONS: usize = 1000;
const HOURS: u64 = 24;
const INTERVAL: Duration = Duration::from_secs(10);
const HOUR: Duration = Duration::from_secs(3600);
const LONG: Duration = Duration::from_secs(60);
/// A Linktest.
const FRAME: usize = 14;

/// Makes the table.
///
/// # Errors
/// None.
pub fn build() -> Outcome<Vec<Comparison>> {
    Ok(vec![Comparison {
        name: "hsms-day".into(),
        operation: "day",
        measure: Measure::Extra(REAL),
        about: "1000 sessions on a simulated network, 1 ms each way, for 24 hours of virtual time: a Linktest of each \
                every 10 s, all at the same moment. By the clock on the wall, on one thread."
            .into(),
        rows: vec![
            row("sim-io, frames without sessions", bare),
            row("hsms", sessions).target(Target::extra(REAL, AtMost(10.0))),
        ],
    }])
}

fn row(name: &str, run: fn(usize, u64) -> Outcome<Spent>) -> Row {
    Row::new(name, move |effort| {
        // A quick run is a part of a day, and tells what a whole one would take.
        let hours = effort.amount(HOURS);
        let spent = run(SESSIONS, hours)?;
        Ok(Sample {
            operations: 1,
            spent: None,
            extras: vec![Extra {
                name: REAL,
                unit: Unit::Seconds,
                value: spent.wall.as_secs_f64() * HOURS as f64 / hours as f64,
            }],
        })
    })
}

/// What each is to have asked at least: a test is put off by the one before it, until that is answered.
fn least(hours: u64) -> u64 {
    (HOUR * hours as u32).as_secs() / (INTERVAL.as_secs() + 1)
}

/// Runs an environment with two hosts until what the function makes of them is done.
fn simulate<W>(work: impl FnOnce(Net, Net) -> W) -> Outcome<Spent>
where
    W: Future<Output = Outcome<Spent>> + 'static,
{
    let env = Environment::with_seed(7);
    let network = Network::new(&env);
    network.set_default_link(Link::default().latency(Duration::from_millis(1)));
    let (there, here) = (network.host("equipment")?.net(), network.host("host")?.net());
    let work = work(there, here);
    let day = env.process(async move { work.await.map_err(|error| error.to_string()) });
    Ok(run_until(&env, &day)??)
}

fn sessions(count: usize, hours: u64) -> Outcome<Spent> {
    simulate(|there, here| async move {
        let server = MultiPassiveServer::new(&there, "tcp://equipment:5000".parse()?);
        let silent = SessionOptions::new(0).linktest(None);
        server.accept_any(move |_| Some((silent.clone().into(), ())));
        let at = server.start().await?;
        let asking = SessionOptions::new(0).linktest(Linktest::every(INTERVAL));
        let asking = ConnectionOptions::from(asking);
        let hosts: Vec<_> = (0..count)
            .map(|_| ActiveConnection::new(&here, at.clone(), asking.clone(), ()))
            .collect();
        let meter = Meter::start(Account::ThisThread)?;
        for host in &hosts {
            host.enable()?;
        }
        for host in &hosts {
            host.selected(LONG).await?;
        }
        here.sleep_until(Instant::ZERO + HOUR * hours as u32).await;
        let spent = meter.stop()?;
        for host in &hosts {
            let stats = host.stats();
            let asked = stats.linktests >= least(hours);
            if !asked || !host.is_selected() || (stats.connections, stats.linktests_failed) != (1, 0) {
                return Err(format!("a session went wrong: {stats:?}").into());
            }
            host.disable();
        }
        server.stop().await;
        Ok(spent)
    })
}

/// What no session can do without: frames there and back, and the waiting.
fn bare(count: usize, hours: u64) -> Outcome<Spent> {
    simulate(|there, here| async move {
        let at: Endpoint = "tcp://equipment:5000".parse()?;
        let mut listener = there.bind(&at).await?;
        let net = there.clone();
        there.spawn(async move {
            while let Ok(mut stream) = listener.accept().await {
                let echo = net.spawn(async move {
                    let mut frame = [0; FRAME];
                    while stream.read_exact(&mut frame).await.is_ok() && stream.write_all(&frame).await.is_ok() {}
                });
                if echo.is_err() {
                    return;
                }
            }
        })?;
        let end = Instant::ZERO + HOUR * hours as u32;
        let meter = Meter::start(Account::ThisThread)?;
        let mut clients = Vec::new();
        for _ in 0..count {
            let (net, at) = (here.clone(), at.clone());
            clients.push(here.spawn(async move {
                let mut stream = net.connect(&at).await?;
                let (mut frame, mut asked) = ([7; FRAME], 0);
                while net.now() + INTERVAL < end {
                    net.sleep(INTERVAL).await;
                    stream.write_all(&frame).await?;
                    stream.read_exact(&mut frame).await?;
                    asked += 1;
                }
                Ok::<u64, std::io::Error>(asked)
            })?);
        }
        for client in clients {
            let asked = client.await??;
            if asked < least(hours) {
                return Err(format!("only {asked} frames came back").into());
            }
        }
        meter.stop()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_do_the_work() {
        sessions(3, 1).unwrap();
        bare(3, 1).unwrap();
    }
}
