//! The sets of descriptors that `select` takes, as plain arithmetic on words of bits.

use std::marker::PhantomData;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};

use rustix::event::{FdSetElement, FdSetIter, fd_set_insert, fd_set_num_elements};

/// Storage that is used again at each wait.
#[derive(Default)]
pub(super) struct Storage {
    read: Vec<FdSetElement>,
    write: Vec<FdSetElement>,
}

/// Two sets of descriptors that are open for as long as `'fd`: each was put in as a [`BorrowedFd`].
///
/// Both have as many words as the largest descriptor needs, and no others are set.
pub(super) struct Sets<'a, 'fd> {
    storage: &'a mut Storage,
    /// One more than the largest descriptor.
    bound: RawFd,
    open: PhantomData<BorrowedFd<'fd>>,
}

impl Storage {
    /// Two empty sets.
    pub(super) fn sets<'fd>(&mut self) -> Sets<'_, 'fd> {
        self.read.clear();
        self.write.clear();
        Sets {
            storage: self,
            bound: 0,
            open: PhantomData,
        }
    }
}

impl<'fd> Sets<'_, 'fd> {
    /// Puts a descriptor in. A negative number is no descriptor, and `BorrowedFd` has none.
    pub(super) fn insert(&mut self, fd: BorrowedFd<'fd>, read: bool, write: bool) {
        self.insert_raw(fd.as_raw_fd(), read, write);
    }

    fn insert_raw(&mut self, fd: RawFd, read: bool, write: bool) {
        let Some(bound) = fd.checked_add(1).filter(|_| fd >= 0) else {
            return;
        };
        if bound > self.bound {
            self.bound = bound;
            let words = fd_set_num_elements(0, bound);
            self.storage.read.resize_with(words, FdSetElement::default);
            self.storage.write.resize_with(words, FdSetElement::default);
        }
        if read {
            fd_set_insert(&mut self.storage.read, fd);
        }
        if write {
            fd_set_insert(&mut self.storage.write, fd);
        }
    }

    /// What `select` takes: one more than the largest descriptor, the set to read, the set to write. Each of the sets
    /// holds at least that many bits.
    pub(super) fn parts(&mut self) -> (RawFd, &mut [FdSetElement], &mut [FdSetElement]) {
        (self.bound, &mut self.storage.read, &mut self.storage.write)
    }

    /// What is set: each descriptor, and whether it is in the set to read and in the set to write.
    pub(super) fn each(&self, mut tell: impl FnMut(RawFd, bool, bool)) {
        let mut read = FdSetIter::new(&self.storage.read).peekable();
        let mut write = FdSetIter::new(&self.storage.write).peekable();
        loop {
            let fd = match (read.peek(), write.peek()) {
                (Some(read), Some(write)) => *read.min(write),
                (Some(fd), None) | (None, Some(fd)) => *fd,
                (None, None) => return,
            };
            let read = read.next_if_eq(&fd).is_some();
            let write = write.next_if_eq(&fd).is_some();
            tell(fd, read, write);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn each(sets: &Sets<'_, '_>) -> BTreeMap<RawFd, (bool, bool)> {
        let mut found = BTreeMap::new();
        sets.each(|fd, read, write| assert!(found.insert(fd, (read, write)).is_none()));
        found
    }

    #[test]
    fn the_sets_are_as_long_as_the_largest_descriptor_needs() {
        let mut storage = Storage::default();
        for largest in [0, 1, 62, 63, 64, 65, 127, 128, 1023, 1024, 5000] {
            let mut sets = storage.sets();
            sets.insert_raw(largest, true, false);
            let (bound, read, write) = sets.parts();
            assert_eq!(bound, largest + 1);
            let bits = size_of::<FdSetElement>() * 8;
            assert_eq!(read.len(), (bound as usize).div_ceil(bits));
            assert_eq!(write.len(), read.len());
            assert_eq!(each(&sets), BTreeMap::from([(largest, (true, false))]));
        }
    }

    #[test]
    fn what_is_no_descriptor_is_left_out() {
        let mut storage = Storage::default();
        let mut sets = storage.sets();
        for fd in [-1, RawFd::MIN, RawFd::MAX] {
            sets.insert_raw(fd, true, true);
        }
        assert_eq!(sets.parts().0, 0);
        assert!(each(&sets).is_empty());
    }

    proptest! {
        // Miri takes its time.
        #![proptest_config(ProptestConfig {
            cases: if cfg!(miri) { 8 } else { 256 },
            failure_persistence: None,
            ..ProptestConfig::default()
        })]

        #[test]
        fn what_is_put_in_is_what_is_in(
            rounds in prop::collection::vec(prop::collection::btree_map(0..3000, any::<(bool, bool)>(), 0..40), 1..4)
        ) {
            let mut storage = Storage::default();
            for mut descriptors in rounds {
                let mut sets = storage.sets();
                for (fd, (read, write)) in &descriptors {
                    sets.insert_raw(*fd, *read, *write);
                }
                descriptors.retain(|_, (read, write)| *read || *write);
                prop_assert_eq!(each(&sets), descriptors);
                prop_assert!(each(&storage.sets()).is_empty());
            }
        }
    }
}
