//! Processes: futures that the environment runs, and that can be joined, interrupted and ended.

use std::any::Any;
use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll, Waker};

use pin_project_lite::pin_project;

use crate::environment::core::{Body, Core};
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
    pub(crate) fn new<C: fmt::Debug + 'static>(cause: C) -> Self {
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
        let (slot, name, waker) = env.core.reserve(name);
        let ended = Event::of_kind(env, Some(Rc::clone(&name)), "process");
        let body = Box::pin(Run {
            work: Some(work),
            waker,
            ended: ended.clone(),
        });
        env.core.start(slot, body, ended.end());
        Self {
            core: Rc::downgrade(&env.core),
            slot,
            name,
            ended,
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

pin_project! {
    /// The body of a process: its work, and the event of its end.
    struct Run<F, T> {
        #[pin]
        work: Option<F>,
        waker: Waker,
        ended: Event<T>,
    }
}

impl<F: Future<Output = Result<T, Failure>>, T: 'static> Body for Run<F, T> {
    #[inline]
    fn go_on(self: Pin<&mut Self>) -> Poll<()> {
        let mut this = self.project();
        let Some(work) = this.work.as_mut().as_pin_mut() else {
            return Poll::Ready(());
        };
        let outcome = std::task::ready!(work.poll(&mut Context::from_waker(this.waker)));
        // What it holds is released before its end is known.
        this.work.set(None);
        // Killed in its own last step: its end has been told.
        let _ = this.ended.trigger(outcome, Priority::NORMAL);
        Poll::Ready(())
    }
}

pin_project! {
    /// Work that can't fail, as work that can; an async block would hold it twice.
    pub(crate) struct Infallible<F> {
        #[pin]
        pub(crate) work: F,
    }
}

impl<F: Future> Future for Infallible<F> {
    type Output = Result<F::Output, Failure>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().work.poll(cx).map(Ok)
    }
}

pin_project! {
    /// Work that may fail with an error of its own.
    pub(crate) struct Fallible<F> {
        #[pin]
        pub(crate) work: F,
    }
}

impl<F: Future<Output = Result<T, E>>, T, E: Into<Failure>> Future for Fallible<F> {
    type Output = Result<T, Failure>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().work.poll(cx).map_err(Into::into)
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
