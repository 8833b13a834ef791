//! Instances come and go.

use std::collections::VecDeque;
use std::sync::Arc;

use super::World;
use crate::few::Few;
use crate::instance::{Environment, Instance, Life, Links, Machine, Queued};
use crate::model::compiled::{BitSet, ClassId, Method, Model, StateId};
use crate::report::{FaultReport, Traced};
use crate::script::{Context, Data, Effects, View};
use crate::{Fault, InstanceId, Value};

impl World {
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
        let mut instance = Box::new(Instance {
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
            links: vec![Links::default(); described.associations.len()].into(),
            linked_by: Few::None,
            held: Box::default(),
            inports: described.inports.iter().map(|name| self.private_port(name)).collect(),
            outports: described.outports.iter().map(|name| self.private_port(name)).collect(),
            seen: self.number,
            spins: (0, 0),
        });
        let made = construct(&model, &mut instance, arguments, self.now, &mut self.effects);
        if let Err(fault) = made {
            self.effects = Effects::default();
            return Err(fault);
        }
        for (number, name) in instance.inports.iter().enumerate() {
            self.private.insert(Arc::clone(name), (id, number));
        }
        for (id, event) in self.effects.local.drain(..) {
            instance.queue.push_back(Queued::internal(id, event, self.number | 1));
        }
        if let Some(chart) = &described.chart {
            self.routes.add(class, id);
            self.routes.update(&model, chart, &mut instance);
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
            number: self.number,
            work: &mut self.work,
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
        self.routes.remove(&instance);
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
    pub(super) fn halt(&mut self, id: InstanceId, fault: Fault) {
        let Some(instance) = self.instances.get_mut(&id) else {
            return;
        };
        instance.life = Life::Halted;
        instance.queue.clear();
        for token in &mut instance.machine.timers {
            if std::mem::take(token) != 0 {
                self.schedule.cancelled();
            }
        }
        let class = &self.model.class(instance.class).name;
        let report = FaultReport::new(self.now, id, class, "halted", fault);
        self.reports.fault(report);
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
