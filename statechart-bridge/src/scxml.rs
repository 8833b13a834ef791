//! The core of SCXML (W3C, 2015), read into the same tree as SCCD's XML.
//!
//! Of one event, all transitions are taken that don't conflict; inner ones win. Internal events (`raise`, `done.state`)
//! go before external ones, among which are those of `send`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::xml::ast::{
    Action, Attribute, Chart, Class, Delay, Destination, Diagram, ForEach, Kind, Method, Named, Parameter, Payload,
    Raise, Send, SendTo, State, Text, Transition, Trigger,
};
use crate::xml::error::problem;
use crate::xml::node::Node;
use crate::xml::scripts;
use crate::{Concurrency, InputEventLifeline, InternalEventLifeline, Priority, Problem, Semantics};

type Result<T> = std::result::Result<T, Problem>;

const NAMESPACE: &str = "http://www.w3.org/2005/07/scxml";
const ACTIONS: [&str; 8] = ["raise", "send", "cancel", "log", "assign", "if", "foreach", "script"];

/// Reads `scxml`.
pub(crate) fn read(root: &Node<'_>) -> Result<Diagram> {
    if root.namespace().is_some_and(|namespace| namespace != NAMESPACE) {
        return Err(root.error(format!("expected the namespace {NAMESPACE}")));
    }
    root.only(&["initial", "name", "version", "datamodel", "binding"])?;
    check(root, "version", &["1.0"])?;
    check(root, "datamodel", &["python", "starlark", "null"])?;
    check(root, "binding", &["early"])?;
    let mut reader = Reader::default();
    let mut chart = Chart {
        initial: None,
        semantics: Semantics {
            priority: Priority::SourceChild,
            concurrency: Concurrency::Many,
            input_event_lifeline: InputEventLifeline::FirstSmallStep,
            internal_event_lifeline: InternalEventLifeline::QueueFirst,
            ..Semantics::default()
        },
        states: Vec::new(),
        lenient: true,
        place: root.place(),
    };
    let mut attributes = Vec::new();
    let mut script = None;
    for child in root.children()? {
        match child.name() {
            "datamodel" => data(&child, &mut attributes)?,
            "script" if script.is_none() => {
                child.only(&[])?;
                script = Some(child.text()?);
            }
            "state" | "parallel" | "final" => chart.states.push(reader.state(&child, "")?),
            _ => {
                let expected = ["state", "parallel", "final", "datamodel", "script"];
                return Err(root.unexpected(&child, &expected));
            }
        }
    }
    if chart.states.is_empty() {
        return Err(root.error("a chart needs a state"));
    }
    let mut loops = Vec::new();
    chart.states.iter().for_each(|state| loop_names(state, &mut loops));
    for name in loops {
        // What a loop names need not be declared.
        if !attributes.iter().any(|known| known.name.text == name.text) {
            attributes.push(Attribute { name, initial: None });
        }
    }
    let initial = root.filled("initial")?;
    chart.initial = initial.map(|initial| reader.paths(&initial)).transpose()?;
    for state in &mut chart.states {
        reader.resolve(state)?;
        reader.parallels_done(state);
    }
    let name = root.filled("name")?.unwrap_or_else(|| Text::new("scxml", root.place()));
    let constructor = script.map(|body| Method {
        name: name.clone(),
        is_abstract: false,
        parameters: Vec::new(),
        supers: Vec::new(),
        place: body.place.clone(),
        body: Some(body),
    });
    let port = |name: &str| vec![Text::new(name, root.place())];
    Ok(Diagram {
        name: Some(name.clone()),
        author: None,
        description: None,
        top: None,
        inports: port("input"),
        outports: port("output"),
        classes: vec![Class {
            name,
            default: true,
            associations: Vec::new(),
            inheritances: Vec::new(),
            attributes,
            constructor,
            destructor: None,
            methods: Vec::new(),
            inports: Vec::new(),
            outports: Vec::new(),
            chart: Some(chart),
        }],
        tests: Vec::new(),
        scxml: Some(reader.known),
    })
}

fn check(node: &Node<'_>, attribute: &str, known: &[&str]) -> Result<()> {
    match node.attribute(attribute) {
        Some(text) if !known.contains(&text.text.trim()) => {
            let message = format!("{attribute} is `{}`: expected {}", text.text, known.join(" or "));
            Err(problem(text.place, message))
        }
        _ => Ok(()),
    }
}

fn data(node: &Node<'_>, attributes: &mut Vec<Attribute>) -> Result<()> {
    node.only(&[])?;
    for child in node.children()? {
        if child.name() != "data" {
            return Err(node.unexpected(&child, &["data"]));
        }
        child.only(&["id", "expr"])?;
        let name = child.required("id")?;
        let initial = match child.filled("expr")? {
            Some(expression) => Some(expression),
            None => Some(child.text()?).filter(|text| !text.text.trim().is_empty()),
        };
        attributes.push(Attribute { name, initial });
    }
    Ok(())
}

#[derive(Default)]
struct Reader {
    /// The ids of the final states.
    finals: BTreeSet<Arc<str>>,
    /// The paths of the states by their ids.
    known: BTreeMap<Arc<str>, String>,
    unnamed: usize,
}

impl Reader {
    fn state(&mut self, node: &Node<'_>, above: &str) -> Result<State> {
        let kind = match (node.name(), node.attribute("type")) {
            ("parallel", _) => Kind::Parallel,
            ("history", Some(text)) if &*text.text == "deep" => Kind::DeepHistory,
            ("history", _) => {
                check(node, "type", &["shallow", "deep"])?;
                Kind::ShallowHistory
            }
            _ => Kind::Plain,
        };
        node.only(match node.name() {
            "state" => &["id", "initial"],
            "history" => &["id", "type"],
            _ => &["id"],
        })?;
        let id = match node.filled("id")? {
            Some(id) => id,
            None => {
                self.unnamed += 1;
                Text::new(&format!("_{}", self.unnamed), node.place())
            }
        };
        if id.text.chars().any(|letter| "/,() \t\r\n".contains(letter)) || matches!(&*id.text, "." | "..") {
            let message = format!(
                "id `{}`: expected a name without spaces and without any of / , ( )",
                id.text
            );
            return Err(problem(id.place, message));
        }
        let path = format!("{above}/{}", id.text);
        if self.known.insert(Arc::clone(&id.text), path.clone()).is_some() {
            return Err(problem(id.place, format!("state `{}` is there twice", id.text)));
        }
        let mut state = State {
            initial: node.filled("initial")?,
            id,
            kind,
            children: Vec::new(),
            transitions: Vec::new(),
            entry: Vec::new(),
            exit: Vec::new(),
            stable: false,
            place: node.place(),
        };
        let expected: &[&str] = match node.name() {
            "history" => &["transition"],
            "final" => &["onentry", "onexit", "donedata"],
            "parallel" => &["transition", "state", "parallel", "history", "onentry", "onexit"],
            _ => &[
                "transition",
                "state",
                "parallel",
                "final",
                "history",
                "initial",
                "onentry",
                "onexit",
            ],
        };
        let mut data = Payload::Pairs(Vec::new());
        for child in node.children()? {
            match child.name() {
                name if !expected.contains(&name) => return Err(node.unexpected(&child, expected)),
                "transition" if node.name() == "history" => {
                    child.only(&["target"])?;
                    child.leaf()?;
                    state.initial = Some(child.required("target")?);
                }
                "transition" => transitions(&child, &mut state.transitions)?,
                "initial" => {
                    child.only(&[])?;
                    let inner = child.children()?;
                    let [transition] = &inner[..] else {
                        return Err(child.error("expected one transition in `initial`"));
                    };
                    transition.only(&["target"])?;
                    transition.leaf()?;
                    state.initial = Some(transition.required("target")?);
                }
                "donedata" if above.is_empty() => {
                    return Err(
                        child.error("donedata of a final state at the top: nobody is told that the chart is done")
                    );
                }
                "donedata" => {
                    child.only(&[])?;
                    data = payload(&child)?;
                }
                "onentry" => actions(&child, &mut state.entry)?,
                "onexit" => actions(&child, &mut state.exit)?,
                _ => state.children.push(self.state(&child, &path)?),
            }
        }
        if node.name() == "final" {
            self.finals.insert(Arc::clone(&state.id.text));
            // It says that its parent is done.
            if let Some((_, parent)) = above.rsplit_once('/') {
                let done = done(parent, &state);
                state.entry.push(match data {
                    Payload::Pairs(pairs) if pairs.is_empty() => Action::Raise(done),
                    data => Action::Send(Send {
                        event: done.event,
                        data,
                        to: SendTo::Internal,
                        delay: Delay::None,
                        id: None,
                        place: done.place,
                    }),
                });
            }
        }
        Ok(state)
    }

    /// A parallel is done when all its regions are: whichever final state is entered last says so.
    fn parallels_done(&self, state: &mut State) {
        for child in &mut state.children {
            self.parallels_done(child);
        }
        if state.kind != Kind::Parallel {
            return;
        }
        let is_region = |child: &&State| matches!(child.kind, Kind::Plain | Kind::Parallel);
        // A region that is a parallel itself is done as that is, which no state tells: such a parallel is never done.
        let in_final = |region: &State| {
            let finals = region
                .children
                .iter()
                .filter(|inner| self.finals.contains(&inner.id.text));
            let asked: Vec<String> = finals.map(|inner| format!("In({})", quoted(&inner.id.text))).collect();
            (!asked.is_empty()).then(|| format!("({})", asked.join(" or ")))
        };
        let regions = state.children.iter().filter(is_region).map(in_final);
        let Some(conditions) = regions.collect::<Option<Vec<String>>>() else {
            return;
        };
        let raise = Action::Raise(done(&state.id.text, state));
        let all = Text::new(&conditions.join(" and "), state.place.clone());
        for region in &mut state.children {
            for inner in &mut region.children {
                if self.finals.contains(&inner.id.text) {
                    inner
                        .entry
                        .push(Action::If(vec![(Some(all.clone()), vec![raise.clone()])]));
                }
            }
        }
    }

    /// Ids with spaces between, as paths with commas between.
    fn paths(&self, ids: &Text) -> Result<Text> {
        let mut paths = Vec::new();
        for id in ids.text.split_whitespace() {
            match self.known.get(id) {
                Some(path) => paths.push(path.as_str()),
                None => {
                    return Err(problem(
                        ids.place.clone(),
                        format!("no state `{id}`: expected the id of one"),
                    ));
                }
            }
        }
        Ok(Text::new(&paths.join(", "), ids.place.clone()))
    }

    /// Puts paths in place of ids.
    fn resolve(&self, state: &mut State) -> Result<()> {
        if let Some(initial) = &state.initial {
            state.initial = Some(self.paths(initial)?);
        }
        for transition in &mut state.transitions {
            if let Some(target) = &transition.target {
                transition.target = Some(self.paths(target)?);
            }
        }
        state.children.iter_mut().try_for_each(|child| self.resolve(child))
    }
}

/// Reads `transition`: one for each event that it names.
fn transitions(node: &Node<'_>, into: &mut Vec<Transition>) -> Result<()> {
    node.only(&["event", "cond", "target", "type"])?;
    check(node, "type", &["internal", "external"])?;
    let external = node.attribute("type").is_none_or(|kind| kind.text.trim() != "internal");
    let mut done = Vec::new();
    actions(node, &mut done)?;
    let event = node.filled("event")?;
    let triggers = match &event {
        None => vec![Trigger::Spontaneous],
        Some(event) => {
            let names = event.text.split_whitespace().map(|name| {
                let name = name.strip_suffix('*').unwrap_or(name);
                let name = Text::new(name.strip_suffix('.').unwrap_or(name), event.place.clone());
                Trigger::Prefix { name }
            });
            names.collect()
        }
    };
    let parameters = match &event {
        None => Vec::new(),
        Some(event) => vec![Parameter {
            name: Text::new("_data", event.place.clone()),
            default: None,
        }],
    };
    for trigger in triggers {
        into.push(Transition {
            trigger,
            target: node.filled("target")?,
            condition: node.filled("cond")?,
            parameters: parameters.clone(),
            actions: done.clone(),
            external,
            place: node.place(),
        });
    }
    Ok(())
}

/// Reads what is to be done.
fn actions(node: &Node<'_>, into: &mut Vec<Action>) -> Result<()> {
    if matches!(node.name(), "onentry" | "onexit") {
        node.only(&[])?;
    }
    for child in node.children()? {
        match action(&child)? {
            Some(action) => into.push(action),
            None => return Err(node.unexpected(&child, &ACTIONS)),
        }
    }
    Ok(())
}

/// As code writes a text.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// The event that says that a state is done.
fn done(id: &str, at: &State) -> Raise {
    local(Text::new(&format!("done.state.{id}"), at.place.clone()))
}

fn local(event: Text) -> Raise {
    Raise {
        place: event.place.clone(),
        event,
        to: Destination::Local,
        parameters: Vec::new(),
        superfluous: Vec::new(),
    }
}

fn action(node: &Node<'_>) -> Result<Option<Action>> {
    Ok(Some(match node.name() {
        "raise" => {
            node.only(&["event"])?;
            node.leaf()?;
            Action::Raise(local(node.required("event")?))
        }
        "send" => send(node)?,
        "cancel" => {
            node.only(&["sendid", "sendidexpr"])?;
            node.leaf()?;
            Action::Cancel(match (node.filled("sendid")?, node.filled("sendidexpr")?) {
                (Some(id), None) => Named::Text(id),
                (None, Some(id)) => Named::Expression(id),
                _ => return Err(node.error("cancel: expected one of the attributes sendid and sendidexpr")),
            })
        }
        "log" => {
            node.only(&["label", "expr"])?;
            node.leaf()?;
            match (node.filled("label")?, node.filled("expr")?) {
                (label, Some(value)) => Action::LogValue(label, value),
                (Some(label), None) => Action::Log(label),
                (None, None) => return Err(node.error("log: expected a label or an expr")),
            }
        }
        "assign" => {
            node.only(&["location", "expr"])?;
            node.leaf()?;
            let (name, value) = (node.required("location")?, node.required("expr")?);
            Action::Assign { name, value }
        }
        "script" => {
            node.only(&[])?;
            Action::Script(node.text()?)
        }
        "if" => Action::If(branches(node)?),
        "foreach" => {
            node.only(&["array", "item", "index"])?;
            let mut done = Vec::new();
            actions(node, &mut done)?;
            Action::ForEach(ForEach {
                array: node.required("array")?,
                item: node.required("item")?,
                index: node.filled("index")?,
                actions: done,
            })
        }
        _ => return Ok(None),
    }))
}

/// Reads `send`: to the chart itself, or by way of `#_parent` out of it.
fn send(node: &Node<'_>) -> Result<Action> {
    node.only(&["event", "target", "delay", "delayexpr", "id"])?;
    let data = payload(node)?;
    let event = node.required("event")?;
    let target = node.filled("target")?;
    let delay = match (node.filled("delay")?, node.filled("delayexpr")?) {
        (None, None) => Delay::None,
        (None, Some(expression)) => Delay::Expression(expression),
        (Some(text), None) => {
            let delay = scripts::delay(&text.text).ok_or_else(|| {
                let message = format!("delay is `{}`: expected such as 1.5s or 200ms", text.text);
                problem(text.place.clone(), message)
            })?;
            Delay::Milliseconds(crate::controller::milliseconds(delay))
        }
        (Some(text), Some(_)) => return Err(problem(text.place, "delay and delayexpr: expected one of the two")),
    };
    let to = match target {
        None => SendTo::Queue,
        Some(target) => match &*target.text {
            "#_parent" => SendTo::Output,
            "#_internal" if matches!(delay, Delay::None) => SendTo::Internal,
            "#_internal" => {
                let message = "target #_internal with a delay: expected one of the two";
                return Err(problem(target.place, message));
            }
            other => {
                let message = format!("target `{other}`: expected #_internal or #_parent");
                return Err(problem(target.place, message));
            }
        },
    };
    Ok(Action::Send(Send {
        event,
        data,
        to,
        delay,
        id: node.filled("id")?,
        place: node.place(),
    }))
}

/// The names that loops put items and numbers into.
fn loop_names(state: &State, into: &mut Vec<Text>) {
    let actions = state.transitions.iter().map(|transition| &transition.actions);
    let actions = actions.chain([&state.entry, &state.exit]);
    actions.for_each(|actions| names_in(actions, into));
    state.children.iter().for_each(|child| loop_names(child, into));
}

fn names_in(actions: &[Action], into: &mut Vec<Text>) {
    for action in actions {
        match action {
            Action::ForEach(each) => {
                into.push(each.item.clone());
                into.extend(each.index.clone());
                names_in(&each.actions, into);
            }
            Action::If(branches) => branches.iter().for_each(|(_, actions)| names_in(actions, into)),
            _ => {}
        }
    }
}

/// Reads what an event carries: `param` elements, or one `content`.
fn payload(node: &Node<'_>) -> Result<Payload> {
    let mut pairs = Vec::new();
    let children = node.children()?;
    for child in &children {
        match child.name() {
            "param" => {
                child.only(&["name", "expr"])?;
                child.leaf()?;
                pairs.push((child.required("name")?, child.required("expr")?));
            }
            "content" if children.len() == 1 => {
                child.only(&["expr"])?;
                return Ok(match child.filled("expr")? {
                    Some(value) => {
                        child.leaf()?;
                        Payload::Value(value)
                    }
                    None => Payload::Text(child.text()?),
                });
            }
            "content" => return Err(child.error("`content` is all that an event carries: expected nothing beside it")),
            _ => return Err(node.unexpected(child, &["param", "content"])),
        }
    }
    Ok(Payload::Pairs(pairs))
}

/// Reads `if`, whose `elseif` and `else` stand among its actions.
fn branches(node: &Node<'_>) -> Result<Vec<(Option<Text>, Vec<Action>)>> {
    node.only(&["cond"])?;
    let mut branches = vec![(Some(node.required("cond")?), Vec::new())];
    for child in node.children()? {
        let after_else = branches.last().is_some_and(|(condition, _)| condition.is_none());
        match child.name() {
            "elseif" | "else" if after_else => return Err(child.error("nothing may follow `else`")),
            "elseif" => {
                child.only(&["cond"])?;
                child.leaf()?;
                branches.push((Some(child.required("cond")?), Vec::new()));
            }
            "else" => {
                child.only(&[])?;
                child.leaf()?;
                branches.push((None, Vec::new()));
            }
            _ => match (action(&child)?, branches.last_mut()) {
                (Some(action), Some((_, actions))) => actions.push(action),
                _ => {
                    let mut expected = ACTIONS.to_vec();
                    expected.extend(["elseif", "else"]);
                    return Err(node.unexpected(&child, &expected));
                }
            },
        }
    }
    Ok(branches)
}
