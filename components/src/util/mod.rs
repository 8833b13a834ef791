//! Small components that are wanted again and again, under their names in Kamaelia.

mod activity;
mod choose;
mod chunker;
mod compare;
mod console;
mod files;
mod flow;
mod framer;
mod introspector;
mod plain;
mod process;
mod rate;
mod record;
mod source;
mod split;
mod tag;
mod transform;

pub use activity::{ActivityMonitor, InactivityChassis, Reset, ResettableSender};
pub use choose::{Chooser, ForwardIteratingChooser, Jump, join_chooser_to_carousel};
pub use chunker::{BadSync, DataChunker, DataDeChunker};
pub use compare::{Comparator, TestResult};
pub use console::{ConsoleEchoer, ConsoleReader};
pub use files::{PromptedFileReader, SimpleFileWriter, SimpleReader, WholeFileWriter};
pub use flow::{Clock, MessageRateLimit, OnDemandLimit, PromptedTurnstile, Sync};
pub use framer::{DeFramer, FrameError, Framer};
pub use introspector::{Introspector, WakeableIntrospector};
pub use plain::{EchoProtocol, NullSink, PassThrough};
pub use process::UnixProcess;
pub use rate::ByteRateRequestControl;
pub use record::{Recorder, Recording, Replayer, Tape};
pub use source::{Chargen, OneShot, TriggeredOneShot, TriggeredSource};
pub use split::{Chunkifier, Collate, LineSplit, TwoWaySplitter};
pub use tag::{RecoverOrder, TagWithSequenceNumber};
pub use transform::{DeMarshaller, Filter, Filtering, Marshaller, Marshalling};
