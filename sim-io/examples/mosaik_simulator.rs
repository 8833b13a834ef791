//! A simulator for mosaik 3: the model `Counter`, whose attribute `x` counts one up each step, from the parameter `init`.
//!
//! ```text
//! cargo run -p sim-io --features mosaik --example mosaik_simulator -- 127.0.0.1:5678
//! ```
//!
//! It prints `listening on tcp://HOST:PORT`, with the real port where 0 was asked for, and serves one scenario after the
//! other, each with counters of its own. In the scenario: `{"Counters": {"connect": "127.0.0.1:5678"}}`. With `--once` it
//! ends after the first scenario; with `--connect` it is mosaik's child and connects to that address:
//! `{"Counters": {"cmd": "mosaik_simulator --connect %(addr)s"}}`.

mod mosaik_common;

use std::collections::BTreeMap;
use std::process::ExitCode;

use sim_io::codec::python::Value;
use sim_io::message::Fault;
use sim_io::mosaik::{Created, Entity, Inputs, Meta, Model, Mosaik, Outputs, Requested, Simulator};

/// The most counters of one scenario.
const MOST: usize = 1_000_000;

/// The values of the counters, by entity.
#[derive(Default)]
struct Counters(BTreeMap<String, i64>);

impl Simulator for Counters {
    fn meta(&self) -> Meta {
        Meta::time_based().model("Counter", Model::new().param("init").attr("x"))
    }

    async fn create(&mut self, _: &Mosaik, asked: Created) -> Result<Vec<Entity>, Fault> {
        if asked.model != "Counter" {
            return Err(Fault::new("ValueError", format!("there is no model `{}`", asked.model)));
        }
        if let Some(name) = asked.params.keys().find(|name| *name != "init") {
            return Err(Fault::new("TypeError", format!("Counter has no parameter `{name}`")));
        }
        let init = match asked.params.get("init") {
            None | Some(Value::Null) => 0,
            Some(value) => value
                .as_i64()
                .ok_or_else(|| Fault::new("TypeError", "`init` must be an integer"))?,
        };
        let from = self.0.len();
        if asked.number > MOST - from.min(MOST) {
            return Err(Fault::new("ValueError", format!("no more than {MOST} counters")));
        }
        let entities = (from..from.saturating_add(asked.number)).map(|number| {
            let eid = format!("Counter-{number}");
            self.0.insert(eid.clone(), init);
            Entity::new(eid, "Counter")
        });
        Ok(entities.collect())
    }

    async fn step(&mut self, _: &Mosaik, time: i64, _: Inputs, _: i64) -> Result<Option<i64>, Fault> {
        for x in self.0.values_mut() {
            *x = x.saturating_add(1);
        }
        Ok(Some(time + 1))
    }

    async fn get_data(&mut self, _: &Mosaik, asked: Requested) -> Result<Outputs, Fault> {
        let mut outputs = Outputs::new();
        for (eid, attr) in asked.iter() {
            match (self.0.get(eid), attr) {
                (Some(x), "x") => outputs.set(eid, attr, *x),
                (Some(_), _) => return Err(Fault::new("AttributeError", format!("a Counter has no `{attr}`"))),
                (None, _) => return Err(Fault::new("KeyError", format!("there is no entity `{eid}`"))),
            }
        }
        Ok(outputs)
    }
}

fn main() -> ExitCode {
    let about = "listens there, and offers mosaik the model `Counter`: parameter `init`, attribute `x`";
    mosaik_common::run::<Counters>("mosaik_simulator", about)
}
