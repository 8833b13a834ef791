//! `format % values`.

use super::spec::{Spec, write};
use super::{Result, WIDEST, number, ops_int, repr, too_wide};
use crate::Value;
use crate::script::python::budget::Budget;
use crate::script::python::ops;

pub(in crate::script::python) fn percent(format: &str, values: &Value, budget: &mut Budget) -> Result<String> {
    let one = std::slice::from_ref(values);
    let mut given = match values {
        Value::Tuple(items) => items.iter(),
        _ => one.iter(),
    };
    let mut keyed = false;
    budget.scan(format.len())?;
    let mut out = String::new();
    let mut chars = format.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let mut key = None;
        if chars.next_if_eq(&'(').is_some() {
            key = Some(chars.by_ref().take_while(|c| *c != ')').collect::<String>());
        }
        let mut spec = Spec::default();
        while let Some(flag) = chars.next_if(|c| "-+ 0#".contains(*c)) {
            match flag {
                '-' => spec.align = Some('<'),
                '+' => spec.sign = Some('+'),
                ' ' if spec.sign.is_none() => spec.sign = Some(' '),
                '0' => spec.zeros = true,
                '#' => spec.prefix = true,
                _ => {}
            }
        }
        let mut next = || given.next().ok_or("fewer values than the format has places");
        let mut size = |chars: &mut std::iter::Peekable<std::str::Chars<'_>>| {
            if chars.next_if_eq(&'*').is_none() {
                return number(chars);
            }
            let Value::Int(size) = next()? else {
                return Err("`*` in a format: expected a whole number".to_owned());
            };
            usize::try_from(*size)
                .ok()
                .filter(|size| *size <= WIDEST)
                .ok_or_else(too_wide)
        };
        spec.width = size(&mut chars)?;
        if chars.next_if_eq(&'.').is_some() {
            spec.precision = Some(size(&mut chars)?);
        }
        let Some(kind) = chars.next() else {
            return Err("a `%` at the end of a format: write `%%`".to_owned());
        };
        if kind == '%' {
            out.push('%');
            continue;
        }
        let item;
        let value = match key {
            Some(key) => {
                keyed = true;
                item = ops::index(values, &Value::from(key), budget)?;
                &item
            }
            None => next()?,
        };
        if spec.align == Some('<') {
            spec.zeros = false;
        } else if !spec.zeros || matches!(kind, 's' | 'r' | 'a' | 'c') {
            // `%` puts texts and numbers to the right.
            spec.align = Some('>');
            spec.zeros = false;
        }
        let whole;
        let value = match (kind, value) {
            ('d' | 'i' | 'u', Value::Float(value)) => {
                whole = ops_int(*value)?;
                &whole
            }
            ('r' | 'a', value) => {
                whole = repr(value, budget)?.into();
                &whole
            }
            ('s', value) if !matches!(value, Value::Str(_)) => {
                whole = super::text(value, budget)?.into();
                &whole
            }
            (_, value) => value,
        };
        spec.kind = Some(match kind {
            's' | 'r' | 'a' => 's',
            'i' | 'u' | 'd' => 'd',
            'f' | 'F' | 'e' | 'E' | 'g' | 'G' | 'x' | 'X' | 'o' | 'c' => kind,
            other => {
                return Err(format!(
                    "`%{other}` is no format: expected one of %s %r %d %f %e %g %x %o %c %%"
                ));
            }
        });
        write(&mut out, value, &spec, budget)?;
    }
    if !keyed && !matches!(values, Value::Map(_) | Value::List(_)) && given.next().is_some() {
        return Err("more values than the format has places".to_owned());
    }
    budget.make(out.len())?;
    Ok(out)
}
