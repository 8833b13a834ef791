//! The three ways to drive a runtime.

use std::future::poll_fn;
use std::sync::atomic::Ordering;
use std::sync::{MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use net_core::{Alarm, Instant};

use super::inbox::Inbox;
use super::{Engine, Runtime};
use crate::InputError;

/// From so many milliseconds on it counts as late: more than 10.
const LATE: u64 = 11;
/// How often that is told.
const TELL_EVERY: u64 = 1000;

/// What is to be done next.
enum Next {
    /// Nothing any more.
    End,
    /// This at this moment, or what comes in.
    Wait(Option<Instant>),
}

/// What a driver remembers.
#[derive(Default)]
struct Driver {
    told_late: Option<u64>,
}

impl Runtime {
    /// Starts it, as a task in the background.
    ///
    /// # Errors
    /// The network can't run tasks here (the operating system's needs a tokio runtime around the call), or it is started
    /// already.
    pub fn start(&self) -> net_core::Result<()> {
        self.begin()?;
        let runtime = self.clone();
        let task = self.0.net.spawn(async move { runtime.drive().await });
        match task {
            Ok(_) => Ok(()),
            Err(error) => {
                self.end();
                Err(error)
            }
        }
    }

    /// Starts it and drives it in this task, until it ends. Dropping the future stops it for good.
    ///
    /// # Errors
    /// It is started already.
    pub async fn run(&self) -> net_core::Result<()> {
        self.begin()?;
        self.drive().await;
        Ok(())
    }

    /// Starts it and drives it by this thread, until it ends. It goes by the operating system's time: not for a simulated
    /// network, whose time does not pass while its thread is blocked.
    ///
    /// # Errors
    /// It is started already.
    pub fn run_blocking(&self) -> net_core::Result<()> {
        self.begin()?;
        let guard = EndOnDrop(self);
        let mut driver = Driver::default();
        while let Next::Wait(until) = self.pump(&mut driver) {
            let inbox = self.inbox();
            if !inbox.inputs.is_empty() || inbox.stop || self.may_end(until) {
                continue;
            }
            self.sleep(inbox, until);
        }
        drop(guard);
        Ok(())
    }

    /// Blocks the thread until a moment, or until something comes in.
    fn sleep(&self, mut inbox: MutexGuard<'_, Inbox>, until: Option<Instant>) {
        inbox.thread_sleeps = true;
        let arrived = &self.0.arrived;
        let mut inbox = match until {
            Some(until) => {
                // A little longer, so that the time has come for sure.
                let wait = until.saturating_duration_since(self.0.net.now()) + Duration::from_micros(50);
                let woken = arrived.wait_timeout(inbox, wait);
                woken.unwrap_or_else(PoisonError::into_inner).0
            }
            None => arrived.wait(inbox).unwrap_or_else(PoisonError::into_inner),
        };
        inbox.thread_sleeps = false;
    }

    /// Does all that is due, for a host that calls this now and then; the first call starts it. Gives how long nothing
    /// will be due unless something comes in; nothing to wait for at all is `None`, and so is the end.
    pub fn update(&self) -> Option<Duration> {
        // The first call starts it, so an error means no more than that this is a later one.
        let _ = self.begin();
        if self.has_ended() {
            return None;
        }
        match self.pump(&mut Driver::default()) {
            Next::Wait(until) => until.map(|until| until.saturating_duration_since(self.0.net.now())),
            Next::End => {
                self.end();
                None
            }
        }
    }

    /// Waits until it has ended. Cancel safe.
    pub async fn ended(&self) {
        poll_fn(|cx| {
            let mut inbox = self.inbox();
            if inbox.has_ended() {
                return Poll::Ready(());
            }
            if !inbox.enders.iter().any(|waker| waker.will_wake(cx.waker())) {
                inbox.enders.push(cx.waker().clone());
            }
            Poll::Pending
        })
        .await;
    }

    fn begin(&self) -> net_core::Result<()> {
        let time = super::milliseconds(self.engine().now());
        if self.inbox().start(&self.0.net, time) {
            return Ok(());
        }
        Err(
            net_core::Error::new(net_core::ErrorKind::InvalidInput, net_core::Operation::Run)
                .detail("the runtime is started already"),
        )
    }

    async fn drive(&self) {
        let _guard = EndOnDrop(self);
        let mut driver = Driver::default();
        let mut alarm = Alarm::default();
        while let Next::Wait(until) = self.pump(&mut driver) {
            let mut yielded = false;
            poll_fn(|cx| self.poll_wait(&mut alarm, until, &mut yielded, cx)).await;
        }
    }

    fn poll_wait(
        &self,
        alarm: &mut Alarm,
        until: Option<Instant>,
        yielded: &mut bool,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        let mut inbox = self.inbox();
        if !inbox.inputs.is_empty() || inbox.stop || self.may_end(until) {
            // However much comes in, other tasks have their turn.
            if std::mem::replace(yielded, true) {
                return Poll::Ready(());
            }
            drop(inbox);
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        inbox.waker = Some(cx.waker().clone());
        drop(inbox);
        match until {
            Some(until) => alarm.poll(&self.0.net, until, cx),
            None => Poll::Pending,
        }
    }

    /// Whether nothing is left to wait for.
    fn may_end(&self, until: Option<Instant>) -> bool {
        until.is_none() && !self.0.settings.keep_running && self.0.holds.load(Ordering::Acquire) == 0
    }

    /// Does all that is due.
    fn pump(&self, driver: &mut Driver) -> Next {
        let mut engine = self.engine();
        let (now, stop) = self.take_in(&mut engine);
        if stop {
            return Next::End;
        }
        if !engine.is_started() {
            engine.start();
        }
        if let Some(due) = engine.world.next_due()
            && let late @ LATE.. = now.saturating_sub(due)
        {
            // The listener may look at the engine.
            drop(engine);
            self.tell_late(late, now, driver);
            engine = self.engine();
        }
        engine.world.run_until(now);
        let due = engine.world.next_due();
        drop(engine);
        let inbox = self.inbox();
        let until = due.map(|due| inbox.moment(due).unwrap_or(Instant::ZERO));
        if inbox.inputs.is_empty() && self.may_end(until) {
            return Next::End;
        }
        Next::Wait(until)
    }

    /// Hands to the engine what came from others. Gives the time on the clock, and whether to stop.
    fn take_in(&self, engine: &mut Engine) -> (u64, bool) {
        let mut inbox = self.inbox();
        let now = inbox.elapsed(&self.0.net);
        for (ports, listener) in inbox.listeners.drain(..) {
            engine.world.listeners.add_named(ports, listener);
        }
        for input in inbox.inputs.drain(..) {
            let world = &mut engine.world;
            let given = if input.broadcast {
                world.add_broadcast(input.at, input.event)
            } else {
                world.add_input(input.at, input.event, input.to)
            };
            match given {
                Ok(()) => {}
                // Of an instance that is gone by now.
                Err(InputError::NoPort { port, .. }) => log_info!(%port, "no such private port any more"),
                Err(error) => log_warn!(%error, "an input was dropped"),
            }
        }
        (now, inbox.stop)
    }

    fn tell_late(&self, late: u64, now: u64, driver: &mut Driver) {
        let Some(behind) = &self.0.settings.behind else {
            return;
        };
        let told = driver.told_late.is_some_and(|told| now < told + TELL_EVERY);
        if told {
            return;
        }
        driver.told_late = Some(now);
        let late = Duration::from_millis(late);
        if net_core::catch_panic_in(|| behind(self, late)).is_err() {
            log_warn!("a listener for being late panicked");
        }
    }

    fn end(&self) {
        let enders = self.inbox().end();
        let mut engine = self.engine();
        let listeners = std::mem::take(&mut self.inbox().listeners);
        for (ports, listener) in listeners {
            engine.world.listeners.add_named(ports, listener);
        }
        engine.world.listeners.end();
        drop(engine);
        enders.into_iter().for_each(Waker::wake);
    }
}

/// However driving ends, whoever waits for the end is told.
struct EndOnDrop<'a>(&'a Runtime);

impl Drop for EndOnDrop<'_> {
    fn drop(&mut self) {
        self.0.end();
    }
}
