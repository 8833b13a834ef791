//! The same model in each simulator: processes that loop over timeouts.
//!
//! One file per simulator. A run is warm by [`Model::warm`] and over at [`Model::end`]; in between every simulator
//! tells each event to the [`tally`], which is compared with what the model must have done. All delays are even and both
//! times odd, so nothing happens at them, and it doesn't matter which side of such a moment a simulator takes.

use crate::Outcome;
use crate::cpu::{Account, Meter, Spent};
use serde::{Deserialize, Serialize};

pub mod desque;
pub mod heap;
pub mod nexosim;
pub mod odem_rs;
pub mod prototype;
pub mod sim_io;
pub mod simcore;
pub mod simpy;

/// What a process waits for, again and again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// 1 to 1000 units, at random.
    Random,
    /// One unit.
    Unit,
    /// Its own period, 501 to 1500 units for the first thousand processes.
    Own,
}

/// A model of processes with timeouts. A unit is two of the simulator's ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Model {
    /// How many processes there are.
    pub processes: u64,
    /// What they wait for.
    pub wait: Wait,
    /// When measuring begins, in ticks.
    pub warm: u64,
    /// When it ends.
    pub end: u64,
}

/// What was done in a run between warm and end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// How many events there were.
    pub events: u64,
    /// The sum of their times: each must be right, in whatever order.
    pub times: u64,
}

/// A simulator's run of a model.
pub type Run = fn(&Model) -> Outcome<(Done, Spent)>;

impl Model {
    /// A model of about so many events between warm and end.
    #[must_use]
    pub fn new(processes: u64, wait: Wait, events: u64) -> Self {
        // A process has an event every so many half units in the mean.
        let period = match wait {
            Wait::Random => 1001,
            Wait::Unit => 2,
            Wait::Own => 2001,
        };
        // Whoever waits for longest has waited by then.
        let warm = 3001;
        let length = (events * period).div_ceil(processes);
        Self {
            processes,
            wait,
            warm,
            end: warm + length + length % 2,
        }
    }

    /// The delays of a process, in ticks.
    #[must_use]
    pub fn delays(&self, process: u64) -> Delays {
        Delays {
            random: process.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1,
            fixed: match self.wait {
                Wait::Random => 0,
                Wait::Unit => 2,
                Wait::Own => 2 * (501 + process),
            },
        }
    }

    /// What must be done between warm and end.
    #[must_use]
    pub fn expected(&self) -> Done {
        let mut done = Done::default();
        for process in 0..self.processes {
            let mut delays = self.delays(process);
            let mut time = delays.next();
            while time < self.end {
                if time > self.warm {
                    done.events += 1;
                    done.times = done.times.wrapping_add(time);
                }
                time += delays.next();
            }
        }
        done
    }
}

/// The delays of a process.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Delays {
    random: u64,
    fixed: u64,
}

impl Delays {
    /// The next one, in ticks. At random it is an xorshift: cheaper than what is measured.
    #[inline]
    #[allow(
        clippy::should_implement_trait,
        reason = "there is no end to them, so they are no iterator"
    )]
    pub fn next(&mut self) -> u64 {
        if self.fixed > 0 {
            return self.fixed;
        }
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        2 * (1 + (self.random >> 32) % 1000)
    }
}

/// What the simulator of this thread has done so far.
pub mod tally {
    use super::{Account, Done, Meter, Outcome, Spent};
    use std::cell::Cell;

    thread_local! {
        static DONE: Cell<Done> = const { Cell::new(Done { events: 0, times: 0 }) };
    }

    /// An event, and its time.
    #[inline]
    pub fn event(time: u64) {
        DONE.with(|done| {
            let Done { events, times } = done.get();
            done.set(Done {
                events: events + 1,
                times: times.wrapping_add(time),
            });
        });
    }

    /// The run is warm.
    ///
    /// # Errors
    /// If the system refuses to tell the processor time.
    pub fn start() -> Outcome<Meter> {
        DONE.set(Done::default());
        Meter::start(Account::ThisThread)
    }

    /// The run is over.
    ///
    /// # Errors
    /// If the system refuses to tell the processor time.
    pub fn stop(meter: Meter) -> Outcome<(Done, Spent)> {
        let spent = meter.stop()?;
        Ok((DONE.get(), spent))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_simulator_does_the_same() {
        let simulators: [(&str, Run); 8] = [
            ("heap", heap::run),
            ("prototype", prototype::run),
            ("sim-io", sim_io::run),
            ("odem-rs", odem_rs::run),
            ("desque", desque::run),
            ("nexosim", nexosim::run),
            ("simcore async", simcore::run_async),
            ("simcore", simcore::run_callbacks),
        ];
        for model in [
            Model::new(1, Wait::Unit, 1000),
            Model::new(1, Wait::Random, 1000),
            Model::new(100, Wait::Own, 10_000),
            Model::new(1000, Wait::Random, 10_000),
        ] {
            let expected = model.expected();
            assert!(expected.events > 900, "{model:?} {expected:?}");
            for (name, run) in simulators {
                let (done, _) = run(&model).unwrap();
                assert_eq!(done, expected, "{name} {model:?}");
            }
        }
    }
}
