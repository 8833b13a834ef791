//! Deleting instances.

use std::sync::Arc;

use super::{answer, link, texts};
use crate::controller::World;
use crate::{Fault, InstanceId, Value};

/// `delete_instance(link)`: runs the destructor, not the exit actions. Refused while the instance has links in any
/// association but `parent`, or if somebody must keep it.
pub(super) fn delete(world: &mut World, from: InstanceId, subject: &Value) -> Result<(), Fault> {
    for text in texts(subject)? {
        let found = link::find(world, from, &text)?;
        let mut links = Vec::new();
        for one in &found {
            check(world, one)?;
            let instance = world.instances.get(&one.instance);
            let linked_by = instance.into_iter().flat_map(|instance| instance.linked_by.keys());
            // Links of instances that go themselves don't count.
            links.extend(
                linked_by
                    .filter(|(owner, ..)| !found.iter().any(|other| other.instance == *owner))
                    .copied(),
            );
        }
        link::may_remove(world, &links)?;
        for one in found {
            remove(world, one.instance);
        }
        answer(world, from, "instance_deleted", text);
    }
    Ok(())
}

fn check(world: &World, found: &link::Found) -> Result<(), Fault> {
    let (Some(instance), Some(class)) = (world.instances.get(&found.instance), world.class_of(found.instance)) else {
        return Ok(());
    };
    let described = class.associations.iter().zip(&instance.links);
    for (association, links) in described {
        if &*association.name != "parent" && !links.targets.is_empty() {
            return Err(Fault::new(format!(
                "`{}` still has links in association `{}`: delete or disassociate them first",
                found.text, association.name
            )));
        }
    }
    Ok(())
}

fn remove(world: &mut World, id: InstanceId) {
    world.destroy(id);
    let Some(instance) = world.instances.get(&id) else {
        return;
    };
    let incoming: Vec<_> = instance.linked_by.keys().copied().collect();
    let outgoing: Vec<_> = instance
        .links
        .iter()
        .enumerate()
        .flat_map(|(association, links)| links.targets.keys().map(move |index| (id, association, *index)))
        .collect();
    for one in incoming.into_iter().chain(outgoing) {
        link::remove(world, one);
    }
    world.forget(id);
}

/// The text of a link for an answer.
pub(super) fn shared(found: &link::Found) -> Arc<str> {
    link::name(found)
}
