//! Network programs built of small components with inboxes and outboxes, in the way of Kamaelia.
//!
//! ```
//! use components::{Boxes, Component, Context, Inbox, Net, Outbox, Outcome, Pipeline, System, for_each, from_iter};
//!
//! /// Multiplies what comes.
//! #[derive(Boxes)]
//! struct Times {
//!     inbox: Inbox<u64>,
//!     outbox: Outbox<u64>,
//!     factor: u64,
//! }
//!
//! impl Component for Times {
//!     async fn main(mut self, _: Context) -> Outcome {
//!         while let Some(number) = self.inbox.recv().await {
//!             self.outbox.send(number * self.factor).await?;
//!         }
//!         Ok(())
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> net_core::Result<()> {
//! let times = Times { inbox: Inbox::new(), outbox: Outbox::new(), factor: 3 };
//! let pipeline = Pipeline::new(from_iter(1..=4)).then(times).then(for_each(|n| println!("{n}")));
//! let end = System::new(&Net::os()).activate(pipeline)?.await;
//! assert!(end.reason.is_clean());
//! # Ok(()) }
//! ```
//!
//! # The model
//! * A [`Component`] has [`Inbox`]es and [`Outbox`]es, each with a name and a type of messages; the usual ones are `inbox`,
//!   `control`, `outbox` and `signal`. It knows nothing of who is at the other end.
//! * [`link`] joins boxes: outbox to inbox, an inbox to a child's, a child's outbox to its parent's. Messages go to the box
//!   at the end at once, however long the chain. Types are checked by the compiler, or, where boxes are
//!   [named](Graphline), when they are linked, with an error that lists what there is.
//! * Boxes are bounded. A full one makes its senders wait, refuses, or drops, as its [`WhenFull`] says; boxes of
//!   [`Signal`]s take everything.
//! * A [`ProducerFinished`](Signal::ProducerFinished) ends a component when everything is done that was sent before it;
//!   a [`ShutdownMicroprocess`](Signal::ShutdownMicroprocess) ends it at once. Both are passed on.
//! * A component that fails or panics ends alone; its [`End`], its `signal` and the log tell why. [`supervise`] starts it
//!   anew, [`OnFailure::Escalate`] ends its chassis.
//!
//! # Ending
//! | what comes to `control` | what the component does | what it says on `signal` |
//! |---|---|---|
//! | [`ProducerFinished`](Signal::ProducerFinished) | everything that was sent before it, then it ends | a new `ProducerFinished` |
//! | [`ShutdownMicroprocess`](Signal::ShutdownMicroprocess) | ends at once; a send that waits for room fails | the same |
//! | any other signal | goes on; [`Context::notice`] tells it | – |
//! | nothing; its work is done | ends | a new `ProducerFinished` |
//! | nothing; it fails or panics | ends alone | a `ProducerFinished` with the failure |
//! | both, one after the other | the order to end at once counts | the `ShutdownMicroprocess` |
//!
//! A component with a `control` box among its fields decides itself. Chassis end when all their children have ended:
//! [`Graphline`] and [`Carousel`] have tables of who is told.
//!
//! # What is here
//! * Chassis: [`Pipeline`], [`Graphline`], [`Par`], [`Seq`], [`Carousel`], [`Backplane`] with [`PublishTo`] and
//!   [`SubscribeTo`], [`Fanout`], [`Splitter`] and [`Plug`].
//! * Closures as components: [`from_fn`], [`map`], [`filter`], [`for_each`], [`from_iter`]; [`threaded`] for work that
//!   blocks; more small ones in `util`.
//! * [`System`]: runs them, on real sockets or in a simulated network; [`Services`] by name; [`Handle`] and [`ByteStream`]
//!   for code outside.
//! * [`Snapshot`]: the running graph with depths, rates and blocked links, as DOT, Mermaid, JSON; [`check`] before it runs.
//!
//! # Speed
//! A message takes one lock on its way into a box, and none on its way out. [`Outbox::send_all`] and [`Inbox::recv_all`] hand on
//! many at a time, for a tenth of that: `cargo xtask bench components` shows both. There are no boxes that work within one
//! thread only. Components move between threads wherever the network runs them so, and a batch costs less than a message would
//! in such a box.
//!
//! # Differences to Kamaelia
//! An outbox that is not linked discards, as there, and counts. A name that is no component's is an error, and not the
//! graphline itself. What is sent to a component that has ended is counted, and does not pile up. `Par` waits for its
//! children, and `Seq` listens to its control box.
//!
//! # Features
//! | feature | default | brings |
//! |---|---|---|
//! | `derive` | yes | `#[derive(Boxes)]`, and `util` |
//! | `json` | yes | snapshots as JSON |
//! | `os` | yes | the operating system's sockets, timers and tasks: `Net::os` |
//! | `tls` | yes | `tls://` endpoints |
//! | `tracing` | yes | events for what components do and how they end |

#![cfg_attr(docsrs, feature(doc_cfg))]

/// Its examples run too.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

// So that derived code finds this crate from inside of it too.
extern crate self as components;

mod boxes;
mod byte_stream;
mod chassis;
mod closure;
mod component;
mod context;
mod ear;
mod error;
mod failures;
mod handle;
mod internet;
mod introspect;
mod ipc;
mod linkage;
mod lock;
mod owner;
mod resources;
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
pub use failures::{ChildFailure, ChildFailures};
pub use handle::{Handle, StartError};
pub use internet::{
    AdapterOptions, Connected, ConnectedSocketAdapter, DEFAULT_CHUNK, DEFAULT_LINGER, FastRestartServer, HalfClose,
    HandlerSignal, HowDied, MulticastReceiver, MulticastSender, MulticastTransceiver, PostboxPeer, Readiness, Selector,
    SelectorRequest, ServerCore, ShutdownCsa, SimplePeer, SimpleServer, SingleServer, SocketShutdown, TargettedPeer,
    TcpClient, TcpServer, UdpReceiver, UdpSender, Watch,
};
#[cfg(feature = "tls")]
pub use internet::{MakeSsl, SslReady};
pub use introspect::{BoxView, ComponentView, LinkView, Problem, Snapshot, check};
pub use ipc::{Notify, ProducerFinished, ShutdownMicroprocess, Signal};
pub use linkage::{Linkable, Unlinkable, link, link_with, relink, unlink};
pub use resources::{Resources, Tracked, TrackingError};
pub use services::{Service, ServiceError, Services};
pub use supervise::{Supervised, supervise};
pub use system::{Active, End, EndReason, Ending, Event, System, SystemCounts};

pub use threaded::{Threaded, threaded};

pub use net_core;
pub use net_core::{Endpoint, Error, ErrorKind, Net, Result};
