//! Running actions.

use super::step::Step;
use crate::model::compiled::{Action, Raise, StateId, To};
use crate::script::{Context, Request};
use crate::{Fault, Value};

impl Step<'_, '_> {
    /// Runs actions in order. A fault ends the list; what comes after it in the step goes on.
    #[inline]
    pub(super) fn run(&mut self, actions: &[Action], state: StateId, live: Option<usize>, what: &str) {
        if !actions.is_empty() {
            self.run_all(actions, state, live, what);
        }
    }

    fn run_all(&mut self, actions: &[Action], state: StateId, live: Option<usize>, what: &str) {
        for action in actions {
            if let Err(fault) = self.run_one(action, state, live) {
                let what = format!("{what} {}", self.chart.path(state));
                return self.fault(fault, &what, live);
            }
        }
    }

    fn run_one(&mut self, action: &Action, state: StateId, live: Option<usize>) -> Result<(), Fault> {
        match action {
            Action::Run(code) => self.with_context(state, live, |cx| code.run(cx)).map(drop),
            Action::Raise(raise) => self.raise(raise, state, live),
            Action::Log(text) => self.with_context(state, live, |cx| {
                let text = text.evaluate(cx)?;
                match text.as_str() {
                    Some(text) => cx.log(text),
                    None => cx.log(text.to_string()),
                }
                Ok(())
            }),
            Action::Assign(key, value) => self.with_context(state, live, |cx| {
                let value = value.evaluate(cx)?;
                cx.set(*key, value);
                Ok(())
            }),
        }
    }

    fn raise(&mut self, raise: &Raise, state: StateId, live: Option<usize>) -> Result<(), Fault> {
        let outports = self.outports;
        let raised = self.with_context(state, live, |cx| {
            let event = if raise.parameters.is_empty() {
                raise.event.clone()
            } else {
                raise.event.clone().with_shared(parameters(raise, cx)?)
            };
            match &raise.to {
                To::Local => cx.effects.local.push((raise.id, event)),
                To::Output => cx.effects.output.push(event),
                To::Private(number) => {
                    let port = outports.get(*number).cloned().unwrap_or_default();
                    cx.effects.output.push(event.on(port));
                }
                To::Broad => cx.effects.requests.push(Request::Broad(event)),
                To::ObjectManager => cx.effects.requests.push(Request::Named(event)),
                To::Narrow(target) => {
                    let target = target.evaluate(cx)?;
                    cx.effects.requests.push(Request::Narrow(target, event));
                }
            }
            Ok(())
        });
        raised.map_err(|fault: Fault| fault.at(raise.place.clone()))
    }
}

fn parameters(raise: &Raise, cx: &mut Context<'_>) -> Result<std::sync::Arc<[Value]>, Fault> {
    // One or two are most usual: no list in between.
    match &raise.parameters[..] {
        [one] => Ok([one.evaluate(cx)?].into()),
        [one, two] => Ok([one.evaluate(cx)?, two.evaluate(cx)?].into()),
        all => all.iter().map(|parameter| parameter.evaluate(cx)).collect(),
    }
}
