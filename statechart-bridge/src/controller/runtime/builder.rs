//! The settings of a runtime.

use std::fmt;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use net_core::Net;

use super::inbox::Inbox;
use super::{Runtime, Shared};
use crate::{Engine, EngineBuilder, Fault, FaultReport, Ignored, Limits, LogLine, Model, Trace, Value};

type Behind = Arc<dyn Fn(&Runtime, Duration) + Send + Sync>;

#[derive(Clone)]
pub(super) struct Settings {
    pub(super) keep_running: bool,
    pub(super) behind: Option<Behind>,
}

/// The settings of a [`Runtime`].
#[derive(Clone)]
pub struct RuntimeBuilder {
    model: Model,
    net: Net,
    engine: EngineBuilder,
    limits: Limits,
    settings: Settings,
}

impl RuntimeBuilder {
    pub(super) fn new(model: &Model, net: &Net) -> Self {
        Self {
            model: model.clone(),
            net: net.clone(),
            engine: Engine::builder(model),
            limits: Limits::default(),
            settings: Settings {
                keep_running: true,
                behind: None,
            },
        }
    }

    /// The arguments for the constructor of the default class. None by default.
    #[must_use]
    pub fn arguments(mut self, arguments: impl IntoIterator<Item = Value>) -> Self {
        self.engine = self.engine.arguments(arguments);
        self
    }

    /// The limits.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self.engine = self.engine.limits(limits);
        self
    }

    /// Whether it goes on when nothing is waiting: no event, no timer, and no service with open sockets. True by default.
    #[must_use]
    pub fn keep_running(mut self, keep_running: bool) -> Self {
        self.settings.keep_running = keep_running;
        self
    }

    /// Called when simulated time is more than 10 ms behind the clock, with how much; at most once a second.
    #[must_use]
    pub fn on_behind(mut self, listener: impl Fn(&Runtime, Duration) + Send + Sync + 'static) -> Self {
        self.settings.behind = Some(Arc::new(listener));
        self
    }

    /// See [`EngineBuilder::on_fault`].
    #[must_use]
    pub fn on_fault(mut self, listener: impl Fn(&FaultReport) + Send + Sync + 'static) -> Self {
        self.engine = self.engine.on_fault(listener);
        self
    }

    /// See [`EngineBuilder::on_log`].
    #[must_use]
    pub fn on_log(mut self, listener: impl Fn(&LogLine) + Send + Sync + 'static) -> Self {
        self.engine = self.engine.on_log(listener);
        self
    }

    /// See [`EngineBuilder::on_trace`].
    #[must_use]
    pub fn on_trace(mut self, listener: impl Fn(&Trace) + Send + Sync + 'static) -> Self {
        self.engine = self.engine.on_trace(listener);
        self
    }

    /// See [`EngineBuilder::on_ignored`].
    #[must_use]
    pub fn on_ignored(mut self, listener: impl Fn(&Ignored) + Send + Sync + 'static) -> Self {
        self.engine = self.engine.on_ignored(listener);
        self
    }

    /// The runtime, with the instance of the default class created, not started.
    ///
    /// # Errors
    /// What goes wrong in the constructor.
    pub fn build(self) -> Result<Runtime, Fault> {
        let engine = self.engine.build()?;
        Ok(Runtime(Arc::new(Shared {
            net: self.net,
            model: self.model,
            inbox: Mutex::new(Inbox::new(self.limits.inputs)),
            arrived: Condvar::new(),
            engine: Mutex::new(engine),
            settings: self.settings,
            holds: Arc::default(),
        })))
    }
}

impl fmt::Debug for RuntimeBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RuntimeBuilder")
            .field("engine", &self.engine)
            .field("keep_running", &self.settings.keep_running)
            .finish_non_exhaustive()
    }
}
