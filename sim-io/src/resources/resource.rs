//! Places that are given in the order of the requests, or by priority.

use std::fmt;
use std::rc::Rc;

use super::InvalidAmount;
use super::places::{Key, Places, Request};
use super::statistics::ResourceStatistics;
use crate::Environment;

/// What all resources with places can do.
macro_rules! places {
    ($name:ident, $preemptive:literal) => {
        impl $name {
            /// A resource with that many places.
            ///
            /// # Errors
            /// [`InvalidAmount::Capacity`] for none.
            pub fn new(env: &Environment, capacity: usize) -> Result<Self, InvalidAmount> {
                Ok(Self(Places::new(env, capacity, $preemptive)?))
            }

            /// Gives it a name, for traces and reports.
            #[must_use]
            pub fn named(self, name: &str) -> Self {
                self.0.named(name);
                self
            }

            /// How many places it has.
            pub fn capacity(&self) -> usize {
                self.0.capacity()
            }

            /// How many places are in use.
            pub fn users(&self) -> usize {
                self.0.users()
            }

            /// How many requests wait.
            pub fn waiting(&self) -> usize {
                self.0.waiting()
            }

            /// How busy it has been.
            pub fn statistics(&self) -> ResourceStatistics {
                self.0.statistics()
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name))
                    .field("name", &self.0.name())
                    .field("capacity", &self.capacity())
                    .field("users", &self.users())
                    .field("waiting", &self.waiting())
                    .finish()
            }
        }
    };
}
pub(super) use places;

/// A number of places, first come, first served. Clones are handles on the same one.
///
/// ```
/// use std::time::Duration;
/// use sim_io::{Environment, Resource};
///
/// let env = Environment::new();
/// let pumps = Resource::new(&env, 2)?;
/// for _ in 0..3 {
///     let (env_of_car, pumps) = (env.clone(), pumps.clone());
///     env.process(async move {
///         let _pump = pumps.request().await;
///         env_of_car.timeout(Duration::from_secs(60)).await;
///     });
/// }
/// env.run()?;
/// assert_eq!(env.now().as_nanos(), 120_000_000_000);
/// assert_eq!(pumps.statistics().utilisation, 0.75);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Resource(Rc<Places>);

places!(Resource, false);

impl Resource {
    /// Asks for a place.
    pub fn request(&self) -> Request {
        self.0.request(Key::default())
    }
}

/// A number of places for which smaller priorities come first, and equal ones in the order of their requests. Clones
/// are handles on the same one.
#[derive(Clone)]
pub struct PriorityResource(Rc<Places>);

places!(PriorityResource, false);

impl PriorityResource {
    /// Asks for a place.
    pub fn request(&self, priority: i64) -> Request {
        let time = self.0.now();
        self.0.request(Key {
            priority,
            time,
            patient: false,
        })
    }
}
