//! A box whose type of message is not known.

use std::any::{Any, type_name};
use std::borrow::Cow;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};

use super::links::topology;
use super::{Direction, Label, Node, Words};
use crate::boxes::{Counts, Inbox, Outbox};
use crate::lock::lock;
use crate::owner::Owner;
use crate::{BoxOptions, LinkError, WhenFull};

/// A box whose type of message is not known here.
pub(crate) trait AnyNode: Send + Sync {
    fn number(&self) -> u64;
    fn direction(&self) -> Direction;
    fn box_name(&self) -> Cow<'static, str>;
    fn box_path(&self) -> String;
    fn documentation(&self) -> Cow<'static, str>;
    fn type_name(&self) -> &'static str;
    fn any_owner(&self) -> Option<Arc<Owner>>;
    /// Names the box, once; says whose it is.
    fn set_label(&self, name: Cow<'static, str>, documentation: Cow<'static, str>, owner: Option<Arc<Owner>>);
    fn as_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync>;
    fn link_to(self: Arc<Self>, to: Arc<dyn AnyNode>, when_full: Option<WhenFull>) -> Result<(), LinkError>;
    fn cut_off(self: Arc<Self>) -> bool;
    /// What is unread when the receiver goes, goes back to that box.
    fn leave_to(&self, heir: &Arc<dyn AnyNode>);
    /// Takes all links to and from it away.
    fn detach(self: Arc<Self>);
    fn next_node(&self) -> Option<Arc<dyn AnyNode>>;
    fn has_sources(&self) -> bool;
    /// Whether anything was ever linked to it, but for the boxes of chassis that nothing was ever linked to.
    fn was_fed(&self) -> bool;
    /// Whether something may still come: an outbox by which something may leave leads here, however many boxes lie between.
    fn is_fed(&self) -> bool;
    fn len(&self) -> usize;
    fn options(&self) -> BoxOptions;
    fn set_options(&self, options: BoxOptions);
    fn counts(&self) -> Counts;
    fn blocked_senders(&self) -> usize;
    fn sent_and_discarded(&self) -> (u64, u64);
    fn settle(&self);
    fn wake_all(&self);
    /// A new box of the same type and direction, with its `Inbox<T>` or `Outbox<T>`.
    fn sibling(&self, options: BoxOptions) -> (Arc<dyn AnyNode>, Box<dyn Any + Send + Sync>);
    /// Whether a signal to end has left by it.
    fn has_said_end(&self) -> bool;
    /// Whether nothing more will leave by it.
    fn is_spent(&self) -> bool;
}

impl<T: Send + 'static> AnyNode for Node<T> {
    fn number(&self) -> u64 {
        self.number
    }

    fn direction(&self) -> Direction {
        self.direction
    }

    fn box_name(&self) -> Cow<'static, str> {
        self.name()
    }

    fn box_path(&self) -> String {
        self.path()
    }

    fn documentation(&self) -> Cow<'static, str> {
        self.label
            .get()
            .map_or(Cow::Borrowed(""), |label| label.words.documentation())
    }

    fn type_name(&self) -> &'static str {
        type_name::<T>()
    }

    fn any_owner(&self) -> Option<Arc<Owner>> {
        self.owner().cloned()
    }

    fn set_label(&self, name: Cow<'static, str>, documentation: Cow<'static, str>, owner: Option<Arc<Owner>>) {
        if owner.is_some()
            && let Some(store) = self.store()
        {
            // Links that came and went before it ran are no end: a component is told.
            store.reopen();
        }
        // The first one counts: a box is labelled where its component is made known.
        let words = Words::new(name, documentation);
        let _ = self.label.set(Label { words, owner });
    }

    fn as_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync> {
        self
    }

    fn link_to(self: Arc<Self>, to: Arc<dyn AnyNode>, when_full: Option<WhenFull>) -> Result<(), LinkError> {
        let (there, theirs) = (to.box_path(), to.type_name());
        match to.as_any().downcast::<Self>() {
            Ok(to) => self.link(&to, when_full, false),
            Err(_) => Err(LinkError::WrongType {
                from: self.path(),
                from_type: type_name::<T>(),
                to: there,
                to_type: theirs,
            }),
        }
    }

    fn cut_off(self: Arc<Self>) -> bool {
        self.unlink()
    }

    fn leave_to(&self, heir: &Arc<dyn AnyNode>) {
        if let Ok(heir) = Arc::clone(heir).as_any().downcast::<Self>() {
            lock(&self.wiring).set_heir(Arc::downgrade(&heir));
        }
    }

    fn detach(self: Arc<Self>) {
        let _topology = topology();
        if let Some(there) = self.next() {
            self.cut(&there);
        }
        let sources = lock(&self.wiring).take_sources();
        for source in sources.iter().filter_map(Weak::upgrade) {
            source.cut(&self);
        }
    }

    fn next_node(&self) -> Option<Arc<dyn AnyNode>> {
        self.next().map(|next| next as Arc<dyn AnyNode>)
    }

    fn has_sources(&self) -> bool {
        lock(&self.wiring).sources().any(|source| source.strong_count() > 0)
    }

    fn was_fed(&self) -> bool {
        let (had_source, sources) = {
            let wiring = lock(&self.wiring);
            let sources: Vec<Arc<Self>> = wiring.sources().filter_map(Weak::upgrade).collect();
            (wiring.had_source, sources)
        };
        // Of those that have gone no chassis is known, for its boxes stay as long as its children.
        let fed = |source: &Arc<Self>| source.direction == Direction::Out || source.was_fed();
        had_source && (sources.is_empty() || sources.iter().any(fed))
    }

    fn is_fed(&self) -> bool {
        let sources: Vec<Arc<Self>> = lock(&self.wiring).sources().filter_map(Weak::upgrade).collect();
        sources
            .iter()
            .any(|source| source.may_send() || source.direction == Direction::In && source.is_fed())
    }

    fn len(&self) -> usize {
        self.store().map_or(0, |store| store.len(&self.in_hand))
    }

    fn options(&self) -> BoxOptions {
        self.store().map_or_else(Self::default_options, |store| store.options())
    }

    fn set_options(&self, options: BoxOptions) {
        if self.keeps() {
            self.place().set_options(&self.in_hand, options.of::<T>());
        }
    }

    fn counts(&self) -> Counts {
        self.store()
            .map_or_else(Counts::default, |store| store.counts(&self.in_hand))
    }

    fn blocked_senders(&self) -> usize {
        self.store().map_or(0, |store| store.blocked())
    }

    fn sent_and_discarded(&self) -> (u64, u64) {
        (
            self.sent.load(Ordering::Relaxed),
            self.discarded.load(Ordering::Relaxed),
        )
    }

    fn settle(&self) {
        Self::settle(self);
    }

    fn wake_all(&self) {
        if let Some(store) = self.store() {
            store.wake_all();
        }
    }

    fn sibling(&self, options: BoxOptions) -> (Arc<dyn AnyNode>, Box<dyn Any + Send + Sync>) {
        let node = Self::new(self.direction, options, false);
        let handle: Box<dyn Any + Send + Sync> = match self.direction {
            Direction::In => Box::new(Inbox::on(Arc::clone(&node))),
            Direction::Out => Box::new(Outbox::on(Arc::clone(&node))),
        };
        (node, handle)
    }

    fn has_said_end(&self) -> bool {
        self.said_end.load(Ordering::Relaxed)
    }

    fn is_spent(&self) -> bool {
        self.spent.load(Ordering::Acquire)
    }
}
