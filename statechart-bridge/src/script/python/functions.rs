//! Functions that all code can call.

use std::borrow::Cow;
use std::sync::Arc;

use super::budget::Budget;
use super::methods::{Arguments, sort};
use super::{format, numbers, ops};
use crate::{Context, Map, Value};

type Result<T> = std::result::Result<T, String>;

macro_rules! functions {
    ($($variant:ident = $name:literal, $least:literal to $most:expr;)*) => {
        /// A function by its name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Function {
            $($variant,)*
        }

        impl Function {
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

            /// How many arguments it takes.
            pub(super) fn arguments(self) -> (usize, usize) {
                match self {
                    $(Self::$variant => ($least, $most),)*
                }
            }
        }
    };
}

const ANY: usize = usize::MAX;

functions! {
    Abs = "abs", 1 to 1;
    All = "all", 1 to 1;
    Any = "any", 1 to 1;
    Bin = "bin", 1 to 1;
    Bool = "bool", 0 to 1;
    Bytes = "bytes", 0 to 2;
    Chr = "chr", 1 to 1;
    Dict = "dict", 0 to 1;
    DivMod = "divmod", 2 to 2;
    Enumerate = "enumerate", 1 to 2;
    Fail = "fail", 0 to ANY;
    Float = "float", 0 to 1;
    Hex = "hex", 1 to 1;
    Int = "int", 0 to 2;
    Len = "len", 1 to 1;
    List = "list", 0 to 1;
    Max = "max", 1 to ANY;
    Min = "min", 1 to ANY;
    Ord = "ord", 1 to 1;
    Oct = "oct", 1 to 1;
    Pow = "pow", 2 to 3;
    Print = "print", 0 to ANY;
    Range = "range", 1 to 3;
    Repr = "repr", 1 to 1;
    Reversed = "reversed", 1 to 1;
    Round = "round", 1 to 2;
    Sorted = "sorted", 1 to 1;
    Str = "str", 0 to 2;
    Sum = "sum", 1 to 2;
    Tuple = "tuple", 0 to 1;
    Type = "type", 1 to 1;
    Zip = "zip", 0 to ANY;
    Atan2 = "math.atan2", 2 to 2;
    Ceil = "math.ceil", 1 to 1;
    Cos = "math.cos", 1 to 1;
    Degrees = "math.degrees", 1 to 1;
    Exp = "math.exp", 1 to 1;
    Fabs = "math.fabs", 1 to 1;
    Floor = "math.floor", 1 to 1;
    FMod = "math.fmod", 2 to 2;
    Gcd = "math.gcd", 2 to 2;
    Hypot = "math.hypot", 2 to 2;
    IsInf = "math.isinf", 1 to 1;
    IsNan = "math.isnan", 1 to 1;
    Log = "math.log", 1 to 2;
    Log10 = "math.log10", 1 to 1;
    Log2 = "math.log2", 1 to 1;
    MathPow = "math.pow", 2 to 2;
    Radians = "math.radians", 1 to 1;
    Sin = "math.sin", 1 to 1;
    Sqrt = "math.sqrt", 1 to 1;
    Tan = "math.tan", 1 to 1;
    Trunc = "math.trunc", 1 to 1;
}

impl Function {
    /// By the names of Python 2 too.
    pub(super) fn by_name(name: &str) -> Option<Self> {
        Self::find(match name {
            "xrange" => "range",
            "unicode" => "str",
            "long" => "int",
            "bytearray" => "bytes",
            name if name.starts_with("math.") => return None,
            name => name,
        })
    }

    /// Whether it takes this argument by name.
    pub(super) fn takes(self, name: &str) -> bool {
        match self {
            Self::Print => matches!(name, "sep" | "end"),
            Self::Sorted => name == "reverse",
            Self::Enumerate => name == "start",
            Self::Int => name == "base",
            Self::Dict => true,
            Self::Max | Self::Min => name == "default",
            Self::Str | Self::Bytes => matches!(name, "encoding" | "errors"),
            Self::Round => name == "ndigits",
            _ => false,
        }
    }
}

/// The name of a value's type.
pub(super) fn type_of(value: &Value) -> &str {
    match value {
        Value::Nil => "NoneType",
        Value::Map(_) => "dict",
        Value::Str(_) => "str",
        other => other.kind(),
    }
}

/// The type that a name stands for in code, by the name that [`type_of`] gives.
pub(super) fn type_name(name: &str) -> Option<&'static str> {
    Some(match name {
        "bool" => "bool",
        "int" | "long" => "int",
        "float" => "float",
        "str" | "unicode" | "basestring" => "str",
        "bytes" | "bytearray" => "bytes",
        "list" => "list",
        "tuple" => "tuple",
        "dict" => "dict",
        _ => return None,
    })
}

/// A constant of a module.
pub(super) fn constant(module: &str, name: &str) -> Option<Value> {
    match (module, name) {
        ("math", "pi") => Some(Value::Float(std::f64::consts::PI)),
        ("math", "e") => Some(Value::Float(std::f64::consts::E)),
        ("math", "inf") => Some(Value::Float(f64::INFINITY)),
        ("math", "nan") => Some(Value::Float(f64::NAN)),
        _ => None,
    }
}

/// Calls a function; how many arguments there are was checked when the code was compiled.
pub(super) fn call(
    function: Function,
    arguments: &Arguments<'_>,
    cx: &mut Context<'_>,
    budget: &mut Budget,
) -> Result<Value> {
    if function == Function::Print {
        let line = print(arguments, budget)?;
        cx.log(line);
        return Ok(Value::Nil);
    }
    pure(function, arguments, budget)
}

fn print(arguments: &Arguments<'_>, budget: &mut Budget) -> Result<String> {
    let separator = match arguments.named("sep") {
        Some(separator) => Cow::Owned(format::text(separator, budget)?),
        None => Cow::Borrowed(" "),
    };
    let mut line = String::new();
    for (at, value) in arguments.values.iter().enumerate() {
        if at > 0 {
            budget.make(separator.len())?;
            line.push_str(&separator);
        }
        format::write_text(&mut line, value, budget)?;
    }
    Ok(line)
}

fn number(function: Function, value: &Value) -> Result<f64> {
    match value {
        Value::Bool(value) => Ok(f64::from(u8::from(*value))),
        value => value
            .as_number()
            .ok_or_else(|| format!("{}: {} where a number is expected", function.name(), value.kind())),
    }
}

fn integer(function: Function, value: &Value) -> Result<i64> {
    match value {
        Value::Int(value) => Ok(*value),
        Value::Bool(value) => Ok(i64::from(*value)),
        value => Err(format!(
            "{}: {} where an int is expected",
            function.name(),
            value.kind()
        )),
    }
}

/// A function that neither sees nor changes its instance.
pub(super) fn pure(function: Function, arguments: &Arguments<'_>, budget: &mut Budget) -> Result<Value> {
    let nil = Value::Nil;
    let values = arguments.values;
    let first = values.first().unwrap_or(&nil);
    let second = values.get(1);
    let float = |value: f64| Ok(Value::Float(value));
    match function {
        Function::Print | Function::Str => Ok(match first {
            _ if values.is_empty() => "".into(),
            Value::Str(_) => first.clone(),
            other => format::text(other, budget)?.into(),
        }),
        Function::Repr => Ok(format::repr(first, budget)?.into()),
        Function::Len => Ok(ops::length(first, budget)?.into()),
        Function::Bool => Ok(first.is_true().into()),
        Function::Int => int(arguments, budget),
        Function::Float => match first {
            _ if values.is_empty() => float(0.0),
            Value::Str(_) | Value::Bytes(_) => {
                let text = format::text(first, budget)?;
                let lower = text.trim().to_ascii_lowercase();
                let digits = numbers::without_underscores(&lower, 10);
                let parsed = digits.and_then(|digits| digits.parse().ok());
                parsed
                    .map(Value::Float)
                    .ok_or_else(|| format!("float: `{}` is no number", format::brief(&text)))
            }
            other => float(number(function, other)?),
        },
        Function::Bytes => match first {
            _ if values.is_empty() => Ok(b"".as_slice().into()),
            Value::Bytes(_) => Ok(first.clone()),
            Value::Str(text) => {
                budget.make(text.len())?;
                Ok(text.as_bytes().into())
            }
            Value::Int(count) => {
                let count = usize::try_from(*count).map_err(|_| format!("bytes: {count} is no length"))?;
                budget.make(count)?;
                Ok(vec![0; count].into())
            }
            other => {
                let items = ops::items(other, budget)?;
                budget.make(items.len())?;
                budget.look(items.len())?;
                let bytes = items.iter().map(|item| {
                    let byte = item.as_int().and_then(|byte| u8::try_from(byte).ok());
                    byte.ok_or_else(|| format!("bytes: {} is no byte: expected 0 to 255", format::brief(item)))
                });
                Ok(bytes.collect::<Result<Vec<u8>>>()?.into())
            }
        },
        Function::Abs => match first {
            Value::Float(value) => float(value.abs()),
            other => integer(function, other)?
                .checked_abs()
                .map(Value::Int)
                .ok_or_else(|| ops::TOO_LARGE.to_owned()),
        },
        Function::Round => match (first, second.filter(|digits| !digits.is_nil())) {
            (Value::Int(_) | Value::Bool(_), digits) => {
                let digits = digits.map_or(Ok(0), |digits| integer(function, digits))?;
                numbers::round_int(integer(function, first)?, digits)
            }
            // To the even neighbour, as Python 3 does.
            (_, None) => format::ops_int(number(function, first)?.round_ties_even()),
            (_, Some(digits)) => {
                let digits = integer(function, digits)?;
                float(numbers::round(number(function, first)?, digits))
            }
        },
        Function::Min | Function::Max => best(function, arguments, budget),
        Function::Sum => {
            let mut sum = second.cloned().unwrap_or(Value::Int(0));
            let items = ops::items(first, budget)?;
            budget.look(items.len())?;
            for item in items.iter() {
                ops::augment(super::ast::Binary::Add, &mut sum, item, budget)?;
            }
            Ok(sum)
        }
        Function::Any | Function::All => {
            let items = ops::items(first, budget)?;
            budget.look(items.len())?;
            Ok(match function {
                Function::Any => items.iter().any(Value::is_true),
                _ => items.iter().all(Value::is_true),
            }
            .into())
        }
        Function::List => Ok(match first {
            _ if values.is_empty() => Value::list([]),
            other => Value::List(ops::items(other, budget)?),
        }),
        Function::Tuple => Ok(match first {
            _ if values.is_empty() => Value::tuple([]),
            Value::Tuple(_) => first.clone(),
            other => {
                let items = ops::items(other, budget)?;
                budget.make_items(items.len())?;
                Value::tuple(items.iter().cloned())
            }
        }),
        Function::Dict => {
            let mut map = match first {
                Value::Nil => Map::new(),
                Value::Map(map) => {
                    budget.make_items(map.len())?;
                    (**map).clone()
                }
                other => {
                    let mut map = Map::new();
                    for pair in ops::items(other, budget)?.iter() {
                        budget.make_items(1)?;
                        match pair.items() {
                            Some([key, value]) => {
                                ops::key(key, budget)?;
                                budget.admit(value)?;
                                map.insert(key.clone(), value.clone())
                            }
                            _ => return Err("dict: expected pairs of a key and a value".to_owned()),
                        };
                    }
                    map
                }
            };
            for (name, value) in arguments.named {
                budget.make_items(1)?;
                budget.admit(value)?;
                map.insert(Arc::clone(name).into(), value.clone());
            }
            Ok(map.into())
        }
        Function::Range => {
            let (mut next, stop, step) = range(values)?;
            let mut items = Vec::new();
            while (step > 0 && next < stop) || (step < 0 && next > stop) {
                budget.make_items(1)?;
                items.push(Value::Int(next));
                next = next.saturating_add(step);
            }
            Ok(items.into())
        }
        Function::Reversed => {
            let items = ops::items(first, budget)?;
            budget.make_items(items.len())?;
            Ok(Value::list(items.iter().rev().cloned()))
        }
        Function::Sorted => {
            let items = ops::items(first, budget)?;
            budget.make_items(items.len())?;
            let mut items = items.to_vec();
            sort(
                &mut items,
                arguments.named("reverse").is_some_and(Value::is_true),
                budget,
            )?;
            Ok(items.into())
        }
        Function::Enumerate => {
            let start = second
                .or(arguments.named("start"))
                .map_or(Ok(0), |start| integer(function, start))?;
            let items = ops::items(first, budget)?;
            budget.make_items(items.len().saturating_mul(3))?;
            items.iter().try_for_each(|item| budget.admit(item))?;
            // The last number, so that all before it fit too.
            let last = i64::try_from(items.len().saturating_sub(1)).unwrap_or(i64::MAX);
            start.checked_add(last).ok_or(ops::TOO_LARGE)?;
            Ok(Value::list((0_i64..).zip(items.iter()).map(|(at, item)| {
                Value::tuple([Value::Int(start + at), item.clone()])
            })))
        }
        Function::Zip => {
            let columns = values
                .iter()
                .map(|value| ops::items(value, budget))
                .collect::<Result<Vec<_>>>()?;
            let rows = columns.iter().map(|column| column.len()).min().unwrap_or(0);
            budget.make_items(rows.saturating_mul(columns.len() + 1))?;
            let mut all = columns.iter().flat_map(|column| column.iter().take(rows));
            all.try_for_each(|item| budget.admit(item))?;
            Ok(Value::list((0..rows).map(|row| {
                Value::tuple(columns.iter().filter_map(|column| column.get(row)).cloned())
            })))
        }
        Function::Ord => match first {
            Value::Str(text) if text.chars().count() == 1 => Ok(text.chars().next().map_or(0, u32::from).into()),
            Value::Bytes(bytes) if bytes.len() == 1 => Ok(bytes.first().copied().map_or(0, u32::from).into()),
            other => Err(format!("ord: expected one character, not {}", format::brief(other))),
        },
        Function::Chr => {
            let code = u32::try_from(integer(function, first)?).ok().and_then(char::from_u32);
            let c = code.ok_or_else(|| format!("chr: there is no character {first}"))?;
            Ok(Value::from(&*c.encode_utf8(&mut [0; 4])))
        }
        Function::Hex | Function::Oct | Function::Bin => {
            let value = integer(function, first)?;
            let sign = if value < 0 { "-" } else { "" };
            let value = value.unsigned_abs();
            Ok(match function {
                Function::Hex => format!("{sign}0x{value:x}"),
                Function::Oct => format!("{sign}0o{value:o}"),
                _ => format!("{sign}0b{value:b}"),
            }
            .into())
        }
        Function::DivMod => {
            let other = second.unwrap_or(&nil);
            let quotient = ops::binary(super::ast::Binary::FloorDivide, first, other, budget)?;
            let rest = ops::binary(super::ast::Binary::Modulo, first, other, budget)?;
            Ok(Value::tuple([quotient, rest]))
        }
        Function::Pow if values.len() == 3 => {
            let mut all = values.iter().map(|value| integer(function, value));
            let mut next = || all.next().unwrap_or(Ok(0));
            numbers::power_rest(next()?, next()?, next()?)
        }
        Function::Pow => ops::binary(super::ast::Binary::Power, first, second.unwrap_or(&nil), budget),
        Function::Type => Ok(type_of(first).into()),
        Function::Fail => Err(print(arguments, budget)?),
        Function::Floor => format::ops_int(number(function, first)?.floor()),
        Function::Ceil => format::ops_int(number(function, first)?.ceil()),
        Function::Fabs => float(number(function, first)?.abs()),
        Function::Sqrt => match number(function, first)? {
            value if value < 0.0 => Err("math.sqrt of a negative number".to_owned()),
            value => float(value.sqrt()),
        },
        Function::Sin => float(number(function, first)?.sin()),
        Function::Cos => float(number(function, first)?.cos()),
        Function::Tan => float(number(function, first)?.tan()),
        Function::Exp => float(number(function, first)?.exp()),
        Function::Trunc => format::ops_int(number(function, first)?),
        Function::Degrees => float(number(function, first)?.to_degrees()),
        Function::Radians => float(number(function, first)?.to_radians()),
        Function::IsNan => Ok(number(function, first)?.is_nan().into()),
        Function::IsInf => Ok(number(function, first)?.is_infinite().into()),
        Function::Gcd => {
            let (a, b) = (integer(function, first)?, integer(function, second.unwrap_or(&nil))?);
            numbers::gcd(a, b)
        }
        Function::Log10 | Function::Log2 => match number(function, first)? {
            value if value <= 0.0 => Err(format!("{} of a number that is not positive", function.name())),
            value if function == Function::Log2 => float(value.log2()),
            value => float(value.log10()),
        },
        Function::Log => {
            let value = number(function, first)?;
            if value <= 0.0 {
                return Err("math.log of a number that is not positive".to_owned());
            }
            match second {
                None => float(value.ln()),
                Some(base) => float(value.log(number(function, base)?)),
            }
        }
        Function::Atan2 | Function::Hypot | Function::MathPow | Function::FMod => {
            let (a, b) = (number(function, first)?, number(function, second.unwrap_or(&nil))?);
            float(match function {
                Function::Atan2 => a.atan2(b),
                Function::Hypot => a.hypot(b),
                Function::FMod if b == 0.0 => return Err("division by zero".to_owned()),
                Function::FMod => a % b,
                _ => a.powf(b),
            })
        }
    }
}

fn int(arguments: &Arguments<'_>, budget: &mut Budget) -> Result<Value> {
    let nil = Value::Nil;
    let first = arguments.values.first().unwrap_or(&nil);
    match first {
        _ if arguments.values.is_empty() => Ok(Value::Int(0)),
        Value::Float(value) => format::ops_int(*value),
        Value::Str(_) | Value::Bytes(_) => {
            let text = format::text(first, budget)?;
            let radix = match arguments.values.get(1).or(arguments.named("base")) {
                None => 10,
                Some(radix) => u32::try_from(integer(Function::Int, radix)?)
                    .ok()
                    .filter(|radix| *radix == 0 || (2..=36).contains(radix))
                    .ok_or("int: expected a base of 2 to 36, or 0")?,
            };
            numbers::parse(&text, radix)
                .map(Value::Int)
                .ok_or_else(|| format!("int: `{}` is no whole number of 64 bits", format::brief(&text)))
        }
        other => Ok(Value::Int(integer(Function::Int, other)?)),
    }
}

/// Start, stop and step.
pub(super) fn range(values: &[Value]) -> Result<(i64, i64, i64)> {
    let bound = |value: &Value| integer(Function::Range, value);
    match values {
        [stop] => Ok((0, bound(stop)?, 1)),
        [start, stop] => Ok((bound(start)?, bound(stop)?, 1)),
        [start, stop, step] => match bound(step)? {
            0 => Err("range: a step of 0".to_owned()),
            step => Ok((bound(start)?, bound(stop)?, step)),
        },
        _ => Err("range: expected 1 to 3 arguments".to_owned()),
    }
}

fn best(function: Function, arguments: &Arguments<'_>, budget: &mut Budget) -> Result<Value> {
    let all;
    let items = match arguments.values {
        [only] => {
            all = ops::items(only, budget)?;
            &all[..]
        }
        several => several,
    };
    budget.look(items.len())?;
    let mut items = items.iter();
    let Some(mut best) = items.next() else {
        return match arguments.named("default") {
            Some(default) => Ok(default.clone()),
            None => Err(format!("{} of nothing", function.name())),
        };
    };
    for item in items {
        let order = ops::order(item, best, budget)?;
        let order = order.ok_or_else(|| format!("{} and {} have no order", item.kind(), best.kind()))?;
        let better = match function {
            Function::Max => order.is_gt(),
            _ => order.is_lt(),
        };
        if better {
            best = item;
        }
    }
    Ok(best.clone())
}
