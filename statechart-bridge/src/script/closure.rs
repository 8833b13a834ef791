//! Closures as scripts.

use super::{Context, Fault, Script};
use crate::Value;

/// What an action's closure may return: nothing, or a result.
pub trait Outcome {
    /// As a result.
    ///
    /// # Errors
    /// The fault, if it is one.
    fn into_result(self) -> Result<(), Fault>;
}

impl Outcome for () {
    fn into_result(self) -> Result<(), Fault> {
        Ok(())
    }
}

impl<E: Into<Fault>> Outcome for Result<(), E> {
    fn into_result(self) -> Result<(), Fault> {
        self.map_err(Into::into)
    }
}

/// A closure that acts, as a [`Script`].
#[derive(Clone, Copy, Debug)]
pub struct Run<F>(pub F);

impl<F, R> Script for Run<F>
where
    F: Fn(&mut Context<'_>) -> R + Send + Sync,
    R: Outcome,
{
    fn run(&self, cx: &mut Context<'_>) -> Result<Value, Fault> {
        (self.0)(cx).into_result().map(|()| Value::Nil)
    }
}

/// A closure that tests.
pub(crate) struct Test<F>(pub(crate) F);

impl<F: Fn(&mut Context<'_>) -> bool + Send + Sync> Script for Test<F> {
    fn run(&self, cx: &mut Context<'_>) -> Result<Value, Fault> {
        Ok(Value::Bool((self.0)(cx)))
    }

    fn test(&self, cx: &mut Context<'_>) -> Result<bool, Fault> {
        Ok((self.0)(cx))
    }
}

/// A closure that computes.
pub(crate) struct Computed<F>(pub(crate) F);

impl<F, R> Script for Computed<F>
where
    F: Fn(&mut Context<'_>) -> Result<R, Fault> + Send + Sync,
    R: Into<Value>,
{
    fn run(&self, cx: &mut Context<'_>) -> Result<Value, Fault> {
        (self.0)(cx).map(Into::into)
    }
}
