//! Real time: a run that keeps pace with the clock on the wall.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::time::Duration;

use net_core::Instant;

/// How a run keeps pace with the clock on the wall; see [`Environment::keep_real_time`](crate::Environment::keep_real_time).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RealTime {
    factor: f64,
    tolerance: Option<Duration>,
}

impl RealTime {
    /// Lenient, and as fast as the clock on the wall.
    pub(super) const SECOND_FOR_SECOND: Self = Self {
        factor: 1.0,
        tolerance: None,
    };

    /// A simulated second takes `factor` real ones. The run is strict: it ends with an error when it is later than that.
    ///
    /// # Errors
    /// [`InvalidFactor`] unless it is a number greater than zero.
    pub fn new(factor: f64) -> Result<Self, InvalidFactor> {
        match Duration::try_from_secs_f64(factor) {
            Ok(unit) if !unit.is_zero() => Ok(Self {
                factor,
                tolerance: Some(unit),
            }),
            _ => Err(InvalidFactor(factor)),
        }
    }

    /// How late something may happen before the run ends with [`RunError::Late`](crate::RunError::Late).
    #[must_use]
    pub fn tolerate(mut self, late: Duration) -> Self {
        self.tolerance = Some(late);
        self
    }

    /// However late it is, the run goes on.
    #[must_use]
    pub fn lenient(mut self) -> Self {
        self.tolerance = None;
        self
    }
}

/// A factor of real time that is not a number greater than zero.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct InvalidFactor(pub f64);

impl fmt::Display for InvalidFactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "real time needs a factor greater than zero, not {}", self.0)
    }
}

impl std::error::Error for InvalidFactor {}

/// The two clocks, and where they were set side by side.
#[derive(Default)]
pub(super) struct Pace {
    kept: Cell<bool>,
    anchor: RefCell<Option<Anchor>>,
}

struct Anchor {
    how: RealTime,
    simulated: Instant,
    real: std::time::Instant,
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is what keeps pace with the clock on the wall"
)]
pub(crate) fn wall() -> std::time::Instant {
    std::time::Instant::now()
}

impl Pace {
    pub(super) fn keep(&self, how: RealTime, now: Instant) {
        *self.anchor.borrow_mut() = Some(Anchor {
            how,
            simulated: now,
            real: wall(),
        });
        self.kept.set(true);
    }

    pub(super) fn is_kept(&self) -> bool {
        self.kept.get()
    }

    /// The clock is virtual again.
    #[cfg(feature = "reactor")]
    pub(super) fn end(&self) {
        self.kept.set(false);
    }

    /// Sets both clocks side by side again.
    pub(super) fn sync(&self, now: Instant) {
        if let Some(anchor) = &mut *self.anchor.borrow_mut() {
            anchor.simulated = now;
            anchor.real = wall();
        }
    }

    /// How long it is until a simulated time, or by how much it is too late; `now` is the simulated one.
    pub(super) fn until(&self, at: Instant, now: Instant) -> Result<Duration, Duration> {
        let anchor = self.anchor.borrow();
        let Some(anchor) = &*anchor else {
            return Ok(Duration::ZERO);
        };
        // The simulated clock is never ahead of the wall's, which need not be asked unless lateness counts.
        if at <= now && anchor.how.tolerance.is_none() {
            return Ok(Duration::ZERO);
        }
        let real = (at - anchor.simulated).as_secs_f64() * anchor.how.factor;
        let real = Duration::try_from_secs_f64(real).unwrap_or(Duration::MAX);
        let passed = wall().saturating_duration_since(anchor.real);
        match passed.checked_sub(real) {
            None => Ok(real.saturating_sub(passed)),
            Some(late) if anchor.how.tolerance.is_some_and(|tolerance| late > tolerance) => Err(late),
            Some(_) => Ok(Duration::ZERO),
        }
    }

    /// Which simulated time it is by the clock on the wall.
    pub(super) fn now(&self) -> Instant {
        match &*self.anchor.borrow() {
            None => Instant::ZERO,
            Some(anchor) => {
                let passed = wall().saturating_duration_since(anchor.real).as_secs_f64() / anchor.how.factor;
                anchor.simulated + Duration::try_from_secs_f64(passed).unwrap_or(Duration::MAX)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SimPy would take eleven units for the next one. Units of a thousand seconds: however slow the machine is, what is
    /// left of one can only be less.
    #[test]
    fn s6_after_sync_the_next_unit_takes_one_unit() {
        let unit = Duration::from_secs(1000);
        let pace = Pace::default();
        pace.keep(
            RealTime {
                factor: 1000.0,
                tolerance: None,
            },
            Instant::ZERO,
        );
        let ten = Instant::ZERO + Duration::from_secs(10);
        pace.sync(ten);
        assert!(pace.until(ten + Duration::from_secs(1), ten).unwrap() <= unit);
        assert!(pace.now() >= ten);
    }

    #[test]
    fn what_is_due_by_the_simulated_clock_is_due_and_a_strict_run_still_hears_how_late_it_is() {
        let strict = RealTime::new(1.0).unwrap().tolerate(Duration::ZERO);
        let pace = Pace::default();
        pace.keep(strict.lenient(), Instant::ZERO);
        assert_eq!(pace.until(Instant::ZERO, Instant::ZERO), Ok(Duration::ZERO));
        let hour = Instant::ZERO + Duration::from_secs(3600);
        assert!(pace.until(hour, Instant::ZERO).unwrap() > Duration::ZERO);
        pace.keep(strict, Instant::ZERO);
        // Any clock has moved on by the time that it is read again and again.
        while pace.until(Instant::ZERO, Instant::ZERO).is_ok() {}
    }
}
