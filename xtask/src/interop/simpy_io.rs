//! The original of sim-io's protocols, the Python package mosaik-simpy-io, on either side: packets, messages, calls.

use std::process::Command;

use super::oneline::LIMIT;
use super::world::World;
use crate::Outcome;
use crate::child::{self, Running};

/// The levels of abstraction, as both sides' programs name them.
const LEVELS: [&str; 3] = ["packet", "message", "rpc"];

/// The original's client against our server.
pub(super) fn client(world: &mut World) -> Outcome<String> {
    let peer = world.sim_io_example("protocol_peer")?;
    let mut checks = 0;
    for level in LEVELS {
        let mut server = Running::start(Command::new(&peer).args(["serve", level]))?;
        let line = server.line(LIMIT)?;
        let port = line
            .rsplit_once(':')
            .filter(|_| line.starts_with("listening on "))
            .map(|(_, port)| port.to_owned())
            .ok_or_else(|| format!("our server said `{line}`"))?;
        let mut driver = world.originals()?.driver("simpy_io_client.py", &[level, &port]);
        checks += finished(level, "the original's client", Running::start(&mut driver)?)?;
        finished(level, "our server", server)?;
    }
    Ok(format!("{checks} checks"))
}

/// Our client against the original's server.
pub(super) fn server(world: &mut World) -> Outcome<String> {
    let peer = world.sim_io_example("protocol_peer")?;
    let mut checks = 0;
    for level in LEVELS {
        let mut server = Running::start(&mut world.originals()?.driver("simpy_io_server.py", &[level]))?;
        let line = server.line(LIMIT)?;
        let port = line
            .strip_prefix("port ")
            .ok_or_else(|| format!("the original's server said `{line}`"))?;
        let endpoint = format!("tcp://127.0.0.1:{port}");
        let client = Running::start(Command::new(&peer).args(["connect", level, &endpoint]))?;
        checks += finished(level, "our client", client)?;
        finished(level, "the original's server", server)?;
    }
    Ok(format!("{checks} checks"))
}

/// Waits for a good end; how many lines it printed since it was last asked.
fn finished(level: &str, who: &str, running: Running) -> Outcome<usize> {
    let finished = running
        .finish(LIMIT)
        .map_err(|text| format!("{level}: {who}: {text}"))?;
    if !finished.status.success() {
        return Err(format!(
            "{level}: {who} {}\n{}{}",
            child::ended(finished.status),
            finished.output,
            finished.errors.trim_end()
        ));
    }
    Ok(finished.output.lines().count())
}
