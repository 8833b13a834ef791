//! All five models at once, with everything that goes wrong on a network, for as long as one likes.

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use examples::soak::{Settings, run};

/// Runs all five models at once over sockets on 127.0.0.1, each as the client of each, by TCP and TLS, with resets, half
/// closes, slow readers, half messages, floods, rubbish, failing handshakes and reconnects; and pairs of them on simulated
/// networks. A line every 5 s tells how things are.
///
/// At the end the books must be right: what was sent and received, connections, tasks, threads, descriptors; and memory may
/// have grown by a tenth and 16 MiB at most since the end of the warm-up (a fifth of the time, 2 s to 90 s; and
/// everything has happened once).
///
/// Ctrl-C ends it early; the books are closed all the same. Exit code 0: all is right. 1: something is not. 2: the command
/// line was wrong.
#[derive(Parser)]
#[command(name = "soak")]
struct Arguments {
    /// How many minutes it lasts.
    #[arg(long, value_name = "N", default_value_t = 10, conflicts_with = "lasts")]
    minutes: u64,
    /// How long it lasts: `30s`, `5m`, `2h`.
    #[arg(long = "for", value_name = "TIME", value_parser = time)]
    lasts: Option<Duration>,
    /// Where chance begins. The order of things on real sockets is not decided by it.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

fn time(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is no time: write a number and s, m or h, such as `30s`");
    let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(wrong)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => return Err(wrong()),
    };
    let number: u64 = number.parse().map_err(|_| wrong())?;
    Ok(Duration::from_secs(number.saturating_mul(seconds)))
}

/// Opens what the process hears signals by. It stays open for good: before the descriptors are counted, and no leak.
fn hear_signals() -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let hearing = std::pin::pin!(tokio::signal::ctrl_c());
        tokio::select! {
            biased;
            heard = hearing => heard,
            () = std::future::ready(()) => Ok(()),
        }
    })
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let lasts = arguments
        .lasts
        .unwrap_or(Duration::from_secs(arguments.minutes.saturating_mul(60)));
    let settings = Settings {
        lasts,
        seed: arguments.seed,
    };
    println!(
        "soak: {} s, seed {}; Ctrl-C ends it early",
        lasts.as_secs(),
        arguments.seed
    );
    let interrupted = async {
        // Where it can't be heard, the time decides alone.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    if let Err(error) = hear_signals() {
        eprintln!("soak: signals can't be heard: {error}");
        return ExitCode::FAILURE;
    }
    match run(settings, interrupted, |line| println!("{line}")) {
        Ok(report) => {
            print!("{report}");
            let well = report.is_well();
            println!("soak: {}", if well { "all is right" } else { "something is NOT right" });
            if well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("soak: {error}");
            ExitCode::FAILURE
        }
    }
}
