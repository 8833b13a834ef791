//! What a simulator asks mosaik in return.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Outputs;
use crate::codec::PythonJson;
use crate::codec::python::Value;
use crate::message::{Message, RequestError};

/// The mosaik that a simulator works for. Clones are handles on the same.
///
/// mosaik answers these calls while it waits for a step (or `create`, `setup_done`); a process that was started beside
/// may call [`set_event`](Self::set_event) at any time.
#[derive(Clone, Debug)]
pub struct Mosaik {
    message: Message<PythonJson>,
}

impl Mosaik {
    pub(super) fn new(message: Message<PythonJson>) -> Self {
        Self { message }
    }

    async fn call<A: Serialize, R: DeserializeOwned>(&self, name: &str, args: A) -> Result<R, RequestError> {
        let none = BTreeMap::<String, ()>::new();
        self.message.send(&(name, args, none)).await
    }

    /// How far the scenario is, in percent.
    ///
    /// # Errors
    /// mosaik's own failure, or the channel's end.
    pub async fn get_progress(&self) -> Result<f64, RequestError> {
        let none: [(); 0] = [];
        self.call("get_progress", none).await
    }

    /// The entities that are connected with some, by their full names: a dictionary of dictionaries, in which each name
    /// leads to `{"type": MODEL}`. Of all (`None`) mosaik tells the graph: `{"nodes": {…}, "edges": […]}`.
    ///
    /// # Errors
    /// As [`get_progress`](Self::get_progress).
    pub async fn get_related_entities(&self, entities: Option<&[&str]>) -> Result<Value, RequestError> {
        self.call("get_related_entities", (entities,)).await
    }

    /// Values of other simulators' attributes, by full name of the entity, such as `Grid-0.bus1`. Only during a step, and
    /// only from simulators that the scenario has connected to this one with `async_requests=True`.
    ///
    /// # Errors
    /// As [`get_progress`](Self::get_progress).
    pub async fn get_data(
        &self,
        attrs: &BTreeMap<String, Vec<String>>,
    ) -> Result<BTreeMap<String, BTreeMap<String, Value>>, RequestError> {
        self.call("get_data", (attrs,)).await
    }

    /// Gives values to attributes of other simulators, for their next step: by full name of the entity here, then of the
    /// entity there. Connected like those of [`get_data`](Self::get_data).
    ///
    /// # Errors
    /// As [`get_progress`](Self::get_progress).
    pub async fn set_data(&self, data: &BTreeMap<String, Outputs>) -> Result<(), RequestError> {
        self.call::<_, Value>("set_data", (data,)).await.map(drop)
    }

    /// Asks for a step at this time: an event from outside, in a scenario in real time (`rt_factor`). The simulator's
    /// [`Meta`](super::Meta::set_events) should say that it does.
    ///
    /// # Errors
    /// As [`get_progress`](Self::get_progress).
    pub async fn set_event(&self, time: i64) -> Result<(), RequestError> {
        self.call::<_, Value>("set_event", (time,)).await.map(drop)
    }

    /// The channel below, for calls that are not named here, and its network with clock and timers.
    pub fn message(&self) -> &Message<PythonJson> {
        &self.message
    }
}
