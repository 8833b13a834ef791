//! Places, the queue for them, and the guards: what the three resources with places share.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use net_core::Instant;

use super::InvalidAmount;
use super::preemptive::Preempted;
use super::statistics::{Meter, QueueMeter, ResourceStatistics};
use crate::condition::Member;
use crate::environment::core::{Core, Fire, Fired};
use crate::environment::queue::Slot;
use crate::event::Wait;
use crate::{Environment, Event, Failure, Interrupted, Priority};

/// A resource's places.
pub(super) struct Places {
    env: Environment,
    capacity: usize,
    preemptive: bool,
    name: RefCell<Option<Rc<str>>>,
    state: RefCell<State>,
}

struct State {
    queue: Vec<Rc<Entry>>,
    users: Vec<Rc<Entry>>,
    queue_meter: QueueMeter,
    users_meter: Meter,
    preempted: u64,
}

/// The order of requests: SimPy's key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) priority: i64,
    pub(super) time: Instant,
    pub(super) patient: bool,
}

struct Entry {
    key: Key,
    process: Option<Slot>,
    by: Option<Rc<str>>,
    asked: Instant,
    event: Event<()>,
    since: Cell<Option<Instant>>,
    lost: RefCell<Option<Preempted>>,
}

impl Places {
    pub(super) fn new(env: &Environment, capacity: usize, preemptive: bool) -> Result<Rc<Self>, InvalidAmount> {
        if capacity == 0 {
            return Err(InvalidAmount::Capacity(0.0));
        }
        Ok(Rc::new(Self {
            env: env.clone(),
            capacity,
            preemptive,
            name: RefCell::new(None),
            state: RefCell::new(State {
                queue: Vec::new(),
                users: Vec::new(),
                queue_meter: QueueMeter::new(env.now()),
                users_meter: Meter::new(env.now(), 0.0),
                preempted: 0,
            }),
        }))
    }

    pub(super) fn named(&self, name: &str) {
        *self.name.borrow_mut() = Some(name.into());
    }

    pub(super) fn name(&self) -> Option<Rc<str>> {
        self.name.borrow().clone()
    }

    pub(super) fn now(&self) -> Instant {
        self.env.now()
    }

    pub(super) fn capacity(&self) -> usize {
        self.capacity
    }

    pub(super) fn users(&self) -> usize {
        self.state.borrow().users.len()
    }

    pub(super) fn waiting(&self) -> usize {
        self.state.borrow().queue.len()
    }

    pub(super) fn statistics(&self) -> ResourceStatistics {
        let (now, state) = (self.now(), self.state.borrow());
        let mean_users = state.users_meter.mean(now);
        ResourceStatistics {
            queue: state.queue_meter.statistics(now),
            preempted: state.preempted,
            mean_users,
            utilisation: mean_users / self.capacity as f64,
            max_users: state.users_meter.max as usize,
        }
    }

    pub(super) fn request(self: &Rc<Self>, key: Key) -> Request {
        let core = &self.env.core;
        let process = core.current();
        let event = Event::of_kind(&self.env, self.name(), "a place of resource");
        let entry = Rc::new(Entry {
            key,
            process,
            by: process.and_then(|process| core.name_of(process)),
            asked: self.now(),
            event: event.clone(),
            since: Cell::new(None),
            lost: RefCell::new(None),
        });
        {
            let state = &mut *self.state.borrow_mut();
            state.queue_meter.requested();
            let index = state.queue.partition_point(|other| other.key <= key);
            state.queue.insert(index, Rc::clone(&entry));
        }
        self.grant();
        Request {
            place: Some(Place {
                places: Rc::clone(self),
                entry,
            }),
            wait: event.wait(),
        }
    }

    /// Grants the head of the queue its place, if there is one for it.
    fn grant(&self) -> bool {
        let now = self.now();
        let granted = {
            let state = &mut *self.state.borrow_mut();
            let Some(head) = state.queue.first().map(Rc::clone) else {
                return false;
            };
            if state.users.len() >= self.capacity && self.preemptive && !head.key.patient {
                self.preempt(state, &head);
            }
            let granted = state.users.len() < self.capacity;
            if granted {
                state.queue.remove(0);
                state.queue_meter.granted(head.asked, now);
                head.since.set(Some(now));
                state.users.push(Rc::clone(&head));
            }
            state.settle(now);
            granted.then_some(head)
        };
        match granted {
            // It waits, so nothing else has triggered it.
            Some(entry) => entry.event.succeed(()).is_ok(),
            None => false,
        }
    }

    /// Takes the place of the user with the greatest key, if that is greater than the head's.
    fn preempt(&self, state: &mut State, head: &Entry) {
        let mut victim: Option<(usize, Key)> = None;
        for (index, user) in state.users.iter().enumerate() {
            if victim.is_none_or(|(_, key)| user.key > key) {
                victim = Some((index, user.key));
            }
        }
        let Some((index, key)) = victim else { return };
        if key <= head.key {
            return;
        }
        let victim = state.users.remove(index);
        state.preempted += 1;
        let why = Preempted {
            by: head.by.clone(),
            usage_since: victim.since.get().unwrap_or_default(),
            resource: self.name(),
        };
        *victim.lost.borrow_mut() = Some(why.clone());
        if let Some(process) = victim.process {
            // A user that has ended, or is the one that asks, can't be interrupted: its place is taken all the same.
            self.env.core.interrupt(process, Interrupted::new(why));
        }
    }

    /// Takes an entry out, waiting or using; those who wait are looked at when that is processed.
    fn leave(self: &Rc<Self>, entry: &Rc<Entry>) {
        let now = self.now();
        let gone = {
            let state = &mut *self.state.borrow_mut();
            if let Some(index) = state.users.iter().position(|user| Rc::ptr_eq(user, entry)) {
                let gone = state.users.remove(index);
                state.settle(now);
                Some((gone, false))
            } else if let Some(index) = state.queue.iter().position(|other| Rc::ptr_eq(other, entry)) {
                let gone = state.queue.remove(index);
                state.queue_meter.cancelled();
                state.settle(now);
                Some((gone, true))
            } else {
                None
            }
        };
        if let Some((gone, cancelled)) = gone {
            drop(gone);
            let release = Rc::new(Release {
                places: Rc::clone(self),
                cancelled,
            });
            self.env.core.schedule(release, now, Priority::NORMAL);
        }
    }
}

impl State {
    fn settle(&mut self, now: Instant) {
        self.queue_meter.length(now, self.queue.len());
        self.users_meter.set(now, self.users.len() as f64);
    }
}

/// A place was released, or a request cancelled.
struct Release {
    places: Rc<Places>,
    cancelled: bool,
}

impl Fire for Release {
    fn fire(self: Rc<Self>, _: &Rc<Core>) -> Fired {
        // A release makes one place free; a request that is gone may have stood in the way of several.
        while self.places.grant() && self.cancelled {}
        Fired::On
    }

    fn name(&self) -> Option<Rc<str>> {
        self.places.name()
    }
}

/// A request for a place; awaiting it gives the [`Place`]. Dropping it cancels it.
#[must_use = "a request that is dropped at once is cancelled; await it"]
pub struct Request {
    place: Option<Place>,
    wait: Wait<()>,
}

impl Request {
    /// Whether the place is granted. It is given when its turn among the things of this instant comes.
    pub fn is_granted(&self) -> bool {
        self.place
            .as_ref()
            .is_none_or(|place| place.entry.since.get().is_some())
    }
}

impl Future for Request {
    type Output = Place;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Place> {
        // Requests never fail.
        let _ = ready!(Pin::new(&mut self.wait).poll(cx));
        match self.place.take() {
            Some(place) => Poll::Ready(place),
            // Polled again after its end, which no `await` does.
            None => Poll::Pending,
        }
    }
}

impl Member for Request {
    type Value = Place;

    fn poll_member(&mut self, cx: &mut Context<'_>) -> Poll<Result<Place, Failure>> {
        Pin::new(self).poll(cx).map(Ok)
    }

    fn detach(&mut self) {
        self.wait.detach();
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("granted", &self.is_granted())
            .finish_non_exhaustive()
    }
}

/// A place that is in use. Dropping it releases it; who waits next gets it when that is processed.
#[must_use = "a place that is dropped at once is released"]
pub struct Place {
    places: Rc<Places>,
    entry: Rc<Entry>,
}

impl Place {
    /// Since when it is in use.
    pub fn since(&self) -> Instant {
        self.entry.since.get().unwrap_or_default()
    }

    /// By whom and when it was taken away, if it was. Releasing it does nothing then.
    pub fn preempted(&self) -> Option<Preempted> {
        self.entry.lost.borrow().clone()
    }

    /// Releases it, as dropping it does.
    pub fn release(self) {}
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.leave(&self.entry);
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Place")
            .field("resource", &self.places.name())
            .field("since", &self.since())
            .field("preempted", &self.preempted())
            .finish_non_exhaustive()
    }
}
