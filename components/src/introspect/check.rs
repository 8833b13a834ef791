//! What can be said of a component before it runs.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::boxes::AnyNode;
use crate::component::{ChildList, Shape};
use crate::{Boxes, Direction};

/// Something about a graph that its author may not have meant.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// Nothing is linked to an inbox called `inbox`, or to any inbox of a component that has none of that name: it waits
    /// for ever.
    NothingSent {
        /// The box.
        inbox: String,
    },
    /// An outbox called `outbox`, or any outbox but `signal` of a component that has none of that name, leads nowhere: what is
    /// sent by it is discarded.
    Dangling {
        /// The box.
        outbox: String,
    },
    /// Nobody tells the component to end: nothing is linked to its control box, though its data come from inside.
    NeverTold {
        /// The component.
        component: String,
    },
    /// Data go in a circle: if all its boxes are full, none of its components goes on.
    Circle {
        /// The components, each linked to the next one, and the last one to the first.
        components: Vec<String>,
    },
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NothingSent { inbox } => write!(f, "nothing is linked to {inbox}"),
            Self::Dangling { outbox } => write!(f, "{outbox} is not linked: what it sends is discarded"),
            Self::NeverTold { component } => {
                write!(
                    f,
                    "nobody tells {component} to end: link a signal to its control, if it should"
                )
            }
            Self::Circle { components } => {
                write!(
                    f,
                    "data go in a circle ({}) and may fill all its boxes",
                    components.join(" -> ")
                )
            }
        }
    }
}

/// Looks at a chassis, or any component, before it runs: boxes that lead nowhere or that nothing leads to, children that
/// nobody tells to end, circles. Types need no check here: links between different types are refused.
///
/// The boxes of the outermost component are not looked at, for they are linked later.
pub fn check(component: &impl Boxes) -> Vec<Problem> {
    let mut children = ChildList::default();
    component.children(&mut children);
    let mut problems = Vec::new();
    look("", &children.0, &mut problems);
    problems
}

fn look(path: &str, children: &[Shape], problems: &mut Vec<Problem>) {
    let inside = |name: &str| {
        if path.is_empty() {
            name.to_owned()
        } else {
            format!("{path}.{name}")
        }
    };
    // Whose box it is; none for a box outside.
    let mut owners: BTreeMap<u64, usize> = BTreeMap::new();
    for (index, child) in children.iter().enumerate() {
        owners.extend(child.boxes.iter().map(|(_, node)| (node.number(), index)));
    }
    let mut next: Vec<Vec<usize>> = vec![Vec::new(); children.len()];
    for (index, child) in children.iter().enumerate() {
        let name = &child.name;
        // Beside an `inbox` or an `outbox` others are for who wants them.
        let has = |word: &str, direction| {
            let mut boxes = child.boxes.iter();
            boxes.any(|(name, node)| name == word && node.direction() == direction)
        };
        let (has_inbox, has_outbox) = (has("inbox", Direction::In), has("outbox", Direction::Out));
        for (word, node) in &child.boxes {
            match (node.direction(), word.as_ref()) {
                (Direction::In, word)
                    if (word == "inbox" || !has_inbox && word != "control")
                        && !node.has_sources()
                        && node.next_node().is_none() =>
                {
                    problems.push(Problem::NothingSent {
                        inbox: inside(&format!("{name}.{word}")),
                    });
                }
                (Direction::Out, "signal") => {}
                (Direction::Out, word) => match node.next_node() {
                    None if has_outbox && word != "outbox" => {}
                    None => problems.push(Problem::Dangling {
                        outbox: inside(&format!("{name}.{word}")),
                    }),
                    Some(to) => {
                        let to = end_inside(to, &owners);
                        next.get_mut(index).into_iter().for_each(|next| next.extend(to));
                    }
                },
                _ => {}
            }
        }
        if !child.control.has_sources() && fed_from_inside(child, children, index) {
            problems.push(Problem::NeverTold {
                component: inside(name),
            });
        }
    }
    for circle in circles(&next) {
        let name = |index: &usize| children.get(*index).map(|child| inside(&child.name));
        problems.push(Problem::Circle {
            components: circle.iter().filter_map(name).collect(),
        });
    }
    for child in children {
        look(&inside(&child.name), &child.children, problems);
    }
}

/// Whether data come to it from a sibling: then its end should come from there too.
fn fed_from_inside(child: &Shape, children: &[Shape], index: usize) -> bool {
    let ours: Vec<u64> = child.boxes.iter().map(|(_, node)| node.number()).collect();
    let others = children.iter().enumerate().filter(|(other, _)| *other != index);
    others
        .flat_map(|(_, other)| &other.boxes)
        .filter(|(_, node)| node.direction() == Direction::Out)
        .filter_map(|(_, node)| node.next_node())
        .any(|to| ours.contains(&to.number()))
}

fn end_inside(to: Arc<dyn AnyNode>, owners: &BTreeMap<u64, usize>) -> Option<usize> {
    let mut at = Some(to);
    while let Some(node) = at {
        if let Some(owner) = owners.get(&node.number()) {
            return Some(*owner);
        }
        at = node.next_node();
    }
    None
}

/// Each circle once, beginning with its lowest number.
fn circles(next: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let mut found = Vec::new();
    for start in 0..next.len() {
        // The shortest way back to the start by higher numbers only.
        let mut ways = std::collections::VecDeque::from([vec![start]]);
        let mut seen = vec![false; next.len()];
        'search: while let Some(way) = ways.pop_front() {
            let Some(last) = way.last() else { continue };
            for &to in next.get(*last).into_iter().flatten() {
                if to == start {
                    found.push(way);
                    break 'search;
                }
                let new = seen.get_mut(to).is_some_and(|seen| !std::mem::replace(seen, true));
                if to > start && new {
                    let mut longer = way.clone();
                    longer.push(to);
                    ways.push_back(longer);
                }
            }
        }
    }
    found
}
