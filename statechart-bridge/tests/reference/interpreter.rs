//! A plain interpreter of the same semantics: sets of numbers, everything found out anew at each step.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use statechart_bridge::{
    BigStepMaximality, ComboStepMaximality, Concurrency, InputEventLifeline, InternalEventLifeline, Priority,
};

use crate::spec::{Arrow, FUEL, Guard, Kind, Spec, Trigger};

/// A state and the number of one of its arrows.
type Which = (usize, usize);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Seen {
    Event(&'static str),
    Timer(Which),
}

pub(crate) struct Interpreter<'a> {
    spec: &'a Spec,
    pub(crate) active: BTreeSet<usize>,
    memory: BTreeMap<usize, BTreeSet<usize>>,
    /// Time, number, and whose.
    timers: Vec<(u64, u64, Which)>,
    next_number: u64,
    /// Local events that go before all others.
    first: VecDeque<Seen>,
    queue: VecDeque<(Seen, Option<u64>)>,
    rung: BTreeMap<Which, u64>,
    next_small: Vec<Seen>,
    next_combo: Vec<Seen>,
    next_remainder: Vec<Seen>,
    now: u64,
    count: i64,
    fuel: i64,
    pub(crate) said: Vec<String>,
    /// Whether a big step took more small steps than [`MOST`]: an input that is there for ever can do that.
    pub(crate) endless: bool,
}

/// Small steps in a big step.
pub(crate) const MOST: u32 = 100;

impl<'a> Interpreter<'a> {
    pub(crate) fn start(spec: &'a Spec) -> Self {
        let mut this = Self {
            spec,
            active: BTreeSet::new(),
            memory: BTreeMap::new(),
            timers: Vec::new(),
            next_number: 0,
            first: VecDeque::new(),
            queue: VecDeque::new(),
            rung: BTreeMap::new(),
            next_small: Vec::new(),
            next_combo: Vec::new(),
            next_remainder: Vec::new(),
            now: 0,
            count: 0,
            fuel: FUEL,
            said: Vec::new(),
            endless: false,
        };
        this.enter_inside(0, &BTreeSet::new());
        this.settle();
        this
    }

    pub(crate) fn input(&mut self, event: &'static str) {
        self.queue.push_back((Seen::Event(event), None));
        self.settle();
    }

    pub(crate) fn advance(&mut self, by: u64) {
        let end = self.now + by;
        loop {
            let next = self.timers.iter().map(|timer| timer.0).min();
            match next {
                Some(at) if at <= end && !self.endless => {
                    self.now = at;
                    let (mut due, later): (Vec<_>, Vec<_>) = self.timers.drain(..).partition(|timer| timer.0 <= at);
                    self.timers = later;
                    due.sort_unstable();
                    for (_, number, which) in due {
                        self.rung.insert(which, number);
                        self.queue.push_back((Seen::Timer(which), Some(number)));
                    }
                    self.settle();
                }
                _ => break,
            }
        }
        self.now = end;
    }

    fn settle(&mut self) {
        while !self.endless {
            let first = self.first.pop_front().map(|seen| (seen, None));
            let mut event = first.or_else(|| self.queue.pop_front());
            if let Some((Seen::Timer(which), number)) = &event
                && self.rung.remove(which) != *number
            {
                // Cancelled since.
                continue;
            }
            let none_left = event.is_none();
            if !self.big_step(event.take().map(|(seen, _)| seen)) && none_left {
                return;
            }
        }
    }

    fn big_step(&mut self, input: Option<Seen>) -> bool {
        let semantics = self.spec.semantics;
        let mut small = std::mem::take(&mut self.next_small);
        let mut rest = std::mem::take(&mut self.next_remainder);
        let (mut first_small, mut first_combo) = (true, true);
        let mut fired = false;
        let mut left = MOST;
        let mut closed: BTreeSet<usize> = BTreeSet::new();
        loop {
            let combo = std::mem::take(&mut self.next_combo);
            let mut changed = closed.clone();
            let mut combo_fired = false;
            loop {
                let mut seen: Vec<Seen> = small.iter().chain(&combo).chain(&rest).cloned().collect();
                let there = match semantics.input_event_lifeline {
                    InputEventLifeline::FirstSmallStep => first_small,
                    InputEventLifeline::FirstComboStep => first_combo,
                    _ => true,
                };
                seen.extend(input.clone().filter(|_| there));
                let chosen = self.choose(&seen, &changed);
                if chosen.is_empty() {
                    break;
                }
                for which in chosen {
                    self.fire(which);
                    let rests = self.rests(which);
                    match semantics.combo_step_maximality {
                        ComboStepMaximality::TakeOne => changed.extend(self.area(which)),
                        ComboStepMaximality::Syntactic if rests => changed.extend(self.area(which)),
                        _ => {}
                    }
                    if semantics.big_step_maximality == BigStepMaximality::Syntactic && rests {
                        closed.extend(self.area(which));
                    }
                }
                if left == 0 {
                    self.endless = true;
                    return false;
                }
                left -= 1;
                (combo_fired, fired, first_small) = (true, true, false);
                small = std::mem::take(&mut self.next_small);
                rest.append(&mut self.next_remainder);
            }
            first_combo = false;
            if !combo_fired {
                if semantics.big_step_maximality == BigStepMaximality::Syntactic && fired {
                    self.next_small.splice(0..0, small);
                    self.next_combo.splice(0..0, combo);
                }
                return fired;
            }
            if semantics.big_step_maximality == BigStepMaximality::TakeOne {
                self.next_small.splice(0..0, small);
                return fired;
            }
        }
    }

    /// What a small step takes.
    fn choose(&self, seen: &[Seen], changed: &BTreeSet<usize>) -> Vec<Which> {
        let candidates: Vec<Which> = self
            .active
            .iter()
            .filter(|state| !changed.contains(state))
            .filter_map(|state| {
                let arrows = 0..self.spec.nodes[*state].arrows.len();
                arrows
                    .map(|arrow| (*state, arrow))
                    .find(|which| self.enabled(*which, seen) && self.area(*which).is_disjoint(changed))
            })
            .collect();
        let loses = |which: &Which| {
            candidates.iter().any(|other| match self.spec.semantics.priority {
                Priority::SourceChild => self.ancestors(other.0).contains(&which.0),
                _ => self.ancestors(which.0).contains(&other.0),
            })
        };
        let left = candidates.iter().filter(|which| !loses(which)).copied();
        if self.spec.semantics.concurrency == Concurrency::Single {
            return left.take(1).collect();
        }
        let mut chosen: Vec<Which> = Vec::new();
        for which in left {
            let area = self.area(which);
            if chosen.iter().all(|other| self.area(*other).is_disjoint(&area)) {
                chosen.push(which);
            }
        }
        chosen
    }

    fn arrow(&self, which: Which) -> &'a Arrow {
        &self.spec.nodes[which.0].arrows[which.1]
    }

    fn enabled(&self, which: Which, seen: &[Seen]) -> bool {
        let arrow = self.arrow(which);
        let triggered = match arrow.trigger {
            Trigger::Spontaneous => return self.fuel > 0 && (arrow.guard != Guard::Even || self.count % 2 == 0),
            Trigger::Event(name) => seen.contains(&Seen::Event(name)),
            Trigger::After(_) => seen.contains(&Seen::Timer(which)),
        };
        triggered && self.allowed(which)
    }

    fn allowed(&self, which: Which) -> bool {
        let arrow = self.arrow(which);
        match arrow.guard {
            Guard::Always => true,
            Guard::Even => self.count % 2 == 0,
            // The root is always there.
            Guard::In(state) => state == 0 || self.active.contains(&state),
            Guard::Else => {
                let others = &self.spec.nodes[which.0].arrows;
                !others.iter().enumerate().any(|(number, other)| {
                    number != which.1
                        && matches!(arrow.trigger, Trigger::Event(_))
                        && other.trigger == arrow.trigger
                        && other.guard != Guard::Else
                        && self.allowed((which.0, number))
                })
            }
        }
    }

    fn ancestors(&self, state: usize) -> Vec<usize> {
        let mut ancestors = Vec::new();
        let mut at = state;
        while at != 0 {
            at = self.spec.nodes[at].parent;
            ancestors.push(at);
        }
        ancestors
    }

    fn inside(&self, state: usize) -> BTreeSet<usize> {
        (0..self.spec.nodes.len())
            .filter(|other| self.ancestors(*other).contains(&state))
            .collect()
    }

    fn domain(&self, which: Which) -> usize {
        let arrow = self.arrow(which);
        let all_inside = arrow
            .targets
            .iter()
            .all(|target| self.ancestors(*target).contains(&which.0));
        if all_inside && !arrow.external {
            return which.0;
        }
        let mut around = self.ancestors(which.0).into_iter();
        let around = around.find(|state| {
            arrow
                .targets
                .iter()
                .all(|target| self.ancestors(*target).contains(state))
        });
        around.unwrap_or(0)
    }

    fn area(&self, which: Which) -> BTreeSet<usize> {
        let around = if self.arrow(which).targets.is_empty() {
            which.0
        } else {
            self.domain(which)
        };
        let mut area = self.inside(around);
        area.insert(around);
        area
    }

    /// Whether what an arrow has changed has reached a stable state.
    fn rests(&self, which: Which) -> bool {
        let mut reached = self.area(which);
        if !self.arrow(which).targets.is_empty() {
            reached.remove(&self.domain(which));
        }
        reached
            .iter()
            .any(|state| self.active.contains(state) && self.spec.nodes[*state].stable)
    }

    fn fire(&mut self, which: Which) {
        let arrow = self.arrow(which);
        let domain = self.domain(which);
        if !arrow.targets.is_empty() {
            self.exit_inside(domain);
        }
        self.said.push(arrow.name.clone());
        self.act(arrow);
        if !arrow.targets.is_empty() {
            let wanted = arrow
                .targets
                .iter()
                .flat_map(|target| self.remembered(*target))
                .collect();
            self.enter_inside(domain, &wanted);
        }
    }

    fn act(&mut self, arrow: &Arrow) {
        self.count += 1;
        let spontaneous = arrow.trigger == Trigger::Spontaneous;
        if self.fuel == 0 || !(spontaneous || arrow.raises.is_some()) {
            return;
        }
        self.fuel -= 1;
        let Some(event) = arrow.raises else {
            return;
        };
        let event = Seen::Event(event);
        match self.spec.semantics.internal_event_lifeline {
            InternalEventLifeline::NextSmallStep => self.next_small.push(event),
            InternalEventLifeline::NextComboStep => self.next_combo.push(event),
            InternalEventLifeline::Remainder => self.next_remainder.push(event),
            InternalEventLifeline::QueueFirst => self.first.push_back(event),
            _ => self.queue.push_back((event, None)),
        }
    }

    fn exit_inside(&mut self, domain: usize) {
        let leaving: Vec<usize> = self.inside(domain).intersection(&self.active).copied().collect();
        for state in &leaving {
            for child in &self.spec.nodes[*state].children {
                let kind = self.spec.nodes[*child].kind;
                let inside = self.inside(*state);
                let value = self.active.iter().filter(|other| match kind {
                    Kind::Deep => inside.contains(other),
                    _ => self.spec.nodes[**other].parent == *state,
                });
                if matches!(kind, Kind::Shallow | Kind::Deep) {
                    let value = value.copied().collect();
                    self.memory.insert(*child, value);
                }
            }
        }
        for state in leaving.into_iter().rev() {
            self.timers.retain(|timer| timer.2.0 != state);
            self.rung.retain(|which, _| which.0 != state);
            self.tell('-', state);
            self.active.remove(&state);
        }
    }

    /// The states that a target stands for.
    fn remembered(&self, target: usize) -> BTreeSet<usize> {
        match (self.spec.nodes[target].kind, self.memory.get(&target)) {
            (Kind::Plain | Kind::Parallel, _) => [target].into(),
            (_, Some(value)) => value.clone(),
            (_, None) => [self.spec.nodes[target].parent].into(),
        }
    }

    /// Enters, inside of a state, what is wanted and what belongs to it.
    fn enter_inside(&mut self, state: usize, wanted: &BTreeSet<usize>) {
        let spec = self.spec;
        let children: Vec<usize> = spec.real_children(state).collect();
        if children.is_empty() {
            return;
        }
        if spec.nodes[state].kind == Kind::Parallel {
            for child in children {
                self.enter(child, wanted);
            }
            return;
        }
        let leads = |child: &&usize| {
            wanted.contains(child) || wanted.iter().any(|wanted| self.ancestors(*wanted).contains(child))
        };
        let chosen = children.iter().find(leads).copied().or(spec.nodes[state].initial);
        if let Some(chosen) = chosen {
            self.enter(chosen, wanted);
        }
    }

    fn tell(&mut self, what: char, state: usize) {
        let node = &self.spec.nodes[state];
        if !node.silent {
            self.said.push(format!("{what}{}", node.path));
        }
    }

    fn enter(&mut self, state: usize, wanted: &BTreeSet<usize>) {
        self.active.insert(state);
        self.tell('+', state);
        for (number, arrow) in self.spec.nodes[state].arrows.iter().enumerate() {
            if let Trigger::After(delay) = arrow.trigger {
                self.next_number += 1;
                self.timers.push((self.now + delay, self.next_number, (state, number)));
            }
        }
        self.enter_inside(state, wanted);
    }
}
