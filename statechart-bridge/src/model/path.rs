//! References to states: `.`, `..`, `/a/b`, `a/b`, `../x`, `../p/(r1/b, r2/c)`.

use std::fmt;

use super::bits::StateId;
use super::compiled::Chart;

/// Why a reference leads nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum BadReference {
    Empty,
    Syntax(String),
    AboveRoot,
    NoChild { of: String, name: String, known: String },
    Twice(String),
    Inside { inner: String, outer: String },
}

impl fmt::Display for BadReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("expected a state"),
            Self::Syntax(what) => f.write_str(what),
            Self::AboveRoot => f.write_str("`..` leads out of the chart"),
            Self::NoChild { of, name, known } if known.is_empty() => {
                write!(f, "no state `{name}` in {of}, which has no states inside")
            }
            Self::NoChild { of, name, known } => write!(f, "no state `{name}` in {of}, expected one of {known}"),
            Self::Twice(state) => write!(f, "{state} is named twice"),
            Self::Inside { inner, outer } => write!(f, "{inner} is among what {outer} stands for: name one of them"),
        }
    }
}

/// How deep lists may be nested in lists.
const DEEPEST: usize = 16;

/// Finds the states that a reference names, seen from a state.
pub(super) fn resolve(chart: &Chart, from: StateId, text: &str) -> Result<Vec<StateId>, BadReference> {
    let mut found = Vec::new();
    list(chart, from, text, DEEPEST, &mut found)?;
    Ok(found)
}

/// [`resolve`] for states that are to be entered: none twice, none inside another.
pub(super) fn resolve_targets(chart: &Chart, from: StateId, text: &str) -> Result<Vec<StateId>, BadReference> {
    let found = resolve(chart, from, text)?;
    for (index, a) in found.iter().enumerate() {
        for b in &found[index + 1..] {
            check_pair(chart, *a, *b)?;
        }
    }
    Ok(found)
}

fn check_pair(chart: &Chart, a: StateId, b: StateId) -> Result<(), BadReference> {
    let path = |state| chart.path(state);
    if a == b {
        return Err(BadReference::Twice(path(a)));
    }
    // A history stands for what is inside of its parent.
    let covers = |state| match chart.state(state) {
        history if history.is_history() => history.parent,
        _ => state,
    };
    for (outer, inner) in [(a, b), (b, a)] {
        let (around, inside) = (covers(outer), covers(inner));
        if around == inside || chart.is_inside(inside, around) {
            let (inner, outer) = (path(inner), path(outer));
            return Err(BadReference::Inside { inner, outer });
        }
    }
    Ok(())
}

fn list(chart: &Chart, from: StateId, text: &str, depth: usize, found: &mut Vec<StateId>) -> Result<(), BadReference> {
    if depth == 0 {
        return Err(BadReference::Syntax(format!("lists in lists, {DEEPEST} deep")));
    }
    let mut rest = text;
    loop {
        let (part, more) = split(rest, ',')?;
        path(chart, from, part.trim(), depth, found)?;
        match more {
            Some(more) => rest = more,
            None => return Ok(()),
        }
    }
}

fn path(chart: &Chart, from: StateId, text: &str, depth: usize, found: &mut Vec<StateId>) -> Result<(), BadReference> {
    if text.is_empty() {
        return Err(BadReference::Empty);
    }
    let (mut state, mut rest) = match text.strip_prefix('/') {
        Some(rest) => (StateId::ROOT, rest),
        None => (from, text),
    };
    loop {
        let (step, more) = split(rest, '/')?;
        let step = step.trim();
        if let Some(inner) = step.strip_prefix('(') {
            let Some(inner) = inner.strip_suffix(')') else {
                return Err(BadReference::Syntax(format!("`{step}`: expected `)` at its end")));
            };
            if more.is_some() {
                return Err(BadReference::Syntax(format!("`{text}`: nothing may follow a list")));
            }
            return list(chart, state, inner, depth - 1, found);
        }
        state = match step {
            "" => {
                return Err(BadReference::Syntax(format!(
                    "`{text}`: expected a state between and after slashes"
                )));
            }
            "." => state,
            ".." if state == StateId::ROOT => return Err(BadReference::AboveRoot),
            ".." => chart.state(state).parent,
            name => child(chart, state, name)?,
        };
        match more {
            Some(more) => rest = more,
            None => break,
        }
    }
    found.push(state);
    Ok(())
}

fn child(chart: &Chart, state: StateId, name: &str) -> Result<StateId, BadReference> {
    let children = &chart.state(state).children;
    let found = children.iter().find(|child| &*chart.state(**child).id == name);
    found.copied().ok_or_else(|| {
        let known: Vec<_> = children.iter().map(|child| &*chart.state(*child).id).collect();
        BadReference::NoChild {
            of: chart.path(state),
            name: name.to_owned(),
            known: known.join(", "),
        }
    })
}

/// Splits at the first separator that stands outside of brackets.
fn split(text: &str, separator: char) -> Result<(&str, Option<&str>), BadReference> {
    let mut open = 0_usize;
    for (at, c) in text.char_indices() {
        match c {
            '(' => open += 1,
            ')' => {
                open = open
                    .checked_sub(1)
                    .ok_or_else(|| BadReference::Syntax(format!("`{text}`: `)` without `(`")))?;
            }
            c if c == separator && open == 0 => return Ok((&text[..at], Some(&text[at + 1..]))),
            _ => {}
        }
    }
    if open > 0 {
        return Err(BadReference::Syntax(format!("`{text}`: `(` without `)`")));
    }
    Ok((text, None))
}
