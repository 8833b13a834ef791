//! Pictures of a snapshot: DOT, Mermaid, JSON, and the lines of Axon's introspector.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::snapshot::{BoxView, ComponentView, LinkView, Snapshot};
use crate::Direction;

impl Snapshot {
    /// The graph for Graphviz. Children stand inside their parents; a blocked link is red and says for how long, a full
    /// box is red, a box that nothing is linked to is grey; a component that waits for what never comes is red and says so.
    pub fn to_dot(&self) -> String {
        let mut text =
            String::from("digraph components {\n  rankdir=LR;\n  node [shape=box, style=filled, fillcolor=white];\n");
        for top in self.children_of(None) {
            self.dot_component(top, 1, &mut text);
        }
        for link in self.known_links() {
            let colour = match link.blocked {
                Some(time) => format!(" [color=red, penwidth=2, label=\"blocked {time:.1?}\"]"),
                None => String::new(),
            };
            put(&mut text, format_args!("  b{} -> b{}{colour};\n", link.from, link.to));
        }
        text.push_str("}\n");
        text
    }

    fn dot_component(&self, component: &ComponentView, depth: usize, text: &mut String) {
        let space = "  ".repeat(depth);
        let (id, name) = (component.id, self.title(component));
        let colour = if self.is_stranded(component) { " color=red;" } else { "" };
        put(
            text,
            format_args!("{space}subgraph cluster_{id} {{\n{space}  label=\"{name}\";{colour}\n"),
        );
        for view in &component.boxes {
            let colour = match () {
                () if is_full(view) => ", fillcolor=\"#ffb0b0\"",
                () if !view.linked => ", fillcolor=\"#e0e0e0\"",
                () => "",
            };
            let (id, label) = (view.id, label(view, "\\n"));
            put(text, format_args!("{space}  b{id} [label=\"{label}\"{colour}];\n"));
        }
        for child in self.children_of(Some(component.id)) {
            self.dot_component(child, depth + 1, text);
        }
        put(text, format_args!("{space}}}\n"));
    }

    fn is_stranded(&self, component: &ComponentView) -> bool {
        self.stranded.contains(&component.name)
    }

    /// The name in a picture.
    fn title(&self, component: &ComponentView) -> String {
        let name = escaped(&component.name);
        match self.is_stranded(component) {
            true => format!("{name}: nothing comes, nobody tells it to end"),
            false => name,
        }
    }

    /// The graph as a Mermaid flowchart. A blocked link is thick and says for how long; a component that waits for what
    /// never comes says so.
    pub fn to_mermaid(&self) -> String {
        let mut text = String::from("flowchart LR\n");
        for top in self.children_of(None) {
            self.mermaid_component(top, 1, &mut text);
        }
        for link in self.known_links() {
            match link.blocked {
                Some(time) => put(
                    &mut text,
                    format_args!("  b{} == \"blocked {time:.1?}\" ==> b{}\n", link.from, link.to),
                ),
                None => put(&mut text, format_args!("  b{} --> b{}\n", link.from, link.to)),
            }
        }
        text
    }

    fn mermaid_component(&self, component: &ComponentView, depth: usize, text: &mut String) {
        let space = "  ".repeat(depth);
        let (id, name) = (component.id, self.title(component));
        put(text, format_args!("{space}subgraph c{id} [\"{name}\"]\n"));
        for view in &component.boxes {
            put(
                text,
                format_args!("{space}  b{}[\"{}\"]\n", view.id, label(view, "<br>")),
            );
        }
        for child in self.children_of(Some(component.id)) {
            self.mermaid_component(child, depth + 1, text);
        }
        put(text, format_args!("{space}end\n"));
    }

    /// The graph in the lines of Axon's introspector: `DEL ALL`, then `ADD NODE "id" "name" randompos kind` and
    /// `ADD LINK "id" "id"`, from components to their boxes and from box to box.
    pub fn to_lines(&self) -> String {
        format!("DEL ALL\n{}", changes(&Lines::default(), &self.lines()))
    }

    /// What has changed since an earlier snapshot, in the same lines: links and nodes that went (`DEL LINK "id" "id"`,
    /// `DEL NODE "id"`), then nodes and links that came. Empty if nothing has.
    pub fn changes_since(&self, before: &Self) -> String {
        changes(&before.lines(), &self.lines())
    }

    fn lines(&self) -> Lines {
        let mut lines = Lines::default();
        for component in &self.components {
            let name = escaped(&component.name);
            lines.nodes.push((name.clone(), name.clone(), "component"));
            for view in &component.boxes {
                let (id, word) = (view.id.to_string(), view.direction.word());
                lines.links.push((name.clone(), id.clone()));
                lines.nodes.push((id, escaped(&view.name), word));
            }
        }
        let links = self.known_links().into_iter();
        lines
            .links
            .extend(links.map(|link| (link.from.to_string(), link.to.to_string())));
        lines
    }

    /// The graph as JSON, indented.
    #[cfg(feature = "json")]
    pub fn to_json(&self) -> String {
        format!("{:#}", self.to_value())
    }

    /// The graph as a JSON value.
    #[cfg(feature = "json")]
    pub fn to_value(&self) -> serde_json::Value {
        use serde_json::json;

        let boxed = |view: &BoxView| {
            json!({
                "id": view.id,
                "name": view.name,
                "direction": view.direction.word(),
                "documentation": view.documentation,
                "message": view.message,
                "depth": view.depth,
                "capacity": view.capacity,
                "received": view.counts.received,
                "taken": view.counts.taken,
                "high_water": view.counts.high_water,
                "times_blocked": view.counts.blocked,
                "refused": view.counts.refused,
                "dropped": view.counts.dropped,
                "undeliverable": view.counts.undeliverable,
                "sent": view.sent,
                "discarded": view.discarded,
                "rate": view.rate,
                "linked": view.linked,
            })
        };
        let component = |component: &ComponentView| {
            json!({
                "id": component.id,
                "name": &*component.name,
                "kind": &*component.kind,
                "parent": component.parent,
                "age_seconds": component.age.as_secs_f64(),
                "seconds_blocked": component.time_blocked.as_secs_f64(),
                "boxes": component.boxes.iter().map(boxed).collect::<Vec<_>>(),
            })
        };
        let link = |link: &LinkView| {
            json!({
                "from": link.from,
                "to": link.to,
                "from_box": self.path(link.from),
                "to_box": self.path(link.to),
                "seconds_blocked": link.blocked.map(|time| time.as_secs_f64()),
            })
        };
        json!({
            "components": self.components.iter().map(component).collect::<Vec<_>>(),
            "links": self.links.iter().map(link).collect::<Vec<_>>(),
            "circles": self.circles,
            "stranded": self.stranded.iter().map(|name| &**name).collect::<Vec<_>>(),
            "counts": {
                "started": self.counts.started,
                "ended": self.counts.ended,
                "failed": self.counts.failed,
                "left_behind": self.counts.left_behind,
            },
        })
    }

    /// Those that one component started, or that nobody did who runs.
    fn children_of(&self, parent: Option<u64>) -> impl Iterator<Item = &ComponentView> {
        let running = |id| self.components.iter().any(|component| component.id == id);
        self.components
            .iter()
            .filter(move |component| component.parent.filter(|parent| running(*parent)) == parent)
    }

    /// Links between boxes that are in the picture.
    fn known_links(&self) -> Vec<&LinkView> {
        let boxes = self.components.iter().flat_map(|component| &component.boxes);
        let known: BTreeSet<u64> = boxes.map(|view| view.id).collect();
        let shown = |link: &&LinkView| known.contains(&link.from) && known.contains(&link.to);
        self.links.iter().filter(shown).collect()
    }
}

/// The graph as nodes (name, what is shown, kind) and links.
#[derive(Default)]
struct Lines {
    nodes: Vec<(String, String, &'static str)>,
    links: Vec<(String, String)>,
}

fn changes(before: &Lines, now: &Lines) -> String {
    let (old_nodes, old_links) = (before.nodes.iter().collect(), before.links.iter().collect());
    let (nodes, links): (BTreeSet<_>, BTreeSet<_>) = (now.nodes.iter().collect(), now.links.iter().collect());
    let mut text = String::new();
    for (from, to) in before.links.iter().filter(|link| !links.contains(link)) {
        put(&mut text, format_args!("DEL LINK \"{from}\" \"{to}\"\n"));
    }
    for (id, ..) in before.nodes.iter().filter(|node| !nodes.contains(node)) {
        put(&mut text, format_args!("DEL NODE \"{id}\"\n"));
    }
    let is_new = |node: &&(String, String, &'static str)| !BTreeSet::contains(&old_nodes, node);
    for (id, name, kind) in now.nodes.iter().filter(is_new) {
        put(
            &mut text,
            format_args!("ADD NODE \"{id}\" \"{name}\" randompos {kind}\n"),
        );
    }
    for (from, to) in now.links.iter().filter(|link| !BTreeSet::contains(&old_links, link)) {
        put(&mut text, format_args!("ADD LINK \"{from}\" \"{to}\"\n"));
    }
    text
}

/// Writing to a string can't fail.
fn put(text: &mut String, what: std::fmt::Arguments<'_>) {
    let _ = text.write_fmt(what);
}

fn is_full(view: &BoxView) -> bool {
    view.capacity.is_some_and(|capacity| view.depth >= capacity)
}

fn label(view: &BoxView, line: &str) -> String {
    let name = escaped(&view.name);
    let rate = view.rate;
    match (view.direction, view.capacity) {
        (Direction::Out, _) => format!("{name}{line}{rate:.0}/s"),
        (Direction::In, None) => format!("{name}{line}{} waiting, {rate:.0}/s", view.depth),
        (Direction::In, Some(capacity)) => format!("{name}{line}{}/{capacity}, {rate:.0}/s", view.depth),
    }
}

/// Safe between the quotes of both languages.
fn escaped(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '"' => '\'',
            '\\' => '/',
            c if c.is_control() => ' ',
            c => c,
        })
        .collect()
}
