//! Which instances an event from outside can matter to, so that not each of thousands is asked about each event.

use std::collections::{BTreeSet, HashMap};

use crate::instance::Instance;
use crate::model::compiled::{Chart, ClassId, EventId, Model};
use crate::{Event, InstanceId, Object, Value};

/// Instances by class, and by the objects in attributes that transitions compare with parameters.
#[derive(Clone, Debug, Default)]
pub(crate) struct Routes {
    by_class: Vec<BTreeSet<InstanceId>>,
    /// By attribute and object.
    holders: HashMap<(u32, Object), BTreeSet<InstanceId>>,
    /// What each instance is listed under.
    held: HashMap<InstanceId, Vec<(u32, Object)>>,
}

/// Who gets an event.
pub(crate) enum Recipients<'a> {
    /// All of the class.
    All(&'a BTreeSet<InstanceId>),
    /// These of the class; and of all of the class those whose attributes may change before the event is handled.
    Holders(Option<&'a BTreeSet<InstanceId>>, &'a BTreeSet<InstanceId>),
}

impl Routes {
    pub(crate) fn new(classes: usize) -> Self {
        Self {
            by_class: vec![BTreeSet::new(); classes],
            ..Self::default()
        }
    }

    pub(crate) fn add(&mut self, class: ClassId, instance: InstanceId) {
        if let Some(class) = self.by_class.get_mut(class.0 as usize) {
            class.insert(instance);
        }
    }

    pub(crate) fn remove(&mut self, class: ClassId, instance: InstanceId) {
        if let Some(class) = self.by_class.get_mut(class.0 as usize) {
            class.remove(&instance);
        }
        for key in self.held.remove(&instance).unwrap_or_default() {
            self.unlist(key, instance);
        }
    }

    fn unlist(&mut self, key: (u32, Object), instance: InstanceId) {
        if let Some(holders) = self.holders.get_mut(&key) {
            holders.remove(&instance);
            if holders.is_empty() {
                self.holders.remove(&key);
            }
        }
    }

    /// Lists an instance under the objects that it holds now. Called after each of its steps.
    #[inline]
    pub(crate) fn update(&mut self, model: &Model, chart: &Chart, instance: &Instance) {
        if chart.keyed.is_empty() {
            return;
        }
        let class = model.class(instance.class);
        let holds = || {
            chart.keys.iter().filter_map(|key| {
                let value = match class.slot(*key) {
                    Some(slot) => instance.data.slots.get(slot),
                    None => instance.data.others.get(model.keys.name(*key)),
                };
                Some((key.0, value?.as_object()?))
            })
        };
        let before = self.held.get(&instance.id).map_or(&[][..], |held| held);
        if before.iter().map(|(key, object)| (*key, object)).eq(holds()) {
            return;
        }
        let holds: Vec<_> = holds().map(|(key, object)| (key, object.clone())).collect();
        for key in self.held.insert(instance.id, holds.clone()).unwrap_or_default() {
            self.unlist(key, instance.id);
        }
        for key in holds {
            self.holders.entry(key).or_default().insert(instance.id);
        }
    }

    /// Who of a class an event is for.
    pub(crate) fn recipients(&self, model: &Model, class: ClassId, id: EventId, event: &Event) -> Recipients<'_> {
        static NOBODY: BTreeSet<InstanceId> = BTreeSet::new();
        let chart = model.class(class).chart.as_ref();
        let all = self.by_class.get(class.0 as usize).unwrap_or(&NOBODY);
        let Some((key, parameter)) = chart.and_then(|chart| chart.keyed.get(&id)) else {
            return Recipients::All(all);
        };
        match event.parameter(*parameter) {
            Value::Object(object) => Recipients::Holders(self.holders.get(&(key.0, object.clone())), all),
            _ => Recipients::All(all),
        }
    }
}
