//! The five models with each other: the program `matrix` tries all pairs, and its table is shown.

use std::process::Command;
use std::time::Duration;

use super::world::World;
use crate::Outcome;
use crate::child::{self, Running};

/// All pairs, on a busy day; the program itself limits each.
const PATIENCE: Duration = Duration::from_secs(300);

pub(super) fn run(world: &mut World) -> Outcome<String> {
    let program = world.matrix_program()?;
    let finished = Running::start(&mut Command::new(&program))?.finish(PATIENCE)?;
    world.matrix_said(&finished.output);
    if !finished.status.success() {
        return Err(format!(
            "the program {}\n{}{}",
            child::ended(finished.status),
            finished.output,
            finished.errors.trim_end()
        ));
    }
    let last = finished.output.lines().last();
    Ok(last.unwrap_or("it said nothing").to_owned())
}
