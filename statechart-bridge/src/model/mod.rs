//! Models: described by builders, compiled once, shared and never changed afterwards.

mod bits;
mod builder;
mod class;
mod compile;
pub(crate) mod compiled;
mod error;
pub(crate) mod names;
mod path;
pub(crate) mod raise;
pub(crate) mod state;
mod transition;

pub use builder::{Model, ModelBuilder};
pub use class::{Association, Class, Method};
pub use error::{ModelError, Problem};
pub use raise::{Action, Raise, Scope};
pub use state::{Chart, State};
pub use transition::Transition;
