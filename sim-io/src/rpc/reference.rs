//! References to objects: the peer's, to call them, and one's own, to give them away.

use std::cell::RefCell;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use serde::de::{Deserialize, DeserializeOwned, Deserializer, Error as _, Visitor};
use serde::ser::{Error as _, Serialize, Serializer};

use crate::codec::{CodecError, Encode, PythonJson};
use crate::message::{Message, Reply, RequestError};

/// The names under which references are registered among the custom types: a proxy that goes home, and an object that
/// is given away.
pub(super) const PROXY: &str = "$sim_io::proxy";
pub(super) const OBJECT: &str = "$sim_io::object";

thread_local! {
    /// The channel whose contents are being written or read: what references belong to.
    static CHANNEL: RefCell<Vec<Message<PythonJson>>> = const { RefCell::new(Vec::new()) };
}

/// References belong to this channel until the scope is dropped.
pub(super) fn enter(message: &Message<PythonJson>) -> Scope {
    CHANNEL.with_borrow_mut(|channels| channels.push(message.clone()));
    Scope(())
}

pub(super) struct Scope(());

impl Drop for Scope {
    fn drop(&mut self) {
        let left = CHANNEL.with_borrow_mut(Vec::pop);
        // Outside the borrow: it may be the last handle on the channel.
        drop(left);
    }
}

fn channel() -> Option<Message<PythonJson>> {
    CHANNEL.with_borrow(|channels| channels.last().cloned())
}

/// An object of the peer, or a method of one: something to call. Given to the peer it arrives there as its own.
#[derive(Clone)]
pub struct Remote {
    message: Message<PythonJson>,
    path: String,
}

impl Remote {
    pub(super) fn new(message: Message<PythonJson>, path: String) -> Self {
        Self { message, path }
    }

    /// Where it is in the peer's tree, from the root: `a/b`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What is below it: `at("a").at("b")`, or `at("a/b")`. Whether it exists shows when it is called.
    pub fn at(&self, path: &str) -> Self {
        Self::new(self.message.clone(), self.join(path))
    }

    /// Calls a method, with arguments in their order: a tuple, a list, or `()` for none. An empty name calls the object
    /// itself. The call is on its way at once; the future is its reply.
    pub fn call<A: Serialize, R>(&self, name: &str, args: A) -> RemoteReply<R> {
        self.call_with(name, args, ())
    }

    /// Calls a method, with arguments in their order and by name: `kwargs` is a map, a struct, or `()` for none.
    pub fn call_with<A: Serialize, K: Serialize, R>(&self, name: &str, args: A, kwargs: K) -> RemoteReply<R> {
        self.send(&self.join(name), &args, &kwargs)
    }

    /// Calls what this is, with its path as it stands: for a method that was given as a callback.
    pub fn invoke<A: Serialize, R>(&self, args: A) -> RemoteReply<R> {
        self.send(&self.path, &args, &())
    }

    fn join(&self, name: &str) -> String {
        match (&*self.path, name) {
            ("", name) => name.to_owned(),
            (path, name) => format!("{path}/{name}"),
        }
    }

    fn send<R>(&self, path: &str, args: &impl Serialize, kwargs: &impl Serialize) -> RemoteReply<R> {
        let content = {
            let _scope = enter(&self.message);
            RawCall::new(self.message.codec(), path, args, kwargs)
        };
        RemoteReply(match content {
            Ok(content) => self.message.send(&content),
            Err(error) => self.message.refused(RequestError::Codec(error)),
        })
    }
}

/// `[path, args, kwargs]`, written already.
struct RawCall(Vec<u8>);

impl RawCall {
    fn new(codec: &PythonJson, path: &str, args: &impl Serialize, kwargs: &impl Serialize) -> Result<Self, CodecError> {
        let mut out = vec![b'['];
        codec.encode(path, &mut out)?;
        for (part, open, none, what) in [
            (codec.to_text(args)?, '[', "[]", "arguments are a tuple or a list"),
            (
                codec.to_text(kwargs)?,
                '{',
                "{}",
                "named arguments are a map or a struct",
            ),
        ] {
            out.extend_from_slice(b", ");
            match &*part {
                "null" => out.extend_from_slice(none.as_bytes()),
                text if text.starts_with(open) => out.extend_from_slice(text.as_bytes()),
                text => return Err(CodecError::new(format_args!("{what}, not {text}"))),
            }
        }
        out.push(b']');
        Ok(Self(out))
    }
}

impl Encode<RawCall> for PythonJson {
    fn encode(&self, content: &RawCall, out: &mut Vec<u8>) -> Result<(), CodecError> {
        out.extend_from_slice(&content.0);
        Ok(())
    }
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remote")
            .field("path", &self.path)
            .field("peer", self.message.peer_address())
            .finish()
    }
}

impl Serialize for Remote {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match channel() {
            Some(channel) if channel.is_same(&self.message) => serializer.serialize_newtype_struct(PROXY, &self.path),
            _ => Err(S::Error::custom(format_args!(
                "the remote object `{}` belongs to another connection",
                self.path
            ))),
        }
    }
}

impl<'de> Deserialize<'de> for Remote {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let path = deserializer.deserialize_newtype_struct(OBJECT, Path)?;
        let channel =
            channel().ok_or_else(|| D::Error::custom("remote objects arrive in calls and their replies only"))?;
        Ok(Self::new(channel, path))
    }
}

/// An object of one's own tree, or a method of one, as a reference: given to the peer it arrives as something to call,
/// and so it comes back. Made by [`Node::reference`](super::Node::reference).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Exposed {
    path: String,
}

impl Exposed {
    pub(super) fn new(path: String) -> Self {
        Self { path }
    }

    /// Where it is in the tree, from the root: `a/b`; empty for the root itself. If it came from the peer, nothing says
    /// that there is such an object.
    pub fn path(&self) -> &str {
        &self.path
    }
}

impl Serialize for Exposed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_newtype_struct(OBJECT, &self.path)
    }
}

impl<'de> Deserialize<'de> for Exposed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(PROXY, Path).map(Self::new)
    }
}

/// The path in a reference.
struct Path;

impl<'de> Visitor<'de> for Path {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a reference to an object")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        String::deserialize(deserializer)
    }
}

/// The reply to a call, as a future; made by [`Remote::call`].
#[must_use = "the reply, and whatever went wrong, is heard by awaiting it"]
pub struct RemoteReply<R>(Reply<PythonJson, R>);

impl<R> RemoteReply<R> {
    /// Waits for at most so long, from when it is first awaited.
    pub fn timeout(self, limit: Duration) -> Self {
        Self(self.0.timeout(limit))
    }
}

impl<R: DeserializeOwned> Future for RemoteReply<R> {
    type Output = Result<R, RequestError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let _scope = enter(&self.0.message());
        Pin::new(&mut self.0).poll(cx)
    }
}

impl<R> fmt::Debug for RemoteReply<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RemoteReply").field(&self.0).finish()
    }
}
