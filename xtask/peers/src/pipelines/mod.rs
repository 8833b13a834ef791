//! The same pipeline in each library: a source of numbers, a stage that adds one, a sink that adds them up.
//!
//! One file per library. What a run gives is the sum, which is compared with what it must be.

use crate::Outcome;
use crate::cpu::{Account, Meter, Spent};
use std::future::Future;
use tokio::runtime::{Builder, Runtime};

pub mod actix;
pub mod channels;
pub mod components;
pub mod kameo;
pub mod ractor;

/// Room in each box, where there is a bound.
pub const CAPACITY: usize = 1024;

/// How many threads work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Threads {
    /// The calling one.
    One,
    /// Two others.
    Two,
}

/// A library's run: so many numbers; their sum, and what it took.
pub type Run = fn(Threads, u64) -> Outcome<(u64, Spent)>;

/// A library's run on one thread with so many stages; so many numbers; their sum, and what it took.
pub type Long = fn(u64, u64) -> Outcome<(u64, Spent)>;

/// The sum of what comes out.
#[must_use]
pub fn expected(count: u64) -> u64 {
    expected_of(1, count)
}

/// The sum of what comes out of so many stages.
#[must_use]
pub fn expected_of(stages: u64, count: u64) -> u64 {
    // Each of 0 to count - 1, and one for each stage.
    (0..count).sum::<u64>() + stages * count
}

impl Threads {
    fn runtime(self) -> Outcome<Runtime> {
        let mut builder = match self {
            Self::One => Builder::new_current_thread(),
            Self::Two => Builder::new_multi_thread(),
        };
        if self == Self::Two {
            builder.worker_threads(2);
        }
        Ok(builder.enable_all().build()?)
    }

    fn account(self) -> Account {
        match self {
            Self::One => Account::ThisThread,
            Self::Two => Account::Others,
        }
    }

    /// Runs a future on a runtime of its own, and measures.
    fn measure(self, work: impl Future<Output = Outcome<u64>>) -> Outcome<(u64, Spent)> {
        let runtime = self.runtime()?;
        let meter = Meter::start(self.account())?;
        let sum = runtime.block_on(work)?;
        Ok((sum, meter.stop()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pipelines_of_any_length_give_the_sum() {
        for stages in [1, 2, 50] {
            for run in [channels::tokio_long, channels::kanal_long, components::run_long] {
                assert_eq!(run(stages, 3000).unwrap().0, expected_of(stages, 3000));
            }
        }
    }
}
