//! What operators do.

mod compare;
mod slice;

use std::sync::Arc;

use super::ast::{Binary, Unary};
use super::budget::Budget;
use super::format;
use crate::{Map, Value};

pub(super) use compare::{compare, compare_simple, equal, key, order};
pub(super) use slice::{set_slice, slice};

type Result<T> = std::result::Result<T, String>;

pub(super) const TOO_LARGE: &str = "the number is too large: whole numbers have 64 bits";

fn mismatch(sign: &str, a: &Value, b: &Value) -> String {
    format!("`{sign}` doesn't go with {} and {}", a.kind(), b.kind())
}

/// The numbers of a calculation: truth values count as 0 and 1.
enum Pair {
    Ints(i64, i64),
    Floats(f64, f64),
}

fn numbers(a: &Value, b: &Value) -> Option<Pair> {
    let int = |value: &Value| match value {
        Value::Int(value) => Some(*value),
        Value::Bool(value) => Some(i64::from(*value)),
        _ => None,
    };
    if let (Some(a), Some(b)) = (int(a), int(b)) {
        return Some(Pair::Ints(a, b));
    }
    #[expect(clippy::cast_precision_loss, reason = "what every language does between the two")]
    let float = |value: &Value| int(value).map(|value| value as f64).or_else(|| value.as_number());
    Some(Pair::Floats(float(a)?, float(b)?))
}

pub(super) fn binary(operator: Binary, a: &Value, b: &Value, budget: &mut Budget) -> Result<Value> {
    if let Some(pair) = numbers(a, b) {
        return match pair {
            Pair::Ints(a, b) => ints(operator, a, b),
            Pair::Floats(a, b) => floats(operator, a, b),
        };
    }
    match (operator, a, b) {
        (Binary::Add, Value::Str(x), Value::Str(y)) => {
            budget.make(x.len() + y.len())?;
            let mut text = String::with_capacity(x.len() + y.len());
            text.push_str(x);
            text.push_str(y);
            Ok(text.into())
        }
        // Text and bytes together are bytes.
        (Binary::Add, Value::Str(_) | Value::Bytes(_), Value::Str(_) | Value::Bytes(_)) => {
            let (x, y) = (a.as_bytes().unwrap_or(&[]), b.as_bytes().unwrap_or(&[]));
            if x.is_empty() || y.is_empty() {
                let whole = if x.is_empty() { b } else { a };
                return Ok(as_shared_bytes(whole));
            }
            budget.make(x.len() + y.len())?;
            Ok([x, y].concat().into())
        }
        (Binary::Add, Value::List(x), Value::List(y)) => {
            budget.make_items(x.len() + y.len())?;
            x.iter().chain(y.iter()).try_for_each(|item| budget.admit(item))?;
            Ok(Value::list(x.iter().chain(y.iter()).cloned()))
        }
        (Binary::Add, Value::Tuple(x), Value::Tuple(y)) => {
            budget.make_items(x.len() + y.len())?;
            x.iter().chain(y.iter()).try_for_each(|item| budget.admit(item))?;
            Ok(Value::tuple(x.iter().chain(y.iter()).cloned()))
        }
        (Binary::BitOr, Value::Map(x), Value::Map(y)) => {
            budget.make_items(x.len() + y.len())?;
            x.values().chain(y.values()).try_for_each(|item| budget.admit(item))?;
            y.keys().try_for_each(|name| key(name, budget))?;
            let mut map = (**x).clone();
            map.extend(y.iter().map(|(key, value)| (key.clone(), value.clone())));
            Ok(map.into())
        }
        (Binary::Multiply, of, Value::Int(count)) | (Binary::Multiply, Value::Int(count), of) => {
            repeat(of, *count, budget)?.ok_or_else(|| mismatch("*", a, b))
        }
        (Binary::Modulo, Value::Str(format), values) => Ok(format::percent(format, values, budget)?.into()),
        (Binary::Modulo, Value::Bytes(format), values) => {
            let format = String::from_utf8_lossy(format);
            Ok(format::percent(&format, values, budget)?.into_bytes().into())
        }
        _ => Err(mismatch(operator.sign(), a, b)),
    }
}

fn as_shared_bytes(value: &Value) -> Value {
    match value {
        Value::Str(text) => text.as_bytes().into(),
        other => other.clone(),
    }
}

fn ints(operator: Binary, a: i64, b: i64) -> Result<Value> {
    let shift = || u32::try_from(b).ok().filter(|b| *b < 64);
    let result = match operator {
        Binary::Add => a.checked_add(b),
        Binary::Subtract => a.checked_sub(b),
        Binary::Multiply => a.checked_mul(b),
        #[expect(clippy::cast_precision_loss, reason = "as every language divides")]
        Binary::Divide if b != 0 => return Ok(Value::Float(a as f64 / b as f64)),
        Binary::FloorDivide if b != 0 => a.checked_div_euclid(b).map(|quotient| {
            // Rounded towards minus infinity, as Python does.
            let inexact = a.rem_euclid(b) != 0;
            if b < 0 && inexact { quotient - 1 } else { quotient }
        }),
        Binary::Modulo if b != 0 => Some({
            // Of the least number by -1 nothing is left, though the quotient is too large.
            let rest = a.wrapping_rem(b);
            if rest != 0 && (rest < 0) != (b < 0) {
                rest + b
            } else {
                rest
            }
        }),
        Binary::Divide | Binary::FloorDivide | Binary::Modulo => return Err("division by zero".to_owned()),
        #[expect(clippy::cast_precision_loss, reason = "a negative power is no whole number")]
        Binary::Power if b < 0 => return floats(Binary::Power, a as f64, b as f64),
        Binary::Power => match a {
            0 | 1 if b > 0 => Some(a),
            -1 => Some(if b % 2 == 0 { 1 } else { -1 }),
            _ => u32::try_from(b).ok().and_then(|b| a.checked_pow(b)),
        },
        Binary::BitAnd => Some(a & b),
        Binary::BitOr => Some(a | b),
        Binary::BitXor => Some(a ^ b),
        Binary::ShiftLeft | Binary::ShiftRight if b < 0 => return Err("a negative shift".to_owned()),
        Binary::ShiftLeft => match shift() {
            // Twice as many bits hold whatever comes of fewer than 64.
            Some(by) => i64::try_from(i128::from(a) << by).ok(),
            None if a == 0 => Some(0),
            None => None,
        },
        Binary::ShiftRight => Some(shift().map_or(if a < 0 { -1 } else { 0 }, |by| a >> by)),
    };
    result.map(Value::Int).ok_or_else(|| TOO_LARGE.to_owned())
}

fn floats(operator: Binary, a: f64, b: f64) -> Result<Value> {
    let zero = matches!(operator, Binary::Divide | Binary::FloorDivide | Binary::Modulo) && b == 0.0;
    if zero {
        return Err("division by zero".to_owned());
    }
    Ok(Value::Float(match operator {
        Binary::Add => a + b,
        Binary::Subtract => a - b,
        Binary::Multiply => a * b,
        Binary::Divide => a / b,
        Binary::FloorDivide => floor_and_rest(a, b).0,
        Binary::Modulo => floor_and_rest(a, b).1,
        Binary::Power => return power(a, b),
        _ => return Err(format!("`{}` doesn't go with float", operator.sign())),
    }))
}

/// The quotient rounded towards minus infinity, and what is left, with the sign of the divisor.
fn floor_and_rest(a: f64, b: f64) -> (f64, f64) {
    let mut rest = a % b;
    let mut quotient = (a - rest) / b;
    if rest == 0.0 {
        rest = 0.0_f64.copysign(b);
    } else if (rest < 0.0) != (b < 0.0) {
        rest += b;
        quotient -= 1.0;
    }
    if quotient == 0.0 {
        return (0.0_f64.copysign(a / b), rest);
    }
    let floor = quotient.floor();
    // The quotient is nearly whole, and may have been rounded to the wrong side.
    (if quotient - floor > 0.5 { floor + 1.0 } else { floor }, rest)
}

fn power(a: f64, b: f64) -> Result<Value> {
    if a == 0.0 && b < 0.0 {
        return Err("division by zero".to_owned());
    }
    let value = a.powf(b);
    if value.is_nan() && !a.is_nan() && !b.is_nan() {
        return Err("a negative number to the power of one that is not whole".to_owned());
    }
    if value.is_infinite() && a.is_finite() && b.is_finite() {
        return Err("the number is too large".to_owned());
    }
    Ok(Value::Float(value))
}

fn repeat(of: &Value, count: i64, budget: &mut Budget) -> Result<Option<Value>> {
    let count = usize::try_from(count).unwrap_or(0);
    let size = |len: usize| len.saturating_mul(count);
    Ok(Some(match of {
        Value::Str(text) => {
            budget.make(size(text.len()))?;
            text.repeat(count).into()
        }
        Value::Bytes(bytes) => {
            budget.make(size(bytes.len()))?;
            bytes.repeat(count).into()
        }
        Value::List(items) => {
            budget.make_items(size(items.len()))?;
            items.iter().try_for_each(|item| budget.admit_all(item, count))?;
            Value::list(items.iter().cycle().take(size(items.len())).cloned())
        }
        Value::Tuple(items) => {
            budget.make_items(size(items.len()))?;
            items.iter().try_for_each(|item| budget.admit_all(item, count))?;
            Value::tuple(items.iter().cycle().take(size(items.len())).cloned())
        }
        _ => return Ok(None),
    }))
}

/// `place operator= value`: changes the place, without a copy where it can.
pub(super) fn augment(operator: Binary, place: &mut Value, value: &Value, budget: &mut Budget) -> Result<()> {
    match (operator, &mut *place, value) {
        (Binary::Add, Value::Int(a), Value::Int(b)) => *a = a.checked_add(*b).ok_or(TOO_LARGE)?,
        (Binary::Subtract, Value::Int(a), Value::Int(b)) => *a = a.checked_sub(*b).ok_or(TOO_LARGE)?,
        (Binary::Add, Value::List(list), other) => {
            let items = items(other, budget)?;
            budget.make_items(items.len())?;
            items.iter().try_for_each(|item| budget.admit(item))?;
            own_list(list, budget)?.extend(items.iter().cloned());
        }
        (_, current, value) => *place = binary(operator, current, value, budget)?,
    }
    Ok(())
}

pub(super) fn unary(operator: Unary, value: &Value) -> Result<Value> {
    match (operator, value) {
        (Unary::Minus | Unary::Plus | Unary::Invert, Value::Bool(value)) => {
            unary(operator, &Value::Int(i64::from(*value)))
        }
        (Unary::Not, value) => Ok(Value::Bool(!value.is_true())),
        (Unary::Minus, Value::Int(value)) => value.checked_neg().map(Value::Int).ok_or_else(|| TOO_LARGE.to_owned()),
        (Unary::Minus, Value::Float(value)) => Ok(Value::Float(-value)),
        (Unary::Plus, Value::Int(_) | Value::Float(_)) => Ok(value.clone()),
        (Unary::Invert, Value::Int(value)) => Ok(Value::Int(!value)),
        (Unary::Minus, value) => Err(format!("`-` doesn't go with {}", value.kind())),
        (Unary::Plus, value) => Err(format!("`+` doesn't go with {}", value.kind())),
        (Unary::Invert, value) => Err(format!("`~` doesn't go with {}", value.kind())),
    }
}

/// The items of a list to change them: a copy is made, and spent, if others hold the list too.
pub(super) fn own_list<'a>(list: &'a mut Arc<Vec<Value>>, budget: &mut Budget) -> Result<&'a mut Vec<Value>> {
    if Arc::strong_count(list) > 1 {
        budget.make_items(list.len())?;
    }
    Ok(Arc::make_mut(list))
}

/// The same of a map.
pub(super) fn own_map<'a>(map: &'a mut Arc<Map>, budget: &mut Budget) -> Result<&'a mut Map> {
    if Arc::strong_count(map) > 1 {
        budget.make_items(map.len().saturating_mul(2))?;
    }
    Ok(Arc::make_mut(map))
}

pub(super) fn no_key(key: &Value) -> String {
    format!("no key {}", format::brief(key))
}

/// Takes a pair out of a map, and keeps the order of the others.
pub(super) fn remove(map: &mut Map, key: &Value, budget: &mut Budget) -> Result<Option<Value>> {
    match map.get_index_of(key) {
        Some(at) => {
            budget.shift(map.len() - at)?;
            Ok(map.shift_remove_index(at).map(|(_, value)| value))
        }
        None => Ok(None),
    }
}

/// What `for` goes through.
pub(super) fn items(value: &Value, budget: &mut Budget) -> Result<Arc<Vec<Value>>> {
    Ok(match value {
        Value::List(items) => Arc::clone(items),
        Value::Tuple(items) => {
            budget.make_items(items.len())?;
            Arc::new(items.to_vec())
        }
        Value::Map(map) => {
            budget.make_items(map.len())?;
            Arc::new(map.keys().cloned().collect())
        }
        Value::Str(text) => {
            budget.make_items(text.len())?;
            let mut buffer = [0; 4];
            Arc::new(
                text.chars()
                    .map(|c| Value::from(&*c.encode_utf8(&mut buffer)))
                    .collect(),
            )
        }
        Value::Bytes(bytes) => {
            budget.make_items(bytes.len())?;
            Arc::new((0..bytes.len()).map(|at| Value::Bytes(bytes.slice(at..=at))).collect())
        }
        other => return Err(format!("{} can't be gone through", other.kind())),
    })
}

/// How many items, characters or bytes.
pub(super) fn length(value: &Value, budget: &mut Budget) -> Result<usize> {
    match value {
        Value::Str(text) => characters(text, budget),
        Value::Bytes(bytes) => Ok(bytes.len()),
        Value::Map(map) => Ok(map.len()),
        other => match other.items() {
            Some(items) => Ok(items.len()),
            None => Err(format!("{} has no length", other.kind())),
        },
    }
}

/// How many characters a text has: as many as bytes if it is ASCII.
fn characters(text: &str, budget: &mut Budget) -> Result<usize> {
    // Many bytes at a time are looked at to know that, and one at a time to count.
    budget.scan(text.len() / 8)?;
    if text.is_ascii() {
        return Ok(text.len());
    }
    budget.scan(text.len())?;
    Ok(text.chars().count())
}

/// A position; negative ones count from the end.
pub(super) fn position(index: &Value, len: usize) -> Result<usize> {
    let Some(index) = index.as_int() else {
        return Err(format!("an index of {}: expected an int", index.kind()));
    };
    let found = if index < 0 {
        usize::try_from(index.unsigned_abs())
            .ok()
            .and_then(|back| len.checked_sub(back))
    } else {
        usize::try_from(index).ok()
    };
    found
        .filter(|at| *at < len)
        .ok_or_else(|| format!("index {index} of {len} items"))
}

pub(super) fn index(value: &Value, index: &Value, budget: &mut Budget) -> Result<Value> {
    match value {
        Value::Map(map) => {
            key(index, budget)?;
            map.get(index).cloned().ok_or_else(|| no_key(index))
        }
        Value::Str(text) => {
            let len = characters(text, budget)?;
            let at = position(index, len)?;
            let c = match text.as_bytes().get(at) {
                Some(byte) if len == text.len() => char::from(*byte),
                _ => text.chars().nth(at).unwrap_or(' '),
            };
            Ok(Value::from(&*c.encode_utf8(&mut [0; 4])))
        }
        Value::Bytes(bytes) => {
            let at = position(index, bytes.len())?;
            Ok(Value::Bytes(bytes.slice(at..=at)))
        }
        other => match other.items() {
            Some(items) => {
                let at = position(index, items.len())?;
                Ok(items.get(at).cloned().unwrap_or_default())
            }
            None => Err(format!("{} has no items", other.kind())),
        },
    }
}

/// The item at an index, to change it.
pub(super) fn index_mut<'a>(value: &'a mut Value, index: &Value, budget: &mut Budget) -> Result<&'a mut Value> {
    match value {
        Value::List(items) => {
            let at = position(index, items.len())?;
            own_list(items, budget)?.get_mut(at).ok_or_else(String::new)
        }
        Value::Map(map) => {
            key(index, budget)?;
            own_map(map, budget)?.get_mut(index).ok_or_else(|| no_key(index))
        }
        other => Err(format!("the items of {} can't be changed", other.kind())),
    }
}

/// Sets the item at an index; a map takes a new key.
pub(super) fn set_index(value: &mut Value, index: &Value, item: Value, budget: &mut Budget) -> Result<()> {
    budget.admit(&item)?;
    if let Value::Map(map) = value {
        key(index, budget)?;
        budget.make_items(1)?;
        own_map(map, budget)?.insert(index.clone(), item);
        return Ok(());
    }
    *index_mut(value, index, budget)? = item;
    Ok(())
}

pub(super) fn delete_index(value: &mut Value, index: &Value, budget: &mut Budget) -> Result<()> {
    match value {
        Value::List(items) => {
            let at = position(index, items.len())?;
            budget.shift(items.len() - at)?;
            own_list(items, budget)?.remove(at);
            Ok(())
        }
        Value::Map(map) => {
            key(index, budget)?;
            match remove(own_map(map, budget)?, index, budget)? {
                Some(_) => Ok(()),
                None => Err(no_key(index)),
            }
        }
        other => Err(format!("the items of {} can't be deleted", other.kind())),
    }
}
