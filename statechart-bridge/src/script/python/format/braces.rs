//! `format.format(values)`.

use std::sync::Arc;

use super::Result;
use super::spec::value;
use crate::Value;
use crate::script::python::budget::Budget;
use crate::script::python::ops;

struct Given<'a> {
    values: &'a [Value],
    named: &'a [(Arc<str>, Value)],
    /// How many were taken by their order; none if they are numbered.
    next: Option<usize>,
    numbered: bool,
}

pub(in crate::script::python) fn format(
    format: &str,
    values: &[Value],
    named: &[(Arc<str>, Value)],
    budget: &mut Budget,
) -> Result<String> {
    let mut given = Given {
        values,
        named,
        next: None,
        numbered: false,
    };
    budget.scan(format.len())?;
    let mut out = String::new();
    given.write(&mut out, format, 0, budget)?;
    budget.make(out.len())?;
    Ok(out)
}

impl Given<'_> {
    fn write(&mut self, out: &mut String, format: &str, depth: usize, budget: &mut Budget) -> Result<()> {
        let mut rest = format;
        while let Some(at) = rest.find(['{', '}']) {
            out.push_str(&rest[..at]);
            let c = &rest[at..=at];
            rest = &rest[at + 1..];
            if depth == 0
                && let Some(more) = rest.strip_prefix(c)
            {
                out.push_str(c);
                rest = more;
                continue;
            }
            if c == "}" {
                return Err("`}` alone in a format: write `}}`".to_owned());
            }
            let end = closing(rest).ok_or("`{` is not closed in a format")?;
            let (place, more) = (&rest[..end], &rest[end + 1..]);
            rest = more;
            let (name, spec) = place.split_once(':').unwrap_or((place, ""));
            let (name, repr) = match name.strip_suffix("!r") {
                Some(name) => (name, true),
                None => (name.strip_suffix("!s").unwrap_or(name), false),
            };
            let chosen = self.choose(name, budget)?;
            // A placeholder in a placeholder's format.
            let mut inner = String::new();
            if spec.contains('{') {
                if depth > 0 {
                    return Err("placeholders in placeholders in placeholders".to_owned());
                }
                self.write(&mut inner, spec, 1, budget)?;
            } else {
                inner.push_str(spec);
            }
            value(out, &chosen, repr, &inner, budget)?;
        }
        out.push_str(rest);
        Ok(())
    }

    fn choose(&mut self, name: &str, budget: &mut Budget) -> Result<Value> {
        let end = name.find('[').unwrap_or(name.len());
        let (first, mut path) = name.split_at(end);
        let mixed = "numbered and unnumbered places in one format";
        let found = if first.is_empty() {
            if self.numbered {
                return Err(mixed.to_owned());
            }
            let at = self.next.unwrap_or(0);
            self.next = Some(at + 1);
            self.values.get(at)
        } else if let Ok(index) = first.parse::<usize>() {
            if self.next.is_some() {
                return Err(mixed.to_owned());
            }
            self.numbered = true;
            self.values.get(index)
        } else {
            let named = self.named.iter().find(|(known, _)| **known == *first);
            named.map(|(_, value)| value)
        };
        let mut chosen = found.cloned().ok_or_else(|| format!("no value for `{{{name}}}`"))?;
        while let Some(rest) = path.strip_prefix('[') {
            let (key, more) = rest.split_once(']').ok_or("`[` is not closed in a format")?;
            let key = key.parse::<i64>().map_or_else(|_| Value::from(key), Value::Int);
            chosen = ops::index(&chosen, &key, budget)?;
            path = more;
        }
        Ok(chosen)
    }
}

/// Where the bracket is closed, with others inside.
fn closing(text: &str) -> Option<usize> {
    let mut open = 0_usize;
    for (at, c) in text.char_indices() {
        match c {
            '{' => open += 1,
            '}' if open == 0 => return Some(at),
            '}' => open -= 1,
            _ => {}
        }
    }
    None
}
