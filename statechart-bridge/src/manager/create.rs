//! Creating and starting instances.

use super::{answer, link, texts};
use crate::controller::World;
use crate::model::compiled::ClassId;
use crate::{Fault, InstanceId, Value};

/// `create_instance(association, class?, values…)`: gives the new instance, and its link.
pub(super) fn create(
    world: &mut World,
    from: InstanceId,
    parameters: &[Value],
) -> Result<Option<(InstanceId, String)>, Fault> {
    let made = make(world, from, parameters)?;
    if let Some((_, link)) = &made {
        answer(world, from, "instance_created", link.as_str());
    }
    Ok(made)
}

/// The same, and starts it: its first entry comes before both answers.
pub(super) fn create_and_start(world: &mut World, from: InstanceId, parameters: &[Value]) -> Result<(), Fault> {
    if let Some((instance, link)) = make(world, from, parameters)? {
        world.start_instance(instance);
        answer(world, from, "instance_created", link.as_str());
        answer(world, from, "instance_started", link.as_str());
    }
    Ok(())
}

fn make(world: &mut World, from: InstanceId, parameters: &[Value]) -> Result<Option<(InstanceId, String)>, Fault> {
    let Some(name) = parameters.first().and_then(Value::as_str) else {
        return Err(Fault::new("expected the name of an association as first parameter"));
    };
    let number = link::association(world, from, name)?;
    let class = class(world, from, number, parameters.get(1))?;
    let full = full(world, from, number);
    if full {
        return Err(Fault::new(format!("association `{name}` is full")));
    }
    let values = parameters.get(2..).unwrap_or_default();
    let instance = world.create(class, values)?;
    let Some(index) = link::add(world, from, number, instance)? else {
        return Ok(None);
    };
    // Whoever is created knows its creator, if it has a place for that.
    let parent = world.class_of(instance).and_then(|class| class.association("parent"));
    if let Some(parent) = parent {
        link::add(world, instance, parent, from)?;
    }
    Ok(Some((instance, format!("{name}[{index}]"))))
}

fn full(world: &World, from: InstanceId, number: usize) -> bool {
    let max = world
        .class_of(from)
        .and_then(|class| class.associations.get(number)?.max);
    let links = world
        .instances
        .get(&from)
        .and_then(|instance| instance.links.get(number));
    max.zip(links).is_some_and(|(max, links)| links.targets.len() >= max)
}

/// The class that is asked for: the association's by default, or one that inherits from it.
fn class(world: &World, from: InstanceId, number: usize, given: Option<&Value>) -> Result<ClassId, Fault> {
    let model = &world.model;
    let Some(association) = world.class_of(from).and_then(|class| class.associations.get(number)) else {
        return Err(Fault::new("the instance is gone"));
    };
    let name = match given {
        None | Some(Value::Nil) => return Ok(association.class),
        Some(Value::Str(name)) => name,
        Some(other) => {
            return Err(Fault::new(format!(
                "{other} is a {}, expected the name of a class",
                other.kind()
            )));
        }
    };
    let Some(id) = model.class_ids.get(name).copied() else {
        let known: Vec<_> = model.classes.iter().map(|class| &*class.name).collect();
        return Err(Fault::new(format!(
            "no class `{name}`, expected one of {}",
            known.join(", ")
        )));
    };
    if !model.class(id).is_a.contains(&association.class) {
        return Err(Fault::new(format!(
            "association `{}` is for {}, which {name} does not inherit from",
            association.name,
            model.class(association.class).name
        )));
    }
    Ok(id)
}

/// `start_instance(link)`: without an index all linked. A second start is an error.
pub(super) fn start(world: &mut World, from: InstanceId, subject: &Value) -> Result<(), Fault> {
    for text in texts(subject)? {
        let mut wrong = None;
        for found in link::find(world, from, &text)? {
            if world.start_instance(found.instance) {
                continue;
            }
            wrong = Some(Fault::new(format!("`{}` is started already", found.text)));
        }
        if let Some(wrong) = wrong {
            return Err(wrong);
        }
        answer(world, from, "instance_started", text);
    }
    Ok(())
}
