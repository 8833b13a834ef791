//! Inboxes and outboxes: where messages wait, and how they get there.

mod counts;
mod inbox;
mod node;
mod outbox;
mod settings;
mod store;
mod waiters;

pub use counts::Counts;
pub use inbox::{Inbox, Received, Recv};
pub use node::Direction;
pub(crate) use node::{AnyNode, Node};
pub use outbox::{Delivery, Outbox, OutboxSink, Sending};
pub use settings::{BoxOptions, DEFAULT_CAPACITY, WhenFull};
pub(crate) use store::Push;
pub(crate) use waiters::Waiters;
