//! Network programs built of small components with inboxes and outboxes, in the way of Kamaelia.

#![cfg_attr(docsrs, feature(doc_cfg))]

// So that derived code finds this crate from inside of it too.
extern crate self as components;

mod boxes;
mod byte_stream;
mod chassis;
mod closure;
mod component;
mod context;
mod error;
mod handle;
mod introspect;
mod ipc;
mod linkage;
mod lock;
mod owner;
mod run;
mod services;
mod supervise;
mod system;
mod threaded;
#[cfg(feature = "derive")]
pub mod util;
mod waiting;

pub use boxes::{
    BoxOptions, Counts, DEFAULT_CAPACITY, Delivery, Direction, Inbox, Outbox, OutboxSink, Received, Recv, Sending,
    WhenFull,
};
pub use byte_stream::ByteStream;
pub use chassis::{
    Backplane, Carousel, Change, Fanout, Graphline, Missed, NextRequest, OnFailure, Par, Pipeline, Plug, PublishTo,
    Seq, Splitter, SubscribeTo,
};
pub use closure::{FilterMap, ForEach, FromIter, Function, Map, filter, filter_map, for_each, from_fn, from_iter, map};
#[doc(hidden)]
pub use component::ChildList;
pub use component::{BoxList, Boxes, Component, HasInbox, HasOutbox, Outcome};
#[cfg(feature = "derive")]
pub use components_derive::Boxes;
pub use context::Context;
#[cfg(feature = "derive")]
pub(crate) use context::first;
pub use error::{Failure, LinkError, SendError, Stopped, Unsent};
pub use handle::{Handle, StartError};
pub use introspect::{BoxView, ComponentView, LinkView, Problem, Snapshot, check};
pub use ipc::{Notify, ProducerFinished, ShutdownMicroprocess, Signal};
pub use linkage::{Linkable, Unlinkable, link, link_with, relink, unlink};
pub use services::{Service, ServiceError, Services};
pub use supervise::{Supervised, supervise};
pub use system::{Active, End, EndReason, Ending, Event, System, SystemCounts};

pub use threaded::{Threaded, threaded};

pub use net_core;
pub use net_core::{Endpoint, Error, ErrorKind, Net, Result};
