//! What `send_socket` carries: text or bytes, each counted in its own unit.

use std::sync::Arc;

use bytes::Bytes;

use crate::Value;

/// Data to send. Text travels as UTF-8 and is counted in characters, so that `data[n:]` is right in the model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SocketData {
    /// Text, counted in characters.
    Text(Arc<str>),
    /// Bytes.
    Bytes(Bytes),
}

impl SocketData {
    /// The data in this value, if it is text or bytes.
    pub fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Str(text) => Some(Self::Text(text.clone())),
            Value::Bytes(bytes) => Some(Self::Bytes(bytes.clone())),
            _ => None,
        }
    }

    /// What goes over the wire.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Bytes(bytes) => bytes,
        }
    }

    /// The length in the data's own unit: characters or bytes.
    pub fn units(&self) -> usize {
        match self {
            Self::Text(text) => text.chars().count(),
            Self::Bytes(bytes) => bytes.len(),
        }
    }
}

impl From<SocketData> for Value {
    fn from(data: SocketData) -> Self {
        match data {
            SocketData::Text(text) => Self::Str(text),
            SocketData::Bytes(bytes) => Self::Bytes(bytes),
        }
    }
}

impl From<&str> for SocketData {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<Bytes> for SocketData {
    fn from(bytes: Bytes) -> Self {
        Self::Bytes(bytes)
    }
}
