//! Charts: states in document order, what transitions leave and enter, searches by event.

mod check;
mod search;
mod transitions;
use std::collections::HashMap;
use std::sync::Arc;

use super::Compiler;
use super::index::Known;
use crate::model::class::Class;
use crate::model::compiled::{self, BitSet, Chart, Entry, EventId, History, StateId};
use crate::model::state::{self, Kind};

/// How deep states may be nested.
const DEEPEST: usize = 200;

pub(super) fn chart(
    compiler: &mut Compiler,
    class: &Class,
    described: &state::Chart,
    events: &[(EventId, Known)],
) -> Option<Chart> {
    let before = compiler.problems.len();
    let mut builder = Builder {
        compiler,
        class,
        lenient: described.lenient,
        described: Vec::new(),
        chart: empty(described),
    };
    builder.add_state(&described.root, StateId::ROOT, 0);
    if builder.compiler.problems.len() > before {
        return None;
    }
    builder.check_semantics();
    builder.defaults();
    if builder.compiler.problems.len() > before {
        return None;
    }
    builder.transitions();
    builder.chart.start = builder.entry(StateId::ROOT, &[]);
    builder.codes();
    builder.searches(events);
    builder.quiet();
    builder.keyed(events);
    let chart = builder.chart;
    (compiler.problems.len() == before).then_some(chart)
}

fn empty(described: &state::Chart) -> Chart {
    Chart {
        states: Vec::new(),
        transitions: Vec::new(),
        timers: Vec::new(),
        histories: Vec::new(),
        semantics: described.semantics,
        start: Entry::Fixed(Box::default()),
        responds: Vec::new(),
        spontaneous: BitSet::default(),
        is_spontaneous: false,
        remembering: BitSet::default(),
        stable: BitSet::default(),
        keyed: HashMap::new(),
        keys: Vec::new(),
        keys_stay: false,
    }
}

struct Builder<'a> {
    compiler: &'a mut Compiler,
    class: &'a Class,
    lenient: bool,
    /// The descriptions of the states, by number.
    described: Vec<&'a state::State>,
    chart: Chart,
}

impl<'a> Builder<'a> {
    fn part(&self, state: StateId) -> String {
        format!("class {}, state {}", self.class.name, self.chart.path(state))
    }

    fn problem(&mut self, state: StateId, what: impl Into<String>) {
        let place = self.described[state.index()].place.clone();
        let part = self.part(state);
        self.compiler.problem(&place, part, what);
    }

    fn add_state(&mut self, described: &'a state::State, parent: StateId, depth: usize) {
        let id = StateId(self.chart.states.len() as u32);
        let entry = self.compiler.actions(self.class, &described.entry);
        let exit = self.compiler.actions(self.class, &described.exit);
        self.described.push(described);
        self.chart.states.push(compiled::State {
            id: Arc::clone(&described.id),
            kind: described.kind,
            parent,
            end: 0,
            children: Vec::new(),
            defaults: Vec::new(),
            entry,
            exit,
            timers: (0, 0),
            histories: Vec::new(),
            transitions: (0, 0),
            by_event: Vec::new(),
            spontaneous: Box::default(),
        });
        if id != StateId::ROOT {
            self.chart.states[parent.index()].children.push(id);
            self.check_id(id, parent);
        }
        self.check_kind(id, parent);
        if self.chart.state(id).is_history() {
            let number = self.chart.histories.len() as u32;
            let deep = described.kind == Kind::DeepHistory;
            self.chart.histories.push(History { state: id, deep });
            self.chart.states[parent.index()].histories.push(number);
        }
        if depth < DEEPEST {
            for child in &described.children {
                self.add_state(child, id, depth + 1);
            }
        } else {
            self.problem(id, format!("states nested {DEEPEST} deep, expected fewer"));
        }
        self.chart.states[id.index()].end = self.chart.states.len() as u32;
    }

    /// What states enter by default.
    fn defaults(&mut self) {
        for number in 0..self.chart.states.len() {
            let id = StateId(number as u32);
            let described = self.described[number];
            let state = self.chart.state(id);
            let around = if state.is_history() { state.parent } else { id };
            if let Some(reference) = &described.initial {
                match self.chart.resolve_targets(around, reference) {
                    Ok(defaults) => {
                        self.check_default(id, around, reference, &defaults);
                        self.chart.states[number].defaults = defaults;
                    }
                    Err(what) => self.problem(id, format!("initial `{reference}`: {what}")),
                }
                continue;
            }
            if state.kind != Kind::Plain {
                continue;
            }
            let mut children = state
                .children
                .iter()
                .filter(|child| !self.chart.state(**child).is_history());
            let Some(first) = children.next().copied() else {
                continue;
            };
            if children.next().is_some() {
                let what = format!(
                    "no `initial`: its first state, `{}`, is entered",
                    self.chart.state(first).id
                );
                let part = self.part(id);
                self.compiler.warn(&described.place, part, what);
            }
            self.chart.states[number].defaults = vec![first];
        }
    }

    fn check_default(&mut self, id: StateId, around: StateId, reference: &str, defaults: &[StateId]) {
        for default in defaults {
            let target = self.chart.state(*default);
            if !self.chart.is_inside(*default, around) {
                let what = format!("initial `{reference}`: expected a state inside");
                return self.problem(id, what);
            }
            let circular = target.is_history()
                && (self.chart.state(id).is_history() || self.described[default.index()].initial.is_none());
            if circular {
                let what = format!("initial `{reference}`: a history without a value would lead back here");
                return self.problem(id, what);
            }
        }
        if let Some(what) = self.not_together(defaults) {
            self.problem(id, format!("initial `{reference}`: {what}"));
        }
    }

    /// The deepest state around all of these, and none of them.
    fn around(&self, states: impl Iterator<Item = StateId>) -> StateId {
        let states: Vec<_> = states.collect();
        let Some(first) = states.first() else {
            return StateId::ROOT;
        };
        let mut at = self.chart.state(*first).parent;
        while at != StateId::ROOT && !states.iter().all(|state| self.chart.is_inside(*state, at)) {
            at = self.chart.state(at).parent;
        }
        at
    }

    /// Two targets that can't be active together.
    fn not_together(&self, targets: &[StateId]) -> Option<String> {
        let pairs = targets.iter().enumerate();
        let mut pairs = pairs.flat_map(|(index, a)| targets[index + 1..].iter().map(move |b| (*a, *b)));
        pairs.find_map(|(a, b)| {
            let around = self.around([a, b].into_iter());
            (self.chart.state(around).kind != Kind::Parallel).then(|| {
                let (a, b) = (self.chart.path(a), self.chart.path(b));
                format!("{a} and {b} can't be active together: expected states in different regions of a parallel")
            })
        })
    }

    fn entry(&self, domain: StateId, targets: &[StateId]) -> Entry {
        let mut set = BitSet::new(self.chart.states.len());
        if self.chart.complete(domain, targets, &mut set, |_| None) {
            return Entry::Remembered(targets.into());
        }
        Entry::Fixed(set.iter().collect())
    }
}
