//! All that an engine has, and how it goes on.

mod inputs;
mod instances;
mod steps;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use super::Limits;
use crate::controller::route::{ByObject, Routes};
use crate::controller::watch::Watch;
use crate::controller::{Listeners, Schedule};
use crate::instance::{Instance, Queued, Work};
use crate::model::compiled::{Class, Model};
use crate::report::Reports;
use crate::script::{Effects, Request};
use crate::{InstanceId, Value};

pub(crate) struct World {
    pub(crate) model: Arc<Model>,
    pub(crate) limits: Limits,
    pub(crate) reports: Reports,
    pub(crate) listeners: Listeners,
    pub(crate) started: bool,
    /// Simulated time: milliseconds since the start.
    pub(crate) now: u64,
    /// Where the clock is.
    pub(crate) clock: u64,
    /// Counts up when time goes on or something comes from outside.
    pub(super) epoch: u64,
    pub(super) schedule: Schedule,
    /// In boxes: half of a tree's room is empty.
    pub(crate) instances: BTreeMap<InstanceId, Box<Instance>>,
    /// Those that are to step.
    pub(super) ready: Vec<InstanceId>,
    pub(super) unstarted: BTreeSet<InstanceId>,
    /// For the object manager.
    pub(super) requests: VecDeque<(InstanceId, Request)>,
    pub(super) routes: Routes,
    /// What was given to the holders of an object and may not be handled yet, with who must not get it. Others may hold
    /// the object when they come to it.
    pub(super) under_way: ByObject<Vec<(Queued, Option<InstanceId>)>>,
    /// The number of the last event that was given to anybody.
    pub(super) number: u64,
    /// Private inports: whose, and which of the class.
    pub(super) private: HashMap<Arc<str>, (InstanceId, usize)>,
    pub(super) next_instance: u64,
    pub(super) next_port: u64,
    effects: Effects,
    work: Work,
    /// Room for events that wait, of instances that have none now.
    rooms: Vec<VecDeque<Queued>>,
    watch: Watch,
    /// For the rounds, used again.
    round: Vec<InstanceId>,
}

impl World {
    pub(super) fn new(model: Arc<Model>, limits: Limits, reports: Reports) -> Self {
        Self {
            limits,
            reports,
            listeners: Listeners::default(),
            started: false,
            now: 0,
            clock: 0,
            epoch: 0,
            schedule: Schedule::default(),
            instances: BTreeMap::new(),
            ready: Vec::new(),
            unstarted: BTreeSet::new(),
            requests: VecDeque::new(),
            routes: Routes::new(model.classes.len()),
            under_way: ByObject::default(),
            number: 0,
            private: HashMap::new(),
            next_instance: 1,
            next_port: 0,
            effects: Effects::default(),
            work: Work::new(&model),
            rooms: Vec::new(),
            watch: Watch::default(),
            round: Vec::new(),
            model,
        }
    }

    pub(crate) fn class_of(&self, instance: InstanceId) -> Option<&Class> {
        let instance = self.instances.get(&instance)?;
        Some(self.model.class(instance.class))
    }

    pub(super) fn attribute(&self, id: InstanceId, name: &str) -> Option<&Value> {
        let instance = self.instances.get(&id)?;
        let slot = self
            .model
            .keys
            .find(name)
            .and_then(|key| self.model.class(instance.class).slot(key));
        match slot {
            Some(slot) => instance.data.slots.get(slot),
            None => instance.data.others.get(name),
        }
    }

    pub(super) fn states(&self, id: InstanceId) -> Vec<String> {
        let chart = self.class_of(id).and_then(|class| class.chart.as_ref());
        let Some((instance, chart)) = self.instances.get(&id).zip(chart) else {
            return Vec::new();
        };
        instance.machine.active.iter().map(|state| chart.path(state)).collect()
    }
}
