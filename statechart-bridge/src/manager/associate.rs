//! Links between instances that exist already.

use super::delete::shared;
use super::{link, texts};
use crate::controller::World;
use crate::{Event, Fault, InstanceId, Value};

/// `associate_instance(source, destination)`: the source leads to exactly one instance, the destination to an
/// association, whose full ones are passed over.
pub(super) fn associate(world: &mut World, from: InstanceId, parameters: &[Value]) -> Result<(), Fault> {
    let text = |index: usize, what: &str| {
        let text = parameters.get(index).and_then(Value::as_str);
        text.ok_or_else(|| Fault::new(format!("expected {what} as parameter {}", index + 1)))
    };
    let (source, destination) = (text(0, "a link")?, text(1, "an association")?);
    let sources = link::find(world, from, source)?;
    let [one] = &sources[..] else {
        let count = sources.len();
        return Err(Fault::new(format!(
            "`{source}` leads to {count} instances, expected one"
        )));
    };
    let (path, name) = link::split(destination)?;
    let owners = match path {
        Some(path) => link::find(world, from, path)?
            .into_iter()
            .map(|found| (found.instance, format!("{}/", found.text)))
            .collect(),
        None => vec![(from, String::new())],
    };
    let target = one.instance;
    let mut made = Vec::new();
    for (owner, prefix) in owners {
        let number = link::association(world, owner, name)?;
        check_class(world, owner, number, target)?;
        if let Some(index) = link::add(world, owner, number, target)? {
            made.push(Value::from(format!("{prefix}{name}[{index}]")));
        }
    }
    world.give(from, Event::new("instance_associated").with([Value::from(made)]));
    Ok(())
}

fn check_class(world: &World, owner: InstanceId, number: usize, target: InstanceId) -> Result<(), Fault> {
    let wanted = world.class_of(owner).and_then(|class| class.associations.get(number));
    let (Some(wanted), Some(class)) = (wanted, world.class_of(target)) else {
        return Err(Fault::new("the instance is gone"));
    };
    if class.is_a.contains(&wanted.class) {
        return Ok(());
    }
    Err(Fault::new(format!(
        "association `{}` is for {}, which {} does not inherit from",
        wanted.name,
        world.model.class(wanted.class).name,
        class.name
    )))
}

/// `disassociate_instance(links)`: the instances stay.
pub(super) fn disassociate(world: &mut World, from: InstanceId, subject: &Value) -> Result<(), Fault> {
    let mut found = Vec::new();
    for text in texts(subject)? {
        found.extend(link::find(world, from, &text)?);
    }
    let links: Vec<_> = found
        .iter()
        .map(|found| (found.owner, found.association, found.index))
        .collect();
    link::may_remove(world, &links)?;
    for one in links {
        link::remove(world, one);
    }
    let names: Vec<_> = found.iter().map(|found| Value::Str(shared(found))).collect();
    world.give(from, Event::new("instance_disassociated").with([Value::from(names)]));
    Ok(())
}
