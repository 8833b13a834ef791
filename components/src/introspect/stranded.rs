//! Components that wait for what will never come: the usual sign of a link from `signal` to `control` that was forgotten.

use std::sync::Arc;

use crate::boxes::AnyNode;
use crate::owner::Owner;
use crate::system::Inner;
use crate::{Direction, Event, Services};

/// Whether a component that runs will get nothing more, and has not been told to end: everything that was linked to its
/// inboxes has gone, nothing leads to its control box, and nothing has ever come there.
pub(crate) fn is_stranded(owner: &Owner, services: &Services) -> bool {
    let Some(control) = owner.control() else { return false };
    let control: Arc<dyn AnyNode> = control;
    let has_said_end = owner.signal().is_some_and(|signal| signal.has_said_end());
    // A chassis ends with its children, and passes on what comes.
    if owner.end().is_some() || owner.has_children() || has_said_end {
        return false;
    }
    if control.is_fed() || control.counts().received > 0 {
        return false;
    }
    let boxes = owner.boxes();
    let mut inboxes = boxes
        .iter()
        .filter(|node| node.direction() == Direction::In && node.number() != control.number())
        .peekable();
    let had_some = inboxes.clone().any(|node| node.was_fed());
    inboxes.peek().is_some() && had_some && inboxes.all(|node| !node.is_fed() && !services.offers(node.number()))
}

/// Says who of these waits in vain from now on.
pub(crate) fn tell_stranded(system: &Inner, fed: &[Arc<Owner>], after: &Arc<str>) {
    for waiting in fed.iter().filter(|other| is_stranded(other, &system.services)) {
        system.tell(&Event::Stranded {
            component: Arc::clone(waiting.name()),
            after: Arc::clone(after),
        });
    }
}

/// The components whose inboxes these outboxes lead to, those of them by which something might still be sent.
pub(crate) fn fed_by(boxes: &[Arc<dyn AnyNode>]) -> Vec<Arc<Owner>> {
    let mut found: Vec<Arc<Owner>> = Vec::new();
    let sending = |node: &&Arc<dyn AnyNode>| node.direction() == Direction::Out && !node.is_spent();
    for node in boxes.iter().filter(sending) {
        let mut end = node.next_node();
        while let Some(next) = end.as_ref().and_then(|node| node.next_node()) {
            end = Some(next);
        }
        let inbox = end.filter(|node| node.direction() == Direction::In);
        if let Some(owner) = inbox.and_then(|node| node.any_owner())
            && !found.iter().any(|known| known.id() == owner.id())
        {
            found.push(owner);
        }
    }
    found
}
