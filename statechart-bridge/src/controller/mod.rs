//! Controllers: the engine, which has no clock, and the runtime, which drives it.

mod engine;
mod listeners;
mod outputs;
mod route;
mod runtime;
mod schedule;
mod watch;

pub use engine::{Engine, EngineBuilder, EventKey, Limits, Snapshot};
pub(crate) use engine::{World, milliseconds};
pub(crate) use listeners::{Listeners, WithPorts};
pub use outputs::OutputQueue;
pub use runtime::{Runtime, RuntimeBuilder};
pub(crate) use schedule::Schedule;
