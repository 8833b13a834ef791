//! A registry of services and values, by name: Axon's coordinating assistant tracker.

use std::any::{Any, type_name};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, Weak};

use crate::boxes::{AnyNode, Node};
use crate::lock::lock;
use crate::{Inbox, LinkError, Outbox};

/// Services (inboxes that others may link to) and values, by name; one for each [`System`](crate::System).
///
/// A service whose inbox is gone is taken for gone too.
#[derive(Debug, Default)]
pub struct Services {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    services: BTreeMap<String, Weak<dyn AnyNode>>,
    values: BTreeMap<String, Arc<dyn Any + Send + Sync>>,
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State")
            .field("services", &self.services.keys())
            .field("values", &self.values.keys())
            .finish()
    }
}

/// What can go wrong with the registry.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ServiceError {
    /// Another service has the name.
    ServiceAlreadyExists(String),
    /// There is no service of the name to be taken off.
    MultipleServiceDeletion(String),
    /// There is no service of the name.
    NoSuchService {
        /// The name.
        name: String,
        /// The names that exist.
        existing: Vec<String>,
    },
    /// The service takes messages of another type.
    WrongType {
        /// The service.
        name: String,
        /// What it takes.
        takes: &'static str,
        /// What was asked for.
        wanted: &'static str,
    },
    /// Another value has the name.
    NamespaceClash(String),
    /// No value was declared under the name, or it is of another type.
    AccessToUndeclaredTrackedVariable(String),
}

impl fmt::Display for ServiceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ServiceAlreadyExists(name) => write!(f, "a service {name:?} exists already"),
            Self::MultipleServiceDeletion(name) => write!(f, "there is no service {name:?} to be taken off (any more)"),
            Self::NoSuchService { name, existing } => {
                let existing = if existing.is_empty() {
                    "none".to_owned()
                } else {
                    existing.join(", ")
                };
                write!(f, "there is no service {name:?}; there is {existing}")
            }
            Self::WrongType { name, takes, wanted } => {
                write!(f, "the service {name:?} takes {takes}, not {wanted}")
            }
            Self::NamespaceClash(name) => write!(f, "a value {name:?} is tracked already; update it"),
            Self::AccessToUndeclaredTrackedVariable(name) => {
                write!(f, "no value {name:?} of this type is tracked; track it first")
            }
        }
    }
}

impl std::error::Error for ServiceError {}

/// A service that was found: an inbox somewhere.
pub struct Service<T: Send + 'static> {
    node: Arc<Node<T>>,
}

impl<T: Send + 'static> Service<T> {
    /// Links an outbox to the service.
    ///
    /// # Errors
    /// As [`link`](crate::link).
    pub fn link(&self, from: &Outbox<T>) -> Result<(), LinkError> {
        from.node.link(&self.node, None, false)
    }

    /// A new outbox that is linked to the service.
    pub fn outbox(&self) -> Outbox<T> {
        let outbox = Outbox::new();
        // Newly made and of the same type: nothing can be in the way.
        let _ = outbox.node.link(&self.node, None, false);
        outbox
    }
}

impl<T: Send + 'static> fmt::Debug for Service<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Service").field(&self.node.path()).finish()
    }
}

impl Services {
    /// Offers an inbox under a name.
    ///
    /// # Errors
    /// [`ServiceError::ServiceAlreadyExists`].
    pub fn register<T: Send + 'static>(&self, name: &str, inbox: &Inbox<T>) -> Result<(), ServiceError> {
        let mut state = lock(&self.state);
        if state.services.get(name).is_some_and(|node| node.strong_count() > 0) {
            return Err(ServiceError::ServiceAlreadyExists(name.to_owned()));
        }
        let node: Arc<dyn AnyNode> = Arc::clone(&inbox.node) as _;
        state.services.insert(name.to_owned(), Arc::downgrade(&node));
        Ok(())
    }

    /// Takes a service off. Those who are linked to it stay so.
    ///
    /// # Errors
    /// [`ServiceError::MultipleServiceDeletion`] if it is not there.
    pub fn deregister(&self, name: &str) -> Result<(), ServiceError> {
        match lock(&self.state).services.remove(name) {
            Some(_) => Ok(()),
            None => Err(ServiceError::MultipleServiceDeletion(name.to_owned())),
        }
    }

    /// Finds a service.
    ///
    /// # Errors
    /// [`ServiceError::NoSuchService`] and [`ServiceError::WrongType`].
    pub fn retrieve<T: Send + 'static>(&self, name: &str) -> Result<Service<T>, ServiceError> {
        let found = lock(&self.state).services.get(name).and_then(Weak::upgrade);
        let Some(found) = found else {
            return Err(ServiceError::NoSuchService {
                name: name.to_owned(),
                existing: self.registered(),
            });
        };
        let takes = found.type_name();
        match found.as_any().downcast() {
            Ok(node) => Ok(Service { node }),
            Err(_) => Err(ServiceError::WrongType {
                name: name.to_owned(),
                takes,
                wanted: type_name::<T>(),
            }),
        }
    }

    /// Whether a box is offered as a service: anybody may still link something to it.
    pub(crate) fn offers(&self, number: u64) -> bool {
        let state = lock(&self.state);
        let mut living = state.services.values().filter_map(Weak::upgrade);
        living.any(|node| node.number() == number)
    }

    /// The names of the services.
    pub fn registered(&self) -> Vec<String> {
        let state = lock(&self.state);
        let living = state.services.iter().filter(|(_, node)| node.strong_count() > 0);
        living.map(|(name, _)| name.clone()).collect()
    }

    /// Declares a value.
    ///
    /// # Errors
    /// [`ServiceError::NamespaceClash`] if there is one of the name.
    pub fn track_value<V: Any + Send + Sync>(&self, name: &str, value: V) -> Result<(), ServiceError> {
        let mut state = lock(&self.state);
        if state.values.contains_key(name) {
            return Err(ServiceError::NamespaceClash(name.to_owned()));
        }
        state.values.insert(name.to_owned(), Arc::new(value));
        Ok(())
    }

    /// Changes a value that was declared.
    ///
    /// # Errors
    /// [`ServiceError::AccessToUndeclaredTrackedVariable`] if there is none.
    pub fn update_value<V: Any + Send + Sync>(&self, name: &str, value: V) -> Result<(), ServiceError> {
        match lock(&self.state).values.get_mut(name) {
            Some(place) => {
                *place = Arc::new(value);
                Ok(())
            }
            None => Err(ServiceError::AccessToUndeclaredTrackedVariable(name.to_owned())),
        }
    }

    /// A value that was declared.
    ///
    /// # Errors
    /// [`ServiceError::AccessToUndeclaredTrackedVariable`] if there is none, or one of another type.
    pub fn retrieve_value<V: Any + Send + Sync>(&self, name: &str) -> Result<Arc<V>, ServiceError> {
        let found = lock(&self.state).values.get(name).cloned();
        found
            .and_then(|value| value.downcast().ok())
            .ok_or_else(|| ServiceError::AccessToUndeclaredTrackedVariable(name.to_owned()))
    }

    /// The names of the values.
    pub fn values(&self) -> Vec<String> {
        lock(&self.state).values.keys().cloned().collect()
    }

    /// Forgets everything.
    pub fn clear(&self) {
        *lock(&self.state) = State::default();
    }
}
