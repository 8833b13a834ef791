//! What comes in, and whom it is for.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::World;
use crate::controller::route::Recipients;
use crate::few::Few;
use crate::instance::{Life, Queued};
use crate::model::compiled::{ClassId, EventId};
use crate::report::FaultReport;
use crate::{BigStepMaximality, Event, Fault, InputError, InstanceId, Value};

impl World {
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
        let number = self.next_number();
        self.push(to, Queued::internal(id, event, number));
    }

    /// Gives an event without port to all, or all but one.
    pub(crate) fn give_all(&mut self, event: &Event, except: Option<InstanceId>) {
        let id = self.model.events.id(event.name());
        let number = self.next_number();
        self.give_interested(Queued::internal(id, event.clone(), number), event, except);
    }

    /// Gives an event to all that it may matter to, or all but one.
    pub(super) fn give_interested(&mut self, queued: Queued, event: &Event, except: Option<InstanceId>) {
        let to = self.interested(queued.id, event);
        self.keep_for_others(&queued, event, except);
        for instance in to.into_iter().filter(|instance| Some(*instance) != except) {
            self.push(instance, queued.clone());
        }
    }

    pub(super) fn next_number(&mut self) -> u64 {
        self.number += 2;
        self.number
    }

    /// Keeps an event that went to the holders of an object only: whoever is still at what came before may hold the object
    /// when its turn comes.
    fn keep_for_others(&mut self, queued: &Queued, event: &Event, except: Option<InstanceId>) {
        if self.ready.is_empty() {
            return;
        }
        for class in &self.model.classes {
            let Some(chart) = class.chart.as_ref().filter(|chart| !chart.keys_stay) else {
                continue;
            };
            let Some((key, parameter)) = chart.keyed.get(&queued.id) else {
                continue;
            };
            if let Value::Object(object) = event.parameter(*parameter) {
                let kept = self.under_way.entry((*key, object.clone())).or_default();
                // Several classes may have the attribute.
                if kept.last().is_none_or(|(last, _)| last.number != queued.number) {
                    kept.push((queued.clone(), except));
                }
            }
        }
    }

    /// An instance holds other objects than before: it gets what is under way for them and comes after what it is at.
    #[cold]
    pub(super) fn catch_up(&mut self, id: InstanceId) {
        let Some(instance) = self.instances.get_mut(&id) else {
            return;
        };
        let Some(chart) = &self.model.class(instance.class).chart else {
            return;
        };
        for held in &instance.held {
            for (queued, except) in self.under_way.get(held).into_iter().flatten() {
                let keyed = chart.keyed.get(&queued.id).is_some_and(|(key, _)| *key == held.0);
                let has = instance.queue.iter().any(|other| other.number == queued.number);
                if !keyed || has || queued.number <= instance.seen || *except == Some(id) {
                    continue;
                }
                let later = |other: &Queued| !other.first && other.number > queued.number;
                let at = instance.queue.iter().position(later);
                instance
                    .queue
                    .insert(at.unwrap_or(instance.queue.len()), queued.clone());
            }
        }
    }

    /// The instances that an event may matter to, in the order of their creation.
    pub(super) fn interested(&self, id: EventId, event: &Event) -> Vec<InstanceId> {
        let mut interested = Vec::new();
        for class in &self.model.classes {
            let Some(chart) = &class.chart else {
                continue;
            };
            match self.routes.recipients(&self.model, class.id, id, event) {
                Recipients::All(all) if chart.responds(id) => interested.extend(all),
                Recipients::All(all) => self.unsettled(class.id, all, &mut interested),
                Recipients::Holders(holders, all) => {
                    let of_class = |instance: &&InstanceId| {
                        self.instances
                            .get(*instance)
                            .is_some_and(|instance| instance.class == class.id)
                    };
                    interested.extend(holders.into_iter().flat_map(Few::keys).filter(of_class));
                    if !chart.keys_stay {
                        self.unsettled(class.id, all, &mut interested);
                    }
                }
            }
        }
        interested.sort_unstable();
        interested.dedup();
        interested
    }

    /// Those of a class for which it makes a difference that an event comes, whatever it is: they wait to be started, or
    /// what they can do by themselves comes before what is given to them next.
    fn unsettled(&self, class: ClassId, all: &BTreeSet<InstanceId>, busy: &mut Vec<InstanceId>) {
        let Some(chart) = &self.model.class(class).chart else {
            return;
        };
        // Otherwise all that a big step could do is done in it.
        let stops = chart.semantics.big_step_maximality != BigStepMaximality::TakeMany;
        let is_busy = |id: &&InstanceId| {
            let instance = self.instances.get(*id);
            instance.is_some_and(|instance| {
                let unsettled = instance.is_ready && (stops || instance.machine.restless);
                instance.class == class && (unsettled || instance.life == Life::Created)
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
    pub(super) fn push(&mut self, to: InstanceId, queued: Queued) {
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
        if instance.queue.capacity() == 0
            && let Some(room) = self.rooms.pop()
        {
            instance.queue = room;
        }
        instance.queue.push_back(queued);
        if !instance.is_ready && instance.life == Life::Started {
            instance.is_ready = true;
            self.ready.push(to);
        }
    }
}
