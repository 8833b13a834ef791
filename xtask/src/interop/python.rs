//! Python itself, whose subset the action language of statechart-bridge is: the checked-in table of what Python says to the
//! corpus is what Python says. That the language says the same is a test of the crate.

use std::process::Command;
use std::time::Duration;

use super::world::World;
use crate::Outcome;
use crate::child;
use crate::workspace;

const LIMIT: Duration = Duration::from_secs(60);

pub(super) fn language(world: &mut World) -> Outcome<String> {
    let script = workspace::root().join("statechart-bridge/tests/python/expected.py");
    let said = child::capture(Command::new("python3").arg(script).arg("--check"), LIMIT)?;
    if let Some((version, _)) = said.split_once(':') {
        world.took_part("python3", version);
    }
    Ok(said.trim().to_owned())
}
