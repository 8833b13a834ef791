//! An amount of something.

use std::fmt;
use std::rc::Rc;

use super::InvalidAmount;
use super::statistics::StockStatistics;
use super::stock::{Get, Panic, Put, Scan, Shelf, Stock};
use crate::Environment;

/// An amount of something, as in a tank. On either side it is strictly first come, first served: a big get holds back
/// the small ones behind it. Clones are handles on the same one.
///
/// ```
/// use std::time::Duration;
/// use sim_io::{Container, Environment};
///
/// let env = Environment::new();
/// let tank = Container::new(&env, 100.0, 10.0)?;
/// let car = env.process({
///     let tank = tank.clone();
///     async move { Ok::<_, sim_io::InvalidAmount>(tank.get(30.0)?.await) }
/// });
/// env.try_process({
///     let (env, tank) = (env.clone(), tank.clone());
///     async move {
///         env.timeout(Duration::from_secs(60)).await;
///         tank.put(80.0)?.await;
///         Ok::<_, sim_io::InvalidAmount>(())
///     }
/// });
/// assert_eq!(env.run_until(&car)?, Ok(30.0));
/// assert_eq!(tank.level(), 60.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Container {
    stock: Rc<Stock<f64, Tank>>,
    capacity: f64,
}

struct Tank {
    capacity: f64,
    level: f64,
}

impl Shelf<f64> for Tank {
    type Ask = f64;
    const PUTS: Scan = Scan::WhileServed;
    const GETS: Scan = Scan::WhileServed;

    fn offer(&mut self, amount: f64, _: u64) -> Result<(), f64> {
        if self.capacity - self.level < amount {
            return Err(amount);
        }
        self.level += amount;
        Ok(())
    }

    fn take(&mut self, amount: &f64) -> Result<Option<(f64, u64)>, Panic> {
        if self.level < *amount {
            return Ok(None);
        }
        self.level -= amount;
        Ok(Some((*amount, 0)))
    }

    fn give_back(&mut self, amount: f64, _: u64) {
        self.level += amount;
    }

    fn level(&self) -> f64 {
        self.level
    }
}

impl Container {
    /// A container for up to `capacity` ([`f64::INFINITY`]: no limit), with `level` in it.
    ///
    /// # Errors
    /// [`InvalidAmount`].
    pub fn new(env: &Environment, capacity: f64, level: f64) -> Result<Self, InvalidAmount> {
        if capacity.is_nan() || capacity <= 0.0 {
            return Err(InvalidAmount::Capacity(capacity));
        }
        if !(0.0..=capacity).contains(&level) || level.is_infinite() {
            return Err(InvalidAmount::Level(level));
        }
        let kinds = ["a put into container", "a get from container"];
        Ok(Self {
            stock: Stock::new(env, Tank { capacity, level }, kinds),
            capacity,
        })
    }

    /// Gives it a name, for traces and reports.
    #[must_use]
    pub fn named(self, name: &str) -> Self {
        self.stock.named(name);
        self
    }

    /// How much fits in.
    pub fn capacity(&self) -> f64 {
        self.capacity
    }

    /// How much is in it.
    pub fn level(&self) -> f64 {
        self.stock.level()
    }

    /// Puts an amount in, as soon as there is room for it.
    ///
    /// # Errors
    /// [`InvalidAmount::Amount`].
    pub fn put(&self, amount: f64) -> Result<Put<f64>, InvalidAmount> {
        Ok(self.stock.put(valid(amount)?))
    }

    /// Gets an amount, as soon as that much is there.
    ///
    /// # Errors
    /// [`InvalidAmount::Amount`].
    pub fn get(&self, amount: f64) -> Result<Get<f64>, InvalidAmount> {
        Ok(self.stock.get(valid(amount)?))
    }

    /// How busy it has been.
    pub fn statistics(&self) -> Option<StockStatistics> {
        self.stock.statistics()
    }
}

fn valid(amount: f64) -> Result<f64, InvalidAmount> {
    if amount > 0.0 && amount.is_finite() {
        Ok(amount)
    } else {
        Err(InvalidAmount::Amount(amount))
    }
}

impl fmt::Debug for Container {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Container")
            .field("name", &self.stock.name())
            .field("capacity", &self.capacity)
            .field("level", &self.level())
            .finish()
    }
}
