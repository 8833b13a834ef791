//! From the description to the tables, with all checks on the way.

mod action;
mod assigned;
mod chart;
mod class;
mod index;

use std::collections::HashMap;
use std::sync::Arc;

use super::builder::ModelBuilder;
use super::class::Class;
use super::compiled::{self, ClassId, EventId, Events, Keys, PortId};
use super::names::Names;
use super::{ModelError, Problem};
use crate::Place;

/// What all parts need while they are compiled.
pub(super) struct Compiler {
    keys: Keys,
    events: Events,
    ports: Names<PortId>,
    class_ids: HashMap<Arc<str>, ClassId>,
    inports: Vec<Arc<str>>,
    problems: Vec<Problem>,
    warnings: Vec<Problem>,
}

impl Compiler {
    fn problem(&mut self, place: &Place, part: impl Into<String>, what: impl Into<String>) {
        self.problems.push(Problem::new(place.clone(), part, what));
    }

    fn warn(&mut self, place: &Place, part: impl Into<String>, what: impl Into<String>) {
        self.warnings.push(Problem::new(place.clone(), part, what));
    }

    fn port(&mut self, name: &Arc<str>) -> PortId {
        // 0 is that of no port.
        let next = PortId(self.ports.len() as u32 + 1);
        *self.ports.entry(Arc::clone(name)).or_insert(next)
    }

    fn event(&mut self, name: &Arc<str>) -> EventId {
        let events = &mut self.events;
        *events.names.entry(Arc::clone(name)).or_insert_with(|| {
            events.count += 1;
            EventId(events.count - 1)
        })
    }

    fn prefix(&mut self, name: &Arc<str>) -> EventId {
        let events = &mut self.events;
        *events.prefixes.entry(Arc::clone(name)).or_insert_with(|| {
            events.count += 1;
            EventId(events.count - 1)
        })
    }
}

pub(super) fn model(builder: ModelBuilder) -> Result<compiled::Model, ModelError> {
    let ModelBuilder {
        name,
        inports,
        outports,
        classes,
        keys,
        warnings,
        ..
    } = builder;
    let mut compiler = Compiler {
        keys,
        events: Events::default(),
        ports: Names::default(),
        class_ids: HashMap::new(),
        inports,
        problems: Vec::new(),
        warnings,
    };
    let no_place = Place::default();
    for (kind, names) in [("inport", compiler.inports.clone()), ("outport", outports.clone())] {
        if let Some(what) = bad_names(&names) {
            compiler.problem(&no_place, kind, what);
        }
    }
    for name in &compiler.inports.clone() {
        compiler.port(name);
    }
    for (number, class) in classes.iter().enumerate() {
        if class.name.is_empty() {
            compiler.problem(&class.place, "class", "a class needs a name");
        }
        let id = ClassId(number as u32);
        if compiler.class_ids.insert(Arc::clone(&class.name), id).is_some() {
            compiler.problem(
                &class.place,
                format!("class {}", class.name),
                "there are two with this name",
            );
        }
    }
    let default_class = default_class(&mut compiler, &classes);
    let events = index::names(&mut compiler, &classes);
    let compiled = class::classes(&mut compiler, &classes, &outports, &events);
    if let Some(default) = compiled.get(default_class.0 as usize)
        && let Some(missing) = default.missing.first()
    {
        let place = classes[default_class.0 as usize].place.clone();
        let what = format!("the default class has the abstract method `{missing}`, so no instance can be created");
        compiler.problem(&place, format!("class {}", default.name), what);
    }
    if !compiler.problems.is_empty() {
        return Err(ModelError(compiler.problems));
    }
    Ok(compiled::Model {
        name,
        classes: compiled,
        class_ids: compiler.class_ids,
        default_class,
        inports: compiler.inports,
        outports,
        ports: compiler.ports,
        keys: compiler.keys,
        events: compiler.events,
        warnings: compiler.warnings,
    })
}

fn default_class(compiler: &mut Compiler, classes: &[Class]) -> ClassId {
    let mut defaults = classes.iter().enumerate().filter(|(_, class)| class.is_default);
    let chosen = match (defaults.next(), defaults.next()) {
        (Some((_, first)), Some((_, second))) => {
            let what = format!(
                "class {} is the default already, expected one default class",
                first.name
            );
            compiler.problem(&second.place, format!("class {}", second.name), what);
            0
        }
        (Some((number, _)), None) => number,
        (None, _) => {
            match classes {
                [_] => {}
                [] => compiler.problem(&Place::default(), "model", "expected a class"),
                [first, ..] => {
                    let what = "none of the classes is the default: expected one of them to be";
                    compiler.problem(&first.place, "model", what);
                }
            }
            0
        }
    };
    ClassId(chosen as u32)
}

/// What is wrong with names that must be different and not empty.
fn bad_names(names: &[Arc<str>]) -> Option<String> {
    names.iter().enumerate().find_map(|(index, name)| {
        if name.is_empty() {
            return Some("expected a name".to_owned());
        }
        names[..index]
            .contains(name)
            .then(|| format!("there are two with the name `{name}`"))
    })
}
