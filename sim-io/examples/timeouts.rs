//! What a timeout costs: ns of this thread's CPU per event, with 1 to 100,000 processes.
//!
//! `cargo run --release -p sim-io --example timeouts [EVENTS] [PROCESSES...]`

use std::time::Duration;

use sim_io::{Environment, RunError};

fn main() -> Result<(), RunError> {
    let mut arguments = std::env::args().skip(1).map_while(|argument| argument.parse().ok());
    let events: u64 = arguments.next().unwrap_or(10_000_000);
    let mut counts: Vec<u64> = arguments.collect();
    if counts.is_empty() {
        counts = vec![1, 100, 1_000, 10_000, 100_000];
    }
    println!("{:>9} processes {:>10} ns per event", "", "");
    for processes in counts {
        let cost = measure(processes.max(1), events)?;
        println!("{processes:>9} {cost:>21.1}");
    }
    Ok(())
}

/// Each process loops over one timeout of 1 to 1000 random units.
fn measure(processes: u64, events: u64) -> Result<f64, RunError> {
    let env = Environment::with_seed(1);
    for number in 0..processes {
        let env_of_process = env.clone();
        env.process(async move {
            let env = env_of_process;
            // xorshift: cheaper than what is measured.
            let mut random = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
            loop {
                random ^= random << 13;
                random ^= random >> 7;
                random ^= random << 17;
                env.timeout(Duration::from_nanos(1 + (random >> 32) % 1000)).await;
            }
        });
    }
    // Warm: every process has started, and waits.
    for _ in 0..processes * 3 {
        env.step()?;
    }
    // A process has a timeout every 500.5 units in the mean.
    let units = (events * 1001).div_ceil(processes * 2);
    let (steps, begin) = (env.steps(), cpu());
    env.run_until(Duration::from_nanos(units))?;
    let cost = cpu() - begin;
    Ok(cost as f64 / (env.steps() - steps) as f64)
}

/// This thread's CPU time in ns where the system tells it, or else the time of day.
#[expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
fn cpu() -> u64 {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    told.and_then(|text| text.split(' ').next()?.parse().ok())
        .unwrap_or_else(|| {
            let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
            since.map_or(0, |since| since.as_nanos() as u64)
        })
}
