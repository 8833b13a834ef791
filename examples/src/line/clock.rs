//! The time on the line, which passes faster than the network's where the shift is not to take eight hours.

use std::fmt;
use std::time::Duration;

use net_core::{Instant, Net, Sleep};

/// Tells the time of the shift, and how long something takes on the network. Time limits of protocols are not scaled: they
/// are for the network, whatever the line makes.
#[derive(Clone, Debug)]
pub(crate) struct Clock {
    net: Net,
    began: Instant,
    speed: f64,
}

impl Clock {
    /// A clock that begins now, at the beginning of the shift.
    pub(crate) fn new(net: &Net, speed: f64) -> Self {
        Self {
            net: net.clone(),
            began: net.now(),
            speed,
        }
    }

    /// The time since the beginning of the shift.
    pub(crate) fn now(&self) -> Duration {
        self.shown(self.net.now() - self.began)
    }

    fn shown(&self, real: Duration) -> Duration {
        // In virtual time the two are the same, to the nanosecond.
        if self.speed == 1.0 {
            real
        } else {
            real.mul_f64(self.speed)
        }
    }

    /// How long something takes on the network that takes so long on the line.
    pub(crate) fn real(&self, time: Duration) -> Duration {
        if self.speed == 1.0 {
            time
        } else {
            time.div_f64(self.speed)
        }
    }

    /// Waits until a time of the shift.
    pub(crate) fn until(&self, at: Duration) -> Sleep {
        self.net.sleep_until(self.began + self.real(at))
    }
}

/// A time of the shift as on the clock in the hall: shifts begin at six.
pub(crate) struct TimeOfDay(pub(crate) Duration);

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = 6 * 3600 + self.0.as_secs();
        let (hours, minutes, seconds) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
        write!(f, "{hours:02}:{minutes:02}:{seconds:02}")
    }
}

pub(crate) const fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(60 * minutes)
}
