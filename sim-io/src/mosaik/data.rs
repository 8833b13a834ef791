//! What mosaik sends and gets: entities, inputs, outputs.

use std::collections::BTreeMap;

use serde::de::{Deserialize, Deserializer};
use serde::ser::{Serialize, SerializeMap, SerializeStruct, Serializer};

use crate::codec::python::Value;

/// The entities that mosaik asks for.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Created {
    /// How many.
    pub number: usize,
    /// Of which model.
    pub model: String,
    /// With which parameters.
    pub params: BTreeMap<String, Value>,
}

/// An entity that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entity {
    /// Its name, unique within the simulator.
    pub eid: String,
    /// Its model's name.
    pub model: String,
    /// The names of related entities of this simulator.
    pub rel: Vec<String>,
    /// The entities that it consists of.
    pub children: Vec<Entity>,
}

impl Entity {
    /// An entity without relations and children.
    pub fn new(eid: impl Into<String>, model: impl Into<String>) -> Self {
        Self {
            eid: eid.into(),
            model: model.into(),
            rel: Vec::new(),
            children: Vec::new(),
        }
    }

    /// Adds a related entity.
    #[must_use]
    pub fn related_to(mut self, eid: impl Into<String>) -> Self {
        self.rel.push(eid.into());
        self
    }

    /// Adds a child.
    #[must_use]
    pub fn child(mut self, entity: Self) -> Self {
        self.children.push(entity);
        self
    }
}

impl Serialize for Entity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (rel, children) = (!self.rel.is_empty(), !self.children.is_empty());
        let length = 2 + usize::from(rel) + usize::from(children);
        let mut entity = serializer.serialize_struct("Entity", length)?;
        entity.serialize_field("eid", &self.eid)?;
        entity.serialize_field("type", &self.model)?;
        if rel {
            entity.serialize_field("rel", &self.rel)?;
        }
        if children {
            entity.serialize_field("children", &self.children)?;
        }
        entity.end()
    }
}

type BySource = BTreeMap<String, Value>;

/// The inputs of a step: values by entity, attribute and source. A source is the full name of the entity that a value
/// comes from, such as `Grid-0.bus1`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Inputs {
    entities: BTreeMap<String, BTreeMap<String, BySource>>,
}

impl Inputs {
    /// The values of one attribute of one entity, with their sources.
    pub fn of(&self, eid: &str, attr: &str) -> impl Iterator<Item = (&str, &Value)> {
        let sources = self.entities.get(eid).and_then(|attrs| attrs.get(attr));
        sources.into_iter().flatten().map(|(source, value)| (&**source, value))
    }

    /// The sum of the numbers among them; 0 if there is none.
    pub fn sum(&self, eid: &str, attr: &str) -> f64 {
        self.of(eid, attr).filter_map(|(_, value)| value.as_f64()).sum()
    }

    /// All of them: entity, attribute, source, value.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str, &str, &Value)> {
        self.entities.iter().flat_map(|(eid, attrs)| {
            attrs.iter().flat_map(move |(attr, sources)| {
                sources
                    .iter()
                    .map(move |(source, value)| (&**eid, &**attr, &**source, value))
            })
        })
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }
}

impl<'de> Deserialize<'de> for Inputs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        BTreeMap::deserialize(deserializer).map(|entities| Self { entities })
    }
}

/// Which values mosaik wants: names of attributes by entity.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Requested {
    entities: BTreeMap<String, Vec<String>>,
}

impl Requested {
    /// Whether it wants this attribute of this entity.
    pub fn wants(&self, eid: &str, attr: &str) -> bool {
        let attrs = self.entities.get(eid);
        attrs.is_some_and(|attrs| attrs.iter().any(|known| known == attr))
    }

    /// All of them: entity and attribute.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.entities
            .iter()
            .flat_map(|(eid, attrs)| attrs.iter().map(move |attr| (&**eid, &**attr)))
    }
}

impl<'de> Deserialize<'de> for Requested {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        BTreeMap::deserialize(deserializer).map(|entities| Self { entities })
    }
}

/// Values by entity and attribute.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outputs {
    entities: BTreeMap<String, BTreeMap<String, Value>>,
    time: Option<i64>,
}

impl Outputs {
    /// No values yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a value.
    pub fn set(&mut self, eid: impl Into<String>, attr: impl Into<String>, value: impl Into<Value>) {
        self.entities
            .entry(eid.into())
            .or_default()
            .insert(attr.into(), value.into());
    }

    /// The moment at which the values count, if it is later than the step's: what event-based and hybrid simulators may
    /// say.
    pub fn at(&mut self, time: i64) {
        self.time = Some(time);
    }
}

impl Serialize for Outputs {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let length = self.entities.len() + usize::from(self.time.is_some());
        let mut map = serializer.serialize_map(Some(length))?;
        for (eid, attrs) in &self.entities {
            map.serialize_entry(eid, attrs)?;
        }
        if let Some(time) = self.time {
            map.serialize_entry("time", &time)?;
        }
        map.end()
    }
}
