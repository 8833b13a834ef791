//! Methods of text, bytes, lists and maps.

use std::cmp::Ordering;
use std::sync::Arc;

use super::budget::Budget;
use super::{format, ops};
use crate::{Map, Value};

type Result<T> = std::result::Result<T, String>;

macro_rules! methods {
    ($($variant:ident = $name:literal,)*) => {
        /// A method by its name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Method {
            $($variant,)*
        }

        impl Method {
            pub(super) fn find(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$variant),)*
                    _ => None,
                }
            }

            pub(super) fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

methods! {
    Append = "append",
    Capitalize = "capitalize",
    Clear = "clear",
    Copy = "copy",
    Count = "count",
    Decode = "decode",
    Encode = "encode",
    EndsWith = "endswith",
    Extend = "extend",
    Find = "find",
    Format = "format",
    Get = "get",
    HasKey = "has_key",
    Hex = "hex",
    Index = "index",
    Insert = "insert",
    IsAlnum = "isalnum",
    IsAlpha = "isalpha",
    IsDigit = "isdigit",
    IsLower = "islower",
    IsSpace = "isspace",
    IsUpper = "isupper",
    Items = "items",
    Join = "join",
    Keys = "keys",
    LJust = "ljust",
    LStrip = "lstrip",
    Lower = "lower",
    Partition = "partition",
    Pop = "pop",
    PopItem = "popitem",
    RFind = "rfind",
    RJust = "rjust",
    RPartition = "rpartition",
    RSplit = "rsplit",
    RStrip = "rstrip",
    Remove = "remove",
    RemovePrefix = "removeprefix",
    RemoveSuffix = "removesuffix",
    Replace = "replace",
    Reverse = "reverse",
    SetDefault = "setdefault",
    Sort = "sort",
    Split = "split",
    SplitLines = "splitlines",
    StartsWith = "startswith",
    Strip = "strip",
    Title = "title",
    Update = "update",
    Upper = "upper",
    Values = "values",
    ZFill = "zfill",
}

impl Method {
    /// Whether it changes what it is called on.
    pub(super) fn changes(self) -> bool {
        matches!(
            self,
            Self::Append
                | Self::Clear
                | Self::Extend
                | Self::Insert
                | Self::Pop
                | Self::PopItem
                | Self::Remove
                | Self::Reverse
                | Self::SetDefault
                | Self::Sort
                | Self::Update
        )
    }
}

/// The arguments of a call.
pub(super) struct Arguments<'a> {
    pub(super) values: &'a [Value],
    pub(super) named: &'a [(Arc<str>, Value)],
}

impl Arguments<'_> {
    fn get(&self, index: usize) -> Option<&Value> {
        self.values.get(index)
    }

    pub(super) fn named(&self, name: &str) -> Option<&Value> {
        self.named
            .iter()
            .find(|(known, _)| **known == *name)
            .map(|(_, value)| value)
    }

    fn count(&self, method: Method, least: usize, most: usize) -> Result<()> {
        let given = self.values.len();
        if (least..=most).contains(&given) {
            return Ok(());
        }
        let expected = match (least, most) {
            (0, 0) => "none".to_owned(),
            (least, most) if least == most => least.to_string(),
            (least, usize::MAX) => format!("{least} or more"),
            (least, most) => format!("{least} to {most}"),
        };
        Err(format!("{}: {given} arguments, expected {expected}", method.name()))
    }
}

/// Calls a method that changes its receiver.
pub(super) fn change(
    receiver: &mut Value,
    method: Method,
    arguments: &Arguments<'_>,
    budget: &mut Budget,
) -> Result<Value> {
    match receiver {
        Value::List(items) => change_list(Arc::make_mut(items), method, arguments, budget),
        Value::Map(map) => change_map(Arc::make_mut(map), method, arguments, budget),
        other => Err(format!("{} has no method `{}`", other.kind(), method.name())),
    }
}

fn change_list(list: &mut Vec<Value>, method: Method, arguments: &Arguments<'_>, budget: &mut Budget) -> Result<Value> {
    let first = arguments.get(0);
    match (method, first) {
        (Method::Append, Some(value)) => {
            arguments.count(method, 1, 1)?;
            budget.make_items(1)?;
            list.push(value.clone());
        }
        (Method::Extend, Some(value)) => {
            arguments.count(method, 1, 1)?;
            let items = ops::items(value, budget)?;
            budget.make_items(items.len())?;
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
            list.insert(at, arguments.get(1).cloned().unwrap_or_default());
        }
        (Method::Pop, at) => {
            arguments.count(method, 0, 1)?;
            if list.is_empty() {
                return Err("pop from an empty list".to_owned());
            }
            let at = ops::position(at.unwrap_or(&Value::Int(-1)), list.len())?;
            return Ok(list.remove(at));
        }
        (Method::Remove, Some(value)) => {
            arguments.count(method, 1, 1)?;
            match list.iter().position(|item| ops::equal(item, value)) {
                Some(at) => {
                    list.remove(at);
                }
                None => return Err(format!("remove: {value} is not in the list")),
            }
        }
        (Method::Clear, None) => list.clear(),
        (Method::Reverse, None) => list.reverse(),
        (Method::Sort, None) => {
            let reverse = arguments.named("reverse").is_some_and(Value::is_true);
            sort(list, reverse)?;
        }
        _ => return Err(wrong("list", method)),
    }
    Ok(Value::Nil)
}

fn wrong(kind: &str, method: Method) -> String {
    format!("{kind} has no method `{}` for these arguments", method.name())
}

/// Sorts, if all items have an order among each other. By merging, since the library's sort may panic on an order that is
/// none.
pub(super) fn sort(list: &mut Vec<Value>, reverse: bool) -> Result<()> {
    let sorted = merge_sort(std::mem::take(list), reverse)?;
    *list = sorted;
    Ok(())
}

fn merge_sort(mut items: Vec<Value>, reverse: bool) -> Result<Vec<Value>> {
    if items.len() < 2 {
        return Ok(items);
    }
    let right = merge_sort(items.split_off(items.len() / 2), reverse)?;
    let left = merge_sort(items, reverse)?;
    let mut out = Vec::with_capacity(left.len() + right.len());
    let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
    while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
        let Some(order) = ops::order(a, b) else {
            return Err(format!("{} and {} have no order", a.kind(), b.kind()));
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

fn change_map(map: &mut Map, method: Method, arguments: &Arguments<'_>, budget: &mut Budget) -> Result<Value> {
    match (method, arguments.get(0)) {
        (Method::Pop, Some(key)) => {
            arguments.count(method, 1, 2)?;
            match (map.shift_remove(key), arguments.get(1)) {
                (Some(value), _) => Ok(value),
                (None, Some(default)) => Ok(default.clone()),
                (None, None) => Err(format!("no key {key}")),
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
            Ok(map.entry(key.clone()).or_insert(default).clone())
        }
        (Method::Update, other) => {
            arguments.count(method, 0, 1)?;
            if let Some(Value::Map(other)) = other {
                budget.make_items(other.len())?;
                map.extend(other.iter().map(|(key, value)| (key.clone(), value.clone())));
            } else if let Some(other) = other {
                for pair in ops::items(other, budget)?.iter() {
                    match pair.items() {
                        Some([key, value]) => {
                            budget.make_items(1)?;
                            map.insert(key.clone(), value.clone());
                        }
                        _ => return Err("update: expected pairs of a key and a value".to_owned()),
                    }
                }
            }
            for (name, value) in arguments.named {
                budget.make_items(1)?;
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

/// Calls a method that leaves its receiver as it is.
pub(super) fn call(receiver: &Value, method: Method, arguments: &Arguments<'_>, budget: &mut Budget) -> Result<Value> {
    match receiver {
        Value::Str(text) => match method {
            Method::Encode => {
                budget.make(text.len())?;
                Ok(text.as_bytes().into())
            }
            Method::Format => Ok(format::format(text, arguments.values, arguments.named, budget)?.into()),
            _ if arguments.values.iter().any(|value| matches!(value, Value::Bytes(_))) => {
                text_method(text.as_bytes(), method, arguments, budget, &|bytes| bytes.into())
            }
            _ => text_method(text.as_bytes(), method, arguments, budget, &|bytes| {
                String::from_utf8_lossy(bytes).into_owned().into()
            }),
        },
        Value::Bytes(bytes) => match method {
            Method::Decode => {
                budget.make(bytes.len())?;
                Ok(String::from_utf8_lossy(bytes).into_owned().into())
            }
            Method::Hex => {
                budget.make(bytes.len().saturating_mul(2))?;
                let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
                Ok(digits.into())
            }
            // Parts of bytes share them.
            _ => text_method(bytes, method, arguments, budget, &|part| {
                Value::Bytes(if part.is_empty() || !within(bytes, part) {
                    bytes::Bytes::copy_from_slice(part)
                } else {
                    bytes.slice_ref(part)
                })
            }),
        },
        Value::Map(map) => map_method(map, method, arguments, budget),
        Value::List(_) | Value::Tuple(_) => list_method(receiver, method, arguments, budget),
        other => Err(format!("{} has no method `{}`", other.kind(), method.name())),
    }
}

/// Whether a slice is a part of another.
fn within(whole: &[u8], part: &[u8]) -> bool {
    let (whole, part) = (whole.as_ptr_range(), part.as_ptr_range());
    whole.start <= part.start && part.end <= whole.end
}

fn list_method(receiver: &Value, method: Method, arguments: &Arguments<'_>, budget: &mut Budget) -> Result<Value> {
    let items = receiver.items().unwrap_or(&[]);
    match (method, arguments.get(0)) {
        (Method::Index, Some(value)) => match items.iter().position(|item| ops::equal(item, value)) {
            Some(at) => Ok(at.into()),
            None => Err(format!("index: {value} is not in the {}", receiver.kind())),
        },
        (Method::Count, Some(value)) => Ok(items.iter().filter(|item| ops::equal(item, value)).count().into()),
        (Method::Copy, None) => {
            budget.make_items(items.len())?;
            Ok(receiver.clone())
        }
        _ => Err(wrong(receiver.kind(), method)),
    }
}

fn map_method(map: &Arc<Map>, method: Method, arguments: &Arguments<'_>, budget: &mut Budget) -> Result<Value> {
    match (method, arguments.get(0)) {
        (Method::Get, Some(key)) => {
            arguments.count(method, 1, 2)?;
            let found = map.get(key).or(arguments.get(1));
            Ok(found.cloned().unwrap_or_default())
        }
        (Method::HasKey, Some(key)) => Ok(map.contains_key(key).into()),
        (Method::Copy, None) => Ok(Value::Map(Arc::clone(map))),
        (Method::Keys | Method::Values | Method::Items, None) => {
            budget.make_items(map.len())?;
            Ok(match method {
                Method::Keys => Value::list(map.keys().cloned()),
                Method::Values => Value::list(map.values().cloned()),
                _ => {
                    budget.make_items(map.len().saturating_mul(2))?;
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

/// Methods that text and bytes share. `make` makes a value of a part.
fn text_method(
    text: &[u8],
    method: Method,
    arguments: &Arguments<'_>,
    budget: &mut Budget,
    make: &dyn Fn(&[u8]) -> Value,
) -> Result<Value> {
    let kind = "text";
    let bytes = |index: usize| match arguments.get(index) {
        Some(value) => match value.as_bytes() {
            Some(bytes) => Ok(Some(bytes)),
            None if value.is_nil() => Ok(None),
            None => Err(format!("{}: {} where text is expected", method.name(), value.kind())),
        },
        None => Ok(None),
    };
    let needed = |index: usize| bytes(index)?.ok_or_else(|| format!("{}: a missing argument", method.name()));
    let whole_text = || String::from_utf8_lossy(text);
    let is_text = !matches!(make(b""), Value::Bytes(_));
    budget.make(text.len())?;
    // Positions are counted in characters of text and in bytes of bytes.
    let count = |bytes: &[u8]| {
        if is_text {
            String::from_utf8_lossy(bytes).chars().count()
        } else {
            bytes.len()
        }
    };
    let classify = |test: fn(char) -> bool| {
        let text = whole_text();
        Ok(Value::Bool(!text.is_empty() && text.chars().all(test)))
    };
    match method {
        Method::StartsWith | Method::EndsWith => {
            arguments.count(method, 1, 1)?;
            let test = |part: &[u8]| match method {
                Method::StartsWith => text.starts_with(part),
                _ => text.ends_with(part),
            };
            if let Some(Value::Tuple(choices)) = arguments.get(0) {
                return Ok(choices.iter().filter_map(Value::as_bytes).any(test).into());
            }
            Ok(test(needed(0)?).into())
        }
        Method::Lower => Ok(if text.is_ascii() || !is_text {
            make(&text.to_ascii_lowercase())
        } else {
            whole_text().to_lowercase().into()
        }),
        Method::Upper => Ok(if text.is_ascii() || !is_text {
            make(&text.to_ascii_uppercase())
        } else {
            whole_text().to_uppercase().into()
        }),
        Method::Capitalize | Method::Title => {
            let mut start = true;
            let changed: String = whole_text()
                .chars()
                .map(|c| {
                    let c = if start {
                        c.to_ascii_uppercase()
                    } else {
                        c.to_ascii_lowercase()
                    };
                    start = method == Method::Title && !c.is_alphanumeric();
                    c
                })
                .collect();
            Ok(make(changed.as_bytes()))
        }
        Method::Strip | Method::LStrip | Method::RStrip => {
            arguments.count(method, 0, 1)?;
            let set = bytes(0)?;
            let goes = |byte: &u8| match set {
                Some(set) => set.contains(byte),
                None => byte.is_ascii_whitespace() || *byte == 0xb,
            };
            let (mut start, mut end) = (0, text.len());
            if method != Method::RStrip {
                start = text.iter().position(|byte| !goes(byte)).unwrap_or(end);
            }
            if method != Method::LStrip {
                end = text
                    .iter()
                    .rposition(|byte| !goes(byte))
                    .map_or(start, |at| (at + 1).max(start));
            }
            Ok(make(text.get(start..end).unwrap_or(&[])))
        }
        Method::Split | Method::RSplit => {
            arguments.count(method, 0, 2)?;
            let most = match arguments.get(1).or(arguments.named("maxsplit")) {
                None | Some(Value::Nil) => usize::MAX,
                Some(Value::Int(most)) => usize::try_from(*most).unwrap_or(usize::MAX),
                Some(other) => return Err(format!("split: {} where an int is expected", other.kind())),
            };
            let parts = split(text, bytes(0)?, most, method == Method::RSplit)?;
            budget.make_items(parts.len())?;
            Ok(Value::list(parts.into_iter().map(make)))
        }
        Method::SplitLines => {
            let mut lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
            if lines.last().is_some_and(|last| last.is_empty()) {
                lines.pop();
            }
            budget.make_items(lines.len())?;
            Ok(Value::list(
                lines
                    .into_iter()
                    .map(|line| make(line.strip_suffix(b"\r").unwrap_or(line))),
            ))
        }
        Method::Partition | Method::RPartition => {
            let separator = needed(0)?;
            if separator.is_empty() {
                return Err("partition: an empty separator".to_owned());
            }
            let found = match method {
                Method::Partition => ops::find(text, separator),
                _ => rfind(text, separator),
            };
            Ok(match found {
                Some(at) => Value::tuple([make(&text[..at]), make(separator), make(&text[at + separator.len()..])]),
                None if method == Method::Partition => Value::tuple([make(text), make(b""), make(b"")]),
                None => Value::tuple([make(b""), make(b""), make(text)]),
            })
        }
        Method::Find | Method::RFind | Method::Index => {
            arguments.count(method, 1, 2)?;
            let part = needed(0)?;
            let from = match arguments.get(1) {
                None => 0,
                Some(from) => {
                    let from = usize::try_from(from.as_int().unwrap_or(0)).unwrap_or(0);
                    if is_text {
                        whole_text().char_indices().nth(from).map_or(text.len(), |(at, _)| at)
                    } else {
                        from.min(text.len())
                    }
                }
            };
            let rest = text.get(from..).unwrap_or(&[]);
            let found = if method == Method::RFind {
                rfind(rest, part)
            } else {
                ops::find(rest, part)
            };
            match found {
                Some(at) => Ok(count(&text[..from + at]).into()),
                None if method == Method::Index => Err("index: the part is not in the text".to_owned()),
                None => Ok(Value::Int(-1)),
            }
        }
        Method::Count => {
            let part = needed(0)?;
            if part.is_empty() {
                return Ok((count(text) + 1).into());
            }
            let (mut rest, mut found) = (text, 0_usize);
            while let Some(at) = ops::find(rest, part) {
                found += 1;
                rest = &rest[at + part.len()..];
            }
            Ok(found.into())
        }
        Method::Replace => {
            arguments.count(method, 2, 3)?;
            let (old, new) = (needed(0)?, needed(1)?);
            if old.is_empty() {
                return Err("replace: an empty text".to_owned());
            }
            let most = arguments.get(2).and_then(Value::as_int).unwrap_or(-1);
            let most = usize::try_from(most).unwrap_or(usize::MAX);
            let (mut rest, mut out, mut done) = (text, Vec::new(), 0);
            while let Some(at) = (done < most).then(|| ops::find(rest, old)).flatten() {
                budget.make(at + new.len())?;
                out.extend_from_slice(&rest[..at]);
                out.extend_from_slice(new);
                rest = &rest[at + old.len()..];
                done += 1;
            }
            out.extend_from_slice(rest);
            Ok(make(&out))
        }
        Method::Join => {
            arguments.count(method, 1, 1)?;
            let items = ops::items(arguments.get(0).unwrap_or(&Value::Nil), budget)?;
            let mut out = Vec::new();
            let mut is_bytes = !is_text;
            for (at, item) in items.iter().enumerate() {
                let Some(part) = item.as_bytes() else {
                    return Err(format!("join: {} where text is expected", item.kind()));
                };
                is_bytes |= matches!(item, Value::Bytes(_));
                budget.make(part.len() + text.len())?;
                if at > 0 {
                    out.extend_from_slice(text);
                }
                out.extend_from_slice(part);
            }
            Ok(if is_bytes { out.into() } else { make(&out) })
        }
        Method::RemovePrefix => Ok(make(text.strip_prefix(needed(0)?).unwrap_or(text))),
        Method::RemoveSuffix => Ok(make(text.strip_suffix(needed(0)?).unwrap_or(text))),
        Method::IsDigit => classify(|c| c.is_ascii_digit()),
        Method::IsAlpha => classify(char::is_alphabetic),
        Method::IsAlnum => classify(char::is_alphanumeric),
        Method::IsSpace => classify(char::is_whitespace),
        Method::IsLower => {
            Ok((whole_text().chars().any(char::is_lowercase) && !whole_text().chars().any(char::is_uppercase)).into())
        }
        Method::IsUpper => {
            Ok((whole_text().chars().any(char::is_uppercase) && !whole_text().chars().any(char::is_lowercase)).into())
        }
        Method::LJust | Method::RJust | Method::ZFill => {
            let Some(width) = arguments.get(0).and_then(Value::as_int) else {
                return Err(wrong(kind, method));
            };
            let missing = usize::try_from(width).unwrap_or(0).saturating_sub(count(text));
            budget.make(missing)?;
            let fill = match (method, bytes(1)?) {
                (Method::ZFill, _) => b"0",
                (_, Some(fill)) => fill,
                (_, None) => b" ",
            };
            let padding = fill.repeat(missing);
            Ok(match method {
                Method::LJust => make(&[text, &padding].concat()),
                Method::ZFill if text.starts_with(b"-") => make(&[b"-", &padding[..], &text[1..]].concat()),
                _ => make(&[&padding, text].concat()),
            })
        }
        Method::Decode | Method::Encode => Ok(make(text)),
        _ => Err(wrong(kind, method)),
    }
}

fn rfind(whole: &[u8], part: &[u8]) -> Option<usize> {
    let last = whole.len().checked_sub(part.len())?;
    (0..=last).rev().find(|at| whole[*at..].starts_with(part))
}

fn split<'a>(text: &'a [u8], separator: Option<&[u8]>, most: usize, from_end: bool) -> Result<Vec<&'a [u8]>> {
    let mut parts = Vec::new();
    let mut rest = text;
    match separator {
        Some([]) => return Err("split: an empty separator".to_owned()),
        Some(separator) => {
            while parts.len() < most {
                let found = if from_end {
                    rfind(rest, separator)
                } else {
                    ops::find(rest, separator)
                };
                let Some(at) = found else { break };
                if from_end {
                    parts.push(&rest[at + separator.len()..]);
                    rest = &rest[..at];
                } else {
                    parts.push(&rest[..at]);
                    rest = &rest[at + separator.len()..];
                }
            }
            parts.push(rest);
        }
        None => {
            let space = |byte: &u8| byte.is_ascii_whitespace();
            loop {
                rest = if from_end {
                    rest.trim_ascii_end()
                } else {
                    rest.trim_ascii_start()
                };
                if rest.is_empty() {
                    break;
                }
                if parts.len() >= most {
                    parts.push(if from_end {
                        rest.trim_ascii_start()
                    } else {
                        rest.trim_ascii_end()
                    });
                    break;
                }
                if from_end {
                    let start = rest.iter().rposition(space).map_or(0, |at| at + 1);
                    parts.push(&rest[start..]);
                    rest = &rest[..start];
                } else {
                    let end = rest.iter().position(space).unwrap_or(rest.len());
                    parts.push(&rest[..end]);
                    rest = &rest[end..];
                }
            }
        }
    }
    if from_end {
        parts.reverse();
    }
    Ok(parts)
}
