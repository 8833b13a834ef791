//! Slices.

use std::sync::Arc;

use bytes::Bytes;

use super::{Result, items, length, own_list};
use crate::Value;
use crate::script::python::budget::Budget;

/// What a slice of so many items is: where it starts and stops, and its step.
fn bounds(parts: &[Option<Value>; 3], len: usize) -> Result<(i64, i64, i64)> {
    let bound = |part: &Option<Value>| match part {
        None | Some(Value::Nil) => Ok(None),
        Some(Value::Int(value)) => Ok(Some(*value)),
        Some(other) => Err(format!("a bound of {}: expected an int", other.kind())),
    };
    let [start, stop, step] = parts;
    let (start, stop, step) = (bound(start)?, bound(stop)?, bound(step)?.unwrap_or(1));
    if step == 0 {
        return Err("a step of 0".to_owned());
    }
    let len = i64::try_from(len).unwrap_or(i64::MAX);
    let (low, high) = if step > 0 { (0, len) } else { (-1, len - 1) };
    let clamp = |value: Option<i64>, default: i64| match value {
        None => default,
        Some(value) => (if value < 0 { value.saturating_add(len) } else { value }).clamp(low, high),
    };
    let start = clamp(start, if step > 0 { low } else { high });
    let stop = clamp(stop, if step > 0 { high } else { low });
    Ok((start, stop, step))
}

fn at(value: i64) -> usize {
    usize::try_from(value).unwrap_or(0)
}

/// `list[start:stop] = items`, or without items `del list[start:stop:step]`.
pub(in crate::script::python) fn set_slice(
    value: &mut Value,
    parts: &[Option<Value>; 3],
    new: Option<&Value>,
    budget: &mut Budget,
) -> Result<()> {
    let Value::List(list) = value else {
        return Err(format!("the items of {} can't be changed", value.kind()));
    };
    let (start, stop, step) = bounds(parts, list.len())?;
    let new = match new {
        Some(new) if step == 1 => {
            let items = items(new, budget)?;
            budget.make_items(items.len())?;
            items.iter().try_for_each(|item| budget.admit(item))?;
            items
        }
        Some(_) => return Err("a slice with a step can't be assigned to".to_owned()),
        None if step == 1 => Arc::default(),
        None => {
            let gone = |index: usize| {
                let index = i64::try_from(index).unwrap_or(i64::MAX);
                let inside = if step > 0 {
                    (start..stop).contains(&index)
                } else {
                    stop < index && index <= start
                };
                inside && (index - start) % step == 0
            };
            budget.look(list.len())?;
            let mut index = 0;
            own_list(list, budget)?.retain(|_| {
                index += 1;
                !gone(index - 1)
            });
            return Ok(());
        }
    };
    let (start, stop) = (at(start), at(stop).max(at(start)));
    budget.shift(list.len() - start)?;
    own_list(list, budget)?.splice(start..stop, new.iter().cloned());
    Ok(())
}

/// `value[start:stop:step]`.
pub(in crate::script::python) fn slice(
    value: &Value,
    parts: &[Option<Value>; 3],
    budget: &mut Budget,
) -> Result<Value> {
    let len = length(value, budget)?;
    let (start, stop, step) = bounds(parts, len)?;
    if step == 1 {
        let (start, stop) = (at(start), at(stop).max(at(start)));
        return match value {
            // A part of bytes shares them.
            Value::Bytes(bytes) => Ok(Value::Bytes(bytes.slice(start..stop))),
            Value::Str(text) => {
                budget.make(stop - start)?;
                if len == text.len() {
                    return Ok(text.get(start..stop).unwrap_or("").into());
                }
                budget.scan(text.len())?;
                Ok(text.chars().skip(start).take(stop - start).collect::<String>().into())
            }
            Value::List(_) | Value::Tuple(_) => {
                budget.make_items(stop - start)?;
                let items = value.items().and_then(|items| items.get(start..stop)).unwrap_or(&[]);
                Ok(match value {
                    Value::List(_) => Value::list(items.iter().cloned()),
                    _ => Value::tuple(items.iter().cloned()),
                })
            }
            other => Err(format!("{} can't be cut", other.kind())),
        };
    }
    let mut positions = Vec::new();
    let mut next = start;
    while (step > 0 && next < stop) || (step < 0 && next > stop) {
        budget.make_items(1)?;
        positions.push(at(next));
        next = next.saturating_add(step);
    }
    match value {
        Value::Str(text) => {
            if len == text.len() {
                let bytes = text.as_bytes();
                let chosen = positions.iter().filter_map(|at| bytes.get(*at));
                return Ok(chosen.map(|byte| char::from(*byte)).collect::<String>().into());
            }
            budget.make(len.saturating_mul(size_of::<char>()))?;
            let chars: Vec<char> = text.chars().collect();
            let text: String = positions.iter().filter_map(|at| chars.get(*at)).collect();
            Ok(text.into())
        }
        Value::Bytes(bytes) => {
            let bytes: Vec<u8> = positions.iter().filter_map(|at| bytes.get(*at)).copied().collect();
            Ok(Value::Bytes(Bytes::from(bytes)))
        }
        other => {
            let items = other.items().ok_or_else(|| format!("{} can't be cut", other.kind()))?;
            let chosen = positions.iter().filter_map(|at| items.get(*at)).cloned();
            Ok(match other {
                Value::List(_) => Value::list(chosen),
                _ => Value::tuple(chosen),
            })
        }
    }
}
