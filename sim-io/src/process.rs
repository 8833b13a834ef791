//! Processes: futures that the environment runs, and that can be joined, interrupted and ended.

use std::any::Any;
use std::fmt;
use std::future::{Future, IntoFuture};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll};

use crate::environment::core::Core;
use crate::environment::queue::{Priority, Slot};
use crate::event::Wait;
use crate::{Environment, Event, Failure};

/// A process that was started; also an event, which happens when the process ends. Clones are handles on the same one.
///
/// Awaiting it gives what the process returned, or its failure. Dropping it changes nothing.
pub struct Process<T> {
    core: Weak<Core>,
    slot: Slot,
    name: Rc<str>,
    ended: Event<T>,
}

/// What an interrupted process gets: why.
#[derive(Clone)]
pub struct Interrupted {
    cause: Rc<dyn Any>,
    text: Rc<str>,
}

impl Interrupted {
    fn new<C: fmt::Debug + 'static>(cause: C) -> Self {
        Self {
            text: format!("{cause:?}").into(),
            cause: Rc::new(cause),
        }
    }

    /// The cause, if it has this type.
    pub fn cause<C: 'static>(&self) -> Option<&C> {
        self.cause.downcast_ref()
    }
}

impl fmt::Display for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "interrupted: {}", self.text)
    }
}

impl fmt::Debug for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Interrupted({})", self.text)
    }
}

impl std::error::Error for Interrupted {}

/// The process was ended by [`Process::kill`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Killed;

impl fmt::Display for Killed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the process was killed")
    }
}

impl std::error::Error for Killed {}

/// A process can't be interrupted: it is over, or it is the one that runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NotInterruptible;

impl fmt::Display for NotInterruptible {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the process is over, or it is the one that runs: it can't be interrupted")
    }
}

impl std::error::Error for NotInterruptible {}

impl<T: 'static> Process<T> {
    pub(crate) fn start(
        env: &Environment,
        name: Option<Rc<str>>,
        work: impl Future<Output = Result<T, Failure>> + 'static,
    ) -> Self {
        let mut process = None;
        env.core.spawn(name, |slot, name| {
            let ended = Event::of_kind(env, Some(Rc::clone(name)), "process");
            process = Some(Self {
                core: Rc::downgrade(&env.core),
                slot,
                name: Rc::clone(name),
                ended: ended.clone(),
            });
            let core = Rc::downgrade(&env.core);
            Box::pin(Run {
                work: Some(Box::pin(work)),
                core,
                ended,
            })
        });
        match process {
            Some(process) => process,
            // `spawn` always calls the closure; this keeps the types honest without a panic.
            None => Self {
                core: Weak::new(),
                slot: DEAD,
                name: "".into(),
                ended: env.event(),
            },
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it has not ended yet.
    pub fn is_alive(&self) -> bool {
        self.core.upgrade().is_some_and(|core| core.is_alive(self.slot))
    }

    /// What it waits for, for people to read.
    pub fn target(&self) -> Option<String> {
        self.core.upgrade()?.target_of(self.slot)
    }

    /// Interrupts it, at this instant, before whatever else is due: the innermost
    /// [`interruptible`] that it waits in gives [`Interrupted`] with the cause. If it waits in none, it ends there and
    /// fails with it.
    ///
    /// # Errors
    /// [`NotInterruptible`] if it is over, or is the process that calls this.
    pub fn interrupt(&self, cause: impl fmt::Debug + 'static) -> Result<(), NotInterruptible> {
        match self.core.upgrade() {
            Some(core) if core.interrupt(self.slot, Interrupted::new(cause)) => Ok(()),
            _ => Err(NotInterruptible),
        }
    }

    /// Ends it where it waits: its destructors run, releasing what it holds. Who waits for it gets [`Killed`]. Nothing
    /// happens if it is over.
    pub fn kill(&self) {
        if self.core.upgrade().is_some_and(|core| core.kill(self.slot)) {
            self.ended.defuse();
            // It was alive, so nothing has triggered its end.
            let _ = self.ended.fail(Killed);
        }
    }

    /// The event that it ends.
    pub fn ended(&self) -> &Event<T> {
        &self.ended
    }
}

/// A place that no process has.
const DEAD: Slot = Slot {
    index: u32::MAX,
    generation: u32::MAX,
};

impl<T> Clone for Process<T> {
    fn clone(&self) -> Self {
        Self {
            core: Weak::clone(&self.core),
            slot: self.slot,
            name: Rc::clone(&self.name),
            ended: self.ended.clone(),
        }
    }
}

impl<T> fmt::Debug for Process<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Process")
            .field("name", &self.name)
            .field("ended", &self.ended)
            .finish_non_exhaustive()
    }
}

impl<T: Clone + 'static> IntoFuture for Process<T> {
    type Output = Result<T, Failure>;
    type IntoFuture = Wait<T>;
    fn into_future(self) -> Wait<T> {
        self.ended.wait()
    }
}

impl<T: Clone + 'static> IntoFuture for &Process<T> {
    type Output = Result<T, Failure>;
    type IntoFuture = Wait<T>;
    fn into_future(self) -> Wait<T> {
        self.ended.wait()
    }
}

/// The body of a process: its work, and the event of its end.
struct Run<F, T> {
    work: Option<Pin<Box<F>>>,
    core: Weak<Core>,
    ended: Event<T>,
}

impl<F, T> Unpin for Run<F, T> {}

impl<F: Future<Output = Result<T, Failure>>, T: 'static> Future for Run<F, T> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Some(work) = &mut self.work else {
            return Poll::Ready(());
        };
        let outcome = match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(cx))) {
            Ok(Poll::Ready(outcome)) => outcome,
            Err(panic) => Err(Failure::panic(panic.as_ref())),
            Ok(Poll::Pending) => match self.core.upgrade().and_then(|core| core.take_interrupt()) {
                None => return Poll::Pending,
                Some(interrupt) => Err(Failure::new(interrupt)),
            },
        };
        // What it holds is released before its end is known.
        self.work = None;
        // Killed in its own last step: its end has been told.
        let _ = self.ended.trigger(outcome, Priority::NORMAL);
        Poll::Ready(())
    }
}

/// Waits for `work`, unless the process is interrupted first. The work is dropped then, unless it was lent (`&mut`), and
/// can be awaited again.
///
/// ```
/// use std::time::Duration;
/// use sim_io::{Environment, interruptible};
///
/// let env = Environment::new();
/// let sleeper = env.process({
///     let env = env.clone();
///     async move {
///         match interruptible(&env, env.timeout(Duration::from_secs(8 * 3600))).await {
///             Ok(()) => "slept in",
///             Err(interrupted) => *interrupted.cause::<&str>().unwrap_or(&"woken"),
///         }
///     }
/// });
/// env.process({
///     let (env, sleeper) = (env.clone(), sleeper.clone());
///     async move {
///         env.timeout(Duration::from_secs(60)).await;
///         sleeper.interrupt("the alarm").unwrap();
///     }
/// });
/// assert_eq!(env.run_until(&sleeper)?, "the alarm");
/// # Ok::<(), sim_io::RunError>(())
/// ```
///
/// # Errors
/// [`Interrupted`] with the cause.
pub async fn interruptible<F: IntoFuture>(env: &Environment, work: F) -> Result<F::Output, Interrupted> {
    let mut work = std::pin::pin!(work.into_future());
    std::future::poll_fn(|cx| {
        // The work first: if it has an inner place that takes interrupts, that one is meant.
        if let Poll::Ready(value) = work.as_mut().poll(cx) {
            return Poll::Ready(Ok(value));
        }
        match env.core.take_interrupt() {
            Some(interrupt) => Poll::Ready(Err(interrupt)),
            None => Poll::Pending,
        }
    })
    .await
}
