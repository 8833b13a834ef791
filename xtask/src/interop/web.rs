//! What sim-io offers to the programs of others: a simulator for mosaik 3, a chat room over WebSocket, HTTP.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::oneline::{LIMIT, expect};
use super::world::World;
use crate::Outcome;
use crate::child::{self, Running};

/// An example that listens, and its port. Dropping it kills it.
struct Listening {
    _running: Running,
    port: String,
}

fn listening(program: &Path, endpoint: &str) -> Outcome<Listening> {
    let mut running = Running::start(Command::new(program).arg(endpoint))?;
    let line = running.line(LIMIT)?;
    let port = line
        .rsplit_once(':')
        .filter(|_| line.starts_with("listening on tcp://"))
        .map(|(_, port)| port.to_owned())
        .ok_or_else(|| format!("{} said `{line}`", program.display()))?;
    Ok(Listening {
        _running: running,
        port,
    })
}

/// Runs one of our drivers to a good end; how many checks it made.
fn driven(world: &mut World, driver: &str, arguments: &[&str]) -> Outcome<usize> {
    let mut command = world.originals()?.driver(driver, arguments);
    let finished = Running::start(&mut command)?.finish(LIMIT * 3)?;
    if !finished.status.success() {
        return Err(format!(
            "{driver} {}\n{}{}",
            child::ended(finished.status),
            finished.output,
            finished.errors.trim_end()
        ));
    }
    Ok(finished.output.lines().count())
}

/// The channel of mosaik-api-v3 with our message server, failures included.
pub(super) fn mosaik_channel(world: &mut World) -> Outcome<String> {
    let simulator = world.sim_io_example("mosaik_simulator")?;
    let server = listening(&simulator, "127.0.0.1:0")?;
    let address = format!("127.0.0.1:{}", server.port);
    let checks = driven(world, "mosaik_channel.py", &[&address])?;
    Ok(format!("{checks} checks"))
}

/// Scenarios of mosaik 3 which connect to our simulator, and which start it.
pub(super) fn mosaik_scenario(world: &mut World) -> Outcome<String> {
    let simulator = world.sim_io_example("mosaik_simulator")?;
    let server = listening(&simulator, "127.0.0.1:0")?;
    let address = format!("127.0.0.1:{}", server.port);
    let mut checks = driven(world, "mosaik_scenario.py", &["connect", &address])?;
    // Another one, with counters that begin anew.
    checks += driven(world, "mosaik_scenario.py", &["connect", &address])?;
    let command = format!("{} --connect %(addr)s", simulator.display());
    checks += driven(world, "mosaik_scenario.py", &["cmd", &command])?;
    Ok(format!("{checks} checks"))
}

/// Scenarios of mosaik 3 in which a simulator of ours asks mosaik in return.
pub(super) fn mosaik_reverse(world: &mut World) -> Outcome<String> {
    let controller = world.sim_io_example("mosaik_controller")?;
    let server = listening(&controller, "127.0.0.1:0")?;
    let address = format!("127.0.0.1:{}", server.port);
    let checks = driven(world, "mosaik_scenario.py", &["reverse", &address])?;
    Ok(format!("{checks} checks"))
}

/// The package websockets in our chat room.
pub(super) fn chat(world: &mut World) -> Outcome<String> {
    let chat = world.sim_io_example("chat_room")?;
    let room = listening(&chat, "tcp://127.0.0.1:0")?;
    let checks = driven(world, "chat_guests.py", &[&room.port])?;
    Ok(format!("{checks} checks"))
}

/// curl against our HTTP server.
pub(super) fn curl(world: &mut World) -> Outcome<String> {
    let version = child::capture(Command::new("curl").arg("--version"), LIMIT)?;
    let version = version.split_whitespace().nth(1).unwrap_or("unknown").to_owned();
    world.took_part("curl", &version);
    let echo = world.sim_io_example("http_echo")?;
    let server = listening(&echo, "tcp://127.0.0.1:0")?;
    let url = format!("http://127.0.0.1:{}/a?b=c", server.port);
    let curl = |options: &[&str]| {
        let mut command = Command::new("curl");
        // No proxy, whatever the environment says; errors are told.
        command
            .args(["-sS", "--noproxy", "*", "--max-time", "15"])
            .args(options);
        child::capture(&mut command, LIMIT)
    };
    expect("GET", curl(&[&url])?.as_str(), "send me something\n")?;
    expect("POST", curl(&["-d", "h\u{e9}llo", &url])?.as_str(), "h\u{e9}llo")?;
    let told = curl(&["-I", &url])?.to_lowercase();
    for line in ["http/1.1 200 ok", "content-length: 18", "x-asked: head /a?b=c"] {
        expect(&format!("HEAD told `{line}` in {told:?}"), &told.contains(line), &true)?;
    }

    // Large enough for `Expect: 100-continue`; once with its length, once in chunks.
    let large = world.folder().join("large.txt");
    let text = "0123456789abcdef".repeat(1 << 18);
    fs::write(&large, &text).map_err(|error| format!("{}: {error}", large.display()))?;
    let large = format!("@{}", large.display());
    for options in [
        &["--data-binary", &large, &url][..],
        &["--data-binary", &large, "-H", "Transfer-Encoding: chunked", &url],
        &["--data-binary", &large, "-H", "Expect: 100-continue", &url],
        &["--http1.0", "--data-binary", &large, &url],
    ] {
        let back = curl(options)?;
        expect("4 MiB there and back", &(back.len(), back == text), &(text.len(), true))?;
    }

    // Two requests: curl says how many connections it needed for each.
    let count = ["-o", "/dev/null", "-o", "/dev/null", "-w", "%{num_connects} "];
    let kept = curl(&[&count[..], &[&url, &url]].concat())?;
    expect("connections of two requests", kept.trim(), "1 0")?;
    let closed = curl(&[&count[..], &["-H", "Connection: close", &url, &url]].concat())?;
    expect("connections of two requests that close", closed.trim(), "1 1")?;
    Ok("GET, HEAD, POST, chunks, 100-continue, HTTP/1.0, kept connections".into())
}
