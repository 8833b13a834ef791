//! The explicit form: a socket is tried when it was told to be ready, and a selector is asked to tell.

use std::io;
use std::sync::Arc;
use std::task::{Context as Task, Poll};

use super::connection::Ports;
use super::selector::{Readiness, SelectorRequest, Watch};
use crate::{Inbox, Outbox, Signal};

pub(super) struct Explicit {
    selector: Outbox<SelectorRequest>,
    name: Arc<str>,
    reader: Direction,
    writer: Direction,
}

struct Direction {
    on: Readiness,
    /// Told to be ready, or never tried.
    may: bool,
}

impl Direction {
    fn new() -> Self {
        Self {
            on: Readiness::new(),
            may: true,
        }
    }
}

impl Explicit {
    pub(super) fn new(selector: Outbox<SelectorRequest>, name: Arc<str>) -> Self {
        Self {
            selector,
            name,
            reader: Direction::new(),
            writer: Direction::new(),
        }
    }

    pub(super) fn may_read(&mut self) {
        self.reader.may = true;
    }

    pub(super) fn may_write(&mut self) {
        self.writer.may = true;
    }

    /// Tries to read, if it may.
    pub(super) fn read<T>(
        &mut self,
        ports: &Ports,
        work: impl FnOnce(&mut Task<'_>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        let box_of = ports.ready.as_deref().map(|(read, _)| read);
        attempt(
            &mut self.reader,
            &mut self.selector,
            &self.name,
            box_of,
            work,
            SelectorRequest::NewReader,
        )
    }

    /// Tries to write, if it may.
    pub(super) fn write<T>(
        &mut self,
        ports: &Ports,
        work: impl FnOnce(&mut Task<'_>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        let box_of = ports.ready.as_deref().map(|(_, send)| send);
        attempt(
            &mut self.writer,
            &mut self.selector,
            &self.name,
            box_of,
            work,
            SelectorRequest::NewWriter,
        )
    }

    /// The socket is gone.
    pub(super) fn forget(&mut self) {
        // The selector's box is unbounded: it takes everything.
        let _ = self
            .selector
            .try_send(SelectorRequest::RemoveReader(self.reader.on.clone()));
        let _ = self
            .selector
            .try_send(SelectorRequest::RemoveWriter(self.writer.on.clone()));
    }
}

fn attempt<T>(
    direction: &mut Direction,
    selector: &mut Outbox<SelectorRequest>,
    name: &Arc<str>,
    told_at: Option<&Inbox<Signal>>,
    work: impl FnOnce(&mut Task<'_>) -> Poll<io::Result<T>>,
    request: impl FnOnce(Watch) -> SelectorRequest,
) -> Poll<io::Result<T>> {
    if !direction.may {
        return Poll::Pending;
    }
    let waker = direction.on.waker();
    let outcome = work(&mut Task::from_waker(&waker));
    if outcome.is_pending() {
        direction.may = false;
        let ready = Outbox::new();
        if let Some(told_at) = told_at
            && crate::link(&ready, told_at).is_ok()
        {
            // The selector's box is unbounded: it takes everything.
            let _ = selector.try_send(request(Watch::new(Arc::clone(name), &direction.on, ready)));
        }
    }
    outcome
}
