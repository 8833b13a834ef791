//! The object manager: creates, starts, links and deletes instances when other instances ask for it. What can't be done
//! is answered by an event, and reported; no instance ends because of another's mistake.

mod associate;
mod create;
mod delete;
mod link;

use std::sync::Arc;

use crate::controller::World;
use crate::report::FaultReport;
use crate::script::Request;
use crate::{Event, Fault, InstanceId, Value};

/// The names of the requests, each with that of the event that tells of an error.
const REQUESTS: [(&str, &str); 8] = [
    ("create_instance", "instance_creation_error"),
    ("create_and_start_instance", "instance_creation_error"),
    ("start_instance", "instance_start_error"),
    ("delete_instance", "instance_deletion_error"),
    ("associate_instance", "instance_association_error"),
    ("disassociate_instance", "instance_disassociation_error"),
    ("narrow_cast", "cast_error"),
    ("broad_cast", "cast_error"),
];

/// Does what an instance asked for.
pub(crate) fn handle(world: &mut World, from: InstanceId, request: Request) {
    match request {
        Request::Broad(event) => broad(world, from, &event),
        Request::Narrow(target, event) => {
            if let Err(what) = narrow(world, from, &target, &event) {
                refuse(world, from, "narrow cast", "cast_error", &target, what);
            }
        }
        Request::Named(event) => named(world, from, &event),
    }
}

fn named(world: &mut World, from: InstanceId, event: &Event) {
    let parameters = event.parameters();
    let subject = event.parameter(0).clone();
    let result = match &**event.name() {
        "create_instance" => create::create(world, from, parameters).map(drop),
        "create_and_start_instance" => create::create_and_start(world, from, parameters),
        "start_instance" => create::start(world, from, &subject),
        "delete_instance" => delete::delete(world, from, &subject),
        "associate_instance" => associate::associate(world, from, parameters),
        "disassociate_instance" => associate::disassociate(world, from, &subject),
        "narrow_cast" => {
            inner_event(event.parameter(1), parameters.get(2..)).and_then(|inner| narrow(world, from, &subject, &inner))
        }
        "broad_cast" => inner_event(&subject, parameters.get(1..)).map(|inner| broad(world, from, &inner)),
        other => Err(Fault::new(format!(
            "no request `{other}`, expected one of {}",
            REQUESTS.map(|(name, _)| name).join(", ")
        ))),
    };
    if let Err(what) = result {
        let error = REQUESTS.iter().find(|(name, _)| **name == **event.name());
        let error = error.map_or("object_manager_error", |(_, error)| error);
        refuse(world, from, event.name(), error, &subject, what);
    }
}

/// An event given as a name and parameters.
fn inner_event(name: &Value, parameters: Option<&[Value]>) -> Result<Event, Fault> {
    let Some(name) = name.as_str().filter(|name| !name.is_empty()) else {
        return Err(Fault::new("expected the name of an event"));
    };
    Ok(Event::new(name).with(parameters.unwrap_or_default().iter().cloned()))
}

/// Tells whoever asked that it can't be done: the event has what was asked for, and why not.
fn refuse(world: &mut World, from: InstanceId, request: &str, error: &str, subject: &Value, fault: Fault) {
    let answer = Event::new(error).with([subject.clone(), fault.message().into()]);
    if let Some(instance) = world.instances.get(&from) {
        let class = &world.model.class(instance.class).name;
        let report = FaultReport::new(world.now, from, class, &format!("request {request}"), fault);
        world.reports.fault(report);
    }
    world.give(from, answer);
}

fn answer(world: &mut World, to: InstanceId, name: &str, parameter: impl Into<Value>) {
    world.give(to, Event::new(name).with([parameter.into()]));
}

fn broad(world: &mut World, from: InstanceId, event: &Event) {
    world.give_all(event, Some(from));
}

fn narrow(world: &mut World, from: InstanceId, target: &Value, event: &Event) -> Result<(), Fault> {
    let mut reach = |text: &str| {
        for instance in link::reach(world, from, text)? {
            world.give(instance, event.clone());
        }
        Ok(())
    };
    match target {
        // The usual case, without a list.
        Value::Str(text) => reach(text),
        _ => texts(target)?.iter().try_for_each(|text| reach(text)),
    }
}

/// One link or a list of links.
fn texts(value: &Value) -> Result<Vec<Arc<str>>, Fault> {
    let one = |value: &Value| match value {
        Value::Str(text) => Ok(Arc::clone(text)),
        other => Err(Fault::new(format!(
            "{other} is a {}, expected a link such as \"children[0]\" or a list of links",
            other.kind()
        ))),
    };
    match value.items() {
        Some(items) => items.iter().map(one).collect(),
        None => Ok(vec![one(value)?]),
    }
}
