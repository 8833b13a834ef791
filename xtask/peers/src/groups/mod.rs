//! The tables, by name. One file per group; a group makes one table or several.

use crate::Outcome;
use crate::cpu::Account;
use crate::framing::Framing;
use crate::harness::{Comparison, Row};
use crate::load::{pipelined as many, sequential};
use crate::servers::{self, Job, Running, agree};
use crate::sockets;
use crate::target::Bound::{AtLeast, AtMost};
use crate::target::Target;

pub mod accept;
pub mod bulk;
pub mod components;
pub mod connections;
pub mod decode;
pub mod hsms_codec;
pub mod hsms_day;
pub mod hsms_sessions;
pub mod idle;
pub mod instances;
pub mod messages;
pub mod oneline;
pub mod packet_size;
pub mod pipeline_length;
pub mod pipelined;
pub mod real_tcp;
pub mod round_trip;
pub mod statechart;
pub mod switches;
pub mod timeouts;
pub mod virtual_tcp;
pub mod web;

/// A set of tables that is asked for by one name.
#[derive(Clone, Copy, Debug)]
pub struct Group {
    /// The name.
    pub name: &'static str,
    /// What it measures.
    pub about: &'static str,
    /// Makes the tables.
    pub build: fn() -> Outcome<Vec<Comparison>>,
}

/// A group with its tables.
#[derive(Debug)]
pub struct Tables {
    /// The group.
    pub group: Group,
    /// Its tables, in their order.
    pub comparisons: Vec<Comparison>,
}

impl Group {
    /// The group with its tables.
    ///
    /// # Errors
    /// If they can't be made.
    pub fn tables(&self) -> Outcome<Tables> {
        let comparisons = (self.build)().map_err(|error| format!("the group {}: {error}", self.name))?;
        Ok(Tables {
            group: *self,
            comparisons,
        })
    }
}

/// All groups, in the order in which they run.
pub const ALL: &[Group] = &[
    Group {
        name: "round-trip",
        about: "one blocking client, one frame at a time, lines of 16 bytes and HSMS linktests of 14: round trips per second, p50 and p99",
        build: round_trip::build,
    },
    Group {
        name: "pipelined",
        about: "a mio load keeps w frames in flight on each of k connections (kxw) and answers each read with one write: processor time per frame",
        build: pipelined::build,
    },
    Group {
        name: "connections",
        about: "echo on 1 to 1000 connections, one line under way on each",
        build: connections::build,
    },
    Group {
        name: "line-decode",
        about: "cutting lines of 16 bytes to 1 MiB out of a stream, without I/O; net-core reads it through a backend of the benchmark's own",
        build: decode::lines,
    },
    Group {
        name: "length-decode",
        about: "the same with length-prefixed frames of 14 bytes to 1 MiB",
        build: decode::lengths,
    },
    Group {
        name: "bulk",
        about: "3 x 192 MB one way, to the server and from it, in writes of 1 MiB, bare and over TLS 1.3",
        build: bulk::build,
    },
    Group {
        name: "accept",
        about: "3000 connections in waves of 100, closed with RST: processor time per connection",
        build: accept::build,
    },
    Group {
        name: "idle",
        about: "resident memory per connection, 10 000 connections from another process: fresh, and after one echo on each",
        build: idle::build,
    },
    Group {
        name: "oneline",
        about: "one-line commands, 1000 in each write, 64 in flight, one at a time; beside the Python original",
        build: oneline::build,
    },
    Group {
        name: "timeouts",
        about: "processes of a simulation that loop over timeouts, from 1 to 100,000 of them",
        build: timeouts::build,
    },
    Group {
        name: "switches",
        about: "what processes do beside waiting: events, joins, stores, resources, against SimPy",
        build: switches::build,
    },
    Group {
        name: "virtual-tcp",
        about: "a simulated network: round trips and bulk, near and far",
        build: virtual_tcp::build,
    },
    Group {
        name: "real-tcp",
        about: "real sockets under a simulation's environment: round trips and bulk, both ends on one thread",
        build: real_tcp::build,
    },
    Group {
        name: "components",
        about: "a pipeline of three, echo, bulk, idle components and connections, beside channels, actors and the original",
        build: components::build,
    },
    Group {
        name: "pipeline-length",
        about: "pipelines of 3 to 100 components on one thread, beside channels and tasks",
        build: pipeline_length::build,
    },
    Group {
        name: "hsms-frame",
        about: "frames of HSMS, written and read, without I/O",
        build: hsms_codec::frames,
    },
    Group {
        name: "hsms-item",
        about: "items of SECS-II, read and written, without I/O",
        build: hsms_codec::items,
    },
    Group {
        name: "hsms-round-trip",
        about: "sessions of HSMS: requests, echoes, connections, against bare tokio and the Python original",
        build: hsms_sessions::build,
    },
    Group {
        name: "hsms-size",
        about: "texts of 16 bytes to 1 MiB there and back by HSMS, against bare tokio and the Python original",
        build: hsms_sessions::sizes,
    },
    Group {
        name: "hsms-idle",
        about: "memory of a selected session that does nothing, of 10,000 on one listener",
        build: idle::sessions,
    },
    Group {
        name: "hsms-day",
        about: "a simulated day of 1000 HSMS sessions with a Linktest of each every 10 s: seconds of real time",
        build: hsms_day::build,
    },
    Group {
        name: "statechart",
        about: "transitions, memory of instances and connections, HTTP by events; beside statig, Sismic and the original",
        build: statechart::build,
    },
    Group {
        name: "statechart-instances",
        about: "1 to 10,000 statecharts in one engine: a transition, and what an instance takes of the heap",
        build: instances::build,
    },
    Group {
        name: "messages",
        about: "packets and messages, simulated and real: round trips, one at a time and 64 in flight",
        build: messages::build,
    },
    Group {
        name: "packet-size",
        about: "packets of 16 bytes to 1 MiB there and back, simulated and real",
        build: packet_size::build,
    },
    Group {
        name: "web",
        about: "HTTP, HTTPS and WebSocket on a simulated network: round trips on one connection",
        build: web::build,
    },
];

/// A row of an echo server under a load with many frames in flight.
fn echo_row(name: &str, server: servers::Echo, framing: Framing, shape: many::Shape) -> Row {
    Row::new(name, move |effort| {
        let job = Job {
            connections: shape.connections,
            framing,
        };
        let running = Running::start(move |door| server(door, job))?;
        let (sample, frames) = many::run(running.address, &shape, effort)?;
        agree("frames", frames, running.finish()?)?;
        Ok(sample)
    })
}

/// What is promised of one round trip at a time: of the rate, and of the slowest one in a hundred.
fn round_trip_target(row: Row) -> Row {
    row.target(Target::ratio(AtLeast(0.96)))
        .target(Target::extra_ratio("p99", AtMost(1.15)))
}

/// A row of an echo server on a Unix socket under a load with one frame in flight.
fn unix_row(name: &str, server: servers::UnixEcho, framing: Framing) -> Row {
    Row::new(name, move |effort| {
        let job = Job {
            connections: 1,
            framing,
        };
        let running = Running::start(move |door| server(door, job))?;
        let stream = sockets::connect_unix(&running.address)?;
        let (sample, frames) = sequential::run_on(stream, framing.example(), Account::Others, effort)?;
        agree("frames", frames, running.finish()?)?;
        Ok(sample)
    })
}

/// A row of an echo server under a load with one frame in flight.
fn round_trip_row(name: &str, server: servers::Echo, framing: Framing, frame: &'static [u8]) -> Row {
    Row::new(name, move |effort| {
        let running = Running::start(move |door| {
            server(
                door,
                Job {
                    connections: 1,
                    framing,
                },
            )
        })?;
        let (sample, frames) = sequential::run(running.address, frame, Account::Others, effort)?;
        agree("frames", frames, running.finish()?)?;
        Ok(sample)
    })
}
