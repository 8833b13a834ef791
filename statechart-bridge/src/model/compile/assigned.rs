//! What the code of a class assigns to.

use crate::model::compiled::{Action, Class, Guard, Method, Operand, To};
use crate::script::{Code, Key};

/// Whether nothing but the constructor assigns to the attributes that the chart compares with parameters of events.
pub(super) fn keys_stay(class: &Class) -> bool {
    let Some(chart) = &class.chart else {
        return true;
    };
    let keys = Keys(&chart.keys);
    let states = chart
        .states
        .iter()
        .all(|state| keys.stay_after_all(&state.entry) && keys.stay_after_all(&state.exit));
    let transitions = chart.transitions.iter().all(|transition| {
        let guard = match &transition.guard {
            Guard::Code(code) => keys.stay(code),
            Guard::Always | Guard::Else | Guard::InState(_) => true,
        };
        guard && keys.stay_after_all(&transition.actions)
    });
    let mut methods = class.methods.values().chain(&class.destructors);
    states
        && transitions
        && chart.timers.iter().all(|timer| keys.stay_at(&timer.delay))
        && methods.all(|method| keys.stay_after(method))
}

struct Keys<'a>(&'a [Key]);

impl Keys<'_> {
    fn stay(&self, code: &Code) -> bool {
        code.assigns()
            .is_some_and(|assigned| !assigned.iter().any(|key| self.0.contains(key)))
    }

    fn stay_at(&self, operand: &Operand) -> bool {
        match operand {
            Operand::Code(code) => self.stay(code),
            Operand::Value(_) | Operand::Parameter(_) | Operand::Attribute(_) => true,
        }
    }

    fn stay_after_all(&self, actions: &[Action]) -> bool {
        actions.iter().all(|action| match action {
            Action::Run(code) => self.stay(code),
            Action::Log(text) => self.stay_at(text),
            Action::Assign(key, value) => !self.0.contains(key) && self.stay_at(value),
            Action::Raise(raise) => {
                let target = match &raise.to {
                    To::Narrow(target) => self.stay_at(target),
                    To::Local | To::Broad | To::ObjectManager | To::Output | To::Private(_) => true,
                };
                target && raise.parameters.iter().all(|parameter| self.stay_at(parameter))
            }
        })
    }

    fn stay_after(&self, method: &Method) -> bool {
        let mut defaults = method.parameters.iter().filter_map(|(_, default)| default.as_ref());
        defaults.all(|default| self.stay_at(default))
            && method.body.as_ref().is_none_or(|body| self.stay(body))
            && method.supers.iter().all(|call| {
                call.arguments.iter().all(|argument| self.stay_at(argument)) && self.stay_after(&call.method)
            })
    }
}
