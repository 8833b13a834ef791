//! Small components that are wanted again and again, under their names in Kamaelia.

mod console;
mod flow;
mod plain;
mod source;
mod split;
mod tag;

pub use console::{ConsoleEchoer, ConsoleReader};
pub use flow::{Clock, MessageRateLimit, OnDemandLimit, PromptedTurnstile, Sync};
pub use plain::{EchoProtocol, NullSink, PassThrough};
pub use source::{Chargen, Chooser, Jump, OneShot, TriggeredOneShot, TriggeredSource};
pub use split::{Chunkifier, Collate, LineSplit, TwoWaySplitter};
pub use tag::{RecoverOrder, TagWithSequenceNumber};
