//! What components tell each other about their work: Axon's Ipc messages.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use crate::Failure;

/// A message at a control or signal box.
///
/// Two of them end components, and everything that is derived from them does the same: [`is_finished`](Self::is_finished)
/// and [`is_shutdown`](Self::is_shutdown) tell. Boxes of signals have no limit: none is ever refused or dropped.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Signal {
    /// A producer has ended, as a program that closes its standard output: finish what is queued, pass it on, end.
    ProducerFinished(ProducerFinished),
    /// End at once, and pass it on. It overtakes data.
    ShutdownMicroprocess(ShutdownMicroprocess),
    /// Ends a component that listens for it, and nobody else: a selector does.
    Shutdown,
    /// Any state, as text.
    Status(Arc<str>),
    /// Something went wrong that does not end the sender.
    ErrorInformation {
        /// Who tells.
        caller: Arc<str>,
        /// What went wrong.
        error: Failure,
    },
    /// Anything else, for those who know the caller.
    Notify(Notify),
}

/// The clean end of a producer.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ProducerFinished {
    /// Who has ended.
    pub caller: Option<Arc<str>>,
    /// Why, if it was a failure.
    pub failure: Option<Failure>,
    /// What has happened besides, for those who know the caller: of a closed socket for example how it ended.
    pub message: Option<Notify>,
}

/// The order to end at once.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ShutdownMicroprocess {
    /// Who gave it.
    pub caller: Option<Arc<str>>,
    /// What has happened besides, for those who know the caller.
    pub message: Option<Notify>,
}

/// Any value, with the name of who tells it.
#[derive(Clone)]
pub struct Notify {
    /// Who tells.
    pub caller: Arc<str>,
    /// What.
    pub object: Arc<dyn Any + Send + Sync>,
}

impl Notify {
    /// A value to be told.
    pub fn new(caller: impl Into<Arc<str>>, object: impl Any + Send + Sync) -> Self {
        Self {
            caller: caller.into(),
            object: Arc::new(object),
        }
    }

    /// The value, if it is of this type.
    pub fn get<T: 'static>(&self) -> Option<&T> {
        self.object.downcast_ref()
    }
}

impl fmt::Debug for Notify {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notify")
            .field("caller", &self.caller)
            .finish_non_exhaustive()
    }
}

impl Signal {
    /// The clean end of nobody in particular.
    pub fn producer_finished() -> Self {
        Self::ProducerFinished(ProducerFinished::default())
    }

    /// The order to end at once.
    pub fn shutdown_microprocess() -> Self {
        Self::ShutdownMicroprocess(ShutdownMicroprocess::default())
    }

    /// The clean end of a component.
    pub fn finished_by(caller: impl Into<Arc<str>>) -> Self {
        Self::ProducerFinished(ProducerFinished {
            caller: Some(caller.into()),
            ..ProducerFinished::default()
        })
    }

    /// The order to end at once, from a component.
    pub fn shutdown_by(caller: impl Into<Arc<str>>) -> Self {
        Self::ShutdownMicroprocess(ShutdownMicroprocess {
            caller: Some(caller.into()),
            message: None,
        })
    }

    /// The end of a component that failed.
    pub fn failed(caller: impl Into<Arc<str>>, failure: Failure) -> Self {
        Self::ProducerFinished(ProducerFinished {
            caller: Some(caller.into()),
            failure: Some(failure),
            message: None,
        })
    }

    /// Whether it says that a producer has ended: after it, and after what is queued, nothing comes.
    pub fn is_finished(&self) -> bool {
        matches!(self, Self::ProducerFinished(_))
    }

    /// Whether it asks to end at once.
    pub fn is_shutdown(&self) -> bool {
        matches!(self, Self::ShutdownMicroprocess(_))
    }

    /// Whether it ends a component, in either way.
    pub fn is_end(&self) -> bool {
        self.is_finished() || self.is_shutdown()
    }

    /// Who sent it, if it tells.
    pub fn caller(&self) -> Option<&str> {
        match self {
            Self::ProducerFinished(end) => end.caller.as_deref(),
            Self::ShutdownMicroprocess(end) => end.caller.as_deref(),
            Self::ErrorInformation { caller, .. } => Some(caller),
            Self::Notify(notify) => Some(&notify.caller),
            Self::Shutdown | Self::Status(_) => None,
        }
    }

    /// The failure that it tells of.
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Self::ProducerFinished(end) => end.failure.as_ref(),
            Self::ErrorInformation { error, .. } => Some(error),
            _ => None,
        }
    }

    /// What it carries, if that is of this type.
    pub fn message<T: 'static>(&self) -> Option<&T> {
        match self {
            Self::ProducerFinished(end) => end.message.as_ref()?.get(),
            Self::ShutdownMicroprocess(end) => end.message.as_ref()?.get(),
            Self::Notify(notify) => notify.get(),
            _ => None,
        }
    }
}

/// Equal in kind and caller: what they carry is not compared.
impl PartialEq for Signal {
    fn eq(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
            && self.caller() == other.caller()
            && match (self, other) {
                (Self::Status(one), Self::Status(other)) => one == other,
                _ => true,
            }
    }
}

impl Eq for Signal {}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (word, caller) = match self {
            Self::ProducerFinished(_) => ("producerFinished", self.caller()),
            Self::ShutdownMicroprocess(_) => ("shutdownMicroprocess", self.caller()),
            Self::Shutdown => ("shutdown", None),
            Self::Status(status) => ("status", Some(&**status)),
            Self::ErrorInformation { .. } => ("errorInformation", self.caller()),
            Self::Notify(_) => ("notify", self.caller()),
        };
        f.write_str(word)?;
        if let Some(caller) = caller {
            write!(f, "({caller})")?;
        }
        match self.failure() {
            Some(failure) => write!(f, ": {failure}"),
            None => Ok(()),
        }
    }
}
