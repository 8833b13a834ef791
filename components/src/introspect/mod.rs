//! A picture of what runs, and a check of what will.

mod check;
mod draw;
mod snapshot;
mod stranded;

pub use check::{Problem, check};
pub use snapshot::{BoxView, ComponentView, LinkView, Snapshot};
pub(crate) use stranded::{fed_by, is_stranded, tell_stranded};
