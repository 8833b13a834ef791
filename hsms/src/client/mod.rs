//! The async side of a connection: requests, messages and events as streams.

mod error;
pub(crate) mod events;
mod primaries;
mod request;
mod typed;

pub use error::RequestError;
pub use events::{ConnectionEvent, Events};
pub use primaries::{Primaries, Primary};
pub use request::RequestOptions;
