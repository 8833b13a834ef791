//! All that an engine has, and how it goes on.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::Limits;
use crate::controller::route::{Recipients, Routes};
use crate::controller::schedule::{Raise, What};
use crate::controller::{Listeners, Schedule};
use crate::instance::{Environment, Instance, Life, Links, Machine, Queued, Stepped};
use crate::manager;
use crate::model::compiled::{BitSet, Class, ClassId, EventId, Method, Model, PortId, StateId};
use crate::report::{FaultReport, Reports, Traced};
use crate::script::{Context, Data, Effects, Later, Request, View};
use crate::{Event, Fault, InputError, InstanceId, Output, Scope, Value};

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
    pub(crate) instances: BTreeMap<InstanceId, Instance>,
    /// Those that are to step.
    pub(super) ready: Vec<InstanceId>,
    pub(super) unstarted: BTreeSet<InstanceId>,
    /// For the object manager.
    pub(super) requests: VecDeque<(InstanceId, Request)>,
    pub(super) routes: Routes,
    /// Private inports: whose, and which of the class.
    pub(super) private: HashMap<Arc<str>, (InstanceId, usize)>,
    pub(super) next_instance: u64,
    pub(super) next_port: u64,
    effects: Effects,
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
            private: HashMap::new(),
            next_instance: 1,
            next_port: 0,
            effects: Effects::default(),
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

    // What comes in.

    pub(crate) fn add_input(&mut self, at: u64, event: Event, to: Option<InstanceId>) -> Result<(), InputError> {
        self.check_port(event.port())?;
        self.schedule_input(at, event, to)
    }

    pub(crate) fn add_broadcast(&mut self, at: u64, event: Event) -> Result<(), InputError> {
        self.schedule_input(at, event.on(""), None)
    }

    fn schedule_input(&mut self, at: u64, event: Event, to: Option<InstanceId>) -> Result<(), InputError> {
        if event.name().is_empty() {
            return Err(InputError::NoName);
        }
        if self.schedule.len() >= self.limits.inputs {
            let limit = self.limits.inputs;
            return Err(InputError::Full { limit });
        }
        self.schedule.input(at, event, to);
        Ok(())
    }

    pub(crate) fn check_port(&self, port: &Arc<str>) -> Result<(), InputError> {
        if self.model.inports.contains(port) || self.private.contains_key(port) {
            return Ok(());
        }
        let known: Vec<_> = self.model.inports.iter().map(|name| &**name).collect();
        let (port, known) = (Arc::clone(port), known.join(", "));
        Err(InputError::NoPort { port, known })
    }

    /// Gives an event without port to one instance.
    pub(crate) fn give(&mut self, to: InstanceId, event: Event) {
        let id = self.model.events.id(event.name());
        self.push(to, Queued::internal(id, event));
    }

    /// Gives an event without port to all, or all but one.
    pub(crate) fn give_all(&mut self, event: &Event, except: Option<InstanceId>) {
        let id = self.model.events.id(event.name());
        let to = self.interested(id, event);
        for instance in to.into_iter().filter(|instance| Some(*instance) != except) {
            self.push(instance, Queued::internal(id, event.clone()));
        }
    }

    /// The instances that an event may matter to, in the order of their creation.
    fn interested(&self, id: EventId, event: &Event) -> Vec<InstanceId> {
        let mut interested = Vec::new();
        for class in &self.model.classes {
            let Some(chart) = &class.chart else {
                continue;
            };
            match self.routes.recipients(&self.model, class.id, id, event) {
                Recipients::All(all) if chart.responds(id) => interested.extend(all),
                Recipients::All(all) => self.busy(class.id, all, &mut interested),
                Recipients::Holders(holders, all) => {
                    let of_class = |instance: &&InstanceId| {
                        self.instances
                            .get(*instance)
                            .is_some_and(|instance| instance.class == class.id)
                    };
                    interested.extend(holders.into_iter().flatten().filter(of_class));
                    if !chart.keys_stay {
                        // Their attributes may be others when they come to this event.
                        self.busy(class.id, all, &mut interested);
                    }
                }
            }
        }
        interested.sort_unstable();
        interested.dedup();
        interested
    }

    /// Those of a class that have something to do before they come to an event of now, or wait to be started.
    fn busy(&self, class: ClassId, all: &BTreeSet<InstanceId>, busy: &mut Vec<InstanceId>) {
        let is_busy = |id: &&InstanceId| {
            let instance = self.instances.get(*id);
            instance.is_some_and(|instance| {
                instance.class == class && (instance.is_ready || instance.life == Life::Created)
            })
        };
        // A few of many, or the other way round: whatever needs fewer looks, or each accepted connection would look at all
        // that there are.
        if all.len() <= self.ready.len() + self.unstarted.len() {
            busy.extend(all.iter().filter(is_busy));
        } else {
            busy.extend(self.ready.iter().chain(&self.unstarted).filter(is_busy));
        }
    }

    #[inline]
    fn push(&mut self, to: InstanceId, queued: Queued) {
        let Some(instance) = self.instances.get_mut(&to) else {
            return;
        };
        match instance.life {
            Life::Halted => return,
            Life::Created | Life::Started => {}
        }
        if instance.queue.len() >= self.limits.queue {
            let limit = self.limits.queue;
            let fault = Fault::new(format!(
                "{limit} events wait already, which is the limit: one was dropped"
            ));
            let class = &self.model.class(instance.class).name;
            self.reports
                .fault(FaultReport::new(self.now, to, class, "queue", fault));
            return;
        }
        instance.queue.push_back(queued);
        if !instance.is_ready && instance.life == Life::Started {
            instance.is_ready = true;
            self.ready.push(to);
        }
    }

    // Instances.

    /// Creates an instance and runs its constructor.
    pub(crate) fn create(&mut self, class: ClassId, arguments: &[Value]) -> Result<InstanceId, Fault> {
        let model = Arc::clone(&self.model);
        let described = model.class(class);
        if let Some(missing) = described.missing.first() {
            let name = &described.name;
            return Err(Fault::new(format!(
                "class {name} has the abstract method `{missing}`: no instance can be created"
            )));
        }
        if self.instances.len() >= self.limits.instances {
            let limit = self.limits.instances;
            return Err(Fault::new(format!(
                "there are {limit} instances already, which is the limit"
            )));
        }
        let id = InstanceId(self.next_instance);
        self.next_instance += 1;
        let mut instance = Instance {
            id,
            class,
            life: Life::Created,
            data: Data {
                slots: vec![Value::Nil; described.attributes.len()],
                ..Data::default()
            },
            machine: Machine::new(described.chart.as_ref()),
            queue: VecDeque::new(),
            is_ready: false,
            links: vec![Links::default(); described.associations.len()],
            linked_by: BTreeSet::new(),
            inports: described.inports.iter().map(|name| self.private_port(name)).collect(),
            outports: described.outports.iter().map(|name| self.private_port(name)).collect(),
            spins: (0, 0),
        };
        let made = construct(&model, &mut instance, arguments, self.now, &mut self.effects);
        if let Err(fault) = made {
            self.effects = Effects::default();
            return Err(fault);
        }
        for (number, name) in instance.inports.iter().enumerate() {
            self.private.insert(Arc::clone(name), (id, number));
        }
        for (id, event) in self.effects.local.drain(..) {
            instance.queue.push_back(Queued::internal(id, event));
        }
        if let Some(chart) = &described.chart {
            self.routes.add(class, id);
            self.routes.update(&model, chart, &instance);
        }
        self.unstarted.insert(id);
        self.instances.insert(id, instance);
        if self.reports.traces() {
            self.reports.trace(self.now, id, &described.name, Traced::Created);
        }
        self.flush(id, described);
        Ok(id)
    }

    /// A name for a port that only one instance has.
    fn private_port(&mut self, name: &str) -> Arc<str> {
        let number = self.next_port;
        self.next_port += 1;
        format!("private_{number}_{name}").into()
    }

    /// Enters the first states of an instance; false if it is started already, or gone.
    pub(crate) fn start_instance(&mut self, id: InstanceId) -> bool {
        let model = Arc::clone(&self.model);
        let Some(instance) = self.instances.get_mut(&id) else {
            return false;
        };
        if instance.life != Life::Created {
            return false;
        }
        instance.life = Life::Started;
        self.unstarted.remove(&id);
        let class = model.class(instance.class);
        if self.reports.traces() {
            self.reports.trace(self.now, id, &class.name, Traced::Started);
        }
        let mut environment = Environment {
            model: &model,
            effects: &mut self.effects,
            schedule: &mut self.schedule,
            reports: &mut self.reports,
            now: self.now,
            behind: self.clock.saturating_sub(self.now),
            most_small_steps: self.limits.small_steps,
        };
        let entered = net_core::catch_panic_in(|| instance.enter(&mut environment));
        if !instance.is_ready {
            instance.is_ready = true;
            self.ready.push(id);
        }
        self.flush(id, class);
        if let Err(panic) = entered {
            self.halt(id, Fault::new(panic.to_string()));
        }
        true
    }

    /// Runs the destructors of an instance. It is there until it is forgotten.
    pub(crate) fn destroy(&mut self, id: InstanceId) {
        let model = Arc::clone(&self.model);
        let Some(instance) = self.instances.get_mut(&id) else {
            return;
        };
        let class = model.class(instance.class);
        for destructor in &class.destructors {
            let result = call(&model, instance, destructor, &[], self.now, &mut self.effects);
            if let Err(fault) = result {
                let report = FaultReport::new(self.now, id, &class.name, "destructor", fault);
                self.reports.fault(report);
            }
        }
        self.flush(id, class);
    }

    /// Takes an instance out; what is still on its way to it is dropped.
    pub(crate) fn forget(&mut self, id: InstanceId) {
        let Some(instance) = self.instances.remove(&id) else {
            return;
        };
        self.routes.remove(instance.class, id);
        self.unstarted.remove(&id);
        for port in &instance.inports {
            self.private.remove(port);
        }
        for _ in instance.machine.timers.iter().filter(|token| **token != 0) {
            self.schedule.cancelled();
        }
        if self.reports.traces() {
            let class = &self.model.class(instance.class).name;
            self.reports.trace(self.now, id, class, Traced::Deleted);
        }
    }

    /// Stops an instance for good.
    #[cold]
    fn halt(&mut self, id: InstanceId, fault: Fault) {
        let Some(instance) = self.instances.get_mut(&id) else {
            return;
        };
        instance.life = Life::Halted;
        instance.queue.clear();
        let class = &self.model.class(instance.class).name;
        let report = FaultReport::new(self.now, id, class, "halted", fault);
        self.reports.fault(report);
    }

    // Going on.

    /// Starts the instance of the default class.
    pub(crate) fn start(&mut self) {
        if self.started {
            return;
        }
        self.started = true;
        if let Some(first) = self.instances.keys().next().copied() {
            self.start_instance(first);
        }
    }

    /// When something is due next.
    pub(crate) fn next_due(&self) -> Option<u64> {
        if !self.started {
            return None;
        }
        if !self.ready.is_empty() || !self.requests.is_empty() {
            return Some(self.now);
        }
        self.schedule.next().map(|at| at.max(self.now))
    }

    /// Lets time pass, and does all that is due on the way.
    pub(crate) fn run_until(&mut self, to: u64) {
        self.clock = to;
        while self.started {
            match self.next_due() {
                Some(at) if at <= to => {
                    self.set_time(at);
                    self.settle();
                }
                _ => break,
            }
        }
        self.set_time(to);
    }

    fn set_time(&mut self, to: u64) {
        if to > self.now {
            self.now = to;
            self.epoch += 1;
        }
    }

    /// Does all that is due now: round by round the inputs and timers, then the object manager's requests, then a step
    /// for each instance that has something to do, in the order of creation.
    pub(crate) fn settle(&mut self) {
        if !self.started {
            return;
        }
        let mut round = std::mem::take(&mut self.round);
        loop {
            while let Some(what) = self.schedule.pop_due(self.now) {
                self.happen(what);
            }
            while let Some((from, request)) = self.requests.pop_front() {
                manager::handle(self, from, request);
            }
            if self.ready.is_empty() {
                break;
            }
            std::mem::swap(&mut round, &mut self.ready);
            round.sort_unstable();
            for id in round.drain(..) {
                self.step(id);
            }
        }
        self.round = round;
        let instances = &self.instances;
        self.schedule.tidy(|instance, timer, token| {
            let instance = instances.get(&instance);
            instance.is_some_and(|instance| instance.machine.timers.get(timer as usize) == Some(&token))
        });
    }

    fn happen(&mut self, what: What) {
        match what {
            What::Timer { instance, timer, token } => {
                let Some(target) = self.instances.get(&instance) else {
                    return;
                };
                if target.machine.timers.get(timer as usize) != Some(&token) {
                    return;
                }
                let chart = self.model.class(target.class).chart.as_ref();
                let Some(described) = chart.and_then(|chart| chart.timers.get(timer as usize)) else {
                    return;
                };
                let queued = Queued {
                    id: described.event,
                    port: PortId::NONE,
                    event: None,
                    timer: Some((timer, token)),
                    first: false,
                };
                self.push(instance, queued);
            }
            What::Input(event, to) => {
                self.epoch += 1;
                self.route(event, to);
            }
            What::Raise(raise) => self.raise(*raise),
        }
    }

    /// What an instance has raised for this time.
    fn raise(&mut self, raise: Raise) {
        let Raise { from, scope, event, .. } = raise;
        if !self.instances.contains_key(&from) {
            return;
        }
        let request = match scope {
            Scope::Local => return self.give(from, event),
            Scope::Output => return self.tell(from, event),
            Scope::Broad => Request::Broad(event),
            Scope::Narrow(target) => Request::Narrow(target, event),
            Scope::ObjectManager => Request::Named(event),
        };
        self.requests.push_back((from, request));
    }

    /// Raises an event on an outport.
    fn tell(&mut self, id: InstanceId, event: Event) {
        if self.reports.traces() {
            let class = self
                .class_of(id)
                .map(|class| Arc::clone(&class.name))
                .unwrap_or_default();
            self.reports.trace(self.now, id, &class, Traced::Output(event.clone()));
        }
        if !self.listeners.is_empty() {
            let time = Duration::from_millis(self.now);
            let source = id;
            self.listeners.tell(&Output { event, source, time });
        }
    }

    /// What an instance raises later.
    fn postpone(&mut self, from: InstanceId, class: &Class, later: Later) {
        match later {
            Later::Cancel(id) => self.schedule.cancel(from, &id),
            Later::Raise { .. } if self.schedule.len() >= self.limits.inputs => {
                let limit = self.limits.inputs;
                let fault = Fault::new(format!(
                    "{limit} inputs and timers wait already, which is the limit: an event was dropped"
                ));
                self.reports
                    .fault(FaultReport::new(self.now, from, &class.name, "raise", fault));
            }
            Later::Raise {
                after,
                scope,
                event,
                id,
            } => {
                let at = self.now.saturating_add(after);
                self.schedule.raise(at, Raise { from, scope, event, id });
            }
        }
    }

    fn route(&mut self, event: Event, to: Option<InstanceId>) {
        let id = self.model.events.id(event.name());
        let (port, to) = match self.private.get(event.port()) {
            Some((owner, number)) => {
                let name = self.class_of(*owner).and_then(|class| class.inports.get(*number));
                (name.map_or(PortId::OTHER, |name| self.model.port(name)), Some(*owner))
            }
            None => (self.model.port(event.port()), to),
        };
        let queued = |event| Queued {
            id,
            port,
            event: Some(event),
            timer: None,
            first: false,
        };
        // The usual case of one instance needs no search.
        let only = || {
            self.instances
                .keys()
                .next()
                .copied()
                .filter(|_| self.instances.len() == 1)
        };
        if let Some(to) = to.or_else(only) {
            return self.push(to, queued(event));
        }
        for instance in self.interested(id, &event) {
            self.push(instance, queued(event.clone()));
        }
    }

    /// Big steps of one instance until one takes nothing.
    fn step(&mut self, id: InstanceId) {
        let model = Arc::clone(&self.model);
        loop {
            let Some(instance) = self.instances.get_mut(&id) else {
                return;
            };
            instance.is_ready = false;
            if instance.life != Life::Started {
                return;
            }
            let due = next_due(instance);
            if due.is_none() && !instance.machine.restless {
                break;
            }
            if instance.spins.0 == self.epoch {
                instance.spins.1 += 1;
            } else {
                instance.spins = (self.epoch, 0);
            }
            let class = model.class(instance.class);
            let mut environment = Environment {
                model: &model,
                effects: &mut self.effects,
                schedule: &mut self.schedule,
                reports: &mut self.reports,
                now: self.now,
                behind: self.clock.saturating_sub(self.now),
                most_small_steps: self.limits.small_steps,
            };
            let stepped = net_core::catch_panic_in(|| instance.big_step(due, &mut environment));
            if let Some(chart) = &class.chart {
                self.routes.update(&model, chart, instance);
            }
            let spins = instance.spins.1;
            self.flush(id, class);
            match stepped {
                Err(panic) => return self.halt(id, Fault::new(panic.to_string())),
                Ok(Stepped::Endless) => {
                    let most = self.limits.small_steps;
                    let what = format!("more than {most} small steps in one big step: it would never end");
                    return self.halt(id, Fault::new(what));
                }
                Ok(_) if spins > self.limits.big_steps => {
                    let most = self.limits.big_steps;
                    let what = format!("more than {most} big steps without time passing: it would never end");
                    return self.halt(id, Fault::new(what));
                }
                Ok(Stepped::Fired) => {}
                Ok(Stepped::Idle) => break,
            }
        }
        if let Some(instance) = self.instances.get_mut(&id)
            && !instance.queue.is_empty()
            && !instance.is_ready
        {
            instance.is_ready = true;
            self.ready.push(id);
        }
    }

    /// The short way: one big step of an instance that has nothing else to do.
    #[inline]
    pub(super) fn dispatch(&mut self, to: InstanceId, event: EventId) -> bool {
        let Some(instance) = self.instances.get_mut(&to) else {
            return false;
        };
        if instance.life != Life::Started || !instance.queue.is_empty() || instance.machine.restless {
            return false;
        }
        let queued = Queued {
            id: event,
            port: PortId::NONE,
            event: None,
            timer: None,
            first: false,
        };
        self.epoch += 1;
        let mut environment = Environment {
            model: &self.model,
            effects: &mut self.effects,
            schedule: &mut self.schedule,
            reports: &mut self.reports,
            now: self.now,
            behind: self.clock.saturating_sub(self.now),
            most_small_steps: self.limits.small_steps,
        };
        let stepped = net_core::catch_panic_in(|| instance.big_step(Some(queued), &mut environment));
        let more = instance.machine.restless || !instance.queue.is_empty() || !self.effects.is_empty();
        let keyed = self
            .model
            .class(instance.class)
            .chart
            .as_ref()
            .is_some_and(|chart| !chart.keyed.is_empty());
        if more || keyed || !matches!(stepped, Ok(Stepped::Fired | Stepped::Idle)) {
            self.after_dispatch(to, &stepped);
        }
        matches!(stepped, Ok(Stepped::Fired))
    }

    /// All that a dispatched step leaves to be done, if it does.
    fn after_dispatch(&mut self, id: InstanceId, stepped: &net_core::Result<Stepped>) {
        let model = Arc::clone(&self.model);
        let Some(instance) = self.instances.get_mut(&id) else {
            return;
        };
        let class = model.class(instance.class);
        if let Some(chart) = &class.chart {
            self.routes.update(&model, chart, instance);
        }
        if !instance.is_ready {
            instance.is_ready = true;
            self.ready.push(id);
        }
        self.flush(id, class);
        match stepped {
            Err(panic) => self.halt(id, Fault::new(panic.to_string())),
            Ok(Stepped::Endless) => self.halt(id, Fault::new("a big step would never end")),
            Ok(_) => {}
        }
        self.settle();
    }

    /// Sends out what a step raised: first what goes to outports, then what the object manager gets.
    #[inline]
    fn flush(&mut self, id: InstanceId, class: &Class) {
        if self.effects.is_empty() {
            return;
        }
        let mut effects = std::mem::take(&mut self.effects);
        for text in effects.log.drain(..) {
            self.reports.log(self.now, id, text);
        }
        for event in effects.output.drain(..) {
            if self.reports.traces() {
                let what = Traced::Output(event.clone());
                self.reports.trace(self.now, id, &class.name, what);
            }
            if !self.listeners.is_empty() {
                let time = Duration::from_millis(self.now);
                let source = id;
                self.listeners.tell(&Output { event, source, time });
            }
        }
        for request in effects.requests.drain(..) {
            if self.reports.traces()
                && let Request::Named(event) = &request
            {
                let what = Traced::Request(event.clone());
                self.reports.trace(self.now, id, &class.name, what);
            }
            self.requests.push_back((id, request));
        }
        for later in effects.later.drain(..) {
            self.postpone(id, class, later);
        }
        // Nobody is there any more for what a destructor raised for itself.
        effects.local.clear();
        // The buffers are used again.
        self.effects = effects;
    }
}

/// The next event of an instance; timers that were cancelled since are passed over.
#[inline]
fn next_due(instance: &mut Instance) -> Option<Queued> {
    loop {
        let queued = instance.queue.pop_front()?;
        let Some((timer, token)) = queued.timer else {
            return Some(queued);
        };
        let running = instance.machine.timers.get_mut(timer as usize)?;
        if *running == token {
            *running = 0;
            return Some(queued);
        }
    }
}

/// Gives attributes their first values and runs the constructor.
fn construct(
    model: &Model,
    instance: &mut Instance,
    arguments: &[Value],
    now: u64,
    effects: &mut Effects,
) -> Result<(), Fault> {
    let class = model.class(instance.class);
    for (slot, (name, initial)) in class.attributes.iter().enumerate() {
        let value = with_context(model, instance, now, effects, |cx| initial.evaluate(cx)).map_err(|fault| {
            Fault::new(format!("attribute `{name}`: {}", fault.message())).at(fault.place().clone())
        })?;
        if let Some(place) = instance.data.slots.get_mut(slot) {
            *place = value;
        }
    }
    match &class.constructor {
        Some(constructor) => call(model, instance, constructor, arguments, now, effects),
        None if arguments.is_empty() => Ok(()),
        None => {
            let (name, count) = (&class.name, arguments.len());
            Err(Fault::new(format!(
                "class {name} has no constructor, so takes no values, got {count}"
            )))
        }
    }
}

fn call(
    model: &Model,
    instance: &mut Instance,
    method: &Method,
    arguments: &[Value],
    now: u64,
    effects: &mut Effects,
) -> Result<(), Fault> {
    let called = net_core::catch_panic_in(|| {
        with_context(model, instance, now, effects, |cx| {
            cx.invoke(method, arguments).map(drop)
        })
    });
    called.unwrap_or_else(|panic| Err(Fault::new(panic.to_string())))
}

/// Lets code outside of a step see and change an instance.
fn with_context<T>(
    model: &Model,
    instance: &mut Instance,
    now: u64,
    effects: &mut Effects,
    run: impl FnOnce(&mut Context<'_>) -> T,
) -> T {
    let active: &BitSet = &instance.machine.active;
    let mut cx = Context {
        view: View {
            model,
            class: model.class(instance.class),
            active,
            state: StateId::ROOT,
            event: None,
            instance: instance.id,
            now,
            behind: 0,
        },
        data: &mut instance.data,
        effects,
        arguments: &[],
        depth: 0,
    };
    run(&mut cx)
}
