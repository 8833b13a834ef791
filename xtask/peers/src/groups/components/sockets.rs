//! What a connection costs while it works: an adapter and an echo, beside tokio alone and the original.

use crate::cpu::Account;
use crate::framing::Framing;
use crate::harness::{Comparison, Effort, Measure, Row};
use crate::load::bulk::Volume;
use crate::load::{echoed, sequential};
use crate::python::KAMAELIA;
use crate::servers::components::{echo, tokio_alone};
use crate::servers::{Echo, Job, Running, agree};
use crate::target::Bound::{AtLeast, AtMost};
use crate::target::Target;

/// What goes to and fro.
const MESSAGE: &[u8] = &[b'x'; 64];
/// One connection. How it is cut into frames is nobody's business here.
const JOB: Job = Job {
    connections: 1,
    framing: Framing::Line,
};
/// By how much the original gets fewer round trips.
const SLOW: u64 = 20;

const TOKIO: &str = "tokio, a task with a buffer";
const OURS: &str = "components, an adapter and an echo";

pub(super) fn tables() -> Vec<Comparison> {
    let conditions = "64 bytes, echoed; one connection, one at a time. Blocking client; both ends on one core; CPU is \
                      the server's.";
    vec![
        Comparison {
            name: "components/echo".into(),
            operation: "round trip",
            measure: Measure::Rate,
            about: conditions.into(),
            rows: vec![
                round_trips(TOKIO, tokio_alone),
                round_trips(OURS, echo)
                    .target(Target::ratio(AtLeast(0.9)))
                    .target(Target::figure(AtLeast(50e3))),
                original(),
            ],
        },
        Comparison {
            name: "components/echo-cpu".into(),
            operation: "round trip",
            measure: Measure::Cpu,
            about: format!("{conditions} The same, by the server's processor time."),
            rows: vec![
                round_trips(TOKIO, tokio_alone),
                round_trips(OURS, echo)
                    .target(Target::ratio(AtMost(1.15)))
                    .target(Target::figure(AtMost(8000.0))),
            ],
        },
        Comparison {
            name: "components/bulk".into(),
            operation: "MB",
            measure: Measure::Rate,
            about:
                "3 x 192 MB to the server and back, on one connection; a thread that writes and one that reads. All on \
                    one core; CPU is all but the reader's."
                    .into(),
            rows: vec![
                bulk(TOKIO, tokio_alone),
                bulk(OURS, echo).target(Target::ratio(AtLeast(0.9))),
            ],
        },
    ]
}

fn round_trips(name: &str, server: Echo) -> Row {
    Row::new(name, move |effort| {
        let running = Running::start(move |door| server(door, JOB))?;
        let (sample, turns) = sequential::run(running.address, MESSAGE, Account::Others, effort)?;
        agree("bytes", turns * MESSAGE.len() as u64, running.finish()?)?;
        Ok(sample)
    })
}

fn bulk(name: &str, server: Echo) -> Row {
    Row::new(name, move |effort| {
        let volume = Volume::of(effort);
        let running = Running::start(move |door| server(door, JOB))?;
        let sample = echoed::run(running.address, volume)?;
        agree("bytes", volume.total(), running.finish()?)?;
        Ok(sample)
    })
}

fn original() -> Row {
    Row::new("Kamaelia 1.14.32, SimpleServer", |effort| {
        let server = KAMAELIA.serve(include_str!("../../../../interop/kamaelia_server.py"))?;
        let port = server.greeting.trim().strip_prefix("port ").unwrap_or_default();
        let address = format!("127.0.0.1:{port}").parse()?;
        let fewer = Effort {
            divisor: effort.divisor * SLOW,
            ..*effort
        };
        Ok(sequential::run(address, MESSAGE, server.account(), &fewer)?.0)
    })
    .after(|| KAMAELIA.prepare())
}
