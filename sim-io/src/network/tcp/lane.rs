//! A queue that mostly holds one thing at most: that one lies in the queue itself, and not in memory of its own.

use std::collections::VecDeque;

#[derive(Debug)]
pub(super) struct Lane<T> {
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
    #[inline]
    pub(super) fn front(&self) -> Option<&T> {
        self.first.as_ref()
    }

    #[inline]
    pub(super) fn back(&self) -> Option<&T> {
        self.rest.back().or(self.first.as_ref())
    }

    #[inline]
    pub(super) fn back_mut(&mut self) -> Option<&mut T> {
        self.rest.back_mut().or(self.first.as_mut())
    }

    /// True if it is the only one now.
    #[inline]
    pub(super) fn push_back(&mut self, value: T) -> bool {
        if self.first.is_none() {
            self.first = Some(value);
            return true;
        }
        self.rest.push_back(value);
        false
    }

    #[inline]
    pub(super) fn pop_front(&mut self) {
        self.first = self.rest.pop_front();
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
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
                        prop_assert_eq!(lane.push_back(value), queue.is_empty());
                        queue.push_back(value);
                    }
                    None => {
                        lane.pop_front();
                        queue.pop_front();
                    }
                }
                prop_assert_eq!(lane.front(), queue.front());
                prop_assert_eq!(lane.back(), queue.back());
                prop_assert_eq!(lane.back_mut(), queue.back_mut());
            }
            lane.clear();
            prop_assert_eq!(lane.front(), None);
        }
    }
}
