//! Giving answers to the controller: to whom, and what if it is full or gone.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::boot::Routing;
use super::event::SocketEvent;
use super::handle::SocketHandle;
use super::lock;
use super::machine::Answer;
use super::service::{Request, Shared};
use crate::{Event, InputError, InstanceId};

/// The first pause before a full controller is offered an event again; doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(1);
/// The longest pause between two tries.
const LONGEST_PAUSE: Duration = Duration::from_millis(100);

impl Shared {
    /// Gives an answer at once, without waiting: when no task is left that could.
    pub(super) fn deliver_now(&self, answer: &Answer) {
        let to = match self.targets(answer) {
            None => vec![None],
            Some(targets) => targets.into_iter().map(Some).collect(),
        };
        for to in to {
            let controller = self.controller.upgrade();
            let given = controller.map(|controller| controller.add_input(answer.event.to_event(), to));
            if !matches!(given, Some(Ok(()))) {
                self.undelivered.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// Gives an answer to the controller. One that is full is waited for.
    pub(super) async fn deliver(self: &Arc<Self>, answer: Answer) {
        if let Some(rest) = self.deliver_at_once(&answer) {
            self.deliver_later(rest).await;
        }
    }

    /// The same without waiting: what a controller that is full did not take comes back.
    pub(super) fn deliver_at_once(self: &Arc<Self>, answer: &Answer) -> Option<Undelivered> {
        let event = answer.event.to_event();
        let Some(targets) = self.targets(answer) else {
            let event = self.offer(event, None)?;
            return Some(Undelivered { event, to: vec![None] });
        };
        let mut to = targets.into_iter();
        while let Some(next) = to.next() {
            if let Some(event) = self.offer(event.clone(), Some(next)) {
                let to = std::iter::once(next).chain(to).map(Some).collect();
                return Some(Undelivered { event, to });
            }
        }
        None
    }

    /// Gives to a controller that was full just now what it did not take.
    pub(super) async fn deliver_later(self: &Arc<Self>, rest: Undelivered) {
        for to in rest.to {
            let mut pause = FIRST_PAUSE;
            while self.offer(rest.event.clone(), to).is_some() {
                self.net().sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
    }

    /// Offers an event to the controller, which is not held for longer. Comes back if that is full.
    fn offer(self: &Arc<Self>, event: Event, to: Option<InstanceId>) -> Option<Event> {
        let given = match self.controller.upgrade() {
            Some(controller) => controller.add_input(event.clone(), to),
            None => Err(InputError::Stopped),
        };
        match given {
            Ok(()) => None,
            Err(InputError::Full { .. }) => Some(event),
            Err(error) => {
                self.undelivered.fetch_add(1, Ordering::Relaxed);
                #[cfg(feature = "tracing")]
                tracing::warn!(%event, %error, "an answer could not be given");
                if error == InputError::Stopped {
                    self.end_with_controller();
                }
                None
            }
        }
    }

    /// Nobody hears the answers any more.
    fn end_with_controller(self: &Arc<Self>) {
        if !lock(&self.state).stopping {
            self.request(Request::Stop {
                raiser: None,
                done: None,
                silent: true,
            });
        }
    }

    /// Who gets an answer; none means all.
    fn targets(&self, answer: &Answer) -> Option<BTreeSet<InstanceId>> {
        let (Some(raiser), Routing::Users) = (answer.raiser, self.settings.routing) else {
            return None;
        };
        // Of a new socket nobody knows but who asked for it.
        let created = matches!(answer.event, SocketEvent::Created { .. });
        let entry = answer.event.socket().and_then(SocketHandle::entry).filter(|_| !created);
        let mut targets = entry.map(|entry| entry.users()).unwrap_or_default();
        targets.insert(raiser);
        Some(targets)
    }
}

/// An answer that a full controller did not take yet.
pub(super) struct Undelivered {
    event: Event,
    /// Who is still to get it; none means all.
    to: Vec<Option<InstanceId>>,
}
