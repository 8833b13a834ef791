//! The names of events, and which transitions know them.

use std::sync::Arc;

use super::Compiler;
use crate::model::class::Class;
use crate::model::compiled::EventId;
use crate::model::state::State;
use crate::model::transition::Trigger;

/// A name or a beginning of names that triggers know.
pub(super) enum Known {
    Name(Arc<str>),
    Prefix(Arc<str>),
}

impl Known {
    /// Whether a trigger for all events that begin so has this among them.
    pub(super) fn begins(&self, prefix: &str) -> bool {
        let (Self::Name(name) | Self::Prefix(name)) = self;
        let Some(rest) = name.strip_prefix(prefix) else {
            return false;
        };
        prefix.is_empty() || rest.is_empty() || rest.starts_with('.')
    }
}

/// Gives a number to each event that a trigger names.
pub(super) fn names(compiler: &mut Compiler, classes: &[Class]) -> Vec<(EventId, Known)> {
    let mut known = Vec::new();
    for chart in classes.iter().filter_map(|class| class.chart.as_ref()) {
        visit(compiler, &chart.root, &mut known);
    }
    known
}

fn visit(compiler: &mut Compiler, root: &State, known: &mut Vec<(EventId, Known)>) {
    let mut stack = vec![root];
    while let Some(state) = stack.pop() {
        stack.extend(state.children.iter().rev());
        for transition in &state.transitions {
            let before = compiler.events.count;
            let (id, what) = match &transition.trigger {
                Trigger::Event { name, .. } => (compiler.event(name), Known::Name(Arc::clone(name))),
                Trigger::Prefix { name, .. } => (compiler.prefix(name), Known::Prefix(Arc::clone(name))),
                Trigger::Spontaneous | Trigger::After(_) => continue,
            };
            if compiler.events.count > before {
                known.push((id, what));
            }
        }
    }
}
