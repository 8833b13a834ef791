//! Places that are taken away from who needs them less.

use std::fmt;
use std::rc::Rc;

use net_core::Instant;

use super::InvalidAmount;
use super::places::{Key, Places, Request};
use super::resource::places;
use super::statistics::ResourceStatistics;
use crate::Environment;

/// A number of places for which smaller priorities come first, and may take the place of a user with a greater one. The
/// process that asked for that place is interrupted with [`Preempted`] as the cause. Clones are handles on the same one.
///
/// The user with the greatest (priority, time of request) loses its place. A user whose process has ended, or is the one
/// that asks, loses it without an interrupt; [`Place::preempted`](super::Place::preempted) tells.
///
/// ```
/// use std::time::Duration;
/// use sim_io::{Environment, Preempted, PreemptiveResource, interruptible};
///
/// let env = Environment::new();
/// let machine = PreemptiveResource::new(&env, 1)?;
/// let worker = env.process({
///     let (env, machine) = (env.clone(), machine.clone());
///     async move {
///         let _place = machine.request(1).await;
///         let interrupted = interruptible(&env, env.timeout(Duration::from_secs(9))).await.err()?;
///         Some((interrupted.cause::<Preempted>()?.by.clone()?, env.now().as_nanos()))
///     }
/// });
/// env.named_process("repair", {
///     let (env, machine) = (env.clone(), machine.clone());
///     async move {
///         env.timeout(Duration::from_nanos(5)).await;
///         let _place = machine.request(0).await;
///     }
/// });
/// assert_eq!(env.run_until(&worker)?, Some(("repair".into(), 5)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct PreemptiveResource(Rc<Places>);

places!(PreemptiveResource, true);

impl PreemptiveResource {
    /// Asks for a place, and takes it from a user with a greater priority if none is free.
    pub fn request(&self, priority: i64) -> Request {
        self.ask(priority, false)
    }

    /// Asks for a place without taking it from anybody. At the head of the queue it holds back those behind it.
    pub fn request_patiently(&self, priority: i64) -> Request {
        self.ask(priority, true)
    }

    fn ask(&self, priority: i64, patient: bool) -> Request {
        let time = self.0.now();
        self.0.request(Key {
            priority,
            time,
            patient,
        })
    }
}

/// The cause of the interrupt of a process whose place was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Preempted {
    /// The name of the process that took it; none if no process asked for it.
    pub by: Option<Rc<str>>,
    /// Since when the place was in use.
    pub usage_since: Instant,
    /// The name of the resource.
    pub resource: Option<Rc<str>>,
}
