//! Links: made, followed, cut.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, Weak};

use super::Node;
use crate::boxes::Direction;
use crate::boxes::store::Store;
use crate::lock::lock;
use crate::{LinkError, WhenFull};

/// Held while links change or are followed: both are rare, and a chain may cross any number of boxes.
static TOPOLOGY: Mutex<()> = Mutex::new(());

pub(super) fn topology() -> MutexGuard<'static, ()> {
    lock(&TOPOLOGY)
}

/// A box that keeps messages, and where.
pub(crate) struct Place<T> {
    pub(crate) node: Arc<Node<T>>,
    pub(crate) store: Arc<Store<T>>,
}

/// Where messages of a box end up.
pub(crate) struct Target<T> {
    /// The box at the end of the chain, if it keeps messages.
    pub(crate) place: Option<Place<T>>,
    pub(crate) when_full: Option<WhenFull>,
    pub(crate) generation: u32,
}

impl<T: Send + 'static> Node<T> {
    /// Follows the links to the end.
    pub(crate) fn resolve(self: &Arc<Self>) -> Target<T> {
        let _topology = topology();
        let generation = self.generation();
        let mut when_full = None;
        let mut end = Arc::clone(self);
        loop {
            let next = {
                let wiring = lock(&end.wiring);
                when_full = when_full.or(wiring.when_full);
                wiring.next.clone()
            };
            match next {
                Some(next) => end = next,
                None => break,
            }
        }
        Target {
            place: end.keeps().then(|| Place {
                store: Arc::clone(end.place()),
                node: end,
            }),
            when_full,
            generation,
        }
    }

    fn end_of(self: &Arc<Self>) -> Arc<Self> {
        let mut end = Arc::clone(self);
        while let Some(next) = end.next() {
            end = next;
        }
        end
    }

    pub(crate) fn link(
        self: &Arc<Self>,
        to: &Arc<Self>,
        when_full: Option<WhenFull>,
        instead: bool,
    ) -> Result<(), LinkError> {
        let _topology = topology();
        if self.direction == Direction::In && to.direction == Direction::Out {
            return Err(LinkError::Backwards {
                from: self.path(),
                to: to.path(),
            });
        }
        let before = self.next();
        if let Some(there) = &before
            && !instead
        {
            return Err(LinkError::AlreadyLinked {
                from: self.path(),
                there: there.path(),
                to: to.path(),
            });
        }
        let mut end = Arc::clone(to);
        loop {
            if Arc::ptr_eq(&end, self) {
                return Err(LinkError::Circle {
                    from: self.path(),
                    to: to.path(),
                });
            }
            match end.next() {
                Some(next) => end = next,
                None => break,
            }
        }
        if let Some(there) = before {
            self.cut(&there);
        }
        if let Some(store) = end.store() {
            store.reopen();
        }
        if self.keeps() {
            let target = end.keeps().then(|| (end.place().as_ref(), &end.in_hand));
            if let Err((len, size)) = self.place().forward(target) {
                return Err(LinkError::NoSpaceInBox {
                    from: self.path(),
                    to: end.path(),
                    len,
                    size,
                });
            }
        }
        {
            let mut wiring = lock(&self.wiring);
            wiring.next = Some(Arc::clone(to));
            wiring.when_full = when_full;
        }
        lock(&to.wiring).add_source(Arc::downgrade(self));
        self.changed();
        Ok(())
    }

    /// Takes the link ahead away; false if there was none.
    pub(crate) fn unlink(self: &Arc<Self>) -> bool {
        let _topology = topology();
        let Some(there) = self.next() else { return false };
        self.cut(&there);
        true
    }

    pub(super) fn cut(self: &Arc<Self>, there: &Arc<Self>) {
        let end = there.end_of();
        lock(&self.wiring).next = None;
        if let Some(store) = self.store() {
            store.reopen();
        }
        lock(&there.wiring).remove_source(self);
        self.changed();
        // Who waits for room there may have a new place to send to.
        if let Some(store) = end.store() {
            store.wake_all();
        }
        end.finish_if_lonely();
    }

    /// Says that nothing more will leave by this outbox, though its link stays; who receives may want to look anew.
    pub(crate) fn spend(self: &Arc<Self>) {
        let _topology = topology();
        self.spent.store(true, Ordering::Release);
        if let Some(store) = self.end_of().store() {
            store.wake_all();
        }
    }

    /// Whether an outbox by which something may leave leads here now, while no link is being changed; and the receiver's task,
    /// which alone may ask, is woken when that may change.
    pub(crate) fn is_fed_now(&self) -> bool {
        self.place();
        // Let go after the lock: what they hold may want it when it is dropped.
        let mut known: Vec<Arc<Self>> = Vec::new();
        let _topology = topology();
        known.extend(lock(&self.wiring).sources().filter_map(Weak::upgrade));
        let mut at = 0;
        while let Some(node) = known.get(at) {
            if node.may_send() {
                return true;
            }
            if node.direction == Direction::Out {
                at += 1;
                continue;
            }
            let more: Vec<_> = lock(&node.wiring).sources().filter_map(Weak::upgrade).collect();
            known.extend(more);
            at += 1;
        }
        false
    }

    /// An inbox outside of components ends with its last source.
    fn finish_if_lonely(&self) {
        if self.direction == Direction::In
            && self.label.get().is_none()
            && lock(&self.wiring).sources().next().is_none()
        {
            self.place().finish();
        }
    }

    /// The receiver goes, with these messages in hand: what is unread goes back to the heir, or is given up; how many were.
    pub(crate) fn close(self: &Arc<Self>, mut in_hand: VecDeque<T>) -> usize {
        let heir = lock(&self.wiring).take_heir().and_then(|heir| heir.upgrade());
        let Some(heir) = heir else {
            {
                let _wiring = lock(&self.wiring);
                if self.store().is_none() {
                    self.closed.store(true, Ordering::Relaxed);
                    return 0;
                }
            }
            let left = self.place().close(&self.in_hand, in_hand.len());
            return left.len() + in_hand.len();
        };
        {
            let _topology = topology();
            // First the link, so that what comes from now on waits behind what is unread.
            if heir.next().is_some_and(|next| Arc::ptr_eq(&next, self)) {
                heir.cut(self);
            }
        }
        in_hand.append(&mut self.place().abandon(&self.in_hand, in_hand.len()));
        heir.place().put_first(in_hand);
        0
    }

    /// Tells everybody upstream to look anew.
    fn changed(&self) {
        let mut todo: Vec<Arc<Self>> = Vec::new();
        self.generation.fetch_add(1, Ordering::AcqRel);
        todo.extend(lock(&self.wiring).sources().filter_map(Weak::upgrade));
        while let Some(node) = todo.pop() {
            node.generation.fetch_add(1, Ordering::AcqRel);
            todo.extend(lock(&node.wiring).sources().filter_map(Weak::upgrade));
        }
    }
}
