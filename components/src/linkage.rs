//! Links between boxes.

use crate::boxes::{Inbox, Outbox};
use crate::{LinkError, WhenFull};

/// Two boxes that can be linked: an outbox to an inbox (passthrough 0), an inbox to a child's inbox (1), a child's outbox
/// to an outbox (2). Anything else, and boxes of different types of messages, do not compile.
///
/// ```compile_fail
/// use components::{Inbox, Outbox, link};
///
/// let (from, to) = (Outbox::<u64>::new(), Inbox::<String>::new());
/// link(&from, &to).unwrap();
/// ```
pub trait Linkable<To> {
    #[doc(hidden)]
    fn link_box(&self, to: &To, when_full: Option<WhenFull>, instead: bool) -> Result<(), LinkError>;
}

impl<T: Send + 'static> Linkable<Inbox<T>> for Outbox<T> {
    fn link_box(&self, to: &Inbox<T>, when_full: Option<WhenFull>, instead: bool) -> Result<(), LinkError> {
        self.node.link(&to.node, when_full, instead)
    }
}

impl<T: Send + 'static> Linkable<Self> for Inbox<T> {
    fn link_box(&self, to: &Self, when_full: Option<WhenFull>, instead: bool) -> Result<(), LinkError> {
        self.put_back();
        self.node.link(&to.node, when_full, instead)
    }
}

impl<T: Send + 'static> Linkable<Self> for Outbox<T> {
    fn link_box(&self, to: &Self, when_full: Option<WhenFull>, instead: bool) -> Result<(), LinkError> {
        self.node.link(&to.node, when_full, instead)
    }
}

/// Links a box to another. Messages that wait in an inbox (or in an outbox that holds them) move on, in order.
///
/// ```
/// use components::{Inbox, Outbox, link};
///
/// let (mut from, mut to) = (Outbox::new(), Inbox::new());
/// link(&from, &to)?;
/// from.try_send("hello").unwrap();
/// assert_eq!(to.try_recv(), Some("hello"));
/// # Ok::<(), components::LinkError>(())
/// ```
///
/// # Errors
/// [`LinkError::AlreadyLinked`], [`LinkError::Circle`], [`LinkError::NoSpaceInBox`]; nothing has changed then.
pub fn link<To>(from: &impl Linkable<To>, to: &To) -> Result<(), LinkError> {
    from.link_box(to, None, false)
}

/// Links a box to another, with a policy of this link for when the inbox at the end is full. Of several in a chain the
/// first one counts. With [`WhenFull::DropOldest`] the newest message is dropped if the receiver has all others in hand;
/// a box of that policy drops exactly.
///
/// # Errors
/// As [`link`].
pub fn link_with<To>(from: &impl Linkable<To>, to: &To, when_full: WhenFull) -> Result<(), LinkError> {
    from.link_box(to, Some(when_full), false)
}

/// Links a box to another instead of where it is linked now. No message is lost: one is either before the change or
/// after it. Those that have been delivered stay where they are.
///
/// # Errors
/// [`LinkError::Circle`] and [`LinkError::NoSpaceInBox`].
pub fn relink<To>(from: &impl Linkable<To>, to: &To) -> Result<(), LinkError> {
    from.link_box(to, None, true)
}

/// Takes the link away that leads on from a box; false if there was none. Later messages stay in it if it is an inbox,
/// and are discarded if it is an outbox.
pub fn unlink(from: &impl Unlinkable) -> bool {
    from.unlink_box()
}

/// A box whose link can be taken away: all are.
pub trait Unlinkable {
    #[doc(hidden)]
    fn unlink_box(&self) -> bool;
}

impl<T: Send + 'static> Unlinkable for Inbox<T> {
    fn unlink_box(&self) -> bool {
        self.node.unlink()
    }
}

impl<T: Send + 'static> Unlinkable for Outbox<T> {
    fn unlink_box(&self) -> bool {
        self.node.unlink()
    }
}
