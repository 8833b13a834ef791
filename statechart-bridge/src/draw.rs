//! Pictures of a model's charts: DOT for Graphviz, and Mermaid.

use std::fmt::Write as _;

use crate::Document;
use crate::model::compiled::{Chart, StateId};
use crate::xml::ast::{self, Kind, Trigger};

impl Document {
    /// All charts as a graph in Graphviz's language: a box for each class.
    pub fn dot(&self) -> String {
        let mut out = String::from(
            "digraph model {\n  compound=true; fontname=\"sans-serif\"; rankdir=LR;\n  \
             node [shape=box, style=rounded, fontname=\"sans-serif\"]; edge [fontname=\"sans-serif\", fontsize=10];\n",
        );
        for (number, (class, written, chart)) in self.charts().enumerate() {
            let mut dot = Dot {
                prefix: format!("c{number}"),
                chart,
                out: &mut out,
                edges: String::new(),
            };
            let prefix = &dot.prefix;
            let _ = writeln!(
                dot.out,
                "  subgraph \"cluster_{prefix}\" {{\n    label={};",
                quoted(&format!("class {class}"))
            );
            let _ = writeln!(dot.out, "    \"{prefix}_start\" [shape=point];");
            dot.start(StateId::ROOT, &format!("{prefix}_start"));
            for state in &written.states {
                dot.state(state, StateId::ROOT, 2);
            }
            dot.out.push_str(&dot.edges);
            out.push_str("  }\n");
        }
        out.push_str("}\n");
        out
    }

    /// All charts as state diagrams in Mermaid's language, in one: a state for each class if there are several.
    pub fn mermaid(&self) -> String {
        let mut out = String::from("stateDiagram-v2\n");
        let several = self.charts().count() > 1;
        for (number, (class, written, chart)) in self.charts().enumerate() {
            let mut mermaid = Mermaid {
                prefix: format!("c{number}"),
                chart,
                out: String::new(),
                edges: String::new(),
            };
            let depth = if several { 2 } else { 1 };
            mermaid.level(&written.states, StateId::ROOT, false, depth);
            if several {
                let _ = writeln!(out, "  state \"class {class}\" as c{number} {{");
            }
            out.push_str(&mermaid.out);
            if several {
                out.push_str("  }\n");
            }
            out.push_str(&mermaid.edges);
        }
        out
    }

    fn charts(&self) -> impl Iterator<Item = (&str, &ast::Chart, &Chart)> {
        let classes = self.diagram().classes.iter();
        classes.filter_map(|class| {
            let written = class.chart.as_ref()?;
            let compiled = self
                .model()
                .0
                .classes
                .iter()
                .find(|known| known.name == class.name.text)?;
            Some((&*class.name.text, written, compiled.chart.as_ref()?))
        })
    }
}

fn child(chart: &Chart, of: StateId, id: &str) -> Option<StateId> {
    let children = &chart.state(of).children;
    children.iter().copied().find(|child| &*chart.state(*child).id == id)
}

/// What stands at an arrow.
fn label(transition: &ast::Transition) -> String {
    let mut label = match &transition.trigger {
        Trigger::Spontaneous => String::new(),
        Trigger::Event { name, port: Some(port) } => format!("{}.{}", port.text, name.text),
        Trigger::Event { name, port: None } => name.text.as_ref().to_owned(),
        Trigger::Prefix { name } if name.text.is_empty() => "*".to_owned(),
        Trigger::Prefix { name } => name.text.as_ref().to_owned(),
        Trigger::After(delay) => format!("after {}", delay.text.trim()),
    };
    if let Some(condition) = &transition.condition {
        let space = if label.is_empty() { "" } else { " " };
        let words: Vec<&str> = condition.text.split_whitespace().collect();
        let _ = write!(label, "{space}[{}]", words.join(" "));
    }
    label
}

/// A text in quotes.
fn quoted(text: &str) -> String {
    format!(
        "\"{}\"",
        text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
    )
}

struct Dot<'a> {
    prefix: String,
    chart: &'a Chart,
    out: &'a mut String,
    edges: String,
}

impl Dot<'_> {
    fn name(&self, state: StateId) -> String {
        format!("{}_{}", self.prefix, quoted_number(state))
    }

    /// The node inside a state that arrows can hold on to.
    fn anchor(&self, state: StateId) -> String {
        let name = self.name(state);
        if self.chart.state(state).children.is_empty() {
            name
        } else {
            format!("{name}_in")
        }
    }

    fn start(&mut self, state: StateId, from: &str) {
        for default in &self.chart.state(state).defaults {
            let to = self.anchor(*default);
            let _ = writeln!(self.edges, "    \"{from}\" -> \"{to}\";");
        }
    }

    fn state(&mut self, written: &ast::State, parent: StateId, depth: usize) {
        let Some(state) = child(self.chart, parent, &written.id.text) else {
            return;
        };
        let (indent, name, id) = ("  ".repeat(depth), self.name(state), quoted(&written.id.text));
        let is_composite = !written.children.is_empty();
        if is_composite {
            let style = if parent != StateId::ROOT && self.is_parallel(parent) {
                "dashed"
            } else {
                "rounded"
            };
            let _ = writeln!(
                self.out,
                "{indent}subgraph \"cluster_{name}\" {{\n{indent}  label={id}; style={style};\n{indent}  \"{name}_in\" \
                 [shape=point];"
            );
            if written.kind == Kind::Plain {
                self.start(state, &format!("{name}_in"));
            }
            for child in &written.children {
                self.state(child, state, depth + 1);
            }
            let _ = writeln!(self.out, "{indent}}}");
        } else {
            let shape = match written.kind {
                Kind::ShallowHistory => "label=\"H\", shape=circle".to_owned(),
                Kind::DeepHistory => "label=\"H*\", shape=circle".to_owned(),
                _ => format!("label={id}"),
            };
            let _ = writeln!(self.out, "{indent}\"{name}\" [{shape}];");
        }
        for transition in &written.transitions {
            let target = transition.target.as_ref().map_or(".", |target| target.text.trim());
            let from = self.anchor(state);
            for to in self.chart.resolve(state, target).unwrap_or_default() {
                let anchor = self.anchor(to);
                let mut attributes = format!("label={}", quoted(&label(transition)));
                if is_composite {
                    let _ = write!(attributes, ", ltail=\"cluster_{name}\"");
                }
                if anchor != self.name(to) && to != state {
                    let _ = write!(attributes, ", lhead=\"cluster_{}\"", self.name(to));
                }
                let _ = writeln!(self.edges, "    \"{from}\" -> \"{anchor}\" [{attributes}];");
            }
        }
    }

    fn is_parallel(&self, state: StateId) -> bool {
        self.chart.state(state).kind == crate::model::state::Kind::Parallel
    }
}

fn quoted_number(state: StateId) -> u32 {
    state.0
}

struct Mermaid<'a> {
    prefix: String,
    chart: &'a Chart,
    out: String,
    edges: String,
}

impl Mermaid<'_> {
    fn name(&self, state: StateId) -> String {
        format!("{}_{}", self.prefix, quoted_number(state))
    }

    fn level(&mut self, states: &[ast::State], parent: StateId, parallel: bool, depth: usize) {
        let indent = "  ".repeat(depth);
        if !parallel {
            for default in &self.chart.state(parent).defaults {
                let name = self.name(*default);
                let _ = writeln!(self.out, "{indent}[*] --> {name}");
            }
        }
        for (at, written) in states.iter().enumerate() {
            let Some(state) = child(self.chart, parent, &written.id.text) else {
                continue;
            };
            if parallel && at > 0 {
                let _ = writeln!(self.out, "{indent}--");
            }
            let name = self.name(state);
            let shown = match written.kind {
                Kind::ShallowHistory => "H",
                Kind::DeepHistory => "H*",
                _ => &written.id.text,
            };
            let shown = shown.replace('"', "'");
            if written.children.is_empty() {
                let _ = writeln!(self.out, "{indent}state \"{shown}\" as {name}");
            } else {
                let _ = writeln!(self.out, "{indent}state \"{shown}\" as {name} {{");
                self.level(&written.children, state, written.kind == Kind::Parallel, depth + 1);
                let _ = writeln!(self.out, "{indent}}}");
            }
            for transition in &written.transitions {
                let target = transition.target.as_ref().map_or(".", |target| target.text.trim());
                for to in self.chart.resolve(state, target).unwrap_or_default() {
                    let to = self.name(to);
                    // Semicolons and colons end what Mermaid takes for the label.
                    let label = label(transition).replace([';', ':', '\n'], " ");
                    let colon = if label.is_empty() { "" } else { " : " };
                    let _ = writeln!(self.edges, "  {name} --> {to}{colon}{label}");
                }
            }
        }
    }
}
