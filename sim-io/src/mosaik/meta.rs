//! What a simulator can do, as mosaik wants to know it.

use std::collections::BTreeMap;

use serde::ser::{Serialize, SerializeStruct, Serializer};

/// The version of mosaik's API that is spoken. Its first number must be mosaik's.
const API_VERSION: &str = "3.0";

/// How a simulator's time goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// Each step says when the next one is; values persist between steps.
    TimeBased,
    /// Inputs make steps.
    EventBased,
    /// Both.
    Hybrid,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::TimeBased => "time-based",
            Self::EventBased => "event-based",
            Self::Hybrid => "hybrid",
        }
    }
}

/// What a simulator can do: its models, and methods of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meta {
    kind: Kind,
    models: BTreeMap<String, Model>,
    extra_methods: Vec<String>,
    set_events: bool,
}

impl Meta {
    /// A simulator of this kind, without models yet.
    pub fn new(kind: Kind) -> Self {
        Self {
            kind,
            models: BTreeMap::new(),
            extra_methods: Vec::new(),
            set_events: false,
        }
    }

    /// A simulator each of whose steps says when the next one is.
    pub fn time_based() -> Self {
        Self::new(Kind::TimeBased)
    }

    /// Adds a model.
    #[must_use]
    pub fn model(mut self, name: impl Into<String>, model: Model) -> Self {
        self.models.insert(name.into(), model);
        self
    }

    /// Adds a method that scenarios may call; see [`Simulator::extra`](super::Simulator::extra).
    #[must_use]
    pub fn extra_method(mut self, name: impl Into<String>) -> Self {
        self.extra_methods.push(name.into());
        self
    }

    /// Says that it asks for steps by [`Mosaik::set_event`](super::Mosaik::set_event).
    #[must_use]
    pub fn set_events(mut self) -> Self {
        self.set_events = true;
        self
    }

    pub(super) fn has_method(&self, name: &str) -> bool {
        self.extra_methods.iter().any(|known| known == name)
    }
}

impl Serialize for Meta {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut meta = serializer.serialize_struct("Meta", 4 + usize::from(self.set_events))?;
        meta.serialize_field("api_version", API_VERSION)?;
        meta.serialize_field("type", self.kind.name())?;
        meta.serialize_field("models", &self.models)?;
        meta.serialize_field("extra_methods", &self.extra_methods)?;
        if self.set_events {
            meta.serialize_field("set_events", &true)?;
        }
        meta.end()
    }
}

/// A model: what its entities are made with, and their attributes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Model {
    public: bool,
    params: Vec<String>,
    attrs: Vec<String>,
    any_inputs: bool,
    trigger: Vec<String>,
    non_persistent: Vec<String>,
}

impl Default for Model {
    fn default() -> Self {
        Self::new()
    }
}

impl Model {
    /// A model that scenarios can make entities of, without parameters and attributes yet.
    pub fn new() -> Self {
        Self {
            public: true,
            params: Vec::new(),
            attrs: Vec::new(),
            any_inputs: false,
            trigger: Vec::new(),
            non_persistent: Vec::new(),
        }
    }

    /// Makes it one that scenarios can't make entities of: its entities are children of others.
    #[must_use]
    pub fn hidden(mut self) -> Self {
        self.public = false;
        self
    }

    /// Adds a parameter of [`create`](super::Simulator::create).
    #[must_use]
    pub fn param(mut self, name: impl Into<String>) -> Self {
        self.params.push(name.into());
        self
    }

    /// Adds an attribute, to be read, written or both.
    #[must_use]
    pub fn attr(mut self, name: impl Into<String>) -> Self {
        self.attrs.push(name.into());
        self
    }

    /// Adds an attribute whose inputs make a step, in a hybrid simulator.
    #[must_use]
    pub fn trigger(mut self, name: impl Into<String>) -> Self {
        let name = name.into();
        self.trigger.push(name.clone());
        self.attr(name)
    }

    /// Adds an attribute whose values count for one moment only, in a hybrid simulator.
    #[must_use]
    pub fn non_persistent(mut self, name: impl Into<String>) -> Self {
        let name = name.into();
        self.non_persistent.push(name.clone());
        self.attr(name)
    }

    /// Takes inputs of any name.
    #[must_use]
    pub fn any_inputs(mut self) -> Self {
        self.any_inputs = true;
        self
    }
}

impl Serialize for Model {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (trigger, momentary) = (!self.trigger.is_empty(), !self.non_persistent.is_empty());
        let length = 3 + usize::from(self.any_inputs) + usize::from(trigger) + usize::from(momentary);
        let mut model = serializer.serialize_struct("Model", length)?;
        model.serialize_field("public", &self.public)?;
        model.serialize_field("params", &self.params)?;
        model.serialize_field("attrs", &self.attrs)?;
        if self.any_inputs {
            model.serialize_field("any_inputs", &true)?;
        }
        if trigger {
            model.serialize_field("trigger", &self.trigger)?;
        }
        if momentary {
            model.serialize_field("non-persistent", &self.non_persistent)?;
        }
        model.end()
    }
}
