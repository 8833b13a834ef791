//! Tests that stand in a model's file.

use super::ast::{Input, Slot, Test, TestEvent};
use super::diagram::once;
use super::error::problem;
use super::node::Node;
use crate::Problem;

/// Reads `test`.
pub(super) fn read(node: &Node<'_>) -> Result<Test, Problem> {
    node.only(&["name"])?;
    let (mut inputs, mut expected) = (None, None);
    for child in node.children()? {
        match child.name() {
            "input" => once(&child, &mut inputs, input(&child)?)?,
            "expected" => once(&child, &mut expected, slots(&child)?)?,
            _ => return Err(node.unexpected(&child, &["input", "expected"])),
        }
    }
    let Some(expected) = expected else {
        return Err(node.error("a test needs `expected`: what comes out (it may be empty)"));
    };
    Ok(Test {
        name: node.filled("name")?,
        inputs: inputs.unwrap_or_default(),
        expected,
        place: node.place(),
    })
}

fn input(node: &Node<'_>) -> Result<Vec<Input>, Problem> {
    node.only(&[])?;
    let mut inputs = Vec::new();
    for child in node.children()? {
        if child.name() != "event" {
            return Err(node.unexpected(&child, &["event"]));
        }
        child.only(&["name", "port", "time"])?;
        let time = match child.filled("time")? {
            None => 0,
            Some(text) => milliseconds(&text.text).ok_or_else(|| {
                let message = format!("time is `{}`: expected seconds from 0 on, such as 1.5", text.text);
                problem(text.place.clone(), message)
            })?,
        };
        let event = event(&child, "expr")?;
        inputs.push(Input { event, time });
    }
    Ok(inputs)
}

/// Seconds as whole milliseconds.
fn milliseconds(text: &str) -> Option<u64> {
    let seconds: f64 = text.trim().parse().ok()?;
    // A hair more, so that 0.0015 and the like don't lose a millisecond to binary fractions.
    let milliseconds = seconds * 1000.0 + 1e-6;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "in range: checked in this line"
    )]
    (0.0..1e15).contains(&milliseconds).then_some(milliseconds as u64)
}

fn slots(node: &Node<'_>) -> Result<Vec<Slot>, Problem> {
    node.only(&[])?;
    let mut slots = Vec::new();
    for child in node.children()? {
        if child.name() != "slot" {
            return Err(node.unexpected(&child, &["slot"]));
        }
        child.only(&[])?;
        let mut events = Vec::new();
        for inner in child.children()? {
            if inner.name() != "event" {
                return Err(child.unexpected(&inner, &["event"]));
            }
            inner.only(&["name", "port"])?;
            events.push(event(&inner, "value")?);
        }
        if events.is_empty() {
            return Err(child.error("a slot needs an event"));
        }
        let place = child.place();
        slots.push(Slot { events, place });
    }
    Ok(slots)
}

fn event(node: &Node<'_>, value: &'static str) -> Result<TestEvent, Problem> {
    let mut parameters = Vec::new();
    for child in node.children()? {
        if child.name() != "parameter" {
            return Err(node.unexpected(&child, &["parameter"]));
        }
        child.only(&["expr", "value"])?;
        child.leaf()?;
        let other = if value == "expr" { "value" } else { "expr" };
        parameters.push(match child.filled(value)? {
            Some(text) => text,
            None => match child.filled(other)? {
                Some(text) => text,
                None => child.required(value)?,
            },
        });
    }
    Ok(TestEvent {
        name: node.required("name")?,
        port: node.required("port")?,
        parameters,
        place: node.place(),
    })
}
