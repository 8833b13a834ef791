//! What comes from other threads, until the engine looks at it.

use std::task::Waker;

use net_core::{Instant, Net};

use crate::controller::WithPorts;
use crate::controller::engine::milliseconds;
use crate::{Event, InputError, InstanceId};

#[derive(Default)]
pub(super) struct Inbox {
    pub(super) inputs: Vec<Input>,
    pub(super) listeners: Vec<WithPorts>,
    pub(super) stop: bool,
    /// Whether a thread that drives sleeps.
    pub(super) thread_sleeps: bool,
    /// Of the task that drives.
    pub(super) waker: Option<Waker>,
    /// Of those who wait for the end.
    pub(super) enders: Vec<Waker>,
    limit: usize,
    life: Life,
    /// A moment on the clock, and the simulated time then.
    origin: Option<(Instant, u64)>,
}

pub(super) struct Input {
    pub(super) at: u64,
    pub(super) event: Event,
    pub(super) to: Option<InstanceId>,
    pub(super) broadcast: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Life {
    #[default]
    Made,
    Started,
    Ended,
}

impl Inbox {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit,
            ..Self::default()
        }
    }

    /// The time since the start; nothing before it.
    pub(super) fn elapsed(&self, net: &Net) -> u64 {
        self.origin.map_or(0, |(origin, time)| {
            time + milliseconds(net.now().saturating_duration_since(origin))
        })
    }

    /// The moment of a simulated time.
    pub(super) fn moment(&self, at: u64) -> Option<Instant> {
        let (origin, time) = self.origin?;
        Some(origin + std::time::Duration::from_millis(at.saturating_sub(time)))
    }

    pub(super) fn push(&mut self, input: Input) -> Result<(), InputError> {
        if self.life == Life::Ended {
            return Err(InputError::Stopped);
        }
        if self.inputs.len() >= self.limit {
            return Err(InputError::Full { limit: self.limit });
        }
        self.inputs.push(input);
        Ok(())
    }

    pub(super) fn is_started(&self) -> bool {
        self.life != Life::Made
    }

    pub(super) fn has_ended(&self) -> bool {
        self.life == Life::Ended
    }

    /// Starts the clock at a simulated time; false if it runs already.
    pub(super) fn start(&mut self, net: &Net, time: u64) -> bool {
        if self.life != Life::Made {
            return false;
        }
        self.life = Life::Started;
        self.origin = Some((net.now(), time));
        true
    }

    pub(super) fn set_time(&mut self, net: &Net, time: u64) {
        if self.life == Life::Started {
            self.origin = Some((net.now(), time));
        }
    }

    /// Ends it, and gives those who wait for that.
    pub(super) fn end(&mut self) -> Vec<Waker> {
        self.life = Life::Ended;
        self.inputs.clear();
        std::mem::take(&mut self.enders)
    }
}
