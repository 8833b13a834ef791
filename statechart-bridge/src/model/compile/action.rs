//! Actions and expressions.

use std::sync::Arc;

use super::Compiler;
use crate::model::class::Class;
use crate::model::compiled::{self, Operand, To};
use crate::model::raise::{Action, Destination, Raise};
use crate::script::Expression;
use crate::socket::{SOCKET_OUT, SocketCommand};
use crate::{Event, Value};

impl Compiler {
    pub(super) fn operand(&mut self, expression: &Expression) -> Operand {
        match expression {
            Expression::Value(value) => Operand::Value(value.clone()),
            Expression::Parameter(index) => Operand::Parameter(*index),
            Expression::Attribute(name) => Operand::Attribute(self.keys.intern(name)),
            Expression::Code(code) => Operand::Code(Arc::clone(code)),
        }
    }

    pub(super) fn actions(&mut self, class: &Class, actions: &[Action]) -> Vec<compiled::Action> {
        actions.iter().map(|action| self.action(class, action)).collect()
    }

    fn action(&mut self, class: &Class, action: &Action) -> compiled::Action {
        match action {
            Action::Raise(raise) => compiled::Action::Raise(self.raise(class, raise)),
            Action::Run(code) => compiled::Action::Run(Arc::clone(code)),
            Action::Log(text) => compiled::Action::Log(self.operand(text)),
            Action::Assign(name, value) => {
                let key = self.keys.intern(name);
                compiled::Action::Assign(key, self.operand(value))
            }
        }
    }

    fn raise(&mut self, class: &Class, raise: &Raise) -> compiled::Raise {
        if raise.event.is_empty() {
            self.problem(
                &raise.place,
                format!("class {}, raise", class.name),
                "an event needs a name",
            );
        }
        let mut event = Event::new(Arc::clone(&raise.event));
        let to = match &raise.to {
            Destination::Local => To::Local,
            Destination::Broad => To::Broad,
            Destination::ObjectManager => To::ObjectManager,
            Destination::Narrow(target) => To::Narrow(self.operand(target)),
            Destination::Output(port) => match class.outports.iter().position(|known| known == port) {
                Some(number) => To::Private(number),
                // One that nobody declared is no error: whoever listens on all ports hears it.
                None => {
                    if **port == *SOCKET_OUT && !SocketCommand::NAMES.contains(&&*raise.event) {
                        let what = format!(
                            "`{}` is no command of the socket service: expected one of {}",
                            raise.event,
                            SocketCommand::NAMES.join(", ")
                        );
                        self.warn(
                            &raise.place,
                            format!("class {}, raise on {SOCKET_OUT}", class.name),
                            what,
                        );
                    }
                    event = event.on(Arc::clone(port));
                    To::Output
                }
            },
        };
        let mut parameters: Vec<_> = raise
            .parameters
            .iter()
            .map(|parameter| self.operand(parameter))
            .collect();
        let constant: Option<Vec<Value>> = parameters
            .iter()
            .map(|parameter| match parameter {
                Operand::Value(value) => Some(value.clone()),
                _ => None,
            })
            .collect();
        if let Some(values) = constant {
            event = event.with(values);
            parameters.clear();
        }
        compiled::Raise {
            id: self.events.id(&raise.event),
            event,
            to,
            parameters,
            place: raise.place.clone(),
        }
    }
}
