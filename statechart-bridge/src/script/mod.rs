//! Code of a model: guards, actions, expressions, methods. One trait for all, so that a language is plugged in by it.

mod closure;
mod context;
mod expression;
mod fault;
#[cfg(feature = "xml")]
pub(crate) mod python;

use std::fmt;
use std::sync::Arc;

pub(crate) use closure::{Computed, Test};
pub use closure::{Outcome, Run};
pub use context::{Context, Key};
pub(crate) use context::{Data, Effects, Later, Request, View};
pub use expression::Expression;
pub use fault::{Fault, Place};

/// A piece of code, shared between the instances that run it.
pub type Code = Arc<dyn Script>;

/// A piece of code of a model: compiled once, run for many instances.
///
/// It sees and changes its instance through the [`Context`]. Closures become scripts by the builder's methods; a language
/// implements this trait, makes [`Key`]s of attribute names when it compiles ([`ModelBuilder::key`]), and binds the
/// parameters of events and methods by position.
///
/// [`ModelBuilder::key`]: crate::ModelBuilder::key
pub trait Script: Send + Sync {
    /// Runs it. What comes of it is the value of an expression, or what a method returns; for an action it is nothing.
    ///
    /// # Errors
    /// The fault ends this piece of code, not the instance.
    fn run(&self, cx: &mut Context<'_>) -> Result<Value, Fault>;

    /// Runs it as a guard.
    ///
    /// # Errors
    /// As [`run`](Self::run); the transition is not taken.
    fn test(&self, cx: &mut Context<'_>) -> Result<bool, Fault> {
        Ok(self.run(cx)?.is_true())
    }

    /// The state references that it asks about by [`Context::in_state`]. They are checked when the model is built.
    fn references(&self) -> Vec<String> {
        Vec::new()
    }

    /// Whether all it does is compute, from attributes, parameters, states and the time. Such a condition is not asked
    /// again before something has happened.
    fn only_computes(&self) -> bool {
        false
    }

    /// The attributes that it may assign to, or none if that is not known, as of closures. Events that are for whoever
    /// holds an object in an attribute find their instance faster if nothing but the constructor assigns to it.
    fn assigns(&self) -> Option<Vec<Key>> {
        None
    }
}

impl fmt::Debug for dyn Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Script")
    }
}

use crate::Value;
