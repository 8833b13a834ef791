//! A controller for mosaik 3 that asks mosaik in return: which entities it is to watch, how they are, and what they are to
//! do. The model `Controller` watches `level` of each entity of the model `watch` that is connected with it, and gives each
//! back, as `setpoint`, `factor` times as much.
//!
//! ```text
//! cargo run -p sim-io --features mosaik --example mosaik_controller -- 127.0.0.1:5679
//! ```
//!
//! It prints `listening on tcp://HOST:PORT` and takes the same flags as `mosaik_simulator`. In the scenario the watched
//! entities are connected with `async_requests=True`. Its attribute `report` tells what mosaik answered, and `refused` what
//! mosaik did not want to answer.
//!
//! The model `Alarm` has itself woken by events, at `first` and then every `every`: for scenarios in real time
//! (`rt_factor`), the only ones that have events. Its attribute `rung` counts them; it has `refused`, too.

mod mosaik_common;

use std::collections::BTreeMap;
use std::process::ExitCode;

use sim_io::codec::python::Value;
use sim_io::message::{Fault, RequestError};
use sim_io::mosaik::{Created, Entity, Inputs, Kind, Meta, Model, Mosaik, Outputs, Requested, Simulator};

#[derive(Default)]
struct Controllers {
    sid: String,
    /// By entity.
    controllers: BTreeMap<String, Controller>,
    alarms: BTreeMap<String, Alarm>,
}

#[derive(Default)]
struct Controller {
    watch: String,
    factor: f64,
    report: Value,
    refused: Option<String>,
}

#[derive(Default)]
struct Alarm {
    next: i64,
    every: i64,
    rung: i64,
    refused: Option<String>,
}

impl Controllers {
    /// Asks mosaik about the entities that are connected with this one, and gives each its set point.
    async fn control(&self, mosaik: &Mosaik, eid: &str, controller: &Controller) -> Result<Value, RequestError> {
        let own = format!("{}.{eid}", self.sid);
        let progress = mosaik.get_progress().await?;
        let related = mosaik.get_related_entities(Some(&[&own])).await?;
        let Some(Value::Dict(related)) = related.get(&own) else {
            return Ok(Value::Null);
        };
        let is_watched = |what: &Value| what.get("type").and_then(Value::as_str) == Some(&controller.watch);
        let watched = related.iter().filter(|(_, what)| is_watched(what));
        let watched = watched.filter_map(|(name, _)| name.as_str());
        let levels = watched
            .map(|name| (name.to_owned(), vec!["level".to_owned()]))
            .collect();
        let levels = mosaik.get_data(&levels).await?;
        let mut given = Outputs::new();
        let mut seen = Vec::new();
        for (name, attrs) in &levels {
            let level = attrs.get("level").and_then(Value::as_f64).unwrap_or_default();
            given.set(name, "setpoint", level * controller.factor);
            seen.push((name.as_str().into(), Value::from(level)));
        }
        mosaik.set_data(&BTreeMap::from([(own, given)])).await?;
        seen.push(("progress".into(), Value::from(progress)));
        if let Some(Value::Dict(all)) = mosaik.get_related_entities(None).await?.get("nodes") {
            seen.push(("entities".into(), Value::from(all.len() as i64)));
        }
        Ok(Value::Dict(seen))
    }
}

impl Simulator for Controllers {
    fn meta(&self) -> Meta {
        let controller = Model::new()
            .param("watch")
            .param("factor")
            .attr("level")
            .attr("report")
            .attr("refused");
        let alarm = Model::new().param("first").param("every").attr("rung").attr("refused");
        Meta::new(Kind::Hybrid)
            .set_events()
            .model("Controller", controller)
            .model("Alarm", alarm)
    }

    async fn init(&mut self, sid: &str, _: f64, _: BTreeMap<String, Value>) -> Result<(), Fault> {
        sid.clone_into(&mut self.sid);
        Ok(())
    }

    async fn create(&mut self, _: &Mosaik, asked: Created) -> Result<Vec<Entity>, Fault> {
        let param = |name: &str| asked.params.get(name);
        let entities = (0..asked.number).map(|_| {
            let eid = format!("{}-{}", asked.model, self.controllers.len() + self.alarms.len());
            match &*asked.model {
                "Controller" => {
                    let watch = param("watch").and_then(Value::as_str).unwrap_or_default();
                    let controller = Controller {
                        watch: watch.to_owned(),
                        factor: param("factor").and_then(Value::as_f64).unwrap_or(1.0),
                        ..Controller::default()
                    };
                    self.controllers.insert(eid.clone(), controller);
                }
                _ => {
                    let whole = |name: &str| param(name).and_then(Value::as_i64).unwrap_or(1);
                    let alarm = Alarm {
                        next: whole("first"),
                        every: whole("every").max(1),
                        ..Alarm::default()
                    };
                    self.alarms.insert(eid.clone(), alarm);
                }
            }
            Entity::new(eid, &asked.model)
        });
        Ok(entities.collect())
    }

    async fn step(&mut self, mosaik: &Mosaik, time: i64, _: Inputs, _: i64) -> Result<Option<i64>, Fault> {
        let mut reports = Vec::new();
        for (eid, controller) in &self.controllers {
            reports.push((eid.clone(), self.control(mosaik, eid, controller).await));
        }
        for (eid, outcome) in reports {
            let Some(controller) = self.controllers.get_mut(&eid) else {
                continue;
            };
            match outcome {
                Ok(report) => controller.report = report,
                // That mosaik does not want to is no reason to give up; that it is gone is.
                Err(RequestError::Remote(fault)) => controller.refused = Some(fault.to_string()),
                Err(error) => return Err(error.into()),
            }
        }
        for alarm in self.alarms.values_mut() {
            if time >= alarm.next {
                alarm.rung += 1;
                alarm.next = time + alarm.every;
            }
            match mosaik.set_event(alarm.next).await {
                Ok(()) => {}
                Err(RequestError::Remote(fault)) => alarm.refused = Some(fault.to_string()),
                Err(error) => return Err(error.into()),
            }
        }
        // Alarms are woken by events, controllers at each step.
        Ok((!self.controllers.is_empty()).then_some(time + 1))
    }

    async fn get_data(&mut self, _: &Mosaik, asked: Requested) -> Result<Outputs, Fault> {
        let mut outputs = Outputs::new();
        for (eid, attr) in asked.iter() {
            match (self.controllers.get(eid), self.alarms.get(eid), attr) {
                (Some(controller), _, "report") => outputs.set(eid, attr, controller.report.clone()),
                (Some(Controller { refused, .. }), _, "refused") | (_, Some(Alarm { refused, .. }), "refused") => {
                    outputs.set(eid, attr, refused.clone().map_or(Value::Null, Value::from));
                }
                (_, Some(alarm), "rung") => outputs.set(eid, attr, alarm.rung),
                _ => return Err(Fault::new("KeyError", format!("`{eid}` has no `{attr}`"))),
            }
        }
        Ok(outputs)
    }
}

fn main() -> ExitCode {
    let about = "listens there, and offers mosaik the models `Controller` and `Alarm`, which ask mosaik in return";
    mosaik_common::run::<Controllers>("mosaik_controller", about)
}
