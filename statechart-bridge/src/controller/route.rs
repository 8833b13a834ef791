//! Which instances an event from outside can matter to, so that not each of thousands is asked about each event.

use std::collections::{BTreeSet, HashMap};
use std::hash::BuildHasherDefault;

use crate::few::Few;
use crate::instance::Instance;
use crate::model::compiled::{Chart, ClassId, EventId, Model};
use crate::model::names::NameHasher;
use crate::script::Key;
use crate::{Event, InstanceId, Object, Value};

/// Something by attribute and object. Nobody outside chooses the numbers that are hashed.
pub(crate) type ByObject<T> = HashMap<(Key, Object), T, BuildHasherDefault<NameHasher>>;

/// Instances by class, and by the objects in attributes that transitions compare with parameters.
#[derive(Clone, Debug, Default)]
pub(crate) struct Routes {
    by_class: Vec<BTreeSet<InstanceId>>,
    /// By attribute and object.
    holders: ByObject<Few<InstanceId>>,
}

/// Who gets an event.
pub(crate) enum Recipients<'a> {
    /// All of the class.
    All(&'a BTreeSet<InstanceId>),
    /// These of the class; and of all of the class those whose attributes may change before the event is handled.
    Holders(Option<&'a Few<InstanceId>>, &'a BTreeSet<InstanceId>),
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

    pub(crate) fn remove(&mut self, instance: &Instance) {
        if let Some(class) = self.by_class.get_mut(instance.class.0 as usize) {
            class.remove(&instance.id);
        }
        self.unlist(instance);
    }

    fn unlist(&mut self, instance: &Instance) {
        for key in &instance.held {
            if let Some(holders) = self.holders.get_mut(key) {
                holders.remove(&instance.id);
                if holders.is_empty() {
                    self.holders.remove(key);
                }
            }
        }
    }

    /// Lists an instance under the objects that it holds now, and tells whether they are others than before. Called after
    /// each of its steps.
    #[inline]
    pub(crate) fn update(&mut self, model: &Model, chart: &Chart, instance: &mut Instance) -> bool {
        if chart.keyed.is_empty() {
            return false;
        }
        let class = model.class(instance.class);
        let holds = || {
            chart.keys.iter().filter_map(|key| {
                let value = match class.slot(*key) {
                    Some(slot) => instance.data.slots.get(slot),
                    None => instance.data.others.get(model.keys.name(*key)),
                };
                Some((*key, value?.as_object()?))
            })
        };
        let before = instance.held.iter();
        if before.map(|(key, object)| (*key, object)).eq(holds()) {
            return false;
        }
        let holds: Box<[_]> = holds().map(|(key, object)| (key, object.clone())).collect();
        self.unlist(instance);
        for key in &holds {
            self.holders.entry(key.clone()).or_default().insert(instance.id, ());
        }
        instance.held = holds;
        true
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
            Value::Object(object) => Recipients::Holders(self.holders.get(&(*key, object.clone())), all),
            _ => Recipients::All(all),
        }
    }
}
