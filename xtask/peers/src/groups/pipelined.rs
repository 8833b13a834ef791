//! Echo with many frames in flight: what a frame costs when system calls are shared.

use super::echo_row;
use crate::Outcome;
use crate::framing::Framing;
use crate::harness::{Comparison, Measure};
use crate::load::pipelined::Shape;
use crate::servers::{mio_loop, net_core, tokio_framed, tokio_loop};
use crate::target::Bound::AtMost;
use crate::target::Target;

const SEND: &str = "tokio Framed, send per frame";

/// Framing, connections, frames in flight on each.
const CASES: [(Framing, usize, usize); 5] = [
    (Framing::Line, 1, 64),
    (Framing::Line, 100, 16),
    (Framing::Length, 1, 64),
    (Framing::Length, 100, 16),
    (Framing::Line, 100, 1),
];

/// Makes the tables.
///
/// # Errors
/// None.
pub fn build() -> Outcome<Vec<Comparison>> {
    Ok(CASES
        .map(|(framing, connections, window)| table(framing, connections, window))
        .into())
}

fn table(framing: Framing, connections: usize, window: usize) -> Comparison {
    let shape = Shape::new(framing.example(), connections, window);
    let mut lent = echo_row("net-core, lent frames", net_core::lent, framing, shape)
        .target(Target::ratio(AtMost(1.10)))
        .target(Target::allocations(AtMost(0.0)));
    if window >= 16 {
        lent = lent.target(Target::times_better(SEND, 12.0));
    }
    let sender = echo_row("net-core, Sender", net_core::sender, framing, shape)
        .target(Target::ratio(AtMost(1.25)))
        .target(Target::allocations(AtMost(0.0)));
    Comparison {
        name: format!("pipelined/{}-{connections}x{window}", framing.name()),
        operation: "frame",
        measure: Measure::Cpu,
        about: format!(
            "Echo of {}-byte frames, {connections} connections with {window} in flight on each. Load: one mio thread; \
             both ends on one core; CPU is the server's.",
            shape.frame.len()
        ),
        rows: vec![
            echo_row("raw mio", mio_loop::echo, framing, shape),
            lent,
            sender,
            echo_row("net-core, owned frames", net_core::owned, framing, shape),
            echo_row("tokio, hand loop, lent frames", tokio_loop::lent, framing, shape),
            echo_row("tokio, hand loop, split().freeze()", tokio_loop::owned, framing, shape),
            echo_row(
                "tokio Framed, feed, flush when idle",
                tokio_framed::feed,
                framing,
                shape,
            ),
            echo_row(SEND, tokio_framed::send, framing, shape),
        ],
    }
}
