//! Something that gives a value when it is needed.

use std::sync::Arc;

use super::{Code, Computed, Context, Fault};
use crate::Value;

/// A value, or how to find one: parameters of raised events, targets of casts, durations.
#[derive(Clone, Debug)]
pub enum Expression {
    /// Always this.
    Value(Value),
    /// A parameter of the event (or an argument of the method), counted from 0; nil if there are fewer.
    Parameter(usize),
    /// An attribute of the instance, by its name.
    Attribute(Arc<str>),
    /// What this code gives.
    Code(Code),
}

impl Expression {
    /// What a closure computes.
    pub fn computed<R: Into<Value>>(closure: impl Fn(&mut Context<'_>) -> R + Send + Sync + 'static) -> Self {
        Self::Code(Arc::new(Computed(move |cx: &mut Context<'_>| Ok(closure(cx)))))
    }

    /// What a closure computes, or a fault.
    pub fn try_computed<R: Into<Value>>(
        closure: impl Fn(&mut Context<'_>) -> Result<R, Fault> + Send + Sync + 'static,
    ) -> Self {
        Self::Code(Arc::new(Computed(closure)))
    }

    /// The attribute with this name.
    pub fn attribute(name: impl Into<Arc<str>>) -> Self {
        Self::Attribute(name.into())
    }
}

impl<T: Into<Value>> From<T> for Expression {
    fn from(value: T) -> Self {
        Self::Value(value.into())
    }
}
