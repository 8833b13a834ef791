//! An event: a name, a port, parameters by position.

use std::fmt;
use std::sync::Arc;

use crate::Value;
use crate::value;

/// An event. A clone shares everything.
///
/// The port is empty for events that have none: local events, casts, answers of the object manager.
///
/// ```
/// use statechart_bridge::{Event, Value};
///
/// let event = Event::new("connect_socket").on("socket_out").with([Value::Nil, ("localhost", 80).into()]);
/// assert_eq!(event.to_string(), r#"socket_out.connect_socket(None, ("localhost", 80))"#);
/// assert!(event.parameter(7).is_nil());
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Event {
    name: Arc<str>,
    port: Arc<str>,
    parameters: Arc<[Value]>,
}

impl Event {
    /// An event without port and parameters.
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        Self {
            name: name.into(),
            port: Arc::default(),
            parameters: Arc::default(),
        }
    }

    /// The same event on this port.
    #[must_use]
    pub fn on(mut self, port: impl Into<Arc<str>>) -> Self {
        self.port = port.into();
        self
    }

    /// The same event with these parameters, in place of those that it had.
    #[must_use]
    pub fn with(mut self, parameters: impl IntoIterator<Item = Value>) -> Self {
        self.parameters = parameters.into_iter().collect();
        self
    }

    /// The same event with these parameters, shared.
    #[must_use]
    pub fn with_shared(mut self, parameters: Arc<[Value]>) -> Self {
        self.parameters = parameters;
        self
    }

    /// What happened.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Where it came in or goes out; empty for none.
    pub fn port(&self) -> &Arc<str> {
        &self.port
    }

    /// The parameters.
    pub fn parameters(&self) -> &Arc<[Value]> {
        &self.parameters
    }

    /// Whether it is a clone of the other, or the other of it.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.name, &other.name) && Arc::ptr_eq(&self.parameters, &other.parameters)
    }

    /// One parameter, counted from 0; nil if there are fewer.
    pub fn parameter(&self, index: usize) -> &Value {
        self.parameters.get(index).unwrap_or(&Value::Nil)
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.port.is_empty() {
            write!(f, "{}.", self.port)?;
        }
        f.write_str(&self.name)?;
        if self.parameters.is_empty() {
            return Ok(());
        }
        f.write_str("(")?;
        value::list(f, &self.parameters)?;
        f.write_str(")")
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
