//! Statecharts that use sockets by events, after SCCD: class diagrams and statecharts, semantics by choice, in virtual
//! or real time.
//!
//! ```
//! use std::time::Duration;
//! use statechart_bridge::{Chart, Class, Event, Model, Net, Raise, Runtime, State, Transition};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let lamp = Chart::new()
//!     .initial("off")
//!     .state(State::new("off").transition(Transition::on("press").port("button").to("../on")))
//!     .state(
//!         State::new("on")
//!             .entering(Raise::output("lamp", "lit"))
//!             .exiting(Raise::output("lamp", "dark"))
//!             .transition(Transition::after(Duration::from_secs(30)).to("../off")),
//!     );
//! let model = Model::builder().inport("button").outport("lamp").class(Class::new("Lamp").chart(lamp)).build()?;
//!
//! let runtime = Runtime::new(&model, &Net::os())?; // or the network of a simulated host: then in virtual time
//! let outputs = runtime.output_queue(&["lamp"]);
//! runtime.start()?;
//! runtime.add_input(Event::new("press").on("button"))?;
//! assert_eq!(outputs.next().await.unwrap().to_string(), "0.000 #1 lamp.lit");
//! assert_eq!(outputs.next().await.unwrap().to_string(), "30.000 #1 lamp.dark");
//! runtime.stop();
//! # Ok(()) }
//! ```
//!
//! # The pieces
//! * [`Model`]: classes with charts, described by [`Class`], [`Chart`], [`State`], [`Transition`] and [`Raise`], checked
//!   as a whole, compiled to tables. [`Semantics`] has the options of a chart.
//! * [`Runtime`] runs a model by a clock, as a task, in a thread, or step by step. [`Engine`] is the same without a
//!   clock: for tests, and for hosts that have time of their own. Both can be kept and put back as a [`Snapshot`].
//! * [`Event`]: a name, a port, parameters by position; each a [`Value`].
//! * [`Script`]: what guards and actions are, closures or code of a language; they see their instance by a [`Context`].
//! * [`Controller`]: what a service on ports needs of whatever runs the charts; [`OutputListener`] gets what charts
//!   raise on outports.
//! * [`Document`]: model files, in SCCD's XML or SCXML.
//! * [`socket`]: the service that lets charts use sockets by events.
//!
//! # The object manager
//! What an instance raises with the scope of the object manager ([`Raise::object_manager`], `cd` in SCCD) is a request.
//! The answer is an event without port; so is a mistake, which is told to [`EngineBuilder::on_fault`] too and ends nobody.
//!
//! | request | parameters | answer | mistake: what was asked for, why not |
//! |---|---|---|---|
//! | `create_instance` | association, class (nil: the association's), values for the constructor | `instance_created`(link) | `instance_creation_error` |
//! | `create_and_start_instance` | the same | the same, then `instance_started`(link) | `instance_creation_error` |
//! | `start_instance` | link | `instance_started`(link) | `instance_start_error` |
//! | `delete_instance` | link | `instance_deleted`(link) | `instance_deletion_error` |
//! | `associate_instance` | link to one instance, link ending in an association | `instance_associated`(links) | `instance_association_error` |
//! | `disassociate_instance` | link or list of links | `instance_disassociated`(links) | `instance_disassociation_error` |
//! | a cast: [`Raise::narrow`] | | | `cast_error` |
//! | any other | | | `object_manager_error` |
//!
//! Links are texts: `a`, `a[0]`, `a[0]/b[2]/c`. Without an index all that are linked there are meant. An instance whose
//! own code fails gets the event `execution_error`(what, where).

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
mod few;
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
pub use net_core;
pub use net_core::Net;
pub use object::Object;
pub use ports::{Controller, Hold, InputError, InstanceId, Output, OutputListener, SharedController, WeakController};
pub use report::{FaultReport, Ignored, LogLine, Trace, Traced};
pub use script::{Code, Context, Expression, Fault, Key, Outcome, Place, Run, Script};
pub use semantics::{
    BigStepMaximality, ComboStepMaximality, Concurrency, InputEventLifeline, InternalEventLifeline, Priority,
    Semantics, UnknownOption,
};
pub use value::{Map, Value};
#[cfg(feature = "xml")]
#[cfg_attr(docsrs, doc(cfg(feature = "xml")))]
pub use xml::{Document, TestReport};

#[cfg(all(doctest, feature = "xml", feature = "os"))]
#[doc = include_str!("../README.md")]
struct Readme;
