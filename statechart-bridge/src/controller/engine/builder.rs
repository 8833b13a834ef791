//! The settings of an engine.

use std::sync::Arc;

use super::{Engine, World};
use crate::report::Reports;
use crate::{Fault, FaultReport, Ignored, LogLine, Model, Trace, Value};

/// What must not grow without end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Small steps in one big step; a chart that takes more stops for good, with a fault. 10,000.
    pub small_steps: u32,
    /// Big steps of one instance while no time passes and nothing comes from outside; one that takes more stops for good,
    /// with a fault. 100,000.
    pub big_steps: u32,
    /// Instances at a time; no more can be created then. 1,000,000.
    pub instances: usize,
    /// Events that wait for one instance; more are dropped, with a fault. 100,000.
    pub queue: usize,
    /// Inputs and timers that wait for their time; no more inputs are taken then. 1,000,000.
    pub inputs: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            small_steps: 10_000,
            big_steps: 100_000,
            instances: 1_000_000,
            queue: 100_000,
            inputs: 1_000_000,
        }
    }
}

/// The settings of an [`Engine`].
#[derive(Clone, Debug)]
pub struct EngineBuilder {
    model: Model,
    arguments: Vec<Value>,
    limits: Limits,
    reports: Reports,
}

impl EngineBuilder {
    pub(super) fn new(model: &Model) -> Self {
        Self {
            model: model.clone(),
            arguments: Vec::new(),
            limits: Limits::default(),
            reports: Reports::default(),
        }
    }

    /// The arguments for the constructor of the default class. None by default.
    #[must_use]
    pub fn arguments(mut self, arguments: impl IntoIterator<Item = Value>) -> Self {
        self.arguments = arguments.into_iter().collect();
        self
    }

    /// The limits.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Tells each fault: errors in code, and what the object manager can't do. Without a listener they are only logged.
    #[must_use]
    pub fn on_fault(mut self, listener: impl Fn(&FaultReport) + Send + Sync + 'static) -> Self {
        self.reports.faults.push(Arc::new(listener));
        self
    }

    /// Tells each line that the model's code writes. Without a listener they are only logged.
    #[must_use]
    pub fn on_log(mut self, listener: impl Fn(&LogLine) + Send + Sync + 'static) -> Self {
        self.reports.logs.push(Arc::new(listener));
        self
    }

    /// Tells each step: what is fired, left, entered, raised. Costs time only if somebody listens.
    #[must_use]
    pub fn on_trace(mut self, listener: impl Fn(&Trace) + Send + Sync + 'static) -> Self {
        self.reports.traces.push(Arc::new(listener));
        self
    }

    /// Tells each input that no transition took, when all that was due at its time is done.
    #[must_use]
    pub fn on_ignored(mut self, listener: impl Fn(&Ignored) + Send + Sync + 'static) -> Self {
        self.reports.ignored.push(Arc::new(listener));
        self
    }

    /// The engine, with the instance of the default class created, not started.
    ///
    /// # Errors
    /// What goes wrong in the constructor, a missing or surplus argument among it.
    pub fn build(self) -> Result<Engine, Fault> {
        let mut world = World::new(self.model.0, self.limits, self.reports);
        let default = world.model.default_class;
        world.create(default, &self.arguments)?;
        Ok(Engine { world })
    }
}
