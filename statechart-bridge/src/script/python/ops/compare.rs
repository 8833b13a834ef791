//! Equality, order, and what is in what.

use std::cmp::Ordering;
use std::sync::Arc;

use memchr::memmem;

use super::{Pair, Result, mismatch, numbers};
use crate::Value;
use crate::script::python::ast::Compare;
use crate::script::python::budget::Budget;

/// Text and bytes with the same content are equal here, as in the models that know only one type for both.
pub(in crate::script::python) fn equal(a: &Value, b: &Value, budget: &mut Budget) -> Result<bool> {
    Ok(match (a, b) {
        (Value::List(x), Value::List(y)) if Arc::ptr_eq(x, y) => true,
        (Value::List(_), Value::List(_)) | (Value::Tuple(_), Value::Tuple(_)) => {
            let (x, y) = (a.items().unwrap_or(&[]), b.items().unwrap_or(&[]));
            if x.len() != y.len() {
                return Ok(false);
            }
            budget.look(x.len())?;
            for (x, y) in x.iter().zip(y) {
                if !equal(x, y, budget)? {
                    return Ok(false);
                }
            }
            true
        }
        (Value::Map(x), Value::Map(y)) => {
            if x.len() != y.len() {
                return Ok(false);
            }
            budget.look(x.len())?;
            for (name, x) in x.iter() {
                key(name, budget)?;
                match y.get(name) {
                    Some(y) if equal(x, y, budget)? => {}
                    _ => return Ok(false),
                }
            }
            true
        }
        _ => equal_simple(a, b, budget)?,
    })
}

/// The same for what has nothing inside.
fn equal_simple(a: &Value, b: &Value, budget: &mut Budget) -> Result<bool> {
    if let (Some(x), Some(y)) = (a.as_bytes(), b.as_bytes())
        && x.len() == y.len()
    {
        budget.scan(x.len())?;
    }
    Ok(match (a, b) {
        (Value::Str(text), Value::Bytes(bytes)) | (Value::Bytes(bytes), Value::Str(text)) => {
            text.as_bytes() == &bytes[..]
        }
        (Value::Float(a), Value::Float(b)) => a == b,
        (Value::Bool(flag), other @ (Value::Int(_) | Value::Float(_)))
        | (other @ (Value::Int(_) | Value::Float(_)), Value::Bool(flag)) => *other == Value::Int(i64::from(*flag)),
        _ => a == b,
    })
}

fn has_items(value: &Value) -> bool {
    matches!(value, Value::List(_) | Value::Tuple(_) | Value::Map(_))
}

/// Compares what has nothing inside; nothing comes of others.
#[inline]
pub(in crate::script::python) fn compare_simple(
    operator: Compare,
    a: &Value,
    b: &Value,
    budget: &mut Budget,
) -> Option<Result<bool>> {
    if let (Value::Int(a), Value::Int(b)) = (a, b) {
        match operator {
            Compare::Equal | Compare::Is => return Some(Ok(a == b)),
            Compare::NotEqual | Compare::IsNot => return Some(Ok(a != b)),
            Compare::Less => return Some(Ok(a < b)),
            Compare::LessEqual => return Some(Ok(a <= b)),
            Compare::Greater => return Some(Ok(a > b)),
            Compare::GreaterEqual => return Some(Ok(a >= b)),
            Compare::In | Compare::NotIn => {}
        }
    }
    if has_items(a) || has_items(b) {
        return None;
    }
    Some(match operator {
        Compare::Equal => equal_simple(a, b, budget),
        Compare::NotEqual => equal_simple(a, b, budget).map(|equal| !equal),
        Compare::Is => is(a, b, budget),
        Compare::IsNot => is(a, b, budget).map(|same| !same),
        Compare::Less | Compare::LessEqual | Compare::Greater | Compare::GreaterEqual => {
            order_simple(a, b, budget).and_then(|order| ordered(operator, a, b, order))
        }
        Compare::In => contains_simple(b, a, budget),
        Compare::NotIn => contains_simple(b, a, budget).map(|found| !found),
    })
}

/// `is`: of the same type, and equal.
fn is(a: &Value, b: &Value, budget: &mut Budget) -> Result<bool> {
    Ok(a.kind() == b.kind() && equal_simple(a, b, budget)?)
}

fn ordered(operator: Compare, a: &Value, b: &Value, order: Option<Ordering>) -> Result<bool> {
    let (sign, test): (_, fn(Ordering) -> bool) = match operator {
        Compare::Less => ("<", Ordering::is_lt),
        Compare::LessEqual => ("<=", Ordering::is_le),
        Compare::Greater => (">", Ordering::is_gt),
        _ => (">=", Ordering::is_ge),
    };
    match order {
        Some(order) => Ok(test(order)),
        None if numbers(a, b).is_some() => Ok(false),
        None => Err(mismatch(sign, a, b)),
    }
}

pub(in crate::script::python) fn compare(operator: Compare, a: &Value, b: &Value, budget: &mut Budget) -> Result<bool> {
    if let Some(result) = compare_simple(operator, a, b, budget) {
        return result;
    }
    match operator {
        Compare::Equal => equal(a, b, budget),
        Compare::NotEqual => equal(a, b, budget).map(|equal| !equal),
        Compare::Is => Ok(a.kind() == b.kind() && equal(a, b, budget)?),
        Compare::IsNot => Ok(a.kind() != b.kind() || !equal(a, b, budget)?),
        Compare::In => contains(b, a, budget),
        Compare::NotIn => contains(b, a, budget).map(|found| !found),
        _ => {
            let order = order(a, b, budget)?;
            ordered(operator, a, b, order)
        }
    }
}

/// The order of two values, if they have one.
pub(in crate::script::python) fn order(a: &Value, b: &Value, budget: &mut Budget) -> Result<Option<Ordering>> {
    match (a, b) {
        (Value::List(_), Value::List(_)) | (Value::Tuple(_), Value::Tuple(_)) => {
            let (x, y) = (a.items().unwrap_or(&[]), b.items().unwrap_or(&[]));
            budget.look(x.len().min(y.len()))?;
            for (x, y) in x.iter().zip(y) {
                if !equal(x, y, budget)? {
                    return order(x, y, budget);
                }
            }
            Ok(Some(x.len().cmp(&y.len())))
        }
        _ => order_simple(a, b, budget),
    }
}

fn order_simple(a: &Value, b: &Value, budget: &mut Budget) -> Result<Option<Ordering>> {
    if let (Some(x), Some(y)) = (a.as_bytes(), b.as_bytes()) {
        budget.scan(x.len().min(y.len()))?;
        return Ok(Some(x.cmp(y)));
    }
    Ok(order_numbers(a, b))
}

fn order_numbers(a: &Value, b: &Value) -> Option<Ordering> {
    match numbers(a, b)? {
        // Whole numbers exactly, not by way of their floating neighbours.
        Pair::Floats(..) if matches!((a, b), (Value::Int(_), _) | (_, Value::Int(_))) => a.partial_cmp(b),
        Pair::Floats(x, y) => x.partial_cmp(&y),
        Pair::Ints(x, y) => Some(x.cmp(&y)),
    }
}

fn contains(whole: &Value, part: &Value, budget: &mut Budget) -> Result<bool> {
    match whole {
        Value::List(_) | Value::Tuple(_) => {
            let items = whole.items().unwrap_or(&[]);
            budget.look(items.len())?;
            for item in items {
                if equal(item, part, budget)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        Value::Map(map) => {
            key(part, budget)?;
            Ok(map.contains_key(part))
        }
        _ => contains_simple(whole, part, budget),
    }
}

fn contains_simple(whole: &Value, part: &Value, budget: &mut Budget) -> Result<bool> {
    match (whole, part) {
        (Value::Str(_) | Value::Bytes(_), Value::Str(_) | Value::Bytes(_)) => {
            let (whole, part) = (whole.as_bytes().unwrap_or(&[]), part.as_bytes().unwrap_or(&[]));
            budget.scan(whole.len().saturating_add(part.len()))?;
            Ok(memmem::find(whole, part).is_some())
        }
        (Value::Bytes(bytes), Value::Int(byte)) => {
            budget.scan(bytes.len())?;
            Ok(u8::try_from(*byte).is_ok_and(|byte| bytes.contains(&byte)))
        }
        _ => Err(format!("`in` doesn't go with {} and {}", part.kind(), whole.kind())),
    }
}

/// Refuses what can't be the key of a dict.
pub(in crate::script::python) fn key(value: &Value, budget: &mut Budget) -> Result<()> {
    match value {
        Value::List(_) => Err("a list can't be a key: use a tuple".to_owned()),
        Value::Map(_) => Err("a dict can't be a key".to_owned()),
        // A text is read whole to be found.
        Value::Str(text) => budget.scan(text.len()),
        Value::Bytes(bytes) => budget.scan(bytes.len()),
        Value::Tuple(items) => {
            budget.look(items.len())?;
            items.iter().try_for_each(|item| key(item, budget))
        }
        _ => Ok(()),
    }
}
