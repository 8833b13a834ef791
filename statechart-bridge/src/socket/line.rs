//! A queue that mostly holds one item at a time: that one lies in the queue itself, and nothing is allocated for it.

use std::collections::VecDeque;

#[derive(Clone, Debug)]
pub(super) struct Line<T> {
    /// There is none only if nothing is in the line at all.
    first: Option<T>,
    others: VecDeque<T>,
}

impl<T> Default for Line<T> {
    fn default() -> Self {
        Self {
            first: None,
            others: VecDeque::new(),
        }
    }
}

impl<T> Line<T> {
    pub(super) fn push_back(&mut self, item: T) {
        if self.first.is_none() {
            self.first = Some(item);
        } else {
            self.others.push_back(item);
        }
    }

    pub(super) fn pop_front(&mut self) -> Option<T> {
        let next = self.others.pop_front();
        if next.is_none() && self.others.capacity() > 0 {
            // The crowd has gone: who stands alone needs no room for one.
            self.others = VecDeque::new();
        }
        std::mem::replace(&mut self.first, next)
    }

    pub(super) fn front(&self) -> Option<&T> {
        self.first.as_ref()
    }

    pub(super) fn front_mut(&mut self) -> Option<&mut T> {
        self.first.as_mut()
    }

    pub(super) fn len(&self) -> usize {
        usize::from(self.first.is_some()) + self.others.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.first.is_none()
    }
}

impl<T> IntoIterator for Line<T> {
    type Item = T;
    type IntoIter = std::iter::Chain<std::option::IntoIter<T>, std::collections::vec_deque::IntoIter<T>>;

    fn into_iter(self) -> Self::IntoIter {
        self.first.into_iter().chain(self.others)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::Line;

    #[test]
    fn it_is_a_queue() {
        let (mut line, mut queue) = (Line::default(), VecDeque::new());
        for number in 0..200 {
            // More come than go, then the other way round.
            let comes = if number < 100 { number % 3 != 0 } else { number % 3 == 0 };
            if comes {
                line.push_back(number);
                queue.push_back(number);
            } else {
                assert_eq!(line.pop_front(), queue.pop_front());
            }
            assert_eq!((line.len(), line.is_empty()), (queue.len(), queue.is_empty()));
            assert_eq!(line.front(), queue.front());
            assert!(line.clone().into_iter().eq(queue.clone()));
        }
    }
}
