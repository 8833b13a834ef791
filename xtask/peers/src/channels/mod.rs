//! Packets and messages: the same round trips over ours, over tokio by hand, and over the original.

pub mod by_hand;
pub mod ours;
pub mod simpy_io;
pub mod sized;

use std::ops::Range;

/// What goes there and back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// A packet of 4 bytes: its number.
    Packets,
    /// A request with the content `ohai` in JSON, answered with its content.
    Messages,
}

/// Round trips.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Job {
    /// Of what.
    pub level: Level,
    /// How many.
    pub count: u64,
    /// How many are sent before their replies are awaited.
    pub flight: u64,
}

/// What a message carries.
const CONTENT: &str = "ohai";

impl Job {
    /// The round trips' numbers, those that are in flight together.
    fn batches(self) -> impl Iterator<Item = Range<u64>> {
        let step = usize::try_from(self.flight.max(1)).unwrap_or(usize::MAX);
        let end = self.count;
        (0..end)
            .step_by(step)
            .map(move |first| first..end.min(first.saturating_add(step as u64)))
    }
}

/// The packet of a number.
fn packet(number: u64) -> [u8; 4] {
    (number as u32).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::networks::Distance;
    use sim_io::reactor::Poller;

    #[test]
    fn every_way_does_the_work() {
        for level in [Level::Packets, Level::Messages] {
            // The last batch is smaller than the others.
            for flight in [1, 64] {
                let job = Job {
                    level,
                    count: 150,
                    flight,
                };
                ours::simulated(Distance::Near, job).unwrap_or_else(|error| panic!("{job:?}, simulated: {error}"));
                ours::real(Poller::Mio, job).unwrap_or_else(|error| panic!("{job:?}, real: {error}"));
                by_hand::pipe(job).unwrap_or_else(|error| panic!("{job:?}, a pipe: {error}"));
                by_hand::real(job).unwrap_or_else(|error| panic!("{job:?}, tokio: {error}"));
            }
        }
    }
}
