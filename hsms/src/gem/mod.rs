//! The messages that most equipment has (SEMI E5, E30), as Rust types.
//!
//! ```
//! use hsms::Message;
//! use hsms::gem::{EventReport, Id, Report, S6F11};
//! use hsms::item::Item;
//!
//! let report = S6F11(EventReport {
//!     dataid: Id::from(0),
//!     ceid: Id::from(1004),
//!     reports: vec![Report {
//!         rptid: Id::from(1),
//!         values: vec![Item::ascii("LOT7"), Item::f4(21.5)],
//!     }],
//! });
//! let message = Message::of(0, 1, &report)?;
//! assert_eq!(
//!     message.item()?.unwrap().to_string(),
//!     r#"<L [3] <U4 0> <U4 1004> <L [1] <L [2] <U4 1> <L [2] <A "LOT7"> <F4 21.5>>>>>"#
//! );
//! assert_eq!(message.read::<S6F11>()?.0.ceid.number(), Some(1004));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`Gem`] is the delegate of an equipment or a host: it establishes communication, answers what all answer, and calls
//! handlers for the rest. [`Communication`] is its state model, without I/O. All else of an equipment model is the
//! application's. A whole equipment with a process job, and the host that runs it, is the example `process_job`: on the
//! system's sockets, or with `--simulated` on a simulated network.
//!
//! A type is named for its message. Names in brackets are those of the standard's data items. Numbers are read from
//! integers of any width, texts from A, J and W; equipment varies, so identifiers are [`Id`]s and values
//! [`Item`]s.

mod ack;
mod communication;
mod delegate;
mod s1;
mod s10;
mod s2;
mod s5;
mod s6;
mod s7;
mod s9;

use std::fmt;

pub use ack::{
    Accepted, Ackc7, Ackc10, Commack, Cpack, Drack, Eac, Erack, Grant6, Hcack, Lrack, Oflack, Onlack, Ppgnt, Rsda,
    Tiack,
};
pub use communication::{Admission, Attempt, Communication, CommunicationState, Step};
pub use delegate::Gem;
pub use s1::*;
pub use s2::*;
pub use s5::*;
pub use s6::*;
pub use s7::*;
pub use s9::*;
pub use s10::*;

use crate::item::Item;
use crate::{FromItem, ToItem};

/// What names a variable, an event, a report and the like: most often a U4, but other numbers and texts are usual too.
#[derive(Clone, PartialEq, Eq, Hash, ToItem, FromItem)]
pub struct Id(
    /// The item.
    pub Item,
);

impl Id {
    /// The number, if it is one, of whatever width.
    #[must_use]
    pub fn number(&self) -> Option<u64> {
        self.0.read().ok()
    }

    /// The text, if it is one.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        self.0.read().ok()
    }
}

/// As a U4.
impl From<u32> for Id {
    fn from(number: u32) -> Self {
        Self(Item::u4(number))
    }
}

/// As an A.
impl From<&str> for Id {
    fn from(text: &str) -> Self {
        Self(Item::ascii(text))
    }
}

/// Its SML.
impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// Its SML.
impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
