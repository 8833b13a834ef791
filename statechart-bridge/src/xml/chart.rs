//! Charts, states, transitions and what they do.

use super::ast::{Action, Chart, Destination, Kind, Raise, State, Text, Transition, Trigger};
use super::diagram::{expressions, once, parameter, unique};
use super::error::{one_of, problem};
use super::node::Node;
use crate::Problem;
use crate::Semantics;

const OPTIONS: [&str; 6] = [
    "big_step_maximality",
    "combo_step_maximality",
    "internal_event_lifeline",
    "input_event_lifeline",
    "priority",
    "concurrency",
];

/// Reads `scxml`.
pub(super) fn read(node: &Node<'_>) -> Result<Chart, Problem> {
    let mut known = vec!["initial"];
    known.extend(OPTIONS);
    node.only(&known)?;
    let mut semantics = Semantics::default();
    for option in OPTIONS {
        if let Some(value) = node.attribute(option) {
            semantics
                .set(option, value.text.trim())
                .map_err(|error| problem(value.place, error.to_string()))?;
        }
    }
    let mut states = Vec::new();
    for child in node.children()? {
        match child.name() {
            "state" => states.push(state(&child)?),
            "parallel" => states.push(parallel(&child)?),
            _ => return Err(node.unexpected(&child, &["state", "parallel"])),
        }
    }
    if states.is_empty() {
        return Err(node.error("a chart needs a state"));
    }
    siblings(&states)?;
    let initial = node.filled("initial")?;
    has_initial(initial.as_ref(), &states)?;
    Ok(Chart {
        initial,
        semantics,
        states,
        lenient: false,
        place: node.place(),
    })
}

/// Ids of siblings must differ.
fn siblings(states: &[State]) -> Result<(), Problem> {
    unique("state", states.iter().map(|state| &state.id))
}

/// What is entered by default must be one of the children.
fn has_initial(initial: Option<&Text>, states: &[State]) -> Result<(), Problem> {
    let Some(initial) = initial else { return Ok(()) };
    let entered = |state: &&State| matches!(state.kind, Kind::Plain | Kind::Parallel);
    if states
        .iter()
        .filter(entered)
        .any(|state| *state.id.text == *initial.text.trim())
    {
        return Ok(());
    }
    let names: Vec<&str> = states.iter().filter(entered).map(|state| &*state.id.text).collect();
    Err(problem(
        initial.place.clone(),
        format!(
            "initial `{}` is no state here: expected {}",
            initial.text,
            one_of(&names)
        ),
    ))
}

fn blank(node: &Node<'_>, kind: Kind) -> Result<State, Problem> {
    let id = node.required("id")?;
    if id.text.chars().any(|letter| "/,() \t\r\n".contains(letter)) || matches!(&*id.text, "." | "..") {
        let message = format!(
            "state id `{}`: expected a name without spaces and without any of / , ( )",
            id.text
        );
        return Err(problem(id.place, message));
    }
    Ok(State {
        id,
        kind,
        initial: None,
        children: Vec::new(),
        transitions: Vec::new(),
        entry: Vec::new(),
        exit: Vec::new(),
        stable: node.flag("stable")?,
        place: node.place(),
    })
}

const IN_STATE: [&str; 6] = ["transition", "state", "parallel", "history", "onentry", "onexit"];

/// Reads `state`.
fn state(node: &Node<'_>) -> Result<State, Problem> {
    node.only(&["id", "initial", "stable"])?;
    let mut state = blank(node, Kind::Plain)?;
    inside(node, &mut state)?;
    state.initial = node.filled("initial")?;
    match &state.initial {
        Some(initial) if state.children.is_empty() => Err(problem(
            initial.place.clone(),
            format!("state `{}` has an initial state but no states inside", state.id.text),
        )),
        initial => {
            has_initial(initial.as_ref(), &state.children)?;
            Ok(state)
        }
    }
}

/// Reads `parallel`.
fn parallel(node: &Node<'_>) -> Result<State, Problem> {
    if let Some(initial) = node.attribute("initial") {
        return Err(problem(
            initial.place,
            "a parallel has no initial state: all its regions are entered",
        ));
    }
    node.only(&["id", "stable"])?;
    let mut parallel = blank(node, Kind::Parallel)?;
    inside(node, &mut parallel)?;
    let mut regions = 0;
    for region in &parallel.children {
        match region.kind {
            Kind::ShallowHistory | Kind::DeepHistory => continue,
            Kind::Plain if region.children.iter().all(|child| is_history(child.kind)) => {
                return Err(problem(
                    region.place.clone(),
                    format!(
                        "region `{}` of the parallel `{}` is a basic state: expected states inside",
                        region.id.text, parallel.id.text
                    ),
                ));
            }
            Kind::Plain | Kind::Parallel => regions += 1,
        }
    }
    if regions == 0 {
        return Err(node.error(format!("parallel `{}` needs regions: states inside", parallel.id.text)));
    }
    Ok(parallel)
}

fn is_history(kind: Kind) -> bool {
    matches!(kind, Kind::ShallowHistory | Kind::DeepHistory)
}

/// Reads what is inside a state or a parallel.
fn inside(node: &Node<'_>, state: &mut State) -> Result<(), Problem> {
    let (mut entry, mut exit) = (None, None);
    for child in node.children()? {
        match child.name() {
            "state" => state.children.push(self::state(&child)?),
            "parallel" => state.children.push(parallel(&child)?),
            "history" => state.children.push(history(&child)?),
            "transition" => state.transitions.push(transition(&child)?),
            "onentry" => once(&child, &mut entry, on(&child)?)?,
            "onexit" => once(&child, &mut exit, on(&child)?)?,
            _ => return Err(node.unexpected(&child, &IN_STATE)),
        }
    }
    state.entry = entry.unwrap_or_default();
    state.exit = exit.unwrap_or_default();
    siblings(&state.children)
}

fn history(node: &Node<'_>) -> Result<State, Problem> {
    node.only(&["id", "type"])?;
    node.leaf()?;
    let kind = match node.attribute("type") {
        None => Kind::ShallowHistory,
        Some(text) => match text.text.trim() {
            "shallow" => Kind::ShallowHistory,
            "deep" => Kind::DeepHistory,
            other => {
                let message = format!("history type is `{other}`: expected shallow or deep");
                return Err(problem(text.place, message));
            }
        },
    };
    blank(node, kind)
}

/// Reads `onentry` or `onexit`.
fn on(node: &Node<'_>) -> Result<Vec<Action>, Problem> {
    node.only(&[])?;
    let mut actions = Vec::new();
    for child in node.children()? {
        match action(&child)? {
            Some(action) => actions.push(action),
            None => return Err(node.unexpected(&child, &ACTIONS)),
        }
    }
    Ok(actions)
}

const ACTIONS: [&str; 4] = ["raise", "script", "log", "assign"];

fn action(node: &Node<'_>) -> Result<Option<Action>, Problem> {
    Ok(Some(match node.name() {
        "raise" => Action::Raise(raise(node)?),
        "script" => {
            node.only(&[])?;
            Action::Script(node.text()?)
        }
        "log" => {
            node.only(&[])?;
            Action::Log(node.text()?)
        }
        "assign" => {
            node.only(&["ident", "expr"])?;
            node.leaf()?;
            let (name, value) = (node.required("ident")?, node.required("expr")?);
            Action::Assign { name, value }
        }
        _ => return Ok(None),
    }))
}

/// Reads `transition`.
fn transition(node: &Node<'_>) -> Result<Transition, Problem> {
    node.only(&["target", "event", "port", "after", "cond"])?;
    let target = node.required("target")?;
    let (event, after) = (node.filled("event")?, node.filled("after")?);
    let port = node.filled("port")?;
    let trigger = match (event, after, port) {
        (Some(_), Some(after), _) => {
            let message = "a transition has an event or a time (after), not both";
            return Err(problem(after.place, message));
        }
        (None, _, Some(port)) => {
            let message = "a port without an event: expected the attribute `event` besides";
            return Err(problem(port.place, message));
        }
        (Some(name), None, port) => Trigger::Event { name, port },
        (None, Some(after), None) => Trigger::After(after),
        (None, None, None) => Trigger::Spontaneous,
    };
    let mut transition = Transition {
        trigger,
        target: Some(target),
        condition: node.filled("cond")?,
        parameters: Vec::new(),
        actions: Vec::new(),
        external: false,
        place: node.place(),
    };
    for child in node.children()? {
        if child.name() == "parameter" {
            if !matches!(transition.trigger, Trigger::Event { .. }) {
                return Err(child.error("parameters come with an event: expected the attribute `event`"));
            }
            transition.parameters.push(parameter(&child)?);
        } else if let Some(action) = action(&child)? {
            transition.actions.push(action);
        } else {
            let mut expected = vec!["parameter"];
            expected.extend(ACTIONS);
            return Err(node.unexpected(&child, &expected));
        }
    }
    unique("parameter", transition.parameters.iter().map(|it| &it.name))?;
    Ok(transition)
}

/// Reads `raise`.
fn raise(node: &Node<'_>) -> Result<Raise, Problem> {
    node.only(&["event", "scope", "port", "target"])?;
    let event = node.required("event")?;
    let (port, target) = (node.filled("port")?, node.filled("target")?);
    let mut superfluous = Vec::new();
    let mut surplus = |scope, port: Option<Text>, target: Option<Text>| {
        superfluous.extend(port.map(|port| (scope, "port", port.place)));
        superfluous.extend(target.map(|target| (scope, "target", target.place)));
    };
    let to = match (node.filled("scope")?, port, target) {
        (None, Some(port), Some(_)) => {
            let message = "a port and a target, but no scope: expected one of the two";
            return Err(problem(port.place, message));
        }
        (None, Some(port), None) => Destination::Output(port),
        (None, None, Some(target)) => Destination::Narrow(target),
        (None, None, None) => Destination::Local,
        (Some(scope), port, target) => match (scope.text.trim(), port, target) {
            ("local", port, target) => {
                surplus("local", port, target);
                Destination::Local
            }
            ("broad", port, target) => {
                surplus("broad", port, target);
                Destination::Broad
            }
            ("cd", port, target) => {
                surplus("cd", port, target);
                Destination::ObjectManager
            }
            ("output", Some(port), target) => {
                surplus("output", None, target);
                Destination::Output(port)
            }
            ("narrow", port, Some(target)) => {
                surplus("narrow", port, None);
                Destination::Narrow(target)
            }
            ("output", None, _) => return Err(node.error("scope output needs the attribute `port`")),
            ("narrow", _, None) => return Err(node.error("scope narrow needs the attribute `target`")),
            (other, ..) => {
                let message = format!("scope is `{other}`: expected local, broad, narrow, cd or output");
                return Err(problem(scope.place, message));
            }
        },
    };
    Ok(Raise {
        event,
        to,
        parameters: expressions(node)?,
        superfluous,
        place: node.place(),
    })
}
