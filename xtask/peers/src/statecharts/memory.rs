//! What an instance costs in memory. Each figure comes from a process of its own, since memory that was given back would
//! serve the next: this program again, with a hidden subcommand.

use super::{CROWD, statig};
use crate::{Outcome, limits};
use statechart_bridge::{Document, Engine, Event, Limits};
use std::env;
use std::hint::black_box;
use std::process::{Command, Stdio};

/// The hidden subcommand.
pub const PROCESS: &str = "__statechart-memory";
/// The engine of statechart-bridge.
pub const OURS: &str = "ours";
/// statig.
pub const STATIG: &str = "statig";
/// Instances made before the first reading.
const WARM_UP: usize = 100;

/// Bytes for each of so many instances, from a new process.
///
/// # Errors
/// If it fails.
pub fn measure(whose: &str, count: u64) -> Outcome<f64> {
    let output = Command::new(env::current_exe()?)
        .args([PROCESS, whose, &count.to_string()])
        .stdin(Stdio::null())
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    if output.status.success() {
        Ok(text.trim().parse()?)
    } else {
        Err(String::from_utf8_lossy(&output.stderr).trim().to_owned().into())
    }
}

/// The new process: makes the instances, and prints the figure.
///
/// # Errors
/// If it fails.
pub fn process(whose: &str, count: &str) -> Outcome<()> {
    let count: usize = count.parse()?;
    let bytes = match whose {
        OURS => ours(count)?,
        STATIG => {
            let before = limits::resident()?;
            let machines = black_box(statig::crowd(count));
            let after = limits::resident()?;
            drop(machines);
            after.saturating_sub(before)
        }
        _ => return Err(format!("there is no {whose}").into()),
    };
    println!("{}", bytes as f64 / count as f64);
    Ok(())
}

/// Instances of a class in one engine, each linked to its owner and started.
fn ours(count: usize) -> Outcome<u64> {
    let document = Document::parse("crowd.xml", CROWD)?;
    let mut engine = Engine::builder(document.model()).limits(Limits::default()).build()?;
    engine.start();
    let more = Event::new("more").on("in");
    let mut make = |many: usize| -> Outcome<()> {
        for _ in 0..many {
            engine.input(more.clone())?;
        }
        Ok(())
    };
    make(WARM_UP)?;
    let before = limits::resident()?;
    make(count)?;
    let after = limits::resident()?;
    let there = engine.instances().count();
    if there == 1 + WARM_UP + count {
        Ok(after.saturating_sub(before))
    } else {
        Err(format!("there are {there} instances").into())
    }
}
