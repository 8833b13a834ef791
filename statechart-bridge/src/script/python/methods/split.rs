//! Taking text apart.

use std::collections::HashSet;

use memchr::memmem::{Finder, FinderRev};

use super::Result;
use crate::script::python::budget::Budget;

/// Takes characters of a set, or white space, away from one end or both.
pub(super) fn strip<'a>(text: &'a [u8], set: Option<&[u8]>, is_text: bool, start: bool, end: bool) -> &'a [u8] {
    if is_text
        && let Ok(whole) = std::str::from_utf8(text)
        && !whole.is_ascii()
    {
        let set = set.map(|set| String::from_utf8_lossy(set).chars().collect::<HashSet<_>>());
        let goes = |c: char| match &set {
            Some(set) => set.contains(&c),
            None => c.is_whitespace(),
        };
        let whole = if start { whole.trim_start_matches(goes) } else { whole };
        let whole = if end { whole.trim_end_matches(goes) } else { whole };
        return whole.as_bytes();
    }
    let Some(set) = set else {
        let text = if start { strip_space(text, false) } else { text };
        return if end { strip_space(text, true) } else { text };
    };
    let mut table = [false; 256];
    set.iter().for_each(|byte| table[usize::from(*byte)] = true);
    let goes = |byte: &u8| table[usize::from(*byte)];
    let mut text = text;
    while let (true, [first, rest @ ..]) = (start, text)
        && goes(first)
    {
        text = rest;
    }
    while let (true, [rest @ .., last]) = (end, text)
        && goes(last)
    {
        text = rest;
    }
    text
}

/// Takes white space away from the start or the end.
fn strip_space(text: &[u8], end: bool) -> &[u8] {
    let kept = |byte: &u8| !is_space(*byte);
    if end {
        let end = text.iter().rposition(kept).map_or(0, |at| at + 1);
        &text[..end]
    } else {
        let start = text.iter().position(kept).unwrap_or(text.len());
        &text[start..]
    }
}

fn is_space(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == 0xb
}

pub(super) fn split_lines<'a>(text: &'a [u8], keep: bool, budget: &mut Budget) -> Result<Vec<&'a [u8]>> {
    let mut lines = Vec::new();
    let mut rest = text;
    while let Some(end) = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
        let next = if rest[end..].starts_with(b"\r\n") {
            end + 2
        } else {
            end + 1
        };
        budget.make_items(1)?;
        lines.push(&rest[..if keep { next } else { end }]);
        rest = &rest[next..];
    }
    if !rest.is_empty() {
        budget.make_items(1)?;
        lines.push(rest);
    }
    Ok(lines)
}

pub(super) fn split<'a>(
    text: &'a [u8],
    separator: Option<&[u8]>,
    most: usize,
    from_end: bool,
    budget: &mut Budget,
) -> Result<Vec<&'a [u8]>> {
    let mut parts = Vec::new();
    let mut rest = text;
    match separator {
        Some([]) => return Err("split: an empty separator".to_owned()),
        Some(separator) => {
            let (first, last) = (Finder::new(separator), FinderRev::new(separator));
            while parts.len() < most {
                let found = if from_end { last.rfind(rest) } else { first.find(rest) };
                let Some(at) = found else { break };
                budget.make_items(1)?;
                if from_end {
                    parts.push(&rest[at + separator.len()..]);
                    rest = &rest[..at];
                } else {
                    parts.push(&rest[..at]);
                    rest = &rest[at + separator.len()..];
                }
            }
            budget.make_items(1)?;
            parts.push(rest);
        }
        None => loop {
            rest = strip_space(rest, from_end);
            if rest.is_empty() {
                break;
            }
            budget.make_items(1)?;
            if parts.len() >= most {
                parts.push(rest);
                break;
            }
            let space = |byte: &u8| is_space(*byte);
            if from_end {
                let start = rest.iter().rposition(space).map_or(0, |at| at + 1);
                parts.push(&rest[start..]);
                rest = &rest[..start];
            } else {
                let end = rest.iter().position(space).unwrap_or(rest.len());
                parts.push(&rest[..end]);
                rest = &rest[end..];
            }
        },
    }
    if from_end {
        parts.reverse();
    }
    Ok(parts)
}
