//! The environment: the clock, what is scheduled, and running it.

pub(crate) mod alarm;
pub(crate) mod core;
mod pace;
pub(crate) mod queue;
pub(crate) mod table;
mod trace;

use std::fmt;
use std::future::Future;
use std::rc::Rc;
use std::time::Duration;

use net_core::Instant;

use self::core::{Core, Stepped};
#[cfg(feature = "reactor")]
pub(crate) use pace::wall;
pub use pace::{InvalidFactor, RealTime};
pub use queue::Priority;
pub use trace::{Step, Traced};

use crate::failure::{Blocked, Failure, RunError};
use crate::process::{Fallible, Infallible};
use crate::{Event, Interrupted, NotInterruptible, Process, Timeout};

/// A world of processes under one clock.
///
/// Clones are handles on the same environment, for processes to keep. When the one that [`new`](Self::new) made is
/// dropped, its processes are dropped too, and their destructors run.
///
/// ```
/// use std::time::Duration;
/// use sim_io::Environment;
///
/// let env = Environment::new();
/// let clock = env.process({
///     let env = env.clone();
///     async move {
///         for _ in 0..3 {
///             env.timeout(Duration::from_secs(2)).await;
///         }
///         env.now()
///     }
/// });
/// assert_eq!(env.run_until(&clock)?.as_nanos(), 6_000_000_000);
/// # Ok::<(), sim_io::RunError>(())
/// ```
pub struct Environment {
    pub(crate) core: Rc<Core>,
    /// This is the one that `new` made.
    root: bool,
}

impl Environment {
    /// An environment at time zero, with seed 0.
    pub fn new() -> Self {
        Self::with_seed(0)
    }

    /// An environment whose randomness begins with this seed: the same seed gives the same run.
    pub fn with_seed(seed: u64) -> Self {
        Self::starting_at(Instant::ZERO, seed)
    }

    /// An environment that begins at this time.
    pub fn starting_at(start: Instant, seed: u64) -> Self {
        Self {
            core: Core::new(start, seed),
            root: true,
        }
    }

    /// A handle on the environment of a core.
    pub(crate) fn handle(core: &Rc<Core>) -> Self {
        Self {
            core: Rc::clone(core),
            root: false,
        }
    }

    /// The time.
    #[inline]
    pub fn now(&self) -> Instant {
        self.core.now()
    }

    /// Something that happens `delay` from now. Its place among the things of that instant is decided here, not where it
    /// is awaited; dropping it cancels it.
    #[inline(always)]
    pub fn timeout(&self, delay: Duration) -> Timeout {
        Timeout::new(self, delay, Priority::NORMAL, ())
    }

    /// A timeout that gives a value.
    #[inline(always)]
    pub fn timeout_with<T>(&self, delay: Duration, value: T) -> Timeout<T> {
        Timeout::new(self, delay, Priority::NORMAL, value)
    }

    /// A timeout with another place among the things of its instant.
    pub fn schedule(&self, delay: Duration, priority: Priority) -> Timeout {
        Timeout::new(self, delay, priority, ())
    }

    /// An event that somebody will trigger.
    pub fn event<T: 'static>(&self) -> Event<T> {
        Event::new(self, None)
    }

    /// An event with a name, for traces and reports.
    pub fn named_event<T: 'static>(&self, name: &str) -> Event<T> {
        Event::new(self, Some(name.into()))
    }

    /// Starts a process. It begins at this instant, before anything that is due by then, but not inside this call.
    ///
    /// A panic in it ends the process, which fails.
    pub fn process<T: 'static>(&self, work: impl Future<Output = T> + 'static) -> Process<T> {
        Process::start(self, None, Infallible { work })
    }

    /// Starts a process with a name, for traces and reports.
    pub fn named_process<T: 'static>(&self, name: &str, work: impl Future<Output = T> + 'static) -> Process<T> {
        Process::start(self, Some(name.into()), Infallible { work })
    }

    /// Starts a process that may fail: an error that nobody waits for stops the run.
    pub fn try_process<T: 'static, E: Into<Failure>>(
        &self,
        work: impl Future<Output = Result<T, E>> + 'static,
    ) -> Process<T> {
        Process::start(self, None, Fallible { work })
    }

    /// Starts a process that may fail, with a name.
    pub fn named_try_process<T: 'static, E: Into<Failure>>(
        &self,
        name: &str,
        work: impl Future<Output = Result<T, E>> + 'static,
    ) -> Process<T> {
        Process::start(self, Some(name.into()), Fallible { work })
    }

    /// Starts a process after a delay; the value is the process.
    ///
    /// ```
    /// use std::time::Duration;
    /// use sim_io::Environment;
    ///
    /// let env = Environment::new();
    /// let starts = env.start_delayed(Duration::from_secs(3), async { "late" });
    /// let late = env.run_until(&starts)?;
    /// assert_eq!(env.run_until(&late)?, "late");
    /// # Ok::<(), sim_io::RunError>(())
    /// ```
    pub fn start_delayed<T: 'static>(
        &self,
        delay: Duration,
        work: impl Future<Output = T> + 'static,
    ) -> Process<Process<T>> {
        let env = self.clone();
        self.process(async move {
            env.timeout(delay).await;
            env.process(work)
        })
    }

    /// Interrupts the process that calls this when the event happens, with its value as the cause.
    ///
    /// # Errors
    /// [`NotInterruptible`] if the event has happened already, or no process calls this.
    pub fn subscribe<T: Clone + fmt::Debug + 'static>(&self, event: &Event<T>) -> Result<(), NotInterruptible> {
        let process = self.core.current().filter(|_| !event.is_processed());
        let process = process.ok_or(NotInterruptible)?;
        let core = Rc::downgrade(&self.core);
        event.on_processed(move |outcome| {
            if let (Some(core), Ok(value)) = (core.upgrade(), outcome) {
                // One that has ended meanwhile is left alone.
                core.interrupt(process, Interrupted::new(value.clone()));
            }
        });
        Ok(())
    }

    /// Lets runs keep pace with the clock on the wall from now on: what is due happens when its real time has come.
    ///
    /// ```
    /// use std::time::Duration;
    /// use sim_io::{Environment, RealTime};
    ///
    /// let env = Environment::new();
    /// // A thousand times as fast as the clock on the wall.
    /// env.keep_real_time(RealTime::new(0.001)?.lenient());
    /// env.run_until(Duration::from_secs(10))?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn keep_real_time(&self, how: RealTime) {
        self.core.pace.keep(how, self.now());
        self.core.open();
    }

    /// An environment that keeps pace with the clock on the wall, a second for a second, however late something is: what
    /// [real sockets](Self::net) go best with.
    pub fn in_real_time() -> Self {
        let env = Self::new();
        env.keep_real_time(RealTime::SECOND_FOR_SECOND);
        env
    }

    /// Keeps the clock virtual though there are [real sockets](Self::net): before it jumps, the environment waits for
    /// sockets for at most `patience`, in real time. With zero it only looks at them; with [`Duration::MAX`] the clock
    /// stands still as long as any process waits for a socket. When nothing else is scheduled it waits for sockets
    /// however long it takes. Ends [`keep_real_time`](Self::keep_real_time).
    #[cfg(feature = "reactor")]
    pub fn keep_virtual_time(&self, patience: Duration) {
        self.core.keep_virtual_time();
        crate::reactor::Reactor::of(&self.core).set_patience(patience);
    }

    /// The operating system's sockets, under this environment: clones of the same [`Net`](net_core::Net) at each call.
    ///
    /// Sockets need a clock that was chosen for them: [`in_real_time`](Self::in_real_time),
    /// [`keep_real_time`](Self::keep_real_time) or [`keep_virtual_time`](Self::keep_virtual_time). Without that, what
    /// opens one fails with an error that says so.
    #[cfg(feature = "reactor")]
    pub fn net(&self) -> net_core::Net {
        crate::reactor::Reactor::of(&self.core).net()
    }

    /// Which of the system's calls the environment waits for its sockets with.
    ///
    /// # Errors
    /// [`PollerInUse`](crate::reactor::PollerInUse) once a socket was opened.
    #[cfg(feature = "reactor")]
    pub fn use_poller(&self, poller: crate::reactor::Poller) -> Result<(), crate::reactor::PollerInUse> {
        crate::reactor::Reactor::of(&self.core).choose(poller)
    }

    /// Sets the simulated clock and the one on the wall side by side, after a pause between runs.
    pub fn sync(&self) {
        self.core.pace.sync(self.now());
    }

    /// Runs until nothing is left to happen, and no process waits for a real socket. Processes may still wait then, as idle servers do:
    /// [`blocked`](Self::blocked) tells of them.
    ///
    /// # Errors
    /// [`RunError::Unhandled`] for a failure that nobody waits for.
    pub fn run(&self) -> Result<(), RunError> {
        let _running = self.core.enter()?;
        while !matches!(self.core.step()?, Stepped::Empty) {}
        Ok(())
    }

    /// Runs until a time (an [`Instant`]: before the normal things of that instant; a [`Duration`] counts from now), or
    /// until an event or process has been processed, whose value it gives.
    ///
    /// # Errors
    /// [`RunError::Unhandled`], also with the failure of the event or process itself; [`RunError::Deadlock`] if nothing
    /// is left to happen before it; [`RunError::InThePast`].
    pub fn run_until<U: Until>(&self, until: U) -> Result<U::Output, RunError> {
        until.run(self)
    }

    /// Does the next thing; false if there is none.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub fn step(&self) -> Result<bool, RunError> {
        let _running = self.core.enter()?;
        Ok(!matches!(self.core.step()?, Stepped::Empty))
    }

    /// When the next thing will happen. Sockets are not looked at.
    pub fn peek(&self) -> Option<Instant> {
        self.core.peek()
    }

    /// The name of the process that runs.
    pub fn active_process(&self) -> Option<Rc<str>> {
        self.core.name_of(self.core.current()?)
    }

    /// The processes that wait, and for what.
    pub fn blocked(&self) -> Vec<Blocked> {
        self.core.blocked()
    }

    /// A number from the environment's randomness.
    pub fn random(&self) -> u64 {
        self.core.random()
    }

    /// A fraction from 0 up to, and without, 1.
    pub fn random_fraction(&self) -> f64 {
        // 53 bits are what a double holds.
        (self.random() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A hash of all steps so far: equal for equal runs.
    pub fn trace_hash(&self) -> u64 {
        self.core.trace.hash()
    }

    /// How many steps there have been.
    pub fn steps(&self) -> u64 {
        self.core.trace.steps()
    }

    /// Lets `watcher` see each step from here on, before it happens; it takes the place of the one before.
    pub fn watch(&self, watcher: impl FnMut(&Step) + 'static) {
        self.core.trace.watch(Box::new(watcher));
    }
}

impl Default for Environment {
    fn default() -> Self {
        Self::new()
    }
}

impl Clone for Environment {
    fn clone(&self) -> Self {
        Self {
            core: Rc::clone(&self.core),
            root: false,
        }
    }
}

impl Drop for Environment {
    fn drop(&mut self) {
        if self.root {
            self.core.clear();
        }
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment")
            .field("now", &self.now())
            .field("steps", &self.steps())
            .finish_non_exhaustive()
    }
}

/// What a run can last until; see [`Environment::run_until`].
pub trait Until: sealed::Sealed {
    /// What the run gives then.
    type Output;
    /// Runs.
    ///
    /// # Errors
    /// As [`Environment::run_until`].
    fn run(self, env: &Environment) -> Result<Self::Output, RunError>;
}

mod sealed {
    #[expect(
        unnameable_types,
        reason = "sealed: nobody outside may implement it, so nobody needs its name"
    )]
    pub trait Sealed {}
    impl Sealed for net_core::Instant {}
    impl Sealed for std::time::Duration {}
    impl<T> Sealed for &crate::Event<T> {}
    impl<T> Sealed for &crate::Process<T> {}
}

impl Until for Instant {
    type Output = ();

    fn run(self, env: &Environment) -> Result<(), RunError> {
        let now = env.now();
        if self <= now {
            return Err(RunError::InThePast { until: self, now });
        }
        let _running = env.core.enter()?;
        env.core.stop_at(self);
        while matches!(env.core.step()?, Stepped::On) {}
        Ok(())
    }
}

impl Until for Duration {
    type Output = ();

    fn run(self, env: &Environment) -> Result<(), RunError> {
        (env.now() + self).run(env)
    }
}

impl<T: Clone + 'static> Until for &Event<T> {
    type Output = T;

    fn run(self, env: &Environment) -> Result<T, RunError> {
        let _running = env.core.enter()?;
        if self.processed().is_none() {
            let _stop = self.stop_here();
            loop {
                match env.core.step()? {
                    Stepped::On => {}
                    Stepped::Stopped => break,
                    Stepped::Empty => {
                        return Err(RunError::Deadlock {
                            at: env.now(),
                            blocked: env.blocked(),
                        });
                    }
                }
            }
        }
        let Some(outcome) = self.processed() else {
            return Err(RunError::Deadlock {
                at: env.now(),
                blocked: env.blocked(),
            });
        };
        outcome.map_err(|failure| RunError::Unhandled {
            who: self.who(),
            at: env.now(),
            failure,
        })
    }
}

impl<T: Clone + 'static> Until for &Process<T> {
    type Output = T;

    fn run(self, env: &Environment) -> Result<T, RunError> {
        self.ended().run(env)
    }
}
