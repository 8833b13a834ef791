//! Classes: what they inherit, their attributes, methods and associations.

use std::sync::Arc;

use super::index::Known;
use super::{Compiler, assigned, bad_names, chart};
use crate::model::class::{Class, Inheritance, Method};
use crate::model::compiled::{self, ClassId, EventId, Operand};
use crate::model::names::Names;
use crate::script::Expression;

pub(super) fn classes(
    compiler: &mut Compiler,
    classes: &[Class],
    outports: &[Arc<str>],
    events: &[(EventId, Known)],
) -> Vec<compiled::Class> {
    let orders: Vec<Vec<usize>> = (0..classes.len())
        .map(|class| order(compiler, classes, class))
        .collect();
    if !compiler.problems.is_empty() {
        return Vec::new();
    }
    let compiled: Vec<_> = orders
        .iter()
        .map(|order| {
            let class = &classes[order[0]];
            check_members(compiler, class, outports);
            let mut compiled = compiled::Class {
                name: Arc::clone(&class.name),
                id: ClassId(order[0] as u32),
                is_a: order.iter().map(|number| ClassId(*number as u32)).collect(),
                slots: Vec::new(),
                attributes: attributes(compiler, classes, order),
                methods: Names::default(),
                missing: Vec::new(),
                constructor: None,
                destructors: Vec::new(),
                associations: associations(compiler, class),
                inports: class.inports.clone(),
                outports: class.outports.clone(),
                chart: None,
            };
            methods(compiler, classes, order, &mut compiled);
            compiled.chart = class
                .chart
                .as_ref()
                .and_then(|described| chart::chart(compiler, class, described, events));
            let keys_stay = assigned::keys_stay(&compiled);
            if let Some(chart) = &mut compiled.chart {
                chart.keys_stay = keys_stay;
            }
            compiled
        })
        .collect();
    // All keys are known only now.
    with_slots(compiler, compiled)
}

fn with_slots(compiler: &mut Compiler, mut classes: Vec<compiled::Class>) -> Vec<compiled::Class> {
    for class in &mut classes {
        for (slot, (name, _)) in class.attributes.iter().enumerate() {
            let key = compiler.keys.intern(name).0 as usize;
            if class.slots.len() <= key {
                class.slots.resize(key + 1, u32::MAX);
            }
            class.slots[key] = slot as u32;
        }
    }
    classes
}

/// The super classes of a class, by priority; those with the same keep their order.
fn supers(class: &Class) -> Vec<&Inheritance> {
    let mut supers: Vec<_> = class.supers.iter().collect();
    supers.sort_by_key(|inheritance| std::cmp::Reverse(inheritance.priority));
    supers
}

/// A class and all that it inherits from, in the order in which members are looked up.
fn order(compiler: &mut Compiler, classes: &[Class], start: usize) -> Vec<usize> {
    let mut order = vec![start];
    let mut path = Vec::new();
    walk(compiler, classes, start, &mut path, &mut order);
    order
}

fn walk(compiler: &mut Compiler, classes: &[Class], at: usize, path: &mut Vec<usize>, order: &mut Vec<usize>) {
    path.push(at);
    for inheritance in supers(&classes[at]) {
        let part = || format!("class {}", classes[at].name);
        let Some(ClassId(number)) = compiler.class_ids.get(&inheritance.class).copied() else {
            // Told where it stands, not again for each subclass.
            if path.len() == 1 {
                let what = format!("inherits from `{}`: {}", inheritance.class, no_class(classes));
                compiler.problem(&inheritance.place, part(), what);
            }
            continue;
        };
        let number = number as usize;
        if path.contains(&number) {
            if number == path[0] {
                let circle: Vec<_> = path.iter().map(|class| &*classes[*class].name).collect();
                let what = format!(
                    "inherits from itself: {} → {}, expected no circle",
                    circle.join(" → "),
                    inheritance.class
                );
                compiler.problem(&inheritance.place, part(), what);
            }
            continue;
        }
        if order.contains(&number) {
            continue;
        }
        order.push(number);
        walk(compiler, classes, number, path, order);
    }
    path.pop();
}

fn no_class(classes: &[Class]) -> String {
    let known: Vec<_> = classes.iter().map(|class| &*class.name).collect();
    format!("no such class, expected one of {}", known.join(", "))
}

fn check_members(compiler: &mut Compiler, class: &Class, outports: &[Arc<str>]) {
    let part = format!("class {}", class.name);
    let names = |names: Vec<&Arc<str>>| names.into_iter().cloned().collect::<Vec<_>>();
    let kinds = [
        (
            "attributes",
            names(class.attributes.iter().map(|it| &it.name).collect()),
        ),
        ("methods", names(class.methods.iter().map(|it| &it.name).collect())),
        (
            "associations",
            names(class.associations.iter().map(|it| &it.name).collect()),
        ),
        ("inports", class.inports.clone()),
        ("outports", class.outports.clone()),
    ];
    for (kind, names) in kinds {
        if let Some(what) = bad_names(&names) {
            compiler.problem(&class.place, format!("{part}, {kind}"), what);
        }
    }
    let inports = compiler.inports.clone();
    for (kind, own, public) in [
        ("inport", &class.inports, &inports[..]),
        ("outport", &class.outports, outports),
    ] {
        for name in own.iter().filter(|name| public.contains(name)) {
            let what = format!("the {kind} `{name}` is a public one already, expected another name");
            compiler.problem(&class.place, part.clone(), what);
        }
    }
    for name in &class.inports {
        compiler.port(name);
    }
}

/// The attributes: those of the most distant super class first, each with the value that the nearest class gives it.
fn attributes(compiler: &mut Compiler, classes: &[Class], order: &[usize]) -> Vec<(Arc<str>, Operand)> {
    let mut attributes: Vec<(Arc<str>, Operand)> = Vec::new();
    for class in order.iter().rev() {
        for attribute in &classes[*class].attributes {
            let initial = compiler.operand(&attribute.initial);
            compiler.keys.intern(&attribute.name);
            match attributes.iter_mut().find(|(name, _)| *name == attribute.name) {
                Some((_, known)) => *known = initial,
                None => attributes.push((Arc::clone(&attribute.name), initial)),
            }
        }
    }
    attributes
}

fn associations(compiler: &mut Compiler, class: &Class) -> Vec<compiled::Association> {
    let mut associations = Vec::new();
    for association in &class.associations {
        let part = format!("class {}, association {}", class.name, association.name);
        if association.max.is_some_and(|max| max < association.min || max == 0) {
            let (min, max) = (association.min, association.max.unwrap_or(0));
            let what =
                format!("at least {min} and at most {max} links: expected a most that is at least 1 and the least");
            compiler.problem(&association.place, part.clone(), what);
        }
        if association.name.contains(['/', '[', ']']) {
            let what = "expected a name without `/`, `[` and `]`, which links are made of";
            compiler.problem(&association.place, part.clone(), what);
        }
        match compiler.class_ids.get(&association.class).copied() {
            Some(id) => associations.push(compiled::Association {
                name: Arc::clone(&association.name),
                class: id,
                min: association.min,
                max: association.max,
            }),
            None => {
                let mut known: Vec<_> = compiler.class_ids.keys().map(|name| &**name).collect();
                known.sort_unstable();
                let what = format!("no class `{}`, expected one of {}", association.class, known.join(", "));
                compiler.problem(&association.place, part, what);
            }
        }
    }
    associations
}

/// What a method is to its class.
#[derive(Clone, Copy)]
enum Role<'a> {
    Constructor,
    Destructor,
    Method(&'a str),
}

/// A class's own method in a role.
fn own<'a>(class: &'a Class, role: Role<'_>) -> Option<&'a Method> {
    let named = |name: &str| class.methods.iter().find(|method| &*method.name == name);
    match role {
        Role::Constructor => class.constructor.as_ref().or_else(|| named(&class.name)),
        Role::Destructor => class.destructor.as_ref().or_else(|| named(&format!("~{}", class.name))),
        Role::Method(name) => named(name),
    }
}

fn methods(compiler: &mut Compiler, classes: &[Class], order: &[usize], compiled: &mut compiled::Class) {
    for number in order {
        let class = &classes[*number];
        let special = format!("~{}", class.name);
        for method in &class.methods {
            if method.name == class.name || *method.name == *special {
                continue;
            }
            if compiled.methods.contains_key(&method.name) || compiled.missing.contains(&method.name) {
                continue;
            }
            if method.is_abstract {
                compiled.missing.push(Arc::clone(&method.name));
                continue;
            }
            let role = Role::Method(&method.name);
            if let Some(method) = chain(compiler, classes, *number, role, &mut Vec::new()) {
                compiled.methods.insert(Arc::clone(&method.name), method);
            }
        }
    }
    compiled.constructor = chain(compiler, classes, order[0], Role::Constructor, &mut Vec::new());
    for number in order {
        if let Some(method) = own(&classes[*number], Role::Destructor) {
            let method = compile(compiler, method, Vec::new());
            compiled.destructors.push(Arc::new(method));
        }
    }
}

fn compile(compiler: &mut Compiler, method: &Method, supers: Vec<compiled::SuperCall>) -> compiled::Method {
    let parameters = method.parameters.iter().map(|parameter| {
        let default = parameter.default.as_ref().map(|default| compiler.operand(default));
        (Arc::clone(&parameter.name), default)
    });
    compiled::Method {
        name: Arc::clone(&method.name),
        parameters: parameters.collect(),
        supers,
        body: method.body.clone(),
        place: method.place.clone(),
    }
}

/// A method of a class with all that it calls of its super classes. Constructors of super classes run in any case.
fn chain(
    compiler: &mut Compiler,
    classes: &[Class],
    number: usize,
    role: Role<'_>,
    path: &mut Vec<usize>,
) -> Option<Arc<compiled::Method>> {
    let class = &classes[number];
    let method = own(class, role);
    path.push(number);
    let mut calls = Vec::new();
    let explicit: &[(Arc<str>, Vec<Expression>)] = method.map_or(&[], |method| &method.supers);
    let part = format!("class {}", class.name);
    for (name, _) in explicit {
        if !class.supers.iter().any(|inheritance| inheritance.class == *name) {
            let place = method.map(|method| method.place.clone()).unwrap_or_default();
            let what = format!("super `{name}`: not a class that it inherits from");
            compiler.problem(&place, part.clone(), what);
        }
    }
    for inheritance in supers(class) {
        let given = explicit.iter().find(|(name, _)| *name == inheritance.class);
        if given.is_none() && !matches!(role, Role::Constructor) {
            continue;
        }
        let Some(ClassId(above)) = compiler.class_ids.get(&inheritance.class).copied() else {
            continue;
        };
        if path.contains(&(above as usize)) {
            continue;
        }
        let Some(method) = chain(compiler, classes, above as usize, role, path) else {
            if given.is_some() {
                let what = format!("super `{}`: that class has nothing to call", inheritance.class);
                compiler.problem(&class.place, part.clone(), what);
            }
            continue;
        };
        let arguments: Vec<_> = given
            .map(|(_, arguments)| arguments.iter().map(|argument| compiler.operand(argument)).collect())
            .unwrap_or_default();
        let required = method
            .parameters
            .iter()
            .filter(|(_, default)| default.is_none())
            .count();
        if arguments.len() < required || arguments.len() > method.parameters.len() {
            let what = format!(
                "the constructor or method of `{}` takes {} parameters, {required} of them without default, got {}: \
                 expected a super call with them",
                inheritance.class,
                method.parameters.len(),
                arguments.len()
            );
            compiler.problem(&class.place, part.clone(), what);
        }
        calls.push(compiled::SuperCall { method, arguments });
    }
    path.pop();
    match method {
        Some(method) => Some(Arc::new(compile(compiler, method, calls))),
        None if calls.is_empty() => None,
        None => {
            let implicit = Method::new(Arc::clone(&class.name));
            Some(Arc::new(compile(compiler, &implicit, calls)))
        }
    }
}
