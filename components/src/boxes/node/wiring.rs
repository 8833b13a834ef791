//! The links of one box: where its messages go, and who may send to it.

use std::sync::{Arc, Weak};

use super::Node;
use crate::WhenFull;

/// The links of a box. Most have a single source, which costs no allocation.
pub(super) struct Wiring<T> {
    pub(super) next: Option<Arc<Node<T>>>,
    pub(super) when_full: Option<WhenFull>,
    first_source: Option<Weak<Node<T>>>,
    /// It has had a source at some time.
    pub(super) had_source: bool,
    rare: Option<Box<Rare<T>>>,
}

/// What only few boxes have.
struct Rare<T> {
    /// Sources beside the first one.
    sources: Vec<Weak<Node<T>>>,
    heir: Option<Weak<Node<T>>>,
}

impl<T> Default for Rare<T> {
    fn default() -> Self {
        Self {
            sources: Vec::new(),
            heir: None,
        }
    }
}

impl<T> Wiring<T> {
    pub(super) fn new() -> Self {
        Self {
            next: None,
            when_full: None,
            first_source: None,
            had_source: false,
            rare: None,
        }
    }

    pub(super) fn add_source(&mut self, source: Weak<Node<T>>) {
        self.had_source = true;
        if self.first_source.is_none() {
            self.first_source = Some(source);
            return;
        }
        let sources = &mut self.rare.get_or_insert_default().sources;
        // Those that went without a word make room.
        if sources.len() == sources.capacity() {
            sources.retain(|source| source.strong_count() > 0);
        }
        sources.push(source);
    }

    pub(super) fn remove_source(&mut self, node: &Arc<Node<T>>) {
        // By address alone: a box may have as many sources as there are connections.
        let is_it = |source: &Weak<Node<T>>| std::ptr::eq(source.as_ptr(), Arc::as_ptr(node));
        let more = self.rare.as_mut().map(|rare| &mut rare.sources);
        if self.first_source.as_ref().is_some_and(is_it) {
            self.first_source = more.and_then(Vec::pop);
        } else if let Some(more) = more
            && let Some(at) = more.iter().position(is_it)
        {
            more.swap_remove(at);
        }
    }

    pub(super) fn sources(&self) -> impl Iterator<Item = &Weak<Node<T>>> {
        let more = self.rare.iter().flat_map(|rare| &rare.sources);
        self.first_source.iter().chain(more)
    }

    pub(super) fn take_sources(&mut self) -> Vec<Weak<Node<T>>> {
        let more = self.rare.as_mut().map(|rare| std::mem::take(&mut rare.sources));
        let first = self.first_source.take();
        first.into_iter().chain(more.into_iter().flatten()).collect()
    }

    /// Who gets what is unread when the receiver goes.
    pub(super) fn set_heir(&mut self, heir: Weak<Node<T>>) {
        self.rare.get_or_insert_default().heir = Some(heir);
    }

    pub(super) fn take_heir(&mut self) -> Option<Weak<Node<T>>> {
        self.rare.as_mut()?.heir.take()
    }
}
