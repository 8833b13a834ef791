//! Methods of lists, tuples and dicts.

use std::cmp::Ordering;
use std::sync::Arc;

use super::{Arguments, Method, Result, wrong};
use crate::script::python::budget::Budget;
use crate::script::python::{format, ops};
use crate::{Map, Value};

pub(super) fn change_list(
    list: &mut Vec<Value>,
    method: Method,
    arguments: &Arguments<'_>,
    budget: &mut Budget,
) -> Result<Value> {
    let first = arguments.get(0);
    match (method, first) {
        (Method::Append, Some(value)) => {
            arguments.count(method, 1, 1)?;
            budget.make_items(1)?;
            budget.admit(value)?;
            list.push(value.clone());
        }
        (Method::Extend, Some(value)) => {
            arguments.count(method, 1, 1)?;
            let items = ops::items(value, budget)?;
            budget.make_items(items.len())?;
            items.iter().try_for_each(|item| budget.admit(item))?;
            list.extend(items.iter().cloned());
        }
        (Method::Insert, Some(Value::Int(at))) => {
            arguments.count(method, 2, 2)?;
            budget.make_items(1)?;
            let len = list.len();
            let at = if *at < 0 {
                len.saturating_sub(usize::try_from(at.unsigned_abs()).unwrap_or(usize::MAX))
            } else {
                usize::try_from(*at).unwrap_or(usize::MAX).min(len)
            };
            let item = arguments.get(1).cloned().unwrap_or_default();
            budget.admit(&item)?;
            budget.shift(len - at)?;
            list.insert(at, item);
        }
        (Method::Pop, at) => {
            arguments.count(method, 0, 1)?;
            if list.is_empty() {
                return Err("pop from an empty list".to_owned());
            }
            let at = ops::position(at.unwrap_or(&Value::Int(-1)), list.len())?;
            budget.shift(list.len() - at)?;
            return Ok(list.remove(at));
        }
        (Method::Remove, Some(value)) => {
            arguments.count(method, 1, 1)?;
            match position(list, value, budget)? {
                Some(at) => {
                    budget.shift(list.len() - at)?;
                    list.remove(at);
                }
                None => return Err(format!("remove: {} is not in the list", format::brief(value))),
            }
        }
        (Method::Clear, None) => list.clear(),
        (Method::Reverse, None) => {
            budget.shift(list.len())?;
            list.reverse();
        }
        (Method::Sort, None) => {
            let reverse = arguments.named("reverse").is_some_and(Value::is_true);
            sort(list, reverse, budget)?;
        }
        _ => return Err(wrong("list", method)),
    }
    Ok(Value::Nil)
}

/// Sorts, if all items have an order among each other.
pub(in crate::script::python) fn sort(list: &mut Vec<Value>, reverse: bool, budget: &mut Budget) -> Result<()> {
    let pairs = std::mem::take(list).into_iter().map(|item| (item, ()));
    let sorted = merge_sort(pairs.collect(), reverse, budget)?;
    list.extend(sorted.into_iter().map(|(item, ())| item));
    Ok(())
}

/// Sorts what stands behind the keys by them.
pub(in crate::script::python) fn sort_by(
    pairs: Vec<(Value, Value)>,
    reverse: bool,
    budget: &mut Budget,
) -> Result<Vec<Value>> {
    let sorted = merge_sort(pairs, reverse, budget)?;
    Ok(sorted.into_iter().map(|(_, item)| item).collect())
}

/// By merging, since the library's sort may panic on an order that is none.
fn merge_sort<T>(mut items: Vec<(Value, T)>, reverse: bool, budget: &mut Budget) -> Result<Vec<(Value, T)>> {
    if items.len() < 2 {
        return Ok(items);
    }
    budget.look(items.len())?;
    let right = merge_sort(items.split_off(items.len() / 2), reverse, budget)?;
    let left = merge_sort(items, reverse, budget)?;
    let mut out = Vec::with_capacity(left.len() + right.len());
    let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
    while let (Some((a, _)), Some((b, _))) = (left.peek(), right.peek()) {
        let order = match ops::order(a, b, budget)? {
            Some(order) => order,
            // What is no number has no place among numbers, but no error either.
            None if a.as_number().is_some() && b.as_number().is_some() => Ordering::Equal,
            None => return Err(format!("{} and {} have no order", a.kind(), b.kind())),
        };
        let right_first = if reverse {
            order == Ordering::Less
        } else {
            order == Ordering::Greater
        };
        out.extend(if right_first { right.next() } else { left.next() });
    }
    out.extend(left);
    out.extend(right);
    Ok(out)
}

/// Where a value is in a list.
fn position(items: &[Value], value: &Value, budget: &mut Budget) -> Result<Option<usize>> {
    budget.look(items.len())?;
    for (at, item) in items.iter().enumerate() {
        if ops::equal(item, value, budget)? {
            return Ok(Some(at));
        }
    }
    Ok(None)
}

pub(super) fn change_map(
    map: &mut Map,
    method: Method,
    arguments: &Arguments<'_>,
    budget: &mut Budget,
) -> Result<Value> {
    if let (Method::Pop | Method::SetDefault, Some(key)) = (method, arguments.get(0)) {
        ops::key(key, budget)?;
    }
    match (method, arguments.get(0)) {
        (Method::Pop, Some(key)) => {
            arguments.count(method, 1, 2)?;
            match (ops::remove(map, key, budget)?, arguments.get(1)) {
                (Some(value), _) => Ok(value),
                (None, Some(default)) => Ok(default.clone()),
                (None, None) => Err(ops::no_key(key)),
            }
        }
        (Method::PopItem, None) => match map.pop() {
            Some((key, value)) => Ok(Value::tuple([key, value])),
            None => Err("popitem from an empty map".to_owned()),
        },
        (Method::SetDefault, Some(key)) => {
            arguments.count(method, 1, 2)?;
            budget.make_items(1)?;
            let default = arguments.get(1).cloned().unwrap_or_default();
            budget.admit(&default)?;
            Ok(map.entry(key.clone()).or_insert(default).clone())
        }
        (Method::Update, other) => {
            arguments.count(method, 0, 1)?;
            if let Some(Value::Map(other)) = other {
                budget.make_items(other.len())?;
                for (key, value) in other.iter() {
                    ops::key(key, budget)?;
                    budget.admit(value)?;
                }
                map.extend(other.iter().map(|(key, value)| (key.clone(), value.clone())));
            } else if let Some(other) = other {
                for pair in ops::items(other, budget)?.iter() {
                    match pair.items() {
                        Some([key, value]) => {
                            budget.make_items(1)?;
                            ops::key(key, budget)?;
                            budget.admit(value)?;
                            map.insert(key.clone(), value.clone());
                        }
                        _ => return Err("update: expected pairs of a key and a value".to_owned()),
                    }
                }
            }
            for (name, value) in arguments.named {
                budget.make_items(1)?;
                budget.admit(value)?;
                map.insert(Arc::clone(name).into(), value.clone());
            }
            Ok(Value::Nil)
        }
        (Method::Clear, None) => {
            map.clear();
            Ok(Value::Nil)
        }
        _ => Err(wrong("map", method)),
    }
}

pub(super) fn list_method(
    receiver: &Value,
    method: Method,
    arguments: &Arguments<'_>,
    budget: &mut Budget,
) -> Result<Value> {
    let items = receiver.items().unwrap_or(&[]);
    match (method, arguments.get(0)) {
        (Method::Index, Some(value)) => match position(items, value, budget)? {
            Some(at) => Ok(at.into()),
            None => Err(format!(
                "index: {} is not in the {}",
                format::brief(value),
                receiver.kind()
            )),
        },
        (Method::Count, Some(value)) => {
            budget.look(items.len())?;
            let mut count = 0_usize;
            for item in items {
                count += usize::from(ops::equal(item, value, budget)?);
            }
            Ok(count.into())
        }
        (Method::Copy, None) => {
            budget.make_items(items.len())?;
            Ok(receiver.clone())
        }
        _ => Err(wrong(receiver.kind(), method)),
    }
}

pub(super) fn map_method(
    map: &Arc<Map>,
    method: Method,
    arguments: &Arguments<'_>,
    budget: &mut Budget,
) -> Result<Value> {
    if let (Method::Get | Method::HasKey, Some(key)) = (method, arguments.get(0)) {
        ops::key(key, budget)?;
    }
    match (method, arguments.get(0)) {
        (Method::Get, Some(key)) => {
            arguments.count(method, 1, 2)?;
            let found = map.get(key).or(arguments.get(1));
            Ok(found.cloned().unwrap_or_default())
        }
        (Method::HasKey, Some(key)) => {
            arguments.count(method, 1, 1)?;
            Ok(map.contains_key(key).into())
        }
        (Method::Copy, None) => Ok(Value::Map(Arc::clone(map))),
        (Method::Keys | Method::Values | Method::Items, None) => {
            budget.make_items(map.len())?;
            Ok(match method {
                Method::Keys => Value::list(map.keys().cloned()),
                Method::Values => Value::list(map.values().cloned()),
                _ => {
                    budget.make_items(map.len().saturating_mul(2))?;
                    map.values().try_for_each(|value| budget.admit(value))?;
                    Value::list(
                        map.iter()
                            .map(|(key, value)| Value::tuple([key.clone(), value.clone()])),
                    )
                }
            })
        }
        _ => Err(wrong("map", method)),
    }
}
