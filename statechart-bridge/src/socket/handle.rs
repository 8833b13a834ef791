//! Sockets as models hold them: opaque, compared by identity, never used again for another connection.

use std::fmt;
use std::sync::Arc;

use super::entry::Entry;
use crate::{Object, Value};

/// A socket, as events carry it. Made by the service alone; equal to its clones and to nothing else.
///
/// A handle that is kept after its socket was closed stays harmless: commands with it are answered with an error, and
/// it never comes to mean another connection.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct SocketHandle(Object);

impl SocketHandle {
    pub(super) fn new(entry: &Arc<Entry>) -> Self {
        Self(Object::new("socket", entry.number(), Arc::clone(entry)))
    }

    /// The handle in this value, if it is one.
    pub fn from_value(value: &Value) -> Option<Self> {
        let object = value.as_object()?;
        object.payload::<Arc<Entry>>().map(|_| Self(object.clone()))
    }

    /// Its number: counts up from 1 in each service, in the order of creation.
    pub fn number(&self) -> u64 {
        self.0.number()
    }

    /// The object that it is in events and attributes.
    pub fn object(&self) -> &Object {
        &self.0
    }

    pub(super) fn entry(&self) -> Option<&Arc<Entry>> {
        self.0.payload()
    }
}

impl From<SocketHandle> for Value {
    fn from(handle: SocketHandle) -> Self {
        Self::Object(handle.0)
    }
}

impl fmt::Display for SocketHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for SocketHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
