//! Things: in the order in which they came, of one's choice, or the smallest first.

use std::cmp::{Ordering, Reverse};
use std::collections::{BinaryHeap, VecDeque};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use super::InvalidAmount;
use super::statistics::StockStatistics;
use super::stock::{Get, Panic, Put, Scan, Shelf, Stock};
use crate::Environment;

/// What all stores can do.
macro_rules! store {
    ($name:ident $(: $bound:ident)?, $shelf:ident) => {
        impl<T: $($bound +)? 'static> $name<T> {
            /// A store without a limit.
            pub fn new(env: &Environment) -> Self {
                Self::of(env, usize::MAX)
            }

            /// A store for up to that many things.
            ///
            /// # Errors
            /// [`InvalidAmount::Capacity`] for none.
            pub fn with_capacity(env: &Environment, capacity: usize) -> Result<Self, InvalidAmount> {
                if capacity == 0 {
                    return Err(InvalidAmount::Capacity(0.0));
                }
                Ok(Self::of(env, capacity))
            }

            fn of(env: &Environment, capacity: usize) -> Self {
                let kinds = ["a put into store", "a get from store"];
                Self(Stock::new(env, $shelf { capacity, items: Default::default() }, kinds))
            }

            /// Gives it a name, for traces and reports.
            #[must_use]
            pub fn named(self, name: &str) -> Self {
                self.0.named(name);
                self
            }

            /// How many things are in it.
            pub fn len(&self) -> usize {
                self.0.level() as usize
            }

            /// Whether it is empty.
            pub fn is_empty(&self) -> bool {
                self.len() == 0
            }

            /// Puts something in, as soon as there is room for it.
            pub fn put(&self, item: T) -> Put<T> {
                self.0.put(item)
            }

            /// How busy it has been; none while one of its own filters is asked.
            pub fn statistics(&self) -> Option<StockStatistics> {
                self.0.statistics()
            }
        }

        impl<T: $($bound +)? 'static> fmt::Debug for $name<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name))
                    .field("name", &self.0.name())
                    .field("len", &self.len())
                    .finish()
            }
        }

        impl<T: $($bound +)? 'static> Clone for $name<T> {
            fn clone(&self) -> Self {
                Self(Rc::clone(&self.0))
            }
        }
    };
}

/// Things, first in, first out. Clones are handles on the same one.
///
/// ```
/// use sim_io::{Environment, Store};
///
/// let env = Environment::new();
/// let belt = Store::new(&env);
/// let robot = env.process({
///     let belt = belt.clone();
///     async move { (belt.get().await, belt.get().await) }
/// });
/// env.process(async move {
///     belt.put("bolt").await;
///     belt.put("nut").await;
/// });
/// assert_eq!(env.run_until(&robot)?, ("bolt", "nut"));
/// # Ok::<(), sim_io::RunError>(())
/// ```
pub struct Store<T: 'static>(Rc<Stock<T, Fifo<T>>>);

store!(Store, Fifo);

impl<T: 'static> Store<T> {
    /// Gets the first one, as soon as there is one.
    pub fn get(&self) -> Get<T> {
        self.0.get(())
    }
}

struct Fifo<T> {
    capacity: usize,
    items: VecDeque<(u64, T)>,
}

impl<T> Shelf<T> for Fifo<T> {
    type Ask = ();
    const PUTS: Scan = Scan::One;
    const GETS: Scan = Scan::One;

    fn offer(&mut self, item: T, number: u64) -> Result<(), T> {
        if self.items.len() >= self.capacity {
            return Err(item);
        }
        self.items.push_back((number, item));
        Ok(())
    }

    fn take(&mut self, (): &()) -> Result<Option<(T, u64)>, Panic> {
        Ok(self.items.pop_front().map(|(number, item)| (item, number)))
    }

    fn give_back(&mut self, item: T, number: u64) {
        give_back(&mut self.items, item, number);
    }

    fn level(&self) -> f64 {
        self.items.len() as f64
    }
}

/// Puts something back where it was.
fn give_back<T>(items: &mut VecDeque<(u64, T)>, item: T, number: u64) {
    let index = items.partition_point(|(other, _)| *other < number);
    items.insert(index, (number, item));
}

/// Things, of which a get may choose; a get that finds nothing doesn't hold back those behind it. Clones are handles on
/// the same one.
///
/// ```
/// use sim_io::{Environment, FilterStore};
///
/// let env = Environment::new();
/// let machines = FilterStore::new(&env);
/// let job = env.process({
///     let machines = machines.clone();
///     async move { machines.get_where(|power| *power > 10).await }
/// });
/// env.process(async move {
///     machines.put(5).await;
///     machines.put(20).await;
/// });
/// assert_eq!(env.run_until(&job)?, 20);
/// # Ok::<(), sim_io::RunError>(())
/// ```
pub struct FilterStore<T: 'static>(Rc<Stock<T, Choice<T>>>);

store!(FilterStore, Choice);

impl<T: 'static> FilterStore<T> {
    /// Gets the first one, as soon as there is one.
    pub fn get(&self) -> Get<T> {
        self.0.get(None)
    }

    /// Gets the first one for which `filter` says yes, as soon as there is one. What the filter does with this store
    /// happens when the filter has been asked. If it panics, so does awaiting the get; the store and who put something
    /// in go on.
    pub fn get_where(&self, filter: impl Fn(&T) -> bool + 'static) -> Get<T> {
        self.0.get(Some(Box::new(filter)))
    }
}

struct Choice<T> {
    capacity: usize,
    items: VecDeque<(u64, T)>,
}

impl<T> Shelf<T> for Choice<T> {
    type Ask = Option<Box<dyn Fn(&T) -> bool>>;
    const PUTS: Scan = Scan::One;
    const GETS: Scan = Scan::All;

    fn offer(&mut self, item: T, number: u64) -> Result<(), T> {
        if self.items.len() >= self.capacity {
            return Err(item);
        }
        self.items.push_back((number, item));
        Ok(())
    }

    fn take(&mut self, filter: &Self::Ask) -> Result<Option<(T, u64)>, Panic> {
        let items = &self.items;
        let index = match filter {
            None => Some(0),
            Some(filter) => catch_unwind(AssertUnwindSafe(|| items.iter().position(|(_, item)| filter(item))))?,
        };
        let taken = index.and_then(|index| self.items.remove(index));
        Ok(taken.map(|(number, item)| (item, number)))
    }

    fn give_back(&mut self, item: T, number: u64) {
        give_back(&mut self.items, item, number);
    }

    fn level(&self) -> f64 {
        self.items.len() as f64
    }
}

/// Things, the smallest first, and equal ones in the order in which they came. Clones are handles on the same one.
///
/// ```
/// use sim_io::{Environment, PriorityItem, PriorityStore};
///
/// let env = Environment::new();
/// let inbox = PriorityStore::new(&env);
/// let clerk = env.process({
///     let inbox = inbox.clone();
///     async move {
///         inbox.put(PriorityItem { priority: 2, item: "letter" }).await;
///         inbox.put(PriorityItem { priority: 1, item: "telegram" }).await;
///         inbox.get().await.item
///     }
/// });
/// assert_eq!(env.run_until(&clerk)?, "telegram");
/// # Ok::<(), sim_io::RunError>(())
/// ```
pub struct PriorityStore<T: Ord + 'static>(Rc<Stock<T, Sorted<T>>>);

store!(PriorityStore: Ord, Sorted);

impl<T: Ord + 'static> PriorityStore<T> {
    /// Gets the smallest one, as soon as there is one.
    pub fn get(&self) -> Get<T> {
        self.0.get(())
    }
}

struct Sorted<T> {
    capacity: usize,
    items: BinaryHeap<Reverse<(T, u64)>>,
}

impl<T: Ord> Shelf<T> for Sorted<T> {
    type Ask = ();
    const PUTS: Scan = Scan::One;
    const GETS: Scan = Scan::One;

    fn offer(&mut self, item: T, number: u64) -> Result<(), T> {
        if self.items.len() >= self.capacity {
            return Err(item);
        }
        self.items.push(Reverse((item, number)));
        Ok(())
    }

    fn take(&mut self, (): &()) -> Result<Option<(T, u64)>, Panic> {
        Ok(self.items.pop().map(|Reverse(item)| item))
    }

    fn give_back(&mut self, item: T, number: u64) {
        self.items.push(Reverse((item, number)));
    }

    fn level(&self) -> f64 {
        self.items.len() as f64
    }
}

/// Anything with a priority, for a [`PriorityStore`]: only the priorities are compared.
#[derive(Clone, Copy, Debug)]
pub struct PriorityItem<P, T> {
    /// Smaller comes first.
    pub priority: P,
    /// The thing.
    pub item: T,
}

impl<P: Ord, T> PartialEq for PriorityItem<P, T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<P: Ord, T> Eq for PriorityItem<P, T> {}

impl<P: Ord, T> PartialOrd for PriorityItem<P, T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<P: Ord, T> Ord for PriorityItem<P, T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.priority.cmp(&other.priority)
    }
}
