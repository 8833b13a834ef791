//! The protocol of messages, without I/O: which requests are open, and what a message means.

use std::collections::BTreeMap;

use super::Fault;
use crate::codec::{Codec, CodecError, Id, Kind};

/// One end of a channel. `W` is whatever waits for a reply.
#[derive(Debug)]
pub(super) struct Machine<W> {
    next: u64,
    /// Our requests that have no reply yet.
    open: BTreeMap<u64, W>,
    /// The peer's requests that have no reply yet.
    taken: usize,
    limit: usize,
    strict: bool,
}

/// What a message means.
#[derive(Debug)]
pub(super) enum Event<'a, W> {
    /// The peer asks; it counts as open until [`Machine::answered`].
    Request { id: Id, content: &'a [u8] },
    /// The peer asks, but so many of its requests are open already: this one does not count.
    Excess { id: Id },
    /// A reply.
    Success { waiter: W, content: &'a [u8] },
    /// A failure as the reply.
    Failure { waiter: W, fault: Fault },
}

impl<W> Machine<W> {
    pub(super) fn new(limit: usize, strict: bool) -> Self {
        Self {
            next: 0,
            open: BTreeMap::new(),
            taken: 0,
            limit,
            strict,
        }
    }

    /// Begins a request: its id. Gives the waiter back if too many are open.
    pub(super) fn ask(&mut self, waiter: W) -> Result<u64, W> {
        if self.open.len() >= self.limit {
            return Err(waiter);
        }
        let id = self.next;
        self.next += 1;
        self.open.insert(id, waiter);
        Ok(id)
    }

    /// Takes a request back that could not be sent.
    pub(super) fn withdraw(&mut self, id: u64) -> Option<W> {
        self.open.remove(&id)
    }

    /// Our reply to a request of the peer is on its way.
    pub(super) fn answered(&mut self) {
        self.taken = self.taken.saturating_sub(1);
    }

    /// How many requests of the peer are open.
    pub(super) fn taken(&self) -> usize {
        self.taken
    }

    /// The channel is over: all that still wait.
    pub(super) fn end(&mut self) -> impl Iterator<Item = W> {
        std::mem::take(&mut self.open).into_values()
    }

    /// What a packet means.
    ///
    /// # Errors
    /// If it is no message, or a reply to no request. The channel can't go on then.
    pub(super) fn receive<'a>(&mut self, codec: &impl Codec, packet: &'a [u8]) -> Result<Event<'a, W>, CodecError> {
        let message = codec.open(packet)?;
        if message.odd && self.strict {
            return Err(CodecError::new(format_args!(
                "a {:?} with the id {} whose type or id is no plain number",
                message.kind, message.id
            )));
        }
        if message.kind == Kind::Request {
            if self.taken >= self.limit {
                return Ok(Event::Excess { id: message.id });
            }
            self.taken += 1;
            return Ok(Event::Request {
                id: message.id,
                content: message.content,
            });
        }
        let waiter = match &message.id {
            Id::Number(id) => self.open.remove(id),
            Id::Other(_) => None,
        };
        let Some(waiter) = waiter else {
            return Err(CodecError::new(format_args!(
                "a reply to the request {}, which is not open",
                message.id
            )));
        };
        Ok(match message.kind {
            Kind::Failure => Event::Failure {
                waiter,
                fault: codec.decode_fault(message.content),
            },
            _ => Event::Success {
                waiter,
                content: message.content,
            },
        })
    }
}
