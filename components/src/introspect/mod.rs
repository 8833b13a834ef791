//! A picture of what runs, and a check of what will.

mod check;
mod draw;
mod snapshot;

pub use check::{Problem, check};
pub use snapshot::{BoxView, ComponentView, LinkView, Snapshot};
