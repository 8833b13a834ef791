//! Counting what passes, so that two who saw the same can be compared, in a few bytes.

use std::hash::Hasher;

/// What somebody saw of a sequence: how much, and a sum of what and in which order. Two are equal if the same was seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) count: u64,
    sum: u64,
}

impl Tally {
    /// One more.
    pub(crate) fn note(&mut self, what: impl std::hash::Hash) {
        let mut sum = Fnv(self.sum);
        what.hash(&mut sum);
        self.sum = sum.0;
        self.count += 1;
    }
}

/// The same in each run and on each machine, unlike std's.
struct Fnv(u64);

impl Hasher for Fnv {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte))
                .wrapping_mul(0x0000_0100_0000_01b3)
                .wrapping_add(1);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::Tally;

    #[test]
    fn what_is_lost_or_swapped_or_doubled_shows() {
        let of = |seen: &[u32]| {
            let mut tally = Tally::default();
            seen.iter().for_each(|what| tally.note(what));
            tally
        };
        let all = of(&[1, 2, 3]);
        assert_eq!(all, of(&[1, 2, 3]));
        for other in [&[1, 3, 2][..], &[1, 2], &[1, 2, 3, 3], &[0, 2, 3]] {
            assert_ne!(all, of(other), "{other:?}");
        }
    }
}
