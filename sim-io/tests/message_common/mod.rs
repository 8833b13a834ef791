//! What the tests of messages share: channels, one that echoes, and what a reply failed with.
#![allow(dead_code, reason = "not every test uses everything")]

use net_core::Stream;
use serde_json::Value;
use sim_io::codec::{Decode, Encode, Json, PythonJson};
use sim_io::message::{Message, RequestError};

pub(crate) fn json(stream: Stream) -> Message<Json> {
    Message::new(stream, Json).unwrap()
}

pub(crate) fn python(stream: Stream) -> Message<PythonJson> {
    Message::new(stream, PythonJson::new()).unwrap()
}

/// Answers each request with what it asks.
pub(crate) async fn echo<C: Encode<Value> + Decode<Value>>(message: Message<C>) {
    while let Ok(Some(request)) = message.recv().await {
        let content: Value = request.content().unwrap();
        // The client may be gone.
        let _ = request.succeed(&content);
    }
}

/// Says which type a reply would have had, had it not failed.
pub(crate) struct Reply;

impl Reply {
    #[track_caller]
    pub(crate) fn err(reply: Result<Value, RequestError>) -> RequestError {
        reply.unwrap_err()
    }
}
