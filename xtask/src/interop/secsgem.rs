//! The original of hsms, the Python package secsgem, in both roles; and its items.
//!
//! It has races, and waits for ever where it meets them: `secsgem_peer.py` names each and goes around it. What that takes
//! of our side is a peer that waits until it is told.

use std::process::Command;
use std::time::Duration;

use super::oneline::{LIMIT, expect};
use super::world::World;
use crate::Outcome;
use crate::child::{self, Finished, Running};

/// It takes 16 s to read 16 MiB where nothing else runs; both directions, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(400);
/// Connections, one after the other.
const ROUNDS: &str = "2";
/// Random items, each way.
const ITEMS: &str = "3000";

/// Its host against our equipment.
pub(super) fn active(world: &mut World) -> Outcome<String> {
    let peer = world.secsgem_peer()?;
    let mut ours = Running::start(Command::new(&peer).args(["serve", ROUNDS]))?;
    let line = ours.line(LIMIT)?;
    let port = line
        .rsplit_once(':')
        .filter(|_| line.starts_with("listening on "))
        .map(|(_, port)| port.to_owned())
        .ok_or_else(|| format!("our equipment said `{line}`"))?;
    let mut driver = world.originals()?.driver("secsgem_peer.py", &["active", &port, ROUNDS]);
    let theirs = Running::start(&mut driver)?;
    both("secsgem's host", theirs, "our equipment", ours)
}

/// Our host against its equipment.
pub(super) fn passive(world: &mut World) -> Outcome<String> {
    let peer = world.secsgem_peer()?;
    let mut driver = world.originals()?.driver("secsgem_peer.py", &["passive", "0", ROUNDS]);
    let mut theirs = Running::start(&mut driver)?;
    let line = theirs.line(LIMIT)?;
    let port = line
        .strip_prefix("port ")
        .ok_or_else(|| format!("secsgem's equipment said `{line}`"))?;
    let endpoint = format!("tcp://127.0.0.1:{port}");
    let mut ours = Running::start(Command::new(&peer).args(["connect", &endpoint, ROUNDS]))?;
    let last = format!("round {ROUNDS}: over");
    let passed_on = loop {
        let passed_on = theirs.line(PATIENCE).and_then(|line| {
            // When our side may select, and when it may connect again.
            let news = line == "connected" || line.ends_with(": over");
            if news && line != last {
                ours.write(&format!("{line}\n"))?;
            }
            Ok(line)
        });
        match passed_on {
            Ok(line) if line == last => break Ok(()),
            Ok(_) => {}
            Err(text) => break Err(text),
        }
    };
    match passed_on {
        Ok(()) => both("our host", ours, "secsgem's equipment", theirs),
        Err(text) => Err(format!(
            "{text}\nour host: {}\nsecsgem's equipment: {}",
            ours.kill(),
            theirs.kill()
        )),
    }
}

/// Random items of its and ours: bytes and texts must be the same on both sides.
pub(super) fn items(world: &mut World) -> Outcome<String> {
    let peer = world.secsgem_peer()?;
    let theirs = made(world.originals()?.driver("secsgem_items.py", &["make", ITEMS]))?;
    same(&peer, &theirs)?;
    let ours = made(Command::new(&peer).args(["make", ITEMS]))?;
    same(&peer, &ours)?;
    let bytes = |text: &str| -> Vec<String> {
        let lines = text.lines().filter_map(|line| line.split('\t').next());
        lines.map(str::to_owned).collect()
    };
    let sent = bytes(&ours);
    let mut reader = world.originals()?.driver("secsgem_items.py", &["read"]);
    let read = through(&mut reader, &(sent.join("\n") + "\n"))?;
    let found = bytes(&read);
    expect("items that secsgem read", &found.len(), &sent.len())?;
    for (sent, found) in sent.iter().zip(&found) {
        expect("what secsgem writes after it read ours", found, sent)?;
    }
    same(&peer, &read)?;
    Ok(format!("{ITEMS} each way"))
}

fn made(mut command: impl std::borrow::BorrowMut<Command>) -> Outcome<String> {
    child::capture(command.borrow_mut(), PATIENCE)
}

/// Lets our side compare bytes and texts.
fn same(peer: &std::path::Path, items: &str) -> Outcome<()> {
    let told = through(Command::new(peer).arg("check"), items)?;
    expect("our check", told.trim(), &*format!("{ITEMS} items are the same"))
}

/// Runs a program that reads all its input.
fn through(command: &mut Command, input: &str) -> Outcome<String> {
    let mut running = Running::start(command)?;
    running.write(input)?;
    good("it", running.finish(PATIENCE)?).map(|finished| finished.output)
}

/// Waits for the good end of both, the one that leaves by itself first; counts what they checked. If one fails, the other
/// may know why.
fn both(first: &str, leaving: Running, second: &str, staying: Running) -> Outcome<String> {
    let finish = |who: &str, running: Running| {
        let finished = running.finish(PATIENCE).and_then(|finished| good("it", finished));
        finished.map_err(|text| format!("{who}: {text}"))
    };
    let left = match finish(first, leaving) {
        Ok(finished) => finished,
        Err(text) => return Err(format!("{text}\n{second}: {}", staying.kill())),
    };
    let stayed = finish(second, staying).map_err(|text| format!("{text}\n{first}: {}{}", left.output, left.errors))?;
    let checks = left.output.lines().count() + stayed.output.lines().count();
    Ok(format!("{ROUNDS} connections, {checks} checks"))
}

fn good(who: &str, finished: Finished) -> Outcome<Finished> {
    if finished.status.success() {
        return Ok(finished);
    }
    let errors = finished.errors.trim_end();
    let how = child::ended(finished.status);
    Err(format!("{who} {how}\n{}{errors}", finished.output))
}
