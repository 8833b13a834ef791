//! Sets of states as bits.

/// A set of states of one chart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct BitSet {
    pub(crate) words: Box<[u64]>,
}

/// A state: its number in document order, parents before children. So what is inside a state is a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(crate) struct StateId(pub(crate) u32);

impl StateId {
    pub(crate) const ROOT: Self = Self(0);

    #[inline]
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

impl BitSet {
    /// An empty set for so many states.
    pub(crate) fn new(states: usize) -> Self {
        let words = vec![0; states.div_ceil(64)].into();
        Self { words }
    }

    #[inline]
    pub(crate) fn contains(&self, state: StateId) -> bool {
        let word = self.words.get(state.index() / 64).copied().unwrap_or(0);
        word >> (state.0 % 64) & 1 == 1
    }

    #[inline]
    pub(crate) fn insert(&mut self, state: StateId) {
        if let Some(word) = self.words.get_mut(state.index() / 64) {
            *word |= 1 << (state.0 % 64);
        }
    }

    #[inline]
    pub(crate) fn remove(&mut self, state: StateId) {
        if let Some(word) = self.words.get_mut(state.index() / 64) {
            *word &= !(1 << (state.0 % 64));
        }
    }

    /// Adds the states of another set.
    #[inline]
    pub(crate) fn insert_all(&mut self, other: &Self) {
        for (word, more) in self.words.iter_mut().zip(&other.words) {
            *word |= more;
        }
    }

    /// Takes the states of another set away.
    #[inline]
    pub(crate) fn remove_all(&mut self, other: &Self) {
        for (word, less) in self.words.iter_mut().zip(&other.words) {
            *word &= !less;
        }
    }

    #[inline]
    pub(crate) fn clear(&mut self) {
        self.words.fill(0);
    }

    /// Adds the states from `start` up to `end`, which is not included.
    #[inline]
    pub(crate) fn insert_range(&mut self, start: u32, end: u32) {
        for (index, word) in self.words.iter_mut().enumerate() {
            *word |= mask(index, start, end);
        }
    }

    /// Whether one of the states from `start` up to `end` is in it.
    #[inline]
    pub(crate) fn meets_range(&self, start: u32, end: u32) -> bool {
        let words = self.words.iter().enumerate();
        words
            .into_iter()
            .any(|(index, word)| word & mask(index, start, end) != 0)
    }

    /// Whether the sets have a state in common.
    #[inline]
    pub(crate) fn meets(&self, other: &Self) -> bool {
        self.words.iter().zip(&other.words).any(|(a, b)| a & b != 0)
    }

    /// Whether the sets have one of the states from `start` up to `end` in common.
    pub(crate) fn meets_within(&self, other: &Self, start: u32, end: u32) -> bool {
        let words = self.words.iter().zip(&other.words).enumerate();
        words
            .into_iter()
            .any(|(index, (a, b))| a & b & mask(index, start, end) != 0)
    }

    /// Its states in document order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = StateId> {
        self.words.iter().enumerate().flat_map(|(index, word)| {
            let mut word = *word;
            std::iter::from_fn(move || {
                (word != 0).then(|| {
                    let bit = word.trailing_zeros();
                    word &= word - 1;
                    StateId(index as u32 * 64 + bit)
                })
            })
        })
    }

    /// The last state from `start` up to `end`.
    #[inline]
    pub(crate) fn last_in(&self, start: u32, end: u32) -> Option<StateId> {
        (0..self.words.len()).rev().find_map(|index| {
            let word = self.words[index] & mask(index, start, end);
            (word != 0).then(|| StateId(index as u32 * 64 + 63 - word.leading_zeros()))
        })
    }
}

/// The bits of a range in one word.
#[inline]
fn mask(index: usize, start: u32, end: u32) -> u64 {
    let base = index as u32 * 64;
    let below = |end: u32| match end.saturating_sub(base) {
        64.. => u64::MAX,
        bits => (1 << bits) - 1,
    };
    below(end) & !below(start)
}
