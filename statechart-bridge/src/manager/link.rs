//! Links: `a`, `a[0]`, `a[0]/b[2]/c`. Without an index all instances there are meant.

use std::sync::Arc;

use crate::controller::World;
use crate::{Fault, InstanceId};

/// What a link leads to.
#[derive(Clone, Debug)]
pub(super) struct Found {
    /// Who has the last link, in which association, at which index.
    pub(super) owner: InstanceId,
    pub(super) association: usize,
    pub(super) index: u64,
    pub(super) instance: InstanceId,
    /// The link with all its indices.
    pub(super) text: String,
}

/// A step of a link.
struct Step<'a> {
    name: &'a str,
    index: Option<u64>,
}

fn step(text: &str) -> Result<Step<'_>, Fault> {
    let bad = || Fault::new(format!("link `{text}`: expected `name` or `name[index]`"));
    let (name, index) = match text.strip_suffix(']') {
        Some(rest) => {
            let (name, index) = rest.split_once('[').ok_or_else(bad)?;
            (name, Some(index.trim().parse().map_err(|_| bad())?))
        }
        None => (text, None),
    };
    let name = name.trim();
    if name.is_empty() || name.contains(['[', ']']) {
        return Err(bad());
    }
    Ok(Step { name, index })
}

/// The number of an association of an instance's class.
pub(super) fn association(world: &World, instance: InstanceId, name: &str) -> Result<usize, Fault> {
    let Some(class) = world.class_of(instance) else {
        return Err(Fault::new("the instance is gone"));
    };
    class.association(name).ok_or_else(|| {
        let known: Vec<_> = class.associations.iter().map(|known| &*known.name).collect();
        let expected = if known.is_empty() {
            "it has none".to_owned()
        } else {
            format!("expected one of {}", known.join(", "))
        };
        Fault::new(format!("class {} has no association `{name}`: {expected}", class.name))
    })
}

/// The instances that a link leads to, seen from an instance. An index that is not there any more leads nowhere.
pub(super) fn find(world: &World, from: InstanceId, text: &str) -> Result<Vec<Found>, Fault> {
    let mut found: Vec<(InstanceId, Option<Found>)> = vec![(from, None)];
    for part in text.split('/') {
        let step = step(part.trim())?;
        let mut next = Vec::new();
        for (owner, before) in &found {
            each(world, *owner, &step, |association, index, instance| {
                let prefix = before
                    .as_ref()
                    .map(|found| format!("{}/", found.text))
                    .unwrap_or_default();
                let found = Found {
                    owner: *owner,
                    association,
                    index,
                    instance,
                    text: format!("{prefix}{}[{index}]", step.name),
                };
                next.push((instance, Some(found)));
            })?;
        }
        found = next;
    }
    Ok(found.into_iter().filter_map(|(_, found)| found).collect())
}

/// Only the instances that a link leads to.
pub(super) fn reach(world: &World, from: InstanceId, text: &str) -> Result<Vec<InstanceId>, Fault> {
    let mut reached = vec![from];
    for part in text.split('/') {
        let step = step(part.trim())?;
        let mut next = Vec::new();
        for owner in reached {
            each(world, owner, &step, |_, _, instance| next.push(instance))?;
        }
        reached = next;
    }
    Ok(reached)
}

/// Where a step leads from an instance: association, index, instance.
fn each(
    world: &World,
    owner: InstanceId,
    step: &Step<'_>,
    mut found: impl FnMut(usize, u64, InstanceId),
) -> Result<(), Fault> {
    let number = association(world, owner, step.name)?;
    let Some(links) = world.instances.get(&owner).and_then(|owner| owner.links.get(number)) else {
        return Ok(());
    };
    match step.index {
        // One of thousands, perhaps: not by looking at all.
        Some(index) => {
            if let Some(instance) = links.targets.get(&index) {
                found(number, index, *instance);
            }
        }
        None => {
            for (index, instance) in links.targets.iter() {
                found(number, *index, *instance);
            }
        }
    }
    Ok(())
}

/// Adds a link; nothing if the association is full.
pub(super) fn add(
    world: &mut World,
    owner: InstanceId,
    association: usize,
    target: InstanceId,
) -> Result<Option<u64>, Fault> {
    let max = world
        .class_of(owner)
        .and_then(|class| class.associations.get(association))
        .and_then(|association| association.max);
    let Some(links) = world
        .instances
        .get_mut(&owner)
        .and_then(|owner| owner.links.get_mut(association))
    else {
        return Err(Fault::new("the instance is gone"));
    };
    if max.is_some_and(|max| links.targets.len() >= max) {
        return Ok(None);
    }
    let index = links.next;
    links.next += 1;
    links.targets.insert(index, target);
    if let Some(target) = world.instances.get_mut(&target) {
        target.linked_by.insert((owner, association, index), ());
    }
    Ok(Some(index))
}

/// Whether a link may be taken away: the least must stay.
pub(super) fn may_remove(world: &World, found: &[(InstanceId, usize, u64)]) -> Result<(), Fault> {
    for (owner, association, _) in found {
        let (Some(instance), Some(class)) = (world.instances.get(owner), world.class_of(*owner)) else {
            continue;
        };
        let leaving = found
            .iter()
            .filter(|other| (other.0, other.1) == (*owner, *association))
            .count();
        let (Some(links), Some(described)) = (instance.links.get(*association), class.associations.get(*association))
        else {
            continue;
        };
        if links.targets.len().saturating_sub(leaving) < described.min {
            return Err(Fault::new(format!(
                "association `{}` of {}{owner} must keep at least {}",
                described.name, class.name, described.min
            )));
        }
    }
    Ok(())
}

/// Takes a link away.
pub(super) fn remove(world: &mut World, (owner, association, index): (InstanceId, usize, u64)) {
    let links = world
        .instances
        .get_mut(&owner)
        .and_then(|owner| owner.links.get_mut(association));
    let Some(target) = links.and_then(|links| links.targets.remove(&index)) else {
        return;
    };
    if let Some(target) = world.instances.get_mut(&target) {
        target.linked_by.remove(&(owner, association, index));
    }
}

/// The name of the association and the path before it: `a[0]/b` is `b` of `a[0]`.
pub(super) fn split(text: &str) -> Result<(Option<&str>, &str), Fault> {
    let (path, name) = match text.rsplit_once('/') {
        Some((path, name)) => (Some(path), name),
        None => (None, text),
    };
    let name = name.trim();
    if name.is_empty() || name.contains(['[', ']']) {
        return Err(Fault::new(format!(
            "`{text}`: expected the name of an association at its end, without an index"
        )));
    }
    Ok((path, name))
}

/// As a shared text.
pub(super) fn name(found: &Found) -> Arc<str> {
    found.text.as_str().into()
}
