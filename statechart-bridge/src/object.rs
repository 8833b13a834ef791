//! Opaque things in events and attributes.

use std::any::Any;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// Something that a model passes on and compares, but can't look into: a socket.
///
/// Clones are the same object; two objects that were made apart are never equal, whatever their kinds and numbers.
///
/// ```
/// use statechart_bridge::Object;
///
/// let socket = Object::new("socket", 3, "what the service knows about it");
/// assert_eq!(socket, socket.clone());
/// assert_ne!(socket, Object::new("socket", 3, ""));
/// assert_eq!(socket.to_string(), "<socket 3>");
/// assert!(socket.payload::<&str>().is_some());
/// ```
#[derive(Clone)]
pub struct Object(Arc<Inner<dyn Any + Send + Sync>>);

struct Inner<T: ?Sized> {
    kind: &'static str,
    number: u64,
    payload: T,
}

impl Object {
    /// A new object. `kind` and `number` are for people and traces; `payload` for whoever made it.
    pub fn new(kind: &'static str, number: u64, payload: impl Any + Send + Sync) -> Self {
        Self(Arc::new(Inner { kind, number, payload }))
    }

    /// What kind of object it is.
    pub fn kind(&self) -> &'static str {
        self.0.kind
    }

    /// The number that its maker gave it.
    pub fn number(&self) -> u64 {
        self.0.number
    }

    /// What its maker put in, if it is of this type.
    pub fn payload<T: Any>(&self) -> Option<&T> {
        self.0.payload.downcast_ref()
    }

    /// Where it lives: the same for clones, different for all other objects as long as both exist.
    pub(crate) fn address(&self) -> usize {
        Arc::as_ptr(&self.0).cast::<()>() as usize
    }
}

impl PartialEq for Object {
    fn eq(&self, other: &Self) -> bool {
        self.address() == other.address()
    }
}

impl Eq for Object {}

impl Hash for Object {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.address().hash(state);
    }
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{} {}>", self.0.kind, self.0.number)
    }
}

impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
