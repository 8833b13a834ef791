//! A chart as plain data: made of random choices, and turned into a model.

use std::sync::Arc;
use std::time::Duration;

use statechart_bridge::{
    BigStepMaximality, Chart, Class, ComboStepMaximality, Concurrency, Context, Event, Fault, InputEventLifeline,
    InternalEventLifeline, Model, Priority, Raise, Scope, Script, Semantics, State, Transition, Value,
};

/// Numbers that decide everything; 0 when they have run out.
pub(crate) struct Choices(pub(crate) std::vec::IntoIter<u16>);

impl Choices {
    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::from(self.0.next().unwrap_or(0)) % end.max(1)
    }

    fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 1
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Plain,
    Parallel,
    Shallow,
    Deep,
}

#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) kind: Kind,
    pub(crate) parent: usize,
    pub(crate) children: Vec<usize>,
    pub(crate) initial: Option<usize>,
    pub(crate) arrows: Vec<Arrow>,
    pub(crate) stable: bool,
    /// Says nothing when it is entered and left.
    pub(crate) silent: bool,
    pub(crate) path: String,
}

#[derive(Clone, Debug)]
pub(crate) struct Arrow {
    pub(crate) name: String,
    pub(crate) trigger: Trigger,
    pub(crate) guard: Guard,
    pub(crate) targets: Vec<usize>,
    pub(crate) external: bool,
    pub(crate) raises: Option<&'static str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trigger {
    Spontaneous,
    Event(&'static str),
    After(u64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Guard {
    Always,
    Else,
    Even,
    In(usize),
}

pub(crate) const EVENTS: [&str; 3] = ["e", "f", "g"];
/// How often something may follow by itself; so that all ends.
pub(crate) const FUEL: i64 = 5;

/// The guard of spontaneous transitions. The engine need not ask it again before something has happened.
struct WithFuel {
    even: bool,
}

impl Script for WithFuel {
    fn run(&self, cx: &mut Context<'_>) -> Result<Value, Fault> {
        let even = !self.even || cx.attribute("count").as_int().unwrap_or(0) % 2 == 0;
        Ok((even && cx.attribute("fuel").as_int() > Some(0)).into())
    }

    fn only_computes(&self) -> bool {
        true
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Spec {
    /// In document order; the root is the first.
    pub(crate) nodes: Vec<Node>,
    pub(crate) semantics: Semantics,
}

impl Spec {
    pub(crate) fn random(choices: &mut Choices) -> Self {
        let mut spec = Self {
            nodes: Vec::new(),
            semantics: semantics(choices),
        };
        spec.grow(choices, 0, Kind::Plain, 0, true);
        let count = spec.nodes.len();
        // Where nothing happens on the way, the engine has a short one.
        let all_silent = choices.once_in(3);
        for node in 1..count {
            spec.nodes[node].silent = all_silent || choices.once_in(3);
            if matches!(spec.nodes[node].kind, Kind::Plain | Kind::Parallel) {
                spec.nodes[node].stable = choices.once_in(3);
                for number in 0..choices.below(4) {
                    let arrow = arrow(choices, count, format!("t{node}.{number}"));
                    spec.nodes[node].arrows.push(arrow);
                }
            }
        }
        spec
    }

    fn grow(&mut self, choices: &mut Choices, parent: usize, kind: Kind, depth: usize, full: bool) {
        let id = self.nodes.len();
        let path = match self.nodes.get(parent) {
            Some(parent) if parent.path == "/" => format!("/s{id}"),
            Some(parent) => format!("{}/s{id}", parent.path),
            None => "/".to_owned(),
        };
        self.nodes.push(Node {
            kind,
            parent,
            children: Vec::new(),
            initial: None,
            arrows: Vec::new(),
            stable: false,
            silent: false,
            path,
        });
        if id != 0 {
            self.nodes[parent].children.push(id);
        }
        if matches!(kind, Kind::Shallow | Kind::Deep) || depth > 3 || self.nodes.len() > 14 {
            return;
        }
        let children = if full || kind == Kind::Parallel {
            1 + choices.below(3)
        } else {
            choices.below(4)
        };
        for _ in 0..children {
            // One that has no room for regions would be wrong.
            let room = depth < 3 && self.nodes.len() < 14;
            let kind = if choices.once_in(4) && room {
                Kind::Parallel
            } else {
                Kind::Plain
            };
            self.grow(choices, id, kind, depth + 1, self.nodes[id].kind == Kind::Parallel);
        }
        if children > 0 && id != 0 && choices.once_in(3) {
            let kind = choices.one(&[Kind::Shallow, Kind::Deep]);
            self.grow(choices, id, kind, depth + 1, false);
        }
        let real: Vec<_> = self.real_children(id).collect();
        if kind == Kind::Plain && !real.is_empty() {
            self.nodes[id].initial = Some(choices.one(&real));
        }
    }

    pub(crate) fn real_children(&self, id: usize) -> impl Iterator<Item = usize> {
        let children = self.nodes[id].children.iter().copied();
        children.filter(|child| matches!(self.nodes[*child].kind, Kind::Plain | Kind::Parallel))
    }

    pub(crate) fn model(&self) -> Option<Model> {
        let mut chart = Chart::new().lenient().semantics(self.semantics);
        for child in &self.nodes[0].children {
            chart = chart.state(self.state(*child));
        }
        chart = chart.initial(&self.nodes[self.nodes[0].initial?].path);
        let class = Class::new("Main")
            .attribute("count", 0)
            .attribute("fuel", FUEL)
            .chart(chart);
        // Targets that can't be active together make a wrong model.
        Model::builder().inport("in").outport("out").class(class).build().ok()
    }

    fn state(&self, id: usize) -> State {
        let node = &self.nodes[id];
        let name = format!("s{id}");
        let mut state = match node.kind {
            Kind::Plain => State::new(name),
            Kind::Parallel => State::parallel(name),
            Kind::Shallow => return State::history(name),
            Kind::Deep => return State::deep_history(name),
        };
        if !node.silent {
            state = state
                .entering(Raise::output("out", format!("+{}", node.path)))
                .exiting(Raise::output("out", format!("-{}", node.path)));
        }
        if node.stable {
            state = state.stable();
        }
        if let Some(initial) = node.initial {
            state = state.initial(&self.nodes[initial].path);
        }
        for child in &node.children {
            state = state.child(self.state(*child));
        }
        for arrow in &node.arrows {
            state = state.transition(self.transition(arrow));
        }
        state
    }

    fn transition(&self, arrow: &Arrow) -> Transition {
        let mut transition = match arrow.trigger {
            Trigger::Spontaneous => Transition::spontaneous(),
            Trigger::Event(name) => Transition::on(name),
            Trigger::After(delay) => Transition::after(Duration::from_millis(delay)),
        };
        let spontaneous = arrow.trigger == Trigger::Spontaneous;
        transition = match arrow.guard {
            _ if spontaneous => transition.guard_code(Arc::new(WithFuel {
                even: arrow.guard == Guard::Even,
            })),
            Guard::Always => transition,
            Guard::Else => transition.otherwise(),
            Guard::Even => transition.guard(|cx| cx.attribute("count").as_int().unwrap_or(0) % 2 == 0),
            Guard::In(state) => transition.in_state(&self.nodes[state].path),
        };
        let raises = arrow.raises;
        transition = transition
            .raise(Raise::output("out", arrow.name.clone()))
            .run(move |cx: &mut Context<'_>| {
                let count = cx.attribute("count").as_int().unwrap_or(0);
                cx.set_attribute("count", count + 1);
                let fuel = cx.attribute("fuel").as_int().unwrap_or(0);
                if fuel > 0 && (spontaneous || raises.is_some()) {
                    cx.set_attribute("fuel", fuel - 1);
                    if let Some(event) = raises {
                        cx.raise(Scope::Local, Event::new(event));
                    }
                }
            });
        if !arrow.targets.is_empty() {
            let targets: Vec<_> = arrow.targets.iter().map(|target| &*self.nodes[*target].path).collect();
            transition = transition.to(targets.join(", "));
        }
        if arrow.external {
            transition.external()
        } else {
            transition
        }
    }
}

fn semantics(choices: &mut Choices) -> Semantics {
    Semantics {
        big_step_maximality: choices.one(&[
            BigStepMaximality::TakeMany,
            BigStepMaximality::TakeOne,
            BigStepMaximality::Syntactic,
        ]),
        combo_step_maximality: choices.one(&[
            ComboStepMaximality::TakeOne,
            ComboStepMaximality::TakeOne,
            ComboStepMaximality::TakeMany,
            ComboStepMaximality::Syntactic,
        ]),
        input_event_lifeline: choices.one(&[
            InputEventLifeline::FirstComboStep,
            InputEventLifeline::FirstSmallStep,
            InputEventLifeline::Whole,
        ]),
        internal_event_lifeline: choices.one(&[
            InternalEventLifeline::Queue,
            InternalEventLifeline::QueueFirst,
            InternalEventLifeline::NextSmallStep,
            InternalEventLifeline::NextComboStep,
            InternalEventLifeline::Remainder,
        ]),
        priority: choices.one(&[Priority::SourceParent, Priority::SourceChild]),
        concurrency: choices.one(&[Concurrency::Single, Concurrency::Many]),
    }
}

fn arrow(choices: &mut Choices, count: usize, name: String) -> Arrow {
    let trigger = match choices.below(8) {
        0 => Trigger::Spontaneous,
        1 => Trigger::After(1 + choices.below(3) as u64),
        _ => Trigger::Event(choices.one(&EVENTS)),
    };
    let guard = match choices.below(6) {
        0 => Guard::Else,
        1 => Guard::Even,
        2 => Guard::In(choices.below(count)),
        _ => Guard::Always,
    };
    let targets = match choices.below(40) {
        0..5 => Vec::new(),
        // Few of these pairs can be active together, and one that can't makes the whole chart wrong.
        5 => vec![1 + choices.below(count - 1), 1 + choices.below(count - 1)],
        _ => vec![1 + choices.below(count - 1)],
    };
    Arrow {
        name,
        trigger,
        guard,
        targets,
        external: choices.once_in(4),
        raises: choices.once_in(4).then(|| choices.one(&EVENTS)),
    }
}
