//! What the handles on a channel, its open requests and its task share.

use std::cell::Cell;
use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::Waker;

use bytes::Bytes;
use net_core::framing::LengthPrefix;
use net_core::{Endpoint, Error, ErrorKind, Net, Sender};

use super::machine::Machine;
use super::waiters::Waiters;
use super::{ChannelError, Fault, MessageOptions, RequestError};
use crate::codec::{Codec, CodecError, Encode, Id, Kind};

pub(super) struct Shared<C> {
    pub(super) codec: C,
    pub(super) options: MessageOptions,
    pub(super) net: Net,
    pub(super) local: Endpoint,
    pub(super) peer: Endpoint,
    pub(super) sender: Sender<LengthPrefix>,
    pub(super) state: Mutex<State>,
    /// The channel is to be closed.
    closing: AtomicBool,
    /// The channel's task. A task is always polled with the same waker.
    pub(super) task: OnceLock<Waker>,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) machine: Machine<u32>,
    pub(super) slots: Slots,
    /// Requests of the peer that nobody has received yet: at most as many as may be open.
    pub(super) queue: VecDeque<(Id, Bytes)>,
    pub(super) receivers: Waiters,
    /// No request can come any more.
    pub(super) no_more: bool,
    pub(super) ended: Option<ChannelError>,
    pub(super) ends: Waiters,
}

/// What became of a request.
#[derive(Debug)]
pub(super) enum Outcome {
    Success(Bytes),
    Failure(Fault),
    Ended(ChannelError),
}

/// Where a reply is put, and who waits for it.
#[derive(Debug)]
pub(super) enum Slot {
    Waiting(Option<Waker>),
    /// Nobody waits any more; the reply is dropped when it comes.
    Abandoned,
    Done(Outcome),
    Free,
}

/// The slots of open requests; freed ones are used again.
#[derive(Debug, Default)]
pub(super) struct Slots {
    slots: Vec<Slot>,
    free: Vec<u32>,
}

impl Slots {
    pub(super) fn add(&mut self) -> u32 {
        match self.free.pop() {
            Some(index) => {
                self.slots[index as usize] = Slot::Waiting(None);
                index
            }
            None => {
                self.slots.push(Slot::Waiting(None));
                // Bounded by the limits of open requests and of memory alike.
                (self.slots.len() - 1) as u32
            }
        }
    }

    pub(super) fn get(&mut self, index: u32) -> &mut Slot {
        &mut self.slots[index as usize]
    }

    pub(super) fn release(&mut self, index: u32) -> Slot {
        self.free.push(index);
        std::mem::replace(&mut self.slots[index as usize], Slot::Free)
    }

    /// Puts a reply there; gives who waits for it.
    pub(super) fn settle(&mut self, index: u32, outcome: Outcome) -> Option<Waker> {
        match std::mem::replace(self.get(index), Slot::Done(outcome)) {
            Slot::Waiting(waker) => waker,
            _ => {
                self.release(index);
                None
            }
        }
    }
}

thread_local! {
    /// Where messages are encoded. Not in the connection's own buffer: the user's code runs meanwhile, and that may
    /// panic, or send something itself.
    static SCRATCH: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// How long the parts of a failure may be, in bytes: shorter and shorter, until it fits a packet.
const FAULT_LENGTHS: [usize; 4] = [4096, 1024, 128, 16];

/// The most room that is kept for the next message.
const KEPT: usize = 256 * 1024;

/// Lends an empty buffer.
fn with_scratch<T>(work: impl FnOnce(&mut Vec<u8>) -> T) -> T {
    let mut buffer = SCRATCH.try_with(Cell::take).unwrap_or_default();
    let value = work(&mut buffer);
    buffer.clear();
    if buffer.capacity() <= KEPT {
        // After the thread's end has begun it is just dropped.
        let _ = SCRATCH.try_with(|kept| kept.set(buffer));
    }
    value
}

/// Why a message could not be sent.
pub(super) enum Unsent {
    Codec(CodecError),
    Net(Error),
}

impl From<CodecError> for Unsent {
    fn from(error: CodecError) -> Self {
        Self::Codec(error)
    }
}

impl From<Error> for Unsent {
    fn from(error: Error) -> Self {
        Self::Net(error)
    }
}

impl<C> Shared<C> {
    /// Locks even after a panic elsewhere: no foreign code runs under the lock.
    #[inline]
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Acquire)
    }

    /// Lets the channel's task look again.
    pub(super) fn rouse(&self) {
        if let Some(task) = self.task.get() {
            task.wake_by_ref();
        }
    }

    pub(super) fn close(&self) {
        self.closing.store(true, Ordering::Release);
        self.end(&ChannelError::Closed);
        self.rouse();
    }

    /// The channel is over. The first reason counts.
    pub(super) fn end(&self, reason: &ChannelError) {
        let mut woken = Vec::new();
        {
            let State {
                machine,
                slots,
                receivers,
                no_more,
                ended,
                ends,
                ..
            } = &mut *self.lock();
            if ended.is_some() {
                return;
            }
            *ended = Some(reason.clone());
            *no_more = true;
            for slot in machine.end() {
                woken.extend(slots.settle(slot, Outcome::Ended(reason.clone())));
            }
            woken.extend(receivers.all());
            woken.extend(ends.all());
        }
        woken.into_iter().for_each(Waker::wake);
    }

    pub(super) fn reason(&self) -> ChannelError {
        self.lock().ended.clone().unwrap_or(ChannelError::Closed)
    }
}

impl<C: Codec> Shared<C> {
    pub(super) fn new(codec: C, options: MessageOptions, framed: &mut net_core::Framed<LengthPrefix>) -> Arc<Self> {
        let stream = framed.stream();
        Arc::new(Self {
            net: stream.net(),
            local: stream.local().clone(),
            peer: stream.peer().clone(),
            sender: framed.sender(),
            state: Mutex::new(State {
                machine: Machine::new(options.limit, options.strict),
                slots: Slots::default(),
                queue: VecDeque::new(),
                receivers: Waiters::default(),
                no_more: false,
                ended: None,
                ends: Waiters::default(),
            }),
            closing: AtomicBool::new(false),
            task: OnceLock::new(),
            codec,
            options,
        })
    }

    /// Gathers a message; gives it back if there is no room for it now.
    pub(super) fn post<T: ?Sized>(&self, kind: Kind, id: &Id, content: &T) -> Result<Option<Vec<u8>>, Unsent>
    where
        C: Encode<T>,
    {
        with_scratch(|out| {
            self.codec.begin(kind, id, out);
            self.codec.encode(content, out)?;
            self.codec.end(out);
            match self.sender.push(out) {
                Ok(()) => Ok(None),
                Err(error) if error.kind() == ErrorKind::Limit => Ok(Some(out.clone())),
                Err(error) => Err(error.into()),
            }
        })
    }

    /// Answers a request of the peer.
    pub(super) fn succeed<T: ?Sized>(&self, id: &Id, content: &T) -> Result<(), RequestError>
    where
        C: Encode<T>,
    {
        let outcome = match self.post(Kind::Success, id, content) {
            Ok(None) => Ok(()),
            Ok(Some(_)) => return Err(self.overflow()),
            Err(Unsent::Net(error)) if error.kind() == ErrorKind::FrameTooLong => Err((
                Fault::new("ValueError", error.to_string()),
                RequestError::TooLarge(error),
            )),
            Err(Unsent::Net(_)) => return Err(RequestError::Channel(self.reason())),
            Err(Unsent::Codec(error)) => Err((
                Fault::new("ValueError", format!("the reply can't be encoded: {error}")),
                RequestError::Codec(error),
            )),
        };
        match outcome {
            Ok(()) => {
                self.answered();
                Ok(())
            }
            // The peer must hear of it, or it waits for ever.
            Err((fault, error)) => self.fail(id, fault).and(Err(error)),
        }
    }

    /// Answers a request of the peer with a failure.
    pub(super) fn fail(&self, id: &Id, fault: Fault) -> Result<(), RequestError> {
        let outcome = self.refuse(id, fault);
        self.answered();
        outcome
    }

    /// The same for a request that was never counted.
    pub(super) fn refuse(&self, id: &Id, mut fault: Fault) -> Result<(), RequestError> {
        // How long it is when it is written shows by writing it. The peer waits for an answer, so the shortest one is
        // better than none.
        let mut lengths = FAULT_LENGTHS.into_iter();
        let pushed = loop {
            let longest = lengths.next();
            fault.shorten(longest.unwrap_or(0));
            match self.push_fault(id, &fault) {
                Err(error) if error.kind() == ErrorKind::FrameTooLong && longest.is_some() => {}
                pushed => break pushed,
            }
        };
        match pushed {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == ErrorKind::Limit => Err(self.overflow()),
            Err(error) if error.kind() == ErrorKind::FrameTooLong => Err(RequestError::TooLarge(error)),
            Err(_) => Err(RequestError::Channel(self.reason())),
        }
    }

    fn push_fault(&self, id: &Id, fault: &Fault) -> Result<(), Error> {
        with_scratch(|out| {
            self.codec.begin(Kind::Failure, id, out);
            let content = out.len();
            if let Err(error) = self.codec.encode_fault(fault, self.options.failures, out) {
                out.truncate(content);
                let fault = Fault::message_only(error.to_string());
                // If not even that can be written, an empty failure is one still.
                let _ = self.codec.encode_fault(&fault, self.options.failures, out);
            }
            self.codec.end(out);
            self.sender.push(out)
        })
    }

    fn answered(&self) {
        let drained = {
            let mut state = self.lock();
            state.machine.answered();
            state.no_more && state.machine.taken() == 0
        };
        if drained {
            self.rouse();
        }
    }

    /// The peer takes no replies, and there is no more room for them.
    #[cold]
    fn overflow(&self) -> RequestError {
        let error = Error::new(ErrorKind::Limit, net_core::Operation::Write)
            .at(&self.peer)
            .detail("the peer asks but does not read the replies: there is no more room for them");
        let error = ChannelError::Net(error);
        self.closing.store(true, Ordering::Release);
        self.end(&error);
        self.rouse();
        RequestError::Channel(error)
    }
}

/// Holds the channel open: handles, replies and requests do. With the last of them it closes.
pub(super) struct Holder<C>(Arc<Held<C>>);

struct Held<C>(Arc<Shared<C>>);

impl<C> Drop for Held<C> {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl<C> Holder<C> {
    pub(super) fn new(shared: Arc<Shared<C>>) -> Self {
        Self(Arc::new(Held(shared)))
    }
}

impl<C> Clone for Holder<C> {
    #[inline]
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<C> std::ops::Deref for Holder<C> {
    type Target = Shared<C>;

    #[inline]
    fn deref(&self) -> &Shared<C> {
        &self.0.0
    }
}

impl<C> fmt::Debug for Shared<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("peer", &self.peer)
            .finish_non_exhaustive()
    }
}
