//! What states must be.

use std::sync::Arc;

use super::Builder;
use crate::model::compiled::StateId;
use crate::model::raise::Action;
use crate::model::state::{self, Kind};
use crate::model::transition;
use crate::script::{Code, Expression};
use crate::{BigStepMaximality, ComboStepMaximality, InternalEventLifeline, Place};

impl Builder<'_> {
    pub(super) fn check_id(&mut self, id: StateId, parent: StateId) {
        let name = Arc::clone(&self.chart.state(id).id);
        let twins = self.chart.state(parent).children.iter();
        if twins.filter(|twin| self.chart.state(**twin).id == name).count() > 1 {
            self.problem(id, format!("there are two children with the id `{name}`, expected one"));
        }
        let bad = |c: char| matches!(c, '/' | '(' | ')' | ',') || c.is_whitespace();
        if name.is_empty() {
            self.problem(id, "expected an id");
        } else if name.contains(bad) || matches!(&*name, "." | "..") {
            self.problem(
                id,
                format!("id `{name}`: expected one without `/`, `(`, `)`, `,` and spaces, and not `.` or `..`"),
            );
        }
    }

    pub(super) fn check_kind(&mut self, id: StateId, parent: StateId) {
        let state = self.described[id.index()];
        let real = |child: &&state::State| !matches!(child.kind, Kind::ShallowHistory | Kind::DeepHistory);
        let children = state.children.iter().filter(real).count();
        match state.kind {
            Kind::Plain if id == StateId::ROOT && children == 0 => self.problem(id, "expected a state in the chart"),
            Kind::Plain if children == 0 && !state.children.is_empty() => {
                self.problem(id, "a history, but no state to remember: expected a state beside it");
            }
            Kind::Plain if children == 0 && state.initial.is_some() => {
                self.problem(id, "`initial` without states inside: expected some, or no `initial`");
            }
            Kind::Plain
                if children == 0
                    && !self.lenient
                    && id != StateId::ROOT
                    && self.chart.state(parent).kind == Kind::Parallel =>
            {
                self.problem(id, "a region of a parallel without states: expected states inside");
            }
            Kind::Plain => {}
            Kind::Parallel if children == 0 => self.problem(id, "a parallel without regions: expected some"),
            Kind::Parallel if state.initial.is_some() => {
                self.problem(
                    id,
                    "`initial` on a parallel: expected none, all its regions are entered",
                );
            }
            Kind::Parallel => {}
            Kind::ShallowHistory | Kind::DeepHistory => {
                if parent == StateId::ROOT {
                    self.problem(id, "a history at the root: expected it inside of a state");
                }
                if !(state.children.is_empty()
                    && state.transitions.is_empty()
                    && state.entry.is_empty()
                    && state.exit.is_empty())
                {
                    self.problem(id, "a history has no states, transitions, entry or exit: expected none");
                }
            }
        }
    }

    pub(super) fn check_semantics(&mut self) {
        let semantics = self.chart.semantics;
        if semantics.big_step_maximality == BigStepMaximality::TakeOne
            && semantics.internal_event_lifeline == InternalEventLifeline::NextComboStep
        {
            let part = format!("class {}", self.class.name);
            let what = "internal_event_lifeline next_combo_step with big_step_maximality take_one: \
                        a big step has no next combo step, so local events come in the next big step";
            self.compiler.warn(&self.described[0].place, part, what);
        }
        let syntactic = semantics.big_step_maximality == BigStepMaximality::Syntactic
            || semantics.combo_step_maximality == ComboStepMaximality::Syntactic;
        let stable = self.described.iter().find(|state| state.stable);
        let doubtful = match stable {
            None if syntactic => Some((
                self.described[0],
                "maximality syntactic without a stable state: nothing rests",
            )),
            Some(state) if !syntactic => Some((*state, "stable, but no maximality is syntactic: it means nothing")),
            _ => None,
        };
        if let Some((state, what)) = doubtful {
            let part = format!("class {}", self.class.name);
            self.compiler.warn(&state.place, part, what);
        }
    }

    /// The references in code lead somewhere.
    pub(super) fn codes(&mut self) {
        for number in 0..self.described.len() {
            let id = StateId(number as u32);
            let state = self.described[number];
            let path = self.chart.path(id);
            let name = &self.class.name;
            self.check_actions(
                id,
                &state.entry,
                &state.place,
                &format!("class {name}, entry of {path}"),
            );
            self.check_actions(id, &state.exit, &state.place, &format!("class {name}, exit of {path}"));
            for transition in &state.transitions {
                let part = format!("class {name}, transition of {path}");
                if let transition::Guard::Code(code) = &transition.guard {
                    self.check_code(id, code, &transition.place, &part);
                }
                self.check_actions(id, &transition.actions, &transition.place, &part);
            }
        }
    }

    fn check_actions(&mut self, from: StateId, actions: &[Action], place: &Place, part: &str) {
        for action in actions {
            match action {
                Action::Run(code) | Action::Log(Expression::Code(code)) | Action::Assign(_, Expression::Code(code)) => {
                    self.check_code(from, code, place, part);
                }
                Action::Raise(raise) => {
                    for parameter in &raise.parameters {
                        if let Expression::Code(code) = parameter {
                            self.check_code(from, code, place, part);
                        }
                    }
                }
                Action::Log(_) | Action::Assign(..) => {}
            }
        }
    }

    fn check_code(&mut self, from: StateId, code: &Code, place: &Place, part: &str) {
        for reference in code.references() {
            if let Err(what) = self.chart.resolve(from, &reference) {
                let what = format!("in state `{reference}`: {what}");
                self.compiler.problem(place, part, what);
            }
        }
    }
}
