//! A queue that mostly holds one thing at most.

use std::collections::{VecDeque, vec_deque};
use std::{iter, option};

/// A queue that mostly holds one thing at most: that one lies in the queue itself, and not in memory of its own.
///
/// What connections keep by the thousand, and hardly ever use, is cheaper so: an empty lane, or one with a single thing in
/// it, has allocated nothing.
///
/// ```
/// use net_core::Lane;
///
/// let mut lane = Lane::default();
/// lane.push_back('a');
/// lane.push_back('b');
/// assert_eq!(lane.pop_front(), Some('a'));
/// assert_eq!(lane.front(), Some(&'b'));
/// ```
#[derive(Clone, Debug)]
pub struct Lane<T> {
    first: Option<T>,
    /// Empty while there is no first.
    rest: VecDeque<T>,
}

impl<T> Default for Lane<T> {
    fn default() -> Self {
        Self {
            first: None,
            rest: VecDeque::new(),
        }
    }
}

impl<T> Lane<T> {
    /// The oldest.
    #[inline]
    pub fn front(&self) -> Option<&T> {
        self.first.as_ref()
    }

    /// The oldest, to change it.
    #[inline]
    pub fn front_mut(&mut self) -> Option<&mut T> {
        self.first.as_mut()
    }

    /// The newest.
    #[inline]
    pub fn back(&self) -> Option<&T> {
        self.rest.back().or(self.first.as_ref())
    }

    /// The newest, to change it.
    #[inline]
    pub fn back_mut(&mut self) -> Option<&mut T> {
        self.rest.back_mut().or(self.first.as_mut())
    }

    /// How many there are.
    #[inline]
    pub fn len(&self) -> usize {
        usize::from(self.first.is_some()) + self.rest.len()
    }

    /// Whether there is none.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    /// Adds one.
    #[inline]
    pub fn push_back(&mut self, value: T) {
        if self.first.is_none() {
            self.first = Some(value);
        } else {
            self.rest.push_back(value);
        }
    }

    /// Takes the oldest. Room for others stays; see [`shrink`](Self::shrink).
    #[inline]
    pub fn pop_front(&mut self) -> Option<T> {
        std::mem::replace(&mut self.first, self.rest.pop_front())
    }

    /// Gives room for others back, if there are none.
    #[inline]
    pub fn shrink(&mut self) {
        if self.rest.is_empty() {
            self.rest = VecDeque::new();
        }
    }

    /// Drops all, and their room.
    pub fn clear(&mut self) {
        *self = Self::default();
    }
}

impl<T> IntoIterator for Lane<T> {
    type Item = T;
    type IntoIter = iter::Chain<option::IntoIter<T>, vec_deque::IntoIter<T>>;

    /// From the oldest to the newest.
    fn into_iter(self) -> Self::IntoIter {
        self.first.into_iter().chain(self.rest)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_lane_is_a_queue(steps in prop::collection::vec(prop::option::of(any::<u8>()), 0..50)) {
            let (mut lane, mut queue) = (Lane::default(), VecDeque::new());
            for step in steps {
                match step {
                    Some(value) => {
                        lane.push_back(value);
                        queue.push_back(value);
                    }
                    None => {
                        prop_assert_eq!(lane.pop_front(), queue.pop_front());
                        lane.shrink();
                    }
                }
                prop_assert_eq!((lane.len(), lane.is_empty()), (queue.len(), queue.is_empty()));
                prop_assert_eq!(lane.front(), queue.front());
                prop_assert_eq!(lane.front_mut(), queue.front_mut());
                prop_assert_eq!(lane.back(), queue.back());
                prop_assert_eq!(lane.back_mut(), queue.back_mut());
                prop_assert!(lane.clone().into_iter().eq(queue.clone()));
            }
            lane.clear();
            prop_assert_eq!(lane.front(), None);
        }
    }

    #[test]
    fn room_for_others_is_given_back_only_when_there_are_none() {
        let mut lane = Lane::default();
        for number in 0..3 {
            lane.push_back(number);
        }
        for left in [2, 1] {
            lane.pop_front();
            lane.shrink();
            assert_eq!((lane.len(), lane.rest.capacity() > 0), (left, left > 1));
        }
    }
}
