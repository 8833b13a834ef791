//! Why an event or a process failed, shared by all who hear of it; and why a run ended badly.

use std::any::Any;
use std::error::Error as StdError;
use std::fmt;
use std::rc::Rc;

use net_core::Instant;

/// Why an event or a process failed.
///
/// Cloning shares the original error: whoever waits for the same event gets the same one, never a copy made anew.
#[derive(Clone)]
pub struct Failure(Rc<dyn StdError>);

impl Failure {
    /// A failure with this error.
    pub fn new(error: impl StdError + 'static) -> Self {
        Self(Rc::new(error))
    }

    /// A failure with an error that is in a box already, for which `?` and `into` can't be implemented beside those for
    /// plain errors. A box that is `Send` becomes a plain one where this is called.
    ///
    /// ```
    /// use sim_io::{Environment, Failure};
    ///
    /// async fn work() -> Result<u8, Box<dyn std::error::Error + Send + Sync>> {
    ///     Ok("seven".parse()?)
    /// }
    ///
    /// let env = Environment::new();
    /// let worker = env.try_process(async { work().await.map_err(|error| Failure::boxed(error)) });
    /// assert!(env.run_until(&worker).unwrap_err().to_string().contains("invalid digit"));
    /// ```
    pub fn boxed(error: Box<dyn StdError>) -> Self {
        Self(Rc::from(error))
    }

    /// A failure with a text.
    pub fn text(text: impl Into<String>) -> Self {
        Self(Rc::new(Text(text.into())))
    }

    /// The original error, if it has this type.
    pub fn downcast_ref<E: StdError + 'static>(&self) -> Option<&E> {
        self.0.downcast_ref()
    }

    /// Whether the error has this type.
    pub fn is<E: StdError + 'static>(&self) -> bool {
        self.0.is::<E>()
    }

    /// The original error.
    pub fn error(&self) -> &(dyn StdError + 'static) {
        self.0.as_ref()
    }

    /// What a panic in a process becomes.
    pub(crate) fn panic(panic: &(dyn Any + Send)) -> Self {
        let message = panic
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| panic.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "of unknown type".to_owned());
        Self::text(format!("panic: {message}"))
    }
}

#[derive(Debug)]
struct Text(String);

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl StdError for Text {}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Failure({})", self.0)
    }
}

impl<E: StdError + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::new(error)
    }
}

/// So that `?` works where such a box is wanted.
impl From<Failure> for Box<dyn StdError> {
    fn from(failure: Failure) -> Self {
        struct Shared(Failure);

        impl fmt::Debug for Shared {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(self.0.error(), f)
            }
        }

        impl fmt::Display for Shared {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl StdError for Shared {
            fn source(&self) -> Option<&(dyn StdError + 'static)> {
                self.0.error().source()
            }
        }

        Box::new(Shared(failure))
    }
}

/// Why a run ended badly. Its `Debug` says the same as its `Display`, since that is what a failed `main` prints.
#[derive(Clone)]
#[non_exhaustive]
pub enum RunError {
    /// Something failed, and no process was waiting to hear of it.
    Unhandled {
        /// The process that failed, or the event.
        who: String,
        /// When.
        at: Instant,
        /// Why.
        failure: Failure,
    },
    /// Nothing is left to happen, but what the run was to wait for has not come.
    Deadlock {
        /// When.
        at: Instant,
        /// The processes that wait, and for what.
        blocked: Vec<Blocked>,
    },
    /// The time to run until has passed already.
    InThePast {
        /// The time that was asked for.
        until: Instant,
        /// The time that it is.
        now: Instant,
    },
    /// Real time was to be kept, and has passed already.
    Late {
        /// What was due.
        at: Instant,
        /// How late it is, in real time.
        late: std::time::Duration,
    },
    /// The operating system could not be asked for its sockets.
    Sockets {
        /// When.
        at: Instant,
        /// Why.
        failure: Failure,
    },
    /// A process ran the environment that runs it.
    Nested,
}

impl fmt::Debug for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RunError({self})")
    }
}

/// A process that waits for something that will not come.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Blocked {
    /// Its name.
    pub process: String,
    /// What it waits for.
    pub waits_for: String,
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unhandled { who, at, failure } => {
                write!(f, "{who} failed at {at}, and no process was waiting for it: {failure}")
            }
            Self::Deadlock { at, blocked } if blocked.is_empty() => {
                write!(
                    f,
                    "nothing is left to happen at {at}, and no process is there that could make it happen"
                )
            }
            Self::Deadlock { at, blocked } => {
                write!(f, "deadlock at {at}: nothing is left to happen, but")?;
                for (index, Blocked { process, waits_for }) in blocked.iter().enumerate() {
                    let comma = if index > 0 { "," } else { "" };
                    write!(f, "{comma} {process} waits for {waits_for}")?;
                }
                Ok(())
            }
            Self::InThePast { until, now } => write!(f, "can't run until {until}: it is {now} already"),
            Self::Late { at, late } => write!(
                f,
                "too slow for real time: what was due at {at} is {:.3}s late",
                late.as_secs_f64()
            ),
            Self::Sockets { at, failure } => write!(f, "waiting for sockets failed at {at}: {failure}"),
            Self::Nested => f.write_str("a process can't run the environment that runs it"),
        }
    }
}

impl StdError for RunError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Unhandled { failure, .. } | Self::Sockets { failure, .. } => Some(failure.error()),
            _ => None,
        }
    }
}
