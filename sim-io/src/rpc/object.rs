//! The tree of objects that the peer can call.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::arguments::{Arguments, wrong};
use super::reference::{self, Exposed};
use crate::codec::PythonJson;
use crate::message::{Fault, IntoFault, Message, Request, RequestError};

/// Where objects live: [`Here`] or [`Anywhere`]. Nothing else can be.
pub trait Place: sealed::Sealed + Sized + 'static {
    #[doc(hidden)]
    type Work: Future<Output = ()> + Unpin;
    #[doc(hidden)]
    type Method: ?Sized + Fn(Call) -> Option<Self::Work>;
}

mod sealed {
    #[expect(
        unnameable_types,
        reason = "sealed: nobody outside may implement it, so nobody needs its name"
    )]
    pub trait Sealed {}
    impl Sealed for super::Here {}
    impl Sealed for super::Anywhere {}
}

/// Objects that stay on their thread, as everything that uses an [`Environment`](crate::Environment) does.
#[derive(Clone, Copy, Debug)]
pub enum Here {}

/// Objects that may be called from any thread: under a tokio runtime with several.
#[derive(Clone, Copy, Debug)]
pub enum Anywhere {}

impl Place for Here {
    type Work = Pin<Box<dyn Future<Output = ()>>>;
    type Method = dyn Fn(Call) -> Option<Self::Work>;
}

impl Place for Anywhere {
    type Work = Pin<Box<dyn Future<Output = ()> + Send>>;
    type Method = dyn Fn(Call) -> Option<Self::Work> + Send + Sync;
}

/// An object that stays on its thread.
pub type Object = Node<Here>;

/// An object that may be called from any thread.
pub type SendObject = Node<Anywhere>;

/// An object that the peer can call: methods, and objects below it. Only what is named here can be called, and no name
/// that begins with `_`, whatever is named. Clones are handles on the same object, which may change while it is served.
///
/// A method's parameters are one type: a tuple, or a struct with named fields; see [`Arguments::bind`]. What it returns is
/// the reply, and an error the failure; `?` turns any error into one.
///
/// ```
/// use serde::Deserialize;
/// use sim_io::message::Fault;
/// use sim_io::rpc::Object;
///
/// // #[derive(Deserialize)] struct Greeting { name: String, #[serde(default)] times: usize }
/// # #[derive(Deserialize)] struct Greeting { name: String, #[serde(default)] times: usize }
/// let clock = Object::new().itself(|(): ()| Ok("tick"));
/// let root = Object::new()
///     .method("add", |(a, b): (i64, i64)| a.checked_add(b).ok_or_else(|| Fault::new("OverflowError", "too large")))
///     .method("greet", |greeting: Greeting| Ok(format!("Hi {}", greeting.name).repeat(greeting.times.max(1))))
///     .child("clock", clock);
/// assert_eq!(root.reference("clock").unwrap().path(), "clock");
/// ```
pub struct Node<P: Place> {
    inner: Arc<Inner<P>>,
}

struct Inner<P: Place> {
    methods: Mutex<BTreeMap<String, Arc<P::Method>>>,
    children: Mutex<BTreeMap<String, Node<P>>>,
}

/// A call of the peer in the hands of a [`passthru`](Object::passthru) method, which answers it when it likes.
#[derive(Debug)]
pub struct Call {
    message: Message<PythonJson>,
    request: Request<PythonJson>,
    arguments: Arguments,
}

impl Call {
    /// What it is called with.
    pub fn arguments(&self) -> &Arguments {
        &self.arguments
    }

    /// The channel that it came by.
    pub fn message(&self) -> &Message<PythonJson> {
        &self.message
    }

    /// Answers it.
    ///
    /// # Errors
    /// As [`Request::succeed`].
    pub fn succeed<R: Serialize + ?Sized>(self, reply: &R) -> Result<(), RequestError> {
        let _scope = reference::enter(&self.message);
        self.request.succeed(reply)
    }

    /// Answers it with a failure.
    ///
    /// # Errors
    /// As [`Request::fail`].
    pub fn fail<M: ?Sized>(self, fault: impl IntoFault<M>) -> Result<(), RequestError> {
        self.request.fail(fault)
    }

    fn answer<R: Serialize>(self, outcome: Result<R, Fault>) {
        // What can't be encoded the peer hears of; if the channel is over, nobody waits.
        let _ = match outcome {
            Ok(reply) => self.succeed(&reply),
            Err(fault) => self.fail(fault),
        };
    }
}

/// What a method that panics answers.
fn caught<R>(outcome: net_core::Result<Result<R, Fault>>) -> Result<R, Fault> {
    outcome.unwrap_or_else(|panic| {
        let why = panic.detail_text().unwrap_or("panic").to_owned();
        Err(Fault::message_only(why))
    })
}

macro_rules! builder {
    ($place:ty; $($bound:ident)*; $($work:ident)*) => {
        impl Node<$place> {
            /// A method that answers at once.
            #[must_use]
            pub fn method<A, R, F>(self, name: &str, method: F) -> Self
            where
                A: DeserializeOwned,
                R: Serialize,
                F: Fn(A) -> Result<R, Fault> + 'static $(+ $bound)*,
            {
                self.passthru(name, move |call| {
                    let outcome = call.arguments.bind().and_then(|arguments| {
                        caught(net_core::catch_panic_in(|| method(arguments)))
                    });
                    call.answer(outcome);
                })
            }

            /// A method that takes its time: the reply is sent when its future ends. Calls run at the same time.
            #[must_use]
            pub fn process<A, R, F, W>(self, name: &str, method: F) -> Self
            where
                A: DeserializeOwned,
                R: Serialize,
                F: Fn(A) -> W + 'static $(+ $bound)*,
                W: Future<Output = Result<R, Fault>> + 'static $(+ $work)*,
            {
                self.add(name, Arc::new(move |call: Call| {
                    let work = call.arguments.bind().and_then(|arguments| {
                        caught(net_core::catch_panic_in(|| Ok(method(arguments))))
                    });
                    match work {
                        Ok(work) => Some(Box::pin(async move {
                            let outcome = caught(net_core::catch_panic(work).await);
                            call.answer(outcome);
                        })),
                        Err(fault) => {
                            call.answer(Err::<(), _>(fault));
                            None
                        }
                    }
                }))
            }

            /// A method that gets the call itself and answers when it likes. A call that it drops is answered with a
            /// failure.
            #[must_use]
            pub fn passthru<F>(self, name: &str, method: F) -> Self
            where
                F: Fn(Call) + 'static $(+ $bound)*,
            {
                self.add(name, Arc::new(move |call: Call| {
                    // The call is answered by its own drop then.
                    let _ = net_core::catch_panic_in(|| method(call));
                    None
                }))
            }

            /// What calling the object itself does.
            #[must_use]
            pub fn itself<A, R, F>(self, method: F) -> Self
            where
                A: DeserializeOwned,
                R: Serialize,
                F: Fn(A) -> Result<R, Fault> + 'static $(+ $bound)*,
            {
                self.method("", method)
            }
        }
    };
}

builder!(Here;;);
builder!(Anywhere; Send Sync; Send);

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing of the user's runs under the lock.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<P: Place> Node<P> {
    /// An object without methods.
    pub fn new() -> Self {
        Self {
            inner: Arc::new(Inner {
                methods: Mutex::default(),
                children: Mutex::default(),
            }),
        }
    }

    fn add(self, name: &str, method: Arc<P::Method>) -> Self {
        lock(&self.inner.methods).insert(name.to_owned(), method);
        self
    }

    /// An object below this one. A name has no `/` in it.
    #[must_use]
    pub fn child(self, name: &str, object: Self) -> Self {
        self.expose(name, object);
        self
    }

    /// Puts an object below this one, also while it is served; gives the one that had the name.
    pub fn expose(&self, name: &str, object: Self) -> Option<Self> {
        lock(&self.inner.children).insert(name.to_owned(), object)
    }

    /// Takes the object with this name away again, also while it is served.
    pub fn withdraw(&self, name: &str) -> Option<Self> {
        lock(&self.inner.children).remove(name)
    }

    /// A reference to an object or a method of this tree, to be given to the peer; `None` if the path leads to none. Must
    /// be asked of the root that is served.
    pub fn reference(&self, path: &str) -> Option<Exposed> {
        let known = path.is_empty() || self.find(path).is_some() || self.resolve(path).is_some();
        known.then(|| Exposed::new(path.to_owned()))
    }

    /// The object at this path below it.
    pub fn find(&self, path: &str) -> Option<Self> {
        let mut object = self.clone();
        for name in path.split('/') {
            object = object.get(name)?;
        }
        Some(object)
    }

    fn get(&self, name: &str) -> Option<Self> {
        if name.starts_with('_') {
            return None;
        }
        lock(&self.inner.children).get(name).cloned()
    }

    fn own(&self, name: &str) -> Option<Arc<P::Method>> {
        if name.starts_with('_') {
            return None;
        }
        lock(&self.inner.methods).get(name).cloned()
    }

    /// The method that a path means. The original's proxies of a child call it by a path without the last `/`, so that an
    /// object stands for itself where there is no method of the name.
    fn resolve(&self, path: &str) -> Option<Arc<P::Method>> {
        let (object, name) = match path.rsplit_once('/') {
            Some((path, name)) => (self.find(path)?, name),
            None => (self.clone(), path),
        };
        object.own(name).or_else(|| object.get(name)?.own(""))
    }

    /// Answers a call, or begins to.
    pub(super) fn dispatch(&self, message: &Message<PythonJson>, request: Request<PythonJson>) -> Option<P::Work> {
        let fault = match Arguments::of(message, request.raw_content()) {
            Ok((path, arguments)) => match self.resolve(&path) {
                Some(method) => {
                    return method(Call {
                        message: message.clone(),
                        request,
                        arguments,
                    });
                }
                None => Fault::message_only(format!("Failed to resolve path {path}")),
            },
            Err(error) => wrong(format_args!("a call is [path, args, kwargs]: {error}")),
        };
        // If the channel is over nobody waits for it.
        let _ = request.fail(fault);
        None
    }
}

impl<P: Place> Default for Node<P> {
    fn default() -> Self {
        Self::new()
    }
}

impl<P: Place> Clone for Node<P> {
    fn clone(&self) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
        }
    }
}

impl<P: Place> fmt::Debug for Node<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let methods: Vec<_> = lock(&self.inner.methods).keys().cloned().collect();
        let children: Vec<_> = lock(&self.inner.children).keys().cloned().collect();
        f.debug_struct("Node")
            .field("methods", &methods)
            .field("children", &children)
            .finish()
    }
}
