//! Real sockets: processes wait for the operating system's sockets as they wait for events.
//!
//! [`Environment::net`](crate::Environment::net) gives a [`Net`] whose connections, listeners and datagrams are real: TCP,
//! UDP, Unix sockets, and TLS over them. All of it runs on the environment's one thread.
//!
//! ```
//! use net_core::Endpoint;
//! use sim_io::Environment;
//! use tokio::io::{AsyncReadExt, AsyncWriteExt};
//!
//! let env = Environment::in_real_time();
//! let (net, there) = (env.net(), env.event::<Endpoint>());
//! env.try_process({
//!     let (net, there) = (net.clone(), there.clone());
//!     async move {
//!         let mut listener = net.bind(&"tcp://127.0.0.1:0".parse()?).await?;
//!         there.succeed(listener.local().clone())?;
//!         let mut stream = listener.accept().await?;
//!         let mut said = [0; 4];
//!         stream.read_exact(&mut said).await?;
//!         stream.write_all(b"cya").await?;
//!         Ok::<_, sim_io::Failure>(())
//!     }
//! });
//! let client = env.try_process(async move {
//!     let mut stream = net.connect(&there.await?).await?;
//!     stream.write_all(b"ohai").await?;
//!     let mut answer = String::new();
//!     stream.read_to_string(&mut answer).await?;
//!     Ok::<_, sim_io::Failure>(answer)
//! });
//! assert_eq!(env.run_until(&client)?, "cya");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Clocks
//! * **Real time** ([`in_real_time`](crate::Environment::in_real_time),
//!   [`keep_real_time`](crate::Environment::keep_real_time)): between two things that are due the environment waits for
//!   sockets. What a socket brings happens when it comes, by the monotonic clock on the wall; only what was scheduled can
//!   be late.
//! * **Virtual time** ([`keep_virtual_time`](crate::Environment::keep_virtual_time)): before the clock jumps, the
//!   environment waits for sockets for at most the given patience, in real time. None (zero) only looks: a time limit,
//!   which is virtual, may be over before a peer could answer. All ([`Duration::MAX`]) holds the clock as long as any
//!   process waits for a socket, a server's `accept` included.
//! * Neither was said: what opens a socket fails with an error that names the ways out, so that nobody mixes a clock that
//!   jumps with peers that can't by accident.
//!
//! # Runs
//! * A run goes on as long as a process waits for a socket or for the address of a name. With nothing left to happen and
//!   nobody who waits for those, it ends, or is a [deadlock](crate::RunError::Deadlock). Whoever gives up waiting for a
//!   socket but keeps it does so without a word; after half a second of silence the processes that count as waiting go on
//!   once, to say again what they wait for.
//! * Sockets are looked at after 256 steps at most, so that a process that never waits can't starve them. Nor can one
//!   whose peer floods it starve others: after 128 operations on sockets in one step it goes on in a later one.
//! * Wakes of other threads end the wait. They are no reason to wait: a process that only another thread will wake is
//!   waited for only while something is scheduled, or somebody waits for a socket.
//! * What sockets bring comes when it comes: runs with real sockets are not the same twice, and have different
//!   [trace hashes](crate::Environment::trace_hash).
//!
//! # Handles
//! Streams, listeners and datagrams are pairs of numbers, looked up among the thread's environments, and so are `Send`. On
//! another thread, or after the environment's end, which closes all of its sockets, their operations give an error.

mod backend;
mod bell;
mod look_up;
mod mio;
mod poll;
mod poller;
mod precise;
mod select;
mod source;
#[cfg(test)]
mod tests;

use std::cell::{Cell, RefCell};
use std::io;
use std::os::fd::AsFd;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Context;
use std::time::Duration;

use net_core::{Instant, Net};

pub use self::poller::{Poller, PollerInUse};
use self::poller::{Ready, Wait};
use self::source::{Source, Waiter};
use crate::environment::core::{Core, WaitsFor};
use crate::environment::queue::Slot;
use crate::environment::table::Table;
use crate::environment::wall;

/// How many steps there may be between two looks at the sockets.
const STEPS: u32 = 256;

/// How many operations on sockets there may be in one step: a peer that floods keeps its reader busy, but nobody else from
/// having a turn.
const OPERATIONS: u32 = 128;

/// The sockets of an environment.
pub(crate) struct Reactor {
    id: u64,
    core: Rc<Core>,
    net: Net,
    state: RefCell<State>,
    /// How long the virtual clock is held for sockets; None: nobody has said that it may be virtual.
    patience: Cell<Option<Duration>>,
    steps: Cell<u32>,
    /// How many operations there were, and in which step of the environment.
    operations: Cell<(u64, u32)>,
    /// Everybody was asked whether they still wait, and may answer.
    asked: Cell<bool>,
    /// At which number of steps all answers were there.
    certain: Cell<Option<u64>>,
    /// To which time the virtual clock is about to jump, and since when that is held up.
    held: Cell<Option<(Instant, std::time::Instant)>>,
    /// Look-ups that somebody waits for.
    look_ups: Cell<usize>,
    tasks: Cell<u64>,
    #[cfg(test)]
    waits: Cell<u64>,
}

struct State {
    choice: Poller,
    /// Made when it is first needed.
    poller: Option<Box<dyn Wait>>,
    sources: Table<Source>,
    /// How many sides of sources have a waiter.
    waiting: usize,
    ready: Vec<Ready>,
    /// Storage of [`Woken`], used again.
    woken: Vec<Waiter>,
    /// Room to read into for those who bring none that is initialized.
    room: Vec<u8>,
}

thread_local! {
    static REACTORS: RefCell<Vec<Rc<Reactor>>> = const { RefCell::new(Vec::new()) };
}

/// The reactor of that number, if it is alive and of this thread.
#[inline]
fn find(id: u64) -> io::Result<Rc<Reactor>> {
    let found = REACTORS.try_with(|reactors| {
        let reactors = reactors.borrow();
        reactors.iter().rev().find(|reactor| reactor.id == id).map(Rc::clone)
    });
    found.ok().flatten().ok_or_else(gone)
}

#[cold]
fn gone() -> io::Error {
    io::Error::other("this belongs to an environment that has ended, or that lives on another thread")
}

impl Reactor {
    /// The reactor of an environment; made when it is first asked for.
    pub(crate) fn of(core: &Rc<Core>) -> Rc<Self> {
        if let Some(reactor) = core.reactor() {
            return reactor;
        }
        static IDS: AtomicU64 = AtomicU64::new(0);
        let id = IDS.fetch_add(1, Ordering::Relaxed);
        let reactor = Rc::new(Self {
            id,
            core: Rc::clone(core),
            net: Net::new(Arc::new(backend::Sockets(id))),
            state: RefCell::new(State {
                choice: Poller::default(),
                poller: None,
                sources: Table::default(),
                waiting: 0,
                ready: Vec::new(),
                woken: Vec::new(),
                room: Vec::new(),
            }),
            patience: Cell::new(None),
            steps: Cell::new(0),
            operations: Cell::new((0, 0)),
            asked: Cell::new(false),
            certain: Cell::new(None),
            held: Cell::new(None),
            look_ups: Cell::new(0),
            tasks: Cell::new(0),
            #[cfg(test)]
            waits: Cell::new(0),
        });
        // The environment's end is that of its sockets: handles keep nothing alive for ever.
        core.at_end(move || {
            let ended = REACTORS.try_with(|reactors| {
                let mut reactors = reactors.borrow_mut();
                let index = reactors.iter().position(|reactor| reactor.id == id)?;
                Some(reactors.remove(index))
            });
            drop(ended);
        });
        core.set_reactor(&reactor);
        REACTORS.with(|reactors| reactors.borrow_mut().push(Rc::clone(&reactor)));
        reactor
    }

    pub(crate) fn net(&self) -> Net {
        self.net.clone()
    }

    pub(crate) fn choose(&self, poller: Poller) -> Result<(), PollerInUse> {
        let state = &mut *self.state.borrow_mut();
        if state.poller.is_some() {
            return Err(PollerInUse);
        }
        state.choice = poller;
        Ok(())
    }

    pub(crate) fn set_patience(&self, patience: Duration) {
        self.patience.set(Some(patience));
    }

    pub(crate) fn patience(&self) -> Duration {
        self.patience.get().unwrap_or_default()
    }

    /// Makes sure that sockets may be used, and can.
    fn prepare(&self) -> io::Result<()> {
        if self.patience.get().is_none() && !self.core.keeps_real_time() {
            return Err(io::Error::new(
                io::ErrorKind::Unsupported,
                "real sockets under a virtual clock: choose real time with Environment::in_real_time or keep_real_time, \
                 or say with keep_virtual_time how long the clock waits for sockets",
            ));
        }
        let state = &mut *self.state.borrow_mut();
        if state.poller.is_none() {
            let mut poller = state.choice.make()?;
            self.core.set_alarm(poller.alarm()?);
            state.poller = Some(poller);
        }
        Ok(())
    }

    /// Whether somebody waits for a socket or a look-up. Who has given up waiting without a word counts too, until
    /// [`ask`](Self::ask) finds out.
    #[inline]
    pub(crate) fn is_waited_for(&self) -> bool {
        self.look_ups.get() > 0 || self.state.borrow().waiting > 0
    }

    /// Whether it is certain, at that number of steps, that all who count as waiting do wait.
    pub(crate) fn is_certain(&self, steps: u64) -> bool {
        if self.asked.take() {
            self.certain.set(Some(steps));
        }
        self.certain.get() == Some(steps)
    }

    /// Those who count as waiting for sockets. Who goes on, and still waits, says so again.
    pub(crate) fn ask(&self) -> Woken {
        self.asked.set(true);
        let state = &mut *self.state.borrow_mut();
        let mut woken = std::mem::take(&mut state.woken);
        for source in state.sources.iter_mut() {
            woken.extend(source.take_waiters().into_iter().flatten());
        }
        state.waiting = 0;
        Woken(woken)
    }

    /// For how long the clock has been held before it jumps to that time, in real time.
    pub(crate) fn held(&self, at: Instant) -> Duration {
        let now = wall();
        match self.held.get() {
            Some((until, since)) if until == at => now.saturating_duration_since(since),
            _ => {
                self.held.set(Some((at, now)));
                Duration::ZERO
            }
        }
    }

    /// Counts a step; true if it is time to look at the sockets though other things are due.
    pub(crate) fn is_time_to_look(&self) -> bool {
        self.steps.set(self.steps.get() + 1);
        self.steps.get() >= STEPS
    }

    /// Counts an operation; true if it is to wait until others have had their turn. Who polls is woken then.
    #[inline]
    fn has_to_give_way(&self, cx: &Context<'_>) -> bool {
        let steps = self.core.trace.steps();
        let before = match self.operations.get() {
            (at, count) if at == steps => count,
            _ => 0,
        };
        if before < OPERATIONS {
            self.operations.set((steps, before + 1));
            return false;
        }
        self.give_way(cx);
        true
    }

    #[cold]
    fn give_way(&self, cx: &Context<'_>) {
        // After what is due by now, and a look at the sockets.
        self.steps.set(STEPS);
        self.core.wake_at(self.core.now_outside(), cx);
    }

    /// Waits for sockets; gives those who waited for what is ready.
    pub(crate) fn wait(&self, limit: Option<Duration>) -> io::Result<Woken> {
        self.steps.set(0);
        if limit != Some(Duration::ZERO) {
            self.asked.set(false);
        }
        #[cfg(test)]
        self.waits.set(self.waits.get() + 1);
        let state = &mut *self.state.borrow_mut();
        let mut woken = std::mem::take(&mut state.woken);
        let Some(poller) = &mut state.poller else {
            return Ok(Woken(woken));
        };
        {
            let sources = state.sources.iter();
            let mut wanted = sources.filter_map(|(slot, source)| source.wanted(slot.index()));
            poller.wait(&mut wanted, limit, &mut state.ready)?;
        }
        for ready in state.ready.drain(..) {
            if let Some(source) = state.sources.at_mut(ready.place) {
                woken.extend(source.tell(ready).into_iter().flatten());
            }
        }
        state.waiting = state.waiting.saturating_sub(woken.len());
        Ok(Woken(woken))
    }

    /// Lets them go on, after what is due already.
    pub(crate) fn wake(&self, mut woken: Woken) {
        for waiter in woken.0.drain(..) {
            match waiter {
                Waiter::Process(process) => self.core.wake(process),
                Waiter::Other(waker) => waker.wake(),
            }
        }
        self.state.borrow_mut().woken = woken.0;
    }

    /// Takes a socket in.
    fn insert(&self, source: Source) -> io::Result<Handle> {
        let slot = self.state.borrow_mut().sources.insert(source);
        let handle = Handle { reactor: self.id, slot };
        Ok(handle)
    }

    /// Begins to wait for a socket.
    fn register(&self, slot: Slot) -> io::Result<()> {
        let state = &mut *self.state.borrow_mut();
        if let (Some(source), Some(poller)) = (state.sources.get_mut(slot), &mut state.poller)
            && !source.registered
        {
            poller.add(slot.index(), source.socket.as_fd())?;
            source.registered = true;
        }
        Ok(())
    }

    fn close(&self, slot: Slot) {
        let removed = {
            let state = &mut *self.state.borrow_mut();
            let removed = state.sources.remove(slot);
            if let Some(source) = &removed {
                let sides = [&source.read, &source.write];
                state.waiting -= sides.iter().filter(|side| side.waiter.is_some()).count();
                if let (Some(poller), true) = (&mut state.poller, source.registered) {
                    poller.remove(source.socket.as_fd());
                }
            }
            removed
        };
        // The wakers are somebody else's: they are dropped outside of the borrow.
        drop(removed);
    }

    /// Who polls, with what it waits for told to the environment.
    fn waiter(&self, cx: &Context<'_>, what: &'static str, name: Rc<str>) -> Waiter {
        self.core.waits_for(WaitsFor::Thing(what, Some(name)));
        match self.core.asking(cx) {
            Some(process) => Waiter::Process(process),
            None => Waiter::Other(cx.waker().clone()),
        }
    }
}

/// Those who go on.
pub(crate) struct Woken(Vec<Waiter>);

impl Woken {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A program's hold on a socket: dropping it closes the socket.
#[derive(Debug)]
struct Handle {
    reactor: u64,
    slot: Slot,
}

impl Drop for Handle {
    fn drop(&mut self) {
        if let Ok(reactor) = find(self.reactor) {
            reactor.close(self.slot);
        }
    }
}

/// Which side of a socket an operation is on.
#[derive(Clone, Copy)]
enum Which {
    Read,
    Write,
}

/// What an operation found.
struct Tried<T> {
    value: T,
    /// The next one would have to wait.
    short: bool,
}

impl Handle {
    /// Tries an operation, and waits for the socket if it would block.
    #[inline]
    fn operate<T>(
        &self,
        cx: &Context<'_>,
        which: Which,
        what: &'static str,
        mut operation: impl FnMut(&Source, &mut Vec<u8>) -> io::Result<Tried<T>>,
    ) -> std::task::Poll<io::Result<T>> {
        let reactor = find(self.reactor)?;
        if reactor.has_to_give_way(cx) {
            return std::task::Poll::Pending;
        }
        // Wakers are somebody else's: the one before is dropped outside of the borrow.
        let _replaced;
        let state = &mut *reactor.state.borrow_mut();
        let edge = state.poller.as_ref().is_some_and(|poller| poller.is_edge_triggered());
        let Some(source) = state.sources.get_mut(self.slot) else {
            return std::task::Poll::Ready(Err(gone()));
        };
        let is_ready = |source: &Source| match which {
            Which::Read => source.read.ready,
            Which::Write => source.write.ready,
        };
        while is_ready(source) {
            let outcome = operation(source, &mut state.room);
            let side = match which {
                Which::Read => &mut source.read,
                Which::Write => &mut source.write,
            };
            match outcome {
                Ok(Tried { value, short }) => {
                    if short {
                        side.was_short(edge);
                    }
                    return std::task::Poll::Ready(Ok(value));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => side.ready = false,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return std::task::Poll::Ready(Err(error)),
            }
        }
        let name = source.name();
        let waiter = reactor.waiter(cx, what, name);
        let side = match which {
            Which::Read => &mut source.read,
            Which::Write => &mut source.write,
        };
        _replaced = side.waiter.replace(waiter);
        state.waiting += usize::from(_replaced.is_none());
        std::task::Poll::Pending
    }
}

impl std::fmt::Debug for Reactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reactor").field("id", &self.id).finish_non_exhaustive()
    }
}
