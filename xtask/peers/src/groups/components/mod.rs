//! Graphs of components: what messages, connections and components cost.

use super::idle;
use crate::Outcome;
use crate::harness::Comparison;

mod pipelines;
mod sockets;
mod waiting;

pub use waiting::{PROCESS, process};

/// Makes the tables.
///
/// # Errors
/// If the limit of open files can't be read.
pub fn build() -> Outcome<Vec<Comparison>> {
    let mut tables = pipelines::tables();
    tables.extend(sockets::tables());
    tables.push(waiting::table());
    tables.push(idle::of_components()?);
    Ok(tables)
}
