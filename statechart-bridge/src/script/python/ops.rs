//! What operators do.

use std::cmp::Ordering;
use std::sync::Arc;

use bytes::Bytes;

use super::ast::{Binary, Compare, Unary};
use super::budget::Budget;
use super::format;
use crate::Value;

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
            Ok(Value::list(x.iter().chain(y.iter()).cloned()))
        }
        (Binary::Add, Value::Tuple(x), Value::Tuple(y)) => {
            budget.make_items(x.len() + y.len())?;
            Ok(Value::tuple(x.iter().chain(y.iter()).cloned()))
        }
        (Binary::BitOr, Value::Map(x), Value::Map(y)) => {
            budget.make_items(x.len() + y.len())?;
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
        Binary::Modulo if b != 0 => a.checked_rem(b).map(|rest| {
            if rest != 0 && (rest < 0) != (b < 0) {
                rest + b
            } else {
                rest
            }
        }),
        Binary::Divide | Binary::FloorDivide | Binary::Modulo => return Err("division by zero".to_owned()),
        #[expect(clippy::cast_precision_loss, reason = "a negative power is no whole number")]
        Binary::Power if b < 0 => return finite((a as f64).powf(b as f64)),
        Binary::Power => u32::try_from(b).ok().and_then(|b| a.checked_pow(b)),
        Binary::BitAnd => Some(a & b),
        Binary::BitOr => Some(a | b),
        Binary::BitXor => Some(a ^ b),
        Binary::ShiftLeft | Binary::ShiftRight if b < 0 => return Err("a negative shift".to_owned()),
        Binary::ShiftLeft => match shift() {
            Some(by) => a.checked_mul(1_i64.checked_shl(by).filter(|one| *one > 0).ok_or(TOO_LARGE)?),
            None if a == 0 => Some(0),
            None => None,
        },
        Binary::ShiftRight => Some(shift().map_or(if a < 0 { -1 } else { 0 }, |by| a >> by)),
    };
    result.map(Value::Int).ok_or_else(|| TOO_LARGE.to_owned())
}

fn finite(value: f64) -> Result<Value> {
    if value.is_finite() {
        Ok(Value::Float(value))
    } else {
        Err("the number is too large".to_owned())
    }
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
        Binary::FloorDivide => (a / b).floor(),
        Binary::Modulo => {
            let rest = a % b;
            if rest != 0.0 && (rest < 0.0) != (b < 0.0) {
                rest + b
            } else {
                rest
            }
        }
        Binary::Power => a.powf(b),
        _ => return Err(format!("`{}` doesn't go with float", operator.sign())),
    }))
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
            Value::list(items.iter().cycle().take(size(items.len())).cloned())
        }
        Value::Tuple(items) => {
            budget.make_items(size(items.len()))?;
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
            Arc::make_mut(list).extend(items.iter().cloned());
        }
        (_, current, value) => *place = binary(operator, current, value, budget)?,
    }
    Ok(())
}

pub(super) fn unary(operator: Unary, value: &Value) -> Result<Value> {
    match (operator, value) {
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

/// Text and bytes with the same content are equal here, as in the models that know only one type for both.
pub(super) fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Str(text), Value::Bytes(bytes)) | (Value::Bytes(bytes), Value::Str(text)) => {
            text.as_bytes() == &bytes[..]
        }
        (Value::Bool(flag), Value::Int(number)) | (Value::Int(number), Value::Bool(flag)) => {
            i64::from(*flag) == *number
        }
        _ => a == b,
    }
}

#[inline]
pub(super) fn compare(operator: Compare, a: &Value, b: &Value) -> Result<bool> {
    if let (Value::Int(a), Value::Int(b)) = (a, b) {
        match operator {
            Compare::Equal => return Ok(a == b),
            Compare::NotEqual => return Ok(a != b),
            Compare::Less => return Ok(a < b),
            Compare::LessEqual => return Ok(a <= b),
            Compare::Greater => return Ok(a > b),
            Compare::GreaterEqual => return Ok(a >= b),
            Compare::In | Compare::NotIn => {}
        }
    }
    compare_any(operator, a, b)
}

fn compare_any(operator: Compare, a: &Value, b: &Value) -> Result<bool> {
    let ordered = |sign: &str, test: fn(Ordering) -> bool| match order(a, b) {
        Some(order) => Ok(test(order)),
        None if numbers(a, b).is_some() => Ok(false),
        None => Err(mismatch(sign, a, b)),
    };
    match operator {
        Compare::Equal => Ok(equal(a, b)),
        Compare::NotEqual => Ok(!equal(a, b)),
        Compare::Less => ordered("<", Ordering::is_lt),
        Compare::LessEqual => ordered("<=", Ordering::is_le),
        Compare::Greater => ordered(">", Ordering::is_gt),
        Compare::GreaterEqual => ordered(">=", Ordering::is_ge),
        Compare::In => contains(b, a),
        Compare::NotIn => contains(b, a).map(|found| !found),
    }
}

/// The order of two values, if they have one.
pub(super) fn order(a: &Value, b: &Value) -> Option<Ordering> {
    match (a, b) {
        (Value::Str(_) | Value::Bytes(_), Value::Str(_) | Value::Bytes(_)) => a.as_bytes().partial_cmp(&b.as_bytes()),
        (Value::Nil | Value::Map(_) | Value::Object(_), _) => None,
        _ => match numbers(a, b) {
            Some(Pair::Floats(x, y)) if !matches!((a, b), (Value::Int(_), _) | (_, Value::Int(_))) => x.partial_cmp(&y),
            Some(Pair::Ints(x, y)) => Some(x.cmp(&y)),
            _ => a.partial_cmp(b),
        },
    }
}

fn contains(whole: &Value, part: &Value) -> Result<bool> {
    match (whole, part) {
        (Value::Str(text), Value::Str(part)) => Ok(text.contains(&**part)),
        (Value::Str(_) | Value::Bytes(_), Value::Str(_) | Value::Bytes(_)) => {
            let (whole, part) = (whole.as_bytes().unwrap_or(&[]), part.as_bytes().unwrap_or(&[]));
            Ok(find(whole, part).is_some())
        }
        (Value::Bytes(bytes), Value::Int(byte)) => Ok(u8::try_from(*byte).is_ok_and(|byte| bytes.contains(&byte))),
        (Value::List(_) | Value::Tuple(_), _) => {
            let items = whole.items().unwrap_or(&[]);
            Ok(items.iter().any(|item| equal(item, part)))
        }
        (Value::Map(map), _) => Ok(map.contains_key(part)),
        _ => Err(format!("`in` doesn't go with {}", whole.kind())),
    }
}

/// Where a part begins.
pub(super) fn find(whole: &[u8], part: &[u8]) -> Option<usize> {
    match part {
        [] => Some(0),
        [first, ..] => {
            let mut from = 0;
            loop {
                let rest = whole.get(from..)?;
                let at = from + rest.iter().position(|byte| byte == first)?;
                if whole.get(at..)?.starts_with(part) {
                    return Some(at);
                }
                from = at + 1;
            }
        }
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
pub(super) fn length(value: &Value) -> Result<usize> {
    match value {
        Value::Str(text) if text.is_ascii() => Ok(text.len()),
        Value::Str(text) => Ok(text.chars().count()),
        Value::Bytes(bytes) => Ok(bytes.len()),
        Value::Map(map) => Ok(map.len()),
        other => match other.items() {
            Some(items) => Ok(items.len()),
            None => Err(format!("{} has no length", other.kind())),
        },
    }
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

pub(super) fn index(value: &Value, index: &Value) -> Result<Value> {
    match value {
        Value::Map(map) => map.get(index).cloned().ok_or_else(|| format!("no key {index}")),
        Value::Str(text) => {
            let at = position(index, length(value)?)?;
            let c = text.chars().nth(at).unwrap_or(' ');
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
pub(super) fn index_mut<'a>(value: &'a mut Value, index: &Value) -> Result<&'a mut Value> {
    match value {
        Value::List(items) => {
            let at = position(index, items.len())?;
            Arc::make_mut(items).get_mut(at).ok_or_else(String::new)
        }
        Value::Map(map) => Arc::make_mut(map)
            .get_mut(index)
            .ok_or_else(|| format!("no key {index}")),
        other => Err(format!("the items of {} can't be changed", other.kind())),
    }
}

/// Sets the item at an index; a map takes a new key.
pub(super) fn set_index(value: &mut Value, index: &Value, item: Value, budget: &mut Budget) -> Result<()> {
    if let Value::Map(map) = value {
        budget.make_items(1)?;
        Arc::make_mut(map).insert(index.clone(), item);
        return Ok(());
    }
    *index_mut(value, index)? = item;
    Ok(())
}

pub(super) fn delete_index(value: &mut Value, index: &Value) -> Result<()> {
    match value {
        Value::List(items) => {
            let at = position(index, items.len())?;
            Arc::make_mut(items).remove(at);
            Ok(())
        }
        Value::Map(map) => match Arc::make_mut(map).shift_remove(index) {
            Some(_) => Ok(()),
            None => Err(format!("no key {index}")),
        },
        other => Err(format!("the items of {} can't be deleted", other.kind())),
    }
}

/// `value[start:stop:step]`.
pub(super) fn slice(value: &Value, parts: [Option<Value>; 3], budget: &mut Budget) -> Result<Value> {
    let bound = |part: &Option<Value>| match part {
        None | Some(Value::Nil) => Ok(None),
        Some(Value::Int(value)) => Ok(Some(*value)),
        Some(other) => Err(format!("a bound of {}: expected an int", other.kind())),
    };
    let [start, stop, step] = &parts;
    let (start, stop, step) = (bound(start)?, bound(stop)?, bound(step)?.unwrap_or(1));
    if step == 0 {
        return Err("a step of 0".to_owned());
    }
    let whole = length(value)?;
    let len = i64::try_from(whole).unwrap_or(i64::MAX);
    let (low, high) = if step > 0 { (0, len) } else { (-1, len - 1) };
    let clamp = |value: Option<i64>, default: i64| match value {
        None => default,
        Some(value) => (if value < 0 { value.saturating_add(len) } else { value }).clamp(low, high),
    };
    let start = clamp(start, if step > 0 { low } else { high });
    let stop = clamp(stop, if step > 0 { high } else { low });
    let at = |value: i64| usize::try_from(value).unwrap_or(0);
    if step == 1 {
        let (start, stop) = (at(start), at(stop).max(at(start)));
        return match value {
            // A part of bytes shares them.
            Value::Bytes(bytes) => Ok(Value::Bytes(bytes.slice(start..stop))),
            Value::Str(text) => {
                budget.make(stop - start)?;
                if text.is_ascii() {
                    return Ok(text.get(start..stop).unwrap_or("").into());
                }
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
