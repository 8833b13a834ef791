//! Where a socket's commands wait for its task: what the handle leads to.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};

use net_core::Lane;

use super::lock;
use super::step::Step;
use crate::InstanceId;

/// A socket's letter box. The model's handle leads here; the socket itself belongs to its task alone.
pub(super) struct Entry {
    number: u64,
    service: Arc<()>,
    inbox: Mutex<Inbox>,
}

#[derive(Default)]
struct Inbox {
    steps: Lane<(Step, InstanceId)>,
    /// Who has raised commands for this socket, if anybody wants to know.
    users: Option<BTreeSet<InstanceId>>,
    waker: Option<Waker>,
    stop: bool,
    closed: bool,
}

impl Entry {
    /// A socket of the service that this token belongs to; whether it remembers its users.
    pub(super) fn new(number: u64, service: Arc<()>, users: bool) -> Arc<Self> {
        Arc::new(Self {
            number,
            service,
            inbox: Mutex::new(Inbox {
                users: users.then(BTreeSet::new),
                ..Inbox::default()
            }),
        })
    }

    pub(super) fn number(&self) -> u64 {
        self.number
    }

    pub(super) fn belongs_to(&self, service: &Arc<()>) -> bool {
        Arc::ptr_eq(&self.service, service)
    }

    /// Gives a command to the task; back again if the socket is closed for good.
    pub(super) fn push(&self, step: Step, raiser: InstanceId) -> Result<(), Step> {
        let waker = {
            let mut inbox = lock(&self.inbox);
            if inbox.closed {
                return Err(step);
            }
            if let Some(users) = &mut inbox.users {
                users.insert(raiser);
            }
            inbox.steps.push_back((step, raiser));
            inbox.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
        Ok(())
    }

    /// Asks the task to close the socket, with nobody to answer to.
    pub(super) fn stop(&self) {
        let waker = {
            let mut inbox = lock(&self.inbox);
            inbox.stop = true;
            inbox.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// What came since the last call, and whether to stop. Wakes the caller when more comes.
    pub(super) fn take(&self, cx: &Context<'_>) -> (Lane<(Step, InstanceId)>, bool) {
        let mut inbox = lock(&self.inbox);
        match &mut inbox.waker {
            Some(waker) => waker.clone_from(cx.waker()),
            none => *none = Some(cx.waker().clone()),
        }
        let stop = std::mem::take(&mut inbox.stop);
        (std::mem::take(&mut inbox.steps), stop)
    }

    /// Ends the taking of commands, if none has come since.
    pub(super) fn close(&self) -> bool {
        let mut inbox = lock(&self.inbox);
        inbox.closed = inbox.steps.is_empty();
        if inbox.closed {
            inbox.waker = None;
        }
        inbox.closed
    }

    /// Ends the taking of commands, and gives those that wait.
    pub(super) fn break_off(&self) -> Lane<(Step, InstanceId)> {
        let mut inbox = lock(&self.inbox);
        inbox.closed = true;
        inbox.waker = None;
        std::mem::take(&mut inbox.steps)
    }

    /// Who has raised commands for this socket.
    pub(super) fn users(&self) -> BTreeSet<InstanceId> {
        lock(&self.inbox).users.clone().unwrap_or_default()
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry")
            .field("number", &self.number)
            .finish_non_exhaustive()
    }
}
