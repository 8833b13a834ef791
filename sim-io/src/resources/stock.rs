//! Putting in and getting out, with a queue on either side: what containers and stores share.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use net_core::Instant;

use super::statistics::{Meter, QueueMeter, StockStatistics};
use crate::condition::Member;
use crate::event::Wait;
use crate::{Environment, Event, Failure};

/// What is inside, without anybody who waits.
pub(super) trait Shelf<T> {
    /// What a get says that it wants.
    type Ask;
    /// How far the puts that wait are looked at.
    const PUTS: Scan;
    /// How far the gets that wait are looked at.
    const GETS: Scan;
    /// Takes something in, with its number, or gives it back.
    fn offer(&mut self, item: T, number: u64) -> Result<(), T>;
    /// Takes something out, with its number.
    fn take(&mut self, ask: &Self::Ask) -> Result<Option<(T, u64)>, Panic>;
    /// Takes something in again that was taken out.
    fn give_back(&mut self, item: T, number: u64);
    /// How much there is.
    fn level(&self) -> f64;
}

/// What a filter panicked with. It belongs to who asked, not to who happened to put something in.
pub(super) type Panic = Box<dyn Any + Send>;

/// How far those who wait are looked at, in SimPy's way.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Scan {
    /// The first one.
    One,
    /// Until one can't be served.
    WhileServed,
    /// All of them.
    All,
}

/// A shelf, and who waits on both sides of it.
pub(super) struct Stock<T, S: Shelf<T>> {
    env: Environment,
    kinds: [&'static str; 2],
    name: RefCell<Option<Rc<str>>>,
    state: RefCell<State<T, S>>,
    /// A filter is the user's, and may use the store that asks it: what comes meanwhile waits here.
    todo: RefCell<VecDeque<Todo<T, S::Ask>>>,
    busy: Cell<bool>,
    level: Cell<f64>,
}

struct State<T, S: Shelf<T>> {
    shelf: S,
    puts: Vec<Rc<PutEntry<T>>>,
    gets: Vec<(Rc<GetEntry<T>>, S::Ask)>,
    next_number: u64,
    puts_meter: QueueMeter,
    gets_meter: QueueMeter,
    level_meter: Meter,
}

enum Todo<T, A> {
    Put(Rc<PutEntry<T>>),
    Get(Rc<GetEntry<T>>, A),
    ServePuts,
    ServeGets,
    CancelPut(Rc<PutEntry<T>>),
    CancelGet(Rc<GetEntry<T>>),
    GiveBack(T, u64),
}

struct PutEntry<T> {
    item: RefCell<Option<T>>,
    asked: Instant,
    event: Event<()>,
}

struct GetEntry<T> {
    got: RefCell<Option<(T, u64)>>,
    panic: Cell<Option<Panic>>,
    asked: Instant,
    event: Event<()>,
}

/// What requests need of their stock.
trait Owner<T> {
    fn cancel_put(&self, entry: Rc<PutEntry<T>>);
    fn cancel_get(&self, entry: Rc<GetEntry<T>>);
    fn give_back(&self, item: T, number: u64);
}

impl<T: 'static, S: Shelf<T> + 'static> Stock<T, S> {
    pub(super) fn new(env: &Environment, shelf: S, kinds: [&'static str; 2]) -> Rc<Self> {
        let (now, level) = (env.now(), shelf.level());
        Rc::new(Self {
            env: env.clone(),
            kinds,
            name: RefCell::new(None),
            state: RefCell::new(State {
                shelf,
                puts: Vec::new(),
                gets: Vec::new(),
                next_number: 0,
                puts_meter: QueueMeter::new(now),
                gets_meter: QueueMeter::new(now),
                level_meter: Meter::new(now, level),
            }),
            todo: RefCell::new(VecDeque::new()),
            busy: Cell::new(false),
            level: Cell::new(level),
        })
    }

    pub(super) fn named(&self, name: &str) {
        *self.name.borrow_mut() = Some(name.into());
    }

    pub(super) fn name(&self) -> Option<Rc<str>> {
        self.name.borrow().clone()
    }

    pub(super) fn level(&self) -> f64 {
        self.level.get()
    }

    /// None while a filter of this very store is asked.
    pub(super) fn statistics(&self) -> Option<StockStatistics> {
        let state = self.state.try_borrow().ok()?;
        let now = self.env.now();
        Some(StockStatistics {
            puts: state.puts_meter.statistics(now),
            gets: state.gets_meter.statistics(now),
            mean_level: state.level_meter.mean(now),
            max_level: state.level_meter.max,
        })
    }

    pub(super) fn put(self: &Rc<Self>, item: T) -> Put<T> {
        let event = Event::of_kind(&self.env, self.name(), self.kinds[0]);
        let stock = Rc::downgrade(self);
        event.on_processed(move |_| {
            if let Some(stock) = stock.upgrade() {
                stock.now(Todo::ServeGets);
            }
        });
        let entry = Rc::new(PutEntry {
            item: RefCell::new(Some(item)),
            asked: self.env.now(),
            event: event.clone(),
        });
        self.now(Todo::Put(Rc::clone(&entry)));
        let owner: Rc<dyn Owner<T>> = self.clone();
        Put {
            owner,
            entry,
            wait: event.wait(),
        }
    }

    pub(super) fn get(self: &Rc<Self>, ask: S::Ask) -> Get<T> {
        let event = Event::of_kind(&self.env, self.name(), self.kinds[1]);
        let stock = Rc::downgrade(self);
        event.on_processed(move |_| {
            if let Some(stock) = stock.upgrade() {
                stock.now(Todo::ServePuts);
            }
        });
        let entry = Rc::new(GetEntry {
            got: RefCell::new(None),
            panic: Cell::new(None),
            asked: self.env.now(),
            event: event.clone(),
        });
        self.now(Todo::Get(Rc::clone(&entry), ask));
        let owner: Rc<dyn Owner<T>> = self.clone();
        Get {
            owner,
            entry,
            wait: event.wait(),
        }
    }

    /// Does something, and what it brings with it.
    fn now(&self, todo: Todo<T, S::Ask>) {
        self.todo.borrow_mut().push_back(todo);
        if self.busy.replace(true) {
            return;
        }
        let _busy = Busy(&self.busy);
        loop {
            let next = self.todo.borrow_mut().pop_front();
            let Some(todo) = next else { return };
            let gone = {
                let state = &mut *self.state.borrow_mut();
                let gone = state.todo(todo, self.env.now());
                self.level.set(state.shelf.level());
                gone
            };
            // What belongs to the user is dropped outside of the borrow.
            drop(gone);
        }
    }
}

/// Nobody is busy any more, even if an item's order or destructor panicked.
struct Busy<'a>(&'a Cell<bool>);

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

impl<T: 'static, S: Shelf<T>> State<T, S> {
    fn todo(&mut self, todo: Todo<T, S::Ask>, now: Instant) -> Option<(Rc<GetEntry<T>>, S::Ask)> {
        let mut gone = None;
        match todo {
            Todo::Put(entry) => {
                self.puts_meter.requested();
                self.puts.push(entry);
                self.serve_puts(S::PUTS, now);
            }
            Todo::Get(entry, ask) => {
                self.gets_meter.requested();
                self.gets.push((entry, ask));
                self.serve_gets(S::GETS, now);
            }
            Todo::ServePuts => self.serve_puts(S::PUTS, now),
            Todo::ServeGets => self.serve_gets(S::GETS, now),
            Todo::CancelPut(entry) => {
                if let Some(index) = self.puts.iter().position(|other| Rc::ptr_eq(other, &entry)) {
                    self.puts.remove(index);
                    self.puts_meter.cancelled();
                    // It may have stood in the way of several.
                    self.serve_puts(Scan::WhileServed, now);
                }
            }
            Todo::CancelGet(entry) => {
                if let Some(index) = self.gets.iter().position(|(other, _)| Rc::ptr_eq(other, &entry)) {
                    gone = Some(self.gets.remove(index));
                    self.gets_meter.cancelled();
                    self.serve_gets(Scan::WhileServed, now);
                }
            }
            Todo::GiveBack(item, number) => {
                self.shelf.give_back(item, number);
                self.serve_gets(S::GETS, now);
            }
        }
        self.puts_meter.length(now, self.puts.len());
        self.gets_meter.length(now, self.gets.len());
        self.level_meter.set(now, self.shelf.level());
        gone
    }

    fn serve_puts(&mut self, scan: Scan, now: Instant) {
        let mut index = 0;
        while let Some(entry) = self.puts.get(index) {
            let mut item = entry.item.borrow_mut();
            let served = match item.take().map(|item| self.shelf.offer(item, self.next_number)) {
                Some(Err(back)) => {
                    *item = Some(back);
                    false
                }
                _ => true,
            };
            drop(item);
            if served {
                self.next_number += 1;
                let entry = self.puts.remove(index);
                self.puts_meter.granted(entry.asked, now);
                // It waited, so nothing else has triggered it.
                let _ = entry.event.succeed(());
            } else {
                index += 1;
            }
            if scan == Scan::One || (scan == Scan::WhileServed && !served) {
                return;
            }
        }
    }

    fn serve_gets(&mut self, scan: Scan, now: Instant) {
        let scan = if S::GETS == Scan::All { Scan::All } else { scan };
        let mut index = 0;
        while let Some((entry, ask)) = self.gets.get(index) {
            let got = match self.shelf.take(ask) {
                Ok(got) => got,
                Err(panic) => {
                    let (entry, _) = self.gets.remove(index);
                    self.gets_meter.cancelled();
                    let _ = entry.event.fail(Failure::panic(&*panic));
                    entry.panic.set(Some(panic));
                    continue;
                }
            };
            let served = got.is_some();
            if served {
                *entry.got.borrow_mut() = got;
                let (entry, _) = self.gets.remove(index);
                self.gets_meter.granted(entry.asked, now);
                let _ = entry.event.succeed(());
            } else {
                index += 1;
            }
            if scan == Scan::One || (scan == Scan::WhileServed && !served) {
                return;
            }
        }
    }
}

impl<T: 'static, S: Shelf<T> + 'static> Owner<T> for Stock<T, S> {
    fn cancel_put(&self, entry: Rc<PutEntry<T>>) {
        self.now(Todo::CancelPut(entry));
    }

    fn cancel_get(&self, entry: Rc<GetEntry<T>>) {
        self.now(Todo::CancelGet(entry));
    }

    fn give_back(&self, item: T, number: u64) {
        self.now(Todo::GiveBack(item, number));
    }
}

/// Putting something into a container or store; happens when there is room for it. Dropping it before that cancels it.
#[must_use = "what waits for room is cancelled when this is dropped; await it"]
pub struct Put<T: 'static> {
    owner: Rc<dyn Owner<T>>,
    entry: Rc<PutEntry<T>>,
    wait: Wait<()>,
}

impl<T> Put<T> {
    /// Whether it is in. Who puts goes on when the turn of this comes among the things of this instant.
    pub fn is_granted(&self) -> bool {
        self.entry.event.is_triggered()
    }

    /// Gives it up; what was to be put comes back, unless it is in.
    pub fn cancel(self) -> Option<T> {
        self.entry.item.borrow_mut().take()
    }
}

impl<T> Unpin for Put<T> {}

impl<T> Future for Put<T> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // Puts never fail.
        Pin::new(&mut self.wait).poll(cx).map(drop)
    }
}

impl<T> Member for Put<T> {
    type Value = ();

    fn poll_member(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        Pin::new(self).poll(cx).map(Ok)
    }

    fn detach(&mut self) {
        self.wait.detach();
    }
}

impl<T> Drop for Put<T> {
    fn drop(&mut self) {
        if !self.is_granted() {
            self.owner.cancel_put(Rc::clone(&self.entry));
        }
    }
}

impl<T> fmt::Debug for Put<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Put")
            .field("granted", &self.is_granted())
            .finish_non_exhaustive()
    }
}

/// Getting something out of a container or store; happens when it is there. Dropping it cancels it; what it was granted
/// already goes back, in front.
#[must_use = "a get that is dropped at once is cancelled; await it"]
pub struct Get<T: 'static> {
    owner: Rc<dyn Owner<T>>,
    entry: Rc<GetEntry<T>>,
    wait: Wait<()>,
}

impl<T> Get<T> {
    /// Whether it is granted. It is given when its turn among the things of this instant comes.
    pub fn is_granted(&self) -> bool {
        self.entry.event.is_triggered()
    }
}

impl<T> Unpin for Get<T> {}

impl<T> Future for Get<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        // Gets fail by nothing but a panic of their filter.
        let _ = ready!(Pin::new(&mut self.wait).poll(cx));
        if let Some(panic) = self.entry.panic.take() {
            resume_unwind(panic);
        }
        match self.entry.got.borrow_mut().take() {
            Some((item, _)) => Poll::Ready(item),
            // Polled again after its end, which no `await` does.
            None => Poll::Pending,
        }
    }
}

impl<T> Member for Get<T> {
    type Value = T;

    fn poll_member(&mut self, cx: &mut Context<'_>) -> Poll<Result<T, Failure>> {
        Pin::new(self).poll(cx).map(Ok)
    }

    fn detach(&mut self) {
        self.wait.detach();
    }
}

impl<T> Drop for Get<T> {
    fn drop(&mut self) {
        if !self.is_granted() {
            self.owner.cancel_get(Rc::clone(&self.entry));
        } else if let Some((item, number)) = self.entry.got.take() {
            self.owner.give_back(item, number);
        }
    }
}

impl<T> fmt::Debug for Get<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Get")
            .field("granted", &self.is_granted())
            .finish_non_exhaustive()
    }
}
