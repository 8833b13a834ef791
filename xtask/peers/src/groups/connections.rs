//! How the cost of an echo grows with the number of connections, each of which has one line under way.

use super::echo_row;
use crate::Outcome;
use crate::framing::Framing;
use crate::harness::{Comparison, Measure};
use crate::load::pipelined::Shape;
use crate::servers::{blocking, mio_loop, net_core, oneline, tokio_framed, tokio_loop};

const CONNECTIONS: [usize; 4] = [1, 10, 100, 1000];

/// Makes the tables. They promise nothing: with 1000 connections what is in the caches matters more than the code.
///
/// # Errors
/// None.
pub fn build() -> Outcome<Vec<Comparison>> {
    Ok(CONNECTIONS.map(table).into())
}

fn table(connections: usize) -> Comparison {
    let line = Framing::Line;
    let shape = Shape::new(line.example(), connections, 1);
    Comparison {
        name: format!("connections/{connections}"),
        operation: "echo",
        measure: Measure::Cpu,
        about: format!(
            "Echo of 16-byte lines, {connections} connections with 1 in flight on each. Load: one mio thread; both ends \
             on one core; CPU is the server's."
        ),
        rows: vec![
            echo_row("raw mio", mio_loop::echo, line, shape),
            echo_row("net-core, lent frames", net_core::lent, line, shape),
            echo_row("oneline, Handler::command", oneline::command, line, shape),
            echo_row("tokio, hand loop", tokio_loop::lent, line, shape),
            echo_row("tokio Framed, LinesCodec", tokio_framed::send, line, shape),
            echo_row("a thread for each, blocking", blocking::echo, line, shape),
        ],
    }
}
