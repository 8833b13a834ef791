//! What processes share: places, matter and things.
//!
//! | resource | what is shared |
//! |---|---|
//! | [`Resource`] | a number of places, first come first served |
//! | [`PriorityResource`] | the same, the smaller priority first |
//! | [`PreemptiveResource`] | the same, and a smaller priority takes the place of a greater one |
//! | [`Container`] | an amount of something |
//! | [`Store`] | things, in the order in which they came |
//! | [`FilterStore`] | things, of which one chooses |
//! | [`PriorityStore`] | things, the smallest first |
//!
//! A request is made where it is called, as in SimPy, not where it is awaited. Requests and what they give are guards:
//! a request that is dropped is cancelled, a place that is dropped is released, and what was granted to a request that
//! was dropped before its turn goes back, in front. So an interrupt, a kill, or a patience that ends
//! ([`any_of`](crate::Environment::any_of) with a timeout) can't lose anything. If its room was taken at that very
//! instant, a container or store holds more than its capacity for a while, and nothing is put in until it does not.
//!
//! ```
//! use std::time::Duration;
//! use sim_io::{Environment, Failure, Resource};
//!
//! let env = Environment::new();
//! let counter = Resource::new(&env, 1)?;
//! for (name, patience) in [("first", 1), ("second", 5), ("third", 12)] {
//!     env.try_process({
//!         let (env, counter) = (env.clone(), counter.clone());
//!         async move {
//!             let (place, _) = env.any_of((counter.request(), env.timeout(Duration::from_secs(patience)))).await?;
//!             match place {
//!                 Some(_place) => env.timeout(Duration::from_secs(10)).await,
//!                 None => println!("{name} has had enough at {}", env.now()),
//!             }
//!             Ok::<_, Failure>(())
//!         }
//!     });
//! }
//! env.run()?;
//! assert_eq!(counter.statistics().queue.cancelled, 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod container;
mod places;
mod preemptive;
mod resource;
mod statistics;
mod stock;
mod store;

use std::fmt;

pub use container::Container;
pub use places::{Place, Request};
pub use preemptive::{Preempted, PreemptiveResource};
pub use resource::{PriorityResource, Resource};
pub use statistics::{QueueStatistics, ResourceStatistics, StockStatistics};
pub use stock::{Get, Put};
pub use store::{FilterStore, PriorityItem, PriorityStore, Store};

/// A capacity, level or amount that makes no sense.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum InvalidAmount {
    /// A capacity must be greater than zero.
    Capacity(f64),
    /// What is in it at first must be between zero and the capacity.
    Level(f64),
    /// What is put or got must be greater than zero.
    Amount(f64),
}

impl fmt::Display for InvalidAmount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Capacity(capacity) => write!(f, "a capacity must be greater than zero, not {capacity}"),
            Self::Level(level) => write!(
                f,
                "what is in it at first must be between zero and the capacity, not {level}"
            ),
            Self::Amount(amount) => write!(f, "what is put or got must be greater than zero, not {amount}"),
        }
    }
}

impl std::error::Error for InvalidAmount {}
