//! Charts: states in document order, what transitions leave and enter, searches by event.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::Compiler;
use super::index::Known;
use crate::model::class::Class;
use crate::model::compiled::{
    self, BitSet, Change, Chart, Entry, EventId, Guard, History, StateId, Timer, Transition, Trigger,
};
use crate::model::raise::Action;
use crate::model::state::{self, Kind};
use crate::model::transition;
use crate::script::{Code, Expression};
use crate::{BigStepMaximality, ComboStepMaximality, InternalEventLifeline, Place};

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
        remembering: BitSet::default(),
        stable: BitSet::default(),
        keyed: HashMap::new(),
        keys: Vec::new(),
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

    fn check_id(&mut self, id: StateId, parent: StateId) {
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

    fn check_kind(&mut self, id: StateId, parent: StateId) {
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

    fn check_semantics(&mut self) {
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

    fn transitions(&mut self) {
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

    fn transition(&mut self, source: StateId, described: &'a transition::Transition) {
        let part = format!("class {}, transition of {}", self.class.name, self.chart.path(source));
        let trigger = self.trigger(described, &part);
        let targets = self.targets(source, described, &part);
        let change = targets.map(|(domain, targets)| Change {
            domain,
            leaf: self.is_leaf_of(source, domain),
            entry: self.entry(domain, &targets),
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
        self.chart.transitions.push(Transition {
            source,
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
    fn targets(
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

    /// The references in code lead somewhere.
    fn codes(&mut self) {
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

    /// The tables that find transitions.
    fn searches(&mut self, events: &[(EventId, Known)]) {
        let states = self.chart.states.len();
        self.chart.spontaneous = BitSet::new(states);
        self.chart.remembering = BitSet::new(states);
        self.chart.stable = BitSet::new(states);
        self.chart.responds = vec![None; self.compiler.events.count as usize];
        for number in 0..states {
            let id = StateId(number as u32);
            let state = &self.chart.states[number];
            let (first, end) = state.transitions;
            let timers = self.chart.timers[state.timers.0 as usize..state.timers.1 as usize].iter();
            let timers: BTreeMap<u32, EventId> = timers.map(|timer| (timer.transition, timer.event)).collect();
            let mut table: BTreeMap<EventId, Vec<u32>> = BTreeMap::new();
            let mut spontaneous = Vec::new();
            for transition in first..end {
                match &self.described[number].transitions[(transition - first) as usize].trigger {
                    transition::Trigger::Spontaneous => spontaneous.push(transition),
                    transition::Trigger::After(_) => {
                        if let Some(event) = timers.get(&transition) {
                            table.entry(*event).or_default().push(transition);
                        }
                    }
                    transition::Trigger::Event { name, .. } => {
                        let event = self.compiler.events.id(name);
                        table.entry(event).or_default().push(transition);
                    }
                    transition::Trigger::Prefix { name, .. } => {
                        for (event, known) in events {
                            if known.begins(name) {
                                table.entry(*event).or_default().push(transition);
                            }
                        }
                    }
                }
            }
            for (event, transitions) in &mut table {
                transitions.extend(&spontaneous);
                transitions.sort_unstable();
                if let Some(responds) = self.chart.responds.get_mut(event.0 as usize) {
                    responds.get_or_insert_with(|| BitSet::new(states)).insert(id);
                }
            }
            let table = table.into_iter().map(|(event, list)| (event, list.into_boxed_slice()));
            let state = &mut self.chart.states[number];
            state.by_event = table.collect();
            if !spontaneous.is_empty() {
                self.chart.spontaneous.insert(id);
            }
            if !state.histories.is_empty() {
                self.chart.remembering.insert(id);
            }
            if self.described[number].stable {
                self.chart.stable.insert(id);
            }
            state.spontaneous = spontaneous.into();
        }
    }

    /// The events that matter to an instance only if one attribute equals one parameter, whatever its states.
    fn keyed(&mut self, events: &[(EventId, Known)]) {
        for (event, _) in events {
            let mut found = None;
            let all = self.chart.states.iter().all(|state| {
                let Some((_, transitions)) = state.by_event.iter().find(|(known, _)| known == event) else {
                    return true;
                };
                let by_event = transitions
                    .iter()
                    .map(|number| &self.chart.transitions[*number as usize])
                    .filter(|transition| transition.trigger != Trigger::Spontaneous);
                by_event.into_iter().all(|transition| {
                    transition.same.is_some() && *found.get_or_insert(transition.same) == transition.same
                })
            });
            if let (true, Some(Some(key))) = (all, found) {
                self.chart.keyed.insert(*event, key);
                if !self.chart.keys.contains(&key.0) {
                    self.chart.keys.push(key.0);
                }
            }
        }
    }
}
