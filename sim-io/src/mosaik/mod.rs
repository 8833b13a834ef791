//! Simulators for [mosaik](https://mosaik.offis.de)'s co-simulations: a Rust program that joins a scenario of mosaik 3.
//!
//! ```
//! use sim_io::codec::python::Value;
//! use sim_io::message::Fault;
//! use sim_io::mosaik::{Created, Entity, Inputs, Meta, Model, Mosaik, Outputs, Requested, Simulator};
//!
//! /// Tanks that fill by their inflow.
//! #[derive(Default)]
//! struct Tanks(Vec<f64>);
//!
//! impl Simulator for Tanks {
//!     fn meta(&self) -> Meta {
//!         Meta::time_based().model("Tank", Model::new().param("level").attr("inflow").attr("level"))
//!     }
//!
//!     async fn create(&mut self, _: &Mosaik, asked: Created) -> Result<Vec<Entity>, Fault> {
//!         let level = asked.params.get("level").and_then(Value::as_f64).unwrap_or(0.0);
//!         let from = self.0.len();
//!         self.0.resize(from + asked.number, level);
//!         Ok((from..self.0.len()).map(|tank| Entity::new(format!("tank-{tank}"), asked.model.clone())).collect())
//!     }
//!
//!     async fn step(&mut self, _: &Mosaik, time: i64, inputs: Inputs, _: i64) -> Result<Option<i64>, Fault> {
//!         for (tank, level) in self.0.iter_mut().enumerate() {
//!             *level += inputs.sum(&format!("tank-{tank}"), "inflow");
//!         }
//!         Ok(Some(time + 60))
//!     }
//!
//!     async fn get_data(&mut self, _: &Mosaik, asked: Requested) -> Result<Outputs, Fault> {
//!         let mut outputs = Outputs::new();
//!         for (tank, level) in self.0.iter().enumerate() {
//!             let name = format!("tank-{tank}");
//!             if asked.wants(&name, "level") {
//!                 outputs.set(name, "level", *level);
//!             }
//!         }
//!         Ok(outputs)
//!     }
//! }
//! ```
//!
//! [`connect`] joins a mosaik that has started this program (`cmd` in its configuration of simulators); [`listen`] waits
//! for one that connects (`connect`). Both work on any [`Net`](net_core::Net). While a step is computed, [`Mosaik`] asks and tells
//! mosaik things: its progress, the data of other simulators, events of the outside world.
//!
//! # On the wire
//! The low-level API is a [channel of messages](crate::message) in Python's JSON. A request is `[function, args, kwargs]`:
//! `[0, 3, ["step", [60, {}, 120], {}]]`, answered by `[1, 3, 120]`. A failure is the list of API 3, `[type, message,
//! *traceback lines]`; older mosaiks' texts are understood too.

mod data;
mod handle;
mod meta;
mod serve;

use std::collections::BTreeMap;
use std::future::Future;

pub use data::{Created, Entity, Inputs, Outputs, Requested};
pub use handle::Mosaik;
pub use meta::{Kind, Meta, Model};
pub use serve::{connect, listen, options, serve};

use crate::codec::python::Value;
use crate::message::Fault;

/// A simulator: what mosaik asks of it, in the order in which it asks. The calls come one at a time.
///
/// A method may be an `async fn`; it may wait for timers and sockets, and ask [`Mosaik`] in return. An error that it gives
/// is raised in mosaik, and ends the scenario there.
pub trait Simulator {
    /// What it can do; the answer to `init`, and what the rest of a scenario is checked against.
    fn meta(&self) -> Meta;

    /// The start: the simulator's id in the scenario, how many seconds one step of mosaik's integer time is, and the
    /// parameters of the scenario. Default: takes no parameters. [`meta`](Self::meta) is asked after it.
    fn init(
        &mut self,
        sid: &str,
        time_resolution: f64,
        params: BTreeMap<String, Value>,
    ) -> impl Future<Output = Result<(), Fault>> {
        let _ = (sid, time_resolution);
        let unknown = params.into_keys().next();
        async move {
            match unknown {
                None => Ok(()),
                Some(name) => Err(Fault::new("TypeError", format!("init takes no parameter `{name}`"))),
            }
        }
    }

    /// Makes entities of a model.
    fn create(&mut self, mosaik: &Mosaik, asked: Created) -> impl Future<Output = Result<Vec<Entity>, Fault>>;

    /// The scenario is set up: all entities are made and connected. Default: nothing.
    fn setup_done(&mut self, mosaik: &Mosaik) -> impl Future<Output = Result<(), Fault>> {
        let _ = mosaik;
        async { Ok(()) }
    }

    /// One step: the time, the inputs since the last one, and how far it may go without new inputs. Gives the time of
    /// the next step, or `None` if only an input brings one.
    fn step(
        &mut self,
        mosaik: &Mosaik,
        time: i64,
        inputs: Inputs,
        max_advance: i64,
    ) -> impl Future<Output = Result<Option<i64>, Fault>>;

    /// The values of attributes after a step.
    fn get_data(&mut self, mosaik: &Mosaik, asked: Requested) -> impl Future<Output = Result<Outputs, Fault>>;

    /// The end of the scenario. Default: nothing.
    fn stop(&mut self) -> impl Future<Output = ()> {
        async {}
    }

    /// A method of one's own, named in [`Meta::extra_method`]. Default: there is none.
    fn extra(
        &mut self,
        mosaik: &Mosaik,
        method: &str,
        args: Vec<Value>,
        kwargs: BTreeMap<String, Value>,
    ) -> impl Future<Output = Result<Value, Fault>> {
        let _ = (mosaik, args, kwargs);
        let text = format!("this simulator has no method `{method}`");
        async { Err(Fault::new("AttributeError", text)) }
    }
}
