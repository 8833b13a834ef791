//! One connection, one frame at a time.
//!
//! The cost is two wake-ups and four system calls; there is nothing to be won here, only to be lost.

use super::{round_trip_row, round_trip_target, unix_row};
use crate::Outcome;
use crate::framing::Framing;
use crate::harness::{Comparison, Measure};
use crate::servers::{blocking, mio_loop, net_core, tokio_framed, tokio_loop};

/// Makes the tables.
///
/// # Errors
/// None.
pub fn build() -> Outcome<Vec<Comparison>> {
    let mut tables: Vec<_> = [Framing::Line, Framing::Length].map(table).into();
    tables.push(unix());
    Ok(tables)
}

fn table(framing: Framing) -> Comparison {
    let frame = framing.example();
    let codec = match framing {
        Framing::Line => "tokio Framed, LinesCodec",
        Framing::Length => "tokio Framed, LengthDelimitedCodec",
    };
    Comparison {
        name: format!("round-trip/{}", framing.name()),
        operation: "round trip",
        measure: Measure::Rate,
        about: format!(
            "Frames of {} bytes, echoed. Blocking client; both ends on one core; CPU is the server's.",
            frame.len()
        ),
        rows: vec![
            round_trip_row("raw mio", mio_loop::echo, framing, frame),
            round_trip_target(round_trip_row("net-core, lent frames", net_core::lent, framing, frame)),
            round_trip_row("blocking threads", blocking::echo, framing, frame),
            round_trip_row("tokio, hand loop", tokio_loop::lent, framing, frame),
            round_trip_row(codec, tokio_framed::send, framing, frame),
        ],
    }
}

/// For information: Unix sockets are the faster ones.
fn unix() -> Comparison {
    let framing = Framing::Line;
    Comparison {
        name: "round-trip/unix".into(),
        operation: "round trip",
        measure: Measure::Rate,
        about: "The same with 16-byte lines over a Unix socket.".into(),
        rows: vec![
            unix_row("blocking threads", blocking::echo_unix, framing),
            unix_row("net-core, lent frames", net_core::lent_unix, framing),
            unix_row("tokio, hand loop", tokio_loop::lent_unix, framing),
        ],
    }
}
