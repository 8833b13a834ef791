//! Functions that are told by another what to do with each item.

use super::{Frame, Result};
use crate::script::python::ast::Compare;
use crate::script::python::code::{Keyed, KeyedBy};
use crate::script::python::lexer::At;
use crate::script::python::methods::sort_by;
use crate::script::python::ops;
use crate::{Context, Value};

impl Frame<'_> {
    pub(super) fn keyed(&mut self, at: At, keyed: &Keyed, cx: &mut Context<'_>) -> Result<Value> {
        let items = self.items(&keyed.items, cx)?;
        let reverse = match &keyed.reverse {
            Some(reverse) => self.test(reverse, cx)?,
            None => false,
        };
        let made = self.budget.make_items(items.len());
        self.at(at, made)?;
        let mut keys = Vec::with_capacity(items.len());
        for item in items.iter() {
            self.step(at)?;
            if let Some(local) = self.locals.get_mut(keyed.slot) {
                *local = Some(item.clone());
            }
            let key = self.eval(&keyed.key, cx)?;
            keys.push(key);
        }
        match keyed.what {
            KeyedBy::Map => {
                for key in &keys {
                    self.admit(at, key)?;
                }
                Ok(keys.into())
            }
            KeyedBy::Filter => {
                let kept = items.iter().zip(&keys).filter(|(_, key)| key.is_true());
                Ok(Value::list(kept.map(|(item, _)| item.clone())))
            }
            KeyedBy::Sorted | KeyedBy::Sort => {
                let pairs = keys.into_iter().zip(items.iter().cloned()).collect();
                let sorted = sort_by(pairs, reverse, self.budget);
                let sorted: Value = self.at(at, sorted)?.into();
                if keyed.what == KeyedBy::Sorted {
                    return Ok(sorted);
                }
                let mut sorted = Some(sorted);
                self.change(&keyed.items, cx, &mut |place, _| {
                    let Value::List(_) = place else {
                        return Err(format!("{} has no method `sort`", place.kind()));
                    };
                    *place = sorted.take().unwrap_or_default();
                    Ok(())
                })?;
                Ok(Value::Nil)
            }
            KeyedBy::Min | KeyedBy::Max => {
                let operator = match keyed.what {
                    KeyedBy::Min => Compare::Less,
                    _ => Compare::Greater,
                };
                let mut best: Option<(Value, &Value)> = None;
                for (key, item) in keys.into_iter().zip(items.iter()) {
                    let better = match &best {
                        Some((known, _)) => {
                            let result = ops::compare(operator, &key, known, self.budget);
                            self.at(at, result)?
                        }
                        None => true,
                    };
                    if better {
                        best = Some((key, item));
                    }
                }
                match (best, &keyed.default) {
                    (Some((_, item)), _) => Ok(item.clone()),
                    (None, Some(default)) => self.eval(default, cx),
                    (None, None) => Err(self.fault(at, "min or max of nothing")),
                }
            }
        }
    }
}
