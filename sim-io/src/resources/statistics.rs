//! How busy a resource has been.

use std::time::Duration;

use net_core::Instant;

/// A queue of requests, from its resource's beginning until now.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct QueueStatistics {
    /// Requests that were made.
    pub requests: u64,
    /// Requests that were granted.
    pub granted: u64,
    /// Requests that were given up while they waited.
    pub cancelled: u64,
    /// How many wait now.
    pub length: usize,
    /// How many waited at most.
    pub max_length: usize,
    /// How many waited in the mean over time.
    pub mean_length: f64,
    /// How long those that were granted waited in the mean.
    pub mean_wait: Duration,
    /// The longest wait of one that was granted.
    pub max_wait: Duration,
}

/// A resource with places, from its beginning until now.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ResourceStatistics {
    /// Those who wait for a place.
    pub queue: QueueStatistics,
    /// Places that were taken away from their users.
    pub preempted: u64,
    /// How many places were in use in the mean over time.
    pub mean_users: f64,
    /// The same as a part of the capacity.
    pub utilisation: f64,
    /// How many places were in use at most.
    pub max_users: usize,
}

/// A container or store, from its beginning until now.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct StockStatistics {
    /// Those who wait to put something in.
    pub puts: QueueStatistics,
    /// Those who wait to get something.
    pub gets: QueueStatistics,
    /// How much was in it in the mean over time.
    pub mean_level: f64,
    /// How much was in it at most.
    pub max_level: f64,
}

/// A number that changes, and its mean over time.
#[derive(Debug)]
pub(super) struct Meter {
    start: Instant,
    last: Instant,
    value: f64,
    area: f64,
    pub(super) max: f64,
}

impl Meter {
    pub(super) fn new(now: Instant, value: f64) -> Self {
        Self {
            start: now,
            last: now,
            value,
            area: 0.0,
            max: value,
        }
    }

    pub(super) fn set(&mut self, now: Instant, value: f64) {
        self.area += self.value * (now - self.last).as_secs_f64();
        self.last = now;
        self.value = value;
        self.max = self.max.max(value);
    }

    pub(super) fn mean(&self, now: Instant) -> f64 {
        let time = (now - self.start).as_secs_f64();
        if time > 0.0 {
            (self.area + self.value * (now - self.last).as_secs_f64()) / time
        } else {
            self.value
        }
    }
}

/// What happens to requests.
#[derive(Debug)]
pub(super) struct QueueMeter {
    requests: u64,
    granted: u64,
    cancelled: u64,
    length: Meter,
    waited: Duration,
    max_wait: Duration,
}

impl QueueMeter {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            requests: 0,
            granted: 0,
            cancelled: 0,
            length: Meter::new(now, 0.0),
            waited: Duration::ZERO,
            max_wait: Duration::ZERO,
        }
    }

    pub(super) fn requested(&mut self) {
        self.requests += 1;
    }

    pub(super) fn granted(&mut self, asked: Instant, now: Instant) {
        self.granted += 1;
        self.waited = self.waited.saturating_add(now - asked);
        self.max_wait = self.max_wait.max(now - asked);
    }

    pub(super) fn cancelled(&mut self) {
        self.cancelled += 1;
    }

    /// The length of the queue, once it is settled.
    pub(super) fn length(&mut self, now: Instant, length: usize) {
        self.length.set(now, length as f64);
    }

    pub(super) fn statistics(&self, now: Instant) -> QueueStatistics {
        QueueStatistics {
            requests: self.requests,
            granted: self.granted,
            cancelled: self.cancelled,
            length: self.length.value as usize,
            max_length: self.length.max as usize,
            mean_length: self.length.mean(now),
            mean_wait: match self.granted {
                0 => Duration::ZERO,
                granted => Duration::from_nanos((self.waited.as_nanos() / u128::from(granted)) as u64),
            },
            max_wait: self.max_wait,
        }
    }
}
