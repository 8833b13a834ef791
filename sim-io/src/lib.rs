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

pub mod codec;
pub mod condition;
mod environment;
mod event;
mod failure;
pub mod message;
pub mod network;
pub mod packet;
mod process;
#[cfg(feature = "reactor")]
pub mod reactor;
pub mod resources;
#[cfg(feature = "rpc")]
pub mod rpc;
mod timeout;

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
