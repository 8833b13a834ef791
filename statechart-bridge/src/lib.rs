//! Statecharts that use sockets by events, after SCCD: class diagrams and statecharts, semantics by choice, in virtual
//! or real time.
//!
//! ```
//! use statechart_bridge::{Event, Value};
//!
//! let event = Event::new("bind_socket").on("socket_out").with([Value::Nil, ("localhost", 8080).into()]);
//! assert_eq!(event.parameter(1).items().map(<[Value]>::len), Some(2));
//! ```
//!
//! # The pieces
//! * [`Event`]: a name, a port, parameters by position; each a [`Value`].
//! * [`Controller`]: what a service on ports needs of whatever runs the charts; [`OutputListener`] gets what charts
//!   raise on outports.
//! * [`Document`]: model files, in SCCD's XML or SCXML.
//! * [`socket`]: the service that lets charts use sockets by events.

#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(
    not(feature = "tracing"),
    allow(unused_variables, reason = "some values are only logged")
)]

#[macro_use]
mod log;
mod controller;
#[cfg(feature = "xml")]
mod draw;
mod event;
mod instance;
mod manager;
mod model;
mod object;
mod ports;
mod report;
mod script;
#[cfg(feature = "xml")]
mod scxml;
mod semantics;
pub mod socket;
mod value;
#[cfg(feature = "xml")]
mod xml;

pub use controller::{Engine, EngineBuilder, EventKey, Limits, OutputQueue, Runtime, RuntimeBuilder, Snapshot};
pub use event::Event;
pub use model::{
    Action, Association, Chart, Class, Method, Model, ModelBuilder, ModelError, Problem, Raise, Scope, State,
    Transition,
};
pub use object::Object;
pub use ports::{Controller, Hold, InputError, InstanceId, Output, OutputListener, SharedController, WeakController};
pub use report::{FaultReport, LogLine, Trace, Traced};
pub use script::{Code, Context, Expression, Fault, Key, Outcome, Place, Run, Script};
pub use semantics::{
    BigStepMaximality, ComboStepMaximality, Concurrency, InputEventLifeline, InternalEventLifeline, Priority,
    Semantics, UnknownOption,
};
pub use value::{Map, Value};
#[cfg(feature = "xml")]
#[cfg_attr(docsrs, doc(cfg(feature = "xml")))]
pub use xml::{Document, TestReport};
