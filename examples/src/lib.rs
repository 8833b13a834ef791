//! Programs in which the models work together; run them with `cargo xtask demo`.
//!
//! [`line`](mod@line) is a production line, the program `demo`; [`matrix`] has each of the five models as the client of each;
//! [`soak`] runs all of them at once for a long time. Here also the snippets of the project's README are compiled and run as
//! tests.

pub mod line;
pub mod matrix;
pub mod soak;

#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
