//! Giving answers to the controller: to whom, and what if it is full or gone.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::boot::Routing;
use super::event::SocketEvent;
use super::handle::SocketHandle;
use super::lock;
use super::machine::Answer;
use super::service::{Request, Shared};
use crate::{InputError, InstanceId};

/// The first pause before a full controller is offered an event again; doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(1);
/// The longest pause between two tries.
const LONGEST_PAUSE: Duration = Duration::from_millis(100);

impl Shared {
    /// Gives an answer at once, without waiting: when no task is left that could.
    pub(super) fn deliver_now(&self, answer: &Answer) {
        for to in self.targets(answer) {
            let controller = self.controller.upgrade();
            let given = controller.map(|controller| controller.add_input(answer.event.to_event(), to));
            if !matches!(given, Some(Ok(()))) {
                self.undelivered.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// Gives an answer to the controller. One that is full is waited for.
    pub(super) async fn deliver(self: &Arc<Self>, answer: Answer) {
        let event = answer.event.to_event();
        for to in self.targets(&answer) {
            let mut pause = FIRST_PAUSE;
            loop {
                // Not held while waiting.
                let given = match self.controller.upgrade() {
                    Some(controller) => controller.add_input(event.clone(), to),
                    None => Err(InputError::Stopped),
                };
                match given {
                    Ok(()) => break,
                    Err(InputError::Full { .. }) => {
                        self.net().sleep(pause).await;
                        pause = (pause * 2).min(LONGEST_PAUSE);
                    }
                    Err(error) => {
                        self.undelivered.fetch_add(1, Ordering::Relaxed);
                        #[cfg(feature = "tracing")]
                        tracing::warn!(%event, %error, "an answer could not be given");
                        if error == InputError::Stopped {
                            self.end_with_controller();
                        }
                        break;
                    }
                }
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

    /// Who gets an answer.
    fn targets(&self, answer: &Answer) -> Vec<Option<InstanceId>> {
        let (Some(raiser), false) = (answer.raiser, self.settings.routing == Routing::All) else {
            return vec![None];
        };
        // Of a new socket nobody knows but who asked for it.
        let created = matches!(answer.event, SocketEvent::Created { .. });
        let entry = answer.event.socket().and_then(SocketHandle::entry).filter(|_| !created);
        let mut targets = entry.map(|entry| entry.users()).unwrap_or_default();
        targets.insert(raiser);
        targets.into_iter().map(Some).collect()
    }
}
