//! What transitions leave and enter.

use std::sync::Arc;

use super::Builder;
use crate::model::compiled::{BitSet, Change, Entry, Guard, Quiet, StateId, Timer, Transition, Trigger};
use crate::model::state::Kind;
use crate::model::transition;
use crate::script::Expression;

impl<'a> Builder<'a> {
    pub(super) fn transitions(&mut self) {
        for number in 0..self.described.len() {
            let id = StateId(number as u32);
            let first = self.chart.transitions.len() as u32;
            let first_timer = self.chart.timers.len() as u32;
            for described in &self.described[number].transitions {
                self.transition(id, described);
            }
            let state = &mut self.chart.states[number];
            state.transitions = (first, self.chart.transitions.len() as u32);
            state.timers = (first_timer, self.chart.timers.len() as u32);
            self.rivals(first);
        }
    }

    /// Who competes with each ELSE among the transitions of one state.
    fn rivals(&mut self, first: u32) {
        let end = self.chart.transitions.len() as u32;
        let event = |number: u32| self.event_of(number);
        let rivals: Vec<(u32, Box<[u32]>)> = (first..end)
            .filter(|number| matches!(self.chart.transitions[*number as usize].guard, Guard::Else))
            .map(|number| {
                let same = |other: &u32| {
                    let [a, b] = [number, *other].map(|number| &self.chart.transitions[number as usize]);
                    // Each timer is a trigger of its own.
                    *other != number
                        && a.trigger != Trigger::Timer
                        && a.trigger == b.trigger
                        && event(number) == event(*other)
                        && !matches!(b.guard, Guard::Else)
                };
                (number, (first..end).filter(same).collect())
            })
            .collect();
        for (number, rivals) in rivals {
            self.chart.transitions[number as usize].rivals = rivals;
        }
    }

    /// The description of a transition's event.
    fn event_of(&self, number: u32) -> Option<&str> {
        let transition = &self.chart.transitions[number as usize];
        let first = self.chart.state(transition.source).transitions.0;
        let described = &self.described[transition.source.index()].transitions[(number - first) as usize];
        match &described.trigger {
            transition::Trigger::Event { name, .. } | transition::Trigger::Prefix { name, .. } => Some(name),
            transition::Trigger::Spontaneous | transition::Trigger::After(_) => None,
        }
    }

    pub(super) fn transition(&mut self, source: StateId, described: &'a transition::Transition) {
        let part = format!("class {}, transition of {}", self.class.name, self.chart.path(source));
        let trigger = self.trigger(described, &part);
        let targets = self.targets(source, described, &part);
        let change = targets.map(|(domain, targets)| Change {
            domain,
            leaf: self.is_leaf_of(source, domain),
            entry: self.entry(domain, &targets),
            quiet: None,
        });
        let guard = match &described.guard {
            transition::Guard::Always => Guard::Always,
            transition::Guard::Else => Guard::Else,
            transition::Guard::Code(code) => Guard::Code(Arc::clone(code)),
            transition::Guard::InState(references) => {
                let mut states = Vec::new();
                for reference in references {
                    match self.chart.resolve(source, reference) {
                        Ok(found) => states.extend(found),
                        Err(what) => {
                            let what = format!("in state `{reference}`: {what}");
                            self.compiler.problem(&described.place, part.clone(), what);
                        }
                    }
                }
                Guard::InState(states)
            }
        };
        if let transition::Trigger::After(delay) = &described.trigger {
            let event = self.compiler.events.anonymous();
            if let Expression::Value(delay) = delay
                && !delay.as_number().is_some_and(|seconds| seconds >= 0.0)
            {
                let what = format!("after {delay}: expected seconds, 0 or more");
                self.compiler.problem(&described.place, part.clone(), what);
            }
            let delay = self.compiler.operand(delay);
            let transition = self.chart.transitions.len() as u32;
            self.chart.timers.push(Timer {
                transition,
                event,
                delay,
            });
        }
        let around = change.as_ref().map_or(source, |change| change.domain);
        let same = described
            .same
            .as_ref()
            .map(|(attribute, parameter)| (self.compiler.keys.intern(attribute), *parameter));
        let steady = matches!(&guard, Guard::Code(code) if trigger == Trigger::Spontaneous && code.only_computes());
        self.chart.transitions.push(Transition {
            source,
            steady,
            trigger,
            guard,
            same,
            actions: self.compiler.actions(self.class, &described.actions),
            area: (around.0, self.chart.state(around).end),
            change,
            rivals: Box::default(),
            place: described.place.clone(),
        });
    }

    /// Finds the transitions that leave and enter nothing where something would happen.
    pub(super) fn quiet(&mut self) {
        let chart = &self.chart;
        let timers = |state: StateId| {
            let (first, end) = chart.state(state).timers;
            first < end
        };
        let found: Vec<_> = chart
            .transitions
            .iter()
            .map(|transition| {
                let change = transition.change.as_ref()?;
                let Entry::Fixed(enters) = &change.entry else {
                    return None;
                };
                let mut left = BitSet::new(chart.states.len());
                if change.leaf {
                    left.insert(transition.source);
                } else {
                    left.insert_range(change.domain.0 + 1, chart.state(change.domain).end);
                }
                let mut entered = BitSet::new(chart.states.len());
                enters.iter().for_each(|state| entered.insert(*state));
                let leaves = |state| chart.state(state).exit.is_empty() && !timers(state);
                let comes = |state| chart.state(state).entry.is_empty() && !timers(state);
                // A history inside remembers what is left.
                let remembers = !change.leaf && {
                    let (start, end) = (change.domain.0 + 1, chart.state(change.domain).end);
                    chart.remembering.contains(change.domain) || chart.remembering.meets_range(start, end)
                };
                let quiet = !remembers && left.iter().all(leaves) && entered.iter().all(comes);
                quiet.then_some(Quiet { left, entered })
            })
            .collect();
        for (transition, quiet) in self.chart.transitions.iter_mut().zip(found) {
            if let Some(change) = &mut transition.change {
                change.quiet = quiet;
            }
        }
    }

    /// Whether a state without others inside is all that can be active in the one around it.
    fn is_leaf_of(&self, state: StateId, around: StateId) -> bool {
        let described = self.chart.state(state);
        described.children.is_empty() && described.parent == around && self.chart.state(around).kind == Kind::Plain
    }

    fn trigger(&mut self, described: &transition::Transition, part: &str) -> Trigger {
        let (name, port, prefix) = match &described.trigger {
            transition::Trigger::Spontaneous => return Trigger::Spontaneous,
            transition::Trigger::After(_) => return Trigger::Timer,
            transition::Trigger::Event { name, port } => (name, port, false),
            transition::Trigger::Prefix { name, port } => (name, port, true),
        };
        if name.is_empty() && !prefix {
            let what = if port.is_some() {
                "a port without an event: expected an event"
            } else {
                "expected the name of an event"
            };
            self.compiler.problem(&described.place, part, what);
        }
        let Some(port) = port else {
            return Trigger::Event(None);
        };
        let public = &self.compiler.inports;
        if !public.contains(port) && !self.class.inports.contains(port) {
            let known: Vec<_> = public.iter().chain(&self.class.inports).map(|name| &**name).collect();
            let what = if known.is_empty() {
                format!("no inport `{port}`, and no other: expected it to be declared")
            } else {
                format!("no inport `{port}`, expected one of {}", known.join(", "))
            };
            self.compiler.problem(&described.place, part, what);
        }
        Trigger::Event(Some(self.compiler.port(port)))
    }

    /// The domain and the targets, if it has some.
    pub(super) fn targets(
        &mut self,
        source: StateId,
        described: &transition::Transition,
        part: &str,
    ) -> Option<(StateId, Vec<StateId>)> {
        let reference = described.targets.as_ref()?;
        let found = match self.chart.resolve_targets(source, reference) {
            Ok(found) => found,
            Err(what) => {
                let what = format!("target `{reference}`: {what}");
                self.compiler.problem(&described.place, part, what);
                return None;
            }
        };
        let problem = self.not_together(&found).or_else(|| {
            let root = found.contains(&StateId::ROOT);
            root.then(|| "the root: expected a state".to_owned())
        });
        if let Some(what) = problem {
            let what = format!("target `{reference}`: {what}");
            self.compiler.problem(&described.place, part, what);
            return None;
        }
        let inside = found.iter().all(|target| self.chart.is_inside(*target, source));
        let domain = if inside && !described.external {
            source
        } else {
            self.around(std::iter::once(source).chain(found.iter().copied()))
        };
        if !self.lenient
            && let Some(parallel) = self.left_parallel(source, domain)
        {
            let what = format!(
                "target `{reference}`: leads from inside a region out of the parallel {}, expected a target in it; \
                 only transitions of the parallel itself may leave it",
                self.chart.path(parallel)
            );
            self.compiler.problem(&described.place, part, what);
        }
        Some((domain, found))
    }

    /// The parallel around the source that is left.
    fn left_parallel(&self, source: StateId, domain: StateId) -> Option<StateId> {
        let mut at = source;
        while at != StateId::ROOT {
            at = self.chart.state(at).parent;
            if at == domain || self.chart.is_inside(domain, at) {
                return None;
            }
            if self.chart.state(at).kind == Kind::Parallel {
                return Some(at);
            }
        }
        None
    }
}
