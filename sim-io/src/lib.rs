//! SimPy's processes and events in Rust: futures under a virtual clock in integer nanoseconds.
//!
//! ```
//! use std::time::Duration;
//! use sim_io::Environment;
//!
//! let env = Environment::new();
//! for (name, seconds) in [("fast", 1), ("slow", 2)] {
//!     env.named_process(name, {
//!         let env = env.clone();
//!         async move {
//!             loop {
//!                 println!("{} {name}", env.now());
//!                 env.timeout(Duration::from_secs(seconds)).await;
//!             }
//!         }
//!     });
//! }
//! env.run_until(Duration::from_secs(4))?;
//! # Ok::<(), sim_io::RunError>(())
//! ```
//!
//! # The rules
//! What is scheduled happens in the order of (time, [`Priority`], sequence), exactly as in SimPy. One thing happens at
//! a time, with all that it sets going, and nothing runs in between.
//!
//! * A **process** ([`Environment::process`]) is a future, not necessarily `Send`. It starts at the instant at which it
//!   was made, before what else is due. It can be joined, [interrupted](Process::interrupt) and
//!   [killed](Process::kill).
//! * A [`Timeout`] happens after a delay; its place in the order is decided where it is made. Dropping it cancels it.
//! * An [`Event`] happens when somebody says so, with a value or a [`Failure`].
//! * [Conditions](Environment::any_of) wait for all or any of several things.
//! * A failure that nobody waits for stops the run with an error that names who failed: it is never lost. A run until
//!   something that can't happen any more ends with a [`RunError::Deadlock`] that says who waits for what.
//! * [Resources](resources) are what processes share: places, matter and things.
//! * All randomness comes from the environment's seed, and [`Environment::trace_hash`] tells whether two runs were
//!   equal.
//! * A simulated [`network`] gives each of its hosts a [`net_core::Net`], so that programs written for real sockets run
//!   in virtual time.
//!
//! # Clocks and sockets
//! The same processes run against the operating system's sockets; which clock goes with them is said explicitly.
//!
//! | clock | simulated [`network`] | real sockets ([`Environment::net`]) |
//! |---|---|---|
//! | virtual ([`Environment::new`]) | the usual pair: as fast as it can, the same run each time | an error, until [`keep_virtual_time`](Environment::keep_virtual_time) says how long the clock waits for sockets before it jumps |
//! | real ([`Environment::in_real_time`], [`keep_real_time`](Environment::keep_real_time)) | latencies pass on the wall: for demonstrations, or beside real sockets | the usual pair: waits for what is due or ready, whichever is first |
//!
//! ```
//! # #[cfg(feature = "reactor")] {
//! use std::time::Duration;
//! use sim_io::Environment;
//!
//! let env = Environment::in_real_time();
//! let net = env.net(); // or `network.host("client")?.net()`: the rest stays the same
//! let client = env.try_process(async move {
//!     let listener = net.bind(&"tcp://127.0.0.1:0".parse()?).await?;
//!     let stream = net.timeout(Duration::from_secs(5), net.connect(listener.local())).await??;
//!     Ok::<_, net_core::Error>(stream.peer().clone())
//! });
//! println!("connected to {}", env.run_until(&client)?);
//! # }
//! # Ok::<(), sim_io::RunError>(())
//! ```
//!
//! # The levels of a connection
//! Each is built on the one before, works on every [`net_core::Stream`], real or simulated, and needs no environment:
//! the stream itself (bytes), [packets](packet), [messages](message) with a [codec], and remote calls (`rpc`). They speak
//! what simpy.io and mosaik speak. Beside them stand HTTP/1.1 (`http`), `websocket`, and `mosaik`, which makes a Rust
//! program a simulator of mosaik's co-simulations.
//!
//! # Features
//! | feature | default | brings |
//! |---|---|---|
//! | `json` | yes | messages in JSON, by serde_json |
//! | `reactor` | yes | real sockets under the environment |
//! | `python-json` | no | messages in the very JSON of Python |
//! | `msgpack`, `cbor` | no | messages in MessagePack and CBOR |
//! | `rpc` | no | remote calls |
//! | `http` | no | HTTP/1.1, client and server, by hyper |
//! | `websocket` | no | WebSockets, client and server, by tungstenite |
//! | `mosaik` | no | simulators for mosaik 3 |

#![cfg_attr(docsrs, feature(doc_cfg))]
// What is left out can't be linked to.
#![cfg_attr(not(feature = "reactor"), allow(rustdoc::broken_intra_doc_links))]

pub mod codec;
pub mod condition;
mod environment;
mod event;
mod failure;
#[cfg(feature = "http")]
pub mod http;
pub mod message;
#[cfg(feature = "mosaik")]
pub mod mosaik;
pub mod network;
pub mod packet;
mod process;
#[cfg(feature = "reactor")]
pub mod reactor;
pub mod resources;
#[cfg(feature = "rpc")]
pub mod rpc;
mod timeout;
#[cfg(feature = "websocket")]
pub mod websocket;

pub use environment::{Environment, InvalidFactor, Priority, RealTime, Step, Traced, Until};
pub use event::{AlreadyTriggered, Event, Wait};
pub use failure::{Blocked, Failure, RunError};
pub use net_core::Instant;
pub use process::{Interrupted, Killed, NotInterruptible, Process, interruptible};
pub use resources::{
    Container, FilterStore, InvalidAmount, Preempted, PreemptiveResource, PriorityItem, PriorityResource,
    PriorityStore, Resource, Store,
};
pub use timeout::Timeout;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
