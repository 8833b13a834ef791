//! All that can change, kept and put back.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::World;
use crate::controller::Schedule;
use crate::controller::route::Routes;
use crate::instance::Instance;
use crate::model::compiled::Model;
use crate::script::Request;
use crate::{Fault, InstanceId};

/// The state of an [`Engine`](crate::Engine) at one moment: instances, attributes, histories, timers, waiting events.
///
/// Sockets and other objects in it stay the same objects, wherever they are by then.
#[derive(Clone, Debug)]
pub struct Snapshot {
    model: Arc<Model>,
    started: bool,
    now: u64,
    epoch: u64,
    number: u64,
    schedule: Schedule,
    instances: BTreeMap<InstanceId, Box<Instance>>,
    ready: Vec<InstanceId>,
    unstarted: BTreeSet<InstanceId>,
    requests: VecDeque<(InstanceId, Request)>,
    routes: Routes,
    private: HashMap<Arc<str>, (InstanceId, usize)>,
    next_instance: u64,
    next_port: u64,
}

impl Snapshot {
    pub(super) fn of(world: &World) -> Self {
        Self {
            model: Arc::clone(&world.model),
            started: world.started,
            now: world.now,
            epoch: world.epoch,
            number: world.number,
            schedule: world.schedule.clone(),
            instances: world.instances.clone(),
            ready: world.ready.clone(),
            unstarted: world.unstarted.clone(),
            requests: world.requests.clone(),
            routes: world.routes.clone(),
            private: world.private.clone(),
            next_instance: world.next_instance,
            next_port: world.next_port,
        }
    }

    pub(super) fn restore(&self, world: &mut World) -> Result<(), Fault> {
        if !Arc::ptr_eq(&self.model, &world.model) {
            return Err(Fault::new("the snapshot is of another model"));
        }
        world.started = self.started;
        world.now = self.now;
        world.epoch = self.epoch;
        world.number = self.number;
        world.schedule.clone_from(&self.schedule);
        world.instances.clone_from(&self.instances);
        world.ready.clone_from(&self.ready);
        world.unstarted.clone_from(&self.unstarted);
        world.requests.clone_from(&self.requests);
        world.routes.clone_from(&self.routes);
        world.private.clone_from(&self.private);
        world.next_instance = self.next_instance;
        world.next_port = self.next_port;
        Ok(())
    }

    /// When it was taken, in simulated time since the start.
    pub fn time(&self) -> Duration {
        Duration::from_millis(self.now)
    }
}
