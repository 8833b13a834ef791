//! Runs one component: listens for the order to end, sees how it ends, and says so.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as Task, Poll};

use net_core::catch_panic_in;

use crate::boxes::AnyNode;
use crate::component::{Body, Outcome, Prepared, Start};
use crate::ear::Ear;
use crate::introspect::{fed_by, tell_stranded};
use crate::ipc::ProducerFinished;
use crate::owner::Owner;
use crate::system::Inner;
use crate::{Context, End, EndReason, Event, Failure, Outbox, Signal, System};

pub(crate) struct Run {
    body: State,
    control: Option<Ear>,
    owner: Arc<Owner>,
    system: Arc<Inner>,
    /// A failure is not told by `signal`: somebody will start it anew.
    quiet: bool,
}

enum State {
    /// Its first step is taken in its own task.
    New(Start),
    Running(Body),
    Over,
}

impl Run {
    pub(crate) fn new(system: &Arc<Inner>, owner: &Arc<Owner>, prepared: Prepared, quiet: bool) -> Self {
        let Prepared {
            boxes,
            automatic,
            start,
            ..
        } = prepared;
        for entry in boxes {
            let owner = Some(Arc::clone(owner));
            entry.node.set_label(entry.name, entry.documentation, owner);
        }
        Self {
            body: State::New(start),
            control: automatic,
            owner: Arc::clone(owner),
            system: Arc::clone(system),
            quiet,
        }
    }

    /// Goes on with the body.
    fn step(&mut self, cx: &mut Task<'_>) -> Poll<Outcome> {
        if matches!(self.body, State::New(_))
            && let State::New(start) = std::mem::replace(&mut self.body, State::Over)
        {
            let context = Context::new(&System(Arc::clone(&self.system)), &self.owner);
            self.body = State::Running(start(context));
        }
        match &mut self.body {
            State::Running(body) => body.as_mut().poll(cx),
            // Only if `start` has panicked, and then it is not polled again.
            State::New(_) | State::Over => Poll::Ready(Ok(())),
        }
    }

    fn finish(&mut self, reason: EndReason) {
        // Its boxes close: what was not read is counted. A destructor that panics hurts nobody else.
        let body = std::mem::replace(&mut self.body, State::Over);
        let reason = match catch_panic_in(|| drop(body)) {
            Ok(()) => reason,
            Err(panic) => EndReason::Panicked(Failure::from(panic)),
        };
        let owner = &self.owner;
        for child in owner.children() {
            child.tell(Signal::shutdown_by(Arc::clone(owner.name())));
        }
        let quiet = self.quiet && reason.failure().is_some();
        if let Some(signal) = owner.signal()
            && !signal.has_said_end()
            && !quiet
        {
            let mut signal = Outbox::on(signal);
            // A box of signals takes everything.
            let _ = signal.try_send(last_words(owner, &reason));
        }
        let boxes = owner.let_go();
        let fed = fed_by(&boxes);
        for node in boxes {
            node.detach();
        }
        self.control = None;
        let end = End {
            component: Arc::clone(owner.name()),
            reason,
            left_behind: owner.messages_left_behind(),
            failures: owner.take_failures(),
        };
        self.system.ended(owner, &end);
        tell_stranded(&self.system, &fed, owner.name());
        self.system.tell(&Event::Ended(end.clone()));
        owner.end_with(end);
    }
}

/// What a component says at its end, if it has not done so itself.
fn last_words(owner: &Owner, reason: &EndReason) -> Signal {
    match (reason, owner.heard()) {
        (EndReason::Stopped, Some(signal)) if signal.is_shutdown() => signal,
        (EndReason::Stopped | EndReason::Aborted, _) => Signal::shutdown_by(Arc::clone(owner.name())),
        _ => Signal::ProducerFinished(ProducerFinished {
            caller: Some(Arc::clone(owner.name())),
            failure: reason.failure().cloned(),
            message: None,
        }),
    }
}

impl Future for Run {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Task<'_>) -> Poll<()> {
        let this = &mut *self;
        if matches!(this.body, State::Over) {
            return Poll::Ready(());
        }
        // First what was told, so that an order to end at once overtakes data.
        match &this.control {
            Some(ear) => ear.listen(&this.owner, cx),
            None => this.owner.run_by(cx),
        }
        if this.owner.is_aborted() {
            this.finish(EndReason::Aborted);
            return Poll::Ready(());
        }
        let reason = match catch_panic_in(|| this.step(cx)) {
            Ok(Poll::Pending) => {
                this.owner.rest();
                return Poll::Pending;
            }
            Ok(Poll::Ready(Ok(()))) if this.owner.is_stopped() => EndReason::Stopped,
            Ok(Poll::Ready(Ok(()))) => EndReason::Finished,
            Ok(Poll::Ready(Err(failure))) if failure.is_stop() => EndReason::Stopped,
            Ok(Poll::Ready(Err(failure))) => EndReason::Failed(failure),
            Err(panic) => EndReason::Panicked(Failure::from(panic)),
        };
        this.finish(reason);
        Poll::Ready(())
    }
}

/// The runtime is gone, or was told to drop the task.
impl Drop for Run {
    fn drop(&mut self) {
        if !matches!(self.body, State::Over) {
            self.finish(EndReason::Aborted);
        }
    }
}
