//! Going on: what is due, and the steps that it makes instances take.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::World;
use crate::controller::schedule::{Raise, What};
use crate::instance::{Environment, Instance, Life, Queued, Stepped};
use crate::manager;
use crate::model::compiled::{Class, EventId, PortId};
use crate::report::{FaultReport, Traced};
use crate::script::{Later, Request};
use crate::{Event, Fault, InstanceId, Output, Scope};

/// How many empty queues are kept to be used again, and of what capacity at most.
const MOST_ROOMS: usize = 256;
const LARGEST_ROOM: usize = 64;

impl World {
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
        // A dispatch may have cancelled some.
        self.schedule.skip_cancelled(valid(&self.instances));
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
        if !self.under_way.is_empty() {
            self.under_way.clear();
        }
        self.schedule.tidy(valid(&self.instances));
        self.schedule.skip_cancelled(valid(&self.instances));
        self.tell_ignored();
    }

    /// Tells the inputs that nobody took. What waits for the start of an instance may be taken yet.
    fn tell_ignored(&mut self) {
        for event in self.watch.ignored() {
            let waits = |id: &InstanceId| {
                let instance = self.instances.get(id);
                instance.is_some_and(|instance| instance.queue.iter().any(|queued| queued.is_of(&event)))
            };
            if !self.unstarted.iter().any(waits) {
                self.reports.ignored(self.now, event);
            }
        }
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
                    number: self.number + 2,
                };
                self.number += 2;
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
        if self.reports.tells_ignored() {
            self.watch.came(&event);
        }
        let id = self.model.events.id(event.name());
        let (port, to) = match self.private.get(event.port()) {
            Some((owner, number)) => {
                let name = self.class_of(*owner).and_then(|class| class.inports.get(*number));
                (name.map_or(PortId::OTHER, |name| self.model.port(name)), Some(*owner))
            }
            None => (self.model.port(event.port()), to),
        };
        let queued = Queued {
            id,
            port,
            event: Some(event.clone()),
            timer: None,
            first: false,
            number: self.next_number(),
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
            return self.push(to, queued);
        }
        self.give_interested(queued, &event, None);
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
            let watched = if self.reports.tells_ignored() {
                due.as_ref().and_then(|due| due.event.clone())
            } else {
                None
            };
            if let Some(due) = &due {
                instance.seen = due.number;
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
                number: self.number,
                work: &mut self.work,
            };
            let stepped = net_core::catch_panic_in(|| instance.big_step(due, &mut environment));
            let spins = instance.spins.1;
            if let Some(chart) = &class.chart
                && self.routes.update(&model, chart, instance)
                && !self.under_way.is_empty()
            {
                self.catch_up(id);
            }
            if let Some(event) = watched
                && !matches!(stepped, Ok(Stepped::Idle))
            {
                self.watch.taken(&event);
            }
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
        let Some(instance) = self.instances.get_mut(&id) else {
            return;
        };
        if instance.queue.is_empty() {
            // Thousands that wait for something need no room for it, each of its own.
            let room = std::mem::take(&mut instance.queue);
            if self.rooms.len() < MOST_ROOMS && room.capacity() <= LARGEST_ROOM {
                self.rooms.push(room);
            }
        } else if !instance.is_ready {
            instance.is_ready = true;
            self.ready.push(id);
        }
    }

    /// The short way: one big step of an instance that has nothing else to do.
    #[inline]
    pub(in crate::controller::engine) fn dispatch(&mut self, to: InstanceId, event: EventId) -> bool {
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
            number: self.number,
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
            number: self.number,
            work: &mut self.work,
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
    pub(super) fn flush(&mut self, id: InstanceId, class: &Class) {
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

/// Tells of each timer whether it still counts.
fn valid(instances: &BTreeMap<InstanceId, Box<Instance>>) -> impl Fn(InstanceId, u32, u64) -> bool {
    |instance, timer, token| {
        let instance = instances.get(&instance);
        instance.is_some_and(|instance| instance.machine.timers.get(timer as usize) == Some(&token))
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
