//! Diagrams and classes.

use std::collections::BTreeSet;

use super::ast::{Association, Attribute, Class, Diagram, Inheritance, Method, Parameter, Super, Text};
use super::error::problem;
use super::files::Files;
use super::node::Node;
use super::{chart, test};
use crate::Problem;

/// Reads `diagram`.
pub(super) fn read(node: &Node<'_>, files: &mut Files) -> Result<Diagram, Problem> {
    node.only(&["name", "author", "language", "version"])?;
    if let Some(language) = node.filled("language")?
        && !matches!(&*language.text.to_ascii_lowercase(), "python" | "starlark")
    {
        return Err(problem(
            language.place,
            format!("action code in `{}`: expected python or starlark", language.text),
        ));
    }
    let mut diagram = Diagram {
        name: node.attribute("name"),
        author: node.attribute("author"),
        description: None,
        top: None,
        inports: Vec::new(),
        outports: Vec::new(),
        classes: Vec::new(),
        tests: Vec::new(),
        scxml: None,
    };
    for child in node.children()? {
        match child.name() {
            "description" => once(&child, &mut diagram.description, child.text()?)?,
            "top" => once(&child, &mut diagram.top, child.text()?)?,
            "inport" => diagram.inports.push(port(&child)?),
            "outport" => diagram.outports.push(port(&child)?),
            "class" => diagram.classes.push(class(&child, files)?),
            "test" => diagram.tests.push(test::read(&child)?),
            _ => {
                let expected = ["description", "top", "inport", "outport", "class", "test"];
                return Err(node.unexpected(&child, &expected));
            }
        }
    }
    if diagram.classes.is_empty() {
        return Err(node.error("a diagram needs a class"));
    }
    unique("class", diagram.classes.iter().map(|class| &class.name))?;
    unique("inport", &diagram.inports)?;
    unique("outport", &diagram.outports)?;
    let mut defaults = diagram.classes.iter().filter(|class| class.default);
    match (defaults.next(), defaults.next()) {
        (Some(first), Some(second)) => {
            return Err(problem(
                second.name.place.clone(),
                format!(
                    "two default classes, `{}` and `{}`: expected one",
                    first.name.text, second.name.text
                ),
            ));
        }
        (None, _) if diagram.classes.len() > 1 => {
            return Err(node.error("no default class: one class needs default=\"true\""));
        }
        _ => {}
    }
    Ok(diagram)
}

/// Fills a place that can be filled once.
pub(super) fn once<T>(child: &Node<'_>, place: &mut Option<T>, value: T) -> Result<(), Problem> {
    if place.is_some() {
        return Err(child.error(format!("a second `{}`: expected one", child.name())));
    }
    *place = Some(value);
    Ok(())
}

/// Refuses a name that comes twice.
pub(super) fn unique<'a>(what: &str, names: impl IntoIterator<Item = &'a Text>) -> Result<(), Problem> {
    let mut seen = BTreeSet::new();
    for name in names {
        if !seen.insert(&*name.text) {
            let message = format!("{what} `{}` is there twice", name.text);
            return Err(problem(name.place.clone(), message));
        }
    }
    Ok(())
}

fn port(node: &Node<'_>) -> Result<Text, Problem> {
    node.only(&["name"])?;
    node.leaf()?;
    node.required("name")
}

/// Reads `class`, from its own file if it has one.
fn class(node: &Node<'_>, files: &mut Files) -> Result<Class, Problem> {
    let Some(src) = node.filled("src")? else {
        return class_here(node);
    };
    node.only(&["name", "default", "src"])?;
    node.leaf()?;
    let default = node.flag("default")?;
    let name = node.filled("name")?;
    let mut read = files.with(&src, |root, files| {
        if root.name() != "class" {
            return Err(root.error(format!("element `{}` is unknown: expected class", root.name())));
        }
        class(root, files)
    })?;
    read.default |= default;
    match name {
        Some(name) if name.text != read.name.text => Err(problem(
            name.place,
            format!(
                "class `{}` is called `{}` in {}",
                name.text, read.name.text, read.name.place.file
            ),
        )),
        _ => Ok(read),
    }
}

const IN_CLASS: [&str; 8] = [
    "relationships",
    "attribute",
    "constructor",
    "destructor",
    "method",
    "inport",
    "outport",
    "scxml",
];

fn class_here(node: &Node<'_>) -> Result<Class, Problem> {
    node.only(&["name", "default", "src"])?;
    let name = node.required("name")?;
    identifier("class", &name)?;
    let mut class = Class {
        name,
        default: node.flag("default")?,
        associations: Vec::new(),
        inheritances: Vec::new(),
        attributes: Vec::new(),
        constructor: None,
        destructor: None,
        methods: Vec::new(),
        inports: Vec::new(),
        outports: Vec::new(),
        chart: None,
    };
    for child in node.children()? {
        match child.name() {
            "relationships" => relationships(&child, &mut class)?,
            "attribute" => class.attributes.push(attribute(&child)?),
            "constructor" => once(&child, &mut class.constructor, method(&child, &class.name)?)?,
            "destructor" => once(&child, &mut class.destructor, method(&child, &class.name)?)?,
            "method" => {
                let method = method(&child, &class.name)?;
                // A method that is called like the class is its constructor.
                if method.name.text == class.name.text {
                    once(&child, &mut class.constructor, method)?;
                } else if method.name.text.strip_prefix('~') == Some(&*class.name.text) {
                    once(&child, &mut class.destructor, method)?;
                } else {
                    member(&method.name)?;
                    class.methods.push(method);
                }
            }
            "inport" => class.inports.push(port(&child)?),
            "outport" => class.outports.push(port(&child)?),
            "scxml" => once(&child, &mut class.chart, chart::read(&child)?)?,
            _ => return Err(node.unexpected(&child, &IN_CLASS)),
        }
    }
    unique("association", class.associations.iter().map(|it| &it.name))?;
    unique("attribute", class.attributes.iter().map(|it| &it.name))?;
    unique("method", class.methods.iter().map(|it| &it.name))?;
    unique("inport", &class.inports)?;
    unique("outport", &class.outports)?;
    let names = class.attributes.iter().map(|it| &it.name);
    unique("member", names.chain(class.methods.iter().map(|it| &it.name)))?;
    Ok(class)
}

fn relationships(node: &Node<'_>, class: &mut Class) -> Result<(), Problem> {
    node.only(&[])?;
    for child in node.children()? {
        match child.name() {
            "association" => class.associations.push(association(&child)?),
            "inheritance" => {
                child.only(&["class", "priority"])?;
                child.leaf()?;
                let super_class = child.required("class")?;
                let priority = match child.filled("priority")? {
                    None => 1,
                    Some(text) => text.text.trim().parse().map_err(|_| {
                        let message = format!("priority is `{}`: expected a whole number", text.text);
                        problem(text.place.clone(), message)
                    })?,
                };
                class.inheritances.push(Inheritance {
                    class: super_class,
                    priority,
                });
            }
            _ => return Err(node.unexpected(&child, &["association", "inheritance"])),
        }
    }
    Ok(())
}

fn association(node: &Node<'_>) -> Result<Association, Problem> {
    node.only(&["name", "class", "min", "max"])?;
    node.leaf()?;
    let name = node.required("name")?;
    identifier("association", &name)?;
    let min = cardinality(node, "min")?.unwrap_or(0);
    let max = match node.attribute("max") {
        Some(text) if matches!(text.text.trim(), "N" | "n" | "*" | "inf") => None,
        _ => cardinality(node, "max")?,
    };
    if let Some(max) = max
        && min > max
    {
        return Err(node.error(format!("association `{}`: min {min} is more than max {max}", name.text)));
    }
    let class = node.required("class")?;
    let place = node.place();
    Ok(Association {
        name,
        class,
        min,
        max,
        place,
    })
}

fn cardinality(node: &Node<'_>, name: &str) -> Result<Option<usize>, Problem> {
    let Some(text) = node.filled(name)? else {
        return Ok(None);
    };
    match text.text.trim().parse() {
        Ok(number) => Ok(Some(number)),
        Err(_) => Err(problem(
            text.place,
            format!(
                "cardinality {name} is `{}`: expected a whole number from 0 on",
                text.text
            ),
        )),
    }
}

fn attribute(node: &Node<'_>) -> Result<Attribute, Problem> {
    node.only(&["name", "type", "init-value", "default"])?;
    node.leaf()?;
    let name = node.required("name")?;
    member(&name)?;
    let initial = match node.filled("init-value")? {
        None => node.filled("default")?,
        initial => initial,
    };
    Ok(Attribute { name, initial })
}

/// Reads `method`, `constructor` or `destructor`.
fn method(node: &Node<'_>, class: &Text) -> Result<Method, Problem> {
    node.only(&["name", "type", "access", "abstract"])?;
    let name = match node.name() {
        "method" => node.required("name")?,
        _ => node
            .attribute("name")
            .unwrap_or_else(|| Text::new(&class.text, node.place())),
    };
    let mut method = Method {
        name,
        is_abstract: node.flag("abstract")?,
        parameters: Vec::new(),
        supers: Vec::new(),
        body: None,
        place: node.place(),
    };
    for child in node.children()? {
        match child.name() {
            "parameter" => method.parameters.push(parameter(&child)?),
            "body" => {
                child.only(&[])?;
                once(&child, &mut method.body, child.text()?)?;
            }
            "super" => {
                child.only(&["class"])?;
                let class = child.required("class")?;
                let arguments = expressions(&child)?;
                method.supers.push(Super { class, arguments });
            }
            _ => return Err(node.unexpected(&child, &["parameter", "body", "super"])),
        }
    }
    unique("parameter", method.parameters.iter().map(|it| &it.name))?;
    Ok(method)
}

/// Reads `parameter` with a name.
pub(super) fn parameter(node: &Node<'_>) -> Result<Parameter, Problem> {
    node.only(&["name", "type", "default"])?;
    node.leaf()?;
    let name = node.required("name")?;
    identifier("parameter", &name)?;
    let default = node.filled("default")?;
    Ok(Parameter { name, default })
}

/// Reads children that are all `parameter` with an expression.
pub(super) fn expressions(node: &Node<'_>) -> Result<Vec<Text>, Problem> {
    let mut arguments = Vec::new();
    for child in node.children()? {
        if child.name() != "parameter" {
            return Err(node.unexpected(&child, &["parameter"]));
        }
        child.only(&["expr"])?;
        child.leaf()?;
        arguments.push(child.required("expr")?);
    }
    Ok(arguments)
}

/// A name that code can write.
pub(super) fn identifier(what: &str, name: &Text) -> Result<(), Problem> {
    let mut letters = name.text.chars();
    let starts = letters
        .next()
        .is_some_and(|first| first == '_' || first.is_alphabetic());
    if starts && letters.all(|letter| letter == '_' || letter.is_alphanumeric()) {
        return Ok(());
    }
    Err(problem(
        name.place.clone(),
        format!(
            "{what} `{}`: expected a name of letters, digits and `_` that doesn't begin with a digit",
            name.text
        ),
    ))
}

/// Names that SCCD's runtime uses for itself. Code of models calls some of them, so no model may give them a new meaning.
const RESERVED: [&str; 8] = [
    "controller",
    "object_manager",
    "timers",
    "step",
    "update",
    "inState",
    "addEvent",
    "broadcast",
];

/// A name for an attribute or a method.
fn member(name: &Text) -> Result<(), Problem> {
    identifier("member", name)?;
    if RESERVED.contains(&&*name.text) {
        return Err(problem(
            name.place.clone(),
            format!("member `{}`: the name is reserved, expected another", name.text),
        ));
    }
    Ok(())
}
