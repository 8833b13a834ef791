//! What SCXML's elements do that SCCD has not.

use std::sync::Arc;
use std::time::Duration;

use crate::model::{Raise, Scope, raise};
use crate::script::{Code, python};
use crate::xml::ast::SendTo;
use crate::{Action, Context, Event, Expression, Fault, Map, Place, Script, Value};

/// `send`: an event for later, or one that comes to the instance like an input.
pub(super) struct Send {
    pub(super) event: Arc<str>,
    pub(super) data: Payload,
    pub(super) to: SendTo,
    pub(super) delay: Expression,
    pub(super) id: Option<Arc<str>>,
    pub(super) place: Place,
}

/// What it carries.
pub(super) enum Payload {
    Pairs(Vec<(Value, Expression)>),
    Value(Expression),
}

impl Script for Send {
    fn run(&self, cx: &mut Context<'_>) -> Result<Value, Fault> {
        let mut event = Event::new(Arc::clone(&self.event));
        match &self.data {
            Payload::Pairs(pairs) if pairs.is_empty() => {}
            Payload::Pairs(pairs) => {
                let pairs = pairs
                    .iter()
                    .map(|(name, value)| Ok((name.clone(), evaluate(value, cx)?)));
                let data: Map = pairs.collect::<Result<_, Fault>>()?;
                event = event.with([data.into()]);
            }
            Payload::Value(value) => event = event.with([evaluate(value, cx)?]),
        }
        let now = matches!(self.delay, Expression::Value(Value::Nil));
        let scope = match self.to {
            SendTo::Output => {
                event = event.on("output");
                Scope::Output
            }
            SendTo::Queue | SendTo::Internal => Scope::Local,
        };
        if now && !matches!(self.to, SendTo::Queue) {
            cx.raise(scope, event);
            return Ok(Value::Nil);
        }
        let delay = match evaluate(&self.delay, cx)? {
            Value::Nil => Duration::ZERO,
            value => delay_of(&value).ok_or_else(|| {
                Fault::new(format!(
                    "delay {value}: expected a text such as \"1.5s\" or \"200ms\", or seconds"
                ))
                .at(self.place.clone())
            })?,
        };
        cx.raise_after(delay, scope, event, self.id.clone());
        Ok(Value::Nil)
    }
}

fn delay_of(value: &Value) -> Option<Duration> {
    match value {
        Value::Str(text) => delay(text),
        other => Duration::try_from_secs_f64(other.as_number()?).ok(),
    }
}

/// A time as CSS 2 and SCXML write it: `1.5s`, `200ms`.
pub(crate) fn delay(text: &str) -> Option<Duration> {
    let text = text.trim();
    let (number, unit) = match text.strip_suffix("ms") {
        Some(number) => (number, 0.001),
        None => (text.strip_suffix('s')?, 1.0),
    };
    // No exponents, infinities and signs, which the parser of numbers takes.
    if !number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return None;
    }
    Duration::try_from_secs_f64(number.parse::<f64>().ok()? * unit).ok()
}

/// `cancel`.
pub(super) struct Cancel(pub(super) Expression);

impl Script for Cancel {
    fn run(&self, cx: &mut Context<'_>) -> Result<Value, Fault> {
        match evaluate(&self.0, cx)? {
            Value::Str(id) => cx.cancel(id),
            other => {
                return Err(Fault::new(format!(
                    "cancel {other}: expected the id of a send as a text"
                )));
            }
        }
        Ok(Value::Nil)
    }
}

/// Writes `label: value`.
pub(super) struct Labelled {
    pub(super) label: Option<Arc<str>>,
    pub(super) value: Expression,
}

impl Script for Labelled {
    fn run(&self, cx: &mut Context<'_>) -> Result<Value, Fault> {
        let value = evaluate(&self.value, cx)?;
        let value = match &value {
            Value::Str(text) => text.as_ref().to_owned(),
            other => other.to_string(),
        };
        match &self.label {
            Some(label) => cx.log(format!("{label}: {value}")),
            None => cx.log(value),
        }
        Ok(Value::Nil)
    }
}

/// `if`, `elseif` and `else` of SCXML.
pub(super) struct Branches(pub(super) Vec<(Option<Code>, Vec<Action>)>);

impl Script for Branches {
    fn run(&self, cx: &mut Context<'_>) -> Result<Value, Fault> {
        for (condition, actions) in &self.0 {
            let holds = match condition {
                Some(condition) => condition.test(cx)?,
                None => true,
            };
            if holds {
                for action in actions {
                    perform(action, cx)?;
                }
                break;
            }
        }
        Ok(Value::Nil)
    }

    fn references(&self) -> Vec<String> {
        let conditions = self.0.iter().filter_map(|(condition, _)| condition.as_ref());
        let mut references: Vec<String> = conditions.flat_map(|condition| condition.references()).collect();
        let actions = self.0.iter().flat_map(|(_, actions)| actions);
        references.extend(actions.flat_map(references_of));
        references
    }
}

/// `foreach` of SCXML: goes through the items as they are at its start.
pub(super) struct ForEach {
    pub(super) array: Expression,
    pub(super) item: Arc<str>,
    pub(super) index: Option<Arc<str>>,
    pub(super) actions: Vec<Action>,
    pub(super) place: Place,
}

impl Script for ForEach {
    fn run(&self, cx: &mut Context<'_>) -> Result<Value, Fault> {
        let array = evaluate(&self.array, cx)?;
        let Some(items) = array.items() else {
            let what = format!("foreach in {}: expected a list", array.kind());
            return Err(Fault::new(what).at(self.place.clone()));
        };
        let result = python::for_each(items, |number, item| {
            cx.set_attribute(&self.item, item.clone());
            if let Some(index) = &self.index {
                cx.set_attribute(index, number);
            }
            self.actions.iter().try_for_each(|action| perform(action, cx))
        });
        result.map_err(|fault| fault.at(self.place.clone()))?;
        Ok(Value::Nil)
    }

    fn references(&self) -> Vec<String> {
        self.actions.iter().flat_map(references_of).collect()
    }
}

/// The states that an action asks about.
fn references_of(action: &Action) -> Vec<String> {
    match action {
        Action::Run(code) => code.references(),
        Action::Raise(_) | Action::Log(_) | Action::Assign(..) => Vec::new(),
    }
}

/// Does what the engine does with an action.
fn perform(action: &Action, cx: &mut Context<'_>) -> Result<(), Fault> {
    match action {
        Action::Raise(raise) => perform_raise(raise, cx),
        Action::Run(code) => code.run(cx).map(|_| ()),
        Action::Log(value) => {
            let value = evaluate(value, cx)?;
            match &value {
                Value::Str(text) => cx.log(text.as_ref()),
                other => cx.log(other.to_string()),
            }
            Ok(())
        }
        Action::Assign(name, value) => {
            let value = evaluate(value, cx)?;
            cx.set_attribute(name, value);
            Ok(())
        }
    }
}

fn perform_raise(raise: &Raise, cx: &mut Context<'_>) -> Result<(), Fault> {
    let mut event = Event::new(Arc::clone(&raise.event));
    let scope = match &raise.to {
        raise::Destination::Local => Scope::Local,
        raise::Destination::Broad => Scope::Broad,
        raise::Destination::ObjectManager => Scope::ObjectManager,
        raise::Destination::Narrow(target) => Scope::Narrow(evaluate(target, cx)?),
        raise::Destination::Output(port) => {
            event = event.on(Arc::clone(port));
            Scope::Output
        }
    };
    let parameters = raise.parameters.iter().map(|parameter| evaluate(parameter, cx));
    let parameters = parameters.collect::<Result<Vec<_>, _>>()?;
    cx.raise(scope, event.with(parameters));
    Ok(())
}

fn evaluate(expression: &Expression, cx: &mut Context<'_>) -> Result<Value, Fault> {
    match expression {
        Expression::Value(value) => Ok(value.clone()),
        Expression::Parameter(index) => Ok(cx.parameter(*index).clone()),
        Expression::Attribute(name) => match cx.find(name) {
            Some(value) => Ok(value.clone()),
            None => Err(Fault::new(format!("class {} has no attribute `{name}`", cx.class()))),
        },
        Expression::Code(code) => code.run(cx),
    }
}
